"""The first page: recommendations, what to rate next, and the rows that show them."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.models.base.factors import HasFactors
from tastemap.models.base.user import User
from tastemap.serve.model.catalogue import Filters, Mask, Rows, top_rows
from tastemap.serve.model.loaded import Floats, LoadedModel, Person
from tastemap.serve.schemas import ItemCard, Reason, Recommendations, Row
from tastemap.serve.web.errors import Problem

# So many of the most rated items are looked at for the next to rate.
KNOWN_TO_MANY = 400
# "Loved by few" shows items with at least so many ratings, at this novelty.
FEW, SURPRISING = 3, 1.0
# Rows whose cards say why they are there.
REASONED = {"top-picks", "loved-by-few"}


def cards(model: LoadedModel, rows: npt.ArrayLike, someone: Person | None) -> list[ItemCard]:
    """Items at some rows, with the predicted and own ratings of a person."""
    at = np.asarray(rows, dtype=np.int64)
    if someone is None:
        return model.catalogue.cards(at)
    predicted = model.predicted(someone, model.scores(someone))
    shown = None if predicted is None else predicted[at]
    return model.catalogue.cards(at, predicted=shown, own=someone.own)


def recommendations(
    model: LoadedModel,
    someone: Person,
    k: int,
    filters: Filters,
    exclude_seen: bool,
    novelty: float,
    reasons: bool = False,
) -> Recommendations:
    """The best items for a person; see `Service.recommend`."""
    scores = model.scores(someone)
    rows, score = _best(model, someone, scores, k, filters, exclude_seen, novelty)
    predicted = model.predicted(someone, scores)
    shown = None if predicted is None else predicted[rows]
    found = model.catalogue.cards(rows, predicted=shown, score=score[rows], own=someone.own)
    if reasons:
        found = with_reasons(model, someone, rows, found)
    note = None if len(rows) == k else f"no more than {len(rows)} items are left to recommend"
    return Recommendations(someone.source, found, note)


def _best(
    model: LoadedModel,
    someone: Person,
    scores: npt.NDArray[Any],
    k: int,
    filters: Filters,
    exclude_seen: bool,
    novelty: float,
) -> tuple[Rows, npt.NDArray[Any]]:
    """Rows of the best items, and the score of every item."""
    if not -1.0 <= novelty <= 1.0:
        raise Problem(422, "invalid_argument", f"novelty is from -1 to 1, not {novelty:g}")
    score = scores
    if novelty:
        score = scores + novelty * float(scores.std()) * model.catalogue.information
    allowed = model.catalogue.allowed(filters)
    return top_rows(score, k, allowed, someone.rows if exclude_seen else None), score


def rows(
    model: LoadedModel, someone: Person, k: int, filters: Filters, novelty: float
) -> list[Row]:
    """The rows of the first page; see `Service.rows`."""
    scores = model.scores(someone)
    predicted = model.predicted(someone, scores)
    source = someone.source
    allowed = model.catalogue.allowed(filters)

    def row(key: str, title: str, note: str, at: Rows) -> Row:
        shown = None if predicted is None else predicted[at]
        found = model.catalogue.cards(at, predicted=shown, score=scores[at], own=someone.own)
        if key in REASONED:
            found = with_reasons(model, someone, at, found)
        return Row(key, title, note, source, found)

    best, _ = _best(model, someone, scores, k, filters, True, novelty)
    few = Filters(**(vars(filters) | {"min_ratings": max(filters.min_ratings, FEW)}))
    surprising, _ = _best(model, someone, scores, k, few, True, SURPRISING)
    popular = top_rows(model.catalogue.popularity.astype(float), k, allowed, someone.rows)
    told = source != "popular"
    return [
        row(
            "top-picks",
            "Top picks for you" if told else "Highest rated",
            "From your ratings" if told else "Damped averages of everybody: rate something",
            best,
        ),
        row(
            "rate-next",
            "Rate these next",
            "Known to many, and what you say of them would tell most about you",
            rate_next(model, someone, k, allowed),
        ),
        row("popular", "Popular", "The most rated", popular),
        row("loved-by-few", "Loved by few", "Liked as much as they are little known", surprising),
    ]


def rate_next(model: LoadedModel, someone: Person, k: int, allowed: Mask | None) -> Rows:
    """The popular and informative items that a person has not rated.

    Of the most rated items, one after the other the one with the largest
    log2(number of ratings) * 1/2 log(1 + x' S x): how probably the person knows it, times how much
    its rating would narrow what is known of them, where S is the covariance of the person's weights
    in the closed form of the fold-in, after those chosen before (D-optimal design). A model without
    factors has the entropy of the item's ratings in its place (Rashid et al., "Getting to know
    you", IUI 2002).
    """
    popularity = model.catalogue.popularity
    asked = top_rows(popularity.astype(float), KNOWN_TO_MANY, allowed, someone.rows)
    known = np.log2(popularity[asked] + 1.0)
    factors = model.model.factors if isinstance(model.model, HasFactors) else None
    if factors is None or factors.prior is None:
        worth = known * model.catalogue.entropy[asked]
        return asked[np.argsort(-worth, kind="stable")[:k]]
    X, rated = factors.design(asked)[1], factors.design(someone.rows)[1]
    covariance = np.linalg.inv(factors.prior.precision + rated.T @ rated)
    chosen: list[int] = []
    spread = X @ covariance  # rows S x_j
    for _ in range(min(k, len(asked))):
        gain = known * np.log1p(np.einsum("nf,nf->n", spread, X))
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        # The covariance after a rating of it, by Sherman and Morrison.
        Sx = covariance @ X[best]
        covariance = covariance - np.outer(Sx, Sx) / (1.0 + X[best] @ Sx)
        spread = X @ covariance
    return asked[chosen]


# A lift of less is none, in units of the rating (or of the score).
LEAST = 0.005


# More than any lift.
WIDE = 1e6


def with_reasons(
    model: LoadedModel, someone: Person, rows: Rows, cards: list[ItemCard]
) -> list[ItemCard]:
    """Cards of the items at some rows, each with its reason where the model can tell one."""
    if someone.source == "popular" or not len(someone.rows) or not len(rows):
        return cards
    lifts = _lifts(model, someone, rows)
    if lifts is None:
        return cards
    own = someone.rows == np.asarray(rows)[:, None]  # no item is its own reason
    lifts = np.where(own, -np.inf, lifts)
    liked = someone.rating > (model.scale.lowest + model.scale.highest) / 2
    # What somebody likes says more to them than what they do not.
    best = np.where((lifts > LEAST) & liked, lifts + WIDE, lifts).argmax(axis=1)
    catalogue, rated = model.catalogue, someone.own
    reasons = [
        Reason(catalogue.id_at(row), catalogue.title_at(row), rated[row])
        for row in someone.rows[best].tolist()
    ]
    told = lifts.max(axis=1) > LEAST
    return [
        replace(card, because=reason) if is_told else card
        for card, reason, is_told in zip(cards, reasons, told.tolist(), strict=True)
    ]


def _lifts(model: LoadedModel, someone: Person, rows: Rows) -> Floats | None:
    """How far each rating lifts each item (n, n_rated); None where the model cannot tell."""
    if not model.model.capabilities.explains:
        return None
    user = User(someone.description, someone.rows, someone.rating, someone.user)
    return model.model.lift_rows(user, rows)
