"""Is a checkpoint whole? Every byte is read and held against the index's checksums."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.bundle import Ranges, index_path, strings, variants
from gpersist.checkpoint.locate import at
from gpersist.checkpoint.plan import EMPTY_CRC
from gpersist.checkpoint.storage import Int64s, Storage, reread, telling_stand_ins
from gpersist.checkpoint.v1 import V1Storage, is_v1
from gpersist.dtypes import DType, variant
from gpersist.errors import CheckpointNotFoundError, DataLossError, FileError, ResourceExhaustedError
from gpersist.shapes import element_count
from gpersist.staging import UNCHECKED, Incoming, check
from gpersist.table import unmask

DAMAGE = (DataLossError, CheckpointNotFoundError, FileError)
"""What is wrong with a checkpoint that is there; whatever else is raised says that it could not be looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """A checkpoint that is whole: what it holds."""

    prefix: str
    num_tensors: int
    total_bytes: int


def verify(
    prefix: str | os.PathLike[str],
    *,
    contents: bool = True,
    threads: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Verified:
    """Checks a checkpoint: the one that stands now, or one that another save puts in its place meanwhile.

    Args:
        prefix: of the checkpoint; any of its files, or its folder, will do. Of a V1 checkpoint, whose blocks have checksums, all values are read.
        contents: read every byte; without it, only the index is read, and the data files' sizes are held against it.
        threads: see `save`.
        on_progress: called with the bytes of tensors in each piece that was checked, from any thread.

    Raises:
        DataLossError: damaged: the first tensor met that is, with its file and offset.
        CheckpointNotFoundError: a file is missing.
        NotACheckpointError, UnimplementedError: the index is of another kind or version.
    """

    def once(found: str) -> Verified:
        return _verify_v1(found, contents, on_progress) if is_v1(found) else _verify(found, contents, threads, on_progress)

    return reread(lambda: at(prefix, once))


def damaged_tensors(prefix: str | os.PathLike[str], *, contents: bool = True, on_progress: Callable[[int], None] | None = None) -> dict[str, str]:
    """All tensors that are not whole, one after the other, where `verify` ends at the first: what is wrong with each, by name.

    Args:
        prefix: see `verify`.
        contents: see `verify`.
        on_progress: see `verify`.

    Raises:
        DataLossError, NotACheckpointError, UnimplementedError: the index cannot be read, so that no tensor can be.
        CheckpointNotFoundError: there is no checkpoint.
    """

    def once(found: str) -> dict[str, str]:
        return _damaged_v1(found, contents, on_progress) if is_v1(found) else _damaged(found, contents, on_progress)

    return reread(lambda: at(prefix, once))


def _damaged(prefix: str, contents: bool, on_progress: Callable[[int], None] | None) -> dict[str, str]:
    damaged: dict[str, str] = {}
    with Storage(prefix) as storage:
        ranges = storage.ranges(whole=False)
        for row, name in enumerate(ranges.names):
            try:
                _verify_rows(storage, ranges, np.array([row]), contents, 1, on_progress)
            except DAMAGE as error:
                damaged.setdefault(name, error.message)
    return damaged


def _damaged_v1(prefix: str, contents: bool, on_progress: Callable[[int], None] | None) -> dict[str, str]:
    damaged: dict[str, str] = {}
    with V1Storage(prefix) as storage:
        for name in storage.index if contents else ():
            try:
                storage.read(name)
            except DAMAGE as error:
                damaged[name] = error.message
            if on_progress:
                on_progress(storage.index.entry(name).size_bytes)
    return damaged


def _verify(prefix: str, contents: bool, threads: int | None, on_progress: Callable[[int], None] | None) -> Verified:
    with Storage(prefix) as storage:
        ranges = storage.ranges(whole=False)
        _verify_rows(storage, ranges, np.arange(len(ranges.names)), contents, threads, on_progress)
        return Verified(prefix, len(storage.index), int(ranges.columns.sizes.sum()))


def _verify_rows(
    storage: Storage, ranges: Ranges, rows: Int64s, contents: bool, threads: int | None, on_progress: Callable[[int], None] | None
) -> None:
    columns = ranges.columns
    order, layout, readers = storage.layout(ranges, rows)
    for row in rows[(columns.sizes[rows] == 0) & (columns.crcs[rows] != EMPTY_CRC) & (columns.crcs[rows] != 0)].tolist():
        if not columns.dtypes[row].is_string:
            where = f"tensor {ranges.names[row]!r} in {index_path(storage.prefix)!r}"
            raise DataLossError(f"{where} has no bytes, but a crc32c of 0x{columns.crcs[row]:08x}; the index is damaged")
    if contents:
        crcs = [UNCHECKED if _is_framed(columns.dtypes[row]) else int(columns.crcs[row]) for row in order]
        with telling_stand_ins(readers):
            check(Incoming([ranges.names[row] for row in order], [], [], layout, crcs), readers, threads=threads, on_progress=on_progress)
        for row in rows.tolist():
            if _is_framed(columns.dtypes[row]):
                _check_framed(storage, ranges, row)


def _verify_v1(prefix: str, contents: bool, on_progress: Callable[[int], None] | None) -> Verified:
    with V1Storage(prefix) as storage:
        sizes = {name: storage.index.entry(name).size_bytes for name in storage.index}
        for name, size_bytes in sizes.items() if contents else ():
            storage.read(name)
            if on_progress:
                on_progress(size_bytes)
        return Verified(prefix, len(sizes), sum(sizes.values()))


def _is_framed(dtype: DType) -> bool:
    """Whether the crc of a tensor's entry is another than that of its bytes as they stand."""
    return dtype.is_string or dtype is variant


def _check_framed(storage: Storage, ranges: Ranges, row: int) -> None:
    columns = ranges.columns
    if columns.dtypes[row].is_string:
        read_strings(storage, ranges, row)
        return
    buffer, where = _read_whole(storage, ranges, row)
    with telling_stand_ins([storage.reader(int(columns.shards[row]))]):
        variants.check(buffer, element_count(columns.shapes[row], where), unmask(int(columns.crcs[row])), where)


def read_strings(storage: Storage, ranges: Ranges, row: int) -> np.ndarray[Any, Any]:
    """Reads and checks a tensor of strings."""
    buffer, where = _read_whole(storage, ranges, row)
    with telling_stand_ins([storage.reader(int(ranges.columns.shards[row]))]):
        return strings.decode(buffer, ranges.columns.shapes[row], unmask(int(ranges.columns.crcs[row])), where)


def _read_whole(storage: Storage, ranges: Ranges, row: int) -> tuple[bytearray, str]:
    """A tensor's bytes, and where they are."""
    columns = ranges.columns
    reader = storage.reader(int(columns.shards[row]))
    offset, size_bytes = int(columns.offsets[row]), int(columns.sizes[row])
    where = f"tensor {ranges.names[row]!r} in {reader.path!r} at byte {offset}"
    reader.check(offset, size_bytes, where)
    try:
        buffer = bytearray(size_bytes)
    except MemoryError as error:
        raise ResourceExhaustedError(f"{where}: no memory for {size_bytes} bytes") from error
    if buffer:
        reader.read([buffer], size_bytes, offset)
    return buffer, where
