"""The shrinkage of similarities: a planted one is recovered, and rare items lose by it."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.base import reliability
from tastemap.models.base.factors import Factors
from tastemap.models.base.reliability import DEFAULT_SHRINKAGE, estimated_shrinkage
from tastemap.models.registry import make_model

N_USERS, N_ITEMS, N_FACTORS = 300, 200, 12


def planted(noise: float, seed: int = 0) -> tuple[Ratings, np.ndarray, np.ndarray]:
    """Ratings p_u . q_i and noise, of items that have from 2 to 120 ratings; rows of both sides."""
    rng = np.random.default_rng(seed)
    users, items = (np.zeros((n, 1 + N_FACTORS)) for n in (N_USERS, N_ITEMS))
    users[:, 1:], items[:, 1:] = (rng.normal(size=part[:, 1:].shape) for part in (users, items))
    counts = np.linspace(2, 120, N_ITEMS).astype(int)
    raters = np.concatenate([rng.choice(N_USERS, n, replace=False) for n in counts])
    rated = np.repeat(np.arange(N_ITEMS), counts)
    values = np.einsum("nf,nf->n", users[raters], items[rated]) + rng.normal(0, noise, len(rated))
    frame = pl.DataFrame({"user_id": raters, "item_id": rated, "rating": values})
    return Ratings.from_frame(frame), users, items


@pytest.mark.parametrize("noise", [3.0, 6.0])
def test_a_planted_shrinkage_is_recovered(noise: float) -> None:
    """Factors of variance 1 and noise of variance v: about v ratings say as much as the factors."""
    table, users, items = planted(noise)
    learnt = estimated_shrinkage(table, 0.0, users, items)
    assert learnt == pytest.approx(noise**2, rel=0.6)
    assert learnt == estimated_shrinkage(table, 0.0, users, items)


def test_a_part_of_the_users_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    table, users, items = planted(5.0)
    whole = estimated_shrinkage(table, 0.0, users, items)
    monkeypatch.setattr(reliability, "MAX_RATINGS", len(table) // 2)
    assert estimated_shrinkage(table, 0.0, users, items) == pytest.approx(whole, rel=0.35)


def test_where_the_ratings_say_nothing_the_default_counts() -> None:
    table, users, items = planted(1.0)
    assert estimated_shrinkage(table, 0.0, users, 0 * items) == DEFAULT_SHRINKAGE
    one = table.take([0])
    assert estimated_shrinkage(one, 0.0, users, items) == pytest.approx(DEFAULT_SHRINKAGE)
    assert estimated_shrinkage(table, np.nan, users, items) == DEFAULT_SHRINKAGE


def test_items_of_few_ratings_are_nobodys_neighbours() -> None:
    table, *_ = planted(4.0)
    model = make_model("als", n_factors=N_FACTORS, damping=0).fit(table, progress=False)
    counts = table.by_item.counts
    well_known = np.argsort(-counts)[:20]
    n_few = [
        sum(
            int((counts[np.argsort(-similarity(item), kind="stable")[1:11]] < 20).sum())
            for item in well_known.tolist()
        )
        for similarity in (model.factors.item_cosines, model.similarity_rows)
    ]
    assert n_few[0] > 10
    assert n_few[1] < n_few[0] / 2


def test_a_fit_forgets_the_shrinkage_and_a_ranking_has_none(ratings: Ratings) -> None:
    model = make_model("als", n_factors=4, n_epochs=2).fit(ratings, progress=False)
    before = model.similarity_shrinkage
    model.fit(ratings.take(ratings.user_index < 40), progress=False)
    assert model.similarity_shrinkage != before
    ranking = make_model("ials", n_factors=4, n_epochs=2).fit(ratings, progress=False)
    assert ranking.similarity_shrinkage == 0
    assert isinstance(ranking.factors, Factors)
    assert ranking.similarity_rows(3) == pytest.approx(ranking.factors.item_cosines(3), abs=1e-6)
