"""Whom a call is about: a user of the data, or a new one from ratings, likes, a history, a file."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError
from tastemap.jobs.import_ratings import history_of_file, ratings_of_file
from tastemap.jobs.titles import item_ids, rated_items
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.user import User, in_order
from tastemap.support.counts import plain


def arguments_of_user(
    model: Recommender,
    user: str | None,
    ratings: Any = None,
    *,
    after: Sequence[str] | None = None,
    seen: Sequence[str] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """The arguments of `recommend` that say whom it is for, and notes on what was read.

    Args:
        model: A fitted model.
        user: A user id, or None.
        ratings: Of a new user: ratings by words of titles, a list of items that they like, the path
            of a file of either, or None.
        after: Items that a new user had, oldest first, or None.
        seen: Items that a new user has seen without a rating, or None.

    Returns:
        Some of ``user_id, ratings, history, seen``, with ids in place of words, and the notes.

    Raises:
        ArgumentError: If nobody is named, or what is said does not go together.
    """
    data, notes, history = model.fitted_data, list[str](), None
    is_rated = isinstance(data, Ratings)
    _refuse_other_kind(ratings, is_rated=is_rated)
    if user is None and ratings is None and not after and not seen:
        raise _nobody(model)
    if isinstance(ratings, Mapping):
        ratings = rated_items(data, ratings)
    elif isinstance(ratings, list):
        ratings = item_ids(data, ratings, "--like")
    elif isinstance(ratings, Path) and is_rated:
        ratings, notes = ratings_of_file(ratings, model.fitted_ratings)
    elif isinstance(ratings, Path):
        if after:
            raise ArgumentError("--after, --ratings", expected="one of the two", received="both")
        history, notes = history_of_file(ratings, data)
        ratings = None
    if after:
        history = item_ids(data, after, "--after")
    arguments = {
        "user_id": user,
        "ratings": ratings,
        "history": history,
        "seen": item_ids(data, seen, "--seen") if seen else None,
    }
    return {name: value for name, value in arguments.items() if value is not None}, notes


def user_of(model: Recommender, arguments: Mapping[str, Any]) -> User:
    """The user that `arguments_of_user` names, as the model describes them."""
    data = model.fitted_data
    if (user := arguments.get("user_id")) is not None:
        return model.user_at(data.users.index_of(user))
    ratings = arguments.get("ratings")
    if "history" in arguments:
        ratings = in_order(data, ratings, arguments["history"])
    return model.fold_in(ratings, seen=arguments.get("seen"))


def _refuse_other_kind(ratings: Any, *, is_rated: bool) -> None:
    """Refuse ratings where a model has learnt from interactions, and likes where from ratings."""
    if ratings is None or isinstance(ratings, Path) or is_rated != isinstance(ratings, list):
        return
    raise ArgumentError(
        "--like" if is_rated else "--rate",
        expected="a model of interactions" if is_rated else "a model of ratings",
        received=f"a model of {'ratings' if is_rated else 'interactions, which have no stars'}",
        do="use --rate 'ITEM=5'" if is_rated else "use --like ITEM, or --after ITEM",
    )


def _nobody(model: Recommender) -> ArgumentError:
    """The error of a call that names nobody, with an example of each way to name somebody."""
    data = model.fitted_data
    best_known: Id = data.items.titles[int(np.argmax(data.by_item.counts))]
    option, words = "--like", str(best_known)
    if isinstance(data, Ratings):
        option, words = "--rate", f"{best_known}={plain(data.scale.highest)}"
    user = shlex.quote(str(data.users.ids[0]))
    return ArgumentError(
        f"user_id, {option}",
        expected="a user of the data, or what a new person likes",
        received="neither",
        do=f"name user {user}, say, or give {option} {shlex.quote(words)} for somebody new",
    )
