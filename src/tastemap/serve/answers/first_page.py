"""The rows of the first page: an item stands on it once, in the first row that has a place for it.

A row chooses from what the rows above it have left, and is as long as they are. One of fewer than
three cards is left out, but for the top picks.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tastemap.arrays import IndexArray, Mask
from tastemap.models.base.reranking import Reranking
from tastemap.models.base.selection import top_k
from tastemap.serve.answers.new_here import best_new
from tastemap.serve.answers.rate_next import candidates_of, rate_next
from tastemap.serve.answers.reasons import with_reasons
from tastemap.serve.answers.recommendations import cards, with_intervals
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import Row

# A row of fewer cards is left out.
MIN_CARDS = 3
# "Hidden gems" shows items at this novelty. So many ratings, or a third of the most that an item
# of the long tail has, are enough to tell that it is loved; without ratings so many likes.
NOVELTY_OF_GEMS, MAX_FLOOR_OF_GEMS, PARTS_OF_TAIL, MIN_LIKES_OF_GEMS = 1.0, 30, 3, 3
# "Acclaimed" is this share of what enough people have rated, by the damped average.
SHARE_OF_ACCLAIMED = 0.1
# Rows whose cards say why they are there.
ROWS_WITH_REASONS = {"top-picks", "more-yours", "acclaimed", "loved-by-few"}
# Rows that caps are for.
CAPPED = {"top-picks", "loved-by-few"}
# "More yours than others'" shows items of this share of the highest predictions.
SHARE_OF_YOURS = 0.25
# There are so many rows of what is like something, one until so many items are liked.
MAX_ROWS_OF_SIMILAR, MIN_LIKES_FOR_TWO = 2, 6
# The title and the note of each row; "nobody" are top picks for somebody of whom nothing is known.
WORDS_OF_RATINGS = {
    "top-picks": ("Top picks for you", "From your ratings"),
    "nobody": ("Highest rated", "By everybody’s ratings; rate something, and the picks are yours"),
    "because": ("Because you liked {}", "What is most like it, by everybody's ratings"),
    "more-yours": ("More you than others", "What you would like, and like more than people do"),
    "rate-next": (
        "Rate these next",
        "Known to many, and what you say of them would tell most about you",
    ),
    "acclaimed": ("Acclaimed and likely yours", "Of what people rate highest, what you would like"),
    "popular": ("Popular", "The most rated"),
    "loved-by-few": ("Hidden gems", "Liked as much as they are little known"),
    "new-here": ("New here", "Nobody has rated these: predicted from what is known of them"),
}
WORDS_OF_INTERACTIONS = {
    "top-picks": ("Top picks for you", "From what you like"),
    "nobody": ("Popular", "Liked by the most"),
    "because": ("Because you liked {}", "What those who like it like, too"),
    "rate-next": ("Do you like these?", "Known to many, and your answer would tell most about you"),
    "popular": ("Popular", "Liked by the most"),
    "loved-by-few": ("Hidden gems", "Fits you best of what few have taken up"),
    "new-here": ("New here", "Nobody has taken these up: chosen by what is known of them"),
}


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
    return list(FirstPage(model, user, k, filters).rows(novelty, diversity, **mix))


class FirstPage:
    """The first page of somebody as it fills: a row after the other, from what is left.

    Attributes:
        model: The model.
        user: Whom it is for.
        k: Number of cards in a row.
        filters: What the items have to fit.
        scores: Those of `LoadedModel.scores_of_lists`.
        free: The items (n_items,) that stand in no row yet.
        varied: What the picks are reordered by, if anything.
    """

    def __init__(self, model: LoadedModel, user: ServedUser, k: int, filters: Filters) -> None:
        self.model, self.user, self.k, self.filters = model, user, k, filters
        self.scores = model.scores_of_lists(user)
        self.varied: Reranking | None = None
        self.free: Mask = np.ones(len(model.catalogue), dtype=bool)

    @property
    def is_personal(self) -> bool:
        """Whether the page depends on whom it is for."""
        model = self.model
        return self.user.source != "popular" and (model.has_ratings or model.is_personal)

    def rows(self, novelty: float, diversity: float, **mix: Any) -> Iterator[Row]:
        """The rows, the first one first."""
        model = self.model
        diversity = diversity if model.capabilities.similar_items else 0.0
        if self.user.source == "popular":
            mix["calibrated"] = None  # to a taste of which nothing is known
        self.varied = varied = Reranking.of(model.data, diversity, **mix)
        best = self._best(self._evident(novelty), novelty=novelty, reranking=varied)
        yield self._row("top-picks", best, "" if self.is_personal else "nobody")
        if self.is_personal:
            for place, liked in enumerate(self._liked(), start=1):
                yield from self._full(f"because-{place}", self._similar(liked), liked)
            if "relative" in model.model.orders:
                yield from self._full("more-yours", self._more_yours())
        yield from self._full("rate-next", self._rate_next())
        if self.is_personal and model.has_ratings:
            yield from self._full("acclaimed", self._acclaimed())
        if model.has_ratings or self.is_personal:  # else the top picks are popular
            yield from self._full("loved-by-few", self._gems(reranking=varied))
            yield from self._full("popular", self._popular())
        new = best_new(model, self.user, self.scores, self.k, self.filters)
        yield from self._full("new-here", new, min_cards=1)

    def _evident(self, novelty: float) -> Mask | None:
        """What the slider may bring up: only a cautious list leaves out luck by itself."""
        is_cautious = self.user.source != "popular" and self.model.capabilities.standard_errors
        if novelty <= 0 or is_cautious or not self.model.has_ratings:
            return None
        enough: Mask = self.model.catalogue.popularity >= self._floor
        return enough

    def _full(
        self, key: str, rows: IndexArray, liked: int = -1, min_cards: int = MIN_CARDS
    ) -> Iterator[Row]:
        """A row, if there are enough items for it."""
        if len(rows) >= min(min_cards, self.k):
            yield self._row(key, rows, liked=liked)

    def _row(self, key: str, rows: IndexArray, words: str = "", liked: int = -1) -> Row:
        """A row of items, which are in it from now on."""
        model, user = self.model, self.user
        self.free[rows] = False
        score = model.scores_at(user, rows) if self.scores is None else self.scores[rows]
        items = cards(model, rows, user, of_rows=score, score=score)
        if key in ROWS_WITH_REASONS:
            items = with_reasons(model, user, rows, items)
        if key == "new-here":
            items = with_intervals(model, user, rows, items)
        words_of_rows = WORDS_OF_RATINGS if model.has_ratings else WORDS_OF_INTERACTIONS
        title, note = words_of_rows["because" if liked >= 0 else words or key]
        caps = {} if self.varied is None or key not in CAPPED else self.varied.at_most
        if caps and len(rows) < self.k:
            most = ", ".join(f"{n} of the same {column}" for column, n in caps.items())
            note += f": no further one fits, with at most {most}"
        title = title.format(model.catalogue[liked].title) if liked >= 0 else title
        return Row(key, title, note, user.source, items)

    def _best(self, among: Mask | None = None, **options: Any) -> IndexArray:
        """The best items in an order, of some that are free."""
        free = self.free if among is None else self.free & among
        filters = options.pop("filters", self.filters)
        for_whom = (self.user, self.scores, self.k, filters)
        return self.model.best_rows(*for_whom, among=free, **options)[0]

    def _liked(self) -> list[int]:
        """Rows of what a row of similar items is about: the latest of what is liked best.

        The second is unlike the first.
        """
        model, values = self.model, self.user.rating
        if not model.capabilities.similar_items or not len(values):
            return []
        likes = model.likes(values)
        rows = self.user.item_index[likes]
        # Of equal ratings the latest comes first.
        liking = values[likes] if model.has_ratings else np.zeros(len(rows))
        order = np.lexsort((-np.arange(len(rows)), -liking))
        best = list(dict.fromkeys(rows[order].tolist()))
        if len(best) < MIN_LIKES_FOR_TWO:
            return best[:1]
        near = set(model.near(best[0]).tolist())
        others = [row for row in best[1:] if row not in near]
        return [best[0], *others[: MAX_ROWS_OF_SIMILAR - 1]]

    def _similar(self, liked: int) -> IndexArray:
        """The items most like one that is liked, but no items that the picks leave out."""
        model = self.model
        free = self.free & model.unseen([self.user], self.filters)
        near = model.near(liked)
        return near[free[near]][: self.k]

    def _more_yours(self) -> IndexArray:
        """Of the items with the highest predictions those that others like less."""
        model = self.model
        nearly = model.model.quick_scores(self.user.user) if self.scores is None else self.scores
        n = max(int(SHARE_OF_YOURS * len(nearly)), 1)
        return self._best(nearly >= np.partition(nearly, -n)[-n], by="relative")

    def _rate_next(self) -> IndexArray:
        candidates = candidates_of(self.model, self.user, self.filters)
        return rate_next(self.model, self.user, self.k, candidates[self.free[candidates]])

    def _acclaimed(self) -> IndexArray:
        """Of the items with the highest averages, of enough ratings, those that fit best."""
        catalogue = self.model.catalogue
        enough = catalogue.popularity >= self._floor
        if not enough.any():
            return np.zeros(0, dtype=np.int32)
        least = np.quantile(catalogue.default_scores[enough], 1 - SHARE_OF_ACCLAIMED)
        return self._best(enough & (catalogue.default_scores >= least))

    @property
    def _floor(self) -> int:
        """The ratings that are enough to tell whether an item is good."""
        return min(MAX_FLOOR_OF_GEMS, self.model.catalogue.popularity_of_tail // PARTS_OF_TAIL)

    def _gems(self, **options: Any) -> IndexArray:
        """The best items of those that few have rated, and that these few love.

        They are of the long tail, have enough ratings to tell, and an average, damped by ratings at
        the overall mean, that is not below that mean.
        """
        catalogue, filters = self.model.catalogue, self.filters
        floor, novelty = MIN_LIKES_OF_GEMS, 0.0  # some scores are so high that no bonus makes up
        among = np.ones(len(catalogue), dtype=bool)
        if self.model.has_ratings:
            floor, novelty = self._floor, NOVELTY_OF_GEMS
            among = catalogue.default_scores >= self.model.ratings.global_mean
        least, most = max(filters.min_ratings, floor), catalogue.popularity_of_tail
        of_few = replace(filters, min_ratings=least, max_ratings=most)
        return self._best(among, filters=of_few, novelty=novelty, **options)

    def _popular(self) -> IndexArray:
        free = self.free & self.model.unseen([self.user], self.filters)
        return top_k(self.model.catalogue.popularity.astype(float), free, self.k)


def look_around(model: LoadedModel) -> None:
    """Ask for what the first page shows, so that nothing is compiled while somebody waits."""
    rating = np.array([model.value_of_like], dtype=np.float32)
    first_page(model, model.fold_in(model.catalogue.by_popularity[:1], rating), 1)
    model.forget()
