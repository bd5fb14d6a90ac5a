"""What the API takes: the bodies of requests, and the named parts of their addresses."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tastemap.serve.model.additions import NewItem
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.events import Event
from tastemap.serve.people.profiles import AnyProfile, History
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import ErrorAnswer


def _text(value: int | str) -> str:
    """An id as text that can be written down."""
    text = str(value)
    if not text.isascii():
        text.encode()  # a lone surrogate is no text: pydantic reports it
    return text


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a rating, or a weight, is a finite number")
    return value


WholeNumber = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]
ShortText = Annotated[StrictStr, Field(max_length=Limits.id_length)]
IdText = Annotated[WholeNumber | ShortText, AfterValidator(_text)]
IdInPath = Annotated[str, Path(max_length=Limits.id_length)]
RatingValue = Annotated[float, AfterValidator(_finite)]
Weight = Annotated[float, Field(ge=-Limits.weight, le=Limits.weight), AfterValidator(_finite)]
K = Annotated[int, Query(ge=1, le=Limits.k, description="How many.")]
N = Annotated[int, Query(ge=1, le=Limits.k, description="Items on a page.")]
Text = Annotated[str, Query(max_length=Limits.text_length)]
Novelty = Annotated[
    float, Query(ge=-1, le=1, description="-1 favours the familiar, 1 the surprising.")
]
# Those of `models.base.orders`.
OrderName = Literal["expected", "cautious", "curious", "relative", "likely-and-liked"]
OF_ORDERS = (
    "By the expected rating; by what is certain; by a draw; by what is more for this person than"
    " for others; by the rating times the probability that the person takes the item up at all,"
    " of which requests are answered with 503 while the server learns it."
)
Order = Annotated[OrderName, Query(description=OF_ORDERS)]
Seed = Annotated[int, Query(ge=0, lt=2**31, description="Of a curious list.")]
Diversity = Annotated[
    float, Query(ge=0, le=1, description="0 for the best, 1 for items that are unlike each other.")
]
Share = Annotated[float, Field(ge=0, le=1)]
Cap = Annotated[int, Field(ge=1, le=Limits.k)]
Words = Annotated[list[ShortText] | None, Query(max_length=Limits.columns)]
Calibrated = Annotated[
    Words, Query(description="Columns, `genres` or `genres=0.5`, in the shares of the taste.")
]
AtMost = Annotated[
    Words, Query(description="`director=2`: at most so many items with the same value.")
]
Year = Annotated[int | None, Field(ge=-(2**31), lt=2**31)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Why = Annotated[
    bool,
    Query(description=f"Say of each of at most {Limits.reasons} items which rating lifts it most."),
]
Seen = Annotated[bool, Query(description="Leave out what the person has rated.")]
New = Annotated[bool, Query(description="Also items that nobody has rated, by their facts.")]
Gap = Annotated[
    float, Field(ge=0, le=Limits.gap, description="Seconds since the latest item of the history.")
]


def _fact(value: Any) -> Any:
    """A fact of an item: text, a number, yes or no, nothing, or a list of these."""
    parts = value if isinstance(value, list) else [value]
    if len(parts) > Limits.values or not all(map(_is_fact, parts)):
        raise PydanticCustomError(
            "fact",
            "A fact is text of at most {text} characters, a finite number, true, false, null, or "
            "a list of at most {values} of these",
            {"text": Limits.fact_length, "values": Limits.values},
        )
    return value


def _is_fact(value: Any) -> bool:
    """Whether a value is a single fact that can be written down."""
    if isinstance(value, str):
        is_writable = value.isascii() or value.encode(errors="ignore").decode() == value
        return len(value) <= Limits.fact_length and is_writable
    if isinstance(value, int):  # a truth value is one, too
        return -(2**63) <= value < 2**63
    return value is None or (isinstance(value, float) and math.isfinite(value))


_KINDS: list[Any] = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
_KINDS[0]["maxLength"] = Limits.fact_length
_LIST = {"type": "array", "maxItems": Limits.values, "items": {"anyOf": _KINDS}}
Fact = Annotated[Any, AfterValidator(_fact), WithJsonSchema({"anyOf": [*_KINDS, _LIST]})]


def _id(value: int | str | None) -> str | None:
    return None if value is None else str(value)


def _in_order(pairs: Iterable[tuple[int | str, float]]) -> dict[str, float]:
    """Value by item id; of an item that stands twice the last value, at the last place."""
    values: dict[str, float] = {}
    for item_id, value in pairs:
        values.pop(str(item_id), None)
        values[str(item_id)] = value
    return values


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemRating(_Body):
    """An item and its rating, in the data's scale."""

    item_id: IdText
    rating: RatingValue


class OneRating(_Body):
    """A rating, in the data's scale."""

    rating: RatingValue


class OneFlag(_Body):
    """What a person says of an item without rating it."""

    flag: Literal["seen", "later", "unwanted", "unseen"]


Ratings = Annotated[list[ItemRating], Field(max_length=Limits.batch)]


class ManyRatings(_Body):
    """Ratings of one person; of an item that stands twice the last counts."""

    ratings: Ratings

    def by_item(self) -> dict[str, float]:
        """Rating by item id, in the order in which they count."""
        return _in_order((rated.item_id, rated.rating) for rated in self.ratings)


class ItemWeight(_Body):
    """An item and the weight of a person's interactions with it: below 0 for a dislike."""

    item_id: IdText
    weight: Weight = 1.0


class OneWeight(_Body):
    """A weight: 1 for a like, -1 for a dislike, or any other but 0."""

    weight: Weight = 1.0


class SentEvent(_Body):
    """What a person did with an item: a weight, or a kind of event, or neither, which weighs 1.

    An event with an id counts once, however often it is sent.
    """

    item_id: IdText
    weight: Weight | None = None
    event: ShortText | None = None
    timestamp: Annotated[StrictInt, Field(ge=0, lt=2**53)] | None = None
    event_id: IdText | None = None


class ManyEvents(_Body):
    """Events of one person, in their order."""

    events: Annotated[list[SentEvent], Field(max_length=Limits.batch)]

    def listed(self) -> list[Event]:
        """As the service takes them."""
        return [
            Event(str(sent.item_id), sent.weight, sent.event, sent.timestamp, _id(sent.event_id))
            for sent in self.events
        ]


class NewItemBody(_Body):
    """An item that nobody has rated: its id, its title and its facts, by column of the items."""

    item_id: IdText
    title: Annotated[StrictStr, Field(max_length=Limits.text_length)] | None = None
    facts: Annotated[dict[ShortText, Fact], Field(max_length=Limits.facts)] = {}

    @model_validator(mode="after")
    def _title_beside_facts(self) -> Self:
        if "title" in self.facts:
            raise PydanticCustomError("title", "The title stands beside the facts, not among them")
        return self

    def item(self) -> NewItem:
        """As the service takes it."""
        title = (self.title or "").strip()
        return NewItem(str(self.item_id), ({"title": title} if title else {}) | self.facts)


class ManyItems(_Body):
    """Items to put into the served model."""

    items: Annotated[list[NewItemBody], Field(min_length=1, max_length=Limits.batch)]
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"items": [{"item_id": "9001", "title": "Dawn", "facts": {"genres": ["Drama"]}}]}
            ]
        }
    )

    def listed(self) -> list[NewItem]:
        """As the service takes them."""
        return [sent.item() for sent in self.items]


class InHand(_Body):
    """What a person says of items, the oldest first: ratings, interactions, or items alone.

    An item of a ``history``, an id or a title, counts as liked. Of an item that stands twice the
    last counts. ``gap`` says how many seconds ago the latest item of a history was; it makes a
    difference to models that look at time alone.
    """

    ratings: Ratings | None = None
    interactions: Annotated[list[ItemWeight], Field(max_length=Limits.batch)] | None = None
    history: Annotated[list[IdText], Field(max_length=Limits.batch)] | None = None
    gap: Gap | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if sum(part is not None for part in (self.ratings, self.interactions, self.history)) > 1:
            raise PydanticCustomError("one_of", "One of ratings, interactions and history")
        if self.gap is not None and self.history is None:
            raise PydanticCustomError("gap", "A gap goes with a history")
        return self

    def profile(self, model: LoadedModel) -> AnyProfile | None:
        """As the service takes it; None where nothing is said.

        Raises:
            UnsupportedError: If these are ratings, and the model has learnt from interactions, or
                the other way round.
        """
        if self.history is not None:
            return History(tuple(map(str, self.history)), self.gap)
        if self.ratings is not None:
            model.require("ratings")
            return _in_order((rated.item_id, rated.rating) for rated in self.ratings)
        if self.interactions is not None:
            model.require("interactions")
            return _in_order((chosen.item_id, chosen.weight) for chosen in self.interactions)
        return None


class Named(_Body):
    """Named filters: what is left out asks for nothing."""

    genre: Annotated[str, Field(max_length=Limits.text_length)] = ""
    year_from: Year = None
    year_to: Year = None
    min_ratings: Count = 0

    def filters(self) -> Filters:
        """As the service takes them."""
        return Filters(self.genre, self.year_from, self.year_to, self.min_ratings)


class RecommendBody(InHand):
    """Ratings, interactions or a history in hand, and how to recommend from them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"history": ["1"], "k": 10}]})

    k: int = Field(10, ge=1, le=Limits.k)
    exclude_seen: bool = True
    novelty: float = Field(0.0, ge=-1, le=1)
    by: OrderName = Field("expected", description=OF_ORDERS)
    seed: int = Field(0, ge=0, lt=2**31)
    reasons: bool = False
    new: bool = False
    diversity: float = Field(0.0, ge=0, le=1)
    calibrated: Annotated[dict[ShortText, Share], Field(max_length=Limits.columns)] | None = None
    at_most: Annotated[dict[ShortText, Cap], Field(max_length=Limits.columns)] | None = None
    where: Named = Named()


class Pair(_Body):
    """A user, of the training data or of the store, and an item."""

    user_id: IdText
    item_id: IdText


def _of_few_users(pairs: list[Pair]) -> list[Pair]:
    """Pairs of so many users, each of whom costs as much as a list of recommendations."""
    n_users = len({str(pair.user_id) for pair in pairs})
    if n_users > Limits.users:
        message = "Pairs should be of at most {most} different users, not of {n}"
        raise PydanticCustomError("too_long", message, {"most": Limits.users, "n": n_users})
    return pairs


class PredictBody(_Body):
    """Pairs to predict."""

    pairs: Annotated[
        list[Pair],
        Field(max_length=Limits.batch, description=f"Of at most {Limits.users} different users."),
        AfterValidator(_of_few_users),
    ]


class ExplainBody(InHand):
    """A prediction to explain: of a user, or of ratings, interactions or a history in hand."""

    item_id: IdText
    user_id: IdText | None = None


async def named_filters(
    genre: Annotated[
        str, Query(max_length=Limits.text_length, description="Items of this genre.")
    ] = "",
    year_from: Year = None,
    year_to: Year = None,
    min_ratings: Count = 0,
) -> Filters:
    """The filters in an address."""
    return Filters(genre, year_from, year_to, min_ratings)


def known_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that routes may answer with, for the OpenAPI document."""
    meanings = {
        400: "The request is no HTTP or JSON that can be read.",
        401: "The API key is missing or wrong.",
        404: "There is no such item, rating or map.",
        409: "The model that is served cannot answer this.",
        413: "The body is too large.",
        422: "A part of the request cannot be used.",
        429: "Too many requests.",
        503: "The ratings that people gave cannot be had now, or the server is too busy.",
    }
    return {status: {"model": ErrorAnswer, "description": meanings[status]} for status in statuses}
