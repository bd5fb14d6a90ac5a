"""How fast `bayes` answers a new person, and how far its lists are those of all draws.

    python benchmarks/answers.py MODEL [--other MODEL] [--items 60000] [--people 200] [--json]

MODEL is a saved `bayes` of a table with ratings of people with 60 and more, such as MovieLens 1M;
the questions are 50 ratings of each of 200 of them, drawn at random (seed 0). One thread; times are
those of the thread, so that other processes do not count, in milliseconds at the median and the
99th percentile: `fold-in` of the ratings, the `ten best` of all other items, both together
(`answer`), `all` the average over all draws of every item, and an `explain` of one prediction.

The floor is what has to be read: the rows of the rated and of the shortlisted items in each draw,
and the mean rows of all items, at the speed of a copy of 256 MB in this process.

`equal` is the share of lists of ten that are, in the same order, those of the average over all
draws for every item, and `common` the mean number of items that both have. With `--other` the same
is said of a model that was fitted with another seed: what lists differ by chance. `lowest` is the
worst place, by the quick scores, of one of the ten best.

An explanation is compared with what it stands for: `slope` and `correlation` of the changes that
folding in anew without a rating makes, upon the effects of the explanation.

With `--items` the same is done for a catalogue of so many items: those of the model over and over,
each copy moved at random by a tenth of their spread.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from copy import copy
from typing import Any

for unwanted in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(unwanted, None)
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[threads] = "1"

N_RATINGS, K, N_WARM_UP, N_EXPLAINED = 50, 10, 5, 10
COPY_BYTES = 256 * 2**20
TIMES = ("fold-in", "ten best", "answer", "all", "explain")


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a saved bayes")
    parser.add_argument("--other", help="a saved bayes of the same ratings, of another seed")
    parser.add_argument("--items", type=int, help="also with so many items")
    parser.add_argument("--people", type=int, default=200, help="how many answers are timed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    from tastemap.models.registry import load_model

    model: Any = load_model(args.model)
    other: Any = load_model(args.other) if args.other else None
    results = [measured(model, other, args.people)]
    if args.items:
        results.append(measured(enlarged(model, args.items), None, args.people, explains=False))
    print(json.dumps(results, indent=2)) if args.json else show(results)


def measured(model: Any, other: Any, n_people: int, *, explains: bool = True) -> dict[str, Any]:
    """Times, the floor, and how far lists agree."""
    import numpy as np

    people = profiles(model, n_people)
    users = [model.fold_in_rows(*person) for person in people]
    best = lambda user: model.recommend_rows(user, K, new=True)[0]  # noqa: E731
    calls: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
        "fold-in": (lambda person: model.fold_in_rows(*person), people),
        "ten best": (best, users),
        "answer": (lambda person: best(model.fold_in_rows(*person)), people),
        "all": (model.score_rows, users[:30]),
    }
    if explains:
        calls["explain"] = (lambda user: model.explain_rows(user, int(best(user)[0])), users)
    result: dict[str, Any] = {"items": model.ratings_.n_items, "draws": len(model.draws)}
    for name, (call, arguments) in calls.items():
        result[name] = dict(zip(("p50", "p99"), milliseconds(call, arguments), strict=True))
    result["floor"] = floor(model)
    exact = [best_of(model, model.score_rows(user), user) for user in users]
    quick = [model._quick_scores(user) for user in users]
    result["lists"] = agreement([best(user) for user in users], exact)
    result["lowest"] = max(
        lowest(scores, rows, user) for scores, rows, user in zip(quick, exact, users, strict=True)
    )
    if other is not None:
        others = [other.fold_in_rows(*person) for person in people]
        result["another fit"] = agreement(
            [best_of(other, other.score_rows(user), user) for user in others], exact
        )
    if explains:
        effects, changes = map(np.concatenate, zip(*refolded(model, people), strict=True))
        result["slope"] = float(effects @ changes / (effects @ effects))
        result["correlation"] = float(np.corrcoef(effects, changes)[0, 1])
    return result


def profiles(model: Any, n_people: int) -> list[tuple[Any, Any]]:
    """Rows of 50 items and their ratings, for each of some people of the training data."""
    import numpy as np

    data, rng = model.ratings_, np.random.default_rng(0)
    able = np.flatnonzero(data.by_user.counts >= N_RATINGS + K)
    people = []
    for user in rng.choice(able, min(n_people, len(able)), replace=False):
        rows = rng.choice(data.by_user[user], N_RATINGS, replace=False)
        people.append((data.item_index[rows], data.rating[rows]))
    return people


def milliseconds(call: Callable[[Any], Any], arguments: list[Any]) -> tuple[float, float]:
    """The median and the 99th percentile of the thread's time of a call."""
    import numpy as np

    times = []
    for argument in [*arguments[:N_WARM_UP], *arguments]:
        start = time.thread_time()
        call(argument)
        times.append(1000 * (time.thread_time() - start))
    return tuple(np.percentile(times[N_WARM_UP:], [50, 99]).tolist())


def floor(model: Any) -> dict[str, float]:
    """Megabytes that an answer has to read, and the milliseconds that a copy of them takes."""
    import numpy as np

    from tastemap.models.base.shortlist import MIN_SHORTLIST

    n_draws, n_rows, width = model.draws.items.shape
    n_bytes = 4 * width * (n_draws * (2 * N_RATINGS + MIN_SHORTLIST) + 3 * n_rows)
    source = np.ones(COPY_BYTES // 8)
    target = np.empty_like(source)
    seconds = []
    for _ in range(5):
        start = time.thread_time()
        np.copyto(target, source)
        seconds.append(time.thread_time() - start)
    return {"MB": n_bytes / 1e6, "ms": 1000 * min(seconds) * n_bytes / COPY_BYTES}


def best_of(model: Any, scores: Any, user: Any) -> Any:
    """The ten best rows by scores of all items, and of the scores alone."""
    return model.recommend_rows(user, K, scores=scores, new=True)[0]


def agreement(lists: list[Any], exact: list[Any]) -> dict[str, float]:
    """The share of equal lists, and the mean number of items that two lists have in common."""
    pairs = [(rows.tolist(), best.tolist()) for rows, best in zip(lists, exact, strict=True)]
    return {
        "equal": sum(rows == best for rows, best in pairs) / len(pairs),
        "common": sum(len({*rows} & {*best}) for rows, best in pairs) / len(pairs),
    }


def lowest(scores: Any, best: Any, user: Any) -> int:
    """The worst place, by some scores, of one of the best rows among what is not rated."""
    scores[user.item_index] = float("-inf")
    return int((scores > scores[best].min()).sum()) + 1


def refolded(model: Any, people: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Effects of single ratings, and what folding in without them changes, of some people."""
    import numpy as np

    def predicted(rows: Any, rating: Any, item: int) -> float:
        user = model.fold_in_rows(rows, rating)
        return float(model.scores_at(user, np.array([item], np.int32))[0])

    pairs, rng = [], np.random.default_rng(1)
    for rows, rating in people[:N_EXPLAINED]:
        user = model.fold_in_rows(rows, rating)
        item = int(model.recommend_rows(user, K, new=True)[0][-1])
        explanation = model.explain_rows(user, item)
        score = predicted(rows, rating, item)
        left_out = rng.choice(len(rows), 10, replace=False)
        changes = [
            score - predicted(np.delete(rows, place), np.delete(rating, place), item)
            for place in left_out
        ]
        pairs.append((score - explanation.without[left_out], np.array(changes)))
    return pairs


def enlarged(model: Any, n_items: int) -> Any:
    """The model with its items over and over, each copy moved by a tenth of their spread."""
    from dataclasses import replace

    import numpy as np
    import polars as pl

    new, rng = copy(model), np.random.default_rng(0)
    n, draws = model.ratings_.n_items, model.draws
    ids = pl.Series(range(10**7, 10**7 + n_items - n))
    if new.ratings_.items.is_text:
        ids = ids.cast(pl.String)
    new.add_items(pl.DataFrame({"item_id": ids}))
    rows = rng.integers(0, n, n_items - n)
    items = new.draws.items.copy()
    moved = rng.normal(0, 0.1, (n_items - n, items.shape[2])).astype(np.float32)
    for place, of_draw in enumerate(draws.items):
        items[place, n:-1] = of_draw[rows] + moved * of_draw.std(axis=0)
    scales = new.draws.item_scales.copy()
    scales[:, n:-1] = draws.item_scales[:, rows]
    new.draws = replace(new.draws, items=items, item_scales=scales)
    return new


def show(results: list[dict[str, Any]]) -> None:
    """Print a table for each catalogue."""
    for result in results:
        print(f"{result['items']:,} items, {result['draws']} draws, {N_RATINGS} ratings")
        for name in TIMES:
            if name in result:
                p50, p99 = result[name]["p50"], result[name]["p99"]
                print(f"  {name:10}  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms")
        print(f"  floor       {result['floor']['ms']:.2f} ms for {result['floor']['MB']:.1f} MB")
        for name in ("lists", "another fit"):
            if name in result:
                row = result[name]
                print(f"  {name:12}  equal {row['equal']:6.1%}  common {row['common']:5.2f} of {K}")
        print(f"  worst place of one of the ten best by the quick scores: {result['lowest']}")
        if "slope" in result:
            print(f"  folding in anew: slope {result['slope']:.2f}, r {result['correlation']:.3f}")


if __name__ == "__main__":
    sys.exit(main())
