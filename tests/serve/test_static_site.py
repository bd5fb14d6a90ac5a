"""The exported site: what is written, and for which models."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArtifactError, NotFittedError, UnsupportedError
from tastemap.explore.item_map import item_map
from tastemap.models.bias import BiasModel
from tastemap.models.registry import make_model
from tastemap.serve.static_site import (
    ICONS,
    MODULES,
    WORKER,
    bundle,
    export_site,
    histograms,
    site_data,
    static_text,
)


def numbers(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_a_site_is_a_few_files_and_replaces_only_a_site(ratings: Ratings, tmp_path: Path) -> None:
    model = BiasModel().fit(ratings)
    page = export_site(model, tmp_path / "site")
    export_site(model, tmp_path / "site")
    names = {"data.js", "icon.svg", "index.html", "tastemap.css", "tastemap.js", *ICONS}
    names |= {"site.webmanifest", WORKER}
    assert {file.name for file in page.parent.iterdir()} == names
    worker = (page.parent / WORKER).read_text()
    kept = json.loads(re.search(r"FILES = (.*);", worker)[1])
    assert set(kept) == names - {WORKER}, "all of it is there without a network"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(ArtifactError, match="already there"):
        export_site(model, tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_no_two_modules_give_one_name_to_two_things() -> None:
    """The bundle is one scope."""
    holders: dict[str, list[str]] = {}
    for module in MODULES:
        text = static_text(f"{module}.js")
        words = r"^(?:export )?(?:async )?(?:function\*?|class|const|let) (\w+|[\[{][^=]*[\]}])"
        for declared in re.findall(words, text, flags=re.MULTILINE):
            for name in re.findall(r"\w+", declared):
                holders.setdefault(name, []).append(module)
    assert {name: where for name, where in holders.items() if len(where) > 1} == {}


def test_data_holds_the_model_and_no_markup(tiny: Ratings, tmp_path: Path) -> None:
    model = BiasModel().fit(tiny)
    export_site(model, tmp_path / "site")
    text = (tmp_path / "site" / "data.js").read_text(encoding="utf-8")
    assert "<" not in text
    data = json.loads(text.removeprefix("window.TASTEMAP = ").removesuffix(";\n"))
    assert data["items"]["id"] == ["10", "20", "30"]
    assert data["items"]["title"] == ["Alien", "Brazil", "Casablanca"]
    assert data["map"] is None, "a model without factors has no map"
    weights = numbers(data["model"]["item_weights"], "<f4")
    np.testing.assert_array_equal(weights, model.item_bias)
    assert numbers(data["model"]["popularity"], "<u4").tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", ["bias", "mf", "als"])
def test_models_with_a_ridge_solution_can_be_exported(name: str, ratings: Ratings) -> None:
    model = make_model(name).fit(ratings, progress=False)
    if name != "bias":
        item_map(model, perplexity=10)
    assert site_data(model)["n_users"] == ratings.n_users


@pytest.mark.parametrize("name", ["ials", "knn", "ease", "popularity", "blend"])
def test_other_models_say_which_can(name: str, ratings: Ratings) -> None:
    with pytest.raises(UnsupportedError, match="export a bayes, bias, mf, als or biased-dot model"):
        site_data(make_model(name).fit(ratings, progress=False))


def test_a_model_must_be_fitted() -> None:
    with pytest.raises(NotFittedError):
        site_data(BiasModel())


def test_histograms_count_each_value(tiny: Ratings) -> None:
    assert histograms(tiny).tolist() == [
        [0, 0, 0, 1, 1],
        [1, 0, 1, 0, 0],
        [0, 1, 1, 0, 0],
    ]


def test_the_bundle_has_every_module_after_those_it_imports() -> None:
    seen: set[str] = set()
    for name in MODULES:
        for line in static_text(f"{name}.js").splitlines():
            if line.startswith("import "):
                assert line.endswith('";'), "an import is one line"
                assert line.split('"./')[1].removesuffix('.js";') in seen, f"{name}: {line}"
        seen.add(name)
    assert "\nimport " not in bundle()
    assert "\nexport " not in bundle()


def test_no_two_modules_define_the_same_name() -> None:
    """They share a scope, in which the later function would silently be the other's, too."""
    defined = r"^(?:export )?(?:const|let|class|function) (?:\[([\w, ]+)\]|(\w+))"
    pairs = re.findall(defined, bundle(), flags=re.MULTILINE)
    names = [name for several, name in pairs for name in (name or several).split(", ")]
    assert len(names) > 50
    assert len(names) == len({*names}), [name for name in names if names.count(name) > 1]


def test_the_site_knows_what_an_item_is_called(ratings: Ratings) -> None:
    books = replace(ratings, source=replace(ratings.source, noun="book"))
    data = site_data(BiasModel().fit(books))
    assert data["noun"] == {"singular": "book", "plural": "books", "indefinite": "a book"}
    assert data["hasTitles"] is ("title" in ratings.items.frame.columns)


@pytest.mark.parametrize("name", ["ease", "item-knn", "next-item"])
def test_item_based_models_of_interactions_can_be_exported(
    name: str, ratings: Ratings, tmp_path: Path
) -> None:
    model = make_model(name).fit(ratings.likes(), progress=False)
    export_site(model, tmp_path / "site")
    text = (tmp_path / "site" / "data.js").read_text(encoding="utf-8")
    data = json.loads(text.removeprefix("window.TASTEMAP = ").removesuffix(";\n"))
    assert not data["hasRatings"]
    assert data["items"]["average"] == [None] * ratings.n_items
    assert data["model"]["ordered"] is (name == "next-item")


def test_other_models_of_interactions_say_which_can(ratings: Ratings) -> None:
    model = make_model("ials").fit(ratings.likes(), progress=False)
    with pytest.raises(UnsupportedError, match="export an ease, item-knn or next-item model"):
        site_data(model)
