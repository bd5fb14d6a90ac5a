"""A person's taste: what they rate above and below others, by genre and decade, and in words."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from tastemap.arrays import I64, FloatArray, IndexArray
from tastemap.data.nouns import item_noun
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import ItemCard
from tastemap.support.counts import counted

# A leaning has at least so many ratings, and is drawn towards 0 by so many.
MIN_RATINGS_PER_LEANING, SHRINKAGE_RATINGS = 3, 3.0
# A leaning of this share of the scale's width is put into words, if so many ratings say so and it
# is so many of its standard errors from 0: of ten genres hardly one gets there by chance.
MIN_SHARE_IN_WORDS, MIN_RATINGS_IN_WORDS, MIN_ERRORS_IN_WORDS = 0.06, 5, 2.0
# A difference of shares of likes that is put into words.
MIN_DIFFERENCE_OF_SHARES = 0.1
# So many likes and dislikes are shown, this share of the scale's width or more from the average; at
# most this share of the people rate as high, or as low.
MAX_LIKES, MIN_SHARE_OF_LIKE, MAX_SHARE_OF_PEOPLE = 5, 0.2, 0.25


@dataclass(frozen=True, slots=True)
class Leaning:
    """How a person rates a genre or decade, compared with what others give the same items.

    Attributes:
        name: The genre or decade.
        n: How many of its items the person rated, or likes.
        difference: Mean of own rating minus damped average, drawn towards 0 where n is small;
            without ratings its share of what the person likes minus that of what all like, drawn
            towards 0 where the person likes little.
        is_sure: Whether there is enough evidence to put it into words.
    """

    name: str
    n: int
    difference: float
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Taste:
    """A person's taste: what they rate above and below others.

    Attributes:
        n: Number of ratings, or of interactions. mean: Their mean, null without any ratings.
        generosity: Mean of own rating minus the item's damped average, null without any ratings.
        genres, decades: Leanings, the largest difference first.
        likes, dislikes: Items rated far above, and far below, what others give them, and as few
            others do; without ratings the latest that the person likes and dislikes.
        sentences: The same in words.
    """

    n: int
    mean: float | None
    generosity: float | None
    genres: list[Leaning]
    decades: list[Leaning]
    likes: list[ItemCard]
    dislikes: list[ItemCard]
    sentences: list[str]


def taste_of(model: LoadedModel, user: ServedUser) -> Taste:
    """What a person rates above and below others; see `Service.taste`."""
    rows, catalogue = user.item_index, model.catalogue
    if not len(rows):
        return Taste(0, None, None, [], [], [], [], [])
    if not model.has_ratings:
        return _taste_without_ratings(model, user)
    width = (model.scale.highest - model.scale.lowest) or 1.0
    difference = user.rating - catalogue.default_scores[rows]
    generosity = float(difference.mean())
    relative = difference - generosity
    genres = _leanings(relative, [catalogue[row].genres for row in rows.tolist()])
    decades = _leanings(relative, [decades_of(catalogue[row].year) for row in rows.tolist()])
    likes, dislikes = (
        _unusual(model, user, sign * difference, MIN_SHARE_OF_LIKE * width, sign)
        for sign in (1, -1)
    )
    return Taste(
        n=len(rows),
        mean=float(user.rating.mean()),
        generosity=generosity,
        genres=genres,
        decades=decades,
        likes=catalogue.cards(rows[likes], rating_of=user.rating_of),
        dislikes=catalogue.cards(rows[dislikes], rating_of=user.rating_of),
        sentences=_sentences(
            Leaning("", len(rows), generosity, _is_sure(difference, float(difference.std()))),
            genres,
            decades,
            MIN_SHARE_IN_WORDS * width,
            item_noun(model.data).plural,
        ),
    )


def _unusual(
    model: LoadedModel, user: ServedUser, beyond: FloatArray, least: float, sign: int
) -> list[int]:
    """Places of the ratings farthest beyond what others give, of those that few others give.

    Args:
        model: The model.
        user: Whose ratings they are.
        beyond: By how much each is above the average (sign 1) or below it (sign -1), (n,).
        least: What counts as far.
        sign: Whether high ratings are looked for, or low ones.
    """
    places: list[int] = []
    for place in np.argsort(-beyond, kind="stable").tolist():
        if beyond[place] < least or len(places) == MAX_LIKES:
            break
        levels, counts = zip(*model.catalogue.histogram(int(user.item_index[place])), strict=True)
        as_far = sign * np.array(levels) >= sign * float(user.rating[place]) - 1e-6
        if (as_far * np.array(counts)).sum() <= MAX_SHARE_OF_PEOPLE * sum(counts):
            places.append(place)
    return places


def _taste_without_ratings(model: LoadedModel, user: ServedUser) -> Taste:
    """What a person likes more and less often than others do."""
    catalogue, weights = model.catalogue, user.rating_of
    liked, disliked = (
        np.array([row for row, weight in weights.items() if (weight > 0) == sign], dtype=np.int32)
        for sign in (True, False)
    )
    every_row = range(len(catalogue))
    genres, decades = (
        _shares(liked, names_of, catalogue.popularity)
        for names_of in (
            [catalogue[row].genres for row in every_row],
            [decades_of(catalogue[row].year) for row in every_row],
        )
    )
    return Taste(
        n=len(weights),
        mean=None,
        generosity=None,
        genres=genres,
        decades=decades,
        likes=catalogue.cards(liked[::-1][:MAX_LIKES], rating_of=weights),
        dislikes=catalogue.cards(disliked[::-1][:MAX_LIKES], rating_of=weights),
        sentences=_sentences_of_shares(genres, decades, item_noun(model.data).plural, len(liked)),
    )


def _shares(liked: IndexArray, names_of: list[tuple[str, ...]], popularity: I64) -> list[Leaning]:
    """The share of each name among some rows minus that among all likes, the largest first."""
    of_user, of_all = Counter[str](), Counter[str]()
    for row in liked.tolist():
        of_user.update(names_of[row])
    for names, n_likes in zip(names_of, popularity.tolist(), strict=True):
        for name in names:
            of_all[name] += n_likes
    size, n_likes = len(liked) + SHRINKAGE_RATINGS, max(int(popularity.sum()), 1)
    leanings = []
    for name, n in of_all.items():
        share = n / n_likes
        more = of_user[name] - len(liked) * share
        error = np.sqrt(len(liked) * share * (1 - share))
        is_sure = len(liked) >= MIN_RATINGS_IN_WORDS and abs(more) >= MIN_ERRORS_IN_WORDS * error
        leanings.append(Leaning(name, of_user[name], more / size, bool(is_sure)))
    return sorted(leanings, key=lambda leaning: (-leaning.difference, leaning.name))


def decades_of(year: int | None) -> tuple[str, ...]:
    """The decade of a year, if it is known.

    Example:
        >>> decades_of(1977), decades_of(None)
        (('1970s',), ())
    """
    return () if year is None else (f"{year // 10 * 10}s",)


def _leanings(difference: FloatArray, names_of: list[tuple[str, ...]]) -> list[Leaning]:
    """Mean difference of each name with enough ratings, drawn towards 0, the largest first."""
    values: dict[str, list[float]] = {}
    for value, names in zip(difference.tolist(), names_of, strict=True):
        for name in names:
            values.setdefault(name, []).append(value)
    spread = float(difference.std())
    leanings = [
        Leaning(
            *(name, len(group), sum(group) / (len(group) + SHRINKAGE_RATINGS)),
            is_sure=_is_sure(np.array(group), spread),
        )
        for name, group in values.items()
        if len(group) >= MIN_RATINGS_PER_LEANING
    ]
    return sorted(leanings, key=lambda leaning: (-leaning.difference, leaning.name))


def _is_sure(difference: FloatArray, spread: float) -> bool:
    """Whether the mean of some differences is not 0, where single ones spread so far."""
    enough = len(difference) >= MIN_RATINGS_IN_WORDS
    error = spread / np.sqrt(len(difference))
    return bool(enough and abs(float(difference.mean())) >= MIN_ERRORS_IN_WORDS * error)


def _sentences(
    generosity: Leaning, genres: list[Leaning], decades: list[Leaning], least: float, items: str
) -> list[str]:
    """The taste in words, each with the number of ratings that it is drawn from."""
    sentences = []
    if generosity.is_sure and abs(generosity.difference) >= least:
        side = "above" if generosity.difference > 0 else "below"
        mean = f"{abs(generosity.difference):.1f} {side} what others give"
        sentences.append(f"Your {generosity.n} ratings are on average {mean}.")
    for kind, leanings in (("", genres), (f"{items} of the ", decades)):
        sure = [lean for lean in leanings if lean.is_sure]
        more = [_evident(kind, lean) for lean in sure[:3] if lean.difference >= least]
        less = [_evident(kind, lean) for lean in sure[::-1][:3] if lean.difference <= -least]
        if more:
            sentences.append(f"You rate {_listed(more)} higher than others do.")
        if less:
            sentences.append(f"You rate {_listed(less)} lower than others do.")
    return sentences


def _evident(kind: str, leaning: Leaning) -> str:
    """A genre or decade, and how many ratings speak of it."""
    return f"{kind}{leaning.name} ({counted(leaning.n, 'rating')})"


def _sentences_of_shares(
    genres: list[Leaning], decades: list[Leaning], items: str, n: int
) -> list[str]:
    """The taste in words, where there are no ratings, by so many likes."""
    sentences = []
    for kind, leanings in (("", genres), (f"{items} of the ", decades)):
        for word, sign, order in (("more", 1, leanings), ("less", -1, leanings[::-1])):
            names = [
                kind + lean.name
                for lean in order[:3]
                if lean.is_sure and sign * lean.difference >= MIN_DIFFERENCE_OF_SHARES
            ]
            if names:
                which = f"{_listed(names)} {word} often than others do"
                sentences.append(f"By your {n} likes you choose {which}.")
    return sentences


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
