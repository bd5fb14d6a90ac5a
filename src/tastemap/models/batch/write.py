"""Recommendations for all users, written to a file in parts: bounded memory, resumable.

recs.parquet               the complete result
.recs.parquet.parts/       the finished parts, until the result is complete
    plan.json              the digest of the model and of the arguments
    000000000000.parquet … the lists of one part of the users, named by its first row
"""

import json
import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError, DataError, TastemapWarning
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.reranking import Reranking
from tastemap.models.base.selection import allowed_items
from tastemap.models.batch.recommend import SCORE_BYTES, Everyone, warn_of_short
from tastemap.support.boundary import disk_errors, refusing
from tastemap.support.formulas import defused
from tastemap.support.progress import progress_bar

# Bytes of a row of the result in memory: ids, title, numbers. A kill loses at most one part.
ROW_BYTES = 256
MAX_PART_USERS = 8192

_SINKS: dict[str, Callable[[pl.LazyFrame, Path], Any]] = {
    ".parquet": lambda frame, path: frame.sink_parquet(path),
    ".csv": lambda frame, path: defused(frame).sink_csv(path),
    ".tsv": lambda frame, path: defused(frame).sink_csv(path, separator="\t"),
}
#: The file endings that `write_recommendations` accepts.
ENDINGS = tuple(_SINKS)


def write_recommendations(
    model: Recommender,
    path: str | Path,
    k: int | None = None,
    *,
    exclude_seen: bool = True,
    candidates: Any = None,
    exclude: Any = None,
    where: str | pl.Expr | None = None,
    novelty: float = 0.0,
    by: str = "expected",
    seed: int = 0,
    new: bool = False,
    diversity: float = 0.0,
    calibrated: str | Sequence[str] | Mapping[str, float] | None = None,
    at_most: Mapping[str, int] | None = None,
    memory: int = 2**30,
    progress: bool = False,
) -> int:
    """Write the lists of `recommend_all` for every user to a file, for any number of users.

    Finished parts are stored beside the file. After a kill, a full disk or Ctrl-C the same call
    continues from them; a call with other arguments or another model starts anew. An existing file
    stays unchanged until the new one is complete.

    In .csv and .tsv, text that a spreadsheet would compute (``=1+1``, ``@name``) gets an apostrophe
    before it, ids too; .parquet has all text as it is, and is what programs should read.

    Args:
        model: A fitted model.
        path: A file that ends in .parquet, .csv or .tsv.
        k: Number of items for each user; by default ten, or all if there are fewer.
        exclude_seen: Leave out what each user has rated.
        candidates, exclude: Items (ids or titles) to choose from, or to leave out.
        where: A condition on the item table, such as ``"year >= 1990"``.
        novelty, by, seed: As in `recommend_all`.
        new: Also items without training ratings; a column ``basis`` says what scores rest on.
        diversity, calibrated, at_most: What lists shall be like, as `Recommender.recommend` has it.
        memory: Bytes for scores and lists, in addition to those of the model.
        progress: Whether to show a progress bar on standard error.

    Returns:
        Number of users whose lists an earlier call had finished.

    Raises:
        ArgumentError: If the ending is not one of these, if k is not between 1 and the number of
            items, or if ``memory`` is less than one user needs; the message states the least.
        DataError: If parts that an earlier call finished have been damaged since.
        OSError: If the disk is full or not writable; the old file is intact.

    Example:
        >>> import tempfile
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> model = make_model("mf").fit(synthetic_ratings())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     n_before = write_recommendations(model, f"{folder}/recs.parquet", k=3)
        ...     pl.read_parquet(f"{folder}/recs.parquet").shape
        (360, 6)
    """
    target = Path(path)
    if target.suffix not in _SINKS:
        raise ArgumentError(
            "path", expected=f"a file ending in {', '.join(_SINKS)}", received=str(path)
        )
    data = model.fitted_data
    allowed = allowed_items(
        data,
        seen=np.zeros(0, np.int32),
        candidates=candidates,
        exclude=exclude,
        where=where,
        new=new,
    )
    k = min(10, data.n_items) if k is None else k
    seen = (data.touched,) if exclude_seen else ()
    reranking = Reranking.of(data, diversity, calibrated, at_most)
    order: dict[str, Any] = {"novelty": novelty, "by": by, "seed": seed}
    options = order | {"has_basis": new, "reranking": reranking}
    everyone = Everyone(model, k, seen, allowed, memory=int(memory) // 2, **options)
    size = _users_of_a_part(data.n_items, k, int(memory))
    arguments = [k, exclude_seen, *order.values(), new, size]
    arguments += [np.packbits(allowed).tobytes().hex(), repr(reranking)]
    digest = model.to_artifact().digest(*arguments)
    parts = _Parts(target.with_name(f".{target.name}.parts"), digest)
    n_before = 0
    starts = range(0, data.n_users, size)
    with progress_bar("recommending", len(starts), "parts", progress) as step:
        for start in starts:
            users = np.arange(start, min(start + size, data.n_users), dtype=np.int32)
            if parts.has(start):
                n_before += len(users)
            else:
                parts.write(start, everyone.frame(users, everyone.lists(users)))
            step("")
    with refusing(parts.damaged, OSError), disk_errors():
        whole = pl.scan_parquet(parts.files())
        full = whole.filter(pl.col("rank") == k).select(pl.len()).collect(engine="streaming")
        parts.become(target, whole)
    if target.suffix != ".parquet":
        _warn_of_formulas(data)
    n_short = data.n_users - int(full.item())
    if n_short:
        warn_of_short(n_short, data.n_users, k, reranking)
    return n_before


def _warn_of_formulas(data: Feedback) -> None:
    """Warn that ids are written with an apostrophe before them."""
    for vocabulary in (data.users, data.items):
        ids = vocabulary.ids.to_frame()
        changed = ids.filter(ids.to_series() != defused(ids).to_series())
        if len(changed):
            first = changed.to_series()[0]
            warnings.warn(
                f"{len(changed):,} {vocabulary.kind} ids, {first!r} the first, begin like a formula"
                " and have an apostrophe before them in this file; .parquet has them as they are",
                TastemapWarning,
                stacklevel=3,
            )


def _users_of_a_part(n_items: int, k: int, memory: int) -> int:
    """Number of users in a part: their lists fit into half the memory, scores into the other."""
    least = 2 * max(SCORE_BYTES * n_items, ROW_BYTES * k)
    if memory < least:
        raise ArgumentError(
            "memory",
            expected=f"at least {least:,} bytes: {k} of {n_items:,} items for one user",
            received=f"{memory:,}",
        )
    return min(MAX_PART_USERS, memory // (2 * ROW_BYTES * k))


class _Parts:
    """The folder of finished parts, for one digest."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Adopt the parts of the same digest; remove those of another."""
        self.folder = folder
        plan = folder / "plan.json"
        text = json.dumps({"digest": digest}).encode()
        if not plan.is_file() or plan.read_bytes() != text:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            plan.write_bytes(text)

    def _file(self, start: int) -> Path:
        return self.folder / f"{start:012d}.parquet"

    def has(self, start: int) -> bool:
        """Whether the part that begins at this user is finished."""
        return self._file(start).is_file()

    def write(self, start: int, frame: pl.DataFrame) -> None:
        """Write a part, whole or not at all."""
        fresh = self.folder / "fresh"
        with fresh.open("wb") as file:
            frame.write_parquet(file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file(start))

    def files(self) -> list[Path]:
        """The parts, in the order of their users."""
        return sorted(self.folder.glob("*.parquet"))

    def damaged(self, reason: str) -> DataError:
        """The error for parts that cannot be put together."""
        return DataError(
            f"folder {self.folder}",
            expected="the parts that an earlier call finished",
            received=reason,
            do="remove it, and run again",
        )

    def become(self, target: Path, whole: pl.LazyFrame) -> None:
        """Put the parts together in the target, and remove them."""
        fresh = self.folder / "fresh"
        _SINKS[target.suffix](whole, fresh)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(target)
        shutil.rmtree(self.folder)
