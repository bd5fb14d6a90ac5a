"""Every route of the REST service, asked in the same process."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from clients import client_of, error_of
from small_models import SCRIPT
from starlette.testclient import TestClient

from tastemap.models.registry import load_model
from tastemap.support.atomic import alone_at

ODD = ["a/b", "50%", "%2F", "né ☃", "#?&=", "..\\", "nul\0", " ", "'; --", "<b>"]


@pytest.fixture(scope="module")
def client(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with client_of(artifact, tmp_path_factory.mktemp("api")) as made:
        yield made


def test_items_by_title_genre_year_and_page(client: TestClient) -> None:
    asked = {"q": "drama", "genre": "Drama", "year_from": 1970, "year_to": 1999, "n": 3}
    first = client.get("/api/v1/items", params=asked).json()
    assert [len(first["items"]), first["total"] > 3] == [3, True]
    after = client.get("/api/v1/items", params=asked | {"cursor": first["next_cursor"]}).json()
    ids = [item["item_id"] for item in first["items"] + after["items"]]
    assert len(set(ids)) == 6
    wrong = client.get("/api/v1/items", params={"cursor": first["next_cursor"]})
    assert (wrong.status_code, error_of(wrong)) == (422, "invalid_cursor")


def test_an_item_its_neighbours_and_who_would_like_it(client: TestClient) -> None:
    item = client.get("/api/v1/items/1").json()
    assert item["item"]["title"] == SCRIPT
    assert sum(level["count"] for level in item["histogram"]) == item["item"]["n_ratings"]
    assert set(item["place"]) == {"x", "y", "preserved"}
    similar = client.get("/api/v1/items/1/similar", params={"k": 3}).json()
    assert len(similar["items"]) == 3
    assert all(-1 <= one["similarity"] <= 1 for one in similar["items"])
    interested = client.get("/api/v1/items/2/interested-users", params={"k": 3}).json()
    assert len(interested["users"]) == 3
    for path in ("", "/similar", "/interested-users"):
        missing = client.get(f"/api/v1/items/81{path}")
        assert (missing.status_code, error_of(missing)) == (404, "unknown_item")


def test_ratings_of_a_user(client: TestClient) -> None:
    base = "/api/v1/users/ann/ratings"
    assert client.get(base).json() == {"ratings": []}
    for _ in range(2):
        assert client.put(f"{base}/2", json={"rating": 5}).json()["rating"] == 5
    body = {"ratings": [{"item_id": 4, "rating": 4}, {"item_id": "1", "rating": 1.0}]}
    assert len(client.post(base, json=body).json()["ratings"]) == 3
    assert client.get(f"{base}/4").json()["title"] == "Drama 4"
    assert error_of(client.get(f"{base}/6")) == "unknown_rating"
    for _ in range(2):
        assert client.delete(f"{base}/4").status_code == 204
    assert len(client.get(base).json()["ratings"]) == 2
    assert [r["item_id"] for r in client.put(base, json=body).json()["ratings"]] == [1, 4]
    assert client.delete(base).status_code == 204
    assert client.get(base).json() == {"ratings": []}


def test_a_batch_is_kept_whole_or_not_at_all(client: TestClient) -> None:
    base = "/api/v1/users/batch/ratings"
    for wrong, code in (({"item_id": 81, "rating": 5}, 404), ({"item_id": 3, "rating": 7}, 422)):
        body = {"ratings": [{"item_id": 2, "rating": 5}, wrong]}
        assert client.post(base, json=body).status_code == code
    assert client.get(base).json() == {"ratings": []}
    many = {"ratings": [{"item_id": 2, "rating": 5}] * 1001}
    assert error_of(client.post(base, json=many)) == "too_many"


def test_answers_say_where_they_come_from(client: TestClient) -> None:
    path = "/api/v1/users/{}/recommendations"
    assert client.get(path.format("3")).json()["source"] == "trained"
    assert client.get(path.format("zoe")).json()["source"] == "popular"
    client.put("/api/v1/users/zoe/ratings/2", json={"rating": 5})
    asked = {"k": 4, "novelty": 0.3, "genre": "drama", "exclude_seen": False, "by": "cautious"}
    found = client.get(path.format("zoe"), params=asked).json()
    assert found["source"] == "folded_in"
    assert len(found["items"]) == 4
    assert all("Drama" in item["genres"] for item in found["items"])
    assert len(client.get("/api/v1/users/zoe/similar", params={"k": 2}).json()["users"]) == 2
    assert client.delete("/api/v1/users/zoe").status_code == 204
    assert client.get(path.format("zoe")).json()["source"] == "popular"


def test_questions_with_ratings_in_hand_keep_nothing(client: TestClient) -> None:
    rated = [{"item_id": 2, "rating": 5}, {"item_id": 1, "rating": 1}]
    asked = {"ratings": rated, "k": 3, "where": {"genre": "Drama"}, "by": "curious", "seed": 1}
    found = client.post("/api/v1/recommend", json=asked).json()
    assert (found["source"], len(found["items"])) == ("folded_in", 3)
    why = client.post("/api/v1/explain", json={"item_id": 6, "ratings": rated}).json()
    total = sum(part["contribution"] for part in why["parts"])
    assert total == pytest.approx(why["prediction"]["predicted_rating"], abs=1e-5)
    both = {"item_id": 6, "ratings": rated, "user_id": 3}
    assert client.post("/api/v1/explain", json=both).status_code == 422
    pairs = [{"user_id": 3, "item_id": 2}, {"user_id": "nobody", "item_id": "2"}]
    predicted = client.post("/api/v1/predict", json={"pairs": pairs}).json()["predictions"]
    assert [one["source"] for one in predicted] == ["trained", "popular"]


def test_lists_are_varied_calibrated_and_within_caps(client: TestClient) -> None:
    rated = [{"item_id": 2, "rating": 5}, {"item_id": 4, "rating": 1}]
    wishes = {"diversity": 0.5, "calibrated": {"genres": 0.4}, "at_most": {"decade": 2}}
    items = client.post("/api/v1/recommend", json={"ratings": rated, **wishes}).json()["items"]
    decades = [item["year"] // 10 for item in items]
    assert max(decades.count(decade) for decade in decades) == 2
    client.put("/api/v1/users/vera/ratings", json={"ratings": rated})
    words = {"diversity": 0.5, "calibrated": "genres=0.4", "at_most": "decade=2"}
    of_user = client.get("/api/v1/users/vera/recommendations", params=words).json()["items"]
    assert of_user == items
    path = "/api/v1/users/vera/recommendations"
    for wrong, message in (
        ("diversity=nan", "diversity"),
        ("diversity=-1", "diversity"),
        ("calibrated=genre", "did you mean 'genres'"),
        ("at_most=genres", "at_most; expected COLUMN=NUMBER; received 'genres'"),
        ("at_most=director=2", "expected a column of the item table: title, year"),
        ("&".join(["at_most=genres=1"] * 9), "at_most"),
    ):
        answer = client.get(f"{path}?{wrong}")
        assert answer.status_code == 422, wrong
        assert message in answer.json()["error"]["message"]
    for wrong in ({"at_most": {"genres": 0}}, {"calibrated": {"genres": 1.5}}, {"diversity": 2}):
        answer = client.post("/api/v1/recommend", json={"ratings": rated, **wrong})
        assert answer.status_code == 422, wrong


def test_new_items_are_put_in_and_listed_where_asked_for(
    bayes_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copytree(bayes_artifact, tmp_path / "model"))
    key = {"X-API-Key": "0123456789abcdef"}
    sent = {"item_id": 9001, "title": SCRIPT, "facts": {"genres": ["Comedy"], "year": "—"}}
    with client_of(model, tmp_path, api_key=key["X-API-Key"]) as client:
        path = "/api/v1/items"
        assert client.post(path, json={"items": [sent]}).status_code == 401
        answer = client.post(path, json={"items": [sent]}, headers=key).json()
        assert (answer["added"], answer["items"][0]["basis"]) == (1, "facts")
        assert "year of 9001: '—' is left out" in answer["notes"]
        assert client.post(path, json={"items": [sent]}, headers=key).json()["unchanged"] == 1
        other = sent | {"facts": {"genres": ["Drama"]}}
        refused = client.post(path, json={"items": [other]}, headers=key)
        assert (refused.status_code, error_of(refused)) == (422, "item_exists")
        item = client.get(f"{path}/9001", headers=key).json()
        assert (item["item"]["title"], item["item"]["basis"]) == (SCRIPT, "facts")
        assert item["damped_average"] == pytest.approx(load_model(model).ratings_.global_mean)
        where = "/api/v1/users/3/recommendations"
        for new in (False, True):
            listed = client.get(where, params={"k": 90, "new": new}, headers=key).json()["items"]
            bases = {shown["item_id"]: shown["basis"] for shown in listed}
            assert bases.get(9001) == ("facts" if new else None)
        in_hand = {"ratings": [{"item_id": 9001, "rating": 5}], "k": 90, "new": True}
        listed = client.post("/api/v1/recommend", json=in_hand, headers=key).json()["items"]
        shown = {item["item_id"]: item["interval"] for item in listed}
        assert 9001 not in shown
        assert shown[902][0] < shown[902][1]
        for fact in ({"year": [[1]]}, {"year": 2**63}, {"title": "in facts"}, {"x": "y" * 10_001}):
            wrong = {"items": [{"item_id": 9002, "facts": fact}]}
            assert client.post(path, json=wrong, headers=key).status_code == 422
        # What a page elsewhere can send without being asked who it is.
        plain = key | {"Content-Type": "text/plain"}
        assert (
            client.post(path, content='{"items": [{"item_id": 8}]}', headers=plain).status_code
            == 422
        )
        with alone_at(model):
            monkeypatch.setattr("tastemap.serve.model.additions.MAX_SECONDS_OF_WAITING", 0.0)
            busy = client.post(path, json={"items": [{"item_id": 9002}]}, headers=key)
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
        many = {"items": [{"item_id": n} for n in range(1001)]}
        assert error_of(client.post(path, json=many, headers=key)) == "too_many"


def test_map_and_model(client: TestClient) -> None:
    columns = client.get("/api/v1/map").json()
    assert {
        len(values) for name, values in columns.items() if name not in ("sentence", "regions")
    } == {80}
    card = client.get("/api/v1/model").json()
    assert (card["n_items"], card["name"]) == (80, "MatrixFactorization")
    assert card["metrics"] == {"rmse": 0.9}


def test_the_same_answer_is_not_sent_twice(client: TestClient) -> None:
    for path in ("/api/v1/items/1", "/api/v1/map", "/api/v1/items", "/api/v1/users/3/ratings"):
        tag = client.get(path).headers["etag"]
        again = client.get(path, headers={"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")


def test_ids_of_any_character(text_artifact: Path, tmp_path: Path) -> None:
    with client_of(text_artifact, tmp_path) as client:
        for user in ODD:
            for item in ODD[:4]:
                path = f"/api/v1/users/{quote(user, safe='')}/ratings/{quote(item, safe='')}"
                assert client.put(path, json={"rating": 4}).status_code == 200, path
        for user in ODD:
            path = f"/api/v1/users/{quote(user, safe='')}/ratings"
            found = client.get(path).json()["ratings"]
            assert sorted(one["item_id"] for one in found) == sorted(ODD[:4])
        item = client.get("/api/v1/items/a%2Fb").json()["item"]
        assert item["item_id"] == "a/b"
        assert client.get("/api/v1/users/user%2F3/recommendations").json()["source"] == "trained"
        assert client.get("/api/v1/items/a/b").status_code == 404


def test_the_documentation_has_every_route(client: TestClient) -> None:
    page = (Path(__file__).parents[3] / "docs" / "serving.md").read_text(encoding="utf-8")
    routes = client.get("/openapi.json").json()["paths"]
    named = {f"`{method.upper()} {path}`" for path, ways in routes.items() for method in ways}
    assert {one for one in named if one not in page} == set()
    rows = re.findall(r"^\| (`[A-Z]+ /.*?`)", page, re.MULTILINE)
    assert sorted(rows) == sorted(named)


# ---- interactions ----


@pytest.fixture(scope="module")
def clicks_client(
    clicks_artifact: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("clicks")
    with client_of(clicks_artifact, folder, event_weights={"view": 1.0, "buy": 3.0}) as made:
        yield made


def test_likes_dislikes_and_events_of_a_user(clicks_client: TestClient) -> None:
    base = "/api/v1/users/ann"
    assert clicks_client.get(f"{base}/interactions").json() == {"interactions": []}
    for _ in range(2):
        assert clicks_client.put(f"{base}/interactions/2").json()["weight"] == 1
    body = {"weight": -1}
    assert clicks_client.put(f"{base}/interactions/1", json=body).json()["title"] == SCRIPT
    for body, code in (({"weight": 0}, "invalid_weight"), ({"weight": 1e7}, "invalid_request")):
        answer = clicks_client.put(f"{base}/interactions/1", json=body)
        assert (answer.status_code, error_of(answer)) == (422, code)
    events = [
        {"item_id": 4, "event": "buy", "event_id": "a"},
        {"item_id": "4", "event_id": 1},
        {"item_id": 4, "event_id": "1"},
        {"item_id": 81, "event": "buy"},
    ]
    answers = clicks_client.post(f"{base}/events", json={"events": events}).json()
    assert [answer["status"] for answer in answers["events"]] == [
        *("counted", "counted", "repeated", "refused")
    ]
    listed = clicks_client.get(f"{base}/interactions").json()["interactions"]
    assert [(one["item_id"], one["weight"]) for one in listed] == [(4, 4), (1, -1), (2, 1)]
    many = {"events": [{"item_id": 2}] * 1001}
    assert error_of(clicks_client.post(f"{base}/events", json=many)) == "too_many"
    for _ in range(2):
        assert clicks_client.delete(f"{base}/interactions/4").status_code == 204
    picks = clicks_client.get(
        f"{base}/recommendations", params={"k": 80, "exclude_seen": False}
    ).json()["items"]
    assert len(picks) == 79, "all but the disliked one"
    assert all(item["predicted_rating"] is None for item in picks)
    assert clicks_client.delete(base).status_code == 204
    assert clicks_client.get(f"{base}/interactions").json() == {"interactions": []}


def test_what_is_in_hand_may_be_a_history(clicks_client: TestClient, client: TestClient) -> None:
    asked = {"history": ["2", "Comedy 5 (1964)", 4], "k": 3, "reasons": True}
    answer = clicks_client.post("/api/v1/recommend", json=asked).json()
    assert (answer["source"], len(answer["items"])) == ("folded_in", 3)
    reasons = [item["because"]["item_id"] for item in answer["items"] if item["because"]]
    assert reasons
    assert set(reasons) <= {2, 4, 5}
    backwards = asked | {"history": [4, 5, 2]}
    assert clicks_client.post("/api/v1/recommend", json=backwards).json() != answer
    chosen = [{"item_id": 2}, {"item_id": 4, "weight": -1}, {"item_id": 5}]
    liked = clicks_client.post("/api/v1/recommend", json={"interactions": chosen, "k": 78}).json()
    assert {1, 3} <= {item["item_id"] for item in liked["items"]}
    assert not {2, 4, 5} & {item["item_id"] for item in liked["items"]}
    why = clicks_client.post("/api/v1/explain", json={"item_id": 6, "history": [2, 4, 5]}).json()
    assert {part["item_id"]: part["places_back"] for part in why["parts"]} == {2: 3, 4: 2, 5: 1}
    total = sum(part["contribution"] for part in why["parts"])
    assert total == pytest.approx(why["prediction"]["score"], abs=1e-6)
    later = clicks_client.post("/api/v1/recommend", json=asked | {"gap": 1e7}).json()
    scores = [[item["score"] for item in found["items"]] for found in (answer, later)]
    assert scores[0] != scores[1]
    why = clicks_client.post("/api/v1/explain", json={"item_id": 6, "history": [2], "gap": 1e7})
    assert why.json()["prediction"]["score"] == pytest.approx(
        sum(part["contribution"] for part in why.json()["parts"]), abs=1e-6
    )
    too_late, backwards = {"history": [2], "gap": 1e11}, {"history": [2], "gap": -1}
    for wrong in ({}, {"history": [2], "ratings": []}, {"gap": 9.0}, too_late, backwards):
        assert error_of(clicks_client.post("/api/v1/recommend", json=wrong)) == "invalid_request"
    # A model of ratings takes a history as likes.
    of_ratings = client.post("/api/v1/recommend", json={"history": [2, 4], "k": 3}).json()
    best = [{"item_id": item, "rating": 5} for item in (2, 4)]
    assert of_ratings == client.post("/api/v1/recommend", json={"ratings": best, "k": 3}).json()
    asked = {"history": [2, 4], "k": 3, "gap": 86_400}  # it does not look at time
    assert of_ratings == client.post("/api/v1/recommend", json=asked).json()


def test_routes_of_the_other_kind_say_what_to_use(
    clicks_client: TestClient, client: TestClient
) -> None:
    rated, base = {"rating": 4}, "/api/v1/users/ann"
    answers = [
        clicks_client.put(f"{base}/ratings/2", json=rated),
        clicks_client.get(f"{base}/ratings"),
        clicks_client.post("/api/v1/recommend", json={"ratings": [rated | {"item_id": 2}]}),
    ]
    for answer in answers:
        assert (answer.status_code, error_of(answer)) == (409, "unsupported_by_model")
        assert "use the routes and fields called interactions" in answer.text
    answers = [
        client.put(f"{base}/interactions/2"),
        client.post(f"{base}/events", json={"events": []}),
        client.post("/api/v1/explain", json={"item_id": 2, "interactions": [{"item_id": 4}]}),
    ]
    for answer in answers:
        assert (answer.status_code, error_of(answer)) == (409, "unsupported_by_model")
        assert "called ratings" in answer.text


def test_a_model_of_interactions_says_what_it_is(clicks_client: TestClient) -> None:
    card = clicks_client.get("/api/v1/model").json()
    assert (card["kind"], card["noun"], card["scale"]) == ("interactions", "film", None)
    assert card["weights"] == {"lowest": -1, "median": 1, "highest": 1}
    item = clicks_client.get("/api/v1/items/2").json()
    assert (item["damped_average"], item["histogram"]) == (None, [])
    pairs = [{"user_id": 3, "item_id": 2}, {"user_id": "nobody", "item_id": 2}]
    predicted = clicks_client.post("/api/v1/predict", json={"pairs": pairs}).json()["predictions"]
    assert [pair["predicted_rating"] for pair in predicted] == [None, None]
    assert predicted[1]["score"] == item["item"]["n_ratings"] > 0
    assert error_of(clicks_client.get("/api/v1/map")) == "no_map"


def test_flags_are_set_listed_and_taken_back(client: TestClient) -> None:
    home = "/api/v1/users/new/flags"
    for item, flag in ((3, "later"), (4, "unwanted"), (3, "seen")):
        assert client.put(f"{home}/{item}", json={"flag": flag}).status_code == 204
    listed = client.get(home).json()["flags"]
    assert sorted((item["item_id"], item["flag"]) for item in listed) == [
        (3, "seen"),
        (4, "unwanted"),
    ]
    assert client.put(f"{home}/3", json={"flag": "loved"}).status_code == 422
    assert client.put(f"{home}/none", json={"flag": "seen"}).status_code == 404
    client.put("/api/v1/users/new/ratings/5", json={"rating": 4})
    assert error_of(client.put(f"{home}/5", json={"flag": "later"})) == "rated_item"
    picks = client.get("/api/v1/users/new/recommendations?k=80&exclude_seen=false").json()["items"]
    assert {4} == {3, 4, 5} - {item["item_id"] for item in picks}
    assert client.delete(f"{home}/4").status_code == 204
    assert [item["item_id"] for item in client.get(home).json()["flags"]] == [3]
