"""Dates that are text, in many forms, as seconds since 1970."""

from datetime import UTC, datetime

import polars as pl
import pytest

from tastemap.data.readers.dates import evidence, seconds

MOMENT = datetime(2024, 5, 31, 10, 15, tzinfo=UTC)
DAY = datetime(2024, 5, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-31", DAY),
        ("2024/5/31 10:15", MOMENT),
        ("2024-05-31T12:15:00.250+02:00", MOMENT),
        ("2024-05-31T05:45:00-0430", MOMENT),
        ("2024-05-31 10:15:00 UTC", MOMENT),
        ("20240531", DAY),
        ("20240531T101500Z", MOMENT),
        ("202405311015", MOMENT),
        ("31.05.2024", DAY),
        ("31.5.2024 10:15", MOMENT),
        ("31/05/2024", DAY),
        ("31-05-2024 10:15 AM", MOMENT),
        ("05 31, 2024", DAY),
        ("31-May-2024", DAY),
        ("31 May 2024, 10:15", MOMENT),
        ("May 31, 2024", DAY),
        ("Fri May 31 10:15:00 2024", MOMENT),
        ("Fri May 31 12:15:00 +0200 2024", MOMENT),
    ],
)
def test_forms_of_dates(text: str, moment: datetime) -> None:
    assert seconds(pl.Series([text]), "day").to_list() == [int(moment.timestamp())]
    assert evidence(pl.Series([text]))["either"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "31.05.24",
        "2024-02-30",
        "2024-13-01",
        "2024-05-31 25:00",
        "1024-05-31",
        "soon",
        "2024",
        "31.05",
    ],
)
def test_what_no_calendar_has_is_none(text: str) -> None:
    assert seconds(pl.Series([text]), "day").to_list() == [None]


def test_noon_and_midnight_of_half_days() -> None:
    texts = pl.Series(["5/31/2024 12:00 AM", "5/31/2024 12:00 PM", "5/31/2024 11:59:59 pm"])
    midnight = int(DAY.timestamp())
    expected = [midnight, midnight + 43_200, midnight + 86_399]
    assert seconds(texts, "month").to_list() == expected


def test_the_evidence_tells_the_order_of_day_and_month() -> None:
    by_day = evidence(pl.Series(["31/05/2024", "03/04/2024"]))
    assert (by_day["day"], by_day["month"], by_day["year last"]) == (2, 1, 2)
    unclear = evidence(pl.Series(["03/04/2024"]))
    assert unclear["day"] == unclear["month"] == 1
    dotted = evidence(pl.Series(["03.04.2024"]))
    assert (dotted["day"], dotted["month"]) == (1, 0)
    assert evidence(pl.Series(["2024-05-31"]))["year last"] == 0
