"""Rating where one is: by keys, by pointing, undone, without a network, in two tabs, refused."""

import csv
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# The item of the first card, and its place in the window.
FIRST = """() => { const card = document.querySelector(".card"), at = card.getBoundingClientRect();
return [card.dataset.item, Math.round(at.x), Math.round(at.y)]; }"""
MINE = "fetch('/you/ratings.csv').then((answer) => answer.text())"


def rated(page: Any) -> dict[str, float]:
    """What the server keeps of the person, by item."""
    rows = csv.DictReader(page.evaluate(MINE).splitlines())
    return {row["item_id"]: float(row["rating"]) for row in rows}


def settled(page: Any, until: Any, n: int) -> None:
    """Until so many ratings are kept, and the rows that they change have come in."""
    until(page, f"document.querySelector('.count b').textContent == {n}")
    until(page, "!localStorage['tastemap changes']?.includes('fields')")
    page.wait_for_timeout(400)


def said(page: Any) -> str:
    return page.locator(".toast").inner_text()


def test_arrows_choose_and_enter_space_or_leaving_says(
    open_page: Any, home: str, until: Any
) -> None:
    page = open_page(home).page
    page.goto(home)
    item = page.evaluate(FIRST)[0]
    stars = page.locator(".card").first.locator("input[type=radio]")
    stars.first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(450)
    assert page.locator(".count b").inner_text() == "0", "arrows say nothing yet"
    page.keyboard.press("Escape")
    assert page.locator("input:checked").count() == 0
    stars.nth(2).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    settled(page, until, 1)
    assert rated(page) == {item: 4}
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    until(page, "document.querySelector('.toast').textContent.includes(': 5. Your picks')")
    focused = "[document.activeElement.value, document.activeElement.form.dataset.item]"
    assert page.evaluate(focused) == ["5", item], "the focus stays on the film"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    settled(page, until, 1)
    assert rated(page) == {item: 3}, "one film was rated"
    page.keyboard.press("Control+z")
    until(page, "document.querySelector('.toast').textContent.startsWith('Undone.')")
    settled(page, until, 1)
    assert rated(page) == {item: 5}
    assert page.evaluate(focused) == ["5", item]


def test_a_rated_card_stays_and_a_second_click_corrects(
    open_page: Any, home: str, until: Any
) -> None:
    page = open_page(home).page
    page.goto(home)
    first, card = page.evaluate(FIRST), page.locator(".card").first
    fills = "labels => labels.map((label) => getComputedStyle(label, '::after').backgroundColor)"
    labels = card.locator(".stars label")
    blank = labels.evaluate_all(fills)
    labels.nth(4).hover()
    assert labels.evaluate_all(fills) == blank, "what is pointed at is an outline"
    labels.nth(4).click()
    settled(page, until, 1)
    assert page.evaluate(FIRST) == first, "nothing moves under the pointer"
    assert labels.evaluate_all(fills)[0] != blank[0], "what is said is filled"
    labels.nth(1).click()
    until(page, "document.querySelector('.toast').textContent.includes(': 2.')")
    settled(page, until, 1)
    assert rated(page) == {first[0]: 2}
    assert page.evaluate(FIRST) == first
    # Other rows have come in, and this one does when it is asked for: with nothing painted.
    assert page.get_by_role("heading", name="More you than others").is_visible()
    page.get_by_role("button", name="Show them").first.click()
    assert page.get_by_role("heading", name="Top picks for you").is_visible()
    assert page.evaluate(FIRST)[0] != first[0]
    edges = fills.replace("::after", "::before")
    at = labels.nth(3).bounding_box()
    page.mouse.move(at["x"] + 9, at["y"] + 9 - 150)
    page.evaluate("scrollBy(0, 150)")
    until(page, "document.querySelector('.stars label:hover') !== null")
    assert len(set(labels.evaluate_all(edges))) == 1, "what comes under the pointer is not painted"
    page.mouse.move(at["x"] + 11, at["y"] + 9 - 150)
    assert len(set(labels.evaluate_all(edges))) == 2, "but what it moves to is"


def test_undo_restores_what_was_before(open_page: Any, home: str, until: Any) -> None:
    page = open_page(home).page
    page.goto(f"{home}/items/7")
    clicks = page.locator("main > .rate .stars label")
    clicks.nth(3).click()
    settled(page, until, 1)
    before = page.evaluate(MINE)
    page.wait_for_timeout(1100)  # another second: the undo restores the moment, too
    clicks.nth(0).click()
    settled(page, until, 1)
    assert page.locator(".toast[role=status] span").inner_text().startswith("Comedy 7 (1966): 1.")
    page.get_by_role("button", name="Undo").click()
    settled(page, until, 1)
    assert page.evaluate(MINE) == before
    page.get_by_role("button", name="Remove your rating").click()
    settled(page, until, 0)
    assert page.evaluate("document.activeElement.name") == "rating", "the focus is not lost"
    page.get_by_role("button", name="Undo").click()
    settled(page, until, 1)
    assert page.evaluate(MINE) == before
    page.goto(f"{home}/items/8")
    clicks.nth(3).click()
    page.get_by_role("button", name="Undo").click()
    settled(page, until, 1)
    assert rated(page) == {"7": 4}


def test_without_a_network_nothing_is_lost(open_page: Any, home: str, until: Any) -> None:
    watched = open_page(home)
    page = watched.page
    page.goto(home)
    item, card = page.evaluate(FIRST)[0], page.locator(".card").first
    page.context.set_offline(True)
    for value in (2, 4):
        card.locator(".stars label").nth(value - 1).click()
    assert "It waits for the network." in said(page)
    card.locator(".waiting").wait_for()  # after a moment: a quick answer leaves no trace
    assert card.locator(".waiting").inner_text() == "waiting for the network"
    assert page.locator(".count b").inner_text() == "1"
    page.get_by_label("Search").fill("drama")
    until(page, "document.querySelector('.toast').textContent.startsWith('There is no network')")
    assert page.evaluate(FIRST)[0] == item, "the page stays"
    page.context.set_offline(False)
    settled(page, until, 1)
    assert rated(page) == {item: 4}
    assert page.locator(".waiting").count() == 0
    page.get_by_role("heading", name="found for").wait_for()

    # What a page leaves behind is sent by the next.
    page.context.route("**/marks", lambda route: route.abort())
    page.locator(".card").nth(1).locator(".stars label").first.click()
    page.wait_for_timeout(300)
    page.goto(f"{home}/items/{page.locator('.card').nth(1).get_attribute('data-item')}")
    assert page.locator(".rate.rated .own").inner_text() == "1"
    assert page.locator(".count b").inner_text() == "2"
    page.context.unroute("**/marks")
    settled(page, until, 2)
    assert len(rated(page)) == 2
    assert watched.wrong, "the browser says that requests have failed"
    watched.wrong = [said for said in watched.wrong if "Failed to load resource" not in said]


def test_two_tabs_agree(open_page: Any, home: str, until: Any) -> None:
    watched = open_page(home)
    page = watched.page
    page.goto(home)
    other = page.context.new_page()
    other.goto(home)
    item = page.evaluate(FIRST)[0]
    page.bring_to_front()
    page.locator(".card").first.locator(".stars label").nth(3).click()
    for tab in (page, other):
        until(tab, "document.querySelector('.count b').textContent == 1")
    until(other, "document.querySelector('#row-top-picks').textContent.includes('Top picks for')")
    assert other.locator(f"[data-swap=row-top-picks] [data-item='{item}']").count() == 0
    other.goto(f"{home}/items/{item}")
    assert other.locator("main > .rate .own").inner_text() == "4"
    page.get_by_role("button", name="Undo").click()
    until(other, "document.querySelector('main > .rate').dataset.own === ''")
    settled(other, until, 0)
    # A person who is forgotten in one tab is nobody in the other, and nothing of theirs waits.
    page.locator(".card").first.locator(".stars label").nth(3).click()
    settled(page, until, 1)
    page.goto(f"{home}/you")
    page.context.route("**/marks", lambda route: route.fulfill(status=503))
    page.locator(".rate .stars label").first.click()
    page.locator("form[action='/you/forget'] button").click()
    page.get_by_role("button", name="Yes, forget me").click()
    page.get_by_role("heading", name="You are forgotten").wait_for()
    until(page, "!localStorage['tastemap changes'].includes('fields')")
    other.locator(".count b", has_text="0").wait_for()
    assert "not sent" not in said(page)
    watched.wrong = [url for url in watched.wrong if "503" not in url and "/marks" not in url]


@pytest.fixture
def refusing(open_page: Any, home: str) -> Any:
    """A page of an item, whose refusals are expected."""
    watched = open_page(home)
    watched.page.goto(f"{home}/items/5")
    yield watched.page
    watched.wrong.clear()


def test_what_is_refused_says_why_and_is_put_back(refusing: Any, until: Any) -> None:
    page, stars = refusing, refusing.locator("main > .rate")
    stars.locator("label").nth(2).click()
    settled(page, until, 1)
    body = '{"error": {"code": "invalid_rating", "message": "5 is not what it takes"}}'
    page.context.route("**/marks", lambda route: route.fulfill(status=422, body=body))
    stars.locator("label").nth(4).click()
    until(page, "document.querySelector('.toast').textContent.includes('was not kept')")
    assert "(1964) was not kept: 5 is not what it takes." in said(page)
    assert stars.get_attribute("data-own") == "3"
    assert stars.locator("input:checked").get_attribute("value") == "3"
    page.context.unroute("**/marks")
    # The cookie has changed: the server knows the person of this page no more.
    page.context.clear_cookies()
    stars.locator("label").nth(0).click()
    until(page, "document.querySelector('.toast').textContent.includes('no longer knows this')")
    assert stars.get_attribute("data-own") == "3"
    # What another person has left in this browser is not sent.
    left = '{"person": "another", "changes": [{"id": "1", "item": "9", "fields": {"rating": 5}}]}'
    page.evaluate(f"localStorage['tastemap changes'] = {left!r}")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.reload()
    until(page, "document.querySelector('.toast').textContent.includes('was not sent')")
    assert not [url for url in sent if url.endswith("/marks")]


def test_stars_stand_out_in_forced_colours_and_placeholders_in_the_dark(
    open_page: Any, home: str
) -> None:
    ratio = """([part, pseudo, around]) => {
        const rgb = (node, pseudo, name) => getComputedStyle(node, pseudo)[name].match(/[\\d.]+/g);
        const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, share, at) => {
            const c = colour[at] / 255;
            return sum + share * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); }, 0);
        const ink = pseudo === "::placeholder" ? "color" : "backgroundColor";
        const two = [light(rgb(document.querySelector(part), pseudo, ink)),
            light(rgb(document.querySelector(around), null, "backgroundColor"))].sort();
        return (two[1] + 0.05) / (two[0] + 0.05); }"""
    for options in ({"forced_colors": "active", "color_scheme": "dark"}, {"color_scheme": "dark"}):
        page = open_page(home, **options).page
        page.goto(home)
        star = page.evaluate(ratio, [".stars label", "::before", ".card"])
        assert star > 3, f"the outline of a star has a contrast of {star:.2f}"
        inside = page.evaluate(ratio, [".stars label", "::after", ".card"])
        assert inside < 1.3, "and is empty"
        words = page.evaluate(ratio, ["[type=search]", "::placeholder", "[type=search]"])
        assert words > 4.5


def test_a_number_is_said_by_enter_or_by_leaving(open_page: Any, home: str) -> None:
    page = open_page(home).page
    page.goto(home)
    page.evaluate(
        """import('/static/stars.js').then(({ stars }) => {
            const scale = { lowest: -10, highest: 10, step: null, levels: null };
            document.querySelector('.card form').replaceWith(
                stars(scale, undefined, 'Joke', '3')); })"""
    )
    box = page.get_by_role("spinbutton", name="Your rating of Joke")
    box.press("ArrowUp")
    assert page.locator(".count b").inner_text() == "0"
    box.fill("99")
    box.press("Enter")
    assert "Joke is a number from -10 to 10" in said(page)
    assert box.input_value() == ""
    box.fill("4")
    box.press("Tab")
    assert page.locator(".count b").inner_text() == "1"
    assert said(page).startswith("Joke: 4.")
