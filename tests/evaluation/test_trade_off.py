"""Varied and calibrated lists: each gains what it is for."""

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.evaluation.trade_off import trade_off
from tastemap.models.ease import EASE
from tastemap.models.popularity import Popularity


def test_each_wish_gains_what_it_is_for(split: Split) -> None:
    model = EASE().fit(split.train, progress=False)
    frame = trade_off(model, split.test, 6, weights=(0.0, 0.2, 0.5))
    calibrated, varied = frame.partition_by("wish", maintain_order=True)
    assert calibrated["divergence"][1:].max() < 0.6 * calibrated["divergence"][0]
    assert varied["diversity"].is_sorted()
    plain = evaluate_ranking(model, split.test, 6).filter(metric="ndcg")["value"].item()
    assert calibrated["ndcg"][0] == varied["ndcg"][0] == pytest.approx(plain)


def test_without_genres_or_similarities_there_is_less_to_compare(split: Split) -> None:
    def bare(ratings: Ratings) -> Ratings:
        return Ratings.from_frame(ratings.to_frame().select("user_id", "item_id", "rating"))

    train, test = map(bare, split)
    frame = trade_off(EASE().fit(train, progress=False), test, weights=(0.0, 0.5))
    assert frame["wish"].to_list() == ["diversity"] * 2
    assert frame["divergence"].null_count() == 2
    of_popularity = trade_off(Popularity().fit(split.train), split.test, weights=(0.5,))
    assert of_popularity["wish"].to_list() == ["calibrated"]
    nothing = trade_off(Popularity().fit(train), test)
    assert nothing.is_empty()
    assert nothing.schema["ndcg"] == pl.Float64
