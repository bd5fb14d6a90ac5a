"""Sections of the report."""

import re

from tastemap.data.splits import Split
from tastemap.explore.blocks import Table
from tastemap.jobs.sections import likes_blocks
from tastemap.models import make_model


def test_neighbours_by_ratings_and_by_likes_stand_side_by_side(split: Split) -> None:
    explicit, implicit = (
        make_model(name, **options).fit(split.train, progress=False)
        for name, options in (("mf", {}), ("ials", {"n_factors": 8}))
    )
    _, table, sentence = likes_blocks(explicit, implicit, split.test)
    assert isinstance(table, Table)
    # The most popular item stands in for Star Wars.
    assert table.caption == "Most similar to Comedy 1 (1960)"
    near = explicit.similar_items(1, 10), implicit.similar_items(1, 10)
    for name, expected in zip(("ratings", "likes"), near, strict=True):
        assert table.frame[f"by {name}"].to_list() == expected["title"].to_list()
        assert table.frame[f"cosine, {name}"].to_list() == expected["similarity"].to_list()
    numbers = [float(number) for number in re.findall(r"0\.\d{3}", str(sentence))]
    assert len(numbers) == 2
    assert 0 < numbers[0] < numbers[1] < 1
