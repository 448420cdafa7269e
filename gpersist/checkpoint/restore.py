"""Restore: a checkpoint to arrays, on the devices where they belong.

The way of the data, from top to bottom:

    locate -> Storage (index) -> targets, or placement and new arrays (all faults in one error) -> layout -> receive (staging)

Nothing is transferred before everything that can be known to be wrong has been told.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import Index, Ranges, nearest
from gpersist.checkpoint.locate import at
from gpersist.checkpoint.placement import Placement, place
from gpersist.checkpoint.placement_plan import PlacementPlan, TensorSpec
from gpersist.checkpoint.source import are_ready, host_buffer, is_ready
from gpersist.checkpoint.storage import Storage, reread, telling_stand_ins
from gpersist.checkpoint.tree import fixed_leaves, flatten, replace_leaves, unflatten
from gpersist.checkpoint.v1 import V1Index, V1Storage, is_v1
from gpersist.checkpoint.verify import read_strings
from gpersist.devices import Array, Device, adopt, device_of
from gpersist.devices import devices as all_devices
from gpersist.devices import get as get_device
from gpersist.dtypes import STRING, DType, from_numpy
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError, MismatchError
from gpersist.shapes import Shape
from gpersist.staging import DEFAULT_RING_BYTES, UNCHECKED, Incoming, Layout, Reader, receive

_log = logging.getLogger("gpersist")
_MAX_TOLD = 10
_HOST = "/device:CPU:0"
_NUMBERS = (bool, int, float, complex, np.number, np.bool_)
"""Leaves that nobody can write to: new ones take their places."""


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
    """Restores a checkpoint, every tensor checked against its checksum. Where it is saved again meanwhile, what is read is of one save, old or new.

    Args:
        prefix: of the checkpoint; any of its files, or its folder, will do.
        names: of the tensors wanted; default: all, or those of `into` or `like`, which must have a leaf for each.
        placement: where new arrays go: `"recorded"` (as the NodeDefs of `.meta` say; where such a device is not there, the next best, with one
            warning), `"strict"` (an error instead), `"host"`, a device, a policy (`"balanced"`: the largest first, a variable with its slots, each to
            the GPU with the fewest bytes so far; `"sequential"`: by names, the first GPU until it is full, then the next; `"single"`: all to the
            first GPU), a dict to any of these from name patterns or recorded devices (`{"emb*": "host", "/gpu:3": "/gpu:0", "*": "balanced"}`), or a
            function of name, shape, dtype and recorded device. None, of a function or in a dict, is for as recorded.
        clear_devices: forget what is recorded.
        into: a tree of arrays to restore into, wherever they live; their shapes and dtypes must be the checkpoint's. No second copy is made, so
            that where a file turns out to be damaged they may hold a part of it. A number in a dict or list is replaced there.
        like: a tree whose structure, and whose leaves' names, the result takes.
        partial: of `names`, `into` or `like`, pass over what the checkpoint lacks or has in another shape or dtype, with one warning; such leaves
            stay as they are.
        ring_bytes: pinned host memory to use at most.
        threads: that read, check and copy; default: the processors, at most 8.
        on_progress: called with the bytes of tensors in each piece that has arrived, from any thread.

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
    wanted = _wanted(names, leaves if tree is not None else None)

    def once(found: str) -> dict[str, Array]:
        with open_storage(found) as storage:
            there = wanted if wanted is None or all(map(storage.index.__contains__, wanted)) else [name for name in wanted if name in storage.index]
            ranges = storage.ranges(there)
            mismatches = [] if there is wanted else _missing(storage.index, wanted or [])
            targets: dict[str, Array] = {}
            if tree is not None:
                targets, wrong = _targets(ranges.tensors, leaves, check_only=into is None)
                mismatches += wrong
                if into is not None:
                    fixed = fixed_leaves(into, _numbers(targets, leaves))
                    mismatches += [
                        (name, f"{name!r}: a number in a {kind} cannot be restored into; make it an array") for name, kind in fixed.items()
                    ]
            if mismatches:
                _tell(storage.prefix, mismatches, partial)
                skipped = {name for name, _ in mismatches}
                ranges = storage.ranges([name for name in ranges.tensors if name not in skipped])
                targets = {name: target for name, target in targets.items() if name not in skipped}
            reads = plan_reads(storage, ranges)
            if into is None:
                devices = plan_placement(storage, ranges, placement, clear_devices=clear_devices).devices
                targets = allocate(ranges.tensors, devices)
            transfer(storage, reads, targets, into is not None, ring_bytes, threads, on_progress)
        return targets

    targets = reread(lambda: at(prefix, once))
    if into is not None:
        if numbers := _numbers(targets, leaves):
            replace_leaves(into, {name: targets[name][()] if isinstance(leaves[name], np.generic) else targets[name].item() for name in numbers})
        return into
    return unflatten(like, leaves | targets) if like is not None else targets


def plan_placement(storage: Storage | V1Storage, ranges: Ranges, placement: Placement, *, clear_devices: bool = False) -> PlacementPlan:
    """Decides where tensors of a checkpoint go, without touching a device; logs the plan (logger `gpersist`, level DEBUG).

    Raises:
        DeviceNotFoundError, DeviceMemoryError, InvalidArgumentError: see `place` and `PlacementPlan.check_memory`.
    """
    recorded: dict[str, str] = {}
    available = all_devices()
    if not clear_devices and placement != "host":
        try:
            recorded = storage.recorded_devices(only_host=placement == "recorded" and all(device.is_host for device in available))
        except DataLossError as error:
            if placement == "strict":
                raise
            _log.warning("%s; the devices recorded there are not known, and tensors go to the default device", error.message)
    if ranges.parts:
        specs = [TensorSpec(name, shape, dtype, math.prod(shape) * dtype.size_bytes) for name, (dtype, shape) in ranges.tensors.items()]
    else:
        specs = list(map(TensorSpec, ranges.names, ranges.columns.shapes, ranges.columns.dtypes, ranges.columns.sizes.tolist()))
    if recorded:
        specs = [spec._replace(recorded=recorded.get(spec.name, "")) for spec in specs]
    plan = place(specs, placement, clear_devices=clear_devices, available=available)
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("restoring %r\n%s", storage.prefix, plan.report())
    plan.check_memory()
    return plan


def open_storage(prefix: str) -> Storage | V1Storage:
    """Opens a checkpoint of either format."""
    return V1Storage(prefix) if is_v1(prefix) else Storage(prefix)


def load_tensor(storage: Storage | V1Storage, name: str) -> np.ndarray[Any, Any]:
    """One tensor of an open checkpoint, as a new NumPy array, checked.

    Raises:
        TensorNotFoundError: there is none.
        DataLossError: damaged.
    """
    reads = plan_reads(storage, storage.ranges([name]))
    targets = allocate(reads.ranges.tensors, [get_device(_HOST)])
    transfer(storage, reads, targets, False, DEFAULT_RING_BYTES, None, None)
    return np.asarray(targets[name])


def _wanted(names: Iterable[str] | None, leaves: Mapping[str, Any] | None) -> list[str] | None:
    if isinstance(names, str):
        names = [names]
    if names is None:
        return None if leaves is None else list(leaves)
    wanted = list(dict.fromkeys(names))
    if leaves is not None:
        strangers = [name for name in wanted if name not in leaves]
        if strangers:
            raise InvalidArgumentError(f"names has {strangers[0]!r}, for which into= or like= has no leaf{nearest(strangers[0], leaves)}")
    return wanted


def _missing(index: Index | V1Index, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """(name, what is wrong) of each tensor wanted that is not there."""
    missing = [name for name in wanted if name not in index]
    hints = {name: nearest(name, index) for name in missing[:_MAX_TOLD]}
    return [(name, f"{name!r}: not in the checkpoint{hints.get(name, '')}") for name in missing]


def _targets(
    tensors: Mapping[str, tuple[DType, Shape]], leaves: Mapping[str, Any], *, check_only: bool
) -> tuple[dict[str, Array], list[tuple[str, str]]]:
    """The caller's arrays to restore into; and (name, what is wrong) of those that do not fit."""
    targets: dict[str, Array] = {name: leaves[name] for name in tensors}
    if all(map(_fits, targets.values(), tensors.values())):  # the usual case, quickly
        return targets, []
    wrong: list[tuple[str, str]] = []
    for name, (dtype, shape) in tensors.items():
        leaf = leaves[name]
        if check_only and not hasattr(leaf, "shape"):
            continue  # a placeholder such as None: it names a leaf, and says nothing of it
        if not check_only and not isinstance(leaf, _NUMBERS) and (not hasattr(leaf, "shape") or np.isscalar(leaf)):
            wrong.append((name, f"{name!r}: a value of type {type(leaf).__name__} cannot be restored into; give an array, or use like="))
            continue
        try:
            array = targets[name] = np.array(adopt(leaf)) if isinstance(leaf, _NUMBERS) else adopt(leaf)
            asked = from_numpy(array.dtype)
        except GPersistError as error:
            wrong.append((name, f"{name!r}: {error.message}"))
            continue
        if tuple(array.shape) != shape:
            wrong.append((name, f"{name!r}: shape {list(shape)} in the checkpoint, {list(array.shape)} asked for"))
        elif asked is not dtype:
            wrong.append((name, f"{name!r}: dtype {dtype.name} in the checkpoint, {array.dtype} asked for"))
        elif not check_only and asked is STRING and array.dtype != object:
            wrong.append((name, f"{name!r}: strings are restored into an array of dtype object, {array.dtype} would cut them"))
        elif not check_only and isinstance(array, np.ndarray) and not array.flags.writeable:
            wrong.append((name, f"{name!r}: the array to restore into is read-only"))
    return targets, wrong


def _numbers(targets: Iterable[str], leaves: Mapping[str, Any]) -> list[str]:
    return [name for name in targets if isinstance(leaves[name], _NUMBERS)]


def _fits(array: Any, tensor: tuple[DType, Shape]) -> bool:
    dtype, shape = tensor  # NumPy's dtypes compare None as float64
    return type(array) is np.ndarray and array.shape == shape and dtype.numpy is not None and array.dtype == dtype.numpy and array.flags.writeable


def _tell(prefix: str, mismatches: list[tuple[str, str]], partial: bool) -> None:
    more = len(mismatches) - _MAX_TOLD
    lines = "".join(f"\n  {text}" for _, text in mismatches[:_MAX_TOLD]) + (f"\n  and {more} more" if more > 0 else "")
    if not partial:
        raise MismatchError(
            f"{prefix!r} does not hold what is asked for, in {len(mismatches)} case{'s' * (len(mismatches) != 1)}:{lines}\n"
            "load(..., partial=True) passes over them"
        )
    _log.warning("%r: passed over %d tensors:%s", prefix, len(mismatches), lines)


def allocate(tensors: Mapping[str, tuple[DType, Shape]], devices: Sequence[Device]) -> dict[str, Array]:
    """New arrays; strings get None, for theirs are made when they are read."""
    targets: dict[str, Array] = {}
    for (name, (dtype, shape)), device in zip(tensors.items(), devices, strict=True):
        if dtype.is_string:
            targets[name] = None
        elif dtype.numpy is None:
            raise InvalidArgumentError(f"tensor {name!r} is of dtype {dtype.name}, which no array can hold; leave it out with names=")
        else:
            targets[name] = device.empty(shape, dtype.numpy)
    return targets


@dataclasses.dataclass(frozen=True, eq=False)
class Reads:
    """What is read, held against the files: they are there, and have all that the index says.

    Attributes:
        ranges: rows of tensors, or of their parts.
        rows: those with bytes, but for strings, in the order of the files.
        layout: of `rows`.
        readers: the layout's files.
        strings: rows of strings.
    """

    ranges: Ranges
    rows: list[int]
    layout: Layout
    readers: Sequence[Reader]
    strings: list[int]


def plan_reads(storage: Storage | V1Storage, ranges: Ranges) -> Reads:
    """Finds what to read, before anything is allocated.

    Raises:
        DataLossError: a file is too short, or ranges overlap.
        CheckpointNotFoundError: a data file is missing.
    """
    strings = [row for row, dtype in enumerate(ranges.columns.dtypes) if dtype is STRING]
    which = np.setdiff1d(np.arange(len(ranges.names)), strings) if strings else None
    return Reads(ranges, *storage.layout(ranges, which), strings)


@dataclasses.dataclass(eq=False)
class _Temporary:
    """Memory of a device that stands in for a target there whose elements do not lie together."""

    device: Device
    view: Array
    array: Array


def transfer(
    storage: Storage | V1Storage,
    reads: Reads,
    targets: dict[str, Array],
    is_callers: bool,
    ring_bytes: int,
    threads: int | None,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Reads all tensors into their targets."""
    ranges, rows = reads.ranges, reads.rows
    here = get_device(_HOST)
    buffers: list[Array] = [targets[ranges.names[row]] for row in rows]
    devices = [here] * len(rows)
    temporaries: list[_Temporary] = []
    for number, row in enumerate(rows if ranges.parts or not are_ready(buffers) else ()):
        target = buffers[number]
        dtype = ranges.columns.dtypes[row].numpy
        assert dtype is not None
        if type(target) is np.ndarray and row not in ranges.parts and is_ready(target, dtype):
            continue
        device = devices[number] = device_of(target)
        if row in ranges.parts:
            target = target[(*ranges.parts[row].region(ranges.tensors[ranges.names[row]][1]), ...)]
        if device.is_host:
            target = host_buffer(target, dtype)
        elif not target.flags.c_contiguous:
            temporaries.append(_Temporary(device, target, device.empty(tuple(target.shape), dtype)))
            target = temporaries[-1].array
        buffers[number] = target
    crcs = ranges.columns.crcs[rows].tolist() if storage.is_checked and rows else [UNCHECKED] * len(rows)
    incoming = Incoming(
        [ranges.names[row] for row in rows], buffers, devices, reads.layout, crcs,
        {device: device.record_current() for device in set(devices) if not device.is_host},
    )  # fmt: skip
    with telling_stand_ins(reads.readers):
        receive(incoming, reads.readers, ring_bytes=ring_bytes, threads=threads, on_progress=on_progress)
    _copy(temporaries)
    for row in reads.strings:
        name = ranges.names[row]
        array = storage.strings(name) if isinstance(storage, V1Storage) else read_strings(storage, ranges, row)
        if on_progress:
            on_progress(int(ranges.columns.sizes[row]))
        if not is_callers and row not in ranges.parts:
            targets[name] = array
            continue
        shape = ranges.tensors[name][1]
        if targets[name] is None:
            targets[name] = np.empty(shape, object)
        targets[name][(*ranges.parts[row].region(shape), ...) if row in ranges.parts else ...] = array


def _copy(temporaries: Sequence[_Temporary]) -> None:
    """Moves what was read to where it belongs on its device, and waits."""
    for device in {temporary.device for temporary in temporaries}:
        stream = device.stream()
        try:
            stream.wait(device.record_current())
            for temporary in temporaries:
                if temporary.device is device:
                    stream.copy_array(temporary.view, temporary.array)
            stream.record().synchronize()
        finally:
            stream.close()
