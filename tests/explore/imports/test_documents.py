"""Exports that are no tables: JSON of Trakt and Simkl, XML of MyAnimeList and Criticker."""

import json

import pytest

from tastemap.errors import DataError
from tastemap.explore.imports.documents import read_json, read_xml


def test_trakt_is_known_by_films_and_series() -> None:
    film = {"movie": {"title": "Heat", "year": 1995, "ids": {"imdb": "tt0113277"}}, "plays": 2}
    rated = {"show": {"title": "Lost"}, "type": "show", "rating": 8, "rated_at": "2024-01-02"}
    watched = {"show": {"title": "Lost"}, "episode": {"title": "Pilot"}, "type": "episode"}
    listed = {"movie": {"title": "Up", "year": 2009}, "listed_at": "2024-01-02"}
    records = [film, rated, watched, watched | {"rating": 7}, listed]
    export = read_json(json.dumps(records).encode())
    assert export is not None
    shown = [(e.name, e.is_seen, e.is_wanted, e.is_episode) for e in export.entries]
    assert shown == [
        ("Heat (1995)", True, False, False),
        ("Lost", False, False, False),
        ("Lost", True, False, False),
        ("Lost", False, False, True),
        ("Up (2009)", True, True, False),
    ]
    assert export.entries[0].imdb_id == "tt0113277"
    assert export.entries[1].rating == 8


def test_a_backup_of_simkl_has_films_and_series() -> None:
    film = {"status": "completed", "user_rating": 9, "movie": {"title": "Heat", "year": 1995}}
    show = {"status": "plantowatch", "user_rating": None, "show": {"title": "Lost", "ids": {}}}
    export = read_json(json.dumps({"movies": [film], "shows": [show], "anime": []}).encode())
    assert export is not None
    assert export.source == "Simkl"
    assert [(e.name, e.rating == 9, e.is_wanted) for e in export.entries] == [
        ("Heat (1995)", True, False),
        ("Lost", False, True),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[1]",
        b"{}",
        b"title,rating",
        b'[{"movie": {"title": 7}}]',
        b"[" * 9_999,
        b"\xff",
    ],
)
def test_what_is_no_json_of_theirs(content: bytes) -> None:
    assert read_json(content) is None
    assert read_xml(content, 9) is None


ANIME = """<?xml version="1.0" encoding="UTF-8" ?><!-- by hand --><myanimelist>
<myinfo><user_export_type>1</user_export_type></myinfo>
<anime><series_animedb_id>1</series_animedb_id><series_title><![CDATA[A & B]]></series_title>
<my_finish_date>2024-01-02</my_finish_date><my_score>9</my_score><my_status>Completed</my_status>
</anime>
<anime><series_title>C</series_title><my_finish_date>0000-00-00</my_finish_date>
<my_score>0</my_score><my_status>Plan to Watch</my_status></anime>
</myanimelist>"""


def test_lists_of_myanimelist_have_scores_and_what_is_planned() -> None:
    export = read_xml(ANIME.encode(), 9)
    assert export is not None
    assert export.source == "MyAnimeList"
    shown = [(e.title, e.at, e.is_seen, e.is_wanted) for e in export.entries]
    assert shown == [("A & B", "2024-01-02", False, False), ("C", "", True, True)]
    assert len(read_xml(ANIME.encode(), 0).entries) == 1, "one more shows that there are too many"


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>
<myanimelist><anime><series_title>&c;&c;</series_title></anime></myanimelist>"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "XML with declarations; bring the file as it was exported"),
        (ANIME[:-20], "XML that is damaged: .*; export it again"),
        ("<html><body></body></html>", "XML that is no list of MyAnimeList or Criticker"),
        ("<" * 50_000, "damaged"),
    ],
)
def test_bombs_and_damaged_xml_are_refused(content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_xml(content.encode(), 9)
