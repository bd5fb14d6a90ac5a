"""Files of kinds that hold no table of text: say what each is, and what to do with it."""

from tastemap.errors import DataError

# So many bytes say what a file is.
START_BYTES = 512
# The first bytes of a file, what it is, and what to do.
_KINDS = (
    (b"BZh", "a file compressed with bzip2", "unpack it: bunzip2"),
    (b"\xfd7zXZ", "a file compressed with xz", "unpack it: unxz"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd", "unpack it: unzstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"PK\x03\x04", "a zip inside another file", "unpack it"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", "save it as CSV"),
    (b"SQLite format 3", "an SQLite database", "export its table as CSV"),
    (b"\x89HDF", "an HDF5 file", "write its table as CSV or Parquet"),
    (b"\x93NUMPY", "a NumPy array", "write it as CSV: numpy.savetxt"),
    (b"\x80\x02", "a Python pickle", "write its table as CSV or Parquet"),
    (b"\x80\x03", "a Python pickle", "write its table as CSV or Parquet"),
    (b"\x80\x04", "a Python pickle", "write its table as CSV or Parquet"),
    (b"\x80\x05", "a Python pickle", "write its table as CSV or Parquet"),
    (b"RDX", "data of R", "write its table as CSV: write.csv"),
    (b"%PDF", "a PDF document", "find the table itself"),
)
_PAGES = (b"<!doctype html", b"<html")
_TAR_PLACE, _TAR_MARK = 257, b"ustar"


def refuse_other_kind(name: str, start: bytes) -> None:
    """Refuse a file whose first bytes say that it is no table.

    Raises:
        DataError: With what it is, and what to do.
    """
    received, do = "", ""
    for mark, kind, advice in _KINDS:
        if start.startswith(mark):
            received, do = kind, advice
    if start[_TAR_PLACE:].startswith(_TAR_MARK):
        received, do = "a tar archive", "unpack it: tar -xf"
    if start.lstrip()[:20].lower().startswith(_PAGES):
        received, do = "a web page", "fetch the file that it offers"
    if received:
        expected = "text in columns, JSON, Parquet or Arrow"
        raise DataError(name, expected=expected, received=received, do=do)
