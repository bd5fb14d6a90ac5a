"""A weighted Gram matrix, written in LLVM code so that its sums stay in vector registers.

A Gibbs sampler computes it for every rating in every iteration. Loops compiled by Numba keep the
sums in memory and are several times slower.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from tastemap.arrays import F32, I32

# A tile of sums: HEIGHT rows of WIDTH float32, one vector register (or two) a row.
HEIGHT, WIDTH = 8, 16
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_FMA = ("contract",)


def _at(builder: Any, address: Any, place: Any, kind: Any) -> Any:
    """Pointer to number ``place`` of an array at an address; all numbers have 4 bytes."""
    number = builder.inttoptr(address, _FLOAT.as_pointer())
    return builder.bitcast(builder.gep(number, [place]), kind.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    """A vector whose elements all are one number."""
    first = builder.insert_element(_VECTOR(ir.Undefined), number, ir.IntType(32)(0))
    zeros = ir.VectorType(ir.IntType(32), WIDTH)([0] * WIDTH)
    return builder.shuffle_vector(first, _VECTOR(ir.Undefined), zeros)


def _sums(builder: Any, arguments: Any, height: int, factor: Any) -> None:
    """Code for ``height`` sums over i < n of factor(k) w[i] y[j[i], :WIDTH], kept in registers."""
    y, j, w, n, D, out = arguments
    rows = [_at(builder, out, builder.mul(D, D.type(k)), _VECTOR) for k in range(height)]
    sums = [cgutils.alloca_once(builder, _VECTOR) for _ in rows]  # type: ignore[no-untyped-call]
    for row, total in zip(rows, sums, strict=True):
        builder.store(builder.load(row, align=4), total)
    with cgutils.for_range(builder, n) as loop:
        index = builder.load(_at(builder, j, loop.index, ir.IntType(32)))
        start = builder.mul(builder.sext(index, D.type), D)
        right = builder.load(_at(builder, y, start, _VECTOR), align=4)
        weight = _spread(builder, builder.load(_at(builder, w, loop.index, _FLOAT)))
        right = builder.fmul(weight, right)
        for k, total in enumerate(sums):
            product = right if factor is None else builder.fmul(factor(k, start), right, flags=_FMA)
            builder.store(builder.fadd(builder.load(total), product, flags=_FMA), total)
    for row, total in zip(rows, sums, strict=True):
        builder.store(builder.load(total), row, align=4)


@intrinsic
def _add_tile(typingctx: Any, x: Any, y: Any, j: Any, w: Any, n: Any, D: Any, out: Any) -> Any:
    """Add to the tile at ``out`` the sum over i < n of w[i] x[j[i], :HEIGHT]' y[j[i], :WIDTH].

    x, y, w and out are addresses of float32, j of int32; rows of x, y and out are D apart.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def factor(k: int, start: Any) -> Any:
            left = _at(builder, arguments[0], builder.add(start, start.type(k)), _FLOAT)
            return _spread(builder, builder.load(left))

        _sums(builder, arguments[1:], HEIGHT, factor)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7), codegen


@intrinsic
def _add_row(typingctx: Any, y: Any, j: Any, w: Any, n: Any, D: Any, out: Any) -> Any:
    """Add to the row at ``out`` the sum over i < n of w[i] y[j[i], :WIDTH], as in `_add_tile`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _sums(builder, arguments, 1, None)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), codegen


@njit(cache=True, nogil=True)
def weighted_sum(X: F32, index: I32, w: F32, total: F32) -> None:
    """Set total (D,) to the sum over i of w_i X[index_i]; arguments as in `weighted_gram`."""
    n, D = len(index), X.shape[1]
    total[:] = 0.0
    y, j, weight, out = X.ctypes.data, index.ctypes.data, w.ctypes.data, total.ctypes.data
    for m in range(0, D, WIDTH):
        _add_row(y + 4 * m, j, weight, n, D, out + 4 * m)  # type: ignore[call-arg]


@njit(cache=True, nogil=True)
def weighted_gram(X: F32, index: I32, w: F32, G: F32) -> None:
    """Set the lower triangle of G (D, D), at least, to the sum over i of w_i x x', x = X[index_i].

    Args:
        X: (m, D), C-contiguous; D a multiple of 16.
        index: (n,), contiguous rows of X.
        w: (at least n,), contiguous weights.
        G: (D, D), C-contiguous.
    """
    n, D = len(index), X.shape[1]
    G[:] = 0.0
    x, j, weight, out = X.ctypes.data, index.ctypes.data, w.ctypes.data, G.ctypes.data
    for k in range(0, D, HEIGHT):
        for m in range(0, k + HEIGHT, WIDTH):
            tile = out + 4 * (k * D + m)
            _add_tile(x + 4 * k, x + 4 * m, j, weight, n, D, tile)  # type: ignore[call-arg]
