"""The draws of a posterior as the exported site takes them: fewer, and in a few bits a number.

References:
    Max, "Quantizing for minimum distortion", IRE Transactions on Information Theory 6(1), 1960,
    table II (the distance of equally spaced levels for normal numbers).
"""

from typing import Any

import numpy as np

from tastemap.arrays import F64, AnyArray
from tastemap.errors import UnsupportedError
from tastemap.models.base.orders import CAUTION
from tastemap.models.base.posterior_draws import PosteriorModel
from tastemap.serve.exported_likes import packed

#: At most so many draws are exported, and at most so many numbers of them, each of `BITS`. A large
#: catalogue has fewer draws, at least `MIN_DRAWS`; one that would then have more numbers than
#: `MAX_NUMBERS_LARGE` is refused. `python benchmarks/export.py` prints errors and sizes.
MAX_DRAWS, MIN_DRAWS, MAX_NUMBERS, MAX_NUMBERS_LARGE = 80, 16, 2**23, 2**25
BITS = 2
# Distance of the levels in standard deviations, for the bits of a number.
STEP = {2: 0.9957, 4: 0.3352, 8: 0.0308}


def draws_data(
    model: PosteriorModel, max_draws: int = MAX_DRAWS, bits: int = BITS
) -> dict[str, Any]:
    """What a browser needs to answer a new person by the draws, ready for JSON.

    Args:
        model: A fitted model.
        max_draws: Largest number of draws.
        bits: Bits of a number: 2, 4 or 8.

    Raises:
        UnsupportedError: If the catalogue is too large.
    """
    draws = model.posterior_draws(min(max_draws, _n_affordable(model)))
    nothing = np.zeros(0, dtype=np.int32)
    somebody_new = model.fold_in_rows(nothing, nothing.astype(np.float32))
    return {
        "n": len(draws.items),
        "size": draws.items.shape[2],
        "n_cuts": draws.cuts.shape[1],
        "n_scores": len(draws.average),
        "items": coded(draws.items, bits),
        "link": coded(draws.link, bits),
        "item_scales": packed(draws.item_scales, np.float32),
        "axes": stepped(draws.axes, np.int8),
        "average": packed(draws.average, np.float32),
        "reliable_at": draws.reliable_at,
        "prior": packed(draws.prior, np.float32),
        "precision": stepped(triangles(draws.precision), np.int16),
        "cuts": packed(draws.cuts, np.float32),
        "cut_precision": packed(draws.cut_precision, np.float32),
        "scales": packed(draws.scales, np.float32),
        "centre": draws.centre,
        "deviation": draws.deviation,
        "caution": CAUTION,
        "averages": packed(model.score_rows(somebody_new), np.float32),
    }


def coded(values: AnyArray, bits: int) -> dict[str, Any]:
    """Draws (K, ...) of each number, as its mean, its spread and a code of a few bits a draw.

    The number is mean + spread (code - (2^bits - 1) / 2). Its mean over the draws is what it was,
    and so is its standard deviation.
    """
    n = 2**bits
    mean = values.mean(axis=0, dtype=np.float64)
    deviation = values.std(axis=0, dtype=np.float64)
    steps = (values - mean) / np.maximum(deviation, 1e-30) / STEP[bits]
    codes = np.clip(np.floor(steps) + n // 2, 0, n - 1).astype(np.uint8)
    spread = deviation / np.maximum(codes.std(axis=0, dtype=np.float64), 1e-30)
    spread[deviation == 0] = 0.0
    mean -= spread * (codes.mean(axis=0, dtype=np.float64) - (n - 1) / 2)
    per_byte = 8 // bits
    flat = np.pad(codes.ravel(), (0, -codes.size % per_byte)).reshape(-1, per_byte)
    joined = np.bitwise_or.reduce(flat << (bits * np.arange(per_byte, dtype=np.uint8)), axis=1)
    return {
        "bits": bits,
        "mean": stepped(mean, np.int16),
        "spread": stepped(spread, np.uint8),
        "codes": packed(joined, np.uint8),
    }


def triangles(precisions: F64) -> F64:
    """Cholesky factors of matrices (K, D, D), their lower triangles row by row (K, D (D + 1) / 2).

    Rounded, they still are factors of a positive definite matrix.
    """
    rows, columns = np.tril_indices(precisions.shape[1])
    roots = np.linalg.cholesky(precisions)[:, rows, columns]
    return roots.astype(np.float64)


def stepped(values: AnyArray, dtype: Any) -> dict[str, str]:
    """Numbers (..., columns) as whole multiples of a step for each column."""
    largest = np.abs(values).max(axis=tuple(range(values.ndim - 1)), initial=0.0)
    step = np.maximum(largest, 1e-30) / np.iinfo(dtype).max
    return {"numbers": packed(np.rint(values / step), dtype), "step": packed(step, np.float32)}


def _n_affordable(model: PosteriorModel) -> int:
    """How many draws a browser can be sent."""
    n_items, n_factors = model.item_factors.shape
    row = n_items * (n_factors + 2)
    if MIN_DRAWS * row > MAX_NUMBERS_LARGE:
        raise UnsupportedError(
            f"{model.learnt_by_} cannot be exported: a draw has {row:,} numbers of items, and a "
            f"page can be sent {MIN_DRAWS} draws of {MAX_NUMBERS_LARGE // MIN_DRAWS:,}",
            do="export a bias, mf or als model",
        )
    return max(MIN_DRAWS, MAX_NUMBERS // row)
