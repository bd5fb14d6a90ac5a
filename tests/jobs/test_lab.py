"""The models of the lab; the lab from end to end: tests/cli/test_lab.py."""

import pytest

from tastemap.jobs import lab


def test_the_networks_have_the_layers_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "make_model", lambda name, **options: (name, options))
    assert lab.LEADERBOARD[lab.BASELINE]() == ("bias", {})
    networks = [name for name in lab.LEADERBOARD if name.startswith("deep")]
    assert len(networks) == 3
    for network in networks:
        layers = [int(size) for size in network.removeprefix("deep ").split("-")]
        name, options = lab.LEADERBOARD[network]()
        assert (name, options["network_options"]["hidden"]) == ("deep", layers)
