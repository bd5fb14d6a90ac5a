"""Every question that a page or the API asks, and its answer.

A person is a key of the store (`api_person`, `page_person`), or ratings in hand, item id to rating,
of which nothing is kept. Item ids are text here, as they come out of an address; answers carry
them as the data has them. Every method may be called from any thread.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from tastemap.serve.answers import group, item_map, taste
from tastemap.serve.answers import recommendations as discover
from tastemap.serve.answers.explanations import explanation
from tastemap.serve.model.catalogue import ALL, Filters, top_rows
from tastemap.serve.model.loaded import LoadedModel, Person
from tastemap.serve.people.profiles import Persons, Whoever, api_person, row_of
from tastemap.serve.schemas import (
    Explanation,
    GroupPicks,
    InterestedUser,
    InterestedUsers,
    ItemDetail,
    ItemMap,
    ItemPage,
    LevelProbability,
    ModelCard,
    OwnMap,
    PairPrediction,
    Place,
    Prediction,
    Predictions,
    RatingCount,
    Recommendations,
    Row,
    SimilarItem,
    SimilarItems,
    SimilarUser,
    SimilarUsers,
    Taste,
)
from tastemap.serve.web.errors import Problem


class Service(Persons):
    """Answers from the model that is being served and the ratings that people gave.

    Attributes:
        live: The model, which may be replaced between two calls.
        store: People's ratings.
    """

    # ---- items ----

    def items(
        self,
        query: str = "",
        filters: Filters = ALL,
        *,
        n: int = 20,
        cursor: str | None = None,
        person: Whoever | None = None,
    ) -> ItemPage:
        """Items whose titles or genres fit a query; without a query the most rated first.

        Args:
            query: A few words of a title, a year, a genre, or nothing.
            filters: Which items may be answered with.
            n: How many.
            cursor: Where to go on: ``next_cursor`` of the page before, for the same question.
            person: Whose predicted and own ratings the cards show.

        Raises:
            Problem: If the cursor is of another question or another model.
        """
        model = self.model
        mark = [model.version, query, *vars(filters).values()]
        first = _position(cursor, mark)
        rows = model.catalogue.search(query)
        allowed = model.catalogue.allowed(filters)
        rows = rows if allowed is None else rows[allowed[rows]]
        shown = rows[first : first + n]
        someone = None if person is None else self._person(model, person)
        cards = discover.cards(model, shown, someone)
        after = first + len(shown)
        return ItemPage(cards, len(rows), _cursor(after, mark) if after < len(rows) else None)

    def item(self, item_id: str, person: Whoever | None = None) -> ItemDetail:
        """Everything about an item.

        Raises:
            Problem: If no item has that id.
        """
        model = self.model
        row = row_of(model, item_id)
        someone = None if person is None else self._person(model, person)
        catalogue = model.catalogue
        return ItemDetail(
            item=discover.cards(model, np.array([row]), someone)[0],
            damped_average=float(catalogue.damped[row]),
            histogram=[RatingCount(*counted) for counted in catalogue.histogram(row)],
            facts=catalogue.facts(row),
            place=item_map.place_of_item(model, row),
        )

    def similar(self, item_id: str, k: int = 10, person: Whoever | None = None) -> SimilarItems:
        """The items most similar to one.

        Raises:
            Problem: If no item has that id.
            UnsupportedError: If the model cannot compare items.
        """
        model = self.model
        row = row_of(model, item_id)
        others = int((model.catalogue.popularity > 0).sum()) - bool(model.catalogue.popularity[row])
        if not others:
            return SimilarItems(model.catalogue.id_at(row), [])
        frame = model.ask("similar_items")(model.catalogue.id_at(row), min(k, others))
        rows = model.data.items.index(frame["item_id"])
        someone = None if person is None else self._person(model, person)
        cards = discover.cards(model, rows, someone)
        pairs = zip(cards, frame["similarity"].to_list(), strict=True)
        return SimilarItems(model.catalogue.id_at(row), [SimilarItem(*pair) for pair in pairs])

    def interested_users(self, item_id: str, k: int = 10) -> InterestedUsers:
        """The users of the training data who have not rated an item and would like it most.

        Raises:
            Problem: If no item has that id.
        """
        model = self.model
        row = row_of(model, item_id)
        one = model.catalogue.id_at(row)
        raters = np.unique(model.data.user_index[model.data.by_item[row]])
        if not (left := model.data.n_users - len(raters)):
            return InterestedUsers(one, [])
        frame = model.model.interested_users(one, min(k, left))
        found = frame.select("user_id", "predicted_rating", "score").rows()
        return InterestedUsers(one, [InterestedUser(*row) for row in found])

    # ---- answers for a person ----

    def recommend(
        self,
        person: Whoever,
        k: int = 10,
        *,
        filters: Filters = ALL,
        exclude_seen: bool = True,
        novelty: float = 0.0,
        reasons: bool = False,
    ) -> Recommendations:
        """The best items for a person.

        Args:
            person: A key of the store, or ratings in hand.
            k: How many.
            filters: Which items may be recommended.
            exclude_seen: Leave out what the person has rated.
            novelty: From -1 (favour the familiar) over 0 to 1 (favour the surprising).
            reasons: Give each item the rating of theirs that lifts it most.

        Raises:
            Problem: If ratings in hand cannot be used.
        """
        model = self.model
        someone = self._person(model, person)
        return discover.recommendations(model, someone, k, filters, exclude_seen, novelty, reasons)

    def rows(
        self, person: Whoever, k: int = 12, filters: Filters = ALL, novelty: float = 0.0
    ) -> list[Row]:
        """The rows of the first page: top picks, rate these next, popular, loved by few."""
        model = self.model
        return discover.rows(model, self._person(model, person), k, filters, novelty)

    def prediction(self, person: Whoever, item_id: str) -> Prediction:
        """What a person would give an item, with its distribution or its error band.

        Raises:
            Problem: If no item has that id.
        """
        model = self.model
        row, someone = row_of(model, item_id), self._person(model, person)
        return self._prediction(model, someone, row)

    def _prediction(self, model: LoadedModel, someone: Person, row: int) -> Prediction:
        predicted = model.predicted(someone, model.scores(someone))
        found = model.distribution(someone, row)
        levels = None
        if found is not None and model.scale.levels is not None:
            pairs = zip(model.scale.levels.tolist(), found.tolist(), strict=True)
            levels = [LevelProbability(*pair) for pair in pairs]
        value = None if predicted is None else float(predicted[row])
        error = model.error() if levels is None and value is not None else None
        return Prediction(value, someone.source, levels, error)

    def predict(self, pairs: list[tuple[str, str]]) -> Predictions:
        """Predictions of pairs of a user of the API and an item, in their order.

        Raises:
            Problem: If an item is unknown. An unknown user is answered with the averages.
        """
        model = self.model
        rows = [row_of(model, item) for _, item in pairs]
        found: dict[str, tuple[Person, Any, Any]] = {}
        answers = []
        for (user, _), row in zip(pairs, rows, strict=True):
            if user not in found:
                someone = self._person(model, api_person(user))
                scores = model.scores(someone)
                found[user] = someone, scores, model.predicted(someone, scores)
            someone, scores, predicted = found[user]
            value = None if predicted is None else float(predicted[row])
            item, score = model.catalogue.id_at(row), float(scores[row])
            answers.append(PairPrediction(user, item, value, score, someone.source))
        return Predictions(answers)

    def explain(self, person: Whoever, item_id: str) -> Explanation:
        """Why the prediction of an item is what it is, and what it would be without a rating.

        Raises:
            Problem: If no item has that id.
        """
        model = self.model
        row, someone = row_of(model, item_id), self._person(model, person)
        return explanation(model, someone, row, self._prediction(model, someone, row))

    def similar_users(self, person: Whoever, k: int = 10) -> SimilarUsers:
        """The users of the training data whose factors point most nearly the same way.

        Raises:
            UnsupportedError: If the model has no user factors.
        """
        model = self.model
        someone = self._person(model, person)
        directions, own = model.user_directions, model.factors_of(someone)
        if someone.source == "trained" and directions is not None:
            own = directions[someone.user]
        if directions is None:
            model.refuse("compare users")
        if own is None or not np.any(own):
            return SimilarUsers(someone.source, [])
        cosines = np.clip(directions @ (own / np.linalg.norm(own)), -1.0, 1.0)
        without = np.array([someone.user] if someone.user >= 0 else [], dtype=np.int32)
        rows = top_rows(cosines, k, without=without)
        pairs = zip(model.user_ids(rows), cosines[rows].tolist(), strict=True)
        return SimilarUsers(someone.source, [SimilarUser(*pair) for pair in pairs])

    def taste(self, person: Whoever) -> Taste:
        """What a person rates above and below others."""
        model = self.model
        return taste.taste(model, self._person(model, person))

    def place(self, person: Whoever) -> Place | None:
        """Where a person stands on the map; None without ratings, factors or a map."""
        model = self.model
        return item_map.place_of_person(model, self._person(model, person))

    def own_map(self, person: Whoever) -> OwnMap:
        """The map as a person sees it: where they stand, and what they would give each item."""
        model = self.model
        someone = self._person(model, person)
        predicted = model.predicted(someone, model.scores(someone))
        shown = None if predicted is None else predicted[model.map_rows].tolist()
        return OwnMap(item_map.place_of_person(model, someone), shown)

    def group(
        self,
        members: Mapping[str, Whoever],
        *,
        method: str = "least_misery",
        k: int = 10,
        filters: Filters = ALL,
    ) -> GroupPicks:
        """Items for several people, none of which any of them has rated.

        Args:
            members: Each member by name.
            method: ``"least_misery"`` (the least of the predictions counts) or ``"average"``.
            k: How many.
            filters: Which items may be chosen.

        Raises:
            Problem: If the method is neither, or there is no member.
        """
        model = self.model
        found = {name: self._person(model, who) for name, who in members.items()}
        return group.group_picks(model, found, method, k, filters)

    # ---- the whole ----

    def map(self) -> ItemMap:
        """All items on the map.

        Raises:
            Problem: If the artifact has no map.
        """
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
            scale=asdict(data.scale),
            metrics=about.get("metrics", {}),
            history=model.model.history_.to_dict(as_series=False),
            versions=about.get("versions", {}),
            can=model.can(),
        )


def _cursor(position: int, mark: list[Any]) -> str:
    """A cursor that says where to go on, and for which question."""
    text = json.dumps([position, _digest(mark)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str | None, mark: list[Any]) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position, digest = json.loads(text)
    except (ValueError, TypeError, binascii.Error):
        position, digest = -1, ""
    if not isinstance(position, int) or position < 0 or digest != _digest(mark):
        raise Problem(
            422,
            "invalid_cursor",
            "the cursor belongs to another question or another model; start without one",
        )
    return position


def _digest(mark: list[Any]) -> str:
    return hashlib.blake2b(json.dumps(mark).encode(), digest_size=6).hexdigest()
