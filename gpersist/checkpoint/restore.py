"""Restore: a checkpoint to arrays, on the devices where they belong. The way of the data, from top to bottom:

    locate -> Storage (index) -> targets, or placement and new arrays (all faults in one error) -> layout -> receive (staging)

Nothing is transferred before everything that can be known to be wrong has been told.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import nearest
from gpersist.checkpoint.locate import locate
from gpersist.checkpoint.placement import Placement, PlacementPlan, TensorSpec, place
from gpersist.checkpoint.source import with_buffer_protocol
from gpersist.checkpoint.storage import Row, Storage
from gpersist.checkpoint.tree import flatten, unflatten
from gpersist.checkpoint.v1 import V1Storage, is_v1
from gpersist.checkpoint.verify import read_strings
from gpersist.devices import Array, Device, Event, adopt, device_of
from gpersist.devices import devices as all_devices
from gpersist.devices import get as get_device
from gpersist.dtypes import DType, from_numpy
from gpersist.errors import DataLossError, InvalidArgumentError, MismatchError
from gpersist.shapes import Shape
from gpersist.staging import DEFAULT_RING_BYTES, UNCHECKED, Incoming, receive

_log = logging.getLogger("gpersist")
_MAX_TOLD = 10


def load(
    prefix: str | os.PathLike[str],
    names: Iterable[str] | None = None,
    *,
    placement: Placement = "recorded",
    clear_devices: bool = False,
    into: Any = None,
    like: Any = None,
    partial: bool = False,
    ring_bytes: int = DEFAULT_RING_BYTES,
    threads: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Any:
    """Restores a checkpoint, every tensor checked against its checksum.

    Args:
        prefix: of the checkpoint; any of its files, or its folder, will do.
        names: of the tensors wanted; default: all, or those of `into` or `like`.
        placement: where new arrays go: `"recorded"` (as the NodeDefs of `.meta` say; where such a device is not there, the next best, with one
            warning), `"strict"` (an error instead), `"host"`, a device, a dict of name patterns to devices, a policy (`"balanced"`, `"sequential"`,
            `"single"`), or a function of name, shape, dtype and recorded device.
        clear_devices: forget what is recorded.
        into: a tree of arrays to restore into, wherever they live; their shapes and dtypes must be the checkpoint's. No second copy is made.
        like: a tree whose structure, and whose leaves' names, the result takes.
        partial: with `into` or `like`, pass over what the checkpoint lacks or has in another shape or dtype, with one warning; such leaves are returned
            as they are.
        ring_bytes: pinned host memory to use at most.
        threads: that read, check and copy; default: the processors, at most 8.
        on_progress: called with the bytes of each piece that has arrived, from any thread.

    Returns:
        `into`; or a tree like `like`; or a dict of arrays by name.

    Raises:
        CheckpointNotFoundError, NotACheckpointError: there is no checkpoint there.
        MismatchError: names, shapes or dtypes differ: all of them, in one error, before anything was written.
        DeviceNotFoundError, DeviceMemoryError: a device is not there, or has no room: all of them, likewise.
        DataLossError: a file is damaged; new arrays are dropped, while `into` may have been written in part.
    """
    if into is not None and like is not None:
        raise InvalidArgumentError("give load either into= or like=, not both")
    tree = into if into is not None else like
    leaves: dict[str, Any] = flatten(tree) if tree is not None else {}
    found = locate(prefix)
    with V1Storage(found) if is_v1(found) else Storage(found) as storage:
        wanted = _wanted(names, leaves if tree is not None else None)
        entries, mismatches = _entries(storage, wanted)
        targets: dict[str, Array] = {}
        if tree is not None:
            targets, wrong = _targets(entries, leaves, check_only=into is None)
            mismatches += wrong
        if mismatches:
            _tell(found, mismatches, partial)
            skipped = {name for name, _ in mismatches}
            entries = {name: entry for name, entry in entries.items() if name not in skipped}
        if into is None:
            devices = plan_placement(storage, entries, placement, clear_devices=clear_devices).devices
            targets = _allocate(entries, devices)
        _transfer(storage, entries, targets, into is not None, ring_bytes, threads, on_progress)
    if into is not None:
        return into
    return unflatten(like, leaves | targets) if like is not None else targets


def plan_placement(
    storage: Storage | V1Storage, entries: Mapping[str, tuple[DType, Shape]], placement: Placement, *, clear_devices: bool = False
) -> PlacementPlan:
    """Decides where tensors of a checkpoint go, without touching a device; logs the plan (logger `gpersist`, level DEBUG).

    Raises:
        DeviceNotFoundError, DeviceMemoryError, InvalidArgumentError: see `place`.
    """
    recorded: dict[str, str] = {}
    if not clear_devices and placement != "host":
        try:
            recorded = storage.recorded_devices()
        except DataLossError as error:
            if placement == "strict":
                raise
            _log.warning("%s; the devices recorded there are not known, and tensors go to the default device", error.message)
    specs = [TensorSpec(name, shape, dtype, dtype.size_bytes * _count(shape), recorded.get(name, "")) for name, (dtype, shape) in entries.items()]
    plan = place(specs, placement, clear_devices=clear_devices, available=all_devices())
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("restoring %r\n%s", storage.prefix, plan.report())
    return plan


def load_row(storage: Storage | V1Storage, name: str) -> np.ndarray[Any, Any]:
    """One tensor of an open checkpoint, as a new NumPy array, checked.

    Raises:
        TensorNotFoundError: there is none.
        DataLossError: damaged.
    """
    entry = storage.index.entry(name)
    entries = {name: (entry.dtype, entry.shape)}
    targets = _allocate(entries, [get_device("/device:CPU:0")])
    _transfer(storage, entries, targets, False, DEFAULT_RING_BYTES, None, None)
    return np.asarray(targets[name])


def _count(shape: Shape) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _wanted(names: Iterable[str] | None, leaves: Mapping[str, Any] | None) -> list[str] | None:
    if isinstance(names, str):
        names = [names]
    if names is None:
        return None if leaves is None else list(leaves)
    wanted = list(dict.fromkeys(names))
    return wanted if leaves is None else [name for name in wanted if name in leaves]


def _entries(storage: Storage | V1Storage, wanted: Sequence[str] | None) -> tuple[dict[str, tuple[DType, Shape]], list[tuple[str, str]]]:
    """Dtype and shape of each tensor wanted that is there; and of each that is not, (name, what is wrong)."""
    index = storage.index
    entries: dict[str, tuple[DType, Shape]] = {}
    missing: list[tuple[str, str]] = []
    for name in index if wanted is None else wanted:
        if name in index:
            entry = index.entry(name)
            entries[name] = entry.dtype, entry.shape
        else:
            missing.append((name, f"{name!r}: not in the checkpoint{nearest(name, index) if len(missing) < _MAX_TOLD else ''}"))
    return entries, missing


def _targets(
    entries: Mapping[str, tuple[DType, Shape]], leaves: Mapping[str, Any], *, check_only: bool
) -> tuple[dict[str, Array], list[tuple[str, str]]]:
    """The caller's arrays to restore into; and (name, what is wrong) of those that do not fit."""
    targets: dict[str, Array] = {}
    wrong: list[tuple[str, str]] = []
    for name, (dtype, shape) in entries.items():
        leaf = leaves[name]
        if check_only and not hasattr(leaf, "shape"):
            continue  # a placeholder such as None: it names a leaf, and says nothing of it
        array = leaf if type(leaf) is np.ndarray else adopt(leaf) if not check_only else leaf
        if tuple(array.shape) != shape:
            wrong.append((name, f"{name!r}: shape {list(shape)} in the checkpoint, {list(array.shape)} asked for"))
        elif array.dtype != dtype.numpy and from_numpy(np.dtype(str(array.dtype)) if check_only else array.dtype) != dtype:
            wrong.append((name, f"{name!r}: dtype {dtype.name} in the checkpoint, {array.dtype} asked for"))
        elif not check_only:
            if isinstance(array, np.ndarray) and not array.flags.writeable:
                wrong.append((name, f"{name!r}: the array to restore into is read-only"))
            elif not isinstance(leaf, type(array)) and np.isscalar(leaf):
                wrong.append((name, f"{name!r}: a Python number cannot be restored into; give an array, or use like="))
            targets[name] = array
    return targets, wrong


def _tell(prefix: str, mismatches: list[tuple[str, str]], partial: bool) -> None:
    more = len(mismatches) - _MAX_TOLD
    lines = "".join(f"\n  {text}" for _, text in mismatches[:_MAX_TOLD]) + (f"\n  and {more} more" if more > 0 else "")
    if not partial:
        raise MismatchError(
            f"{prefix!r} does not hold what is asked for, in {len(mismatches)} cases:{lines}\nload(..., partial=True) passes over them"
        )
    _log.warning("%r: passed over %d tensors:%s", prefix, len(mismatches), lines)


def _allocate(entries: Mapping[str, tuple[DType, Shape]], devices: Sequence[Device]) -> dict[str, Array]:
    """New arrays; strings get none, for they are made when they are read."""
    targets: dict[str, Array] = {}
    for (name, (dtype, shape)), device in zip(entries.items(), devices, strict=True):
        if dtype.is_string:
            targets[name] = None  # keeps the order of names
        elif dtype.numpy is None:
            raise InvalidArgumentError(f"tensor {name!r} is of dtype {dtype.name}, which no array can hold; leave it out with names=")
        else:
            targets[name] = device.empty(shape, dtype.numpy)
    return targets


@dataclasses.dataclass(eq=False)
class _Temporary:
    """Memory that stands in for a target which bytes cannot be read into directly."""

    device: Device
    view: Array
    array: Array


def _transfer(
    storage: Storage | V1Storage,
    entries: Mapping[str, tuple[DType, Shape]],
    targets: dict[str, Array],
    is_callers: bool,
    ring_bytes: int,
    threads: int | None,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Reads all tensors into their targets."""
    rows: list[Row] = storage.rows(list(entries))
    buffers: list[Array] = []
    devices: list[Device] = []
    temporaries: list[_Temporary] = []
    here = get_device("/device:CPU:0")
    for row in rows:
        dtype, shape = entries[row.name]
        if dtype.is_string:
            buffers.append(None)
            devices.append(here)
            continue
        target = targets[row.name]
        device = here if type(target) is np.ndarray else device_of(target)
        if row.part is not None:
            target = target[row.part.region(shape, f"tensor {row.name!r}")]
        if not target.flags.c_contiguous or target.dtype != dtype.numpy:
            temporary = _Temporary(device, target, device.empty(tuple(target.shape), dtype.numpy))  # type: ignore[arg-type]
            temporaries.append(temporary)
            target = temporary.array
        buffers.append(with_buffer_protocol(target, device))
        devices.append(device)
    order, layout, readers = storage.layout(rows)
    order = [number for number in order if buffers[number] is not None] if any(buffer is None for buffer in buffers) else order
    if len(order) != len(layout.sizes):
        numbers = [number for number in range(len(rows)) if buffers[number] is not None]
        order, layout, readers = storage.layout([rows[number] for number in numbers])
        order = [numbers[number] for number in order]
    ready: dict[Device, Event] = {device: device.record_current() for device in set(devices) if not device.is_host}
    receive(
        Incoming(
            [rows[number].name for number in order], [buffers[number] for number in order], [devices[number] for number in order], layout,
            [rows[number].entry.crc if storage.is_checked else UNCHECKED for number in order], ready,
        ),
        readers, ring_bytes=ring_bytes, threads=threads, on_progress=on_progress,
    )  # fmt: skip
    _copy(temporaries)
    for row in rows:
        if entries[row.name][0].is_string:
            array = storage.strings(row) if isinstance(storage, V1Storage) else read_strings(storage, row)
            if is_callers or row.part is not None:
                whole = targets[row.name]
                if whole is None:
                    whole = targets[row.name] = np.empty(entries[row.name][1], object)
                whole[() if row.part is None else row.part.region(entries[row.name][1])] = array
            else:
                targets[row.name] = array


def _copy(temporaries: Sequence[_Temporary]) -> None:
    """Moves what was read to where it belongs, and waits."""
    for device in {temporary.device for temporary in temporaries}:
        stream = device.stream()
        try:
            stream.wait(device.record_current())
            for temporary in temporaries:
                if temporary.device is device:
                    if device.is_host:
                        temporary.view[...] = temporary.array  # swaps bytes too
                    else:
                        stream.copy_array(temporary.view, temporary.array)
            stream.record().synchronize()
        finally:
            stream.close()
