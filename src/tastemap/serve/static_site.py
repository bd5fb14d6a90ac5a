"""A model as a folder of static files: search, ratings, picks, reasons and the map in the browser.

    index.html       the page
    tastemap.css     how it looks
    tastemap.js      what it does: the modules of ``static/``, one after the other
    data.js          the model and the items, as JSON with numbers in base64
    icon.svg         its picture in the browser's tab
    icon-*.png, site.webmanifest, worker.js   what a browser needs to install it and to open it
                     without a network, if it comes from a server

A browser that opens a file asks no server, and lets a page load neither modules nor data from its
folder; plain scripts it does load, hence the form of the last two.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import I64
from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.data.statistics import average_ratings
from tastemap.errors import ArtifactError, UnsupportedError
from tastemap.explore.covers import drawing_rules
from tastemap.explore.faces import Faces
from tastemap.explore.item_map import (
    MIN_ITEMS,
    OTHER,
    describe_map,
    item_map,
    map_items,
    without_placeholders,
)
from tastemap.explore.links import link_rules
from tastemap.explore.regions import name_regions
from tastemap.explore.report.page import embedded_json, write_page
from tastemap.models.base.factors import FactorModel, HasFactors
from tastemap.models.base.orders import CAUTION, SHRINKAGE
from tastemap.models.base.posterior_draws import PosteriorModel
from tastemap.models.base.recommender import Recommender
from tastemap.serve.exported_draws import draws_data, stepped
from tastemap.serve.exported_likes import likes_data, packed
from tastemap.serve.model.genre_words import spoken_genres
from tastemap.serve.words import Words

#: The modules of the site, each after those it imports.
MODULES = (
    *("dom", "search", "normal", "model", "probit", "posterior", "like-model", "charts", "stars"),
    *("hearts", "marks", "notice", "renew", "covers", "links", "varied", "mix", "map-view"),
    *("map-index", "map-colours", "map-points", "map-labels", "map-density", "map-address"),
    *("map-brush", "map-sheet", "map-gestures", "map-marks", "map-legend", "map-list"),
    *("map-scene", "map", "site", "like-site", "start"),
)
DATA, WORKER = "data.js", "worker.js"
ICONS = ("icon-192.png", "icon-512.png")


def export_site(model: Recommender, out: str | Path) -> Path:
    """Write a fitted model to the folder ``out`` as a site that needs no server.

    Args:
        model: A model of factors whose fold-in is the ridge solution (bias, mf, als, and what
            remains of biased-dot and dot when they are saved); bayes; or a model of interactions
            whose scores are sums over what a person likes (ease, item-knn, next-item). The latter
            two of not too many items.
        out: A new folder, or one with such a site, which is replaced.

    Returns:
        The path of its ``index.html``.

    Raises:
        UnsupportedError: If a new person cannot be described in the browser with this model, or
            its weights are too many.
        ArtifactError: If ``out`` holds something else; it is left alone.
    """
    folder = Path(out)
    if (
        folder.exists()
        and not (folder / DATA).is_file()
        and (not folder.is_dir() or any(folder.iterdir()))
    ):
        raise ArtifactError(
            f"path {out}",
            expected="a new folder or an exported site to replace",
            received="something else that is already there",
            do="choose another path",
        )
    data = embedded_json(site_data(model))
    texts = {DATA: f"window.TASTEMAP = {data};\n", "tastemap.js": bundle()}
    texts |= {name: static_text(name) for name in ("tastemap.css", "icon.svg", "site.webmanifest")}
    texts["index.html"] = static_text("site.html")
    pictures = {name: _static(name).read_bytes() for name in ICONS}
    texts[WORKER] = _worker(texts, pictures)
    for name, text in texts.items():
        write_page(folder / name, text)
    for name, picture in pictures.items():
        (folder / name).write_bytes(picture)
    return folder / "index.html"


def _worker(texts: Mapping[str, str], pictures: Mapping[str, bytes]) -> str:
    """The script that keeps the site, with its files and a version, which changes when they do."""
    digest = hashlib.blake2b(digest_size=8)
    for content in (*(text.encode() for text in texts.values()), *pictures.values()):
        digest.update(content)
    head = {"VERSION": digest.hexdigest(), "FILES": [*texts, *pictures]}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in head.items()]
    return "".join(lines) + static_text(WORKER)


def site_data(model: Recommender) -> dict[str, Any]:
    """All that the site knows, ready for JSON; see `export_site`."""
    data = model.fitted_data
    site: dict[str, Any] = {
        "name": data.source.name,
        "noun": item_noun(data)._asdict() | {"indefinite": item_noun(data).indefinite},
        "words": vars(Words.of(data)),
        "covers": drawing_rules(),
        "sites": link_rules(item_noun(data).singular),
        "hasTitles": data.items.has_titles,
        "hasRatings": isinstance(data, Ratings),
        "learnt_by": model.learnt_by_,
        "fingerprint": data.fingerprint(),
        "n_ratings": len(data),
        "n_users": data.n_users,
        "metrics": {k: v for k, v in model.metrics_.items() if isinstance(v, int | float)},
    }
    if isinstance(data, Ratings):
        factors = _exportable(model)
        site |= {"model": _model_data(factors), "map": _map_data(factors)}
        rated = {
            "damped": average_ratings(data)["damped_average"].to_list(),
            "histogram": packed(histograms(data), np.uint32),
            "likes": np.bincount(data.likes().item_index, minlength=data.n_items).tolist(),
        }
        return site | {"mean_rating": data.global_mean, "items": _items_data(model) | rated}
    return site | {"model": likes_data(model), "map": None, "items": _items_data(model)}


def _items_data(model: Recommender) -> dict[str, Any]:
    """What is known of the items, in columns."""
    data, faces = model.fitted_data, Faces.of(model)
    everything = pl.DataFrame({"item_id": data.items.ids}).with_columns(x=0.0, y=0.0)
    items = map_items(everything, data)
    genres = sorted({genre for row in items["genres"].to_list() for genre in row or ()})
    every_genre = items["genres"].explode(empty_as_null=True).drop_nulls()
    return {
        "id": items["item_id"].cast(pl.String).to_list(),
        "title": items["name"].to_list(),
        # By row, what the data has where people say it in another way.
        "written": dict(_written(items["title"], items["name"])),
        "year": items["year"].to_list(),
        "genres": list(map(list, faces.genres)),
        "ink": packed(faces.inks, np.uint8),
        "shape": packed(faces.shapes, np.uint8),
        "genre": items["genre"].to_list(),
        "genreNames": _by_frequency(items["genre"]),
        "genreList": genres,
        "genreWords": spoken_genres(genres),
        "genresByFrequency": _by_frequency(every_genre),
        "average": _rounded(items["average"]),
        "ids": _ids_elsewhere(data),
        "placeholders": np.flatnonzero(data.items.placeholders).tolist(),
    }


def _ids_elsewhere(data: Feedback) -> dict[str, list[str | None]]:
    """What the data has of other sites' ids of the items, by column; of books, their own ids."""
    sites, frame = link_rules(item_noun(data).singular), data.items.frame
    columns = {site["column"]: site["column"] for site in sites if site["column"] in frame.columns}
    if "isbn" not in columns and any(site["column"] == "isbn" for site in sites):
        columns["isbn"] = data.items.key
    return {name: frame[column].cast(pl.String).to_list() for name, column in columns.items()}


def _written(titles: pl.Series, names: pl.Series) -> Iterator[tuple[int, str]]:
    """Rows and titles of the data that are not as people say them."""
    pairs = enumerate(zip(titles.to_list(), names.to_list(), strict=True))
    return ((row, title) for row, (title, name) in pairs if title and title != name)


def histograms(data: Ratings) -> I64:
    """How often each value of the scale was given to each item, (n_items, levels)."""
    levels = data.scale.levels
    if levels is None:
        return np.zeros((data.n_items, 0), dtype=np.int64)
    level = np.rint((data.rating - levels[0]) / (data.scale.step or 1)).astype(np.int64)
    cells = data.item_index.astype(np.int64) * len(levels) + level
    counts = np.bincount(cells, minlength=data.n_items * len(levels))
    return counts.reshape(data.n_items, len(levels))


def bundle() -> str:
    """The modules as one plain script: imports and exports left out, one scope around them all."""
    parts = []
    for name in MODULES:
        text = static_text(f"{name}.js")
        text = re.sub(r"^import .*$", "", text, flags=re.MULTILINE)
        parts.append(re.sub(r"^export ", "", text, flags=re.MULTILINE))
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def static_text(name: str) -> str:
    """The text of a file in ``static/``."""
    return _static(name).read_text(encoding="utf-8")


def _static(name: str) -> Traversable:
    return files("tastemap.serve") / "static" / name


def _exportable(model: Recommender) -> HasFactors:
    """The model, if it is draws, or the browser's closed form is the model's own fold-in.

    The latter is tried on a few ratings: both have to give the same predictions.
    """
    model.fitted_ratings  # noqa: B018 - refuses a model that is not fitted
    if isinstance(model, PosteriorModel):
        return model
    if isinstance(model, FactorModel) and model.predicts_ratings and _has_closed_form(model):
        return model
    raise UnsupportedError(
        f"{model.learnt_by_} cannot be exported: its fold-in is no ridge solution",
        do="export a bayes, bias, mf, als or biased-dot model",
    )


def _has_closed_form(model: FactorModel) -> bool:
    data = model.ratings_
    factors, rows = model.factors, np.unique(data.item_index[:20])[:5]
    if factors.prior is None:
        return False
    rating = np.resize([data.scale.highest, data.scale.lowest], len(rows)).astype(np.float32)
    (bias, X), prior = factors.design(rows), factors.prior
    residual = rating - model.global_mean - bias - X @ prior.mean
    closed = prior.mean + np.linalg.solve(X.T @ X + prior.ridge(len(rows)), X.T @ residual)
    weights = model.fold_in_rows(rows, rating).description
    return np.shape(weights) == closed.shape and np.allclose(weights, closed, atol=1e-4)


def _model_data(model: HasFactors) -> dict[str, Any]:
    factors, scale = model.factors, model.ratings_.scale
    prior: Any = factors.prior  # an exportable model has one
    levels, uncertainty = scale.levels, model.uncertainty
    is_posterior, weights = isinstance(model, PosteriorModel), factors.item_weights[:-1]
    return {
        "global_mean": model.global_mean,
        "scale": {
            "lowest": scale.lowest,
            "highest": scale.highest,
            "liked_from": scale.liked_from(),
            "step": scale.step,
            "levels": None if levels is None else levels.tolist(),
        },
        "size": len(prior.mean),
        "item_weights": stepped(weights, np.int16) if is_posterior else packed(weights, np.float32),
        "average_item": packed(factors.item_weights[-1], np.float32),
        "prior_mean": packed(prior.mean, np.float64),
        "prior_precision": packed(prior.precision, np.float64),
        "prior_growth": None if prior.growth is None else packed(prior.growth, np.float64),
        "prior_exponent": prior.exponent,
        "shrinkage_of_factors": model.similarity_shrinkage,
        "popularity": packed(model.ratings_.by_item.counts, np.uint32),
        "caution": CAUTION,
        "shrinkage": SHRINKAGE,
        "noise": uncertainty.noise,
        "axes": packed(uncertainty.axes, np.float64),
        "gains": packed(uncertainty.gains, np.float64),
        "misfits": packed(model.misfits, np.float32),
        "draws": draws_data(model) if isinstance(model, PosteriorModel) else None,
    }


def _map_data(model: HasFactors) -> dict[str, Any] | None:
    """The map by item rows; None where the model has no factors or too few items to draw."""
    drawable = model.item_factors.any(axis=1) & (model.ratings_.by_item.counts > 0)
    if int(drawable.sum()) < MIN_ITEMS:
        return None
    frame = without_placeholders(item_map(model), model.ratings_)
    preserved = frame.get_column("preserved", default=None)
    rows = model.ratings_.items.index(frame["item_id"])
    described = map_items(frame, model.ratings_)
    regions = name_regions(described, model.ratings_.items.frame[rows])
    return {
        "row": rows.tolist(),
        "x": frame["x"].round(4).to_list(),
        "y": frame["y"].round(4).to_list(),
        "preserved": [None] * len(frame) if preserved is None else _rounded(preserved),
        "truth": "" if preserved is None else describe_map(frame, item_noun(model.fitted_data)),
        "regions": [asdict(region) for region in regions],
    }


def _by_frequency(genre: pl.Series) -> list[str]:
    """The main genres, the most frequent first, without "other"."""
    counts = genre.value_counts(name="n").sort(["n", genre.name], descending=[True, False])
    return [name for name in counts[genre.name] if name != OTHER]


def _rounded(values: pl.Series) -> list[float | None]:
    return values.cast(pl.Float64).round(4).to_list()
