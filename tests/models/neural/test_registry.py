import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.neural.registry import NETWORKS, named_network


@pytest.mark.parametrize("name", NETWORKS)
def test_a_named_network_has_room_for_every_row(name: str, tiny: Ratings) -> None:
    network = named_network(name, tiny, {"embedding_size": 3})
    assert network.max_user_id == tiny.n_users - 1
    assert network.max_item_id == tiny.n_items - 1


def test_a_network_or_an_option_that_there_is_not_is_named(tiny: Ratings) -> None:
    with pytest.raises(ArgumentError, match="network; expected one of dot, biased-dot"):
        named_network("transformer", tiny, {})
    with pytest.raises(ArgumentError, match="options of RegressionModel; received.*width"):
        named_network("dot", tiny, {"width": 3})
