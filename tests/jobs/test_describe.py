"""Tables and figures that describe ratings."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from matplotlib.text import Text

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.report.blocks import Picture, Table
from tastemap.jobs.describe import (
    counts_table,
    data_blocks,
    genres_table,
    notes_of,
    save_figures,
    statistics_tables,
)


def test_tables_hold_what_was_counted_by_hand(tiny: Ratings) -> None:
    glance, counts, popular, liked = statistics_tables(tiny).values()
    row = glance.row(0, named=True)
    assert (row["ratings"], row["users"], row["items"]) == (6, 3, 3)
    assert dict(counts["rating", "count"].iter_rows()) == {1: 1, 2: 1, 3: 2, 4: 1, 5: 1}
    assert len(popular) == 3
    # 25 ratings at the mean of 3 beside 5 + 4, 3 + 1 and 2 + 3.
    expected = [(25 * 3 + total) / 27 for total in (9, 5, 4)]
    assert [round(value, 4) for value in liked["damped_average"]] == [
        round(value, 4) for value in expected
    ]


def test_placeholders_are_named(ratings: Ratings) -> None:
    titles = ["unknown", None, *(f"Film {item}" for item in range(3, 81))]
    table = pl.DataFrame({"item_id": range(1, 81), "title": titles})
    renamed = ratings.with_items(Vocabulary(ratings.items.ids, "item", table))
    assert notes_of(ratings) == ratings.source.notes
    assert notes_of(renamed)[-1] == (
        "2 items have no title that says what it is, and no place in lists: 1 “unknown”, 2"
    )


def test_many_values_are_counted_in_parts_of_the_scale() -> None:
    rating = np.concatenate([np.linspace(-10, 10, 101), [-10, 9.99, 10]])
    frame = {"user_id": np.arange(104), "item_id": np.zeros(104), "rating": rating}
    table = counts_table(Ratings.from_frame(pl.DataFrame(frame)))
    assert table["from"].to_list() == list(range(-10, 10, 2))
    assert table["to"][-1] == 10
    assert table["count"].to_list() == [11, *[10] * 8, 13]
    plays = frame | {"rating": 10.0 ** np.linspace(0, 5, 104)}
    table = counts_table(Ratings.from_frame(pl.DataFrame(plays)))
    assert table["to"].round(1).to_list()[:2] == [3.2, 10.0]
    assert table["count"].sum() == 104
    assert min(table["count"]) >= 10


def test_the_words_on_the_data_fit_any_scale() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "user_id": np.arange(3000),
            "item_id": rng.integers(0, 900, 3000),
            "rating": np.round(rng.uniform(-10, 10, 3000), 2),
        }
    )
    facts, *_, popular, liked = data_blocks(Ratings.from_frame(frame))
    assert dict(facts.pairs)["of all pairs rated"] == "0.12 %"
    assert "of 5" not in liked.caption
    assert "ten" not in popular.caption


def words_of(blocks: list[Any]) -> str:
    """All that a reader is told: sentences, captions, columns, figures."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            parts += [block.caption, *block.frame.columns]
        elif isinstance(block, Picture):
            texts = block.figure.findobj(Text)
            parts += [block.alt, *(text.get_text() for text in texts)]
        else:
            parts.append(block if isinstance(block, str) else str(block.pairs))
    return " ".join(parts)


def test_interactions_are_described_in_their_own_words(ratings: Ratings) -> None:
    likes = ratings.likes(1.0)
    clicks = likes.replaced(
        timestamp=likes.timestamp + 1_700_000_000,
        weight=(1 + likes.item_index % 3).astype(np.float32),
        source=Source("clicks.csv", ("3,000 interactions; no ratings",), noun="book"),
    )
    note, facts, *_, taken_up = data_blocks(clicks)
    assert note == "3,000 interactions; no ratings"
    assert dict(facts.pairs)["interactions"] == 3000
    assert taken_up.caption == "The most taken-up books"
    assert taken_up.frame["interactions"][0] == clicks.by_item.counts.max()
    words = words_of(data_blocks(clicks)[1:])
    assert "busiest" in words, "the activity in time"
    assert "Weight of an interaction" in words
    assert "rating" not in words.lower()
    assert "item " not in words


def test_figures_are_files_of_their_names(tmp_path: Path) -> None:
    save_figures({"empty": Figure(figsize=(1, 1))}, tmp_path / "figures")
    assert (tmp_path / "figures" / "empty.png").read_bytes()[:4] == b"\x89PNG"


def test_genres_are_counted_where_they_are_known() -> None:
    frame = pl.DataFrame({"user_id": [1, 2, 3], "item_id": [7, 7, 8], "rating": [1, 2, 3]})
    books = pl.DataFrame({"item_id": [7, 8, 9], "genres": [["Drama", "War"], ["War"], None]})
    assert genres_table(Ratings.from_frame(frame)) is None
    described = Ratings.from_frame(frame, item_table=books)
    tables = statistics_tables(described)
    assert tables["The genres of the items"].rows() == [("War", 2, 3), ("Drama", 1, 2)]
