"""Numbers and nouns agree; small shares are not none."""

import pytest

from tastemap.support.counts import counted, percentage


def test_one_is_singular_and_all_else_plural() -> None:
    assert [counted(n, "rating") for n in (0, 1, 2)] == ["0 ratings", "1 rating", "2 ratings"]
    assert counted(1, "person", "people") == "1 person"
    assert counted(12_345, "person", "people") == "12,345 people"


SHARES = {
    0.0: "0 %",
    1.0: "100 %",
    0.0631: "6.3 %",
    0.01: "1.0 %",
    0.9: "90.0 %",
    0.00022: "0.022 %",
    1e-7: "0.000010 %",
    0.9995: "99.950 %",
}


@pytest.mark.parametrize(("share", "text"), SHARES.items())
def test_a_share_is_told_from_nothing_and_from_all(share: float, text: str) -> None:
    assert percentage(share) == text
