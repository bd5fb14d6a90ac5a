"""Answers as JSON: the same fields for a page and for the API."""

import json

import orjson

from tastemap.serve.schemas import ItemCard, Reason, Recommendations


def test_an_answer_is_json_with_every_field_and_null_for_what_is_unknown() -> None:
    card = ItemCard(7, "Alien", 1979, ("Horror",), because=Reason(8, "Aliens", 4.5))
    answer = json.loads(orjson.dumps(Recommendations("popular", [card])))
    assert answer["source"] == "popular"
    assert answer["note"] is None
    (item,) = answer["items"]
    assert item["because"] == {
        "item_id": 8,
        "title": "Aliens",
        "name": "Aliens",
        "rating": 4.5,
    }
    assert item["genres"] == ["Horror"]
    unknown = {"average_rating", "predicted_rating", "score", "your_rating", "note"}
    unknown |= {"basis", "interval"}
    assert {name for name, value in item.items() if value is None} == unknown
    said = json.loads(orjson.dumps(ItemCard(8, "Postino, Il")))
    assert (said["title"], said["name"]) == ("Postino, Il", "Il Postino")
