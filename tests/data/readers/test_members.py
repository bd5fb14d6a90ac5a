"""Which of the files in a folder or zip holds the ratings."""

import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from commands import ask
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

CSV = "user,movieId,stars,date\nann,7,4.5,1000\nbo,7,2,3000\nann,9,3,2000\n"
FILMS = "movieId,title\n7,Heat\n9,Alien\n"


@pytest.fixture
def packed(tmp_path: Path):
    def pack(**files: str | bytes) -> Path:
        path = tmp_path / "data.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path

    return pack


def parquet() -> bytes:
    content = io.BytesIO()
    pl.read_csv(CSV.encode()).write_parquet(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ({"any name.csv": CSV}, "read any name.csv"),
        ({"a/b/stars.data": CSV.split("\n", 1)[1]}, "read a/b/stars.data"),
        ({"r.csv.gz": gzip.compress(CSV.encode())}, "read r.csv.gz"),
        ({"r.parquet": parquet(), "films.csv": FILMS}, "read r.parquet; not read: films.csv"),
        ({"films.csv": FILMS, "x.jsonl": '{"user": 1, "item": 2, "rating": 3}'}, "read x.jsonl; n"),
        ({"ratings.csv": CSV, "books.csv": FILMS}, "read ratings.csv; not read: books.csv"),
        ({"r.csv": CSV, "__MACOSX/._r.csv": b"\0\1", ".DS_Store": "x"}, "read r.csv"),
        ({"r.csv": CSV, "README.txt": "Ratings, and more", "LICENSE": "MIT"}, "read r.csv"),
        ({"r.csv": CSV, "odd.csv": b"\0\xff\0", "bad.csv.gz": b"\x1f\x8b\x08"}, "read r.csv; not"),
    ],
)
def test_the_one_table_of_ratings_is_read(files: dict, note: str, packed) -> None:
    ratings = read_ratings(packed(**files))
    assert ratings.source.notes[0].startswith(note)
    assert ratings.source.name == "data.zip"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train.csv": CSV, "test.csv": CSV}, "received several: train.csv, test.csv; name one of"),
        ({"a.csv": FILMS, "b.csv": FILMS}, "received several: a.csv, b.csv; name one of them: .*a"),
        ({"readme.md": "x"}, "expected one table of ratings, or .*; received no table; check"),
        ({"xl/workbook.xml": "<a/>"}, "received an Excel workbook; save it as CSV"),
        ({f"{n}.csv": CSV for n in range(30)}, "9.csv and 20 more; name one"),
        ({"in.zip": b"PK\x03\x04"}, "in.zip; expected .* received a zip inside another file"),
    ],
)
def test_what_is_not_clear_is_listed(files: dict, message: str, packed) -> None:
    with pytest.raises(DataError, match=message):
        read_ratings(packed(**files))


def test_a_path_may_lead_into_a_zip(packed) -> None:
    path = packed(**{"a/train.csv": CSV, "a/test.csv": CSV})
    assert len(read_ratings(path / "a/train.csv")) == 3
    answer = ask("describe", path / "a" / "test.csv")
    assert answer["tables"][0]["rows"][0]["ratings"] == 3
    with pytest.raises(DataError, match="expected one of the files of data.zip: a/train.csv, a/te"):
        read_ratings(path / "train.csv")
    with pytest.raises(DataError, match="received No such file or directory"):
        read_ratings(path.with_name("no.zip") / "train.csv")


def test_a_folder_is_read_like_a_zip(tmp_path: Path) -> None:
    (tmp_path / "stars.csv").write_text(CSV)
    (tmp_path / "films.csv").write_text(FILMS)
    notes = read_ratings(tmp_path).source.notes
    assert notes[0] == "read stars.csv; not read: films.csv"
    columns = {"user": "u", "item": "i", "rating": "r"}
    (tmp_path / "films.csv").write_text("u,i,r\n1,2,3\n")
    assert len(read_ratings(tmp_path, **columns)) == 1
