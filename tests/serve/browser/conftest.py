"""A real browser, and a small model whose titles try to be markup."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from servers import running

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.explore.item_map import item_map
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.serve.web.first import SKIP_COOKIE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<script>document.title='taken'</script> \"O'Neill\" & <b>Sons</b>"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium with a fresh profile."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


def read_csv(download: Any) -> list[dict[str, str]]:
    """The rows of a file that the browser has downloaded."""
    with Path(download.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(name="read_csv")
def read_csv_fixture() -> Any:
    """How to read a downloaded CSV."""
    return read_csv


class Watched:
    """A page, and what went wrong on it: errors of scripts, and requests to anywhere else."""

    def __init__(self, page: Any, home: str) -> None:
        self.page, self.wrong = page, []
        page.set_default_timeout(5_000)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        page.on("response", lambda told: told.status >= 400 and self.wrong.append(told.url))
        page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: self._asked(asked.url, home))

    def _asked(self, url: str, home: str) -> None:
        if not url.startswith((home, "data:", "blob:")):
            self.wrong.append(f"request to {url}")

    def axe(self) -> list[str]:
        """What axe finds wrong with the page as it stands."""
        from axe_playwright_python.sync_playwright import Axe

        found = (
            Axe()
            .run(self.page, options={"preload": False, "resultTypes": ["violations"]})
            .response["violations"]
        )
        return [f"{v['id']}: {[n['html'][:200] for n in v['nodes']]}" for v in found]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    """Opens a page in a context of its own; at the end nothing may have gone wrong on it."""
    opened: list[Watched] = []

    def open_(home: str, *, is_first: bool = False, **options: Any) -> Watched:
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        if home.startswith("http") and not is_first:  # the first visit is over
            context.add_cookies([{"name": SKIP_COOKIE, "value": "skipped", "url": home}])
        watched = Watched(context.new_page(), home)
        opened.append(watched)
        return watched

    yield open_
    for watched in opened:
        watched.page.context.close()
    assert [wrong for watched in opened for wrong in watched.wrong] == []


@pytest.fixture(scope="session")
def film_ratings() -> Ratings:
    """Synthetic ratings; the title of one item is markup."""
    ratings = synthetic_ratings()
    named = ratings.item_table.with_columns(
        title=pl.Series([HOSTILE, *ratings.item_table["title"][1:]])
    )
    return Ratings.from_frame(
        ratings.to_frame(), item_table=named, source=Source("films & more", noun="film")
    )


@pytest.fixture(scope="session")
def film_model(film_ratings: Ratings) -> Recommender:
    """Matrix factorisation with its map and a test error."""
    model = make_model("mf", n_factors=8).fit(film_ratings, progress=False)
    model.metrics_ = {"test_rmse": 0.71, "test_mae": 0.55}
    item_map(model, perplexity=10)
    return model


@pytest.fixture(scope="session")
def model_folder(film_model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, saved."""
    return film_model.save(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="session")
def home(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `tastemap serve`."""
    with running(model_folder, tmp_path_factory.mktemp("store")) as server:
        yield server.url


@pytest.fixture(scope="session")
def likes_model(film_ratings: Ratings) -> Recommender:
    """What people go on to, from what they like of the same films; with a test score."""
    model = make_model("next-item").fit(film_ratings.likes(), progress=False)
    model.metrics_ = {"ndcg": 0.31, "baseline_ndcg": 0.12}
    return model


@pytest.fixture(scope="session")
def likes_home(likes_model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `tastemap serve` on a model of likes."""
    folder = tmp_path_factory.mktemp("likes")
    with running(likes_model.save(folder / "model"), folder) as server:
        yield server.url


def wait_until(page: Any, condition: str) -> None:
    """Wait for a condition; Playwright's own way is text to evaluate, which the pages forbid."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


@pytest.fixture(name="until", scope="session")
def until_fixture() -> Any:
    """How to wait for a condition on a page."""
    return wait_until
