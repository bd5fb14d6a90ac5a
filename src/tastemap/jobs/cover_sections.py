"""The covers of a model's picks, below the lists of a report."""

from typing import Any

from tastemap.data.ratings import Ratings
from tastemap.explore.faces import Faces
from tastemap.explore.report.cover_row import cover_row
from tastemap.explore.report.page import Fragment
from tastemap.jobs.sections import JEDI, STAR_WARS, example_items
from tastemap.models.base.orders import cautious_order
from tastemap.models.base.recommender import Recommender

MAX_COVERS = 10


def cover_blocks(model: Recommender) -> list[Fragment]:
    """The covers of what the new person of the report is offered, the best to the left.

    There are none where the model cannot describe a new person.
    """
    data = model.fitted_data
    loved = [*dict.fromkeys(example_items(data, (STAR_WARS, JEDI)))]
    k = min(MAX_COVERS, data.n_items - len(loved))
    if not model.folds_in or k < 1:
        return []
    ratings: Any = loved
    if isinstance(data, Ratings):
        ratings = dict.fromkeys(loved, data.scale.highest)
    picks = model.recommend(ratings=ratings, k=k, by=cautious_order(model.capabilities))
    return [cover_row(Faces.of(model), data.items.index(picks["item_id"]).tolist())]
