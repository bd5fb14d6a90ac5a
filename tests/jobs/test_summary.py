"""The summary on top of a report."""

import pytest

from tastemap.data.ratings import Ratings
from tastemap.jobs.summary import headline, summary


def test_a_summary_says_what_when_how_and_from_what(
    tiny: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/tastemap", "run", "my ratings.csv"])
    figures = headline({"test_rmse": 0.9, "baseline_test_rmse": 0.95}, "mf")
    facts = dict(summary(tiny, "“mf” was chosen", figures, 7).facts)
    assert facts["command"] == "`tastemap run 'my ratings.csv'`"
    assert (facts["result"], facts["seed"]) == ("“mf” was chosen", "7")
    assert "tastemap 0." in facts["made"]
    html = summary(tiny, "x", figures, None).html()
    assert "<dd>0.9000</dd>" in html
    assert "seed" not in html, "what is not known is left out"


def test_a_model_without_a_test_has_no_headline() -> None:
    assert headline({}, "mf") == []
    assert headline({"test_ndcg": 0.3}, "ease") == [("test NDCG of ease", 0.3)]
