"""What a model of draws hands to other programs."""

from tastemap.data.ratings import Ratings
from tastemap.models.base.posterior_draws import PosteriorModel
from tastemap.models.registry import make_model


def test_draws_have_the_shapes_that_they_say(ratings: Ratings) -> None:
    model = make_model("bayes", n_factors=2, n_iterations=10, n_draws=6, n_implicit=5)
    assert isinstance(model.fit(ratings, progress=False), PosteriorModel)
    draws = model.posterior_draws(4)
    K, D, F, C, n_items = 4, 4, 5, 4, ratings.n_items
    assert {name: getattr(value, "shape", ()) for name, value in draws._asdict().items()} == {
        "items": (K, n_items + 1, D),
        "item_scales": (n_items + 1,),
        "axes": (n_items, F),
        "average": (F,),
        "reliable_at": (),
        "link": (K, F, D),
        "prior": (K, D),
        "precision": (K, D, D),
        "cuts": (K, C),
        "cut_precision": (K, C, C),
        "scales": (K,),
        "centre": (),
        "deviation": (),
    }
