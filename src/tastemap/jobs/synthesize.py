"""Expand a real set of ratings to any size, write it and draw it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tastemap.data.datasets.fractal import SIZES, FractalExpansion, Size, size_like
from tastemap.data.datasets.writer import refuse_other_folder, write_release
from tastemap.data.ratings import Ratings
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError


def expanded_size(
    like: str,
    base: Ratings,
    n_ratings: float | None,
    n_users: int | None = None,
    n_items: int | None = None,
) -> Size:
    """The size of a release (``ml-25m``, ``ml-32m``), or a size in proportion to the base.

    Raises:
        ArgumentError: If there is no number of ratings, or it is not whole.
    """
    if n_ratings is not None and not (n_ratings >= 1 and float(n_ratings).is_integer()):
        raise ArgumentError("--ratings", expected="a whole number such as 25e6", received=n_ratings)
    if like in SIZES:
        numbers = {"n_users": n_users, "n_items": n_items, "n_ratings": n_ratings}
        given = {name: int(n) for name, n in numbers.items() if n is not None}
        return replace(SIZES[like], **given)
    if n_ratings is None:
        raise ArgumentError(
            "--ratings",
            expected=f"how many ratings to make, or --like {' or '.join(SIZES)}",
            received="nothing",
        )
    return size_like(base, int(n_ratings), n_users, n_items)


def synthesize(
    base: Ratings,
    size: Size,
    out: Path,
    *,
    form: str,
    seed: int,
    figure: Path | None,
    progress: Callable[[int], None],
) -> dict[str, Any]:
    """Write the expansion of a set to a folder; the figure compares it with the original."""
    if figure is not None and figure.suffix not in (".png", ".svg", ".pdf"):
        raise ArgumentError("--figure", expected="a .png, .svg or .pdf", received=str(figure))
    if figure is not None:
        from tastemap.explore.figures.expansion import plot_expansion
        from tastemap.support.extras import lab_package

        lab_package("matplotlib")  # a missing package is an error before the work
    refuse_other_folder(out, form)
    expansion = FractalExpansion(base, size, seed)
    write_release(
        expansion.blocks(), expansion.schema, expansion.items(), out, form=form, progress=progress
    )
    if figure is not None:
        plot_expansion(base, read_ratings(out)).savefig(figure, dpi=150)
    return {
        "folder": str(out),
        "ratings": size.n_ratings,
        "users": size.n_users,
        "items": size.n_items,
        "expanded_from": base.source.name,
        "seed": seed,
    }
