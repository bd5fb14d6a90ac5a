"""A person's taste in words, their place on the map, and picks for several people."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.serve.answers import ItemMap, Place
from tastemap.serve.answers_people import GroupPick, GroupPicks, Leaning, Taste
from tastemap.serve.catalogue import Filters, top_rows
from tastemap.serve.model import LoadedModel, Person
from tastemap.serve.problems import Problem

# A genre or decade needs so many ratings to be spoken of, and is drawn towards 0 by so many.
ENOUGH, DRAWN = 2, 3.0
# From this difference on a leaning is put into words, in shares of the scale's width.
WORTH_SAYING = 0.06
# Likes and dislikes shown, and how far from the average one is unusual, in shares of the width.
UNUSUAL, FAR = 5, 0.2
# Items near which a person is placed, the share of the map's width that counts as near, and steps.
NEAREST, NEAR, STEPS = 25, 0.05, 20
METHODS = ("least_misery", "average")


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


def whole_map(model: LoadedModel) -> ItemMap:
    """All items on the map; see `Service.map`."""
    frame = model.map_frame
    if frame is None:
        raise Problem(404, "no_map", "this model has no map; tastemap map draws one and keeps it")
    columns = frame.to_dict(as_series=False)
    same = ("item_id", "x", "y", "preserved", "title", "year", "genre")
    return ItemMap(
        **{name: columns[name] for name in same},
        n_ratings=columns["popularity"],
        average_rating=columns["average"],
        sentence=model.map_sentence,
    )


def place_of_item(model: LoadedModel, row: int) -> Place | None:
    """Where an item lies on the map."""
    frame = model.map_frame
    at = np.flatnonzero(model.map_rows == row)
    if frame is None or not len(at):
        return None
    x, y, preserved = frame.select("x", "y", "preserved").row(int(at[0]))
    return Place(x, y, preserved)


def place_of_person(model: LoadedModel, someone: Person) -> Place | None:
    """Where a person stands: amid the densest part of the items that point their way.

    The items whose factors have the largest cosine with the person's own are looked up on the map;
    from the one in the thickest crowd, a mean weighted by nearness moves to the middle of the crowd
    (mean shift). A plain mean would stand between two crowds, where nothing is.
    """
    own, directions, places = model.factors_of(someone), model.item_directions, model.map_places
    if own is None or directions is None or not len(places) or not np.any(own):
        return None
    cosine = directions[model.map_rows] @ (own / np.linalg.norm(own))
    near = top_rows(cosine, NEAREST)
    crowd = places[near]
    width = max(float(np.ptp(places, axis=0).max()), 1e-9) * NEAR

    def weights(at: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.exp(-((crowd - at) ** 2).sum(axis=1) / (2 * width**2))

    at = crowd[int(np.argmax([weights(one).sum() for one in crowd]))]
    for _ in range(STEPS):
        at = weights(at) @ crowd / weights(at).sum()
    return Place(float(at[0]), float(at[1]))


# ---- together ----


def group_picks(
    model: LoadedModel, members: Mapping[str, Person], method: str, k: int, filters: Filters
) -> GroupPicks:
    """Items for several people; see `Service.group`."""
    if method not in METHODS:
        raise Problem(422, "invalid_argument", f"method is {' or '.join(METHODS)}, not {method!r}")
    if not members:
        raise Problem(422, "invalid_argument", "a group has at least one member")
    each = []
    for person in members.values():
        scores = model.scores(person)
        each.append(model.scale.clip(scores) if model.predicts else scores)
    table = np.stack(each)
    score = table.min(axis=0) if method == "least_misery" else table.mean(axis=0)
    seen = np.concatenate([person.rows for person in members.values()])
    # Between equal scores (the end of the scale) the happier group decides.
    rows = top_rows(score + 1e-6 * table.mean(axis=0), k, model.catalogue.allowed(filters), seen)
    names = list(members)
    picks = [
        GroupPick(card, table[:, row].tolist(), _reason(names, table[:, row], method))
        for card, row in zip(
            model.catalogue.cards(rows, score=score[rows]), rows.tolist(), strict=True
        )
    ]
    return GroupPicks(method, names, picks)


def _reason(names: list[str], predicted: npt.NDArray[Any], method: str) -> str:
    """Why a pick is one, in words."""
    least, most = int(np.argmin(predicted)), int(np.argmax(predicted))
    if len(names) == 1:
        return f"{names[0]} would give it {predicted[0]:.1f}"
    extremes = (
        f"{names[least]} would like it least ({predicted[least]:.1f}), "
        f"{names[most]} most ({predicted[most]:.1f})"
    )
    if method == "least_misery":
        return f"nobody below {predicted[least]:.1f}: {extremes}"
    return f"{predicted.mean():.1f} on average: {extremes}"
