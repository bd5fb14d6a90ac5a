"""Names of regions: planted ones are named, chance is not."""

import numpy as np
import polars as pl
import pytest

from tastemap.explore.regions import REACHES, Region, name_regions

N = 900
CENTRES = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])


def planted(crowd: np.ndarray, genres: list[list[str] | None], year: list[int]) -> pl.DataFrame:
    places = CENTRES[crowd] + np.random.default_rng(0).normal(size=(len(crowd), 2))
    return pl.DataFrame(
        {
            "x": places[:, 0],
            "y": places[:, 1],
            "genres": pl.Series(genres, dtype=pl.List(pl.String)),
            "year": pl.Series(year, dtype=pl.Int32),
            "popularity": 100,
        }
    )


@pytest.fixture
def crowd() -> np.ndarray:
    return np.arange(N) % 3


@pytest.fixture
def films(crowd: np.ndarray) -> pl.DataFrame:
    """Dark films of the forties, funny ones of all times, and cartoons for children."""
    genres = [[["Film-Noir"], ["Comedy"], ["Animation", "Children's"]][c] for c in crowd]
    years = [1943 if c == 0 else 1950 + n % 50 for n, c in enumerate(crowd.tolist())]
    return planted(crowd, genres, years)


def far(regions: list[Region]) -> dict[str, Region]:
    widest = max(region.reach for region in regions)
    return {region.name: region for region in regions if region.reach == widest}


def test_planted_regions_are_named_where_they_lie(films: pl.DataFrame) -> None:
    regions = name_regions(films)
    assert {*far(regions)} == {"Film-Noir, 1940s", "Comedy", "Animation, Children's"}
    for name, centre in zip(
        ("Film-Noir, 1940s", "Comedy", "Animation, Children's"), CENTRES, strict=True
    ):
        assert np.hypot(*(centre - [far(regions)[name].x, far(regions)[name].y])) < 2
    for reach in {region.reach for region in regions}:
        names = [region.name for region in regions if region.reach == reach]
        assert len(names) == len({*names}), "no name twice at one width"
    assert len({region.reach for region in regions}) == len(REACHES)


def test_chance_has_no_name() -> None:
    rng = np.random.default_rng(1)
    genres = [[str(g)] for g in rng.choice(["Drama", "Comedy", "War"], N)]
    assert name_regions(planted(rng.integers(3, size=N), genres, [1990] * N)) == []


def test_what_few_have_rated_names_nothing(films: pl.DataFrame) -> None:
    assert name_regions(films.with_columns(popularity=pl.lit(0))) == []
    assert name_regions(films[:9]) == []


def test_nothing_is_known(films: pl.DataFrame) -> None:
    bare = films.with_columns(
        genres=pl.lit(None, dtype=pl.List(pl.String)), year=pl.lit(None, dtype=pl.Int32)
    )
    assert name_regions(bare) == []


def test_languages_name_regions_too(films: pl.DataFrame, crowd: np.ndarray) -> None:
    language = pl.DataFrame({"language": ["French" if c == 1 else "English" for c in crowd]})
    assert "Comedy, French" in far(name_regions(films, language))


def test_places_that_are_all_the_same_are_no_fault(films: pl.DataFrame) -> None:
    same = films.with_columns(x=pl.lit(1.0), y=pl.lit(2.0))
    assert name_regions(same) == []
