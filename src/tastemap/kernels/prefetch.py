"""Asking for memory before it is needed.

Rows that are met in random order come from main memory at some hundred nanoseconds each, which is
longer than the arithmetic on them, and no processor foresees them. The index does: a few ratings
ahead.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

#: Ratings between asking for a row and its use.
AHEAD = 8
_LINE = 64


@intrinsic
def _touch(typingctx: Any, address: Any) -> Any:
    """Have the cache line at an address fetched; nothing happens if there is no such memory."""

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
    """Have a row fetched: ``row`` times ``n_bytes`` from an address, and so many bytes long."""
    start = address + row * n_bytes
    for first in range(start, start + n_bytes, _LINE):
        _touch(first)  # type: ignore[call-arg]
