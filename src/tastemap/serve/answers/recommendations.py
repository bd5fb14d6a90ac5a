"""The first page: recommendations and their reasons, what to rate next, and the rows of cards."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.reranking import Reranking
from tastemap.models.base.selection import top_k
from tastemap.serve.answers.new_here import best_new, intervals
from tastemap.serve.answers.reasons import with_reasons
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import ItemCard, Recommendations, Row

# What to rate next is chosen from so many of the most rated items.
MAX_CANDIDATES = 400
# "Loved by few" shows items at this novelty. So many ratings, or a third of the most that an item
# of the long tail has, are enough to tell that it is loved; without ratings so many likes.
NOVELTY_OF_LOVED, MAX_FLOOR_OF_LOVED, PARTS_OF_TAIL, MIN_LIKES_OF_LOVED = 1.0, 30, 3, 3
# Rows whose cards say why they are there.
ROWS_WITH_REASONS = {"top-picks", "more-yours", "loved-by-few"}
# Rows that caps are for.
CAPPED = {"top-picks", "loved-by-few"}
# "More yours than others'" shows items of this share of the highest predictions.
SHARE_OF_YOURS = 0.25
# The title and the note of each row; "nobody" are top picks for somebody of whom nothing is known.
WORDS_OF_RATINGS = {
    "top-picks": ("Top picks for you", "From your ratings"),
    "nobody": ("Highest rated", "Damped averages of everybody: rate something"),
    "more-yours": ("More you than others", "What you would like, and like more than people do"),
    "rate-next": (
        "Rate these next",
        "Known to many, and what you say of them would tell most about you",
    ),
    "popular": ("Popular", "The most rated"),
    "loved-by-few": ("Loved by few", "Liked as much as they are little known"),
    "new-here": ("New here", "Nobody has rated these: predicted from what is known of them"),
}
WORDS_OF_INTERACTIONS = {
    "top-picks": ("Top picks for you", "From what you like"),
    "nobody": ("Popular", "Liked by the most"),
    "rate-next": ("Do you like these?", "Known to many, and your answer would tell most about you"),
    "popular": ("Popular", "Liked by the most"),
    "loved-by-few": ("Loved by few", "Fits you best of what few have taken up"),
    "new-here": ("New here", "Nobody has taken these up: chosen by what is known of them"),
}


def cards(
    model: LoadedModel,
    rows: npt.ArrayLike,
    user: ServedUser | None = None,
    *,
    of_rows: FloatArray | None = None,
    score: FloatArray | None = None,
) -> list[ItemCard]:
    """Items at some rows, with the predicted ratings and the own ratings of a user.

    Args:
        model: The model.
        rows: Rows of the items, (n,).
        user: Whose ratings the cards show.
        of_rows: The user's scores of these items, (n,), where they are at hand.
        score: What the list is sorted by, (n,).
    """
    index = np.asarray(rows, dtype=np.int64)
    basis = model.basis_of(index.astype(np.int32))
    if user is None:
        return model.catalogue.cards(index, score=score, basis=basis)
    of_rows = model.scores_at(user, index) if of_rows is None else of_rows
    predicted = model.predicted(user, of_rows)
    return model.catalogue.cards(
        index, predicted=predicted, score=score, rating_of=user.rating_of, basis=basis
    )


def recommendations(
    model: LoadedModel,
    user: ServedUser,
    k: int,
    filters: Filters,
    exclude_seen: bool,
    novelty: float,
    by: str = "expected",
    seed: int = 0,
    reasons: bool = False,
    reranking: Reranking | None = None,
    new: bool = False,
) -> Recommendations:
    """The best items for a user; see `Service.recommend`."""
    scores = model.scores_of_lists(user)
    rows, score = model.best_rows(
        *(user, scores, k, filters),
        exclude_seen=exclude_seen,
        novelty=novelty,
        by=by,
        seed=seed,
        reranking=reranking,
        new=new,
    )
    of_rows = None if scores is None else scores[rows]
    items = cards(model, rows, user, of_rows=of_rows, score=score)
    if new:
        items = with_intervals(model, user, rows, items)
    if reasons:
        items = with_reasons(model, user, rows, items)
    if len(rows) == k:
        return Recommendations(user.source, items)
    note = f"no more than {len(rows)} items are left to recommend"
    if reranking is not None and reranking.at_most:
        note += f", with at most {reranking.caps}"
    return Recommendations(user.source, items, note)


def with_intervals(
    model: LoadedModel, user: ServedUser, rows: IndexArray, cards: list[ItemCard]
) -> list[ItemCard]:
    """Cards of the items at some rows; those that nobody has rated with their interval."""
    unrated = [place for place, card in enumerate(cards) if card.basis in ("facts", "average")]
    ranges = intervals(model, user, rows[unrated])
    if ranges is None:
        return cards
    shown = dict(zip(unrated, ranges, strict=True))
    return [replace(card, interval=shown.get(place)) for place, card in enumerate(cards)]


def first_page(
    model: LoadedModel,
    user: ServedUser,
    k: int,
    filters: Filters = NO_FILTERS,
    novelty: float = 0.0,
    diversity: float = 0.0,
    **mix: Any,
) -> list[Row]:
    """The rows of the first page; see `Service.rows`."""
    diversity = diversity if model.capabilities.similar_items else 0.0
    if user.source == "popular":
        mix["calibrated"] = None  # to a taste of which nothing is known
    varied = Reranking.of(model.data, diversity, **mix)
    scores = model.scores_of_lists(user)
    unseen = model.unseen([user], filters)
    most_rated = top_k(model.catalogue.popularity.astype(float), unseen, max(k, MAX_CANDIDATES))

    def row(key: str, title: str, note: str, rows: IndexArray) -> Row:
        score = model.scores_at(user, rows) if scores is None else scores[rows]
        items = cards(model, rows, user, of_rows=score, score=score)
        if key in ROWS_WITH_REASONS:
            items = with_reasons(model, user, rows, items)
        if key == "new-here":
            items = with_intervals(model, user, rows, items)
        if key in CAPPED and varied is not None and varied.at_most and len(rows) < k:
            caps = ", ".join(f"{n} of the same {column}" for column, n in varied.at_most.items())
            note += f": no further one fits, with at most {caps}"
        return Row(key, title, note, user.source, items)

    best, _ = model.best_rows(user, scores, k, filters, novelty=novelty, reranking=varied)
    loved = loved_by_few(model, user, scores, k, filters, best, reranking=varied)
    next_rows = rate_next(model, user, k, most_rated[:MAX_CANDIDATES])
    words = WORDS_OF_RATINGS if model.has_ratings else WORDS_OF_INTERACTIONS
    rows = {
        "top-picks": best,
        "rate-next": next_rows,
        "popular": most_rated[:k],
        "loved-by-few": loved,
    }
    is_own = user.source != "popular" and (model.has_ratings or model.is_personal)
    if not (model.has_ratings or is_own):
        del rows["popular"], rows["loved-by-few"]  # the top picks are popular, and nothing is known
    if not len(next_rows):
        del rows["rate-next"]
    if is_own and "relative" in model.model.orders:
        yours = _more_yours(model, user, scores, best, filters)
        rows = {"top-picks": best, "more-yours": yours} | rows
    if len(new_rows := best_new(model, user, scores, k, filters)):
        rows["new-here"] = new_rows
    titles = words | ({} if is_own else {"top-picks": words["nobody"]})
    return [row(key, *titles[key], rows[key]) for key in rows]


def _more_yours(
    model: LoadedModel,
    user: ServedUser,
    scores: FloatArray | None,
    picks: IndexArray,
    filters: Filters,
) -> IndexArray:
    """Of the items with the highest predictions, but no picks, those that others like less."""
    nearly = model.model.quick_scores(user.user) if scores is None else scores
    n = max(int(SHARE_OF_YOURS * len(nearly)), 1)
    among = nearly >= np.partition(nearly, -n)[-n]
    among[picks] = False
    return model.best_rows(user, scores, len(picks), filters, by="relative", among=among)[0]


def loved_by_few(
    model: LoadedModel,
    user: ServedUser,
    scores: FloatArray | None,
    k: int,
    filters: Filters,
    others: IndexArray,
    **options: Any,
) -> IndexArray:
    """The k best items for a user of those that few have rated, and that these few love.

    They are of the long tail, have enough ratings to tell, and an average, damped by ratings at the
    overall mean, that is not below that mean.

    Args:
        model: The model.
        user: Whom the list is for.
        scores: Those of `scores_of_lists`.
        k: Number of items.
        filters: What the items have to fit.
        others: Rows of items that stand in another row already.
        **options: Those of `recommend_rows`.
    """
    catalogue = model.catalogue
    tail = catalogue.popularity_of_tail
    floor, novelty = MIN_LIKES_OF_LOVED, 0.0  # some scores are so high that no bonus makes up
    among = np.ones(len(catalogue), dtype=bool)
    if model.has_ratings:
        floor, novelty = min(MAX_FLOOR_OF_LOVED, tail // PARTS_OF_TAIL), NOVELTY_OF_LOVED
        among = catalogue.default_scores >= model.ratings.global_mean
    among[others] = False
    of_few = replace(filters, min_ratings=max(filters.min_ratings, floor), max_ratings=tail)
    return model.best_rows(user, scores, k, of_few, novelty=novelty, among=among, **options)[0]


def rate_next(model: LoadedModel, user: ServedUser, k: int, candidates: IndexArray) -> IndexArray:
    """The k most informative of the popular items that a user has not rated.

    One after the other, the item with the largest log2(number of ratings) * 1/2 log(1 + x' S x).
    The first factor says how probably the user knows the item. The second says how much a rating of
    it would narrow what is known of the user: S is the covariance of the user's weights in the
    closed form of the fold-in, after the items chosen before (D-optimal design). A model without
    factors has the entropy of the item's ratings in its place (Rashid et al., "Getting to know
    you", IUI 2002). Without ratings there is no such entropy, and no item is asked for.
    """
    familiarity = np.log2(model.catalogue.popularity[candidates] + 1.0)
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


def look_around(model: LoadedModel) -> None:
    """Ask for what the first page shows, so that nothing is compiled while somebody waits."""
    rating = np.array([model.value_of_like], dtype=np.float32)
    first_page(model, model.fold_in(model.catalogue.by_popularity[:1], rating), 1)
    model.forget()
