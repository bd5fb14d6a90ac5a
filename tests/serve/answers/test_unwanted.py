"""What is said of an item that counts less."""

from tastemap.serve.people.profiles import page_profile
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_the_unwanted_item_that_is_most_like_it_is_named(service: Service) -> None:
    service.profiles.rate(ANN, {"2": 5.0, "1": 1.0})
    assert service.lowered(ANN, "6") is None
    near = [str(one.item.item_id) for one in service.similar("6", 9).items]
    service.profiles.flag(ANN, [near[3], near[0]], "unwanted")
    ranks = {
        other: [str(one.item.item_id) for one in service.similar(other, 79).items].index("6")
        for other in (near[0], near[3])
    }
    lowered = service.lowered(ANN, "6")
    assert lowered is not None
    assert str(lowered.item_id) == min(ranks, key=ranks.__getitem__)
    assert 0 < lowered.amount <= 0.25
    far = next(str(n) for n in range(1, 81) if service.lowered(ANN, str(n)) is None)
    assert far not in near[:1]
