"""A report shows the covers of its picks."""

from tastemap.data.ratings import Ratings
from tastemap.jobs.cover_sections import cover_blocks
from tastemap.models.registry import make_model


def test_the_picks_of_a_new_person_have_their_covers(ratings: Ratings) -> None:
    for model in (make_model("bias").fit(ratings), make_model("popularity").fit(ratings.likes())):
        covers = [block.html.count('<svg class="cover"') for block in cover_blocks(model)]
        assert covers == ([10] if model.folds_in else [])
