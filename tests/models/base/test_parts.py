"""The files of an artifact: read or mapped, compared with model.json, copied where they must be."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from tastemap.errors import ArtifactError
from tastemap.models.base import parts
from tastemap.models.base.parts import Copies, Parts, arrays_of, entry_of

ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "mean": np.array([0.5]),
    "none": np.zeros((3, 0), np.float16),
    "rows": np.arange(3),
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(parts, "MIN_MAPPED_BYTES", 1)
    path = tmp_path / "model" / "arrays.safetensors"
    path.parent.mkdir()
    save_file(ARRAYS, path)
    return path


def of(file: Path, **options: object) -> Parts:
    return Parts(file.parent, {file.name: entry_of(file)}, **options)


def is_mapped(array: np.ndarray) -> bool:
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, np.memmap)


@pytest.mark.parametrize("options", [{}, {"mapped": True}, {"mapped": True, "copies": Copies()}])
def test_arrays_come_back(file: Path, options: dict[str, object]) -> None:
    arrays = of(file, **options).arrays(file.name)
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert np.array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert is_mapped(arrays[name]) == bool(options)
        assert arrays[name].flags.writeable != bool(options)


def test_small_files_and_tables_are_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "items.parquet").write_bytes(b"table")
    assert not is_mapped(Parts(file.parent, {}, mapped=True)["items.parquet"])
    monkeypatch.setattr(parts, "MIN_MAPPED_BYTES", file.stat().st_size + 1)
    assert not is_mapped(of(file, mapped=True)[file.name])


def test_an_entry_is_length_and_hash(file: Path) -> None:
    whole = file.read_bytes()
    entry = entry_of(file)
    assert entry.bytes == len(whole)
    assert entry.blake2b == hashlib.blake2b(whole, digest_size=16).hexdigest()


@pytest.mark.parametrize("options", [{}, {"mapped": True}, {"mapped": True, "copies": Copies()}])
def test_other_bytes_are_refused(file: Path, options: dict[str, object]) -> None:
    files = of(file, **options)
    whole = file.read_bytes()
    for content in (whole[:-1], whole + b"\0", whole[:-1] + bytes([whole[-1] ^ 1])):
        file.write_bytes(content)
        with pytest.raises(ArtifactError, match="that model.json (says|was written for)"):
            files.arrays(file.name)


def test_a_pipe_in_the_place_of_a_file_does_not_hold_anybody_up(file: Path) -> None:
    files = of(file)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ArtifactError, match="something else than a file"):
        files.arrays(file.name)


def test_which_files_there_are_says_model_json_where_it_says_it(file: Path) -> None:
    (file.parent / "map.parquet").write_bytes(b"")
    assert "map.parquet" not in of(file)
    assert "map.parquet" in Parts(file.parent, {})


def header(entry: dict[str, object]) -> np.ndarray:
    text = json.dumps({"a": entry}).encode()
    return np.frombuffer(len(text).to_bytes(8, "little") + text + bytes(8), np.uint8)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 7]},
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]},
        {"dtype": "OBJECT", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2]},
    ],
    ids=range(9),
)
def test_headers_that_do_not_fit(entry: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        arrays_of(header(entry))


def test_content_that_is_too_short() -> None:
    whole = np.frombuffer(save(ARRAYS), np.uint8)
    for n in (0, 7, 8, 20, len(whole) - 1):
        with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
            arrays_of(whole[:n])


def test_arrays_that_lie_askew_are_aligned() -> None:
    array = arrays_of(header({"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}))["a"]
    assert array.flags.aligned


def test_a_private_copy_has_no_name_and_outlives_its_source(file: Path) -> None:
    arrays = of(file, mapped=True, copies=Copies()).arrays(file.name)
    os.truncate(file, 0)
    assert np.array_equal(arrays["weights"], ARRAYS["weights"])
    assert [path.name for path in file.parent.parent.iterdir()] == ["model"]


def test_shared_copies_are_one_and_go_with_their_model(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    copies, files = Copies(folder), of(file)
    first = of(file, mapped=True, copies=copies).arrays(file.name)
    second = of(file, mapped=True, copies=Copies(folder)).arrays(file.name)
    assert [path.name for path in folder.iterdir()] == [entry_of(file).blake2b]
    copies.retain({})
    copies.retain({file.name: {"blake2b": entry_of(file).blake2b}})
    assert len(list(folder.iterdir())) == 1
    copies.retain({file.name: {"blake2b": "another"}})
    assert not list(folder.iterdir())
    file.write_bytes(b"")
    for arrays in (first, second):
        assert np.array_equal(arrays["weights"], ARRAYS["weights"])
    with pytest.raises(ArtifactError):
        Parts(file.parent, files._entries, mapped=True, copies=copies).arrays(file.name)
    assert not list(folder.iterdir())


def test_a_copy_is_made_where_blocks_cannot_be_shared(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    arrays = of(file, mapped=True, copies=Copies()).arrays(file.name)
    assert np.array_equal(arrays["weights"], ARRAYS["weights"])


def test_a_copy_lies_among_temporary_files_where_nothing_can_be_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = parts.tempfile.TemporaryFile

    def refusing(**options: object) -> object:
        if "dir" in options:
            raise PermissionError("read-only")
        return plain(**options)

    monkeypatch.setattr(parts.tempfile, "TemporaryFile", refusing)
    arrays = of(file, mapped=True, copies=Copies()).arrays(file.name)
    assert np.array_equal(arrays["weights"], ARRAYS["weights"])
