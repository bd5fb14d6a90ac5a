"""What models say that they can do; the contract compares it with what each answers."""

from dataclasses import asdict

from tastemap.models.base.capabilities import Capabilities


def test_a_model_says_no_more_than_that_it_predicts_unless_it_declares_more() -> None:
    assert [name for name, value in asdict(Capabilities()).items() if value] == ["predicts"]
