"""Whether the neighbours of well-known items are worth believing: their ratings, their genres.

    python benchmarks/neighbours.py [--data ml-100k] [--models bayes als …] [--ml-100k PATH]
        [--ml-1m PATH] [--saved NAME=PATH …] [--json]

For each of the 100 items with the most ratings, its ten most similar items: the share of these that
have fewer than 20 ratings (`few`), the mean agreement of genres (`genres`: genres of both over
genres of either), and the same among the neighbours with 20 ratings and more (`genres, known`).
`cosine` is the plain cosine of the factors, `shrunk` the model's own similarity. Models of pairs of
items have the second alone: their weights come from numbers of people as they are.
`s` is the number of ratings at which half of an item's factors are noise, as learnt, and `ms` the
milliseconds of all similarities of an item.
"""

import argparse
import json
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from tastemap.arrays import FloatArray

MODELS = ("bayes", "als", "mf", "biased-dot", "knn", "ease", "item-knn")
N_ITEMS, N_NEIGHBOURS, MIN_RATINGS = 100, 10, 20


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="ml-100k", choices=("ml-100k", "ml-1m"))
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K; else fetched or cached")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M, likewise")
    parser.add_argument("--saved", nargs="*", default=(), help="NAME=PATH of models saved before")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    saved = dict(pair.split("=", 1) for pair in args.saved)
    source = getattr(args, args.data.replace("-", "_"))
    rows = [row for name in args.models for row in neighbours(name, saved, args.data, source)]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)


def fitted(name: str, saved: dict[str, str], data: str, source: str | None) -> Any:
    """A model on all ratings, or a saved one."""
    import tastemap as tm

    if name in saved:
        return tm.load_model(saved[name])
    return tm.make_model(name).fit(tm.load_dataset(data, source=source), progress=False)


def neighbours(
    name: str, saved: dict[str, str], data: str, source: str | None
) -> list[dict[str, Any]]:
    """The row of each similarity of a model."""
    from tastemap.models.base.factors import HasFactors

    model = fitted(name, saved, data, source)
    ways: dict[str, Callable[[int], FloatArray]] = {"shrunk": model.similarity_rows}
    if isinstance(model, HasFactors):
        ways = {"cosine": model.factors.item_cosines} | ways
        model.similarity_rows(0)  # learns the shrinkage
    shrinkage = getattr(model, "similarity_shrinkage", None)
    rows = []
    for way, similarity in ways.items():
        scores = {"model": name, "similarity": way, **judged(model, similarity)}
        scores["s"] = shrinkage if way == "shrunk" else None
        rows.append(scores)
    return rows


def judged(model: Any, similarity: Callable[[int], FloatArray]) -> dict[str, Any]:
    """The scores of one similarity."""
    data = model.fitted_data
    counts = data.by_item.counts
    genres = [set(names or ()) for names in data.items.frame["genres"].to_list()]
    n_ratings, agreements = [], []
    for item in np.argsort(-counts, kind="stable")[:N_ITEMS].tolist():
        similar = similarity(item).astype(np.float64)
        similar[item] = -np.inf
        similar[counts == 0] = -np.inf
        for near in np.argsort(-similar, kind="stable")[:N_NEIGHBOURS].tolist():
            either = genres[item] | genres[near]
            agreements.append(len(genres[item] & genres[near]) / max(len(either), 1))
            n_ratings.append(counts[near])
    few = np.array(n_ratings) < MIN_RATINGS
    agreement = np.array(agreements)
    return {
        "few": float(few.mean()),
        "genres": float(agreement.mean()),
        "genres, known": float(agreement[~few].mean()),
        "ms": 1000 * min(timeit.repeat(lambda: similarity(0), number=5, repeat=3)) / 5,
    }


def show(rows: list[dict[str, Any]]) -> None:
    """The rows as a table of a page."""
    columns = ("model", "similarity", "few", "genres", "genres, known", "s", "ms")
    print(f"| {' | '.join(columns)} |")
    print(f"|{'---|' * len(columns)}")
    for row in rows:
        s = "" if not row["s"] else f"{row['s']:.0f}"
        numbers = f"{100 * row['few']:.1f} % | {row['genres']:.3f} | {row['genres, known']:.3f}"
        print(f"| {row['model']} | {row['similarity']} | {numbers} | {s} | {row['ms']:.1f} |")


if __name__ == "__main__":
    main()
