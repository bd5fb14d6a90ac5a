"""A person's taste, beside what others give."""

import pytest

from tastemap.serve.service import Service


def test_taste_speaks_of_what_differs_from_others(service: Service) -> None:
    mine = {str(n): 5.0 for n in range(2, 12, 2)} | {str(n): 1.0 for n in range(3, 13, 2)}
    taste = service.taste(mine)
    assert [leaning.name for leaning in taste.genres] == ["Drama", "Comedy"]
    assert taste.genres[0].difference > 0 > taste.genres[1].difference
    assert "You rate Drama (5 ratings) higher than others do." in taste.sentences
    assert taste.likes
    assert all(item.your_rating == 5 for item in taste.likes)
    assert service.taste({}).n == 0


def test_little_evidence_makes_no_sentence(service: Service, clicks: Service) -> None:
    few = service.taste({"2": 5.0, "4": 5.0, "6": 5.0})
    assert few.genres[0].name == "Drama"
    assert few.sentences == []
    mixed = {str(n): 5.0 if n % 4 else 1.0 for n in range(2, 18, 2)}
    mixed |= {str(n): 4.0 if n % 4 == 1 else 2.0 for n in range(1, 17, 2)}
    unsure = service.taste(mixed)
    assert all(leaning.n >= 5 for leaning in unsure.genres)
    assert not [text for text in unsure.sentences if "Drama" in text or "Comedy" in text]
    assert clicks.taste({"2": 1.0, "4": 1.0, "6": 1.0}).sentences == []


def test_what_many_give_is_not_unusual(service: Service) -> None:
    """At most a quarter of the raters of a like rate it as high."""
    mine = {str(n): 5.0 for n in range(1, 60)} | {str(n): 1.0 for n in range(60, 80)}
    taste = service.taste(mine)
    for cards, as_far in ((taste.likes, lambda r: r >= 5), (taste.dislikes, lambda r: r <= 1)):
        assert cards
        for card in cards:
            bars = service.model.catalogue.histogram(int(card.item_id) - 1)
            share = sum(n for r, n in bars if as_far(r)) / sum(n for _, n in bars)
            assert share <= 0.25


def test_taste_without_ratings_is_what_is_chosen_more_often(clicks: Service) -> None:
    mine = {str(n): 1.0 for n in range(2, 14, 2)} | {"3": -1.0}
    taste = clicks.taste(mine)
    assert (taste.n, taste.mean, taste.generosity) == (7, None, None)
    assert [(leaning.name, leaning.n) for leaning in taste.genres] == [("Drama", 6), ("Comedy", 0)]
    more, less = (leaning.difference for leaning in taste.genres)
    assert more == pytest.approx(-less)
    assert more > 0.1
    assert "By your 6 likes you choose Drama more often than others do." in taste.sentences
    assert [item.item_id for item in taste.likes] == [12, 10, 8, 6, 4], "the latest first"
    assert [item.item_id for item in taste.dislikes] == [3]
