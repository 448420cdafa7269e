"""`gpersist place`: where a restore would put each tensor, and whether it fits there."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import heapq
import json
import logging
import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gpersist import files
from gpersist.checkpoint import CheckpointReader, DeviceLoad, Placement, PlacementPlan, TensorSpec, decode_variables, locate, place
from gpersist.cli.listing import list_checkpoint
from gpersist.cli.output import (
    Column,
    add_json,
    add_tag_set,
    amount,
    counted,
    in_options,
    percent,
    printable,
    write_error,
    write_json,
    write_line,
    write_table,
)
from gpersist.cli.placement_svg import arrivals, draw
from gpersist.devices import Device, MemoryInfo, VirtualDevice, devices
from gpersist.errors import CheckpointNotFoundError, DeviceMemoryError, DeviceNotFoundError, InvalidArgumentError

_MAX_META_BYTES = 2 << 30
"""Protobuf's own limit."""

_MAX_MAP_BYTES = 16 << 20
_MAX_DEVICES = 4096
_LARGEST = 3
_BAR_CELLS = 40

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_GROUP = re.compile(r"(?P<count>\d{1,9})(?:[x×](?P<size>\d{1,9}(?:\.\d{1,9})?)(?P<unit>B|[KMGT]i?B))?", re.ASCII)

_DEVICES = (
    Column("device", style="cyan"),
    Column("kind"),
    Column("tensors", is_number=True),
    Column("size", is_number=True),
    Column("of free", is_number=True),
    Column("of total", is_number=True, is_extra=True),
)
_ARRIVALS = (Column("moved to", style="cyan"), Column("tensors", folds=True), Column("why", folds=True), Column("recorded on", folds=True))
_TENSORS = (
    Column("largest on", style="cyan"),
    Column("tensor", folds=True),
    Column("dtype", is_extra=True),
    Column("shape", folds=True),
    Column("size", is_number=True),
)

_log = logging.getLogger("gpersist")


class _PlannedDevice(VirtualDevice):
    """A GPU that is not here: a name and a memory to plan for."""

    backend = "planned for"


_EXAMPLES = """\
examples:
  gpersist place run/ckpt-100                        on the devices here
  gpersist place run --devices 4x16GiB --svg p.svg   on others, and a drawing
  gpersist place run --devices 2x80GB,2x24GiB --placement balanced
  gpersist place model.meta --placement strict       a graph alone
  gpersist place run --map 'tower_1/*=/gpu:1' --map '*=/gpu:0'
  gpersist place run --map /gpu:2=/gpu:0 --map /gpu:3=/gpu:1
  gpersist place run --map 'emb*=host' --placement balanced
  gpersist place export/1 --tag-set train            a SavedModel's graph"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "place",
        help="where a restore would put each tensor, and whether it fits",
        description="Show the plan of a restore, and touch no device for it; by default, for the devices that are here. A .meta is enough: the "
        "sizes are then those of its graph's variables. Policies: balanced puts the largest first, a variable with its slots, each on the GPU "
        "with the fewest bytes so far; sequential goes by names, the first GPU until it is full, then the next; single takes the first GPU. "
        "Exit status 1: something does not fit, or, with --placement strict, a device is missing.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("path", metavar="PREFIX|META", help="a checkpoint's prefix, any of its files, or its folder; or a .meta alone")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--devices",
        metavar="N×SIZE[,...]",
        type=_planned,
        help="plan for GPUs that are elsewhere: 4x16GiB or 2x80GB,2x24GiB",
    )
    where.add_argument("--virtual", metavar="N[×SIZE]", type=_virtual, help="plan for virtual devices: 4, 4x2GiB")
    parser.add_argument(
        "--placement",
        "--policy",
        metavar="POLICY",
        help="recorded (default), strict, balanced, sequential, single, host; a device; or MAP.json, an object from name patterns, or recorded "
        "devices, to devices and policies",
    )
    parser.add_argument(
        "--map",
        metavar="PATTERN=DEVICE",
        action="append",
        default=[],
        type=_pair,
        help="these tensors there, the others by --placement; PATTERN may be a recorded device: /gpu:1=/gpu:0; may be repeated",
    )
    parser.add_argument("--clear-devices", action="store_true", help="forget the recorded devices")
    add_tag_set(parser)
    parser.add_argument("--svg", metavar="FILE", help="draw the plan")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    placement = _placement(arguments.placement, dict(arguments.map))
    is_strict = arguments.placement == "strict"
    source, tensors = _read(arguments.path, arguments.tag_set, is_strict=is_strict)
    here = devices()
    planned = arguments.devices or arguments.virtual
    available = here if planned is None else [here[0], *planned]
    memory_of = functools.cache(_memory)
    try:
        plan = place(tensors, placement, clear_devices=arguments.clear_devices, available=available, memory_of=memory_of)
    except DeviceNotFoundError as error:
        if not is_strict:
            raise  # what was typed
        write_error("missing", error.message)
        return 1
    plan = dataclasses.replace(plan, loads=_with_idle(plan, available, memory_of))
    shortage = _shortage(plan)
    if arguments.svg:
        Path(arguments.svg).write_text(draw(plan, os.path.basename(source)), "utf-8")
    if arguments.json:
        write_json(_to_json(source, plan, shortage))
    else:
        _show(source, plan)
        if arguments.svg:
            write_line(f"drawn in {printable(arguments.svg)}")
    if shortage:
        write_error("does not fit", shortage)
    return 1 if shortage else 0


def _memory(device: Device) -> MemoryInfo:
    """By NVML, where there is a GPU: to ask the GPU itself would create a context on it."""
    return device.info().memory


def _with_idle(plan: PlacementPlan, available: Sequence[Device], memory_of: Callable[[Device], MemoryInfo]) -> list[DeviceLoad]:
    """The loads, and empty ones of the GPUs that get nothing; of the host, where it is all there is."""
    loads = {load.device: load for load in plan.loads}
    for device in available:
        if device not in loads and (not device.is_host or len(available) == 1):
            memory = memory_of(device)
            loads[device] = DeviceLoad(device, 0, 0, memory.free_bytes, memory.total_bytes)
    return [loads[device] for device in available if device in loads]


def _shortage(plan: PlacementPlan) -> str | None:
    try:
        plan.check_memory()
    except DeviceMemoryError as error:
        return in_options(error.message)
    return None


def _size(text: str, unit: str) -> int:
    return int(float(text) * _UNITS[unit])


def _planned(text: str) -> list[Device]:
    groups = [_GROUP.fullmatch(group.strip()) for group in text.split(",")]
    sizes: list[int] = []
    for group in groups:
        if group is None or group["size"] is None:
            raise argparse.ArgumentTypeError(f"{text!r}: expected how many GPUs, and the memory of each: '4x16GiB', '2x80GB,2x24GiB'")
        sizes += [_size(group["size"], group["unit"])] * _count(group["count"])
    _count(str(len(sizes)))
    return [_PlannedDevice(index, memory_bytes) for index, memory_bytes in enumerate(sizes)]


def _virtual(text: str) -> list[Device]:
    group = _GROUP.fullmatch(text.strip())
    if group is None:
        raise argparse.ArgumentTypeError(f"{text!r}: expected how many virtual devices, and perhaps the memory of each: '4', '4x2GiB'")
    memory_bytes = _size(group["size"], group["unit"]) if group["size"] else None
    return [VirtualDevice(index, memory_bytes) for index in range(_count(group["count"]))]


def _count(text: str) -> int:
    if not 1 <= int(text) <= _MAX_DEVICES:
        raise argparse.ArgumentTypeError(f"{text} devices; expected 1 to {_MAX_DEVICES}")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    pattern, _, device = text.rpartition("=")
    if not pattern or not device:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a name, a pattern or a recorded device, and a device: 'layer1/*=/device:GPU:1'")
    return pattern, device


def _placement(text: str | None, places: Mapping[str, str]) -> Placement:
    """What the options say together.

    Raises:
        InvalidArgumentError: MAP.json is none.
    """
    if text is not None and text.endswith(".json"):
        return {**places, **{pattern: device for pattern, device in _read_map(text).items() if pattern not in places}}
    if places and text is not None:
        return {**places, "*": places.get("*", text)}
    return places or text or "recorded"


def _read_map(path: str) -> Mapping[str, str | None]:
    data = files.active().read_all(path, _MAX_MAP_BYTES)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{path!r} is no JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(device, str | None) for device in found.values()):
        raise InvalidArgumentError(f'{path!r}: expected an object from name patterns to devices, such as {{"layer1/*": "/device:GPU:1"}}')
    return found


def _read(path: str, tag_set: str | None, *, is_strict: bool) -> tuple[str, list[TensorSpec]]:
    """What there is to place: of a checkpoint, in the order in which it is restored; or of a `.meta` alone.

    Raises:
        CheckpointNotFoundError, NotACheckpointError, DataLossError: see `locate`, `CheckpointReader` and `decode_variables`.
    """
    try:
        locate(path)
    except CheckpointNotFoundError:
        if not path.endswith(".meta") or not files.active().is_file(path):
            raise
        return path, _read_meta(path)
    with CheckpointReader(path) as reader:
        if is_strict:
            _ = reader.devices  # a damaged .meta is an error, where all others make do with a warning
        listing = list_checkpoint(reader, tag_set)
    return listing.prefix, [TensorSpec(tensor.name, tensor.shape, tensor.dtype, tensor.size_bytes, tensor.device) for tensor in listing.tensors]


def _read_meta(path: str) -> list[TensorSpec]:
    variables = decode_variables(files.active().read_all(path, _MAX_META_BYTES), repr(path))
    tensors = [
        TensorSpec(name, shape or (), dtype, 0 if shape is None else math.prod(shape) * dtype.size_bytes, device)
        for name, (dtype, shape, device) in variables.items()
    ]
    if unknown := [name for name, variable in variables.items() if variable.shape is None]:
        few = ", ".join(map(repr, unknown[:_LARGEST])) + (", ..." if len(unknown) > _LARGEST else "")
        _log.warning("%r does not tell the shape of %s, which count for nothing here: %s", path, counted(len(unknown), "variable"), few)
    return tensors


def _largest(plan: PlacementPlan) -> dict[Device, list[TensorSpec]]:
    """The largest tensors of each device."""
    found: dict[Device, list[TensorSpec]] = {load.device: [] for load in plan.loads}
    for tensor, device in zip(plan.tensors, plan.devices, strict=True):
        found[device].append(tensor)
    return {device: heapq.nlargest(_LARGEST, tensors, key=lambda tensor: tensor.size_bytes) for device, tensors in found.items()}


def _show(source: str, plan: PlacementPlan) -> None:
    write_table(_DEVICES, [_device_row(load) for load in plan.loads])
    write_line()
    _write_bars(plan.loads)
    write_line()
    if moved := arrivals(plan):
        rows = [(arrival.device.name, _some(arrival.names), printable(arrival.why), _some(arrival.recorded)) for arrival in moved]
        write_table(_ARRIVALS, rows)
        write_line()
    largest = [
        ("" if number else device.name, printable(tensor.name), tensor.dtype.name, str(list(tensor.shape)), amount(tensor.size_bytes))
        for device, tensors in _largest(plan).items()
        for number, tensor in enumerate(tensors)
    ]
    if largest:
        write_table(_TENSORS, largest)
        write_line()
    size_bytes = sum(tensor.size_bytes for tensor in plan.tensors)
    write_line(f"{printable(source)}: {counted(len(plan.tensors), 'tensor')}, {amount(size_bytes)}")
    if gpus := sum(isinstance(load.device, _PlannedDevice) for load in plan.loads):
        write_line(f"planned for {counted(gpus, 'GPU')} that need not be here; the host is this one")


def _device_row(load: DeviceLoad) -> tuple[str, ...]:
    return (
        load.device.name,
        load.device.backend,
        f"{load.tensors:,}",
        amount(load.size_bytes),
        f"{percent(load.size_bytes, load.free_bytes)} of {amount(load.free_bytes)}",
        f"{percent(load.size_bytes, load.total_bytes)} of {amount(load.total_bytes)}",
    )


def _some(texts: Sequence[str]) -> str:
    return f"{len(texts):,}: {', '.join(map(printable, texts[:_LARGEST]))}{', ...' * (len(texts) > _LARGEST)}"


def _write_bars(loads: Sequence[DeviceLoad]) -> None:
    """A bar a device, the whole of its memory: in use already, planned, free. Where it does not fit, that is said beside it, and in red."""
    can_draw = (sys.stdout.encoding or "").lower().startswith("utf")
    in_use, planned, free, over = "▒█░!" if can_draw else "=#.!"
    label_width = max(len(load.device.name) for load in loads)
    lines = []
    for load in loads:
        used_cells, planned_cells = _cells(load)
        note = f"{percent(load.size_bytes, load.free_bytes)} of free" if load.fits else f"{amount(load.size_bytes - load.free_bytes)} too much"
        bar = (in_use * used_cells, (planned if load.fits else over) * planned_cells, free * (_BAR_CELLS - used_cells - planned_cells))
        lines.append((f"{load.device.name:<{label_width}}  ", *bar, f"  {note}", "cyan" if load.fits else "red"))
    signs = f"{in_use} in use already, {planned} this, {free} stays free" + (f", {over} no room" if not all(load.fits for load in loads) else "")
    if not sys.stdout.isatty():
        for *parts, _ in lines:
            write_line("".join(parts))
        write_line(" " * (label_width + 2) + signs)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    for label, used, mine, left, note, style in lines:
        console.print(Text.assemble(label, (used, "dim"), (mine, style), (left, "dim"), (note, style if style == "red" else "")), soft_wrap=True)
    console.print(Text(" " * (label_width + 2) + signs, "dim"), soft_wrap=True)


def _cells(load: DeviceLoad) -> tuple[int, int]:
    """Cells of a bar that are in use already, and that this will take: at least one where there is anything at all."""
    total_bytes = max(load.total_bytes, 1)
    used = min(round(_BAR_CELLS * (load.total_bytes - load.free_bytes) / total_bytes), _BAR_CELLS - (load.size_bytes > 0))
    planned = max(round(_BAR_CELLS * load.size_bytes / total_bytes), int(load.size_bytes > 0)) if load.fits else _BAR_CELLS
    return used, min(planned, _BAR_CELLS - used)


def _to_json(source: str, plan: PlacementPlan, shortage: str | None) -> dict[str, Any]:
    largest = _largest(plan)
    return {
        "source": source,
        "fits": shortage is None,
        "error": shortage,
        "num_tensors": len(plan.tensors),
        "total_bytes": sum(tensor.size_bytes for tensor in plan.tensors),
        "devices": [
            {
                "name": load.device.name,
                "backend": load.device.backend,
                "tensors": load.tensors,
                "size_bytes": load.size_bytes,
                "free_bytes": load.free_bytes,
                "total_bytes": load.total_bytes,
                "fits": load.fits,
                "largest": [{"name": tensor.name, "size_bytes": tensor.size_bytes} for tensor in largest[load.device]],
            }
            for load in plan.loads
        ],
        "moves": [{"recorded": move.recorded, "device": move.device.name, "why": move.why, "tensors": list(move.names)} for move in plan.moves()],
        "tensors": [
            {
                "name": tensor.name,
                "dtype": tensor.dtype.name,
                "shape": list(tensor.shape),
                "size_bytes": tensor.size_bytes,
                "recorded": tensor.recorded or None,
                "device": device.name,
            }
            for tensor, device in zip(plan.tensors, plan.devices, strict=True)
        ],
    }
