"""The application in a real browser, on a server process of its own."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow
PAGES = ("/", "/items/2", "/map", "/you", "/together", "/model", "/docs")


def rate(page: Any, until: Any, words: str, rating: int) -> None:
    """Search for an item and click a star of its card."""
    page.get_by_label("Search").fill(words)
    page.get_by_role("heading", name="found for").wait_for()
    card = page.locator(".card").first
    before = int(page.locator(".count b").inner_text())
    card.locator(f"input[value='{rating}']").check(force=True)
    until(page, f"document.querySelector('.count b').textContent == {before + 1}")


def test_a_new_person_from_the_first_rating_to_being_forgotten(
    open_page: Any, home: str, read_csv: Any, until: Any
) -> None:
    watched = open_page(home)
    page = watched.page
    page.goto(home)
    assert page.get_by_role("heading", name="Highest rated").is_visible()
    assert page.locator(".guess").count() == 0, "nothing is predicted of somebody unknown"
    picks = []
    for number, rating in ((12, 5), (14, 5), (16, 4), (31, 1), (33, 2)):
        rate(page, until, f"{number}", rating)
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
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("form[action='/you/forget'] button").click()
    page.wait_for_url(f"{home}/")
    assert page.locator(".count b").inner_text() == "0"


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
def test_every_page_passes_axe(
    open_page: Any, home: str, until: Any, width: int, scheme: str
) -> None:
    view = {"width": width, "height": 900}
    watched = open_page(home, color_scheme=scheme, viewport=view)
    page = watched.page
    page.goto(home)
    rate(page, until, "12", 5)
    for address in PAGES:
        page.goto(home + address)
        if address == "/map":
            until(page, "window.tastemapMap !== undefined")
        assert watched.axe() == [], address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is wider than the window"


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


def press(page: Any, until: Any, kind: str) -> None:
    """Press the first button of a kind by keyboard, and wait until that is kept."""
    page.evaluate("document.querySelector('.toast').replaceChildren()")
    page.locator(f".{kind}").first.focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.toast').textContent.includes('changed.')")


def test_a_newcomer_likes_by_keyboard_and_the_picks_change(
    open_page: Any, likes_home: str, until: Any
) -> None:
    page = open_page(likes_home).page
    page.goto(likes_home)
    assert page.get_by_role("heading", name="Popular").is_visible()
    picks = []
    first_row = page.locator("section").first
    for n in (1, 2, 3):
        liked = first_row.locator("h3").first.inner_text()
        press(page, until, "like")
        assert page.locator(".count").inner_text() == f"{n} liked"
        assert first_row.locator("h3").first.inner_text() == liked, "the card stays"
        assert page.evaluate("document.activeElement.ariaPressed") == "true", "and the focus on it"
        first_row.get_by_role("button", name="Show them").press("Enter")
        assert page.locator(".toast span").inner_text().startswith("You like ")
        assert page.locator(".toast span").inner_text().endswith(". Your picks have changed.")
        picks.append(first_row.locator("h3").all_inner_texts())
    assert len({tuple(titles) for titles in picks}) == 3
    unwanted = first_row.locator("h3").first.inner_text()
    press(page, until, "unwanted")
    assert "will not be suggested any more" in page.locator(".toast").inner_text()
    first_row.get_by_role("button", name="Show them").click()
    assert unwanted not in page.locator("main").inner_text()
    page.goto(f"{likes_home}/you")
    assert page.locator("[aria-pressed=true]").count() == 4
    press(page, until, "like[aria-pressed=true]")
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
    open_page: Any, likes_home: str, until: Any, width: int, options: dict[str, str]
) -> None:
    watched = open_page(likes_home, viewport={"width": width, "height": 900}, **options)
    page = watched.page
    page.goto(f"{likes_home}/items/3")
    press(page, until, "like")
    for address in ("/", "/items/2", "/items/3", "/you", "/together", "/model"):
        page.goto(likes_home + address)
        assert watched.axe() == [], address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is wider than the window"
