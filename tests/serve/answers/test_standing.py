"""Where an item stands: among all, and on a person's list."""

from tastemap.serve.service import Service


def test_a_place_is_that_on_the_list_of_recommendations(clicks: Service) -> None:
    mine = {"2": 1.0, "4": 1.0, "5": -1.0}
    picks = clicks.recommend(mine, 77).items
    for place in (1, 5, 40):
        stands = clicks.standing(mine, str(picks[place - 1].item_id))
        assert (stands.place, stands.n_listed, stands.n_items) == (place, 77, 80)


def test_who_has_said_nothing_has_no_list_and_what_is_marked_is_on_none(clicks: Service) -> None:
    assert clicks.standing({}, "7").place is None
    assert clicks.standing({"2": 1.0}, "2").place is None
    assert clicks.standing({"2": 1.0, "5": -1.0}, "5").place is None


def test_the_most_popular_item_is_number_one(clicks: Service) -> None:
    counts = clicks.model.catalogue.popularity
    best = clicks.model.catalogue[int(counts.argmax())].item_id
    assert clicks.standing({}, str(best)).popularity == 1
    assert clicks.standing({}, "1").popularity == 1 + int((counts > counts[0]).sum())
