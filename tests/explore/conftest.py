"""Small ratings and a model whose items form three groups."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.factors import FactorModel, Factors, Prior

N_ITEMS, N_GROUPS = 90, 3


def item_table(n: int) -> pl.DataFrame:
    genres = [["Drama", "Romance"], ["Drama"], ["Comedy"]]
    return pl.DataFrame(
        {
            "item_id": range(1, n + 1),
            "title": [f"Film {i}" for i in range(1, n + 1)],
            "year": [1950 + i % 50 for i in range(n)],
            "release_year": [1950 + i % 50 for i in range(n)],
            "genres": [genres[i % 3] for i in range(n)],
        }
    )


@pytest.fixture
def ratings() -> Ratings:
    """Item i has i ratings or so; 100 users; ratings 1 to 5."""
    rng = np.random.default_rng(0)
    rows = [(user, i + 1) for i in range(N_ITEMS) for user in rng.permutation(100)[: i + 1]]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row").with_columns(
        rating=pl.Series(rng.integers(1, 6, len(rows)))
    )
    return Ratings.from_frame(frame, item_table=item_table(N_ITEMS), source=Source("toy"))


@pytest.fixture
def model(ratings: Ratings) -> FactorModel:
    """Factors around three directions; item i belongs to group i % 3."""
    return factor_model(ratings, grouped_factors(ratings.n_items))


def grouped_factors(n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    centres = 4 * np.eye(8)[:N_GROUPS]
    length = rng.uniform(0.2, 3, (n, 1))
    return length * (centres[np.arange(n) % N_GROUPS] + rng.normal(scale=0.5, size=(n, 8)))


@pytest.fixture(name="grouped_factors")
def grouped_factors_fixture():
    return grouped_factors


@pytest.fixture(name="factor_model")
def factor_model_fixture():
    return factor_model


def factor_model(ratings: Ratings, item_factors: np.ndarray) -> FactorModel:
    f = item_factors.shape[1]
    items = np.column_stack([np.zeros(ratings.n_items), item_factors])
    prior = Prior(np.zeros(1 + f), np.eye(1 + f))
    factors = Factors.of(ratings, 3.0, np.zeros((ratings.n_users, 1 + f)), items, prior)
    artifact = Artifact("FactorModel", {}, factors.arrays(), ratings, 0, "by hand")
    return FactorModel.from_artifact(artifact)
