"""The first page: recommendations and their reasons, what to rate next, and the rows of cards."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.selection import top_k
from tastemap.serve.answers.new_here import best_new, intervals
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel, ServedUser
from tastemap.serve.schemas import ItemCard, Reason, Recommendations, Row

# What to rate next is chosen from so many of the most rated items.
MAX_CANDIDATES = 400
# "Loved by few" shows items with at least so many ratings, at this novelty.
MIN_RATINGS_OF_LOVED, NOVELTY_OF_LOVED = 3, 1.0
# Rows whose cards say why they are there.
ROWS_WITH_REASONS = {"top-picks", "loved-by-few"}
# The title and the note of each row; "nobody" are top picks for somebody of whom nothing is known.
WORDS_OF_RATINGS = {
    "top-picks": ("Top picks for you", "From your ratings"),
    "nobody": ("Highest rated", "Damped averages of everybody: rate something"),
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
# A smaller lift is no reason, in units of the rating (or of the score).
MIN_LIFT = 0.005
# Added to the lift of a liked item, and more than any lift: what somebody likes says more to them.
LIFT_OF_LIKED = 1e6


def cards(
    model: LoadedModel,
    rows: npt.ArrayLike,
    user: ServedUser | None = None,
    *,
    scores: FloatArray | None = None,
    score: FloatArray | None = None,
) -> list[ItemCard]:
    """Items at some rows, with the predicted ratings and the own ratings of a user.

    Args:
        model: The model.
        rows: Rows of the items, (n,).
        user: Whose ratings the cards show.
        scores: The user's score of each item, (n_items,), where they are at hand.
        score: What the list is sorted by, (n,).
    """
    index = np.asarray(rows, dtype=np.int64)
    basis = model.basis_of(index.astype(np.int32))
    if user is None:
        return model.catalogue.cards(index, score=score, basis=basis)
    scores = model.scores(user) if scores is None else scores
    predicted = model.predicted(user, scores[index])
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
    reasons: bool = False,
    new: bool = False,
) -> Recommendations:
    """The best items for a user; see `Service.recommend`."""
    scores = model.scores(user)
    rows, score = model.best_rows(
        user, scores, k, filters, exclude_seen=exclude_seen, novelty=novelty, new=new
    )
    items = cards(model, rows, user, scores=scores, score=score)
    if new:
        items = with_intervals(model, user, rows, items)
    if reasons:
        items = with_reasons(model, user, rows, items)
    note = None if len(rows) == k else f"no more than {len(rows)} items are left to recommend"
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
) -> list[Row]:
    """The rows of the first page; see `Service.rows`."""
    scores = model.scores(user)
    unseen = model.unseen([user], filters)
    most_rated = top_k(model.catalogue.popularity.astype(float), unseen, max(k, MAX_CANDIDATES))

    def row(key: str, title: str, note: str, rows: IndexArray) -> Row:
        items = cards(model, rows, user, scores=scores, score=scores[rows])
        if key in ROWS_WITH_REASONS:
            items = with_reasons(model, user, rows, items)
        if key == "new-here":
            items = with_intervals(model, user, rows, items)
        return Row(key, title, note, user.source, items)

    best, _ = model.best_rows(user, scores, k, filters, novelty=novelty)
    least = max(filters.min_ratings, MIN_RATINGS_OF_LOVED)
    of_loved = replace(filters, min_ratings=least)
    novelty_of_loved = NOVELTY_OF_LOVED
    if not model.has_ratings:  # a few scores may be so high that no bonus makes up for it
        of_loved = replace(of_loved, max_ratings=model.catalogue.popularity_of_tail)
        novelty_of_loved = 0.0
    loved, _ = model.best_rows(user, scores, k, of_loved, novelty=novelty_of_loved)
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
    if len(new_rows := best_new(model, user, scores, k, filters)):
        rows["new-here"] = new_rows
    titles = words | ({} if is_own else {"top-picks": words["nobody"]})
    return [row(key, *titles[key], rows[key]) for key in rows]


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


# ---- reasons ----


def with_reasons(
    model: LoadedModel, user: ServedUser, rows: IndexArray, cards: list[ItemCard]
) -> list[ItemCard]:
    """Cards of the items at some rows, each with its reason where the model can tell one."""
    if user.source == "popular" or not len(user.item_index) or not len(rows):
        return cards
    lifts = _lifts(model, user, rows)
    if lifts is None:
        return cards
    # No item is its own reason.
    lifts = np.where(user.item_index == np.asarray(rows)[:, None], -np.inf, lifts)
    # Scores of interactions have no unit: any lift is one.
    least = MIN_LIFT if model.has_ratings else 0.0
    strength = np.where((lifts > least) & model.likes(user.rating), lifts + LIFT_OF_LIKED, lifts)
    reasons = [
        Reason(*model.catalogue[row][:2], user.rating_of[row])
        for row in user.item_index[strength.argmax(axis=1)].tolist()
    ]
    is_lifted = (lifts.max(axis=1) > least).tolist()
    return [
        replace(card, because=reason) if has_reason else card
        for card, reason, has_reason in zip(cards, reasons, is_lifted, strict=True)
    ]


def _lifts(model: LoadedModel, user: ServedUser, rows: IndexArray) -> FloatArray | None:
    """How far each rating lifts each item (n, n_rated); None where the model cannot tell."""
    if not model.capabilities.explains:
        return None
    return model.model.lift_rows(user.user, rows)


def look_around(model: LoadedModel) -> None:
    """Ask for what the first page shows, so that nothing is compiled while somebody waits."""
    rating = np.array([model.value_of_like], dtype=np.float32)
    first_page(model, model.fold_in(model.catalogue.by_popularity[:1], rating), 1)
    model.forget()
