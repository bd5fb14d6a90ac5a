"""The card of a person's taste: favourites, genres, a place, a sentence."""

from tastemap.serve.answers.taste_card import (
    COVER_COLOURS,
    FRAME_HEIGHT,
    FRAME_WIDTH,
    FRAME_X,
    FRAME_Y,
)
from tastemap.serve.service import Service


def test_the_card_has_favourites_genres_and_a_true_sentence(service: Service) -> None:
    mine = {str(n): 5.0 for n in range(2, 12, 2)} | {str(n): 1.0 for n in range(3, 13, 2)}
    card = service.taste_card(mine)
    assert card is not None
    assert (card.n, card.genres, len(card.covers)) == (10, ["Drama"], 5)
    assert all(cover.rating == 5 and cover.lines[0].startswith("Drama") for cover in card.covers)
    assert " ".join(card.sentence) == "I rate Drama (5 ratings) higher than others do."
    assert {cover.colour for cover in card.covers} <= {*COVER_COLOURS}
    assert service.taste_card({}) is None


def test_few_ratings_make_a_card_without_a_claim(service: Service, clicks: Service) -> None:
    card = service.taste_card({"2": 4.0})
    assert card is not None
    assert card.sentence[0].startswith("I give ")
    likes = clicks.taste_card({"2": 1.0, "3": -1.0})
    assert likes is not None
    assert (likes.n, likes.covers[0].rating, likes.sentence) == (1, None, ["I like 1 film."])


def test_the_map_of_the_card_lies_within_its_frame(service: Service) -> None:
    card = service.taste_card({"2": 5.0, "4": 5.0, "6": 4.0})
    assert card is not None
    assert card.place is not None
    for x, y in (*card.dots, card.place):
        assert FRAME_X - 1 <= x <= FRAME_X + FRAME_WIDTH + 1
        assert FRAME_Y - 1 <= y <= FRAME_Y + FRAME_HEIGHT + 1


def test_contrast_of_white_text_on_covers() -> None:
    for colour in COVER_COLOURS:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        luminance = sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
        assert 1.05 / (luminance + 0.05) >= 7
