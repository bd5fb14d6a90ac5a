"""The lists of services that the benchmark writes are read, and each finds its films."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.explore.imports.ratings import read_ratings, review

BENCHMARK = Path(__file__).parent.parent.parent / "benchmarks" / "imports.py"
# Titles that services spell otherwise, as the catalogue has them, and some beside them.
TITLES = [
    ("Star Wars", 1977),
    ("Empire Strikes Back, The", 1980),
    ("Return of the Jedi", 1983),
    ("Twelve Monkeys", 1995),
    ("Seven (Se7en)", 1995),
    ("Professional, The", 1994),
    ("Wrong Trousers, The", 1993),
    ("William Shakespeare's Romeo and Juliet", 1996),
    ("Alien 3", 1992),
    ("Willy Wonka and the Chocolate Factory", 1971),
    ("Godfather: Part II, The", 1974),
    ("Godfather, The", 1972),
    ("Boot, Das", 1981),
    ("Star Trek: The Wrath of Khan", 1982),
    ("Usual Suspects, The", 1995),
    ("Schindler's List", 1993),
    ("One Flew Over the Cuckoo's Nest", 1975),
    ("Hamlet", 1996),
]
BESIDE = [("Hamlet", 1948), ("Alien", 1979), ("Aliens", 1986), ("Star Trek V: The Final One", 1989)]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("imports_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data() -> Ratings:
    """A catalogue whose first titles are the most rated."""
    titles, years = zip(*TITLES, *BESIDE, strict=True)
    items, n = range(len(titles)), len(TITLES)
    pairs = [(u, i) for u in range(3) for i in items if u == 0 or i < n]
    frame = pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")
    table = pl.DataFrame({"item_id": items, "title": titles, "year": years})
    return Ratings.from_frame(
        frame.with_columns(rating=1.0 + pl.col("item_id") % 5), item_table=table
    )


def test_each_service_finds_the_films_and_no_other(
    benchmark: ModuleType, data: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "N_FILMS", len(TITLES))
    for service, (write, names) in benchmark.SERVICES.items():
        films = benchmark.films_of(data, names)
        export = read_ratings(write(films), 1_000_000)
        assert export.source == service.partition(",")[0]
        result = review(data, export)
        count = benchmark.counted(result, films, data)
        without_year = ["Léon: The Professional", "Hamlet"]
        unsure = [match.entry.title for match in result.unsure if not match.is_likely]
        assert {*unsure} == ({*without_year} if service == "MyAnimeList" else set())
        assert (count.missed, count.wrong) == (0, 0), service
        assert benchmark.decoys(data, films, 0) == benchmark.decoys(data, films, 5) == 0
