"""Changes that the script sends: however often one comes it is kept once; what was before."""

import re
import time
from typing import Any

from clients import error_of
from starlette.testclient import TestClient


def form(client: TestClient, **fields: Any) -> dict[str, str]:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)[1]
    return {"csrf": csrf, "item": "3"} | fields


def moments(client: TestClient) -> dict[str, tuple[str, int]]:
    """Rating and moment of each item, as the person can save them."""
    rows = [row.split(",") for row in client.get("/you/ratings.csv").text.splitlines()[1:]]
    return {row[0]: (row[3], int(row[4])) for row in rows}


def test_a_change_that_comes_twice_is_kept_once(client: TestClient) -> None:
    change = form(client, rating="4")
    for before in (None, 4.0):
        answer = client.post("/marks", data=change)
        assert answer.status_code == 200
        assert answer.json()["n_marked"] == 1
        assert answer.json()["before"]["rating"] == before
    taken_back = client.post("/marks", data=form(client, remove="1")).json()
    assert (taken_back["n_marked"], taken_back["before"]["rating"]) == (0, 4.0)


def test_what_has_waited_is_kept_at_the_moment_when_it_was_said(client: TestClient) -> None:
    now = time.time()
    client.post("/marks", data=form(client, rating="4", age="5000"))
    first = moments(client)["3"][1]
    assert abs(first - (now - 5000)) < 60
    before = client.post("/marks", data=form(client, rating="2")).json()["before"]
    assert before == {"rating": 4.0, "moment": first, "flag": None}
    client.post("/marks", data=form(client, rating="4", moment=str(before["moment"])))
    assert moments(client)["3"] == ("4", first), "an undo restores the moment, too"
    client.post("/marks", data=form(client, rating="5", age="-99", moment="99999999999"))
    assert moments(client)["3"][1] <= time.time()


def test_an_undo_brings_back_what_was_only_seen(client: TestClient) -> None:
    keep = form(client, pick="seen 3")
    client.post("/you/import/keep", data=keep)
    before = client.post("/marks", data=form(client, rating="4")).json()["before"]
    assert before["flag"] == "seen"
    client.post("/marks", data=form(client, remove="1", flag="seen"))
    assert moments(client) == {} or moments(client)["3"][0] == ""
    assert "Seen without a rating" in client.get("/you").text


def test_refusals_say_why(client: TestClient) -> None:
    change = form(client, rating="9")
    answer = client.post("/marks", data=change)
    assert (answer.status_code, error_of(answer)) == (422, "invalid_rating")
    assert "9 is not" in answer.json()["error"]["message"]
    answer = client.post("/marks", data=change | {"csrf": "another's"})
    assert (answer.status_code, error_of(answer)) == (403, "wrong_token")
    answer = client.post("/marks", data=change | {"item": "none"})
    assert answer.status_code == 404
    answer = client.post("/marks", data={"csrf": change["csrf"]})
    assert error_of(answer) == "invalid_argument"
