"""How well a few ratings tell how alike two people are: `tastemap.serve.answers.alike`.

    python benchmarks/alike.py [--source FOLDER] [--models mf als ...] [--pairs 40] [--seed 0]

MovieLens 100K. People with 200 ratings or more are paired at random, no person in two pairs. What
all ratings of a pair say counts as the truth; the share and its interval of 80 % come from some of
the ratings of each, drawn at random. The model is fitted on all ratings.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from tastemap import load_dataset
from tastemap.models.registry import make_model
from tastemap.serve.answers.alike import alike
from tastemap.serve.model.loaded import LoadedModel

MIN_RATINGS, NUMBERS = 200, (8, 20, 50, 100)


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", help="folder of MovieLens 100K")
    parser.add_argument("--models", nargs="*", default=("mf", "als", "knn", "bayes"))
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    ratings = load_dataset("ml-100k", source=args.source)
    print("| model | ratings of each | RMSE | inside the interval | its width | spread of shares |")
    print("|---|---|---|---|---|---|")
    for name in args.models:
        fitted = make_model(name).fit(ratings, seed=args.seed, progress=False)
        for row in rows(LoadedModel(fitted, {}, "1"), args.pairs, args.seed):
            print(f"| {name} | " + " | ".join(row) + " |", flush=True)


def rows(model: LoadedModel, n_pairs: int, seed: int) -> Iterator[tuple[str, ...]]:
    """One row of the table for each number of ratings."""
    data, rng = model.data, np.random.default_rng(seed)
    users = rng.permutation(np.flatnonzero(data.by_user.counts >= MIN_RATINGS))
    pairs = users[: len(users) // 2 * 2].reshape(-1, 2)[:n_pairs]

    def shares(n: int | None) -> list[tuple[float, float, float]]:
        """The share and its bounds of each pair, from n ratings of each person."""
        told = []
        for pair in pairs:
            people = []
            for user in pair:
                place = data.by_user[user]
                place = place if n is None else rng.choice(place, n, replace=False)
                people.append(model.fold_in(data.item_index[place], data.values[place]))
            found = alike(model, *people)
            told.append((found.share, found.low, found.high))
        return told

    truth = np.array([share for share, _, _ in shares(None)])
    for n in NUMBERS:
        share, low, high = np.array(shares(n)).T
        inside = np.mean((low <= truth) & (truth <= high))
        error = np.sqrt(np.mean((share - truth) ** 2))
        figures = (error, inside, np.mean(high - low), truth.std(ddof=1))
        yield str(n), *(f"{figure:.2f}" for figure in figures)


if __name__ == "__main__":
    main()
