"""The names of columns."""

from tastemap.data.readers.column_names import columns_of_interactions, plain, words_of


def test_a_name_is_plain_and_in_words_in_any_spelling() -> None:
    assert [*map(plain, ("Calificación", "My Rating", "user_id"))] == [
        *("calificacion", "myrating", "userid")
    ]
    assert words_of("movieRating") == ["movie", "rating"]


def test_counts_events_and_likes_are_known_by_their_names() -> None:
    columns = ["user", "Play Count", "eventType", "is_liked", "rating"]
    assert columns_of_interactions(columns) == columns[1:4]
