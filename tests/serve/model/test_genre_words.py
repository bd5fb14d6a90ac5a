"""Genres by the words that people have for them."""

import pytest

from tastemap.explore.title_search import title_words
from tastemap.serve.model.genre_words import genres_in

GENRES = ["Comedy", "Sci-Fi", "Film-Noir", "Children's", "Romance", "War", "Drama"]


@pytest.mark.parametrize(
    ("query", "named", "rest"),
    [
        ("scifi", ["Sci-Fi"], ""),
        ("Sci-Fi", ["Sci-Fi"], ""),
        ("sci fi", ["Sci-Fi"], ""),
        ("science fiction 1979", ["Sci-Fi"], "1979"),
        ("films noirs", ["Film-Noir"], ""),
        ("comedies for kids", ["Comedy", "Children's"], ""),
        ("kids' comedy", ["Children's", "Comedy"], ""),
        ("romantic comedy", ["Romance", "Comedy"], ""),
        ("dramas", ["Drama"], ""),
        ("star wars", [], "star wars"),  # a title, not the plural of a genre
        ("science", [], "science"),
        ("", [], ""),
    ],
)
def test_words_name_genres(query: str, named: list[str], rest: str) -> None:
    assert genres_in(title_words(query), GENRES) == (named, rest.split())


def test_a_table_without_genres_has_none_to_name() -> None:
    assert genres_in(["comedy"], []) == ([], ["comedy"])
