"""Target: saved models with damaged manifests, arrays and tables, loaded and asked."""

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
from fuzzing import Target, corpus
from hypothesis import strategies as st
from pieces import any_json, joined, odd
from polars.exceptions import PanicException, PolarsError
from small_models import save_small, small_ratings

import tastemap as tm
from tastemap.errors import TastemapError
from tastemap.models.base.artifact import MANIFEST
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service
from tastemap.serve.web.api import body_of
from tastemap.serve.web.errors import Problem

MODELS = ["bias", "mf", "als", "ials", "ease", "knn", "popularity", "bayes", "blend"]
TABLES = {
    "items.parquet": ["item_id", "title", "year", "genres"],
    "users.parquet": ["user_id"],
    "ratings.parquet": ["user_index", "item_index", "rating", "timestamp"],
    "map.parquet": ["item_id", "x", "y", "preserved"],
}
FILES = [*TABLES, MANIFEST, "arrays.safetensors"]
# What an edit of a file ends in that another edit has damaged.
UNFITTING = (PolarsError, PanicException, LookupError, TypeError, ValueError, OSError)
# What becomes of a column.
CHANGES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "text": lambda column: column.cast(pl.String),
    "byte": lambda column: column.cast(pl.Int8, strict=False),
    "float": lambda column: column.cast(pl.Float64, strict=False),
    "bool": lambda column: column.is_not_null(),
    "null": lambda column: pl.lit(None).alias(column.meta.output_name()),
    "list": lambda column: column.implode().over(pl.int_range(pl.len())),
    "struct": lambda column: pl.struct(column).alias(column.meta.output_name()),
    "negative": lambda column: -column.cast(pl.Float64, strict=False),
    "huge": lambda column: column.cast(pl.Float64, strict=False) * 1e300,
    "nan": lambda column: pl.lit(float("nan")).alias(column.meta.output_name()),
    "first": lambda column: column.first(),
    "renamed": lambda column: column.alias("other"),
    "category": lambda column: column.cast(pl.String).cast(pl.Categorical),
}


def paths_in(value: Any) -> Iterator[list[Any]]:
    """The way to each value in JSON."""
    yield []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ([key, *path] for path in paths_in(inner))


def examples_of(manifests: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A model, one to three edits of its files; whether arrays are mapped, and hashes compared."""
    keys = ["format", "class", "parameters", "shape", "dtype", "lowest", "step", "models", "notes"]
    words = st.sampled_from([*MODELS, "ALS", "Blend", "float32", "<f4", "u", "synthetic"])
    value = any_json(words, keys)

    def edits(name: str) -> st.SearchStrategy[Any]:
        where = st.sampled_from([*paths_in(manifests[name])])
        change = st.sampled_from([(file, name) for file in TABLES for name in TABLES[file]])
        kinds = [
            st.tuples(st.just("set"), where, value),
            st.tuples(st.just("set"), where, value),
            st.tuples(st.just("delete"), where),
            st.tuples(st.just("column"), change, st.sampled_from([*CHANGES])),
            st.tuples(st.just("cut"), st.sampled_from(FILES), st.integers(0, 4000)),
            st.tuples(
                st.just("bytes"), st.sampled_from(FILES), st.integers(0, 4000), odd(["[" * 9])
            ),
        ]
        return st.lists(st.one_of(kinds), min_size=1, max_size=3)

    drawn = st.sampled_from(MODELS).flatmap(
        lambda name: st.fixed_dictionaries(
            {
                "model": st.just(name),
                "mapped": st.booleans(),
                "hashed": st.integers(0, 3).map(lambda n: n == 3),
                "edits": edits(name),
            }
        )
    )
    return drawn.map(lambda example: json.loads(json.dumps(example)))  # tuples as it is kept


def apply(edit: list[Any], folder: Path) -> None:
    """One edit of the files; an edit that does not fit what another left does nothing."""
    kind, *rest = edit
    with suppress(*UNFITTING):
        if kind in ("set", "delete"):
            file = folder / MANIFEST
            root = {"": json.loads(file.read_text())}
            target, key = root, ""
            for step in rest[0]:
                target, key = target[key], step
            if kind == "set":
                target[key] = rest[1]
            else:
                del target[key]
            file.write_text(json.dumps(root.get("")))
        elif kind == "column":
            (name, column), change = rest
            frame = pl.read_parquet(io.BytesIO((folder / name).read_bytes()))
            frame.with_columns(CHANGES[change](pl.col(column))).write_parquet(folder / name)
        else:
            content = (folder / rest[0]).read_bytes()
            start = min(rest[1], len(content))
            inserted = joined([rest[2]]) if kind == "bytes" else b""
            tail = content[start + len(inserted) :] if kind == "bytes" else b""
            (folder / rest[0]).write_bytes(content[:start] + inserted + tail)


def forget_hashes(folder: Path) -> None:
    """Leave out what model.json says of its files, so that their content is looked at itself."""
    file = folder / MANIFEST
    with suppress(ValueError, LookupError, TypeError, OSError, RecursionError):
        manifest = json.loads(file.read_text())
        del manifest["parts"]
        file.write_text(json.dumps(manifest))


def ask_model(model: Any) -> None:
    """The calls that most people make."""
    data = model.ratings_
    user, item = data.users.ids[0], data.items.ids[-1]
    for question in (
        lambda: model.recommend(user, k=3),
        lambda: model.recommend(ratings={data.items.ids[0]: data.scale.highest}, k=3),
        lambda: model.predict(user, item),
        lambda: model.predict_interval(user, item),
        lambda: model.similar_items(item, k=3),
        lambda: model.similar_users(user, k=3),
        lambda: model.explain(user, item_id=item),
    ):
        with suppress(TastemapError):
            question()


def ask_service(service: Service) -> None:
    """What the application asks; a `Problem` is an answer."""
    some = str(service.model.catalogue[0].item_id)
    for question in (
        service.card,
        service.map,
        lambda: service.items("item", n=3),
        lambda: service.item(some),
        lambda: service.similar(some, 3),
        lambda: service.interested_users(some, 3),
        lambda: service.recommend({some: service.model.scale.highest}, 3, reasons=True),
        lambda: service.explain({some: service.model.scale.highest}, some),
        lambda: service.taste({some: service.model.scale.highest}),
    ):
        with suppress(TastemapError, Problem):
            body_of(question())


@contextmanager
def artifacts() -> Iterator[Target]:
    """Loads models from a folder that is gone afterwards, and reloads a served one."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        good = {name: save_small(small_ratings(), folder / name, name) for name in MODELS}
        manifests = {name: json.loads((path / MANIFEST).read_text()) for name, path in good.items()}
        path, served = folder / "damaged", folder / "served"
        shutil.copytree(good["bias"], served)
        service = Service(live := LiveModel(served), Store("sqlite://"))

        def run(example: dict[str, Any]) -> None:
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(good[example["model"]], path)
            for edit in example["edits"]:
                apply(edit, path)
            if not example.get("hashed", False):
                forget_hashes(path)
            shutil.rmtree(served)
            shutil.copytree(path, served)
            if live.reload(force=True):
                ask_service(service)
            ask_model(tm.load_model(path, mapped=example["mapped"]))

        for name in good:  # a sound one of each, so that all is compiled before the clock runs
            run({"model": name, "mapped": False, "edits": []})
        drawn = examples_of(manifests)
        seeds = [*corpus("artifacts")]
        yield Target(drawn | st.sampled_from(seeds) if seeds else drawn, run)
        service.profiles.store.close()
