"""Changes fixed-width parts of a finished table's values: a fast path of building the table anew, equal to it byte by byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpersist.errors import InternalError
from gpersist.table.format import TRAILER_SIZE_BYTES, block_trailer
from gpersist.table.writer import TableLayout


def patch(table: bytes, layout: TableLayout, positions: NDArray[np.int64], values: NDArray[np.uint32]) -> bytes:
    """Replaces 32-bit little-endian integers within values, and makes the blocks' checksums fit.

    REQUIRES: each four bytes lie within one value, and no two of them overlap; `layout` is the table's own.

    Args:
        table: the bytes of a table.
        layout: what `TableBuilder.finish` told of it.
        positions: offsets in the file, in bytes; shape [n], in any order.
        values: what to put there; shape [n].

    Returns:
        The changed table.

    Raises:
        InternalError: the table is not of the layout's size, the shapes differ, or a position is outside of the data blocks.
    """
    if len(table) != layout.size_bytes or positions.shape != values.shape:
        raise InternalError(f"patch: {len(table)} bytes for a layout of {layout.size_bytes}, {positions.shape} positions, {values.shape} values")
    starts = np.array([block.offset for block in layout.data_blocks], np.int64)
    ends = np.array([block.offset + block.size for block in layout.data_blocks], np.int64)
    blocks = np.searchsorted(starts, positions, "right") - 1
    if positions.size and ((blocks < 0).any() or (positions + 4 > ends[blocks]).any()):
        raise InternalError("patch: a position is outside of the data blocks")
    patched = bytearray(table)
    np.frombuffer(patched, np.uint8)[positions[:, np.newaxis] + np.arange(4)] = values.astype("<u4").view(np.uint8).reshape(-1, 4)
    view = memoryview(patched)
    for block in np.unique(blocks):
        handle = layout.data_blocks[block]
        end = handle.offset + handle.size
        view[end : end + TRAILER_SIZE_BYTES] = block_trailer(view[handle.offset : end])
    return bytes(patched)
