"""Chosen tensors, and parts of them, each to the device where its caller wants it: what a Saver, and the operation RestoreV2, ask a checkpoint for.

Nothing is transferred before everything that can be known to be wrong has been told, in one error. Whole tensors, and parts that are stored just so,
are streamed to their devices, every byte checked; a part that has to be put together, or cut out, passes through host memory.
"""

from __future__ import annotations

import functools
import logging
import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.bundle import Entry, EntryColumns, Ranges, TensorSlice, nearest, parse_shape_and_slice
from gpersist.checkpoint.placement import place
from gpersist.checkpoint.placement_plan import TensorSpec
from gpersist.checkpoint.reader import read_part
from gpersist.checkpoint.restore import allocate, open_storage, plan_reads, transfer
from gpersist.checkpoint.storage import Storage, reread
from gpersist.checkpoint.v1 import V1Storage
from gpersist.devices import Array, Device, array_bytes
from gpersist.devices import devices as all_devices
from gpersist.dtypes import DType
from gpersist.errors import GPersistError, InvalidArgumentError, NotFoundError
from gpersist.shapes import Shape
from gpersist.staging import DEFAULT_RING_BYTES

_log = logging.getLogger("gpersist")
_MAX_TOLD = 10


class Wanted(NamedTuple):
    """A tensor, or a part of one, that is asked for.

    Attributes:
        name: in the checkpoint.
        dtype: that it has to be of.
        device: where it goes.
        part: which part of what it is, as `"10 2 0,5:0,2"`; empty for a whole tensor.
        shape: that what is read has to have; None where any will do, and for dimensions of any size.
        elements: how many elements it has to have, where it will be reshaped.
    """

    name: str
    dtype: DType
    device: Device
    part: str = ""
    shape: tuple[int | None, ...] | None = None
    elements: int | None = None


def fetch(prefix: str, wanted: Sequence[Wanted], *, partial: bool = False) -> list[Array | None]:
    """Reads chosen tensors into new arrays.

    Args:
        prefix: of the checkpoint, V2 or V1.
        wanted: what is asked for; one tensor may be asked for more than once.
        partial: give None for what the checkpoint lacks or has in another shape or dtype, with one warning.

    Returns:
        An array on its device for each of `wanted`.

    Raises:
        NotFoundError: the checkpoint lacks some of it; the message has all that is wrong.
        InvalidArgumentError: it has all of it, some in another shape or dtype; likewise.
        DeviceMemoryError: a device has no room.
        DataLossError: a file is damaged.
    """
    return reread(functools.partial(_fetch, prefix, wanted, partial))


def _fetch(prefix: str, wanted: Sequence[Wanted], partial: bool) -> list[Array | None]:
    with open_storage(prefix) as storage:
        faults = _Faults(storage, wanted)
        if faults.texts:
            faults.tell(partial)
        wholes = {want.name for want in wanted if not want.part}
        direct: dict[str, Wanted] = {}
        rows: dict[str, Entry] = {}
        sources: list[str | Array | None] = []  # the key of what is streamed, or what was read by way of the host
        for number, want in enumerate(wanted):
            sources.append(None)
            if number in faults.texts:
                continue
            entry = storage.index.entry(want.name) if want.part else None
            part = parse_shape_and_slice(want.part)[1] if want.part else None
            exact = _stored_part(storage, want.name, entry, part) if entry and part and want.name not in wholes else None
            key = want.name if part is None else f"{want.name} {exact[0]}" if exact else ""
            if key and direct.setdefault(key, want).device is want.device and (exact is None or key not in storage.index):
                sources[number] = key
                if exact:
                    rows[key] = exact[1]
            else:
                entry = entry or storage.index.entry(want.name)
                sources[number] = _on_device(read_part(storage, want.name, entry, part or TensorSlice.full(len(entry.shape))), want.device)
        arrays = _read_direct(storage, direct, rows)
        seen: set[str] = set()
        found: list[Array | None] = []
        for source in sources:
            if isinstance(source, str):
                found.append(arrays[source].copy() if source in seen else arrays[source])
                seen.add(source)
            else:
                found.append(source)
        return found


def _read_direct(storage: Storage | V1Storage, direct: Mapping[str, Wanted], parts: Mapping[str, Entry]) -> dict[str, Array]:
    """Streams whole tensors, and parts that are rows of the index, to their devices; by key."""
    ranges = storage.ranges([key for key in direct if key not in parts])
    if parts:
        columns = _joined(ranges.columns, EntryColumns.of(list(parts.values())))
        tensors = ranges.tensors | {key: (entry.dtype, entry.shape) for key, entry in parts.items()}
        ranges = Ranges(ranges.names + list(parts), tensors, ranges.parts, columns)
    reads = plan_reads(storage, ranges)
    specs = [TensorSpec(name, shape, dtype, math.prod(shape) * dtype.size_bytes) for name, (dtype, shape) in ranges.tensors.items()]
    available = dict.fromkeys([*all_devices(), *(want.device for want in direct.values())])
    plan = place(specs, lambda name, *_: direct[name].device, clear_devices=True, available=list(available))
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("restoring %r\n%s", storage.prefix, plan.report())
    plan.check_memory()
    targets = allocate(ranges.tensors, plan.devices)
    transfer(storage, reads, targets, False, DEFAULT_RING_BYTES, None, None)
    return targets


def _joined(one: EntryColumns, other: EntryColumns) -> EntryColumns:
    arrays = [np.concatenate([getattr(columns, name) for columns in (one, other)]) for name in ("shards", "offsets", "sizes", "crcs")]
    return EntryColumns([*one.dtypes, *other.dtypes], [*one.shapes, *other.shapes], *arrays)


def _stored_part(storage: Storage | V1Storage, name: str, entry: Entry, part: TensorSlice) -> tuple[TensorSlice, Entry] | None:
    """A slice, if it is stored just so, and its entry."""
    if isinstance(storage, V1Storage):
        return None
    box = part.bounds(entry.shape)
    stored = next((found for found in entry.slices if found.bounds(entry.shape) == box), None)
    return None if stored is None else (stored, storage.index.slice_entry(name, stored))


def _on_device(array: np.ndarray[Any, Any], device: Device) -> Array:
    """An array of the host as one of a device."""
    if device.is_host or array.dtype == object:
        return array
    target = device.empty(array.shape, array.dtype)
    if not array.nbytes:
        return target
    stream, pinned = device.stream(), device.pinned(array.nbytes)
    try:
        pinned.array[: array.nbytes] = array_bytes(np.ascontiguousarray(array))
        stream.wait(device.record_current())
        stream.copy_to_device(target, 0, pinned, 0, array.nbytes)
        stream.record().synchronize()
    finally:
        stream.close()
        pinned.close()
    return target


class _Faults:
    """What a checkpoint has not, or has otherwise than asked for."""

    def __init__(self, storage: Storage | V1Storage, wanted: Sequence[Wanted]) -> None:
        self._storage = storage
        self._count = len(wanted)
        self.texts: dict[int, str] = {}
        self._error: type[GPersistError] = InvalidArgumentError
        there = [want.name for want in wanted if want.name in storage.index]
        tensors = storage.ranges(list(dict.fromkeys(there)), whole=False).tensors
        for number, want in enumerate(wanted):
            stored = tensors.get(want.name)
            if stored is None:
                self._error = NotFoundError
                near = nearest(want.name, storage.index) if len(self.texts) < _MAX_TOLD else ""
                self.texts[number] = f"Key {want.name} not found in checkpoint{near}"
            elif stored[0] is not want.dtype or want.part or want.shape != stored[1]:
                text = _misfit(want, *stored)
                if text:
                    self.texts[number] = text

    def tell(self, partial: bool) -> None:
        """Raises them, all in one error; or warns of them."""
        texts = list(dict.fromkeys(self.texts.values()))
        more = len(texts) - _MAX_TOLD
        lines = "".join(f"\n  {text}" for text in texts[:_MAX_TOLD]) + (f"\n  and {more} more" if more > 0 else "")
        if partial:
            _log.warning("%r: passed over %d of %d tensors:%s", self._storage.prefix, len(self.texts), self._count, lines)
            return
        raise self._error(f"{self._storage.prefix!r} does not hold what is asked for, {len(self.texts)} of {self._count} tensors:{lines}")


def _misfit(want: Wanted, dtype: DType, shape: Shape) -> str:
    """What is wrong with a tensor that is there, in TensorFlow's words; empty if it fits."""
    if dtype is not want.dtype:
        return f"tensor_name = {want.name}; expected dtype {_called(want.dtype)} does not equal original dtype {_called(dtype)}"
    if want.part:
        try:
            full, part = parse_shape_and_slice(want.part)
        except InvalidArgumentError as error:
            return f"tensor_name = {want.name}; {error.message}"
        if full != shape:
            return (
                f"tensor_name = {want.name}; shape in shape_and_slice spec {_listed(full)} does not match the shape stored in checkpoint: "
                f"{_listed(shape)}"
            )
        shape = part.shape_in(full)
    if want.elements is not None and math.prod(shape) != want.elements:
        return f"tensor_name = {want.name}; Input to reshape is a tensor with {math.prod(shape)} values, but the requested shape has {want.elements}"
    if want.shape is not None and not (len(want.shape) == len(shape) and all(map(_goes, want.shape, shape))):
        lhs = _listed(["?" if size is None else size for size in want.shape])
        return f"tensor_name = {want.name}; Assign requires shapes of both tensors to match. lhs shape= {lhs} rhs shape= {_listed(shape)}"
    return ""


def _goes(wanted: int | None, found: int) -> bool:
    return wanted is None or operator.eq(wanted, found)


def _called(dtype: DType) -> str:
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


def _listed(sizes: Sequence[int | str]) -> str:
    return f"[{','.join(map(str, sizes))}]"
