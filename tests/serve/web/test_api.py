"""Every route of the REST service, asked in the same process."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from clients import client_of, error_of
from small_models import SCRIPT
from starlette.testclient import TestClient

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
    asked = {"k": 4, "novelty": 0.3, "genre": "drama", "exclude_seen": False}
    found = client.get(path.format("zoe"), params=asked).json()
    assert found["source"] == "folded_in"
    assert len(found["items"]) == 4
    assert all("Drama" in item["genres"] for item in found["items"])
    assert len(client.get("/api/v1/users/zoe/similar", params={"k": 2}).json()["users"]) == 2
    assert client.delete("/api/v1/users/zoe").status_code == 204
    assert client.get(path.format("zoe")).json()["source"] == "popular"


def test_questions_with_ratings_in_hand_keep_nothing(client: TestClient) -> None:
    rated = [{"item_id": 2, "rating": 5}, {"item_id": 1, "rating": 1}]
    asked = {"ratings": rated, "k": 3, "where": {"genre": "Drama"}}
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


def test_map_and_model(client: TestClient) -> None:
    columns = client.get("/api/v1/map").json()
    assert {len(values) for name, values in columns.items() if name != "sentence"} == {80}
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
