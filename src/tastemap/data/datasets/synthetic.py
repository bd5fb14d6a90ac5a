"""A small synthetic table of ratings with a known structure, for tests, examples and classes."""

import numpy as np
import polars as pl

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings


def synthetic_ratings(
    n_users: int = 120, n_items: int = 80, n_ratings: int = 3000, seed: int = 0
) -> Ratings:
    """Ratings from 1 to 5 by users of two tastes for items of two kinds.

    Half of the users like the items of genre "Comedy", the other half those of genre "Drama";
    users differ in generosity, items in quality, and popular items are rated more often.
    Timestamps ascend within each user.

    Example:
        >>> synthetic_ratings()
        Ratings(synthetic: 3,000 ratings, 120 users, 80 items, 1 to 5 in steps of 1)
    """
    rng = np.random.default_rng(seed)
    taste, genre = np.arange(n_users) % 2, np.arange(n_items) % 2
    generosity, quality = rng.normal(0, 0.3, n_users), rng.normal(0, 0.4, n_items)
    appeal = 1 / np.arange(5, n_items + 5)
    # Draw pairs without replacement, with probability in proportion to the item's appeal (Gumbel).
    key = np.tile(np.log(appeal), n_users) + rng.gumbel(size=n_users * n_items)
    pair = np.sort(np.argsort(-key, kind="stable")[:n_ratings])
    u, i = pair // n_items, pair % n_items
    match = np.where(taste[u] == genre[i], 0.8, -0.8)
    mean = 3.3 + match + generosity[u] + quality[i] + rng.normal(0, 0.5, n_ratings)
    frame = pl.DataFrame(
        {
            "user_id": u + 1,
            "item_id": i + 1,
            "rating": np.clip(np.round(mean), 1, 5),
            "timestamp": 1_000_000_000 + 86_400 * u + np.arange(n_ratings),
        }
    )
    items = pl.DataFrame(
        {
            "item_id": np.arange(1, n_items + 1),
            "title": [f"{'Drama' if g else 'Comedy'} {n}" for n, g in enumerate(genre, start=1)],
            "year": 1960 + np.arange(n_items) % 60,
            "release_year": 1960 + np.arange(n_items) % 60,
            "genres": [["Drama"] if g else ["Comedy"] for g in genre],
        }
    )
    return Ratings.from_frame(frame, item_table=items, source=Source("synthetic"))
