"""A person's taste in words, their place on the map, and picks for several people."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.serve.model.loaded import LoadedModel, Person
from tastemap.serve.schemas import Leaning, Taste

# A genre or decade needs so many ratings to be spoken of, and is drawn towards 0 by so many.
ENOUGH, DRAWN = 2, 3.0
# From this difference on a leaning is put into words, in shares of the scale's width.
WORTH_SAYING = 0.06
# Likes and dislikes shown, and how far from the average one is unusual, in shares of the width.
UNUSUAL, FAR = 5, 0.2


def taste(model: LoadedModel, someone: Person) -> Taste:
    """What a person rates above and below others; see `Service.taste`."""
    if not len(someone.rows):
        return Taste(0, None, None, [], [], [], [], [])
    width = (model.scale.highest - model.scale.lowest) or 1.0
    difference = someone.rating - model.catalogue.damped[someone.rows]
    generosity = float(difference.mean())
    relative = difference - generosity
    genres = _leanings(relative, [model.catalogue.genres_at(r) for r in someone.rows.tolist()])
    years = [model.catalogue.year_at(row) for row in someone.rows.tolist()]
    decades = [decades_of(year) for year in years]
    by_decade = _leanings(relative, decades)
    order = np.argsort(-difference, kind="stable")
    likes = [at for at in order[:UNUSUAL] if difference[at] >= FAR * width]
    dislikes = [at for at in order[::-1][:UNUSUAL] if difference[at] <= -FAR * width]
    return Taste(
        n=len(someone.rows),
        mean=float(someone.rating.mean()),
        generosity=generosity,
        genres=genres,
        decades=by_decade,
        likes=model.catalogue.cards(someone.rows[likes], own=someone.own),
        dislikes=model.catalogue.cards(someone.rows[dislikes], own=someone.own),
        sentences=_sentences(generosity, genres, by_decade, WORTH_SAYING * width),
    )


def decades_of(year: int | None) -> tuple[str, ...]:
    """The decade of a year, if it is known.

    Example:
        >>> decades_of(1977), decades_of(None)
        (('1970s',), ())
    """
    return () if year is None else (f"{year // 10 * 10}s",)


def _leanings(difference: npt.NDArray[Any], groups: list[tuple[str, ...]]) -> list[Leaning]:
    """Mean difference of each group with enough ratings, drawn towards 0, the largest first."""
    values: dict[str, list[float]] = {}
    for value, names in zip(difference.tolist(), groups, strict=True):
        for name in names:
            values.setdefault(name, []).append(value)
    found = [
        Leaning(name, len(one), sum(one) / (len(one) + DRAWN))
        for name, one in values.items()
        if len(one) >= ENOUGH
    ]
    return sorted(found, key=lambda one: (-one.difference, one.name))


def _sentences(
    generosity: float, genres: list[Leaning], decades: list[Leaning], least: float
) -> list[str]:
    """The taste in words."""
    said = []
    if abs(generosity) >= least:
        side = "above" if generosity > 0 else "below"
        said.append(f"Your ratings are on average {abs(generosity):.1f} {side} what others give.")
    for kind, leanings in (("", genres), ("films of the ", decades)):
        more = [kind + one.name for one in leanings[:3] if one.difference >= least]
        less = [kind + one.name for one in leanings[::-1][:3] if one.difference <= -least]
        if more:
            said.append(f"You rate {_listed(more)} higher than others do.")
        if less:
            said.append(f"You rate {_listed(less)} lower than others do.")
    return said


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# ---- the map ----


# ---- together ----
