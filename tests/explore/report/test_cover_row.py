"""Covers stand in the order of a list."""

import numpy as np
import polars as pl

from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.faces import Faces
from tastemap.explore.report.cover_row import cover_row


def test_covers_stand_in_the_order_of_the_rows() -> None:
    table = pl.DataFrame({"item_id": [1, 2], "title": ["Alien", "<b>Postino</b>, Il"]})
    faces = Faces(Vocabulary(table["item_id"], "item", table), np.full((2, 2), np.nan))
    html = cover_row(faces, [1, 0]).html
    assert html.index("Il &lt;b&gt;Postino&lt;/b&gt;") < html.index("Alien")
    assert html.count("<li>") == 2
