"""Numbers in sentences: a noun agrees with its number, and a small share is not written as none."""

import math


def counted(n: int, noun: str, plural: str = "") -> str:
    """A number and its noun, in the singular for 1.

    Args:
        n: The number.
        noun: In the singular.
        plural: Where it is not the noun and an s.

    Example:
        >>> counted(1, "rating"), counted(1_200, "rating"), counted(2, "person", "people")
        ('1 rating', '1,200 ratings', '2 people')
    """
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def percentage(share: float) -> str:
    """A share in [0, 1] in per cent; below 1 %, and above 99 %, two digits say more than that.

    Example:
        >>> percentage(0.0631), percentage(0.00022), percentage(0.99996), percentage(0.0)
        ('6.3 %', '0.022 %', '99.9960 %', '0 %')
    """
    rest = 100 * min(share, 1 - share)
    if rest <= 0:
        return f"{100 * share:.0f} %"
    digits = 1 if rest >= 1 else 1 - math.floor(math.log10(rest))
    return f"{100 * share:.{digits}f} %"
