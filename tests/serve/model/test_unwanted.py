"""What is like the unwanted counts less, by a bounded amount."""

import numpy as np

from tastemap.serve.model.unwanted import MAX_LOWERING, lowering_of
from tastemap.serve.people.profiles import page_profile
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_several_unwanted_items_lower_no_more_than_one() -> None:
    near = [np.array([0, 1, 2]), np.array([1, 0])]
    lowering = lowering_of(near, 5, width=4.0)
    assert lowering.max() == MAX_LOWERING * 4
    assert lowering[:3].tolist() == [0.25, 0.25, np.float32(0.25 / 3)]
    assert not lowering[3:].any()


def test_what_is_like_it_falls_in_lists_and_keeps_its_prediction(service: Service) -> None:
    service.profiles.rate(ANN, {"2": 5.0, "4": 4.0, "1": 1.0})
    before = {str(c.item_id): (n, c) for n, c in enumerate(service.recommend(ANN, 77).items)}
    unwanted = next(iter(before))
    service.profiles.flag(ANN, [unwanted], "unwanted")
    after = {str(c.item_id): (n, c) for n, c in enumerate(service.recommend(ANN, 77).items)}
    assert set(after) == set(before) - {unwanted}
    near = str(service.similar(unwanted, 3).items[0].item.item_id)
    lowered = service.lowered(ANN, near)
    assert (str(lowered.item_id), lowered.amount) == (unwanted, 0.25)
    (_, was), (_, is_now) = before[near], after[near]
    assert is_now.predicted_rating == was.predicted_rating
    assert (
        is_now.score == np.float32(was.score - 0.25) or abs(was.score - 0.25 - is_now.score) < 1e-5
    )
    everything = service.recommend(ANN, 80, exclude_seen=False).items
    assert unwanted not in {str(card.item_id) for card in everything}
    service.profiles.unflag(ANN, unwanted)
    again = [str(card.item_id) for card in service.recommend(ANN, 77).items]
    assert again == list(before), "it is taken back"
    assert service.lowered(ANN, near) is None
