"""The ranges of options: of options that exist, around defaults that are the constructors'."""

import inspect

import pytest

from tastemap.errors import ArgumentError
from tastemap.evaluation.tuning.spaces import SPACES, nested, search_space
from tastemap.models.base.artifact import model_class
from tastemap.models.registry import MODELS, make_model

OPTIONS = [(name, option) for name, space in SPACES.items() for option in space]


def test_every_model_says_what_may_be_varied() -> None:
    assert SPACES.keys() == MODELS.keys()


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_ranges_are_of_options_that_exist_and_hold_the_defaults(name: str, option: str) -> None:
    span, model = SPACES[name][option], make_model(name)
    outer, _, inner = option.partition(".")
    assert outer in inspect.signature(model_class(MODELS[name][0])).parameters
    value = getattr(model, outer)
    if inner:
        from tastemap.models.neural.registry import NETWORKS

        network, size, _ = NETWORKS[model.network]
        usual = {n: p.default for n, p in inspect.signature(network).parameters.items()}
        value = (usual | {"embedding_size": size} | value)[inner]
        assert span.default == value
    elif value is None:  # the model's choice depends on the data
        value = span.default
    else:
        assert span.default is None
    assert span.low <= value <= span.high
    assert not (span.log and span.low <= 0)
    assert isinstance(value, int) == (span.kind == "int")


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", [name for name, space in SPACES.items() if space])
def test_both_ends_of_every_range_make_a_model(name: str, end: str) -> None:
    kinds = {"int": int, "float": float}
    options = {o: kinds[span.kind](getattr(span, end)) for o, span in SPACES[name].items()}
    model = make_model(name, **nested(options))
    for option, value in nested(options).items():
        assert getattr(model, option) == value


def test_options_that_are_given_are_not_searched() -> None:
    assert set(search_space("als", {"n_factors": 8})) == {"n_epochs", "reg", "reg_exponent"}
    assert set(search_space("deep", {"network_options": {}})) == {"n_epochs", "learning_rate"}
    with pytest.raises(ArgumentError, match="one with options to vary: bias, mf"):
        search_space("popularity", {})
    with pytest.raises(ArgumentError, match="3 of its 3 options given"):
        search_space("ease", {"reg": 2.0, "dropout": 0.0, "user_power": 0.0})
