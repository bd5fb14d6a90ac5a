"""Files that hold no table: each says in one line what it is."""

import io
import tarfile

import pytest

from tastemap.data.readers.kinds import refuse_other_kind
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"BZh91AY", "received a file compressed with bzip2; unpack it: bunzip2"),
        (b"\xfd7zXZ\0", "received a file compressed with xz; unpack it: unxz"),
        (b"\xd0\xcf\x11\xe0", "received an Excel workbook; save it as CSV"),
        (b"SQLite format 3\0", "received an SQLite database; export its table as CSV"),
        (b"\x80\x04\x95", "received a Python pickle; write its table as CSV or Parquet"),
        (b"\n<!DOCTYPE html><html>", "received a web page; fetch the file that it offers"),
    ],
)
def test_what_it_is_and_what_to_do(start: bytes, message: str, write) -> None:
    with pytest.raises(DataError, match=message):
        read_ratings(write(start, "ratings.csv"))


def test_an_archive_of_tar_inside_gzip(tmp_path, write) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(write("user,item,rating\n1,2,3\n"), "ratings.csv")
    with pytest.raises(DataError, match="received a tar archive; unpack it: tar -xf"):
        read_ratings(write(packed.getvalue(), "ratings.tar.gz"))


def test_tables_pass() -> None:
    for start in (b"user,item,rating\n", b"PAR1", b'{"user": 1}', b"BZ,1,2\n", b""):
        refuse_other_kind("x", start)
