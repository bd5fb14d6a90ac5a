"""The sections of a report on lists: their scores, and lists of what is certain."""

from collections.abc import Sequence

import polars as pl

from tastemap.data.vocabulary import Id
from tastemap.explore.report.blocks import Table
from tastemap.explore.report.report import Block
from tastemap.jobs.recommend import described, on_screen
from tastemap.models.base.orders import CAUTION
from tastemap.models.base.recommender import Recommender
from tastemap.support.counts import counted

# Ratings that make an item well known.
MIN_RATINGS_OF_WELL_KNOWN = 20


def list_scores(scores: pl.DataFrame) -> Table:
    """The scores of lists as a table of a report; how many users have a list stands above it.

    Args:
        scores: Frame ``metric`` and a column for each model, with a row ``users``.
    """
    is_count = pl.col("metric").str.starts_with("users")
    n_users = scores.filter(pl.col("metric") == "users").row(0)[1]
    names = pl.col("metric").str.replace_all("_", " ", literal=True)
    caption = f"Lists for {counted(int(n_users), 'user')} of the test part, all unseen items ranked"
    return Table(scores.filter(~is_count).with_columns(names), caption, digits=4)


def gap_blocks(tables: Sequence[pl.DataFrame]) -> list[Block]:
    """Lists by the time since a user was there last, from frames of `joined_gaps`; or nothing."""
    return [
        block
        for frame in tables
        for block in (
            "What is foreseen within a second or a minute is the order of a page more than taste;"
            " after an hour it is taste. The time is that between a user's last row before the test"
            " and the first in it.",
            Table(frame, "The same lists by the time since the user was there last", digits=4),
        )
    ]


def certain_blocks(
    model: Recommender, user: Id, seen: pl.Series, answer: pl.DataFrame
) -> list[Block]:
    """The cautious list of a user, or that among items with many ratings, if it differs.

    Args:
        model, user: The model and the user of the list.
        seen: Items that are left out.
        answer: The list among all items.
    """
    data, k = model.fitted_data, len(answer)
    if "cautious" in model.orders:
        cautious = model.recommend(user, k=k, exclude=seen, by="cautious")
        if cautious["item_id"].equals(answer["item_id"]):
            return []
        caption = f"The same by what is certain: {CAUTION:.2f} standard errors below the prediction"
        return [Table(on_screen(data, described(data, cautious), "cautious"), caption, digits=2)]
    well_known = f"popularity >= {MIN_RATINGS_OF_WELL_KNOWN}"
    counts = data.by_item.counts.copy()
    counts[data.items.index(seen)] = 0
    if not model.predicts_ratings or (counts >= MIN_RATINGS_OF_WELL_KNOWN).sum() < k:
        return []
    well_known_items = model.recommend(user, k=k, exclude=seen, where=well_known)
    if well_known_items["item_id"].equals(answer["item_id"]):
        return []
    return [
        Table(
            on_screen(data, described(data, well_known_items)),
            f"The same where {well_known}: the prediction for an item with a handful of"
            " ratings is uncertain, and the luckiest of them come out on top",
            digits=2,
        )
    ]
