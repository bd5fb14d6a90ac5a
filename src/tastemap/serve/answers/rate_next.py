"""What to rate next: what tells most, is known to many, and is near to what somebody likes."""

import numpy as np

from tastemap.arrays import F64, IndexArray
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.selection import top_k
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser

# What to rate next is chosen from so many of the most rated items.
MAX_CANDIDATES = 400
# From so many answers on, nearness to the taste counts: exp(2 c) for a cosine c. It doubles how
# many of the items that people of the training data are asked for they have rated; exp(4 c) adds
# little to that.
MIN_ANSWERS, NEARNESS = 5, 2.0
# Where the model has no directions, so many of the latest likes tell what is near.
MAX_LIKES_COMPARED = 10


def candidates_of(
    model: LoadedModel, user: ServedUser, filters: Filters = NO_FILTERS
) -> IndexArray:
    """The most rated items (n,) that a user has neither rated, seen, put aside, nor not seen."""
    free = model.unseen([user], filters)
    free[user.unseen] = False
    return top_k(model.catalogue.popularity.astype(float), free, MAX_CANDIDATES)


def rate_next(model: LoadedModel, user: ServedUser, k: int, candidates: IndexArray) -> IndexArray:
    """The k most informative of the popular items that a user has not rated.

    One after the other, the item with the largest log2(number of ratings) * exp(2 c) * 1/2
    log(1 + x' S x). The first two factors say how probably the user knows the item: c is the cosine
    of it with what the user likes, from five answers on, and 0 before. The third says how much a
    rating of it would narrow what is known of the user: S is the covariance of the user's weights
    in the closed form of the fold-in, after the items chosen before (D-optimal design). A model
    without factors has the entropy of the item's ratings in its place (Rashid et al., "Getting to
    know you", IUI 2002). Without ratings there is no such entropy, and no item is asked for.
    """
    familiarity = np.log2(model.catalogue.popularity[candidates] + 1.0)
    familiarity *= np.exp(NEARNESS * nearness(model, user, candidates))
    factors = model.model.factors if isinstance(model.model, HasFactors) else None
    if factors is None or factors.prior is None:
        if not model.has_ratings:
            return candidates[:0]
        worth = familiarity * model.catalogue.entropy[candidates]
        return candidates[np.argsort(-worth, kind="stable")[:k]]
    first = 0 if model.capabilities.predicts else 1  # a model that only ranks has no biases
    X, rated = (factors.design(rows)[1][:, first:] for rows in (candidates, user.item_index))
    precision = factors.prior.ridge(1)[first:, first:]
    covariance = np.linalg.pinv(precision + rated.T @ rated, hermitian=True)
    chosen: list[int] = []
    spread = X @ covariance  # rows S x_j
    for _ in range(min(k, len(candidates))):
        gain = familiarity * np.log1p(np.einsum("nf,nf->n", spread, X))
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        # The covariance after a rating of it, by Sherman and Morrison.
        Sx = covariance @ X[best]
        covariance = covariance - np.outer(Sx, Sx) / (1.0 + X[best] @ Sx)
        spread = X @ covariance
    return candidates[chosen]


def nearness(model: LoadedModel, user: ServedUser, rows: IndexArray) -> F64:
    """How near items are to what a user likes, (n,) in [-1, 1]; 0 while little is known of that.

    It is the cosine with the mean direction of the likes. Where the model has no directions it is
    the share of the latest likes to which an item is similar.
    """
    if len(user.item_index) < MIN_ANSWERS:
        return np.zeros(len(rows))
    # Who gives one rating to everything likes all of it.
    weight = np.maximum(user.rating - user.rating.mean() + 0.5, 0.0)
    if (directions := model.item_directions) is not None:
        taste = weight @ directions[user.item_index]
        length = float(np.linalg.norm(taste))
        return np.asarray(directions[rows] @ taste / max(length, 1e-9), dtype=np.float64)
    likes = user.item_index[weight >= 0.5][-MAX_LIKES_COMPARED:].tolist()
    similar = [np.isin(rows, model.near(row)) for row in likes]
    return np.mean(similar, axis=0) if similar else np.zeros(len(rows))
