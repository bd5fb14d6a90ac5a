"""The mix of the first page: what is offered, what an address says, what it does to the rows."""

from starlette.testclient import TestClient

from tastemap.data.ratings import Ratings
from tastemap.models.bias import BiasModel
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.web.mix import Mix

NOTHING = {"calibrated": None, "at_most": None}


def test_what_is_not_offered_counts_as_nothing(ratings: Ratings) -> None:
    model = LoadedModel(BiasModel().fit(ratings), {}, "")
    for mix, at_most in (("0", ""), ("nan", "year=2"), ("x", "genres=99"), ("-3", "genres=")):
        asked = Mix.of(model, mix, at_most, {})
        assert (asked.wishes, asked.is_set) == (NOTHING, False), (mix, at_most)
    asked = Mix.of(model, "7", "genres=2", {"q": "", "genre": "Drama", "novelty": 0.0})
    assert asked.wishes == {"calibrated": {"genres": 1.0}, "at_most": {"genres": 2}}
    assert (
        asked.sentence
        == "Your picks have a mix of genres like your own and at most 2 of one genre."
    )
    assert asked.without == "/?genre=Drama"


def test_without_genres_no_mix_is_offered(tiny: Ratings) -> None:
    asked = Mix.of(LoadedModel(BiasModel().fit(tiny), {}, ""), "0.5", "genres=1", {})
    assert (asked.columns, asked.has_genres, asked.wishes) == ((), False, NOTHING)


def test_the_address_mixes_the_picks_and_has_a_way_back(client: TestClient) -> None:
    page = client.get("/").text
    assert 'name="mix" min="0" max="1" step="0.1" value="0"' in page
    assert "Reset the mix" not in page
    page = client.get("/?mix=0.6&at_most=genres%3D1&genre=Drama").text
    assert 'name="mix" min="0" max="1" step="0.1" value="0.6"' in page
    assert '<option value="genres=1" selected>1 of one genre</option>' in page
    assert '<a href="/?genre=Drama">Reset the mix</a>' in page
    assert "no further one fits, with at most 1 of the same genres" in page
