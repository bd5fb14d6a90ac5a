"""How near the exported site of a Bayesian model is to it, how large and how fast the site is.

    python benchmarks/export.py [--model PATH] [--draws 64 32 16] [--bits 2 4 8] [--people 40]
        [--seeds 20] [--json]

The model is a saved one, or `bayes` fitted on MovieLens 100K. Each row is a site with so many draws
of so many bits a number, opened from a file in headless Chromium, where people rate 5 to 100 items:
three of four rate as a user of the data has, the fourth rates items at random, by chance. The model
answers new people by sampling. So the predictions of all items are compared with those of the
model at its own seed, and with their mean over many seeds, its posterior mean; the first row is the
model at its own seed, compared with itself at another one and with the mean. `ms` is how long the
page takes to answer a rating of somebody with 30, from the call to the new picks in the document,
the median of 30 ratings; `cpu` the processor time of the page's thread for it, with its layout.
"""

import argparse
import json
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SIZES, N_TIMED, N_RATED = (5, 8, 12, 20, 35, 60, 100), 30, 30
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu"]
PREDICTED = "([rows, ratings]) => [...tastemap.model.person(rows, ratings).scores]"
RATED = """([row, rating]) => { const start = performance.now(); tastemap.rate(row, rating);
  return performance.now() - start; }"""


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a saved Bayesian model; else one is fitted")
    parser.add_argument("--draws", nargs="+", type=int, default=(100, 64, 32, 16))
    parser.add_argument("--bits", nargs="+", type=int, default=(2, 4, 8))
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=20, help="of the model's posterior mean")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}", file=sys.stderr)
    rows = list(measure(fitted(args.model), args))
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)


def fitted(path: str | None) -> Any:
    """The model."""
    import tastemap as tm

    if path is not None:
        return tm.load_model(path)
    model = tm.BayesianFactorization()
    return model.fit(tm.load_dataset("ml-100k"), seed=0, progress=False)


def profiles(ratings: Any, n: int) -> list[tuple[Any, Any]]:
    """Rows of items and ratings of people."""
    rng = np.random.default_rng(0)
    levels = ratings.scale.levels
    everybody: list[tuple[Any, Any]] = []
    while len(everybody) < n:
        size = min(SIZES[len(everybody) % len(SIZES)], ratings.n_items)
        if len(everybody) % 4 == 3 and levels is not None:
            rows = rng.choice(ratings.n_items, size, replace=False).astype(np.int32)
            everybody.append((rows, rng.choice(levels, size).astype(np.float32)))
            continue
        mine = ratings.by_user[int(rng.integers(ratings.n_users))]
        mine = rng.choice(mine, min(size, len(mine)), replace=False)
        everybody.append((ratings.item_index[mine], ratings.rating[mine]))
    return everybody


def measure(model: Any, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for the model itself, and one for each site."""
    from tastemap.serve.exported_draws import draws_data
    from tastemap.serve.static_site import export_site, site_data

    people = profiles(model.ratings_, args.people)
    seeds = [model.seed_, *range(1000, 1000 + args.seeds)]
    of_seeds = [predictions(model, people, seed) for seed in seeds]
    model.seed_ = seeds[0]
    exact = (of_seeds[0], np.mean(of_seeds[1:], axis=0))
    itself = errors(of_seeds[1], exact[:1]) | errors(of_seeds[0], exact[1:], ("of_the_mean",))
    yield {"site": "the model"} | itself
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        page, data = export_site(model, Path(folder) / "site"), site_data(model)
        for n_draws in args.draws:
            for n_bits in args.bits:
                print(f"{n_draws} draws of {n_bits} bits", file=sys.stderr)
                data["model"]["draws"] = draws_data(model, n_draws, n_bits)
                row = site(page, data, people, exact, browser, model.ratings_)
                yield {"site": f"{n_draws} draws, {n_bits} bits"} | row


def predictions(model: Any, people: list[tuple[Any, Any]], seed: int) -> Any:
    """Of the model at a seed, (people, items)."""
    model.seed_ = seed
    return np.array([model.score_rows(model.fold_in_rows(*profile)) for profile in people])


def errors(
    predicted: Any, exact: tuple[Any, ...], names: tuple[str, ...] = ("of_one_seed", "of_the_mean")
) -> dict[str, list[float]]:
    """Median, 99th percentile and maximum of the differences to each of some predictions."""
    differences = [np.abs(predicted - other) for other in exact]
    return {
        name: np.quantile(values, [0.5, 0.99, 1.0]).tolist()
        for name, values in zip(names, differences, strict=False)
    }


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def site(
    page: Path, data: dict[str, Any], people: list[Any], exact: Any, browser: Any, ratings: Any
) -> dict[str, Any]:
    """Size, errors and milliseconds of a site with some data."""
    from tastemap.explore.report.page import embedded_json

    text = f"window.TASTEMAP = {embedded_json(data)};\n"
    (page.parent / "data.js").write_text(text, encoding="utf-8")
    size = sum(file.stat().st_size for file in page.parent.iterdir())
    tab = browser.new_page()
    tab.goto(page.as_uri())
    profiles = [[rows.tolist(), rating.tolist()] for rows, rating in people]
    predicted = np.array([tab.evaluate(PREDICTED, profile) for profile in profiles])
    milliseconds, cpu = timed(tab, ratings)
    tab.close()
    row = {"megabytes": size / 1e6, **errors(predicted, exact)}
    return row | {"milliseconds": milliseconds, "cpu_milliseconds": cpu}


def timed(tab: Any, ratings: Any) -> tuple[float, float]:
    """Medians of the milliseconds of a rating, and of the processor time for it."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    popular = np.argsort(-ratings.by_item.counts, kind="stable").tolist()
    values = [float(ratings.scale.lowest), float(ratings.scale.highest)]
    for place in range(N_RATED):
        tab.evaluate(RATED, [popular[place], values[place % 2]])
    waited, worked = [], []
    for place in range(N_TIMED):
        before = busy(session)
        waited.append(tab.evaluate(RATED, [popular[place % N_RATED], values[(place + 1) % 2]]))
        worked.append(1000 * (busy(session) - before))
    return statistics.median(waited), statistics.median(worked)


def busy(session: Any) -> float:
    """Seconds of processor time that the page's thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration")


def show(rows: list[dict[str, Any]]) -> None:
    """A table."""
    print(f"{'':19}{'':>6}{'off the model':>24}{'off its mean':>24}")
    parts = f"{'median':>8}{'99 %':>8}{'worst':>8}"
    print(f"{'site':19}{'MB':>6}{parts}{parts}{'ms':>6}{'cpu':>6}")
    for row in rows:
        print(f"{row['site']:19}{row.get('megabytes', 0):6.2f}", end="")
        print("".join(f"{value:8.3f}" for value in row["of_one_seed"] + row["of_the_mean"]), end="")
        times = (row.get(name, 0.0) for name in ("milliseconds", "cpu_milliseconds"))
        print("".join(f"{value:6.0f}" for value in times))


if __name__ == "__main__":
    main()
