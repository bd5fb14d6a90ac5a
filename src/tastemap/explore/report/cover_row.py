"""The covers of some items, side by side, as a part of a report."""

from collections.abc import Iterable

from tastemap.explore.faces import Faces
from tastemap.explore.report.page import Fragment


def cover_row(faces: Faces, rows: Iterable[int]) -> Fragment:
    """Covers in the order of the rows, the first to the left.

    Args:
        faces: What the items look like.
        rows: Rows of the items.
    """
    covers = "".join(f"<li>{faces.cover(row)}</li>" for row in rows)
    return Fragment(f'<ul class="covers">{covers}</ul>')
