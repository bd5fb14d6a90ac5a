"""Where an item stands: among all by how many know it, and on a person's own list."""

from typing import NamedTuple

from tastemap.serve.answers.new_here import is_new
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser


class Standing(NamedTuple):
    """Where an item stands.

    Attributes:
        popularity: Its place by the number of people who took it up, from 1 on; of equals, all have
            the first place of them.
        n_items: How many items there are.
        place: Its place on the person's list, from 1 on; None where nothing is known of the person,
            or where they have said what they think of it. An item that nobody has taken up, but
            whose facts are known, has the place that it would have there.
        n_listed: How many items are on that list.
    """

    popularity: int
    n_items: int
    place: int | None
    n_listed: int


def standing(model: LoadedModel, user: ServedUser, row: int) -> Standing:
    """Where the item at a row stands for a user."""
    popularity = model.catalogue.popularity
    by_popularity = int((popularity > popularity[row]).sum()) + 1
    is_listed = model.unseen([user])
    is_comparable = is_listed[row] or (is_new(model)[row] and row not in user.user.touched)
    place = None
    if user.source != "popular" and model.is_personal and is_comparable:
        scores = model.scores(user)
        place = int((scores[is_listed] > scores[row]).sum()) + 1
    return Standing(by_popularity, len(popularity), place, int(is_listed.sum()))
