"""Target: `read_ratings` on files of every format, with good and odd arguments."""

import gzip
import inspect
import io
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from fuzzing import Target, corpus
from hypothesis import strategies as st
from pieces import Pieces, damaged, joined, whole

import tastemap as tm

FRAME = pl.DataFrame(
    {
        "userId": ["1", "1", "2", "2", "3", "3", "3"],
        "movieId": [10, 20, 10, 30, 20, 30, 40],
        "rating": [5.0, 3.5, 4.0, 2.0, 1.0, 3.0, 4.5],
        "timestamp": [881250949, 891717742, 878887116, 880606923, 886397596, 884182806, 881171488],
    }
)
WORDS = [*FRAME.columns, "stars", "date", "item_id:token", "1970-01-01T00:00:00Z", "4 1/2", "NA"]
NAMES = ["ratings.csv", "ratings.tsv", "ratings.dat", "u.data", "r.json", "r.jsonl", "r.inter"]
NAMES += ["ratings.csv.gz", "ml.zip", "r.parquet", "r.arrow", "r.feather", "r"]
COLUMNS = st.none() | st.sampled_from([*FRAME.columns, "stars", "column_1", "", "\0"])
OPTIONS = {
    "user": COLUMNS,
    "item": COLUMNS,
    "rating": COLUMNS,
    "timestamp": COLUMNS,
    "delimiter": st.sampled_from([None, ",", ";", "::", "\t", "|", " ", "", '"', "\n", ".*", "é"]),
    "encoding": st.sampled_from(
        [None, "utf-8", "latin-1", "utf-16", "utf-16-le", "utf-7", "idna", "rot13", "hex", "none"]
    ),
    "has_header": st.sampled_from([None, True, False]),
    "layout": st.sampled_from([None, "wide", "long", "broad"]),
    "duplicates": st.sampled_from(["last", "first", "mean", "error"]),
    "missing_times": st.sampled_from(["drop", "fill"]),
    "on_bad_row": st.sampled_from(["error", "skip"]),
}


@cache
def good_files() -> dict[str, Pieces]:
    """The same table in every format, by the name of the file."""
    text = {sign: FRAME.write_csv(separator=sign) for sign in ",;\t|"}
    bare = FRAME.write_csv(include_header=False)
    parquet, arrow = io.BytesIO(), io.BytesIO()
    FRAME.write_parquet(parquet, compression="uncompressed")
    FRAME.write_ipc(arrow)
    titles = 'movieId,title,genres\n10,Alien (1979),Horror|Sci-Fi\n20,"Brazil, (1985)",Comedy\n'
    dates = FRAME.with_columns(pl.from_epoch("timestamp")).write_csv()
    files = {
        "commas.csv": text[","].encode(),
        "semicolons.csv": text[";"].replace(".", ",").encode(),
        "tabs.tsv": text["\t"].encode("utf-16"),
        "pipes.csv": b"\xef\xbb\xbf" + text["|"].encode(),
        "dates.csv": dates.replace("\n", "\r\n").encode(),
        "ratings.dat": bare.replace(",", "::").encode(),
        "u.data": bare.replace(",", "\t").encode(),
        "wide.csv": b"user,Heat,Alien,Up\n1,5,,3.5\n2,,4,\n3,2,1,99\n",
        "jokes.csv": b"2,-7.5,8.25,99\n3,1.5,-2,4.75\n1,99,99,3\n",
        "mac.csv": b"# mine\r" + text[","].replace("\n", "\r").encode(),
        "one.zip": zipped({"some.csv": text[";"], "__MACOSX/._some.csv": "x", "b.csv": titles}),
        "r.json": FRAME.write_json().encode(),
        "r.jsonl": FRAME.write_ndjson().encode(),
        "ratings.csv.gz": gzip.compress(text[","].encode(), mtime=0),
        "ml.zip": zipped({"ml/ratings.csv": text[","], "ml/movies.csv": titles}),
        "old.zip": zipped({"ml/ratings.dat": bare.replace(",", "::")}),
        "r.parquet": parquet.getvalue(),
        "r.arrow": arrow.getvalue(),
    }
    return {name: whole(content) for name, content in files.items()}


def zipped(files: dict[str, str]) -> bytes:
    """A zip of files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return content.getvalue()


@st.composite
def examples(draw: st.DrawFn) -> dict[str, Any]:
    """A file of a good table or of the corpus after some edits, and arguments, mostly none."""
    good = good_files()
    name = draw(st.sampled_from([*good]))
    contents = [good[name], *(example["content"] for example in corpus("readers"))]
    content = draw(damaged(st.sampled_from(contents), WORDS))
    known = inspect.signature(tm.read_ratings).parameters
    chosen = draw(st.lists(st.sampled_from([*OPTIONS]), max_size=3, unique=True))
    options = {option: draw(OPTIONS[option]) for option in chosen if option in known}
    if draw(st.booleans()):
        name = draw(st.sampled_from(NAMES))
    return {"name": name, "options": options, "content": content}


@contextmanager
def readers() -> Iterator[Target]:
    """Reads from a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:

        def run(example: dict[str, Any]) -> None:
            file = Path(folder) / example["name"]
            file.write_bytes(joined(example["content"]))
            try:
                ratings = tm.read_ratings(file, **example["options"])
            finally:
                file.unlink()
            assert len(ratings) > 0
            assert np.isfinite(ratings.rating).all()
            assert ratings.to_frame().height == len(ratings)

        yield Target(examples(), run)
