"""The map in a real browser, by mouse, finger and keyboard, in the exported site."""

from typing import Any

import pytest

from tastemap.models.base.recommender import Recommender
from tastemap.serve.static_site import export_site

pytestmark = pytest.mark.slow
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}
# The middle of the map is empty ground as soon as nothing lies there.
EMPTY = """() => { const { map } = tastemap, { width, height } = map.view;
for (let y = 30; y < height - 30; y += 10) for (let x = 20; x < width - 80; x += 10)
  if (map.at(x, y, 25) < 0) return [x, y]; }"""
# A processor that draws WebGL is known by its name: without names it passes for another.
NAMELESS = "WebGLRenderingContext.prototype.getExtension = () => null;"
NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind === "webgl" ? null : get.call(this, kind, ...more);
};"""


@pytest.fixture(scope="module")
def site(film_model: Recommender, tmp_path_factory: pytest.TempPathFactory) -> str:
    return export_site(film_model, tmp_path_factory.mktemp("map") / "site").as_uri()


@pytest.fixture
def open_map(open_page: Any, site: str) -> Any:
    """Opens the map, at an address after "#/map"."""

    def open_(address: str = "", script: str = "", **options: Any) -> Any:
        watched = open_page(site.rsplit("/", 1)[0], **options)
        watched.page.add_init_script(script)
        watched.page.goto(f"{site}#/map{address}")
        until(watched.page, "tastemap.map?.view.width > 0")
        return watched

    return open_


def until(page: Any, condition: str) -> None:
    """The policy of the page forbids Playwright's own way of waiting."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(30)
    pytest.fail(f"never: {condition}")


def tap(page: Any, place: list[float]) -> None:
    """Touch the map at a place in its pixels."""
    box = page.locator(".map-stage").bounding_box()
    page.touchscreen.tap(box["x"] + place[0] + 1, box["y"] + place[1] + 1)


def place_of(page: Any, item: int) -> list[float]:
    """Where an item is drawn."""
    return page.evaluate(f"tastemap.map.place({item})")


@pytest.mark.parametrize(
    ("script", "points"), [(NAMELESS, "GlPoints"), (NO_WEBGL, "PixelPoints")], ids=["webgl", "none"]
)
def test_by_keyboard_and_by_pointing(open_map: Any, script: str, points: str) -> None:
    page = open_map(script=script).page
    assert page.evaluate("tastemap.map.scene.points.constructor.name") == points
    canvas = page.locator(".map-stage canvas").last
    canvas.focus()
    page.keyboard.press("+")
    until(page, "Math.abs(tastemap.map.view.zoom - 1.6) < 1e-6")
    page.keyboard.press("Enter")
    page.locator(".map-sheet .map-near li").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".map-sheet").is_hidden(), "Escape lets the item go"
    page.keyboard.press("0")
    until(page, "tastemap.map.view.zoom === 1")
    # The list of what is in view is the map for those who do not see it.
    page.locator(".map-list button").first.focus()
    title = page.locator(".map-list button").first.inner_text()
    page.keyboard.press("Enter")
    page.locator(".map-sheet h2").wait_for()
    assert title.startswith(page.locator(".map-sheet h2 a").inner_text())
    assert page.evaluate("document.activeElement.className") == "map-sheet"
    page.keyboard.press("Escape")
    x, y = page.evaluate("tastemap.map.place(tastemap.map.popular[0])")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.locator(".map-tip").wait_for()
    assert "ratings, average" in page.locator(".map-tip").inner_text()
    until(page, "tastemap.map.near.rows.length === 10")
    left, top, right, bottom = page.evaluate("tastemap.map.tipBox")
    near = page.evaluate("tastemap.map.near.rows.map((i) => tastemap.map.place(i))")
    covered = [1 for x, y in near if left < x < right and top < y < bottom]
    assert len(covered) <= 2, "the tip stands where the neighbours do not"
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.locator(".map-panel .card input[value='5']").click()
    assert page.locator(".count").inner_text() == "1 rated"
    assert page.evaluate("tastemap.map.you.rows.length") == 1
    assert "yours" in page.locator(".map-legend").inner_text()
    page.get_by_label("Colour by").select_option("predicted")
    assert "your predicted rating" in page.locator(".map-legend").inner_text()


def test_a_finger_opens_a_sheet_above_which_the_item_is_seen(open_map: Any) -> None:
    watched = open_map(**PHONE)
    page = watched.page
    lowest = page.evaluate(
        """() => { const { map } = tastemap;
        return map.popular.reduce((a, b) => (map.place(a)[1] > map.place(b)[1] ? a : b)); }"""
    )
    page.locator(".map-stage").scroll_into_view_if_needed()
    tap(page, place_of(page, lowest))
    sheet = page.locator(".map-sheet")
    sheet.wait_for()
    chosen = page.evaluate("tastemap.map.chosen")
    page.wait_for_timeout(100)
    stage, over = page.locator(".map-stage").bounding_box(), sheet.bounding_box()
    y = stage["y"] + place_of(page, chosen)[1]
    head = page.locator(".top").bounding_box()
    assert head["y"] + head["height"] < y < over["y"], "the item is seen above the sheet"
    assert watched.axe() == []
    # A swipe down closes it, a tap on empty ground, too.
    x, y = over["x"] + 60, over["y"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 120, steps=4)
    page.mouse.up()
    assert sheet.is_hidden()
    tap(page, place_of(page, chosen))
    sheet.wait_for()
    tap(page, page.evaluate(EMPTY))
    until(page, "tastemap.map.chosen === undefined")
    assert sheet.is_hidden()


def test_a_link_shows_the_same_view(open_map: Any, site: str) -> None:
    page = open_map("?x=0.1&y=-0.2&zoom=2&item=5&years=1960-1990&genre=Drama").page
    page.locator(".map-sheet h2").wait_for()
    view = page.evaluate("[tastemap.map.view.cx, tastemap.map.view.cy, tastemap.map.view.zoom]")
    assert page.locator(".chip[aria-pressed=true]").all_inner_texts() == ["Drama"]
    years = page.evaluate("tastemap.map.items.year.filter((_, i) => tastemap.map.shown[i])")
    assert years
    assert 1960 <= min(years) <= max(years) <= 1990
    page.wait_for_timeout(400)
    address = page.url
    assert "item=5" in address
    assert "genre=Drama" in address
    page.get_by_role("button", name="Copy link").click()
    page.locator(".map > p[role=status]:not(:empty)").wait_for()
    other = open_map(address.split("#/map")[1]).page
    other.locator(".map-sheet h2").wait_for()
    same = other.evaluate("[tastemap.map.view.cx, tastemap.map.view.cy, tastemap.map.view.zoom]")
    assert same == pytest.approx(view, abs=1e-3)
    other.get_by_role("button", name="Show all films").click()
    assert other.evaluate("tastemap.map.shown.every(Boolean)")


def test_years_and_genres_filter_the_points_and_the_list(open_map: Any) -> None:
    page = open_map().page
    until(page, "document.querySelectorAll('.map-list li').length > 0")
    page.locator(".chip", has_text="Comedy").click()
    expected = page.evaluate(
        "tastemap.map.items.genres.filter((names) => names.includes('Comedy')).length"
    )
    assert page.evaluate("tastemap.map.shown.reduce((a, b) => a + b)") == expected
    until(page, f"document.querySelector('.map-list .note').textContent.startsWith('{expected} ')")
    hidden = page.evaluate("tastemap.map.shown.indexOf(0)")
    x, y = place_of(page, hidden)
    assert page.evaluate(f"tastemap.map.at({x}, {y}, 4)") != hidden, "it cannot be pointed at"
    page.get_by_label("First year").focus()
    page.keyboard.press("End")
    until(page, f"tastemap.map.shown.reduce((a, b) => a + b) < {expected}")
    assert "genre=Comedy" in page.evaluate("tastemap.map.address")


def test_a_search_moves_the_map_only_where_it_has_to(open_map: Any) -> None:
    page = open_map().page
    page.get_by_label("Search").fill("12")
    page.locator(".map-found button").first.click()
    page.locator(".map-sheet h2").wait_for()
    assert page.evaluate("tastemap.map.view.zoom") == 1
    assert page.evaluate("[tastemap.map.view.cx, tastemap.map.view.cy]") == [0, 0]
    far = page.evaluate("tastemap.map.popular.find((i) => tastemap.map.items.x[i] > 0.5)")
    names = """zoom => { const { map } = tastemap, { labels } = map.scene;
    map.view.set(0, 0, zoom);
    labels.begin(labels.context, labels);
    const regions = [["Far", 0, 0.1], ["Near", 0.03, 0.025], ["Far", 0.06, 0.025]];
    const all = regions.map(([name, x, reach]) => ({ name, x, y: x, reach }));
    return labels.writeRegions(all, map.view).map(({ name, reach }) => [name, reach]); }"""
    assert page.evaluate(names, 1) == [["Far", 0.1]], "from afar the large ones"
    assert page.evaluate(names, 8) == [["Near", 0.025], ["Far", 0.025]], "the small ones near by"
    page.evaluate("tastemap.map.view.set(-0.9, 0, 8)")
    page.evaluate(f"tastemap.map.open({far})")
    until(
        page, f"tastemap.map.view.holds(tastemap.map.items.x[{far}], tastemap.map.items.y[{far}])"
    )


def test_it_lists_what_one_draws_around(open_map: Any, read_csv: Any) -> None:
    page = open_map().page
    page.get_by_role("button", name="Draw around films").click()
    box = page.locator(".map-stage canvas").last.bounding_box()
    left, top = box["x"] + 5, box["y"] + 5
    right, bottom = left + box["width"] - 10, top + box["height"] - 10
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    assert page.locator(".map-list h2").inner_text() == "80 films inside"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    rows = read_csv(download.value)
    assert {row["item_id"] for row in rows} == {str(n) for n in range(1, 81)}
    page.get_by_role("button", name="Let go").click()
    assert page.locator(".map-list h2").inner_text() == "In view"
