"""One measurement of `scale.py`, in a process of its own: reads JSON, prints JSON."""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

# Of `mf`, `als` and `ials`.
FACTORS = 64
HELD_OUT, MOST_HELD_OUT = 50, 500_000
RANKED_USERS = 2_000


def main() -> None:
    """Do what is asked."""
    asked = json.loads(sys.argv[1])
    tasks = {"scan": scan, "read": read, "fit": fit, "floor": floor}
    print(json.dumps(tasks[asked["task"]](asked) | {"peak_mb": peak_mb()}))


def scan(asked: dict[str, Any]) -> dict[str, Any]:
    """The columns as Polars infers them."""
    path, columns = asked["path"], ["userId", "movieId", "rating", "timestamp"]
    started, used = time.perf_counter(), time.process_time()
    lazy = pl.scan_csv(path) if path.endswith(".csv") else pl.scan_parquet(path)
    lazy.select(columns).collect(engine="streaming")
    return {"seconds": time.perf_counter() - started, "processor_s": time.process_time() - used}


def read(asked: dict[str, Any]) -> dict[str, Any]:
    """The file to `Ratings`."""
    from tastemap.data.readers.read import read_ratings

    started, used = time.perf_counter(), time.process_time()
    read_ratings(asked["path"])
    return {"seconds": time.perf_counter() - started, "processor_s": time.process_time() - used}


def fit(asked: dict[str, Any]) -> dict[str, Any]:
    """A fit, and its error on ratings held out."""
    import tastemap as tm
    from tastemap.data.datasets.synthetic import synthetic_ratings

    small = synthetic_ratings()
    tm.make_model(asked["model"], **asked["options"]).fit(small, progress=False)  # compiles
    ratings = tm.read_ratings(asked["path"])
    drawn = np.random.default_rng(0).permutation(len(ratings)).astype(np.int32)
    n_test = min(len(ratings) // HELD_OUT, MOST_HELD_OUT)
    test, train = ratings.take(np.sort(drawn[:n_test])), ratings.take(np.sort(drawn[n_test:]))
    del ratings, drawn
    gc.collect()
    model = tm.make_model(asked["model"], **asked["options"])
    started, used = time.perf_counter(), time.process_time()
    model.fit(train, seed=asked["seed"], progress=False)
    found: dict[str, Any] = {"n_train": len(train), "fit_s": time.perf_counter() - started}
    found["processor_s"] = time.process_time() - used
    if asked["passes"]:
        found["pass_s"] = found["fit_s"] / getattr(model, asked["passes"])
    found["fit_peak_mb"] = peak_mb()
    if model.predicts_ratings:
        return found | {"rmse": tm.rmse(test.rating, model.predict_ratings(test))}
    users = np.unique(test.user_index)
    kept = np.random.default_rng(0).permutation(users)[:RANKED_USERS]
    scores = tm.evaluate_ranking(model, test.take(np.isin(test.user_index, kept)))
    return found | {"ndcg": float(scores.filter(pl.col("metric") == "ndcg")["value"][0])}


def floor(asked: dict[str, Any]) -> dict[str, Any]:
    """Nanoseconds to meet a row of the other side for each rating, as an epoch of `als` does."""
    import tastemap as tm

    ratings = tm.read_ratings(asked["path"])
    found: dict[str, Any] = {"n": len(ratings), "likes": liked(ratings)}
    meet_all = reader()
    for side, groups, other, n in (
        ("user", ratings.by_item, ratings.user_index, ratings.n_users),
        ("item", ratings.by_user, ratings.item_index, ratings.n_items),
    ):
        table = np.ones((n, FACTORS), np.float32)
        index = other[groups.indices]
        meet_all(index[:1000], table)  # compiles
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            meet_all(index, table)
            seconds.append(time.perf_counter() - started)
        found |= {f"{side}_mb": table.nbytes / 1e6, f"{side}_ns": 1e9 * min(seconds) / len(index)}
    return found


def liked(ratings: Any) -> int:
    """How many ratings `ials` learns from."""
    return int((ratings.rating >= ratings.scale.liked_from()).sum())


def reader() -> Callable[[Any, Any], None]:
    """What reads the row of each index once, on all threads."""
    import numba as nb

    from tastemap.kernels.prefetch import AHEAD, fetch_row

    @nb.njit(nogil=True, fastmath=True)
    def meet(index: Any, table: Any) -> Any:
        """The sum of the rows, each asked for in time."""
        f = table.shape[1]
        total = np.zeros(f, np.float32)
        start, last = table.ctypes.data, len(index) - 1
        for n in range(len(index)):
            fetch_row(start, index[min(n + AHEAD, last)], 4 * f)
            j = np.uint64(index[n])
            for k in range(f):
                total[k] += table[j, k]
        return total

    n_threads = nb.get_num_threads()

    def meet_all(index: Any, table: Any) -> None:
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(lambda part: meet(part, table), np.array_split(index, n_threads)))

    return meet_all


def peak_mb() -> float:
    """The most memory that this process has had, in MB of 10^6 bytes."""
    status = Path("/proc/self/status")
    if (
        status.is_file()
    ):  # what getrusage says begins with the memory of the process that started it
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line[:6] == "VmHWM:") / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
