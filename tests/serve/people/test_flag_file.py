"""What the application's own file says of items without a rating."""

import pytest

from tastemap.serve.people.flag_file import flags_of_file
from tastemap.serve.service import Service

HEADER = "item_id,title,year,rating,timestamp,flag\r\n"


def test_flags_are_taken_out_where_the_title_fits_the_id(service: Service) -> None:
    rows = (
        *("2,Drama 2,1961,4,5,", "3,Comedy 3,1962,,5,later", "5,Another film,1962,,5,later"),
        *("7,Comedy 7,1966,,5,unwanted", "999,None,1966,,5,seen", "9,Comedy 9,1968,,5,odd"),
    )
    content = (HEADER + "\r\n".join(rows)).encode()
    rest, flagged = flags_of_file(content, service.model.catalogue)
    assert [(flag, card.item_id) for flag, card in flagged] == [("later", 3), ("unwanted", 7)]
    left = rest.decode().splitlines()
    assert [line.split(",")[0] for line in left] == ["item_id", "2", "9"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"item_id,title,rating\n2,Drama 2,4\n",
        b"flag\nlater\n",
        b"PK\x03\x04",
        b"item_id,title,flag\n\xff\xfe,later\n",
    ],
)
def test_a_file_of_others_stays_as_it_is(service: Service, content: bytes) -> None:
    assert flags_of_file(content, service.model.catalogue) == (content, [])
