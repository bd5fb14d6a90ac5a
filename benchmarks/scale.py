"""What reading and fitting cost as ratings grow: seconds, memory, errors, exponents, a figure.

    python benchmarks/scale.py --data FOLDER [--sizes 1e5 1e6 1e7 25e6] [--models mf als ...]
        [--forms csv parquet] [--floors] [--threads 2] [--rounds 3] [--patience 3600] [--seed 0]
        [--json] [--read RUN.json ...] [--write docs/scale.md] [--figure docs/images/scale.png]

The sets are expansions of MovieLens 100K (`tastemap synthesize`), made once and kept in FOLDER; the
one of 25,000,095 ratings has the users and items of MovieLens 25M. Every measurement is a process
of its own (`scale_worker.py`) with the number of threads in all the variables that libraries read.

Reading is compared with a bare streaming scan of the same columns by Polars in the same run: the
least of the rounds each, one after the other, of files that the system has read before. A fit is
measured once, after one of a small table in which code is compiled; a fiftieth of the ratings is
held out (seed 0) and judges it, at most 500,000 of them: RMSE of those that predict ratings, NDCG
of the first ten over all unseen items for 2,000 users of those that only rank. Memory is the peak
of the whole process, the training table included. The exponent is the slope of log seconds over log
ratings from a million ratings on.

The floor of a pass is the time to read the 64 factors of each rating's user, in the order of the
items, and those of its item, in the order of the users, on all threads: four times for `als`, which
meets a rating as often in each half-step, and as often for the likes of `ials`.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import tastemap as tm
from tastemap.data.datasets.fractal import SIZES, FractalExpansion, size_like
from tastemap.data.datasets.writer import write_release
from tastemap.explore.figures import style

WORKER = Path(__file__).with_name("scale_worker.py")
# Slow NumPy down where they are set.
UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS = (
    *("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"),
    *("POLARS_MAX_THREADS", "RAYON_NUM_THREADS"),
)
# Name of a row: model, options, and the option that counts the passes, where one is of interest.
MODELS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "bias": ("bias", {}, None),
    "popularity": ("popularity", {}, None),
    "mf": ("mf", {}, "n_epochs"),
    "als": ("als", {}, "n_epochs"),
    "ials": ("ials", {}, "n_epochs"),
    "knn": ("knn", {}, None),
    "ease": ("ease", {}, None),
    "dot": ("dot", {"batch_size": 8192, "n_epochs": 2}, "n_epochs"),
    "bayes": ("bayes", {}, "n_iterations"),
}
# Times that a half-step of `als` meets each rating: its residual, and three conjugate gradients.
VISITS = 4
FITTED_FROM = 1e6
SHAPES = "os^vDPX*h"


def main() -> None:
    """Measure, and print or write down the tables."""
    args = arguments()
    if args.read:
        rows = [row for path in args.read for row in json.loads(path.read_text("utf-8"))["rows"]]
        about = json.loads(args.read[0].read_text("utf-8"))["machine"]
    else:
        about, rows = machine(args.threads), []
        for row in measured(args):
            print(json.dumps(row), file=sys.stderr)
            rows.append(row)
    if args.write:
        write(args.write, about, rows)
    if args.figure:
        draw(rows).savefig(args.figure, dpi=150)
    if args.json:
        print(json.dumps({"machine": about, "rows": rows}, indent=2))
    else:
        for name, part in parts(about, rows).items():
            print(f"\n{name}\n\n{part}")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the sets, made where missing")
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e5, 1e6, 1e7, 25e6])
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--forms", nargs="*", default=["csv", "parquet"], help="read; may be none")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--floors", action="store_true", help="of passes over 64 factors, too")
    parser.add_argument("--rounds", type=int, default=3, help="of reading")
    parser.add_argument("--patience", type=float, default=3600, help="seconds for each fit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--read", type=Path, nargs="+", help="JSON of earlier runs, not a run")
    parser.add_argument("--write", type=Path, help="a page whose marked parts are replaced")
    parser.add_argument("--figure", type=Path, help="a picture of the curves")
    args = parser.parse_args()
    if not args.read and args.data is None:
        parser.error("--data FOLDER or --read RUN.json is needed")
    return args


def measured(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each size and form that is read, then for each size and model."""
    for size in args.sizes:
        for form in args.forms:
            yield reading(prepared(args.data, size, form, args.seed), form, int(size), args)
    for size in args.sizes:
        folder = prepared(args.data, size, "parquet", args.seed)
        if args.floors:
            yield {"task": "floor", "size": int(size)} | run(
                {"task": "floor", "path": str(folder)}, args
            )
        for name in args.models:
            model, options, passes = MODELS[name]
            asked = {"task": "fit", "path": str(folder), "model": model, "options": options}
            asked |= {"passes": passes, "seed": args.seed}
            yield {"task": "fit", "size": int(size), "model": name} | run(asked, args)


def prepared(data: Path, size: float, form: str, seed: int) -> Path:
    """The folder of an expansion, made if it is not there."""
    folder = data / f"{int(size)}-{seed}-{form}"
    if not folder.is_dir():
        base = tm.load_dataset("ml-100k")
        wanted = SIZES["ml-25m"] if int(size) == 25_000_000 else size_like(base, int(size))
        print(f"making {folder}", file=sys.stderr)
        big = FractalExpansion(base, wanted, seed)
        write_release(big.blocks(), big.schema, big.items(), folder, form=form)
    return folder


def reading(folder: Path, form: str, size: int, args: argparse.Namespace) -> dict[str, Any]:
    """Seconds of a bare scan and of reading the same file, and the peak memory of both."""
    path, row = str(folder / f"ratings.{form}"), {"task": "read", "size": size, "form": form}
    spent: dict[str, list[dict[str, Any]]] = {"scan": [], "read": []}
    for _ in range(args.rounds):
        for task, found in spent.items():
            found.append(run({"task": task, "path": path}, args))
    for task, found in spent.items():
        if any("reason" in one for one in found):
            return row | found[0]
        for name in ("seconds", "processor_s"):
            row[f"{task}_{name}"] = min(one[name] for one in found)
        row[f"{task}_mb"] = max(one["peak_mb"] for one in found)
    return row


def run(asked: dict[str, Any], args: argparse.Namespace) -> dict[str, Any]:
    """What the worker has measured, or why it has not."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    kept |= dict.fromkeys(THREADS, str(args.threads)) | {"KERAS_BACKEND": "jax"}
    kept["PYTHONPATH"] = str(Path(tm.__file__).parent.parent)
    try:
        done = subprocess.run(  # noqa: S603 - a script of ours
            [sys.executable, "-W", "ignore", WORKER, json.dumps(asked)],
            capture_output=True, text=True, check=False, env=kept, timeout=args.patience,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"reason": f"not done after {args.patience:.0f} s"}
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"]
        return {"reason": said[-1][:200]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# ---- tables ----


def parts(about: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, str]:
    """The marked parts of the page, in Markdown."""
    fits = [row for row in rows if row["task"] == "fit"]
    read = [row for row in rows if row["task"] == "read" and "reason" not in row]
    found = {"about": sentence(about)}
    if read:
        found["reading"] = reading_table(read)
    if fits:
        found |= {
            "seconds": grid(fits, lambda row: f"{row['fit_s']:.3g}", exponent_of=fits),
            "memory": grid(fits, lambda row: f"{row['peak_mb'] / 1000:.2f}"),
            "errors": grid(fits, error),
            "failures": failures(fits),
        }
    if any(row["task"] == "floor" and "reason" not in row for row in rows):
        found["floors"] = floor_table(rows)
    return found


def sentence(about: dict[str, Any]) -> str:
    """What it ran on."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return (
        f"{about['processor']}, {about['cores']} cores of which {about['threads']} are used, "
        f"{about['date']}. Versions: {versions}."
    )


def reading_table(rows: list[dict[str, Any]]) -> str:
    """Reading beside a bare scan."""
    head = ("ratings", "form", "bare scan, s", "read, s", "ratio", "scan, MB", "read, MB")
    body = [
        (
            f"{row['size']:,}",
            row["form"],
            f"{row['scan_seconds']:.3g}",
            f"{row['read_seconds']:.3g}",
            f"{row['read_seconds'] / row['scan_seconds']:.2f}",
            f"{row['scan_mb']:.0f}",
            f"{row['read_mb']:.0f}",
        )
        for row in rows
    ]
    return markdown(head, body)


def grid(rows: list[dict[str, Any]], cell: Any, exponent_of: Any = None) -> str:
    """A line for each model, a column for each size."""
    sizes = sorted({row["size"] for row in rows})
    found = {(row["model"], row["size"]): row for row in rows if "reason" not in row}
    body = []
    for model in dict.fromkeys(row["model"] for row in rows):
        cells = [cell(found[model, size]) if (model, size) in found else "–" for size in sizes]
        if exponent_of is not None:
            cells += [exponent(rows, model), per_pass(rows, model)]
        body.append((f"`{model}`", *cells))
    ends = ("exponent", "a pass at the largest, s") if exponent_of is not None else ()
    return markdown(("model", *(f"{size:,}" for size in sizes), *ends), body)


def curve(rows: list[dict[str, Any]], model: str, value: str) -> tuple[Any, Any]:
    """Ratings learnt from and a value, by size."""
    mine = [row for row in rows if row["model"] == model and value in row]
    mine.sort(key=lambda row: row["size"])
    return np.array([row["n_train"] for row in mine]), np.array([row[value] for row in mine])


def exponent(rows: list[dict[str, Any]], model: str) -> str:
    """The b of seconds = a n^b, by least squares on logarithms."""
    n, seconds = curve(rows, model, "fit_s")
    large = n >= 0.9 * FITTED_FROM
    if large.sum() < 2:
        return "–"
    return f"{np.polyfit(np.log(n[large]), np.log(seconds[large]), 1)[0]:.2f}"


def per_pass(rows: list[dict[str, Any]], model: str) -> str:
    """Seconds of a pass over the ratings at the largest size."""
    _, seconds = curve(rows, model, "pass_s")
    return f"{seconds[-1]:.3g}" if len(seconds) else ""


def floor_table(rows: list[dict[str, Any]]) -> str:
    """What it takes to read the factors that a pass needs, and what a pass takes."""
    passes = {
        (row["model"], row["size"]): row["pass_s"]
        for row in rows
        if row["task"] == "fit" and "pass_s" in row
    }
    body = []
    for row in rows:
        if row["task"] != "floor" or "reason" in row:
            continue
        line = [f"{row['size']:,}"]
        for side in ("user", "item"):
            line += [f"{row[f'{side}_mb']:.3g}", f"{row[f'{side}_ns']:.3g}"]
        once = (row["user_ns"] + row["item_ns"]) / 1e9
        for model, n in (("als", row["n"]), ("ials", row["likes"])):
            floor, spent = VISITS * n * once, passes.get((model, row["size"]))
            line.append(f"{floor:.3g}")
            line += ["–", "–"] if spent is None else [f"{spent:.3g}", f"{spent / floor:.1f}"]
        body.append(tuple(line))
    sides = ("users, MB", "a row, ns", "items, MB", "a row, ns")
    models = (
        f"`{model}` {what}"
        for model in ("als", "ials")
        for what in ("floor, s", "pass, s", "ratio")
    )
    return markdown(("ratings", *sides, *models), body)


def error(row: dict[str, Any]) -> str:
    """RMSE, or NDCG of those that only rank."""
    return f"{row['rmse']:.4f}" if "rmse" in row else f"NDCG {row['ndcg']:.3f}"


def failures(rows: list[dict[str, Any]]) -> str:
    """Why a cell is empty."""
    said = [
        f"- `{row['model']}` at {row['size']:,}: {row['reason']}" for row in rows if "reason" in row
    ]
    return "\n".join(said) or "Nothing was left out."


def markdown(head: tuple[str, ...], body: list[tuple[str, ...]]) -> str:
    """A table in Markdown, numbers to the right."""
    rule = ("---", *["---:"] * (len(head) - 1))
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


def write(page: Path, about: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Replace what stands between the marks of a page."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts(about, rows).items():
        mark = f"<!-- scale: {name} -->\n"
        if mark not in text:
            raise SystemExit(f"{page} has no line {mark.strip()}")
        whole = f"{mark}\n{part}\n\n<!-- end -->"
        text = re.sub(
            re.escape(mark) + r".*?<!-- end -->", lambda _, w=whole: w, text, flags=re.DOTALL
        )
    page.write_text(text, encoding="utf-8")


def draw(rows: list[dict[str, Any]]) -> Any:
    """Seconds and memory over ratings, both on logarithmic axes."""
    fits = [row for row in rows if row["task"] == "fit" and "reason" not in row]
    largest = max(row["n_train"] for row in fits)
    with style.styled():
        figure, (left, right) = style.new_figure(
            f"What a fit costs, up to {largest:,} ratings",
            "Each model with its defaults; dashed: in proportion to the ratings",
            panels=2,
            height=4.6,
        )
        for place, model in enumerate(dict.fromkeys(row["model"] for row in fits)):
            look = {"color": style.PALETTE[place % len(style.PALETTE)], "marker": SHAPES[place]}
            left.plot(*curve(fits, model, "fit_s"), label=model, ms=4, **look)
            n, mb = curve(fits, model, "peak_mb")
            right.plot(n, mb / 1000, label=model, ms=4, **look)
        ends = np.array([1e5, largest])
        left.plot(ends, ends * 1e-6, color=style.PALE, lw=1, ls=(0, (4, 3)))
        for ax, name in ((left, "fit, seconds"), (right, "peak memory, GB")):
            ax.set(xscale="log", yscale="log", xlabel="ratings", ylabel=name)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
                axis.set_minor_formatter(lambda *_: "")
            ax.set_xlim(7e4, 1.5 * largest)
            style.rules(ax, "both")
        lowest, highest = right.get_ylim()
        right.set_ylim(min(lowest, 0.1), max(highest, 10))
        lines, names = right.get_legend_handles_labels()
        figure.legend(lines, names, fontsize=9.5, ncols=5, loc="outside lower center")
    return figure


def machine(threads: int) -> dict[str, Any]:
    """What it runs on."""
    name, about = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if about.is_file():
        lines = about.read_text(encoding="utf-8").splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    versions = {name: version(name) for name in ("tastemap", "numpy", "numba", "polars")}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": name, "cores": cores, "threads": threads, "date": str(date.today())} | {
        "versions": {"python": platform.python_version()} | versions
    }


if __name__ == "__main__":
    main()
