"""What is in the columns of a table: signs of users, items, ratings and times in their values."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import polars as pl

from tastemap.data.readers.numbers import TRUTH_WORDS, number_form
from tastemap.data.readers.timestamps import evidence
from tastemap.data.readers.values import is_missing

# A column of at most so many different whole numbers may be one of ratings.
MAX_DISTINCT_RATINGS = 21
# Ratings lie within -100 and 100; larger numbers are counts, times or ids.
MAX_PLAUSIBLE_RATING = 100.0
# Longer texts, on average, are what people wrote.
MAX_ID_LENGTH = 60
# Among fewer rows, an order or the lack of a repetition tells nothing.
MIN_ROWS = 5


class Content:
    """The values of a column, from the beginning of a table.

    Args:
        values: Texts, in the order of the rows.

    Attributes:
        rows: The same without blanks around them.
        values: Those that say something.
    """

    def __init__(self, values: Sequence[str]) -> None:
        self.rows = [value.strip() for value in values]
        self.values = [value for value in self.rows if not is_missing(value)]

    @cached_property
    def distinct(self) -> set[str]:
        """The different values."""
        return {*self.values}

    @cached_property
    def numbers(self) -> list[float] | None:
        """The values as numbers, or None if they are not all numbers of one form."""
        form = number_form(self.distinct)
        if form is None or not self.values:
            return None
        return [form.value(value) or 0.0 for value in self.values]

    @cached_property
    def _evidence(self) -> Counter[str]:
        return evidence(pl.Series(self.values, dtype=pl.String))

    @property
    def is_date(self) -> bool:
        """Whether all values are dates, as text or such as 20240531."""
        counts, n = self._evidence, len(self.values)
        n_digits = counts["digits"] if counts["digits"] == counts["numbers"] else 0
        return n > 0 and counts["either"] + n_digits == n

    @property
    def is_time(self) -> bool:
        """Whether all values are dates, or times between 1990 and 2100 in some unit."""
        plausible = sum(n for key, n in self._evidence.items() if key.startswith("plausible"))
        return self.is_date or 0 < plausible == len(self.values)

    @property
    def may_be_times(self) -> bool:
        """Whether these are times, or whole numbers that are too large for ratings."""
        if self.is_time:
            return True
        numbers = self.numbers or [-1.0]
        return self.is_whole and min(numbers) >= 0 and max(numbers) > MAX_PLAUSIBLE_RATING

    @property
    def is_truth(self) -> bool:
        """Whether all values are True or False, yes or no."""
        return bool(self.values) and all(value.casefold() in TRUTH_WORDS for value in self.distinct)

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return self.numbers is not None and all(number.is_integer() for number in self.numbers)

    @property
    def is_unique(self) -> bool:
        """Whether no value occurs twice."""
        return len(self.values) >= MIN_ROWS and len(self.distinct) == len(self.values)

    @property
    def is_row_number(self) -> bool:
        """Whether each number is the next one, as where rows are numbered."""
        numbers = self.numbers or []
        steps = pairwise(numbers)
        return len(numbers) >= MIN_ROWS and all(after == before + 1 for before, after in steps)

    @property
    def may_be_ids(self) -> bool:
        """Whether nothing is against ids: no decimals, dates, sentences or addresses."""
        is_address = all(value.startswith(("http://", "https://")) for value in self.distinct)
        if self.is_date or self.is_truth or is_address:  # also of no values
            return False
        if self.numbers is not None:
            return self.is_whole
        return sum(map(len, self.values)) <= MAX_ID_LENGTH * len(self.values)

    @property
    def may_be_ratings(self) -> bool:
        """Whether nothing is against ratings: they are numbers, no times and no numbers of rows."""
        return self.numbers is not None and not self.is_time and not self.is_row_number

    @property
    def looks_like_ratings(self) -> bool:
        """Whether these are few different numbers, or decimals, none of them large."""
        if not self.may_be_ratings or max(map(abs, self.numbers or ())) > MAX_PLAUSIBLE_RATING:
            return False
        return not self.is_whole or (
            len(self.distinct) <= MAX_DISTINCT_RATINGS and not self.is_unique
        )

    def describes(self, other: "Content") -> bool:
        """Whether each value of the other column, and some occur twice, has one value here."""
        pairs = {*zip(other.rows, self.rows, strict=True)}
        n_others = len({*other.rows})
        return len(pairs) == n_others < len(other.rows)
