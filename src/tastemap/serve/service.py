"""Every question that a page or the API asks, and its answer.

A profile is a key of the store (`api_profile`, `page_profile`), or ratings in hand, item id to
rating, of which nothing is kept. Item ids are text here, as they come out of an address; answers
carry them as the data has them. Every method may be called from any thread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.errors import ArgumentError
from tastemap.models.base.reranking import Reranking
from tastemap.models.base.selection import top_k
from tastemap.serve.answers import item_map
from tastemap.serve.answers.alike import Alike, alike
from tastemap.serve.answers.explanations import explanation
from tastemap.serve.answers.first_page import first_page
from tastemap.serve.answers.first_visit import Backdrop, backdrop, first_items
from tastemap.serve.answers.group import GroupPicks, group_picks
from tastemap.serve.answers.item_map import ItemMap, OwnMap, Place
from tastemap.serve.answers.predictions import prediction_of, predictions
from tastemap.serve.answers.recommendations import cards, recommendations
from tastemap.serve.answers.standing import Standing, standing
from tastemap.serve.answers.taste import Taste, taste_of
from tastemap.serve.answers.taste_card import TasteCard, taste_card
from tastemap.serve.answers.unwanted import Lowered, lowered_by
from tastemap.serve.cursors import cursor_at, position_of
from tastemap.serve.model.additions import AddedItems, NewItem, add_items
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.people.events import Event, record_events
from tastemap.serve.people.profiles import AnyProfile, Profiles, api_profile, row_of, rows_of
from tastemap.serve.people.rooms import Rooms
from tastemap.serve.people.store import Store
from tastemap.serve.schemas import (
    EventAnswers,
    Explanation,
    InterestedUser,
    InterestedUsers,
    ItemCard,
    ItemPage,
    ModelCard,
    Prediction,
    Predictions,
    RatingCount,
    Recommendations,
    Row,
    SimilarItem,
    SimilarItems,
    SimilarUser,
    SimilarUsers,
)
from tastemap.serve.settings import Limits


@dataclass(frozen=True, slots=True)
class ItemDetail:
    """Everything about an item.

    Attributes:
        item: The item itself.
        damped_average: Its average, damped by five ratings at the overall mean; null without
            ratings.
        histogram: Its training ratings, by value; empty without ratings.
        facts: What else the data says of it, by column.
        place: Where it lies on the map, if there is one.
    """

    item: ItemCard
    damped_average: float | None
    histogram: list[RatingCount]
    facts: dict[str, str]
    place: Place | None = None


class Service:
    """Answers from the model that is being served and the ratings that people gave.

    Every question raises `UnknownIdError` if no item has an id that it names.

    Attributes:
        live: The model, which may be replaced between two calls.
        profiles: People's ratings.
        rooms: The rooms in which people look for something together.
        event_weights: The weight of each kind of event.
    """

    def __init__(
        self, live: LiveModel, store: Store, event_weights: Mapping[str, float] | None = None
    ) -> None:
        self.live, self.profiles = live, Profiles(live, store)
        self.rooms = Rooms(store)
        self.event_weights = event_weights or {}

    @property
    def model(self) -> LoadedModel:
        """The model in use now."""
        return self.live.current

    # ---- items ----

    def items(
        self,
        query: str = "",
        filters: Filters = NO_FILTERS,
        *,
        n: int = 20,
        cursor: str | None = None,
        profile: AnyProfile | None = None,
    ) -> ItemPage:
        """Items whose titles or genres fit a query; without a query the most rated first.

        Args:
            query: A few words of a title, a year, a genre, or nothing.
            filters: Which items may be answered with.
            n: How many.
            cursor: Where to go on: ``next_cursor`` of the page before, for the same question.
            profile: Whose predicted and own ratings the cards show.

        Raises:
            ArgumentError: If the cursor is of another question or another model.
        """
        model = self.model
        mark = [model.version, query, *vars(filters).values()]
        first = position_of(cursor, mark)
        finds = model.catalogue.search(query)
        rows = finds.rows[model.catalogue.allowed(filters)[finds.rows]]
        items = cards(model, rows[first : first + n], self._user(model, profile))
        end = first + len(items)
        cursor = cursor_at(end, mark) if end < len(rows) else None
        return ItemPage(items, len(rows), cursor, are_guesses=finds.are_guesses)

    def item(self, item_id: str, profile: AnyProfile | None = None) -> ItemDetail:
        """Everything about an item."""
        model = self.model
        row, catalogue = row_of(model, item_id), model.catalogue
        return ItemDetail(
            item=cards(model, [row], self._user(model, profile))[0],
            damped_average=float(catalogue.default_scores[row]) if model.has_ratings else None,
            histogram=[RatingCount(*counted) for counted in catalogue.histogram(row)],
            facts=catalogue.facts(row),
            place=item_map.place_of_item(model, row),
        )

    def similar(self, item_id: str, k: int = 10, profile: AnyProfile | None = None) -> SimilarItems:
        """The items most similar to one.

        Raises:
            UnsupportedError: If the model cannot compare items.
        """
        model = self.model
        row = row_of(model, item_id)
        rows, similarity = model.similar_items(row, k)
        items = cards(model, rows, self._user(model, profile))
        pairs = zip(items, similarity.tolist(), strict=True)
        return SimilarItems(model.catalogue[row].item_id, [SimilarItem(*pair) for pair in pairs])

    def interested_users(self, item_id: str, k: int = 10) -> InterestedUsers:
        """The users of the training data who have not rated an item and would like it most."""
        model = self.model
        row = row_of(model, item_id)
        original_id = model.catalogue[row].item_id
        raters = np.unique(model.data.user_index[model.data.by_item[row]])
        if not (n_others := model.data.n_users - len(raters)):
            return InterestedUsers(original_id, [])
        frame = model.model.interested_users(original_id, min(k, n_others))
        users = frame.select("user_id", "predicted_rating", "score").rows()
        return InterestedUsers(original_id, [InterestedUser(*user) for user in users])

    def add_items(self, items: Sequence[NewItem]) -> AddedItems:
        """Put items that nobody has rated into the served model; see `additions.add_items`."""
        return add_items(self.live, items)

    # ---- what a person does ----

    def record(self, key: str, events: Sequence[Event]) -> EventAnswers:
        """Count events of a person; the errors are those of `record_events`."""
        return record_events(self.profiles, key, events, self.event_weights)

    # ---- answers for a profile ----

    def recommend(
        self,
        profile: AnyProfile,
        k: int = 10,
        *,
        filters: Filters = NO_FILTERS,
        exclude_seen: bool = True,
        novelty: float = 0.0,
        by: str = "expected",
        seed: int = 0,
        reasons: bool = False,
        new: bool = False,
        **wishes: Any,
    ) -> Recommendations:
        """The best items for a person.

        Args:
            profile: A key of the store, or ratings, interactions or a history in hand.
            k: How many.
            filters: Which items may be recommended.
            exclude_seen: Leave out what the person has rated.
            novelty: From -1 (favour the familiar) over 0 to 1 (favour the surprising).
            by: The order, as in `Recommender.recommend`.
            seed: Of the draw of a curious list.
            reasons: Give each item the rating of theirs that lifts it most.
            new: Also items that nobody has rated; with their intervals, where there are some.
            **wishes: ``diversity, calibrated, at_most``, as `Recommender.recommend` has them.

        Raises:
            UnknownIdError, ArgumentError: If ratings in hand or a wish cannot be used, or ``k`` is
                too large for a list with reasons: each item is compared with each rating.
            UnsupportedError: If the list shall be varied, and the model cannot compare items.
        """
        if reasons and k > Limits.reasons:
            most = f"at most {Limits.reasons} with reasons"
            raise ArgumentError("k", expected=most, received=k, do="ask without reasons")
        model, user = self._model_and_user(profile)
        options = (
            exclude_seen,
            novelty,
            by,
            seed,
            reasons,
            Reranking.of(model.data, **wishes),
            new,
        )
        return recommendations(model, user, k, filters, *options)

    def rows(
        self, profile: AnyProfile, k: int = 12, filters: Filters = NO_FILTERS, **wishes: Any
    ) -> list[Row]:
        """The rows of the first page, such as top picks, what to rate next, and popular items.

        ``novelty``, ``diversity``, ``calibrated`` and ``at_most`` may be given, as `recommend` has
        them; a model that cannot compare items varies none.
        """
        model, user = self._model_and_user(profile)
        return first_page(model, user, k, filters, **wishes)

    def first_visit(self, profile: AnyProfile) -> tuple[list[ItemCard], Backdrop | None]:
        """What somebody new is asked for, without predictions, and the map behind it."""
        model, user = self._model_and_user(profile)
        rows = first_items(model, user)
        shown = model.catalogue.cards(rows, rating_of=user.rating_of)
        return shown, backdrop(model, user, rows)

    def lowered(self, profile: AnyProfile, item_id: str) -> Lowered | None:
        """How much less an item counts in a person's lists, and why; None if it does not."""
        model, user = self._model_and_user(profile)
        return lowered_by(model, user, row_of(model, item_id))

    def prediction(self, profile: AnyProfile, item_id: str) -> Prediction:
        """What a person would give an item, with its distribution or its error band."""
        model = self.model
        row, user = row_of(model, item_id), self.profiles.user(model, profile)
        return prediction_of(model, user, row)

    def predict(self, pairs: list[tuple[str, str]]) -> Predictions:
        """Predictions of pairs of a user of the API and an item, in their order.

        Raises:
            UnknownIdError: If an item is unknown. An unknown user is answered with the averages.
        """
        model = self.model
        rows, user_ids = rows_of(model, [item_id for _, item_id in pairs]), [u for u, _ in pairs]
        users = {
            user_id: self.profiles.user(model, api_profile(user_id))
            for user_id in dict.fromkeys(user_ids)
        }
        return predictions(model, users, user_ids, rows)

    def explain(self, profile: AnyProfile, item_id: str) -> Explanation:
        """Why the prediction of an item is what it is, and what it would be without a rating."""
        model = self.model
        row, user = row_of(model, item_id), self.profiles.user(model, profile)
        return explanation(model, user, row, prediction_of(model, user, row))

    def standing(self, profile: AnyProfile, item_id: str) -> Standing:
        """Where an item stands among all, and on a person's list."""
        model, user = self._model_and_user(profile)
        return standing(model, user, row_of(model, item_id))

    def similar_users(self, profile: AnyProfile, k: int = 10) -> SimilarUsers:
        """The users of the training data whose factors point most nearly the same way.

        Raises:
            UnsupportedError: If the model has no user factors.
        """
        model, user = self._model_and_user(profile)
        directions, direction = model.user_directions, model.direction_of(user)
        if directions is None:
            model.refuse("compare users")
        if user.source == "trained":
            direction = directions[user.user_index]
        if direction is None or not np.any(direction):
            return SimilarUsers(user.source, [])
        cosines = np.clip(directions @ (direction / np.linalg.norm(direction)), -1.0, 1.0)
        others = np.ones(len(cosines), dtype=bool)
        others[[user.user_index] if user.user_index >= 0 else []] = False
        rows = top_k(cosines, others, k)
        pairs = zip(model.data.users.ids_at(rows).to_list(), cosines[rows].tolist(), strict=True)
        return SimilarUsers(user.source, [SimilarUser(*pair) for pair in pairs])

    def taste(self, profile: AnyProfile) -> Taste:
        """What a person rates above and below others."""
        model, user = self._model_and_user(profile)
        return taste_of(model, user)

    def taste_card(self, profile: AnyProfile) -> TasteCard | None:
        """A card of a person's taste; None for somebody who has rated, or likes, nothing."""
        return taste_card(*self._model_and_user(profile))

    def own_map(self, profile: AnyProfile) -> OwnMap:
        """The map as a person sees it: where they stand, and what they would give each item."""
        model, user = self._model_and_user(profile)
        return item_map.own_map(model, user)

    def group(
        self,
        members: Mapping[str, AnyProfile],
        *,
        method: str = "least_misery",
        k: int = 10,
        filters: Filters = NO_FILTERS,
    ) -> GroupPicks:
        """Items for several people, none of which any of them has rated.

        Args:
            members: Each member by name.
            method: ``"least_misery"`` (the least of the predictions counts) or ``"average"``.
            k: How many.
            filters: Which items may be chosen.

        Raises:
            ArgumentError: If the method is neither, or there is no member.
        """
        model = self.model
        users = {name: self.profiles.user(model, profile) for name, profile in members.items()}
        return group_picks(model, users, method, k, filters)

    def alike(self, mine: AnyProfile, theirs: AnyProfile) -> Alike | None:
        """How alike two people's tastes are; None where one has too few ratings."""
        model = self.model
        return alike(model, *(self.profiles.user(model, profile) for profile in (mine, theirs)))

    # ---- the whole ----

    def regions(self) -> list[tuple[str, list[ItemCard]]]:
        """The map in words: its regions, and the best-known items of each."""
        return item_map.regions_in_words(self.model)

    def map(self) -> ItemMap | None:
        """All items on the map; None where the artifact has none."""
        return item_map.whole_map(self.model)

    def card(self) -> ModelCard:
        """What the model is, what it was fitted on, and how good it is."""
        model, data = self.model, self.model.data
        about = model.manifest
        return ModelCard(
            name=model.model.learnt_by_,
            version=model.version,
            recipe=about.get("recipe"),
            data={"name": data.source.name, "notes": list(data.source.notes)},
            n_ratings=len(data),
            n_users=data.n_users,
            n_items=data.n_items,
            scale=asdict(model.scale) if model.has_ratings else None,
            metrics=about.get("metrics", {}),
            history=model.model.history_.to_dict(as_series=False),
            versions=about.get("versions", {}),
            stopped=about.get("stopped"),
            can=_abilities(model),
            kind="ratings" if model.has_ratings else "interactions",
            weights=_weights(data),
            noun=item_noun(data).singular,
        )

    def _model_and_user(self, profile: AnyProfile) -> tuple[LoadedModel, ServedUser]:
        model = self.model
        return model, self.profiles.user(model, profile)

    def _user(self, model: LoadedModel, profile: AnyProfile | None) -> ServedUser | None:
        return None if profile is None else self.profiles.user(model, profile)


def _abilities(model: LoadedModel) -> list[str]:
    """What a model can do, in the words of its card."""
    can = model.capabilities
    able = {"predict": can.predicts, "distribution": can.distribution, "fold_in": can.folds_in}
    able |= {"explain": can.explains, "map": can.map}
    return [name for name, is_able in able.items() if is_able]


def _weights(data: Feedback) -> dict[str, float] | None:
    """The lowest, the median and the highest weight of interactions."""
    if not isinstance(data, Interactions):
        return None
    lowest, highest = float(data.weight.min()), float(data.weight.max())
    return {"lowest": lowest, "median": data.median_weight, "highest": highest}
