"""Signs of a role in the values of a column."""

import pytest

from tastemap.data.readers.contents import Content


def signs(*values: str) -> set[str]:
    content = Content(values)
    names = ("may_be_ids", "may_be_ratings", "looks_like_ratings", "is_time", "is_unique")
    return {name for name in (*names, "is_row_number", "is_truth") if getattr(content, name)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("3 4 5 3 3 4", {"may_be_ids", "may_be_ratings", "looks_like_ratings"}),
        ("3.5 4 5 3.5 3 4", {"may_be_ratings", "looks_like_ratings"}),
        ("3,5 4 5 3,5 3 4", {"may_be_ratings", "looks_like_ratings"}),
        ("ann bo ann cy bo cy", {"may_be_ids"}),
        ("1 2 3 4 5 6", {"may_be_ids", "is_unique", "is_row_number"}),
        ("907 12 33 4412 51 606", {"may_be_ids", "may_be_ratings", "is_unique"}),
        ("2024-05-31 2024-05-30 2024-05-31 NA 2024-05-31", {"is_time"}),
        ("1700000000 1700000001 1700000001", {"may_be_ids", "is_time"}),
        ("20240531 20240530 20240531", {"is_time"}),
        ("True False True", {"is_truth"}),
        ("- NA —", set()),
    ],
)
def test_signs(values: str, expected: set[str]) -> None:
    assert signs(*values.split()) == expected


def test_long_texts_are_no_ids() -> None:
    assert (
        signs(*["a fine film, that I saw with all my friends on a rainy day in May"] * 2) == set()
    )


def test_a_column_may_describe_another() -> None:
    item, genre = Content(["1", "2", "1", "3"]), Content(["7", "7", "7", "8"])
    assert genre.describes(item)
    assert not item.describes(genre)
    assert not genre.describes(Content(["1", "2", "3", "4"]))  # no value occurs twice
