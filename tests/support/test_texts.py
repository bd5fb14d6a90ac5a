"""Texts in one buffer are the texts."""

import polars as pl
import pytest

from tastemap.support.texts import Texts


@pytest.mark.parametrize("texts", [[], [""], ["a", "", "Amélie", "東京物語", "a" * 300]])
def test_texts_are_those_of_the_series(texts: list[str]) -> None:
    kept = Texts(pl.Series(texts, dtype=pl.String))
    assert (len(kept), list(kept)) == (len(texts), texts)
    assert [kept[place] for place in range(len(texts))] == texts
    for place in (-1, len(texts)):
        with pytest.raises(IndexError, match=f"place {place} of"):
            kept[place]
