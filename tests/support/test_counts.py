"""Numbers and nouns agree; small shares are not none."""

import pytest

from tastemap.support.counts import counted, decimals, percentage, plain, rounded, short


def test_one_is_singular_and_all_else_plural() -> None:
    assert [counted(n, "rating") for n in (0, 1, 2)] == ["0 ratings", "1 rating", "2 ratings"]
    assert counted(1, "person", "people") == "1 person"
    assert counted(12_345, "person", "people") == "12,345 people"


SHARES = {
    0.0: "0 %",
    1.0: "100 %",
    0.0631: "6.3 %",
    0.01: "1.0 %",
    0.9: "90.0 %",
    0.00022: "0.022 %",
    1e-7: "0.000010 %",
    0.9995: "99.950 %",
}


@pytest.mark.parametrize(("share", "text"), SHARES.items())
def test_a_share_is_told_from_nothing_and_from_all(share: float, text: str) -> None:
    assert percentage(share) == text


def test_decimals_tell_numbers_of_a_span_apart() -> None:
    assert [decimals(span) for span in (0.01, 0.4, 0.5, 4, 20, 99, 100, 1e3, 1e6)] == [
        *(4, 3, 2, 2, 2, 2, 1, 0, 0)
    ]
    assert [decimals(span) for span in (0, -1, float("nan"), float("inf"))] == [2] * 4
    assert rounded(791.448, 257_947) == "791"
    assert rounded(-0.5, 20) == "−0.50"


def test_numbers_are_written_as_people_write_them() -> None:
    assert [plain(x) for x in (-7.5, 10.0, 0.1 + 0.2, 2_500_000)] == [
        *("−7.5", "10", "0.3", "2,500,000")
    ]
    assert [short(x) for x in (0, 0.5, -7.5, 9_999, 25_795, 999_900, 1_234_567)] == [
        *("0", "0.5", "−7.5", "9,999", "25.8k", "1M", "1.23M")
    ]
