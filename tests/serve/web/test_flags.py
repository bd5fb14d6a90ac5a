"""Seen, later, not for me, not seen: by forms, and by the pages' script."""

import re

from starlette.testclient import TestClient

from tastemap.serve.web.rendering import LIVE_HEADER


def token(client: TestClient) -> str:
    return re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)[1]


def flag(client: TestClient, item: int, kind: str, address: str = "/", **more: str) -> str:
    """The page after a button of an item was pressed."""
    form = {"csrf": token(client), "about": str(item), "flag": kind}
    answer = client.post(address, data=form, **more)
    assert answer.status_code == 200, answer.text
    return answer.text


def picks(page: str) -> list[int]:
    first = page.split('id="row-top-picks"')[1].split("</section>", maxsplit=1)[0]
    return [int(item) for item in re.findall(r'class="card" data-item="(\d+)"', first)]


def test_each_flag_is_kept_shown_and_taken_back(client: TestClient) -> None:
    shown = picks(client.get("/").text)
    for kind, item in zip(("later", "seen", "unwanted"), shown, strict=False):
        assert item not in picks(flag(client, item, kind)), kind
        page = client.get(f"/items/{item}").text
        pressed = re.findall(r'data-flag="(\w+)" aria-pressed="true"', page)
        assert pressed == [kind]
    you = client.get("/you").text
    for heading in ("Later", "Seen without a rating", "Not for you"):
        assert f">{heading}</h2>" in you
    flag(client, shown[0], "", "/you")
    assert 'id="later"' not in client.get("/you").text
    assert shown[0] in picks(client.get("/").text)


def test_a_rating_takes_the_place_of_a_flag(client: TestClient) -> None:
    flag(client, 3, "later")
    form = {"csrf": token(client), "item": "3", "rating": "5"}
    assert "<b>1</b> rated" in client.post("/", data=form).text
    assert 'id="later"' not in client.get("/you").text
    flag(client, 3, "unwanted")
    assert 'id="unwanted"' not in client.get("/you").text, "what is rated stays rated"


def test_the_script_gets_no_page(client: TestClient) -> None:
    form = {"csrf": token(client), "about": "3", "flag": "later"}
    answer = client.post("/", data=form, headers={LIVE_HEADER: "1"})
    assert (answer.status_code, answer.text) == (204, "")
    assert 'id="later"' in client.get("/you").text


def test_what_is_no_flag_or_not_ours_changes_nothing(client: TestClient) -> None:
    form = {"csrf": token(client), "about": "3", "flag": "loved"}
    assert client.post("/", data=form).status_code == 422
    assert client.post("/", data=form | {"about": "none", "flag": "later"}).status_code == 404
    assert client.post("/", data=form | {"csrf": "", "flag": "later"}).status_code == 403
    assert "Forget me" not in client.get("/you").text


def test_flags_are_saved_brought_back_and_forgotten_with_a_receipt(client: TestClient) -> None:
    for item, kind in ((3, "later"), (5, "unwanted"), (7, "seen"), (9, "unseen")):
        flag(client, item, kind)
    client.post("/", data={"csrf": token(client), "item": "2", "rating": "4"})
    saved = client.get("/you/ratings.csv")
    assert [line.split(",")[-1] for line in saved.text.splitlines()] == [
        *("flag", "", "unseen", "seen", "unwanted", "later")
    ]
    form = {"csrf": token(client)}
    question = client.post("/you/forget", data=form).text
    assert "<h1>Forget all this?</h1>" in question
    assert "<b>1</b> rated" in client.get("/").text, "it is only asked"
    receipt = client.post("/you/forget", data=form | {"sure": "1"}).text
    for text in ("1 rating<", "1 item seen without", "1 item for later", "1 item not for you"):
        assert text in receipt
    assert re.search(r"Deleted on \d\d \w+ \d{4}, \d\d:\d\d:\d\d UTC", receipt)
    assert "<b>0</b> rated" in client.get("/").text
    assert "Forget me" not in client.get("/you").text
    files = {"file": ("mine.csv", saved.content, "text/csv")}
    page = client.post("/you/import", files=files, data={"csrf": token(client)}).text
    chosen = re.findall(r'name="pick" value="([^"]+)" checked', page)
    kept = sorted(re.sub("@[0-9]+", "", pick) for pick in chosen)
    assert kept == ["4 2", "later 3", "seen 7", "unseen 9", "unwanted 5"]
    client.post("/you/import/keep", data={"csrf": token(client), "pick": chosen})
    again = client.get("/you/ratings.csv").text
    assert sorted(line.split(",")[0] for line in again.splitlines()[1:]) == list("23579")


def test_the_page_of_an_item_says_what_lowers_it(client: TestClient) -> None:
    client.post("/", data={"csrf": token(client), "item": "2", "rating": "5"})
    service = client.app.state.service
    near = service.similar("6", 1).items[0].item.item_id
    assert "which is not for you" not in client.get(f"/items/{near}").text
    flag(client, 6, "unwanted")
    assert "which is not for you" in client.get(f"/items/{near}").text
