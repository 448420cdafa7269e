"""Is a checkpoint whole? Every byte is read and held against the index's checksums."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.bundle import Ranges, index_path, strings
from gpersist.checkpoint.plan import EMPTY_CRC
from gpersist.checkpoint.storage import Storage, reread
from gpersist.errors import DataLossError
from gpersist.staging import UNCHECKED, Incoming, check
from gpersist.table import unmask


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """A checkpoint that is whole: what it holds."""

    prefix: str
    num_tensors: int
    total_bytes: int


def verify(
    prefix: str,
    *,
    contents: bool = True,
    threads: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Verified:
    """Checks a checkpoint: the one that stands now, or one that another save puts in its place meanwhile.

    Args:
        prefix: of the checkpoint.
        contents: read every byte; without it, only the index is read, and the data files' sizes are held against it.
        threads: see `save`.
        on_progress: called with the bytes of each piece that was checked, from any thread.

    Raises:
        DataLossError: damaged: the first tensor met that is, with its file and offset.
        CheckpointNotFoundError: a file is missing.
        NotACheckpointError, UnimplementedError: the index is of another kind or version.
    """
    return reread(lambda: _verify(prefix, contents, threads, on_progress))


def _verify(prefix: str, contents: bool, threads: int | None, on_progress: Callable[[int], None] | None) -> Verified:
    with Storage(prefix) as storage:
        ranges = storage.ranges(whole=False)
        columns = ranges.columns
        order, layout, readers = storage.layout(ranges)
        for row in np.flatnonzero((columns.sizes == 0) & (columns.crcs != EMPTY_CRC) & (columns.crcs != 0)).tolist():
            if not columns.dtypes[row].is_string:
                where = f"tensor {ranges.names[row]!r} in {index_path(prefix)!r}"
                raise DataLossError(f"{where} has no bytes, but a crc32c of 0x{columns.crcs[row]:08x}; the index is damaged")
        if contents:
            crcs = [UNCHECKED if columns.dtypes[row].is_string else int(columns.crcs[row]) for row in order]
            check(Incoming([ranges.names[row] for row in order], [], [], layout, crcs), readers, threads=threads, on_progress=on_progress)
            for row, dtype in enumerate(columns.dtypes):
                if dtype.is_string:
                    read_strings(storage, ranges, row)
        return Verified(prefix, len(storage.index), int(columns.sizes.sum()))


def read_strings(storage: Storage, ranges: Ranges, row: int) -> np.ndarray[Any, Any]:
    """Reads and checks a tensor of strings."""
    columns = ranges.columns
    reader = storage.reader(int(columns.shards[row]))
    offset, size_bytes = int(columns.offsets[row]), int(columns.sizes[row])
    where = f"tensor {ranges.names[row]!r} in {reader.path!r} at byte {offset}"
    reader.check(offset, size_bytes, where)
    buffer = bytearray(size_bytes)
    if buffer:
        reader.read([buffer], size_bytes, offset)
    return strings.decode(buffer, columns.shapes[row], unmask(int(columns.crcs[row])), where)
