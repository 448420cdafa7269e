"""From one format to another: checkpoints of TensorFlow, V2 and V1, safetensors, npz.

open -> names, devices, what the format can't hold: all faults here -> written block by block -> renamed into its place
"""

from __future__ import annotations

import dataclasses
import fnmatch
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from gpersist import files
from gpersist.bundle import check_prefix, describe, sibling_prefix
from gpersist.checkpoint import is_v1_file
from gpersist.convert.casting import cast
from gpersist.convert.checkpoints import CheckpointFile, changed_meta, new_meta, write_v1, write_v2
from gpersist.convert.npz import NpzFile, write_npz
from gpersist.convert.renaming import rename as renamed_by
from gpersist.convert.safetensors import SafetensorsFile, write_safetensors
from gpersist.convert.tensors import Tensor, TensorFile
from gpersist.devices import Device, DeviceSpec
from gpersist.errors import DataLossError, InvalidArgumentError

_LOG = logging.getLogger("gpersist")

FORMATS: Final = ("v1", "v2", "safetensors", "npz")

_SUFFIXES = {".safetensors": "safetensors", ".npz": "npz"}
_FOREIGN = (".h5", ".hdf5", ".keras", ".onnx", ".pt", ".pth", ".safetensor")  # which nobody means as a prefix
_HEAD_BYTES = 512

Devices = str | DeviceSpec | Device | Mapping[str, str | DeviceSpec | Device]


@dataclasses.dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did.

    Attributes:
        source, target: the file or prefix read, and that written.
        source_format, format: of each.
        num_tensors, total_bytes: written.
        renamed: new names by old ones, of those that changed.
        cast: new types by new names, of those that changed.
        left_out: tensors that were not written.
        damaged: what is wrong with those of them that are not whole, by name.
        duration_s: how long it took.
    """

    source: str
    target: str
    source_format: str
    format: str
    num_tensors: int
    total_bytes: int
    renamed: Mapping[str, str]
    cast: Mapping[str, str]
    left_out: tuple[str, ...]
    damaged: Mapping[str, str]
    duration_s: float


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    to: str | None = None,
    rename: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    clear_devices: bool = False,
    devices: Devices | None = None,
    dtypes: str | Mapping[str, str] = {},  # nobody writes to it
    lossy: bool = False,
    skip_damaged: bool = False,
    durable: bool = True,
    on_progress: Callable[[int], None] | None = None,
) -> Converted:
    """Writes the tensors of a checkpoint, a safetensors file or an npz file to another one, of any of these formats.

    Bytes go from file to file in blocks; what is read is checked, where its format has checksums. A tensor is in memory as a whole only where it is
    of strings, in a V1 checkpoint, or in Fortran's order in an npz file.

    Args:
        source: a checkpoint's prefix, any of its files, or its folder; or a file.
        target: a prefix, or a file; what is there is replaced when the new one is whole.
        to: "v1", "v2", "safetensors" or "npz"; by default what the target's name says: a V2 checkpoint unless it ends in `.safetensors` or `.npz`.
        rename: regular expressions, and what takes the place of their matches, one after the other; a tensor whose name becomes empty is left out.
        clear_devices: whether recorded devices are forgotten.
        devices: devices to record instead of those that are: one for all, or a dict of name patterns and devices, the first that matches counts.
        dtypes: types to cast to: one for all tensors of its kind (floating, integer, complex), or a dict of name patterns, each for those of that
            kind, and of names, each for that one tensor; the first that matches counts. The graph, which has the old types, is left out.
        lossy: cast also where values may be rounded, or overflow.
        skip_damaged: of a checkpoint: read it twice, and leave out the tensors that are damaged, and with any of them the graph.
        durable: wait for the disk.
        on_progress: called with the bytes of each piece that is written, from any thread.

    Raises:
        CheckpointNotFoundError, NotACheckpointError: there is nothing to read.
        InvalidArgumentError: an argument makes no sense, several tensors would have one name, or none is left.
        UnimplementedError: the format cannot hold some tensors. Nothing is written until here.
        DataLossError: the source is damaged, with `skip_damaged` all of it; what stood under the target's name stands.
        GPersistError: the file system failed; likewise.
    """
    started = time.perf_counter()
    path = check_prefix(target)
    suffix = os.path.splitext(path)[1]
    if not to and suffix in _FOREIGN:
        raise InvalidArgumentError(
            f"{path!r}: gpersist writes no {suffix} files; expected .safetensors, .npz, or a checkpoint's prefix (to='v2' makes it one all the same)"
        )
    to = to or _SUFFIXES.get(suffix, "v2")
    if to not in FORMATS:
        raise InvalidArgumentError(f"to is {to!r}; expected one of {', '.join(FORMATS)}")
    if to in ("v1", "v2"):
        path = sibling_prefix(path)
    if clear_devices and devices is not None:
        raise InvalidArgumentError("give convert either clear_devices=True or devices=, not both")
    patterns = _patterns(devices)
    with _open(source, skip_damaged) as file:
        tensors = file.tensors
        damaged = file.damaged if isinstance(file, CheckpointFile) else {}
        if damaged and not tensors:
            raise DataLossError(f"none of the {len(damaged)} tensors of {file.path!r} is whole: {next(iter(damaged.values()))}")
        names = renamed_by([tensor.name for tensor in tensors], rename)
        if tensors and not names:
            raise InvalidArgumentError(f"the renamings leave out all {len(tensors)} tensors of {file.path!r}")
        for what, keys in (("devices", patterns), ("dtypes", () if isinstance(dtypes, str) else dtypes)):
            for pattern in keys:
                if names and not fnmatch.filter(names.values(), pattern):
                    _LOG.warning("%s: no tensor of %r is called %r: keys are names of tensors, or patterns of them", what, file.path, pattern)
        moved = {name: device for name, new in names.items() if (device := _device(new, patterns)) is not None}
        chosen = [
            dataclasses.replace(tensor, name=names[tensor.name], device="" if clear_devices else moved.get(tensor.name, tensor.device))
            for tensor in tensors
            if tensor.name in names
        ]
        before = [tensor.dtype for tensor in chosen]
        chosen = cast(chosen, dtypes, is_lossy=lossy)
        changed = {tensor.name: tensor.dtype.name for tensor, dtype in zip(chosen, before, strict=True) if tensor.dtype is not dtype}
        is_same = len(chosen) == len(tensors) and not changed and all(old == new for old, new in names.items())
        _write(file, path, to, chosen, is_same, moved, clear_devices, durable, on_progress)
        return Converted(
            source=file.path,
            target=path,
            source_format=file.format,
            format=to,
            num_tensors=len(chosen),
            total_bytes=sum(tensor.size_bytes for tensor in chosen),
            renamed={old: new for old, new in names.items() if old != new},
            cast=changed,
            left_out=(*damaged, *(tensor.name for tensor in tensors if tensor.name not in names)),
            damaged=damaged,
            duration_s=time.perf_counter() - started,
        )


def source_bytes(source: str | os.PathLike[str]) -> int:
    """Bytes of all tensors of a file, as `convert` reads it."""
    with _open(source) as file:
        return file.total_bytes if isinstance(file, CheckpointFile) else sum(tensor.size_bytes for tensor in file.tensors)


def _write(
    file: TensorFile,
    path: str,
    to: str,
    tensors: Sequence[Tensor],
    is_same: bool,
    moved: Mapping[str, str],
    clear_devices: bool,
    durable: bool,
    on_progress: Callable[[int], None] | None,
) -> None:
    if to == "safetensors":
        write_safetensors(path, tensors, file.metadata, in_order=file.in_order, durable=durable, on_progress=on_progress)
        return
    if to == "npz":
        write_npz(path, tensors, durable=durable, on_progress=on_progress)
        return
    meta = None
    if isinstance(file, CheckpointFile) and is_same:
        meta = changed_meta(file, to, clear_devices=clear_devices, devices=moved)
    if meta is None:
        meta = new_meta(tensors)
    if to == "v1":
        write_v1(path, tensors, meta, durable=durable, on_progress=on_progress)
    else:
        write_v2(path, tensors, meta, in_order=file.in_order, durable=durable, on_progress=on_progress)


def _open(source: str | os.PathLike[str], skip_damaged: bool = False) -> TensorFile:
    if source is None:
        raise InvalidArgumentError("the source is None; expected a checkpoint's prefix, or a file")
    path = os.fsdecode(source)
    system = files.active()
    if not system.is_file(path):
        return CheckpointFile(path, skip_damaged=skip_damaged)
    kind = _SUFFIXES.get(os.path.splitext(path)[1])
    if kind is None and not is_v1_file(path):
        fd = system.open_read(path)
        try:
            size = system.size(fd, path)
            head = bytearray(min(size, _HEAD_BYTES))
            if head:
                system.preadv(fd, [head], len(head), 0, path)
        finally:
            system.close(fd)
        words = describe(bytes(head), size) or ""
        kind = "safetensors" if "safetensors" in words else "npz" if ".npz" in words else None
    if kind is None:
        return CheckpointFile(path, skip_damaged=skip_damaged)
    if skip_damaged:
        raise InvalidArgumentError(
            f"{path!r} is a {kind} file, which has no checksum for each tensor: damaged ones can be left out of checkpoints only"
        )
    return SafetensorsFile(path) if kind == "safetensors" else NpzFile(path)


def _patterns(devices: Devices | None) -> dict[str, str]:
    if devices is None:
        return {}
    found = {}
    for pattern, device in (devices if isinstance(devices, Mapping) else {"*": devices}).items():
        if isinstance(device, str):
            device = DeviceSpec.from_string(device)
        elif not isinstance(device, DeviceSpec | Device):
            raise InvalidArgumentError(f"devices has {device!r} for {pattern!r}; expected a device string, a DeviceSpec or a Device")
        found[pattern] = device.name if isinstance(device, Device) else str(device)
    return found


def _device(name: str, patterns: Mapping[str, str]) -> str | None:
    return next((device for pattern, device in patterns.items() if fnmatch.fnmatchcase(name, pattern)), None)
