"""Addresses in place of paths: refused in one line, as they were typed."""

from pathlib import Path

import pytest

import tastemap as tm
from commands import run
from tastemap.errors import ArtifactError, DataError
from tastemap.support.addresses import address_in, refuse_address

ADDRESSES = [
    "https://example.org/a/ratings.csv",
    "s3://bucket/ratings.parquet",
    "hf://datasets/a/ratings.csv",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_refused_as_it_was_typed(address: str) -> None:
    for source in (address, Path(address)):
        with pytest.raises(DataError, match="which is not read; download it first") as refused:
            tm.read_ratings(source)
        assert str(refused.value).startswith(f"{address}; ")
    assert address_in(Path(address)) == address


def test_commands_refuse_an_address_in_one_line() -> None:
    address = ADDRESSES[0]
    for words in (
        ("describe", address),
        ("fit", address, "-o", "x"),
        ("prepare", address, "-o", "x"),
    ):
        message = run(*words, code=1)
        assert f"tastemap: {address}; expected a path; received an address" in message
    assert f"path {address}; expected a saved model" in run("info", address, code=1)
    with pytest.raises(ArtifactError, match="received an address, which is not read"):
        tm.load_model(address)


def test_what_only_looks_like_an_address_is_a_path(tmp_path: Path, monkeypatch) -> None:
    for path in ("ratings.csv", "C:/ratings.csv", "a/b:c/d.csv", "notes: mine.csv"):
        refuse_address(path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set:").mkdir()
    (tmp_path / "set:" / "r.csv").write_text("user,item,rating\n1,2,3\n")
    assert len(tm.read_ratings("set:/r.csv")) == 1
    with pytest.raises(DataError, match=r"^file:///tmp/x.csv; .*; give the path itself"):
        refuse_address("file:///tmp/x.csv")
