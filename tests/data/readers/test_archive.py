"""Files in folders and zips: damaged, dangerous and unreadable ones are refused."""

import gzip
import stat
import zipfile
from pathlib import PurePosixPath

import polars as pl
import pytest

from tastemap.data.readers import archive
from tastemap.data.readers.archive import DataFile, open_files
from tastemap.data.readers.movielens import read_movielens
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

CSV = "user,movieId,stars,date\nann,7,4.5,1000\nbo,7,2,3000\nann,9,3,2000\n"
FRAME = pl.read_csv(CSV.encode())


def test_a_truncated_zip_says_so(ml_100k, zipped):
    archive = zipped(ml_100k, "cut.zip")
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(
        DataError, match=r"cut.zip; expected .* zip; received .*truncated.*fetch it"
    ):
        read_movielens(archive)


def test_a_damaged_member_says_so(ml_100k, zipped):
    archive = zipped(ml_100k, "bad.zip")
    content = bytearray(archive.read_bytes())
    place = content.index(b"release/u.data") + len(b"release/u.data") + 4
    content[place : place + 8] = b"\xff" * 8
    archive.write_bytes(content)
    with pytest.raises(
        DataError, match=r"u.data; expected a complete .* damaged .*; fetch it again"
    ):
        read_movielens(archive)


@pytest.mark.parametrize("name", ["../u.data", "/etc/u.data", "a/../../u.data", "C:\\u.data"])
def test_a_member_that_climbs_out_is_refused(name, tmp_path):
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(zipfile.ZipInfo(name), "1\t1\t1\t1\n")
    with pytest.raises(
        DataError, match=r"expected a file inside the zip; received a path that lea"
    ):
        read_movielens(archive)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["evil.zip"]


def test_a_member_that_is_a_link_is_refused(tmp_path):
    archive = tmp_path / "evil.zip"
    link = zipfile.ZipInfo("u.data")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="received a link; do not use this file"):
        read_movielens(archive)


def test_a_zip_bomb_is_refused(tmp_path):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("u.data", b"\n" * 2**22)
    with pytest.raises(DataError, match="expected at most 8 GB unpacked and 100 times the packed"):
        read_movielens(archive)


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(DataError, match=r"no.csv; expected a readable file; received No such file"):
        read_ratings(tmp_path / "no.csv")
    with pytest.raises(DataError, match="or a MovieLens release; received no table; check"):
        read_ratings(tmp_path)
    with pytest.raises(DataError, match=r"expected a complete compressed file; .* fetch it again"):
        read_ratings(write(gzip.compress(CSV.encode())[:-12], "a.gz"))
    FRAME.write_parquet(tmp_path / "a.parquet")
    cut = (tmp_path / "a.parquet").read_bytes()[:-20]
    with pytest.raises(DataError, match=r"b.parquet; expected a complete Parquet or Arrow file"):
        read_ratings(write(cut, "b.parquet"))
    with pytest.raises(DataError, match=r"cut.zip; expected a folder or a complete zip; received"):
        read_ratings(write(b"PK\x03\x04 and no more", "cut.zip"))


def test_a_folder_and_its_zip_hold_the_same_files(tmp_path, zipped):
    folder = tmp_path / "folder"
    (folder / "a" / "b" / "c").mkdir(parents=True)
    for path in ("x", "a/y", "a/b/z", "a/b/c/too-deep"):
        (folder / path).write_text(path)
    files = open_files(folder)
    assert set(files) == {PurePosixPath("x"), PurePosixPath("a/y"), PurePosixPath("a/b/z")}
    assert files[PurePosixPath("a/y")].read() == b"a/y"
    packed = open_files(zipped(folder / "a" / "b" / "c", "x.zip"))
    assert list(packed) == [PurePosixPath("release/too-deep")]
    (file,) = packed.values()
    assert (file.read(), file.size()) == (b"a/b/c/too-deep", 14)


def test_the_bytes_of_a_compressed_file_are_decompressed(write):
    for content in (CSV.encode(), gzip.compress(CSV.encode())):
        assert b"".join(DataFile.of(write(content)).chunks()) == CSV.encode()


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(write, monkeypatch):
    monkeypatch.setattr(archive, "MIN_GZIP_BYTES", 2**20)
    monkeypatch.setattr(archive, "CHUNK_BYTES", 2**16)
    chunks = counted(monkeypatch, gzip.GzipFile, "read")
    bomb = write(gzip.compress(b"1,2,3\n" * 2**20), "bomb.csv.gz")
    with pytest.raises(DataError, match=r"bomb.csv.gz; expected at most 8 GB unpacked and 100"):
        read_ratings(bomb)
    assert len(chunks) <= 2**20 / 2**16 + 1
    monkeypatch.setattr(archive, "MAX_RATIO", 2_000)
    assert len(read_ratings(bomb)) == 1


def test_what_is_compressed_is_unpacked_once(write, zipped, tmp_path, ml_latest, monkeypatch):
    opened = counted(monkeypatch, gzip, "open")
    assert len(read_ratings(write(gzip.compress(CSV.encode()), "a.csv.gz"))) == 3
    assert len(opened) == 1
    read = counted(monkeypatch, zipfile.ZipFile, "read")
    read_movielens(zipped(ml_latest, "latest.zip"))
    assert len(read) == len([*ml_latest.iterdir()])


def test_unpacking_stops_where_the_memory_ends(write, monkeypatch):
    packed = write(gzip.compress(CSV.encode()), "a.csv.gz")
    monkeypatch.setattr("tastemap.support.memory.free_memory", lambda: 2**27)
    with pytest.raises(DataError, match=r"a.csv.gz; expected 0.2 GiB of free memory more to"):
        read_ratings(packed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_of_which_a_few_bytes_unpack_to_gigabytes_are_refused(compression, tmp_path):
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w", compression) as writer:
        writer.writestr("u.data", "1\t1\t1\t1\n")
    message = r"odd.zip, member 'u.data'; expected a file that is stored or compressed by deflate"
    with pytest.raises(DataError, match=message):
        read_movielens(path)


def test_an_encrypted_zip_is_refused(tmp_path, ml_100k, zipped):
    path = zipped(ml_100k, "secret.zip")
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="received one that is encrypted"):
        read_movielens(path)


@pytest.mark.parametrize("folder", ["a[1]", "a*", "a?"])
def test_the_signs_of_patterns_in_a_path_are_letters(folder, tmp_path, ml_latest):
    place = ml_latest.rename(tmp_path / folder)
    assert read_movielens(place).items.titles[0] == "Shall We Dance? (1937)"
    for name, write_frame in (("r.parquet", FRAME.write_parquet), ("r.arrow", FRAME.write_ipc)):
        write_frame(place / name)
        assert len(read_ratings(place / name)) == 3


def counted(monkeypatch, owner, name):
    """A list that grows with each call of a function of a class or module."""
    calls, function = [], getattr(owner, name)

    def count(*args, **options):
        calls.append(args)
        return function(*args, **options)

    monkeypatch.setattr(owner, name, count)
    return calls
