"""tastemap doctor."""

from commands import ask


def test_nothing_is_wrong_here() -> None:
    states = {row["check"]: row["state"] for row in ask("doctor")["rows"]}
    assert states["Python"] == "ok"
    assert "wrong" not in states.values()
