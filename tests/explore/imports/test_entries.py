"""What a file says of one title: words of services, years, times."""

import math

import pytest

from tastemap.explore.imports.entries import Entry, moments, oldest_first, title_and_year


@pytest.mark.parametrize("shelf", ["to-read", "Plan to Watch", "plantowatch", "watchlist"])
def test_shelves_of_what_is_still_to_come(shelf: str) -> None:
    assert Entry("Emma", None, math.nan, is_seen=True, shelf=shelf).is_wanted
    assert not Entry("Emma", None, 4.0, shelf=shelf).is_wanted, "what is rated was seen"


@pytest.mark.parametrize("kind", ["episode", "TV Episode", "tvEpisode", "season"])
def test_parts_of_series_are_no_titles(kind: str) -> None:
    assert Entry("Pilot", None, 4.0, kind=kind).is_episode
    assert not Entry("Heat", None, 4.0, kind="Movie").is_episode


def test_times_of_services() -> None:
    times = ["02 Jan 2024 10:30", "31 Dec 2023 23:59", "02 Jan 2024 09:00"]
    assert oldest_first(times) == [1, 2, 0]
    assert oldest_first([]) == moments([]) == []
    assert oldest_first(["2024-01-02", ""]) == [0, 1]
    assert moments(["2024-01-02T20:00:00.000Z", ""]) == [1704225600, None]
    assert moments(["18-12-2023 21:50:41"]) == [1702936241], "of Simkl"
    assert moments(["1704225600"]) == [1704225600]


def test_a_year_is_four_digits_in_brackets() -> None:
    assert title_and_year("Heat (95)") == ("Heat (95)", None)
    assert title_and_year("2001 (1968) ") == ("2001", 1968)
