"""Frames a second of the map in a headless browser while it is moved, on a planted catalogue.

    python benchmarks/map_frames.py [--items 60000] [--seconds 3] [--width 1280] [--seed 0]
        [--all] [--json]

A model of a planted catalogue, whose films lie on the map in 40 round crowds, is exported as a
site, which Debian's Chromium opens (``CHROMIUM`` names another). ``pan`` drags everything to and
fro, ``close`` does so after coming six times closer, and ``zoom`` comes closer and goes back. A
browser draws 60 frames a second at most. ``script ms`` is how long the map itself takes for one,
the median; ``cpu ms`` is the processor time of the page for one, which other programs on the
machine hardly change; ``points`` are those drawn while it moved, fewer than all on a slow machine
unless ``--all`` is given. No GPU is used: where a way is
called webgl, the map may use WebGL, which the processor emulates here, if it thinks that better.
"""

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from playwright.sync_api import Browser, CDPSession, sync_playwright

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.serve.static_site import export_site

N_USERS, N_RATINGS, N_CROWDS = 400, 300_000, 40
GENRES = ("Action", "Comedy", "Crime", "Drama", "Horror", "Musical", "Romance", "Western", "War")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic"]
PLAIN = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...more);
};"""
MOVE = """async ([kind, seconds, all]) => {
  const { map } = tastemap;
  const scene = map.scene ?? map;
  const whole = { configurable: true, get: () => undefined, set() {} };
  if (all) Object.defineProperty(scene, "most", whole);
  const frame = () => new Promise(requestAnimationFrame);
  if (kind === "close") map.zoomBy(6, undefined, undefined, true);
  for (let n = 0; n < 5; n++) await frame();
  const spent = [];
  const paint = map.paint;
  map.paint = function () {
    const begin = performance.now();
    paint.call(this);
    spent.push(performance.now() - begin);
  };
  const begin = performance.now();
  let n = 0;
  while (performance.now() - begin < seconds * 1000) {
    const forward = Math.floor(n / 40) % 2 ? -1 : 1;
    if (kind === "zoom") map.zoomBy(1.04 ** forward, 500, 250, true);
    else map.pan(6 * forward, 3 * forward);
    map.draw();
    await frame();
    n += 1;
  }
  const passed = (performance.now() - begin) / 1000;
  delete map.paint;
  spent.sort((a, b) => a - b);
  const points = Math.round(Math.min(scene.most ?? map.n, map.n));
  const ms = spent[Math.floor(spent.length / 2)];
  return { frames: spent.length, fps: spent.length / passed, ms, points };
}"""


def planted(n_items: int, seed: int) -> Recommender:
    """A model whose items have genres, years and places in round crowds."""
    rng = np.random.default_rng(seed)
    weight = rng.lognormal(sigma=1.8, size=n_items)
    item = np.concatenate(
        [np.arange(n_items), rng.choice(n_items, N_RATINGS, p=weight / weight.sum())]
    )
    user = rng.integers(N_USERS, size=len(item))
    crowd = rng.integers(N_CROWDS, size=n_items)
    rating = rng.integers(1, 6, len(item))
    table = pl.DataFrame({"user_id": user, "item_id": item, "rating": rating})
    items = pl.DataFrame(
        {
            "item_id": np.arange(n_items),
            "title": [f"Planted film number {n}" for n in range(n_items)],
            "year": 1920 + (crowd * 7 % 100) + rng.integers(0, 5, n_items),
            "genres": [[GENRES[c % 9], GENRES[(c + n) % 9]] for n, c in enumerate(crowd.tolist())],
        }
    )
    ratings = Ratings.from_frame(
        table.unique(["user_id", "item_id"], maintain_order=True),
        item_table=items,
        source=Source("planted", noun="film"),
    )
    model = make_model("als", n_factors=4, n_epochs=1).fit(ratings, progress=False)
    centres = rng.normal(scale=40, size=(N_CROWDS, 2))
    places = centres[crowd] + rng.normal(scale=6, size=(n_items, 2))
    model.item_map_ = pl.DataFrame(
        {"item_id": np.arange(n_items), "x": places[:, 0], "y": places[:, 1], "preserved": 0.5}
    )
    return model


def measured(browser: Browser, site: str, script: str, args: argparse.Namespace) -> dict[str, Any]:
    """Frames a second and milliseconds of each kind of movement."""
    page = browser.new_page(viewport={"width": args.width, "height": 900})
    page.add_init_script(script)
    page.goto(f"{site}#/map")
    page.wait_for_timeout(1500)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    figures = {}
    for kind in ("pan", "close", "zoom"):
        page.evaluate("tastemap.map.fly(0, 0, 1)")
        page.wait_for_timeout(1000)
        begin = processor_seconds(session)
        figures[kind] = page.evaluate(MOVE, [kind, args.seconds, args.all])
        spent = 1000 * (processor_seconds(session) - begin)
        figures[kind]["cpu"] = spent / max(figures[kind]["frames"], 1)
    page.close()
    return figures


def processor_seconds(session: CDPSession) -> float:
    """What the page's own thread has used so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=60_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="draw all points in each frame")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = export_site(planted(args.items, args.seed), Path(folder) / "site").as_uri()
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        ways = {"webgl": "", "plain canvas": PLAIN}
        figures = {way: measured(browser, site, script, args) for way, script in ways.items()}
        browser.close()
    if args.json:
        print(json.dumps(figures))
        return
    print(f"{args.items:,} items, {args.width} px wide\n")
    print(
        f"{'drawn by':<14}{'moved':<8}{'frames/s':>10}{'script ms':>11}{'cpu ms':>8}{'points':>8}"
    )
    for way, kinds in figures.items():
        for kind, figure in kinds.items():
            row = f"{figure['fps']:>10.1f}{figure['ms']:>11.2f}{figure['cpu']:>8.2f}"
            print(f"{way:<14}{kind:<8}{row}{figure['points']:>8,}")


if __name__ == "__main__":
    main()
