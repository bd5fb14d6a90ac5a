"""The application in a real browser, on a server process of its own."""

from pathlib import Path
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
    assert page.evaluate("tastemapMap.you.rows.length") == 5
    page.get_by_label("Search").fill("12")
    page.locator(".map-found button").first.click()
    page.locator(".map-sheet .card input[value='3']").wait_for()
    until(page, "location.hash.includes('item=12')")

    page.get_by_role("link", name="You", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    assert sorted(float(row["rating"]) for row in read_csv(download.value)) == [1, 2, 4, 5, 5]
    page.locator("form[action='/you/forget'] button").click()
    page.get_by_role("button", name="Yes, forget me").click()
    page.get_by_role("heading", name="You are forgotten").wait_for()
    assert "5 ratings" in page.locator("main").inner_text()
    assert page.locator(".count b").inner_text() == "0"


def test_the_first_minute_and_what_is_said_without_stars(
    open_page: Any, home: str, until: Any
) -> None:
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
    assert page.locator("[data-first]").count() == 0, "what was asked makes way for the picks"
    assert page.evaluate("document.activeElement.id") == "row-top-picks"
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


def test_two_people_in_a_room_see_at_once_what_the_other_rates(open_page: Any, home: str) -> None:
    opened = open_page(home)
    ann, bob = opened.page, open_page(home).page
    ann.goto(f"{home}/together")
    ann.get_by_label("Your name").fill("Ann")
    ann.get_by_role("button", name="Open a room").click()
    bob.goto(ann.get_by_label("Address of this room").input_value())
    assert "Ann" not in bob.locator("main").inner_text()
    bob.get_by_label("Your name").fill("Bob")
    bob.get_by_role("button", name="Come in").click()
    ann.locator(".present", has_text="Bob").wait_for()
    assert ann.locator("#picks").count() == 0
    bob.locator(".card input[value='5']").first.check(force=True)
    ann.locator("#picks", has_text="For Bob").wait_for()
    assert opened.axe() == []
    bob.get_by_role("button", name="Leave the room").click()
    ann.locator(".present:not(:has-text('Bob'))").wait_for()


MODULES_OF_THE_MAP = """async () => {
  const module = (name) => import(`/static/map-${name}.js`);
  const { addressOf, stateOf } = await module("address");
  const { PointIndex, insideLoop } = await module("index");
  const { freerSide, isFree } = await module("labels");
  const { densityOf } = await module("density");
  const { MapView, unitPlaces } = await module("view");
  const { genreColours, otherColour, stops, rgb } = await module("colours");
  const state = { x: 0.25, y: -0.5, zoom: 2, item: "a&b=c", colour: "year",
    from: 1960, to: 1999, genres: ["War", "a+b"] };
  const odd = Object.values(stateOf("x=NaN&y=1e999&zoom=&years=x-"));
  const random = (n) => Float32Array.from({ length: n },
    (_, i) => 2 * ((i * 0.618034 + i * i * 0.000137) % 1) - 1);
  const [x, y] = [random(400), random(400).reverse()];
  const index = new PointIndex(x, y);
  const shown = Uint8Array.from(x, (_, i) => i % 3 > 0);
  const nearest = (a, b, reach) => x.reduce((best, v, i) => {
    const d = Math.hypot(v - a, y[i] - b);
    return shown[i] && d < best[1] ? [i, d] : best; }, [-1, reach])[0];
  const places = Array.from({ length: 60 }, (_, k) =>
    [Math.sin(k), Math.cos(3 * k), 0.02 * (k % 7)]);
  const view = new MapView({ across: 1, up: 0.5 });
  Object.assign(view, { width: 800, height: 500 });
  view.set(0.2, 0.1, 3);
  const under = view.toUnits(100, 400);
  view.set(...view.closer(2, 100, 400));
  const units = unitPlaces({ x: [10, 30], y: [5, 6] });
  const density = densityOf(Float32Array.from([-0.5, -0.5, 0.5]), new Float32Array(3));
  const ring = Array.from({ length: 8 }, (_, k) =>
    [300 + 60 * Math.cos(k / 4), 200 + 60 * Math.sin(k / 4)]);
  const [left, top] = freerSide([300, 200], [120, 60], [600, 400], ring);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => c.reduce((sum, v, k) =>
    sum + linear(v / 255) * [0.2126, 0.7152, 0.0722][k], 0);
  const style = getComputedStyle(document.body);
  const ground = light(rgb(style.getPropertyValue("--raised").trim()));
  const contrast = (c) =>
    (Math.max(light(c), ground) + 0.05) / (Math.min(light(c), ground) + 0.05);
  const colours = [...[...genreColours(), otherColour()].map(rgb), ...stops()];
  return {
    isBack: JSON.stringify(stateOf(addressOf(state))) === JSON.stringify(state),
    odd: odd.flat().filter((v) => v !== undefined),
    isNearest: places.every(([a, b, reach]) =>
      index.nearest(a, b, reach, shown) === nearest(a, b, reach)),
    moved: Math.hypot(...view.toPixels(...under).map((v, k) => v - [100, 400][k])),
    units: [...units.x, ...units.y],
    inside: [[2, 2], [3, 3]].map((place) => insideLoop([[0, 0], [5, 0], [0, 5]], place)),
    peak: density.indexOf(1) % 160,
    covered: ring.filter(([a, b]) =>
      a > left && a < left + 120 && b > top && b < top + 60).length,
    free: [6, 4].map((at) => isFree([[0, 0, 5, 5]], [at, 0, 9, 9])),
    contrast: Math.min(...colours.map(contrast)),
  };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_modules_of_the_map(open_page: Any, home: str, scheme: str) -> None:
    page = open_page(home, color_scheme=scheme).page
    page.goto(f"{home}/model")
    answer = page.evaluate(MODULES_OF_THE_MAP)
    assert answer["isBack"], "an address keeps the view"
    assert answer["odd"] == [], "what is no number is left out"
    assert answer["isNearest"], "as by looking at every point"
    assert answer["moved"] < 1e-6, "what is under the pointer stays there"
    assert answer["units"] == pytest.approx([-1, 1, -0.05, 0.05])
    assert answer["inside"] == [True, False]
    assert answer["peak"] == int((1.1 - 0.5) / 2.2 * 160)
    assert answer["covered"] == 0
    assert answer["free"] == [True, False]
    assert answer["contrast"] >= 3, "points stand out from the ground"


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
    page.goto(f"{home}/map")
    assert page.locator(".map-regions dd a").count() > 0, "the map in words"
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


def test_an_import_by_keyboard_and_the_taste_card(
    open_page: Any, home: str, tmp_path: Path
) -> None:
    view = {"width": 390, "height": 844}
    watched = open_page(home, color_scheme="dark", viewport=view)
    page = watched.page
    file = tmp_path / "letterboxd.csv"
    rows = "2024-01-02,drama twelve,1971,u,4.5\n2024-01-03,Darma 14,1973,u,2\n2024-01-04,No,1,u,3\n"
    file.write_text(f"Date,Name,Year,Letterboxd URI,Rating\n{rows}")
    page.goto(f"{home}/you")
    page.locator("#file").set_input_files(file)
    page.locator("#file").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Is this right?").wait_for()
    assert watched.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".as-brought").inner_text().startswith("in your file: drama twelve")
    page.get_by_role("button", name="Keep these ratings").focus()
    page.keyboard.press("Enter")
    page.get_by_text("2 ratings are kept.").wait_for()
    assert watched.axe() == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").press("Enter")
    head = Path(download.value.path()).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) == (1200, 630)
