"""Write ratings as a folder in the form of MovieLens' newer releases, block by block."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError
from polars.io.plugins import register_io_source

from tastemap.errors import ArgumentError, DataError
from tastemap.support.atomic import new_folder
from tastemap.support.formulas import defused

FORMS = ("csv", "parquet")
# A folder is replaced only if it holds no other files.
_FILES = {"movies.csv", *(f"ratings.{form}" for form in FORMS)}
ROW_GROUP_ROWS = 2**20


def write_release(
    blocks: Iterable[pl.DataFrame],
    schema: Mapping[str, pl.DataType],
    items: pl.DataFrame,
    folder: str | Path,
    *,
    form: str = "csv",
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write ``ratings.csv`` or ``ratings.parquet`` and ``movies.csv``, all or nothing.

    Only one block is in memory at a time. The files are written to a folder beside the target,
    which is then renamed.

    Args:
        blocks: Parts of the ratings, in order.
        schema: Their columns and types.
        items: The whole of ``movies.csv``.
        folder: A new or empty folder, or one that holds such a set, which is then replaced.
        form: ``"csv"`` or ``"parquet"``.
        progress: Is called with the number of ratings of each block.

    Raises:
        ArgumentError: If there is no such form, or the folder holds something else.
        DataError: If the disk is full or cannot be written to; what was there is intact.
    """
    target = refuse_other_folder(folder, form)

    def counted(*_: object) -> Iterator[pl.DataFrame]:
        for block in blocks:
            yield block
            if progress is not None:
                progress(len(block))

    rows = register_io_source(counted, schema=schema)
    try:
        with new_folder(target) as fresh:
            defused(items).write_csv(fresh / "movies.csv")
            if form == "csv":
                rows = defused(rows)
                rows.sink_csv(fresh / "ratings.csv", maintain_order=True)
            else:
                path = fresh / "ratings.parquet"
                rows.sink_parquet(path, row_group_size=ROW_GROUP_ROWS, maintain_order=True)
    except (OSError, PolarsError) as error:
        raise DataError(
            f"folder {target}",
            expected="to be written",
            received=(getattr(error, "strerror", None) or str(error)).splitlines()[0],
            do="make room, or name another folder; what was there is as it was",
        ) from error
    return Path(folder)


def refuse_other_folder(folder: str | Path, form: str) -> Path:
    """The absolute path of a folder to write, which is new, empty or holds an earlier set.

    Raises:
        ArgumentError: If it holds anything else, or there is no such form.
    """
    if form not in FORMS:
        raise ArgumentError("form", expected=f"one of {', '.join(FORMS)}", received=repr(form))
    target = Path(folder).absolute()
    if not target.exists() or (
        target.is_dir() and {file.name for file in target.iterdir()} <= _FILES
    ):
        return target
    raise ArgumentError(
        f"folder {folder}",
        expected="a new folder, or an expanded set to replace",
        received="something else that is already there",
        do="choose another",
    )
