"""How near the exported site of a Bayesian model is to it, how large and how fast the site is.

    python benchmarks/export.py [--model PATH] [--draws 64 32 16] [--bits 2 4 8] [--people 40]
        [--seed 0] [--json]

The model is a saved one, or `bayes` fitted on MovieLens 100K. Each row is a site with so many draws
of so many bits a number, opened from a file in headless Chromium, where people rate 5 to 100 items:
three of four rate as a user of the data has, the fourth rates items at random, by chance. Their
predictions of all items are compared with those of the model: median, 99th percentile and worst of
the differences. `ms` is how long the page takes to answer a rating of somebody with 30, from the
call to the new picks in the document, the
median of 30 ratings; `cpu` the processor time of the page's thread for it, with its layout.
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
    parser.add_argument("--seed", type=int, default=0, help="of the people")
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


def profiles(ratings: Any, n: int, seed: int = 0) -> list[tuple[Any, Any]]:
    """Rows of items and ratings of people."""
    rng = np.random.default_rng(seed)
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
    """A row for each site."""
    from tastemap.serve.exported_draws import draws_data
    from tastemap.serve.static_site import export_site, site_data

    people = profiles(model.ratings_, args.people, args.seed)
    exact = np.array([model.score_rows(model.fold_in_rows(*profile)) for profile in people])
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        page, data = export_site(model, Path(folder) / "site"), site_data(model)
        for n_draws in args.draws:
            for n_bits in args.bits:
                print(f"{n_draws} draws of {n_bits} bits", file=sys.stderr)
                data["model"]["draws"] = draws_data(model, n_draws, n_bits)
                row = site(page, data, people, exact, browser, model.ratings_)
                yield {"site": f"{n_draws} draws, {n_bits} bits"} | row


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
    errors = np.quantile(np.abs(predicted - exact), [0.5, 0.99, 1.0]).tolist()
    row = {"megabytes": size / 1e6, "errors": errors}
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
    print(f"{'site':19}{'MB':>6}{'median':>8}{'99 %':>8}{'worst':>8}{'ms':>6}{'cpu':>6}")
    for row in rows:
        print(f"{row['site']:19}{row['megabytes']:6.2f}", end="")
        print("".join(f"{value:8.3f}" for value in row["errors"]), end="")
        print(f"{row['milliseconds']:6.0f}{row['cpu_milliseconds']:6.0f}")


if __name__ == "__main__":
    main()
