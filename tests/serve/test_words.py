"""What pages say of ratings and of likes."""

from dataclasses import replace

from tastemap.data.ratings import Ratings
from tastemap.serve.words import Words


def test_a_model_of_likes_never_speaks_of_ratings(ratings: Ratings) -> None:
    likes = ratings.likes()
    songs = replace(likes, source=replace(likes.source, noun="song"))
    for is_personal in (True, False):
        words = Words.of(songs, is_personal=is_personal)
        phrases = [*map(str, vars(words).values()), words.marked, words.at_least, words.unavailable]
        assert not [phrase for phrase in phrases if "rat" in phrase]
    assert words.first == "This model suggests the same songs to everybody."
    assert (words.count(1), words.count(1_200)) == ("1 person", "1,200 people")


def test_of_ratings_it_says_rated(ratings: Ratings) -> None:
    words = Words.of(ratings)
    assert (words.marked, words.at_least) == ("rated", "At least … ratings")
    assert words.live == "Every rating changes your picks at once."
