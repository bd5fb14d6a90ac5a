"""Picks and their reasons."""

from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.models.registry import load_model
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_picks_change_with_the_first_rating(service: Service) -> None:
    before = service.recommend(ANN, 5)
    assert before.source == "popular"
    assert all(item.predicted_rating is None for item in before.items)
    service.profiles.rate(ANN, {"2": 5.0, "1": 1.0})
    after = service.recommend(ANN, 5)
    assert after.source == "folded_in"
    assert {item.item_id for item in after.items}.isdisjoint({1, 2})
    assert [item.item_id for item in after.items] != [item.item_id for item in before.items]
    assert all(1 <= item.predicted_rating <= 5 for item in after.items)


WISHES = {"diversity": 0.4, "calibrated": {"decade": 0.3}, "at_most": {"year": 1}}


@pytest.mark.parametrize(
    ("novelty", "by", "wishes"),
    [
        (0.0, "expected", {}),
        (0.5, "expected", {}),
        (-1.0, "cautious", {}),
        (0.0, "relative", {}),
        (0.0, "likely-and-liked", {}),
        (0.0, "expected", WISHES),
        (0.0, "cautious", WISHES),
    ],
)
def test_answers_are_those_of_the_library(
    service: Service, artifact: Path, novelty: float, by: str, wishes: dict
) -> None:
    model = load_model(artifact)
    mine = {"2": 5.0, "4": 4.0, "1": 1.0}
    order = {"novelty": novelty, "by": by}
    filters = Filters("drama", 1970, 2000)
    ours = service.recommend(mine, 7, filters=filters, **order, **wishes)
    theirs = model.recommend(
        ratings={int(item): rating for item, rating in mine.items()},
        k=7,
        **order,
        where="genres contains 'Drama' and year >= 1970 and year <= 2000",
        **wishes,
    )
    assert [item.item_id for item in ours.items] == theirs["item_id"].to_list()
    assert np.allclose([item.score for item in ours.items], theirs["score"], atol=1e-5)
    known = service.recommend(api_profile("3"), 7)
    assert known.source == "trained"
    assert [i.item_id for i in known.items] == model.recommend(3, k=7)["item_id"].to_list()


def test_the_first_page_is_varied_and_caps_are_kept(service: Service) -> None:
    mine = {"2": 5.0, "4": 4.0, "1": 1.0}
    picks = service.recommend(mine, 6, diversity=0.8, by="cautious").items
    page = {row.key: row.items for row in service.rows(mine, 6, diversity=0.8)}
    assert [card.item_id for card in page["top-picks"]] == [card.item_id for card in picks]
    answer = service.recommend(mine, 6, at_most={"genres": 2})
    assert len(answer.items) == 4, "two of either genre"
    assert answer.note == "no more than 4 items are left to recommend, with at most genres=2"


def test_picks_have_a_reason_that_lifts_them(tmp_path: Path) -> None:
    mine = {"2": 5.0, "4": 4.0, "1": 1.0, "3": 2.0}
    store = Store("sqlite://")
    service = Service(LiveModel(save_small(small_ratings(), tmp_path / "model", "als")), store)
    assert all(item.because is None for item in service.recommend(mine, 8).items)
    picks = service.recommend(mine, 8, reasons=True, exclude_seen=False).items
    rows = {row.key: row.items for row in service.rows(mine, 6)}
    shown = [*picks, *rows["top-picks"], *rows["loved-by-few"]]
    told = [item for item in shown if item.because is not None]
    assert len(told) > len(shown) / 3
    for item in told:
        assert item.because.item_id != item.item_id
        assert item.because.rating == mine[str(item.because.item_id)]
        # Synthetic people like either kind: what one likes speaks for its kind alone.
        same_kind = item.item_id % 2 == item.because.item_id % 2
        assert same_kind == (item.because.rating >= 4)
    assert all(item.because is None for item in rows["popular"])
    nobody = service.rows({}, 6)
    store.close()
    assert all(item.because is None for row in nobody for item in row.items)


@pytest.mark.parametrize("name", ["ease", "knn", "bias", "bayes", "popularity"])
def test_reasons_of_every_kind_of_model(tmp_path: Path, name: str) -> None:
    store = Store("sqlite://")
    served = Service(LiveModel(save_small(small_ratings(), tmp_path / "model", name)), store)
    picks = served.recommend({"2": 5.0, "4": 4.0, "1": 1.0}, 8, reasons=True).items
    told = [item.because for item in picks if item.because is not None]
    assert bool(told) == (name not in {"bias", "popularity"})
    assert {reason.item_id for reason in told} <= {1, 2, 4}
    store.close()


def test_lists_have_new_items_where_they_are_asked_for(new_items: Service) -> None:
    mine = {"2": 5.0, "4": 5.0, "1": 1.0}
    assert {item.basis for item in new_items.recommend(mine, 100).items} == {"ratings"}
    shown = {item.item_id: item for item in new_items.recommend(mine, 100, new=True).items}
    assert {n: shown[n].basis for n in (901, 902, 903)} == {
        901: "facts",
        902: "facts",
        903: "average",
    }
    assert {n for n, item in shown.items() if item.interval} == {901, 902, 903}
    theirs = new_items.model.model.recommend(ratings={2: 5.0, 4: 5.0, 1: 1.0}, k=80, new=True)
    assert list(shown) == theirs["item_id"].to_list()
