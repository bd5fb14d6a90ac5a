"""Models of ratings on tables of many shapes, beside the bias model and beside peers.

    python benchmarks/shapes.py [--shapes sparse,shop ...] [--models mf,als ...] [--ml-1m PATH]
                                [--ml-100k PATH] [--json] [--read run.json ...]

The shapes are those of `planted.py`, drawn with a seed from the process that it states; their
factors are planted, so models of factors are at home in them. With a path to MovieLens also real
ratings, thinned: to one to five ratings a person (`thin-1m`), to a twentieth of all (`bare-1m`) and
to a tenth of MovieLens 100K (`bare-100k`). Each is split 90/10 at random (seed 0). The test parts
chose nothing: constants come from inner splits of the training parts, and from other seeds.

A row has the RMSE of predictions kept inside the scale, its difference to that of our bias model on
the same test ratings with a 95 % interval (users resampled), the seconds of the least of some fits,
compilation apart, and how far the memory of the process rose. Each model runs in a process of its
own on one thread. Peers need the environment of `benchmarks/peers/install.py`; where it is not
there, their rows say so. ``--read`` shows and joins the JSON of earlier runs, so that the whole can
be measured in pieces.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from peers.registry import Contender
from peers.runs import DidNotRunError, run
from peers.tasks import write_task
from planted import SHAPES, planted

import tastemap as tm
from tastemap.data.ratings import Ratings
from tastemap.metrics.bootstrap import paired_differences, user_sums

ROOT = Path(__file__).parent.parent
GIBBS = {"rank": 10, "n_iter": 300, "burn_in": 100, "day": False, "ids": True}
MODELS = {
    "bias": Contender("bias", "ours", (), {"model": "bias"}),
    "knn": Contender("knn", "ours", (), {"model": "knn"}),
    "mf": Contender("mf", "ours", (), {"model": "mf"}),
    "als": Contender("als", "ours", (), {"model": "als"}),
    "bayes": Contender("bayes", "ours", (), {"model": "bayes"}),
    "biased-dot": Contender("biased-dot", "ours", (), {"model": "biased-dot"}),
    "deep": Contender("deep", "ours", (), {"model": "deep"}),
    "ordinal": Contender("ordinal", "ours", (), {"model": "ordinal"}),
    "surprise-baseline": Contender("baseline", "surprise", (), {"model": "BaselineOnly"}),
    "surprise-svd": Contender("SVD", "surprise", (), {"model": "SVD"}),
    "myfm": Contender("myFM", "myfm", (), GIBBS),
}
NETWORKS = ("biased-dot", "deep", "ordinal")
DEFAULT_MODELS = [name for name in MODELS if name not in NETWORKS]


def main() -> None:
    """Measure or read, and print a table or JSON."""
    args = arguments()
    rows: list[dict[str, Any]] = []
    for path in args.read:
        rows += json.loads(path.read_text(encoding="utf-8"))["rows"]
    if not args.read:
        for row in measured(args):
            rows.append(row)
            print(f"{row['shape']}: {row['model']} {row.get('rmse', '')}", file=sys.stderr)
    result = {"seed": args.seed, "rows": rows}
    print(json.dumps(result, indent=2)) if args.json else show(rows)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", help="names with commas between them; by default all")
    parser.add_argument("--models", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--ml-1m", help="folder or zip of MovieLens 1M")
    parser.add_argument("--ml-100k", help="folder or zip of MovieLens 100K")
    parser.add_argument("--seed", type=int, default=0, help="of the tables")
    parser.add_argument("--rounds", type=int, default=3, help="fits of each model, if short")
    parser.add_argument("--patience", type=float, default=900, help="seconds for each model")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-bench")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--read", type=Path, nargs="+", default=[], help="JSON of earlier runs")
    args = parser.parse_args()
    real = [name for name, (source, _) in REAL.items() if getattr(args, source)]
    args.shapes = args.shapes.split(",") if args.shapes else [*SHAPES, *real]
    args.models = args.models.split(",") if args.models else DEFAULT_MODELS
    for names, known in ((args.shapes, {*SHAPES, *real}), (args.models, set(MODELS))):
        if unknown := set(names) - known:
            parser.error(f"{', '.join(sorted(unknown))}; expected {', '.join(sorted(known))}")
    return args


def measured(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row for each shape and model; the bias model first, whether it is asked for or not."""
    names = ["bias", *(name for name in args.models if name != "bias")]
    for shape in args.shapes:
        split = tm.train_test_split(table(shape, args), 0.1, 0)
        size = {"users": split.train.n_users, "items": split.train.n_items}
        size["ratings"] = len(split.train) + len(split.test)
        reference: Any = None
        with tempfile.TemporaryDirectory() as folder:
            write_task(split, Path(folder))
            for name in names:
                row = {"shape": shape, "model": name} | size
                try:
                    answer, about = run(
                        MODELS[name],
                        MODELS[name].options,
                        Path(folder),
                        "ratings",
                        environments=args.environments,
                        rounds=args.rounds,
                        patience=args.patience,
                    )
                except DidNotRunError as error:
                    yield row | {"failure": str(error)}
                    continue
                errors = squared_errors(answer, split)
                reference = errors if reference is None else reference
                seconds = {"fit_s": round(about["fit_s"], 3), "memory_mb": about["memory_mb"]}
                yield row | scores(errors, reference, split.test) | seconds


def table(shape: str, args: argparse.Namespace) -> Ratings:
    """The ratings of a shape, planted or real."""
    if shape in SHAPES:
        return planted(SHAPES[shape], args.seed)
    source, thinned = REAL[shape]
    name = source.replace("_", "-")
    return thinned(tm.load_dataset(name, source=getattr(args, source)))


def few_each(ratings: Ratings) -> Ratings:
    """One to five ratings of each user, as many of them as of the others."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(ratings))
    order = order[np.argsort(ratings.user_index[order], kind="stable")]
    counts = ratings.by_user.counts
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    few = rng.integers(1, 6, ratings.n_users)
    return Ratings.from_frame(ratings.take(order[place < np.repeat(few, counts)]).to_frame())


def share_of(ratings: Ratings, share: float) -> Ratings:
    """A share of the ratings, at random; who has none left is gone."""
    rows = np.flatnonzero(np.random.default_rng(0).random(len(ratings)) < share)
    return Ratings.from_frame(ratings.take(rows).to_frame())


# Real tables by name: where they come from, and how they are thinned.
REAL: dict[str, tuple[str, Callable[[Ratings], Ratings]]] = {
    "thin-1m": ("ml_1m", few_each),
    "bare-1m": ("ml_1m", lambda ratings: share_of(ratings, 0.05)),
    "bare-100k": ("ml_100k", lambda ratings: share_of(ratings, 0.1)),
}


def squared_errors(answer: Any, split: Any) -> Any:
    """Of predictions kept inside the scale, of a distribution's mean; the mean where none is."""
    train, test = split
    if answer.ndim == 2:
        answer = answer @ train.scale.levels
    answer = np.where(np.isfinite(answer), answer, train.global_mean)
    return (train.scale.clip(answer) - test.rating) ** 2


def scores(errors: Any, reference: Any, test: Any) -> dict[str, Any]:
    """The RMSE, and its difference to the reference with the ends of an interval."""
    sums = [user_sums(test.user_index, values) for values in (errors, reference)]
    difference = paired_differences([total for total, _ in sums], sums[0][1], 1, root=True)[:3]
    ends = [round(float(value[0]), 5) for value in difference]
    return {"rmse": round(float(np.sqrt(errors.mean())), 5), "difference": ends}


def show(rows: list[dict[str, Any]]) -> None:
    """Tables in Markdown, a row a shape: errors of ours, of peers, what fits take; what failed."""
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows if row["model"] != "bias"))
    by_place = {(row["shape"], row["model"]): row for row in rows if "failure" not in row}
    ours = [model for model in models if MODELS[model].adapter == "ours"]
    print(f"| shape | ratings, people, items | bias, RMSE | {' | '.join(ours)} |")
    print("|---|---|---:|" + "---:|" * len(ours))
    for shape in shapes:
        bias = by_place[shape, "bias"]
        size = f"{bias['ratings']:,}, {bias['users']:,}, {bias['items']:,}"
        cells = [differences(by_place.get((shape, model))) for model in ours]
        print(f"| `{shape}` | {size} | {bias['rmse']:.4f} | {' | '.join(cells)} |")
    if peers := [model for model in models if model not in ours]:
        print(f"\n| shape | {' | '.join(peers)} |\n|---|" + "---:|" * len(peers))
        for shape in shapes:
            cells = [differences(by_place.get((shape, model))) for model in peers]
            print(f"| `{shape}` | {' | '.join(cells)} |")
    print(f"\n| shape: s, MB | bias | {' | '.join(models)} |\n|---|" + "---:|" * (len(models) + 1))
    for shape in shapes:
        cells = [cost(by_place.get((shape, model))) for model in ("bias", *models)]
        print(f"| `{shape}` | {' | '.join(cells)} |")
    failures = {
        f"{row['model']} on {row['shape']}: {row['failure']}" for row in rows if "failure" in row
    }
    print("".join(f"\n- {failure}" for failure in sorted(failures)))


def differences(row: dict[str, Any] | None) -> str:
    """The difference to the bias model, and its interval."""
    if row is None:
        return ""
    value, low, high = row["difference"]
    digits = 4 if row["rmse"] < 10 else 2
    # Nothing is added to 0, so that there is no minus before it.
    value, low, high = (round(number, digits) + 0.0 for number in (value, low, high))
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})" if low < high else "0"


def cost(row: dict[str, Any] | None) -> str:
    """Seconds and megabytes."""
    if row is None:
        return ""
    memory = "" if row["memory_mb"] is None else f", {row['memory_mb']:.0f}"
    return f"{row['fit_s']:.2f}{memory}"


if __name__ == "__main__":
    main()
