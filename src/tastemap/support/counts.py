"""Numbers in sentences, figures and tables: with their nouns, and as exact as the matter asks."""

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


def decimals(span: float, digits: int = 2) -> int:
    """How many decimals tell numbers apart within a span: ``digits`` for a span from 0.5 to 100.

    Example:
        >>> [decimals(span) for span in (4, 20, 500, 1e6, 0.3, 0.01)]
        [2, 2, 1, 0, 3, 4]
    """
    if not span > 0 or not math.isfinite(span):
        return digits
    if span < 0.5:
        return min(digits - math.floor(math.log10(2 * span)), 12)
    return max(digits - max(math.floor(math.log10(span)) - 1, 0), 0)


def rounded(value: float, span: float, digits: int = 2) -> str:
    """A number with the decimals that its span asks for, and a true minus sign.

    Example:
        >>> rounded(3.5283, 4), rounded(-791.448, 257_947), rounded(0.0312, 0.1)
        ('3.53', '−791', '0.031')
    """
    return f"{value:,.{decimals(span, digits)}f}".replace("-", "−")


def plain(value: float) -> str:
    """A number as people write it: no decimals that it does not have, thousands set apart.

    Example:
        >>> plain(-7.5), plain(5.0), plain(257_948), plain(0.1 + 0.2)
        ('−7.5', '5', '257,948', '0.3')
    """
    return f"{value:,.10g}".replace("-", "−")


def short(value: float) -> str:
    """A number in few characters.

    Example:
        >>> short(2.5), short(-10), short(1_234), short(232_162), short(25_000_095)
        ('2.5', '−10', '1,234', '232k', '25M')
    """
    size = abs(value)
    if size >= 999_500:
        text = f"{value / 1e6:,.3g}M"
    elif size >= 10_000:
        text = f"{value / 1e3:.3g}k"
    else:
        text = f"{float(f'{value:.4g}'):,g}" if size >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")
