"""What pages say of a model of ratings, and of one that has learnt from likes, clicks or plays."""

from dataclasses import dataclass

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import Noun, item_noun
from tastemap.data.ratings import Ratings


@dataclass(frozen=True)
class Words:
    """The phrases that differ between the two, for the pages and for the exported site.

    Attributes:
        noun: What an item is called.
        is_personal: Whether the answer to somebody depends on what they say.
        verb: What people do with an item.
        mark: What is kept of a person and an item.
        one_counted, counted: What is counted of an item, in the singular and in the plural.
        start: What somebody new is asked to do before there are picks.
        first: What somebody new is asked to do beside them.
        live: What a mark does to the picks.
        changed: What is said when a mark is set.
        map_note: What can be done on the map.
    """

    noun: Noun
    is_personal: bool
    verb: str
    mark: str
    one_counted: str
    counted: str
    start: str
    first: str
    live: str
    changed: str
    map_note: str

    @classmethod
    def of(cls, data: Feedback, *, is_personal: bool = True) -> "Words":
        """The phrases for what a model has learnt from.

        Args:
            data: Ratings or interactions.
            is_personal: Whether the answer to somebody depends on what they say.

        Example:
            >>> from tastemap.data.datasets.synthetic import synthetic_ratings
            >>> words = Words.of(synthetic_ratings().likes())
            >>> words.first
            'Like a few items that you know; from the first on, the picks are yours.'
            >>> words.count(1), words.count(2048)
            ('1 person', '2,048 people')
        """
        noun, has_ratings = item_noun(data), isinstance(data, Ratings)
        verb, mark = ("rate", "rating") if has_ratings else ("like", "like")
        start = f"{verb.capitalize()} a few {noun.plural} that you know, and your picks follow."
        first = f"{verb.capitalize()} a few {noun.plural} that you know; from the first on, the "
        first, live = f"{first}picks are yours.", f"Every {mark} changes your picks at once."
        changed = "Your picks have changed."
        if not is_personal:
            first = live = f"This model suggests the same {noun.plural} to everybody."
            changed = ""
        note = f"Point at {noun.indefinite} to see its true neighbours; click it to {verb} it."
        counted = ("rating", "ratings") if has_ratings else ("person", "people")
        return cls(noun, is_personal, verb, mark, *counted, start, first, live, changed, note)

    @property
    def marked(self) -> str:
        """What a person has done with the items that they are counted for: rated, liked."""
        return f"{self.verb}d"

    @property
    def at_least(self) -> str:
        """The name of the filter for well-known items."""
        return f"At least … {self.counted}"

    @property
    def unavailable(self) -> str:
        """What is said while the store cannot be had."""
        return f"Your {self.mark}s cannot be had just now. Please come back in a moment."

    def count(self, n: int) -> str:
        """How well known an item is."""
        return f"{n:,} {self.one_counted if n == 1 else self.counted}"
