"""The synthetic table has the structure that its docstring promises."""

import numpy as np

from tastemap.data.datasets.synthetic import synthetic_ratings


def test_half_of_the_users_like_each_genre_better() -> None:
    ratings = synthetic_ratings()
    taste, genre = ratings.user_index % 2, ratings.item_index % 2
    assert [genres[0] for genres in ratings.item_table["genres"][:2]] == ["Comedy", "Drama"]
    for user in (0, 1):
        means = [ratings.rating[(taste == user) & (genre == kind)].mean() for kind in (0, 1)]
        assert means[user] > means[1 - user] + 1


def test_sizes_seeds_popularity_and_times() -> None:
    ratings = synthetic_ratings(30, 20, 200, seed=4)
    assert (ratings.n_users, ratings.n_items, len(ratings)) == (30, 20, 200)
    assert ratings.fingerprint() == synthetic_ratings(30, 20, 200, seed=4).fingerprint()
    assert ratings.fingerprint() != synthetic_ratings(30, 20, 200, seed=5).fingerprint()
    counts = synthetic_ratings().by_item.counts
    assert counts[:20].sum() > 2 * counts[-20:].sum()
    for rows in map(ratings.by_user.__getitem__, range(30)):
        assert (np.diff(ratings.timestamp[rows]) > 0).all()
