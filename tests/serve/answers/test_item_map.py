"""The map, and a person's place on it."""

from tastemap.serve.service import Service


def test_a_person_has_a_place_among_what_they_like(service: Service) -> None:
    assert service.own_map({}).place is None
    place = service.own_map({"2": 5.0, "4": 5.0, "1": 1.0}).place
    columns = service.map()
    assert min(columns.x) <= place.x <= max(columns.x)
    assert min(columns.y) <= place.y <= max(columns.y)
    assert service.item("1").place.x == columns.x[0]
    assert "10 most similar" in columns.sentence
