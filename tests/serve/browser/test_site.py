"""The exported site, from a file, in a real browser."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.explore.covers import SHAPES, cover_svg
from tastemap.explore.faces import Faces
from tastemap.explore.item_map import item_map
from tastemap.explore.links import links_of
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.serve.answers.item_map import place_of_user
from tastemap.serve.exported_draws import draws_data
from tastemap.serve.model.catalogue import Catalogue
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service
from tastemap.serve.static_site import export_site
from tastemap.support.titles import spoken

pytestmark = pytest.mark.slow


class QuietFiles(SimpleHTTPRequestHandler):
    """A folder's files, without a line on the screen for each."""

    def log_message(self, *_: Any) -> None:
        pass


MINE = {2: 5.0, 4: 4.0, 7: 1.0, 9: 2.0, 20: 5.0}
# The person's ratings in the order in which the site keeps them.
RATE = "mine => mine.forEach(([id, r]) => tastemap.rate(tastemap.rowById.get(id), r))"


@pytest.fixture(scope="module")
def site(film_model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> str:
    return export_site(film_model, tmp_path_factory.mktemp("export") / "site").as_uri()


@pytest.fixture
def watched(open_page: Any, site: str) -> Any:
    """The site, opened by somebody new."""
    opened = open_page(site.rsplit("/", 1)[0])
    opened.page.goto(site)
    opened.page.wait_for_selector(".card")
    return opened


def rate(page: Any, mine: dict[int, float]) -> None:
    page.evaluate(RATE, [[str(item), rating] for item, rating in mine.items()])


def test_a_person_rates_and_sees_picks_reasons_and_the_map(watched: Any, read_csv: Any) -> None:
    page = watched.page
    assert page.locator("#row-top-picks h2").inner_text() == "Highest rated"
    assert page.locator(".guess").count() == 0
    page.get_by_label("Search").fill("comedy 31")
    page.locator("#row-found .card").first.locator("input[value='5']").click()
    page.get_by_label("Search").fill("")
    assert page.locator("#row-top-picks h2").inner_text() == "Top picks for you"
    predicted = "guesses => guesses.map((guess) => guess.dataset.predicted)"
    before = page.locator("#row-top-picks .guess").evaluate_all(predicted)
    for place in range(4):
        page.locator("#row-rate-next .card").nth(place).locator("input[value='1']").click()
    assert page.locator("#row-top-picks .guess").evaluate_all(predicted) != before
    assert page.locator(".count").inner_text() == "5 rated"
    page.locator("#row-top-picks h3 a").first.click()
    page.locator("[data-contribution]").first.wait_for()
    contributions = page.locator("[data-contribution]").evaluate_all(
        "rows => rows.map((row) => Number(row.dataset.contribution))"
    )
    assert len(contributions) >= 8
    assert f"{sum(contributions):.2f}" in page.locator(".big").inner_text()
    page.get_by_role("link", name="Show it on the map").click()
    page.wait_for_selector(".map-near li")
    assert page.evaluate("tastemap.map.here.every(Number.isFinite)")
    assert page.locator(".map-panel h2 a").inner_text()
    page.goto(page.url.split("#")[0] + "#/you")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    rows = read_csv(download.value)
    assert sorted(row["rating"] for row in rows) == ["1", "1", "1", "1", "5"]
    page.reload()
    assert page.locator(".rated-list li").count() == 5, "ratings outlast a reload"
    page.get_by_role("button", name="Forget me").click()
    page.reload()
    assert page.locator(".rated-list li").count() == 0


def test_a_rating_stays_in_place_is_undone_and_tabs_agree(watched: Any, until: Any) -> None:
    page = watched.page
    other = page.context.new_page()
    other.goto(page.url)
    page.bring_to_front()
    card = page.locator("#row-top-picks .card").first
    item, stars = card.get_attribute("data-item"), card.locator("form.rate")
    stars.locator("input").first.focus()
    place = card.bounding_box()
    page.keyboard.press("ArrowRight")
    assert page.locator(".count").inner_text() == "0 rated", "an arrow says nothing yet"
    page.keyboard.press("Enter")
    for rating, count in ((2, 1), (5, 1), (None, 0)):
        if rating is None:
            stars.locator(".clear").click()
        elif rating != 2:
            stars.locator("label").nth(rating - 1).click()
        assert stars.get_attribute("data-own") == ("" if rating is None else str(rating))
        assert page.locator(".count").inner_text() == f"{count} rated"
        assert card.get_attribute("data-item") == item
        assert card.bounding_box() == pytest.approx(place, abs=1)
        until(other, f"document.querySelector('.count b').textContent == {count}")
    page.keyboard.press("Control+z")
    assert stars.get_attribute("data-own") == "5"
    assert page.evaluate("document.activeElement.value") == "5"
    until(other, "document.querySelector('.count b').textContent == 1")
    assert other.locator(f"#row-top-picks [data-item='{item}']").count() == 0
    page.get_by_role("button", name="Show them").first.click()
    assert page.locator(f"#row-top-picks [data-item='{item}']").count() == 0
    assert page.locator("#row-top-picks h2").inner_text() == "Top picks for you"


def test_numbers_are_those_of_the_library(watched: Any, film_model: Recommender) -> None:
    page, served = watched.page, LoadedModel(film_model, {}, "")
    assert page.evaluate("tastemap.here()") is None, "nobody has a place before they like something"
    rate(page, MINE)
    rows, values = film_model.ratings_.items.find_all([*MINE]), np.array([*MINE.values()])
    place = place_of_user(served, served.fold_in(rows, values.astype(np.float32)))
    assert place is not None
    assert page.evaluate("tastemap.here()") == pytest.approx([place.x, place.y], abs=1e-3)
    for novelty, diversity, mix, most in (
        *((0.0, 0.0, 0.0, ""), (0.6, 0.0, 0.0, ""), (-1.0, 0.3, 0.0, ""), (0.0, 1.0, 0.0, "")),
        *((0.0, 0.0, 0.5, ""), (0.0, 0.0, 0.0, "10"), (0.3, 0.4, 0.3, "10"), (0.0, 0.0, 1.0, "")),
    ):
        choice = {"novelty": novelty, "diversity": diversity, "by": "cautious"}
        choice |= {"calibrated": {"genres": mix}} if mix else {}
        choice |= {"at_most": {"genres": int(most)}} if most else {}
        expected = film_model.recommend(ratings=MINE, k=20, **choice)
        found = page.evaluate(
            """asked => { Object.assign(tastemap.asked, asked);
            return tastemap.recommend(20).map((i) =>
              [tastemap.items.id[i], tastemap.model.clip(tastemap.person.scores[i])]); }""",
            {"novelty": novelty, "diversity": diversity, "mix": mix, "most": most},
        )
        assert [int(item) for item, _ in found] == expected["item_id"].to_list()
        predicted = expected["predicted_rating"].to_numpy()
        np.testing.assert_allclose([value for _, value in found], predicted, atol=1e-4)
    for item in (1, 2, 33, 80):
        expected = film_model.explain(ratings=MINE, item_id=item)
        found = page.evaluate(
            """item => tastemap.model.explain(tastemap.rows, tastemap.values,
              tastemap.rowById.get(item)).map((p) => [p.part, p.contribution])""",
            str(item),
        )
        by_size = pl.DataFrame(found, schema=["part", "contribution"], orient="row")
        assert by_size["part"].to_list() == expected["part"].to_list()
        np.testing.assert_allclose(by_size["contribution"], expected["contribution"], atol=1e-4)
        fewer = {other: rating for other, rating in MINE.items() if other != 7}
        (row,) = film_model.recommend(ratings=fewer, candidates=[item], exclude_seen=False, k=1)[
            "predicted_rating"
        ]
        without = page.evaluate(
            """item => tastemap.model.without(tastemap.rows, tastemap.values,
              tastemap.rowById.get("7"), tastemap.rowById.get(item))""",
            str(item),
        )
        assert without == pytest.approx(row, abs=1e-4)
        expected = film_model.similar_items(item, 10)
        found = page.evaluate(
            """item => tastemap.model.similar(tastemap.rowById.get(item), 10)
              .map(({ row, similarity }) => [tastemap.items.id[row], similarity])""",
            str(item),
        )
        assert [int(other) for other, _ in found] == expected["item_id"].to_list()
        np.testing.assert_allclose([s for _, s in found], expected["similarity"], atol=1e-4)


def test_a_search_is_that_of_the_server_and_a_guess_is_called_one(
    watched: Any, film_ratings: Ratings
) -> None:
    page, catalogue = watched.page, Catalogue(film_ratings)
    for query in ("comedy", "comedies", "science fiction", "film 1", "drama 31", "the", "comdy"):
        expected = catalogue.search(query)
        found = page.evaluate("q => tastemap.search(q)", query)
        ids = [str(catalogue[row].item_id) for row in expected.rows[:20]]
        rows = page.evaluate("rows => rows.map((i) => tastemap.items.id[i])", found["rows"][:20])
        if not expected.are_guesses:  # close spellings are looked for in two ways
            assert rows == ids, query
        assert found["areGuesses"] == expected.are_guesses, query
    page.get_by_label("Search").fill("comdy")
    assert "is called “comdy”" in page.locator("#row-found h2").first.inner_text()


def test_a_site_from_a_server_opens_without_the_network(
    film_model: Recommender, open_page: Any, tmp_path: Path
) -> None:
    folder = export_site(film_model, tmp_path / "site").parent
    handler = partial(QuietFiles, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        page = open_page(home).page
        page.goto(home)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        server.shutdown()
    # Nothing listens there any more.
    page.goto(home)
    page.wait_for_selector(".card")
    assert page.locator("#row-top-picks h2").inner_text() == "Highest rated"


def test_covers_and_links_are_those_of_the_server(watched: Any, film_model: Recommender) -> None:
    faces, items = Faces.of(film_model), film_model.ratings_.items
    hrefs = """tastemap.links(0).filter((part) => part.href)
        .map((a) => [a.textContent, a.getAttribute('href')])"""
    title, year = spoken(items.frame["title"][0]), items.frame["year"][0]
    expected = [*map(list, links_of("film", title, year, {}))]
    assert watched.page.evaluate(hrefs) == expected
    ids = {"imdb_id": "114709", "tmdb_id": "862.0"}
    watched.page.evaluate(
        "ids => { tastemap.items.ids = ids; }", {name: [value] for name, value in ids.items()}
    )
    assert watched.page.evaluate(hrefs) == [*map(list, links_of("film", title, year, ids))]
    titles = [spoken(title) for title in items.frame["title"]]
    titles[1:6] = [
        "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb" * 3,
        "E.T. the Extra-Terrestrial (1982)",
        "七人の侍 𝔸 " * 9,
        "",
        "Koyaanisqatsi-like/unlike  (a) (b",
    ]
    drawn = [
        cover_svg(title, year, int(ink), [*SHAPES][shape])
        for title, year, ink, shape in zip(
            titles, items.frame["year"], faces.inks, faces.shapes, strict=True
        )
    ]
    differing = watched.page.evaluate(
        """([titles, drawn]) => {
            tastemap.items.title = titles;
            const parsed = document.createElement("div");
            return drawn.map((text, i) => {
                parsed.innerHTML = text;
                const ours = tastemap.cover(i).outerHTML;
                return parsed.innerHTML === ours ? null : [parsed.innerHTML, ours];
            }).filter((pair) => pair);
        }""",
        [titles, drawn],
    )
    assert differing == []


def test_picks_and_their_reasons_are_those_of_the_server(watched: Any, model_folder: Path) -> None:
    page = watched.page
    rate(page, MINE)
    store = Store("sqlite://")
    served = Service(LiveModel(model_folder), store)
    mine = {str(item): rating for item, rating in MINE.items()}
    expected = served.recommend(mine, 8, reasons=True, by="cautious").items
    store.close()
    shown = "cards => cards.map((card) => card.dataset.item)"
    on_page = page.locator("#row-top-picks .card").evaluate_all(shown)
    assert on_page == [str(item.item_id) for item in expected]
    for name in ("more-yours", "loved-by-few"):
        others = page.locator(f"#row-{name} .card").evaluate_all(shown)
        assert others
        assert not {*others} & {*on_page}
    found = page.evaluate(
        """() => { const rows = tastemap.recommend(8), { items, model } = tastemap;
        const genres = (i) => items.genres[i] ?? [];
        const best = model.reasons(tastemap.rows, tastemap.values, rows, genres);
        return rows.map((i, at) => [items.id[i], items.title[i],
          best[at] < 0 ? null : items.id[tastemap.rows[best[at]]]]); }"""
    )
    told = [item.because and str(item.because.item_id) for item in expected]
    assert any(told)
    assert found == [
        [str(item.item_id), item.title, reason] for item, reason in zip(expected, told, strict=True)
    ]
    why = page.locator("#row-top-picks .why", has_text="because of your")
    assert why.count() == sum(map(bool, told))
    # A row that stands for no item is in no list.
    without = page.evaluate(
        """() => { const { model } = tastemap, [first, second] = tastemap.recommend(2);
        model.placeholders.add(first);
        const lists = [tastemap.recommend(80), model.similar(second, 80).map(({ row }) => row)];
        model.placeholders.delete(first);
        return lists.map((rows) => [rows.length > 40, rows.includes(first)]); }"""
    )
    assert without == [[True, False]] * 2


PAGES = ("#/", "#/film/1", "#/map/2", "#/you", "#/model", "#/film/none")


def test_every_page_passes_axe(watched: Any, site: str) -> None:
    rate(watched.page, MINE)
    watched.page.evaluate("tastemap.say('')")
    for address in PAGES:
        watched.page.goto(site + address)
        watched.page.wait_for_selector("h1")
        assert watched.axe() == [], address


def test_every_page_fits_a_phone_and_the_dark(open_page: Any, site: str) -> None:
    phone = {"width": 390, "height": 844}
    watched = open_page(site.rsplit("/", 1)[0], viewport=phone, color_scheme="dark")
    watched.page.goto(site)
    rate(watched.page, MINE)
    watched.page.evaluate("tastemap.say('')")
    for address in PAGES:
        watched.page.goto(site + address)
        watched.page.wait_for_selector("h1")
        overflow = watched.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{address} is wider than the window"
        if "film" in address:
            assert watched.axe() == [], address


def test_titles_and_searches_are_text(watched: Any) -> None:
    page = watched.page
    page.goto(page.url.split("#")[0] + "#/film/1")
    assert "<script>" in page.locator("h1").inner_text()
    page.goto(page.url.split("#")[0] + "#/")
    page.get_by_label("Search").fill("<img src=x onerror=alert(1)>")
    assert "<img" in page.locator("#row-found h2").inner_text()
    assert page.locator("main img, main b:not(.guess b), main script").count() == 0
    assert "taken" not in page.title()


# ---- the site of a model of likes ----

LIKED = [7, 2, 31]  # the oldest first
LIKE = "ids => ids.forEach((id) => tastemap.rate(tastemap.rowById.get(id), 1))"


@pytest.fixture
def likes_site(likes_model: Recommender, tmp_path: Path) -> str:
    return export_site(likes_model, tmp_path / "site").as_uri()


def test_a_site_of_likes_has_the_numbers_of_the_library(
    open_page: Any, likes_site: str, likes_model: Recommender
) -> None:
    watched = open_page(likes_site.rsplit("/", 1)[0])
    page = watched.page
    page.goto(likes_site)
    assert page.locator("#row-top-picks h2").inner_text() == "Most popular"
    page.evaluate(LIKE, [str(item) for item in LIKED])
    for novelty, diversity in ((0.0, 0.0), (0.6, 0.0), (0.0, 0.5)):
        options = {"novelty": novelty, "diversity": diversity}
        expected = likes_model.recommend(history=LIKED, k=20, **options)
        found = page.evaluate(
            """asked => { Object.assign(tastemap.asked, asked);
            const ranking = tastemap.model.ranking(tastemap.person.scores, asked.novelty);
            return tastemap.recommend(20).map((i) => [tastemap.items.id[i], ranking[i]]); }""",
            options,
        )
        assert [int(item) for item, _ in found] == expected["item_id"].to_list()
        np.testing.assert_allclose([v for _, v in found], expected["score"], rtol=1e-3, atol=1e-5)
    mine = dict.fromkeys(LIKED, 1.0)
    expected = likes_model.explain(ratings=mine, item_id=40)
    parts = page.evaluate(
        """() => tastemap.model.explain(tastemap.liked, tastemap.rowById.get("40"))
          .map((p) => [tastemap.items.id[p.row], p.placesBack, p.contribution])"""
    )
    rows = expected.select("item_id", "places_back", "contribution").rows()
    assert [(int(item), places) for item, places, _ in parts] == [row[:2] for row in rows]
    np.testing.assert_allclose([p[2] for p in parts], [row[2] for row in rows], atol=1e-5)
    similar = page.evaluate(
        """() => tastemap.model.similar(tastemap.rowById.get("40"), 10)
          .map(({ row }) => tastemap.items.id[row])"""
    )
    assert [int(i) for i in similar] == likes_model.similar_items(40, 10)["item_id"].to_list()


def test_lists_of_mutual_weights_are_varied_as_those_of_the_library(
    open_page: Any, film_ratings: Any, tmp_path: Path
) -> None:
    model = make_model("ease").fit(film_ratings.likes(), progress=False)
    site = export_site(model, tmp_path / "site").as_uri()
    page = open_page(site.rsplit("/", 1)[0]).page
    page.goto(site)
    page.evaluate(LIKE, [str(item) for item in LIKED])
    for diversity, mix in ((0.3, 0.0), (1.0, 0.0), (0.2, 0.5)):
        wishes = {"diversity": diversity} | ({"calibrated": {"genres": mix}} if mix else {})
        expected = model.recommend(history=LIKED, k=8, **wishes)["item_id"]
        rows = page.evaluate(
            """asked => { Object.assign(tastemap.asked, asked);
            return tastemap.recommend(8).map((i) => tastemap.items.id[i]); }""",
            {"diversity": diversity, "mix": mix},
        )
        assert [int(item) for item in rows] == expected.to_list()


def test_a_site_of_likes_is_used_by_its_buttons_and_passes_axe(
    open_page: Any, likes_site: str, read_csv: Any
) -> None:
    phone = {"width": 380, "height": 800}
    watched = open_page(likes_site.rsplit("/", 1)[0], viewport=phone, color_scheme="dark")
    page = watched.page
    page.goto(likes_site)
    for place, kind in enumerate(("like", "like", "unwanted")):
        page.locator(".card").nth(place).locator(f".{kind}").click()
    assert page.locator(".count").inner_text() == "2 liked"
    marks = page.evaluate("[...tastemap.ratings]")
    page.locator(".card").first.locator(".like").click()
    assert page.locator(".count").inner_text() == "1 liked"
    page.get_by_role("button", name="Undo").click()
    assert page.evaluate("[...tastemap.ratings]") == marks, "in the order of before"
    page.locator(".card").nth(2).locator(".unwanted").click()
    page.locator(".card").nth(2).locator(".unwanted").click()
    assert "will not be suggested any more" in page.locator(".toast").inner_text()
    page.evaluate("tastemap.say('')")
    for address in ("#/", "#/item/2", "#/you", "#/model", "#/map"):
        page.goto(likes_site + address)
        page.wait_for_selector("h1")
        assert watched.axe() == [], address
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address
        shown = page.locator("main").inner_text()
        assert not [word for word in ("rating", "rated", "predict") if word in shown], address
    unmarked = "tastemap.items.id.find((_, i) => !tastemap.ratings.has(i))"
    page.goto(f"{likes_site}#/item/{page.evaluate(unmarked)}")
    assert page.locator("[data-place]").count() == 1
    assert page.get_by_role("heading", name="What people go on to").is_visible()
    page.goto(likes_site + "#/you")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    assert sorted(row["liked"] for row in read_csv(download.value)) == ["-1", "1", "1"]
    page.locator(".like[aria-pressed=true]").first.click()
    page.reload()
    assert page.locator(".count").inner_text() == "1 liked", "what is taken back stays so"


# ---- the site of a Bayesian model ----

PREDICTED = """([data, rows, ratings]) => {
  const model = new tastemap.model.constructor({ ...tastemap.data.model, ...data });
  const { scores, errors } = model.person(rows, ratings);
  return [[...scores], [...errors]]; }"""


def bayes(ratings: Ratings) -> Any:
    model = make_model("bayes", n_factors=4, n_iterations=50, n_draws=40)
    return model.fit(ratings, progress=False)


def expected(model: Any, rows: list[int], rating: list[float]) -> np.ndarray:
    """Predictions (n_items,) for a new person."""
    user = model.fold_in_rows(np.array(rows, np.int32), np.array(rating, np.float32))
    return model.score_rows(user)


def test_a_site_of_draws_has_the_numbers_of_the_library(
    open_page: Any, film_ratings: Ratings, tmp_path: Path
) -> None:
    model = bayes(film_ratings)
    item_map(model, perplexity=10)
    address = export_site(model, tmp_path / "site").as_uri()
    phone = {"width": 390, "height": 844}
    watched = open_page(address.rsplit("/", 1)[0], viewport=phone, color_scheme="dark")
    page = watched.page
    page.goto(address)
    rate(page, MINE)
    rows = film_ratings.items.index(pl.Series([*MINE])).tolist()
    exact = expected(model, rows, [*MINE.values()])
    scores, errors = page.evaluate(PREDICTED, [{}, rows, [*MINE.values()]])
    difference = np.abs(np.array(scores) - exact)
    assert np.median(difference) < 0.02
    assert difference.max() < 0.1
    cautious = np.array(scores) - 1.2816 * np.array(errors)
    cautious[rows] = -np.inf
    picks = page.evaluate("tastemap.recommend(10)")
    assert picks == np.argsort(-cautious, kind="stable")[:10].tolist()
    parts = page.evaluate("tastemap.model.explain(tastemap.rows, tastemap.values, 40)")
    total = sum(part["contribution"] for part in parts)
    assert total == pytest.approx(np.clip(scores[40], 1, 5), abs=1e-3)
    without = "tastemap.model.without(tastemap.rows, tastemap.values, tastemap.rows[0], 40)"
    left = page.evaluate(without)
    signs = {np.sign(part["contribution"]) for part in parts if part.get("row") == rows[0]}
    assert signs == {np.sign(total - left)}, "what it adds and what would be without it agree"
    others = {
        row: rating for row, rating in zip(rows, MINE.values(), strict=True) if row != rows[0]
    }
    anew, _ = page.evaluate(PREDICTED, [{}, [*others], [*others.values()]])
    assert left == pytest.approx(anew[40], abs=0.02)
    page.evaluate("tastemap.say('')")
    page.goto(address + "#/item/41")
    shares = page.evaluate("tastemap.model.distribution(tastemap.person, 40)")
    assert np.dot(shares, [1, 2, 3, 4, 5]) == pytest.approx(scores[40], abs=0.02)
    bars = page.locator(".panel svg.bars")
    assert bars.get_attribute("aria-label").startswith("Your rating, by the model: 1: ")
    assert watched.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    stepped = film_ratings.rating + np.linspace(0, 0.4, len(film_ratings), dtype=np.float32)
    numbers = bayes(Ratings.from_frame(film_ratings.to_frame().with_columns(rating=stepped)))
    exact = expected(numbers, rows, [*MINE.values()])
    scores, _ = page.evaluate(
        PREDICTED, [{"draws": draws_data(numbers, bits=8)}, rows, [*MINE.values()]]
    )
    np.testing.assert_allclose(scores, exact, atol=0.02)
