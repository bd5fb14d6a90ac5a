"""A card of a person's taste, to save or share: favourites, genres, a place, a sentence."""

import math
import textwrap
from collections import Counter
from typing import NamedTuple

import numpy as np

from tastemap.data.nouns import Noun, item_noun
from tastemap.explore.imports.titles import article_in_front, bracketed
from tastemap.serve.answers.item_map import place_of_user
from tastemap.serve.answers.taste import taste_of
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.support.counts import counted

N_FAVOURITES, N_GENRES, N_DOTS = 5, 3, 700
# Characters and lines of a title on a cover, and of the sentence.
TITLE_WIDTH, MAX_TITLE_LINES = 13, 4
SENTENCE_WIDTH, MAX_SENTENCE_LINES = 42, 3
# Backgrounds of covers, by where on the map a film lies; white text on each has a contrast of 7 or
# more, and no two are told apart by red and green alone.
COVER_COLOURS = ("#0b4f6c", "#5b2a6f", "#7a3b00", "#1f3d7a", "#3d4654", "#6b1f3a")
# The card's map: its left upper corner and its size, in the card's units.
FRAME_X, FRAME_Y, FRAME_WIDTH, FRAME_HEIGHT = 758, 60, 360, 250


class Cover(NamedTuple):
    """A favourite as the card draws it.

    Attributes:
        lines: Its title, as people say it, in lines.
        year: Its year, or None.
        rating: The person's rating, None where there are likes alone.
        colour: The background.
    """

    lines: list[str]
    year: int | None
    rating: float | None
    colour: str


class TasteCard(NamedTuple):
    """What stands on the card.

    Attributes:
        n: The number of ratings, or of likes.
        covers: The favourites, the best first.
        genres: Genres that the person likes, the most first.
        sentence: What is true of their taste, in lines.
        dots: Places of well-known items on the card's map.
        place: The person's place on it; None where there is none.
        noun: What items are called, in the plural.
    """

    n: int
    covers: list[Cover]
    genres: list[str]
    sentence: list[str]
    dots: list[tuple[float, float]]
    place: tuple[float, float] | None
    noun: str


def taste_card(model: LoadedModel, user: ServedUser) -> TasteCard | None:
    """The card of a person; None for somebody who has rated, or likes, nothing."""
    liked = user.rating > 0 if not model.has_ratings else np.ones(len(user.rating), dtype=bool)
    rows, ratings = user.item_index[liked], user.rating[liked]
    if not len(rows):
        return None
    beyond = ratings - model.catalogue.default_scores[rows] if model.has_ratings else 0 * ratings
    # The latest come last.
    order = np.lexsort((np.arange(len(rows)), beyond, ratings))[::-1][:N_FAVOURITES]
    favourites = rows[order].tolist()
    noun = item_noun(model.data)
    return TasteCard(
        n=len(rows),
        covers=[
            _cover(model, row, float(rating) if model.has_ratings else None)
            for row, rating in zip(favourites, ratings[order], strict=True)
        ],
        genres=_genres(model, user, favourites),
        sentence=_lines(_sentence(model, user, noun), SENTENCE_WIDTH, MAX_SENTENCE_LINES),
        dots=_dots(model),
        place=_place(model, user),
        noun=noun.plural,
    )


def _cover(model: LoadedModel, row: int, rating: float | None) -> Cover:
    facts = model.catalogue[row]
    title = article_in_front(bracketed(facts.title)[0])
    return Cover(
        _lines(title, TITLE_WIDTH, MAX_TITLE_LINES), facts.year, rating, _colour(model, row)
    )


def _colour(model: LoadedModel, row: int) -> str:
    """A colour by the direction in which an item lies from the middle of the map."""
    number = row
    if model.map is not None and (at := np.flatnonzero(model.map.rows == row)).size:
        x, y = model.map.places[int(at[0])] - model.map.places.mean(axis=0)
        number = math.floor((math.atan2(y, x) / math.tau + 0.5) * len(COVER_COLOURS))
    return COVER_COLOURS[number % len(COVER_COLOURS)]


def _genres(model: LoadedModel, user: ServedUser, favourites: list[int]) -> list[str]:
    """What the person rates above others, else what most of the favourites are."""
    loved = [lean.name for lean in taste_of(model, user).genres if lean.difference > 0]
    counts = Counter(genre for row in favourites for genre in model.catalogue[row].genres)
    return (loved or [name for name, _ in counts.most_common()])[:N_GENRES]


def _sentence(model: LoadedModel, user: ServedUser, noun: Noun) -> str:
    """The first sentence of the person's taste, said by them; else a like that few share."""
    taste = taste_of(model, user)
    for said in taste.sentences:
        return said.replace("Your ", "My ", 1).replace("You ", "I ", 1)
    for card in taste.likes if model.has_ratings else ():
        title = article_in_front(bracketed(card.title)[0])
        if card.your_rating is not None and card.average_rating is not None:
            given, others = f"{card.your_rating:g}", f"{card.average_rating:.1f}"
            return f"I give {title} a {given}; others give it {others}."
    if taste.mean is None:
        return f"I like {counted(int((user.rating > 0).sum()), *noun)}."
    return f"I give {taste.mean:.1f} on average."


def _lines(text: str, width: int, n_lines: int) -> list[str]:
    """A text in lines; what is too long ends in an ellipsis.

    Example:
        >>> _lines("The Shawshank Redemption", 15, 4), _lines("a b c", 1, 2)
        (['The Shawshank', 'Redemption'], ['a', 'b …'])
    """
    lines = textwrap.wrap(text, width) or [text[:width]]
    return lines if len(lines) <= n_lines else [*lines[: n_lines - 1], f"{lines[n_lines - 1]} …"]


def _dots(model: LoadedModel) -> list[tuple[float, float]]:
    """The places of the best-known items."""
    if model.map is None:
        return []
    order = np.argsort(-model.catalogue.popularity[model.map.rows], kind="stable")[:N_DOTS]
    return [_on_card(model, place) for place in model.map.places[order].tolist()]


def _place(model: LoadedModel, user: ServedUser) -> tuple[float, float] | None:
    place = place_of_user(model, user)
    return None if place is None else _on_card(model, [place.x, place.y])


def _on_card(model: LoadedModel, place: list[float]) -> tuple[float, float]:
    """A place of the map on the card, whose y goes down."""
    if model.map is None:
        return 0.0, 0.0
    low, high = model.map.places.min(axis=0), model.map.places.max(axis=0)
    x, y = ((np.array(place) - low) / np.maximum(high - low, 1e-9)).tolist()
    return round(FRAME_X + x * FRAME_WIDTH, 1), round(FRAME_Y + (1 - y) * FRAME_HEIGHT, 1)
