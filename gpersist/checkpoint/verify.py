"""Is a checkpoint whole? Every byte is read and held against the index's checksums."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from gpersist.bundle import index_path, strings
from gpersist.checkpoint.plan import EMPTY_CRC
from gpersist.checkpoint.storage import Row, Storage
from gpersist.errors import DataLossError
from gpersist.staging import UNCHECKED, Incoming, check


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
    """Checks a checkpoint.

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
    with Storage(prefix) as storage:
        rows = storage.rows()
        order, layout, readers = storage.layout(rows)
        for row in rows:
            if not row.entry.size_bytes and not row.entry.dtype.is_string and row.entry.crc not in (0, EMPTY_CRC):
                raise DataLossError(
                    f"tensor {row.name!r} in {index_path(prefix)!r} has no bytes, but a crc32c of 0x{row.entry.crc:08x}; the index is damaged"
                )
        if contents:
            ordered = [rows[number] for number in order]
            crcs = [UNCHECKED if row.entry.dtype.is_string else row.entry.crc for row in ordered]
            check(Incoming([row.name for row in ordered], [], [], layout, crcs), readers, threads=threads, on_progress=on_progress)
            for row in ordered:
                if row.entry.dtype.is_string:
                    read_strings(storage, row)
        return Verified(prefix, len(storage.index), sum(row.entry.size_bytes for row in rows))


def read_strings(storage: Storage, row: Row) -> object:
    """Reads and checks a tensor of strings."""
    entry = row.entry
    reader = storage.reader(entry.shard)
    where = f"tensor {row.name!r} in {reader.path!r} at byte {entry.offset}"
    reader.check(entry.offset, entry.size_bytes, where)
    buffer = bytearray(entry.size_bytes)
    if buffer:
        reader.read([buffer], len(buffer), entry.offset)
    return strings.decode(buffer, entry.shape, entry.crc, where)
