"""Prefetching: rows are loaded into the cache a few ratings before they are used.

Reading a random row from main memory takes about a hundred nanoseconds, longer than the arithmetic
on it. No processor predicts which row comes next, but the index array lists it.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

#: Number of ratings between the prefetch of a row and its use.
AHEAD = 8
_CACHE_LINE_BYTES = 64


@intrinsic
def _touch(typingctx: Any, address: Any) -> Any:
    """Prefetch the cache line at an address. An address outside of memory has no effect."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")  # type: ignore[no-untyped-call]
        # For reading or writing, into every level of cache, data.
        builder.call(
            fetch, [builder.inttoptr(arguments[0], pointer), number(0), number(3), number(1)]
        )
        return context.get_dummy_value()

    return types.void(types.intp), codegen


@njit(cache=True, nogil=True, inline="always")
def fetch_row(address: int, row: int, n_bytes: int) -> None:
    """Prefetch row number ``row`` of a table at ``address`` whose rows are ``n_bytes`` long."""
    start = address + row * n_bytes
    for first in range(start, start + n_bytes, _CACHE_LINE_BYTES):
        _touch(first)  # type: ignore[call-arg]
