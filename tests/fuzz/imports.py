"""Target: ratings that people bring, as an export or a list that they write."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fuzzing import Target, corpus
from hypothesis import strategies as st
from pieces import damaged, joined, whole
from readers import zipped
from small_models import small_ratings

from tastemap.explore.imports.files import read_list
from tastemap.explore.imports.likes import read_likes, review_likes
from tastemap.explore.imports.ratings import chosen, read_ratings, review

MAX_BYTES = 20_000_000
LETTERBOXD = (
    "Date,Name,Year,Letterboxd URI,Rating\n2024-01-01,Item 2,1990,https://b.example/a,4.5\n"
)
IMDB = "Const,Your Rating,Date Rated,Title,Year\ntt0078748,9,2020-05-06,Item 3,1979\n"
MOVIELENS = 'movie_id,rating,title\n2,4.5,"Item 2, The (1990)"\n3,1,Item 3\n'
LISTS = ["Item 2 = 5\nItem 3 (1990), 4.5\n\nalien;3\n", "Item 5 5", "title,rating\nItem 2,5\n"]
LIKES = "item_id,title,liked,timestamp\n2,Item 2,1,20\n3,Item 3,-1,\n"
GOOD = [text.encode() for text in (LETTERBOXD, IMDB, MOVIELENS, *LISTS, LIKES)]
GOOD += [zipped({"letterboxd/ratings.csv": LETTERBOXD, "letterboxd/deleted/ratings.csv": "a"})]
WATCHED = "Date,Name,Year,Letterboxd URI\n2024-01-01,Item 3,1979,https://b.example/c\n"
GOOD += [zipped({"ratings.csv": LETTERBOXD, "watched.csv": WATCHED, "likes/films.csv": WATCHED})]
TRAKT = '[{"watched_at": "2024-01-02", "movie": {"title": "Item 3", "year": 1979}}]'
GOOD += [text.encode() for text in (WATCHED, TRAKT, "a,b,Item 2,02 Jan 2024 10:30\n")]
ANIME = (
    "<myanimelist><anime><series_title>Item 2</series_title><my_score>9</my_score>"
    "<my_status>Completed</my_status></anime></myanimelist>"
)
SIMKL = '{"movies": [{"status": "completed", "user_rating": 9, "movie": {"title": "Item 3"}}]}'
RELEASE = {
    "ratings.csv": "userId,movieId,rating\n1,2,4\n",
    "movies.csv": "movieId,title\n2,Item 2\n",
}
GOOD += [ANIME.encode(), SIMKL.encode(), zipped(RELEASE)]
WORDS = ["Rating", "Title", "Name", "Year", "Item 2", "(1990)", "(", ")", "10", "0.5", "The"]


@st.composite
def examples(draw: st.DrawFn) -> dict[str, Any]:
    """An export or a list, after some edits."""
    contents = [*map(whole, GOOD), *(example["content"] for example in corpus("imports"))]
    content = draw(damaged(st.sampled_from(contents), WORDS))
    return {"is_list": draw(st.booleans()), "content": content}


@contextmanager
def imports() -> Iterator[Target]:
    """Imports beside the items of a small table."""
    data = small_ratings()

    def is_rating(value: float) -> bool:
        return data.scale.lowest <= value <= data.scale.highest

    def run(example: dict[str, Any]) -> None:
        content = joined(example["content"])
        if example["is_list"]:
            entries = read_list(content.decode(errors="replace"))
        else:
            export = read_ratings(content, MAX_BYTES)
            entries, result = export.entries, review(data, export)
            matches = [*result.sure, *result.unsure, *result.unknown]
            assert result.n_entries == len(entries)
            rated = [match for match in matches if not match.entry.is_seen]
            assert all(is_rating(match.rating) for match in rated)
            assert all(match.entry.is_seen and match.rows for match in result.seen)
        ratings, unread = chosen(data, entries)
        assert all(map(is_rating, ratings.values()))
        assert len(ratings) + len(unread) <= len(entries)
        likes = review_likes(data, read_likes(content, MAX_BYTES))
        assert all(abs(match.rating) == 1 for match in likes.sure)
        shown = [ratings, unread, likes.rule, [remark.shown() for remark in likes.remarks]]
        json.dumps(shown, allow_nan=False).encode()

    yield Target(examples(), run)
