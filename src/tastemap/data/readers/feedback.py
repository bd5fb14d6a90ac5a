"""Read a table that has ratings or has none: one decision for every caller."""

from collections.abc import Mapping
from typing import Any

from tastemap.data.interactions import Interactions
from tastemap.data.nouns import with_noun
from tastemap.data.ratings import Ratings
from tastemap.data.readers.interactions import read_interactions
from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.side_tables import with_tables
from tastemap.errors import ArgumentError, NoRatingsError

#: Arguments of `read_ratings` that say nothing of interactions, and their defaults.
OF_RATINGS = {
    "layout": None,
    "duplicates": "last",
    "missing_times": "drop",
    "on_bad_row": "error",
    "unrated": None,
    "seen": None,
}
#: Arguments of `read_interactions` that say nothing of ratings.
OF_INTERACTIONS = ("weight", "event", "event_weights", "repeats")


def read_feedback(
    source: Any, *, rating: str | None = None, progress: Any = None, **options: Any
) -> Ratings | Interactions:
    """Ratings from a table that has some, interactions from one that has none.

    The first note of interactions says that there are no ratings. Where an argument says what the
    table holds, it decides: ``rating`` is for ratings; ``weight``, ``event``, ``event_weights`` and
    ``repeats`` are for interactions.

    Args:
        source: A path or a frame, as `tastemap.read_ratings` takes them.
        rating: The column of the ratings; None to find it, or to find that there is none.
        progress: As in `tastemap.read_ratings`.
        options: Further arguments of `tastemap.read_ratings` or `tastemap.read_interactions`;
            ``items``, ``users`` and ``noun`` are for both.

    Raises:
        DataError: If the table can be read neither as ratings nor as interactions.
        ArgumentError: If an argument is for the other kind of table.

    Example:
        >>> import polars as pl
        >>> table = {"user": ["ann", "ann", "bo"], "film": ["Heat", "Alien", "Heat"]}
        >>> read_feedback(pl.DataFrame(table)).source.notes[0]
        '3 interactions of 2 people with 2 films; no ratings: lists, no stars'
        >>> read_feedback(pl.DataFrame(table | {"stars": [4, 2, 5]}))
        Ratings(ratings: 3 ratings, 2 users, 2 items, 2 to 5 in steps of 1)
    """
    given = [name for name in OF_INTERACTIONS if options.get(name) is not None]
    if given and rating is not None:
        what = f"rating, {', '.join(given)}"
        raise ArgumentError(what, expected="one of the two kinds of table", received="both")
    if given:
        return _interactions(source, options)
    of_ratings = {name: value for name, value in options.items() if name not in OF_INTERACTIONS}
    try:
        return read_ratings(source, rating=rating, progress=progress, **of_ratings)
    except NoRatingsError as error:
        if rating is not None:
            raise
        return _interactions(source, options | {"weight": error.counts})


def _interactions(source: Any, options: Mapping[str, Any]) -> Interactions:
    """The table read as interactions, described by the tables beside it."""
    for name, default in OF_RATINGS.items():
        if options.get(name, default) != default:
            raise ArgumentError(
                name,
                expected="a table of ratings",
                received=f"{source}, which is read without ratings",
                do="use repeats" if name == "duplicates" else "leave it out",
            )
    beside = ("items", "users", "noun")
    how = {name: options[name] for name in options if name not in (*OF_RATINGS, *beside)}
    how["repeats"] = how.get("repeats") or "sum"
    interactions = read_interactions(source, **how)
    interactions = with_tables(interactions, options.get("items"), options.get("users"))
    noun = options.get("noun")
    return interactions if noun is None else with_noun(interactions, noun)
