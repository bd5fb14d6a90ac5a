"""Numbers as people write them: ASCII digits and a point, and nothing that Python alone reads.

``float`` and ``int`` of Python take ``1_0`` for 10, and the digits of every script; in a table or
in a form these are slips, not numbers.
"""

import math
import re

NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# A minus sign of typography, which spreadsheets write.
MINUS = "\N{MINUS SIGN}"


def number(text: str) -> float | None:
    """The finite number that a text is, blanks around it aside, or None.

    Example:
        >>> number(" 4.5 "), number("-2e1"), number("1_0"), number("٣"), number("inf")
        (4.5, -20.0, None, None, None)
    """
    text = text.strip().replace(MINUS, "-")
    if NUMERAL.fullmatch(text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None
