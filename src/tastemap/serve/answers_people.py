"""What the application answers about people: their ratings, their taste, and their like."""

from dataclasses import dataclass

from tastemap.serve.answers import Id, ItemCard, Place, Source


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
class OwnRating:
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
class OwnMap:
    """A person's place on the map and predicted rating of each of its items; null if unknown."""

    place: Place | None
    predicted_rating: list[float] | None


@dataclass(frozen=True, slots=True)
class Leaning:
    """How a person rates a genre or decade, compared with what others give the same items.

    Attributes:
        name: The genre or decade.
        n: How many of its items the person rated.
        difference: Mean of own rating minus damped average, drawn towards 0 where n is small.
    """

    name: str
    n: int
    difference: float


@dataclass(frozen=True, slots=True)
class Taste:
    """A person's taste: what they rate above and below others.

    Attributes:
        n: Number of ratings. mean: Their mean, null without any.
        generosity: Mean of own rating minus the item's damped average.
        genres, decades: Leanings, the largest difference first.
        likes, dislikes: Items rated far above, and far below, what others give them.
        sentences: The same in words.
    """

    n: int
    mean: float | None
    generosity: float | None
    genres: list[Leaning]
    decades: list[Leaning]
    likes: list[ItemCard]
    dislikes: list[ItemCard]
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class GroupPick:
    """An item for several people.

    Attributes:
        item: The item; its score is what the list is sorted by.
        predictions: The predicted rating (or score) of each member, in their order.
        reason: Why it was chosen, in words.
    """

    item: ItemCard
    predictions: list[float]
    reason: str


@dataclass(frozen=True, slots=True)
class GroupPicks:
    """The best items for several people; ``method`` is least_misery or average."""

    method: str
    members: list[str]
    picks: list[GroupPick]
