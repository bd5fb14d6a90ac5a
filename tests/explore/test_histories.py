"""Histories of other services: what they are known by, and their order."""

import json

import pytest

from tastemap.explore.histories import oldest_first, read_trakt, with_header


def test_trakt_is_known_by_films_and_series() -> None:
    film = {"movie": {"title": "Heat", "year": 1995, "ids": {"trakt": 1}}, "plays": 2}
    series = {"show": {"title": "Lost"}, "episode": {"title": "Pilot"}, "rating": 8}
    entries = read_trakt(json.dumps([film, series]).encode())
    assert entries is not None
    assert [(entry.work.title, entry.rating) for entry in entries] == [
        ("Heat", None),
        ("Lost", 8),
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"[1]", b"title,rating", b'[{"movie": {"title": 7}}]', b"[" * 9_999, b"\xff"],
)
def test_what_is_not_trakt(content: bytes) -> None:
    assert read_trakt(content) is None


@pytest.mark.parametrize(
    "text",
    ["", "a,b,c,d\n", "a,b,c,7\n", "\0", "a\rb", "x" * 200_000, "artist,album,track,date\nx"],
)
def test_what_lacks_no_header(text: str) -> None:
    assert with_header(text) == text


def test_times_of_scrobbles() -> None:
    times = ["02 Jan 2024 10:30", "31 Dec 2023 23:59", "02 Jan 2024 09:00"]
    assert oldest_first(times) == [1, 2, 0]
    assert oldest_first([]) == []
    assert oldest_first(["2024-01-02", ""]) == [0, 1]
