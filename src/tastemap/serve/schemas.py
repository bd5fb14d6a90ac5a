"""What the application answers: one small frozen class a question, for a page and its JSON alike.

``source`` says where an answer about a person comes from: ``"trained"`` where the model was fitted
on the person's ratings and they have not changed since, ``"folded_in"`` where a known model answers
for the ratings it is shown, ``"popular"`` where nothing is known of the person, so that the answer
is the damped average of everybody, or the number of people who like an item.

Where the model has learnt from interactions, the weight of an interaction stands wherever these
classes have a rating of a person: above 0 for a like, below 0 for a dislike. No rating is predicted
then, and no average is known.

``name`` stands beside each ``title``: the same as people say it, with its article in front.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from tastemap.support.titles import spoken

Id = int | str
Source = Literal["trained", "folded_in", "popular"]
Basis = Literal["ratings", "interactions", "facts", "average"]


@dataclass(frozen=True, slots=True)
class Named:
    """What has a title.

    Attributes:
        name: The title as people say it: "The Usual Suspects" for "Usual Suspects, The".
    """

    name: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Say the title."""
        title: str | None = self.title  # type: ignore[attr-defined]
        object.__setattr__(self, "name", title and spoken(title))


@dataclass(frozen=True, slots=True)
class Reason(Named):
    """A rating of the person's own that lifts an item, and belongs to a similar one.

    Attributes:
        item_id, title: The rated item.
        rating: The rating.
    """

    item_id: Id
    title: str
    rating: float


@dataclass(frozen=True, slots=True)
class ItemCard(Named):
    """An item in a list.

    Attributes:
        item_id: Its id in the data.
        title: Its title without the year, or its id as text.
        year, genres: What the data says, if anything.
        n_ratings, average_rating: Number and mean of its training ratings; without ratings, the
            number of people who like it, and null.
        predicted_rating: What the person would give it, in the data's scale; null where nothing
            is known of the person, or the model ranks without predicting ratings.
        score: What the list is sorted by, where it is recommended.
        your_rating: What the person gave it.
        because: Why it is recommended, where that was asked for and the model can tell.
        note: What is true of it where no rating of the person's own is a reason, in words:
            "almost everybody who likes what you like gives it 4 or more".
        basis: What predictions of it rest on: ``ratings`` or ``interactions``; ``facts``, where it
            has none and the model knows it by its facts; ``average``, where nothing tells it from
            the average item.
        interval: The lowest and the highest rating of the shortest interval that holds 80 % of the
            predicted distribution, in lists with items that nobody has rated, where the model has
            one.
    """

    item_id: Id
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    n_ratings: int = 0
    average_rating: float | None = None
    predicted_rating: float | None = None
    score: float | None = None
    your_rating: float | None = None
    because: Reason | None = None
    note: str | None = None
    basis: Basis | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Items that fit a question, and the cursor of those that follow; null at the end.

    ``are_guesses``: no title has the words of the query; these have words that are spelt alike.
    """

    items: list[ItemCard]
    total: int
    next_cursor: str | None = None
    are_guesses: bool = False


@dataclass(frozen=True, slots=True)
class RatingCount:
    """How many training ratings of an item have this value."""

    rating: float
    count: int


@dataclass(frozen=True, slots=True)
class LevelProbability:
    """How probable it is that the person gives this rating."""

    rating: float
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a person would give an item.

    Attributes:
        predicted_rating: In the data's scale; null where the model only ranks.
        source: Where it comes from.
        distribution: The probability of each rating, where the model gives one.
        error: Else the model's typical error, its test RMSE, where that is known.
        score: What lists are sorted by.
    """

    predicted_rating: float | None
    source: Source
    distribution: list[LevelProbability] | None = None
    error: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class SimilarItem:
    """An item and its similarity, in [-1, 1]."""

    item: ItemCard
    similarity: float


@dataclass(frozen=True, slots=True)
class SimilarItems:
    """The items most similar to one, the most similar first."""

    item_id: Id
    items: list[SimilarItem]


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The best items for a person, the best first.

    Attributes:
        source: Where they come from.
        items: The items; ``score`` is what they are sorted by.
        note: Why there are fewer than asked for, where there are.
    """

    source: Source
    items: list[ItemCard]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PairPrediction:
    """The prediction of one pair; ``basis`` as in `ItemCard`."""

    user_id: Id
    item_id: Id
    predicted_rating: float | None
    score: float
    source: Source
    basis: Basis


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions in the order of the pairs."""

    predictions: list[PairPrediction]


@dataclass(frozen=True, slots=True)
class Part(Named):
    """A part of a prediction.

    Attributes:
        part: What it is; ``"your rating"`` for one that a rated item contributes, or one that the
            person chose.
        contribution: How much it adds, in units of the rating (or of the score).
        item_id, title, rating: The rated item, where it is one; its title has the year.
        without: What the prediction would be without that rating, for the largest of them.
        places_back: How many places back the item is in the history, 1 for the latest, in a model
            that looks at the order.
    """

    part: str
    contribution: float
    item_id: Id | None = None
    title: str | None = None
    rating: float | None = None
    without: float | None = None
    places_back: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation(Named):
    """Why a prediction is what it is.

    Attributes:
        item_id, title: The item.
        prediction: What is explained.
        parts: Parts that add up to it; empty where the model has none.
        additive: Whether they do. If not, ``contribution`` is what the prediction loses without
            the rating.
        note: Why there are no parts, where there are none.
    """

    item_id: Id
    title: str
    prediction: Prediction
    parts: list[Part]
    additive: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, what it was fitted on, and how good it is.

    Attributes:
        name: What learnt it.
        version: Changes whenever another model is loaded.
        recipe: Class and options to learn it again, if kept.
        data: Name of the data and the notes made on reading it.
        n_ratings, n_users, n_items: Its size; without ratings ``n_ratings`` counts interactions.
        scale: Lowest and highest rating, and the step between ratings (null: continuous); null
            without ratings.
        metrics: Test errors recorded with the model.
        history: The curves of training, by column.
        versions: The packages it was made with.
        stopped: Where the time of its fit was over, as iterations done and planned; null if it
            was fitted whole.
        can: What it can do: ``predict``, ``distribution``, ``fold_in``, ``explain``, ``map``.
        kind: What it has learnt from: ``ratings`` or ``interactions``.
        weights: Lowest, median and highest weight of the interactions; null with ratings.
        noun: What an item is called, in the singular.
    """

    name: str
    version: str
    recipe: dict[str, Any] | None
    data: dict[str, Any]
    n_ratings: int
    n_users: int
    n_items: int
    scale: dict[str, float | None] | None
    metrics: dict[str, Any]
    history: dict[str, list[Any]]
    versions: dict[str, str]
    stopped: dict[str, int] | None
    can: list[str]
    kind: Literal["ratings", "interactions"]
    weights: dict[str, float] | None
    noun: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of cards on the first page.

    Attributes:
        key: ``top-picks``, ``because-1``, ``because-2``, ``more-yours``, ``rate-next``,
            ``acclaimed``, ``loved-by-few``, ``popular`` or ``new-here``.
        title, note: Its heading, and what it means.
        source: Where it comes from.
        items: The cards.
    """

    key: str
    title: str
    note: str
    source: Source
    items: list[ItemCard]


@dataclass(frozen=True, slots=True)
class SimilarUser:
    """A user of the training data and the similarity, in [-1, 1]."""

    user_id: Id
    similarity: float


@dataclass(frozen=True, slots=True)
class SimilarUsers:
    """The users most similar to a person, the most similar first."""

    source: Source
    users: list[SimilarUser]


@dataclass(frozen=True, slots=True)
class InterestedUser:
    """A user of the training data, and how much an item would please them."""

    user_id: Id
    predicted_rating: float | None
    score: float


@dataclass(frozen=True, slots=True)
class InterestedUsers:
    """The users who have not rated an item and would like it most, the first the most."""

    item_id: Id
    users: list[InterestedUser]


@dataclass(frozen=True, slots=True)
class OwnRating(Named):
    """A rating of a person.

    Attributes:
        item_id: The item.
        title: Its title.
        year: Its year, if known.
        rating: The rating.
        moment: When it was given, in seconds since 1970, if known.
        trained: Whether it is one of the training data's.
    """

    item_id: Id
    title: str
    year: int | None
    rating: float
    moment: int | None
    trained: bool


@dataclass(frozen=True, slots=True)
class OwnRatings:
    """All ratings of a person, the newest first."""

    ratings: list[OwnRating]


@dataclass(frozen=True, slots=True)
class FlaggedItem(Named):
    """What a person says of an item without rating it.

    Attributes:
        item_id: The item.
        title: Its title.
        year: Its year, if known.
        flag: ``seen``; ``later``, for what they want to see; ``unwanted``, for what they are not
            interested in; ``unseen``, for what they have not seen.
        moment: When they said so, in seconds since 1970.
    """

    item_id: Id
    title: str
    year: int | None
    flag: str
    moment: int


@dataclass(frozen=True, slots=True)
class FlaggedItems:
    """All that a person says of items without rating them, the newest first."""

    flags: list[FlaggedItem]


@dataclass(frozen=True, slots=True)
class OwnInteraction(Named):
    """What a person has done with an item, all added up.

    Attributes:
        item_id: The item.
        title: Its title.
        year: Its year, if known.
        weight: Above 0 for a like, below 0 for a dislike.
        moment: When they did so last, in seconds since 1970, if known.
        trained: Whether it is one of the training data's.
    """

    item_id: Id
    title: str
    year: int | None
    weight: float
    moment: int | None
    trained: bool

    @classmethod
    def of(cls, rating: OwnRating) -> "OwnInteraction":
        """What is kept in the place of a rating."""
        return cls(
            rating.item_id,
            rating.title,
            rating.year,
            rating.rating,
            rating.moment,
            rating.trained,
        )


@dataclass(frozen=True, slots=True)
class OwnInteractions:
    """All interactions of a person, the newest first."""

    interactions: list[OwnInteraction]


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """What became of an event.

    Attributes:
        event_id: Its id, if it has one.
        status: ``counted``; ``repeated``, if its id has been counted before; or ``refused``.
        message: Why it was refused, for people.
    """

    event_id: str | None
    status: Literal["counted", "repeated", "refused"]
    message: str | None = None


@dataclass(frozen=True, slots=True)
class EventAnswers:
    """What became of a batch of events, in their order, and how many were counted."""

    counted: int
    repeated: int
    refused: int
    events: list[EventAnswer]
