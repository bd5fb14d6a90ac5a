"""The application in a real browser, on a server process of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import running

from tastemap.models.base.recommender import Recommender

pytestmark = pytest.mark.slow
PAGES = ("/", "/items/2", "/map", "/you", "/together", "/model", "/docs")


@pytest.fixture(scope="module")
def home(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `tastemap serve`."""
    with running(model_folder, tmp_path_factory.mktemp("store")) as server:
        yield server.url


def until(page: Any, condition: str) -> None:
    """Wait for a condition; Playwright's own way is text to evaluate, which the pages forbid."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


def rate(page: Any, words: str, rating: int) -> None:
    """Search for an item and click a star of its card."""
    page.get_by_label("Search").fill(words)
    page.get_by_role("heading", name="found for").wait_for()
    card = page.locator(".card").first
    before = int(page.locator(".count b").inner_text())
    card.locator(f"input[value='{rating}']").check(force=True)
    until(page, f"document.querySelector('.count b').textContent == {before + 1}")


def test_a_new_person_from_the_first_rating_to_being_forgotten(
    open_page: Any, home: str, read_csv: Any
) -> None:
    watched = open_page(home)
    page = watched.page
    page.goto(home)
    assert page.get_by_role("heading", name="Highest rated").is_visible()
    assert page.locator(".guess").count() == 0, "nothing is predicted of somebody unknown"
    picks = []
    for number, rating in ((12, 5), (14, 5), (16, 4), (31, 1), (33, 2)):
        rate(page, f"{number}", rating)
        page.get_by_label("Search").fill("")
        page.get_by_role("heading", name="Top picks for you").wait_for()
        picks.append(page.locator("section").first.inner_text())
    assert len(set(picks)) == 5, "the picks change with each rating"
    reasons = page.locator(".card .why").all_inner_texts()
    assert any(reason.startswith("because of your 5 for Drama 12") for reason in reasons)

    page.locator(".guess a").first.click()
    page.wait_for_url("**/items/**")
    page.locator("[data-contribution]").first.wait_for()
    shown = page.locator("[data-contribution]")
    parts = shown.evaluate_all("rows => rows.map(row => Number(row.dataset.contribution))")
    assert sum(parts) == pytest.approx(
        float(page.locator("tfoot .number").first.inner_text()), abs=0.006
    )

    page.get_by_role("link", name="Map", exact=True).click()
    until(page, "window.tastemapMap !== undefined")
    here = page.evaluate("fetch('/map/me').then(answer => answer.json())")
    assert here["n_rated"] == 5
    assert here["place"] is not None

    page.get_by_role("link", name="You", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    assert sorted(float(row["rating"]) for row in read_csv(download.value)) == [1, 2, 4, 5, 5]
    page.locator("form[action='/you/forget'] button").click()
    page.get_by_role("button", name="Yes, forget me").click()
    page.get_by_role("heading", name="You are forgotten").wait_for()
    assert "5 ratings" in page.locator("main").inner_text()
    assert page.locator(".count b").inner_text() == "0"


def test_the_first_minute_and_what_is_said_without_stars(open_page: Any, home: str) -> None:
    watched = open_page(home, is_first=True, viewport={"width": 390, "height": 844})
    page = watched.page
    page.goto(home)
    films = page.locator("[data-first] .card")
    assert films.count() == 9
    before = films.nth(3).get_attribute("data-item")
    others = [films.nth(n).get_attribute("data-item") for n in (2, 4)]
    films.nth(3).get_by_role("button", name="Not seen").focus()
    page.keyboard.press("Enter")
    until(page, f"document.querySelectorAll('.card')[3].dataset.item != '{before}'")
    assert [films.nth(n).get_attribute("data-item") for n in (2, 4)] == others
    until(page, "document.querySelectorAll('.card')[3].contains(document.activeElement)")
    assert watched.axe() == []
    for n in range(5):
        films.nth(n).locator("input[value='5']").check(force=True)
        until(page, f"document.querySelector('.count b').textContent == {n + 1}")
        if n < 4:
            until(page, f"document.querySelector('.first-progress').innerText == '{n + 1} of 5'")
            until(page, "document.querySelector('.first-map .you') !== null")
    page.mouse.move(1, 1)
    page.get_by_role("heading", name="Top picks for you").wait_for()
    later = page.locator("#row-top-picks ~ ul .card").first.get_by_role("button", name="Later")
    later.click()
    until(page, "document.querySelector('.flags [aria-pressed=true]') !== null")
    assert watched.axe() == []
    later.click()
    until(page, "document.querySelector('.flags [aria-pressed=true]') === null")


def test_no_cell_of_a_saved_table_is_a_formula(open_page: Any, home: str, read_csv: Any) -> None:
    page = open_page(home).page
    page.goto(home)
    with page.expect_download() as download:
        page.evaluate(
            """import('/static/dom.js').then(dom => dom.saveCsv('x.csv',
                [['title', 'n'], ['=HYPERLINK("x")', -1], ["'@a", 2], ['Alien', 3]]))"""
        )
    rows = [tuple(row.values()) for row in read_csv(download.value)]
    assert rows == [('\'=HYPERLINK("x")', "-1"), ("''@a", "2"), ("Alien", "3")]


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (380, "dark")])
def test_every_page_passes_axe(open_page: Any, home: str, width: int, scheme: str) -> None:
    view = {"width": width, "height": 900}
    watched = open_page(home, color_scheme=scheme, viewport=view)
    page = watched.page
    page.goto(home)
    rate(page, "12", 5)
    for address in PAGES:
        page.goto(home + address)
        if address == "/map":
            until(page, "window.tastemapMap !== undefined")
        assert watched.axe() == [], address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is wider than the window"


def test_stars_by_keyboard(open_page: Any, home: str) -> None:
    page = open_page(home).page
    page.goto(f"{home}/items/3")
    page.locator(".stars input").first.focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.count b').textContent == 1")
    page.reload()
    assert page.locator(".stars input:checked").count() == 1


def test_ten_stars_stay_within_their_card(open_page: Any, home: str) -> None:
    page = open_page(home, viewport={"width": 390, "height": 800}).page
    page.goto(home)
    ends = page.evaluate(
        """() => {
            const stars = document.querySelector(".card .stars");
            const label = stars.querySelector("label");
            while (stars.querySelectorAll("label").length < 10) stars.append(label.cloneNode(true));
            const right = (node) => node.getBoundingClientRect().right;
            return [Math.max(...[...stars.querySelectorAll("label")].map(right)),
                right(stars.closest(".card"))];
        }"""
    )
    assert ends[0] < ends[1]


def test_without_scripts_a_form_rates(open_page: Any, home: str) -> None:
    page = open_page(home, java_script_enabled=False).page
    page.goto(f"{home}/items/3")
    page.locator(".stars input[value='4']").check(force=True)
    page.get_by_role("button", name="Rate", exact=True).click()
    assert page.locator(".count b").inner_text() == "1"
    assert page.locator(".stars input[value='4']").is_checked()


# ---- a model of likes ----


@pytest.fixture(scope="module")
def likes_home(likes_model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `tastemap serve` on a model of likes."""
    folder = tmp_path_factory.mktemp("likes")
    with running(likes_model.save(folder / "model"), folder) as server:
        yield server.url


def press(page: Any, kind: str) -> None:
    """Press the first button of a kind by keyboard, and wait for the changed page."""
    before = page.locator(".count").inner_text() + page.locator("main").inner_text()
    page.locator(f".{kind}").first.focus()
    page.keyboard.press("Enter")
    for _ in range(100):
        if page.locator(".count").inner_text() + page.locator("main").inner_text() != before:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{kind} changed nothing")


def test_a_newcomer_likes_by_keyboard_and_the_picks_change(open_page: Any, likes_home: str) -> None:
    page = open_page(likes_home).page
    page.goto(likes_home)
    assert page.get_by_role("heading", name="Popular").is_visible()
    picks = []
    for n in (1, 2, 3):
        press(page, "like")
        assert page.locator(".count").inner_text() == f"{n} liked"
        picks.append(page.locator("section").first.locator("h3").all_inner_texts())
        said = page.locator(".toast").inner_text()
        assert said.startswith("You like ")
        assert said.endswith(". Your picks have changed.")
        focused = page.evaluate("document.activeElement.className")
        assert focused == "like", "the focus stays where it was"
    assert len({tuple(titles) for titles in picks}) == 3
    unwanted = page.locator("section").first.locator("h3").first.inner_text()
    press(page, "unwanted")
    assert "will not be suggested any more" in page.locator(".toast").inner_text()
    assert unwanted not in page.locator("main").inner_text()
    page.goto(f"{likes_home}/you")
    assert page.locator("[aria-pressed=true]").count() == 4
    press(page, "like[aria-pressed=true]")
    assert page.locator(".count").inner_text() == "2 liked"


def test_without_scripts_a_heart_is_a_form(open_page: Any, likes_home: str) -> None:
    page = open_page(likes_home, java_script_enabled=False).page
    page.goto(f"{likes_home}/items/3")
    for is_pressed in ("true", "false"):
        page.get_by_role("button", name="Like").click()
        assert page.locator(".like").get_attribute("aria-pressed") == is_pressed


@pytest.mark.parametrize(
    ("width", "options"),
    [(1200, {}), (380, {"color_scheme": "dark"}), (900, {"forced_colors": "active"})],
)
def test_every_page_of_likes_passes_axe(
    open_page: Any, likes_home: str, width: int, options: dict[str, str]
) -> None:
    watched = open_page(likes_home, viewport={"width": width, "height": 900}, **options)
    page = watched.page
    page.goto(f"{likes_home}/items/3")
    press(page, "like")
    for address in ("/", "/items/2", "/items/3", "/you", "/together", "/model"):
        page.goto(likes_home + address)
        assert watched.axe() == [], address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is wider than the window"
