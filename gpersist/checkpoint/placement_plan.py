"""A plan of where tensors go, what each device gets by it, and how both are told."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Sequence
from typing import NamedTuple

from gpersist.devices import Device, DeviceSpec
from gpersist.dtypes import DType
from gpersist.errors import DeviceMemoryError, InvalidArgumentError
from gpersist.shapes import Shape


class TensorSpec(NamedTuple):
    """A tensor to be placed.

    Attributes:
        name: its name in the checkpoint.
        shape: of the full tensor.
        dtype: element type.
        size_bytes: what it takes in memory.
        recorded: the device string of its NodeDef; empty where none is recorded.
    """

    name: str
    shape: Shape
    dtype: DType
    size_bytes: int
    recorded: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceLoad:
    """What one device gets: how many tensors, how many bytes, and how much memory it had free, and has in all."""

    device: Device
    tensors: int
    size_bytes: int
    free_bytes: int
    total_bytes: int

    @property
    def fits(self) -> bool:
        """Whether there is room for it."""
        return self.size_bytes <= self.free_bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """Tensors that go elsewhere than where they were recorded, and why."""

    recorded: str
    device: Device
    why: str
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A device for some tensors. Shared by all that have it for the same reason, so that thousands of tensors make a handful of choices.

    Attributes:
        device: where they go.
        why: the reason, where it isn't simply that it is recorded.
        missing: the recorded device isn't here, and this is the next best.
        foreign: the recorded device is another process's, and this is the same one of our own.
    """

    device: Device
    why: str = ""
    missing: bool = False
    foreign: bool = False


@dataclasses.dataclass(frozen=True)
class PlacementPlan:
    """What goes where. Immutable.

    Attributes:
        tensors: what was asked for.
        devices: the device of each, in the same order.
        loads: what each device in use gets, in the order of `devices()`.
    """

    tensors: Sequence[TensorSpec]
    devices: Sequence[Device]
    loads: Sequence[DeviceLoad]
    _choices: Sequence[Choice] = dataclasses.field(repr=False)

    def moves(self) -> list[Move]:
        """The tensors that go elsewhere than recorded, those of one recorded device, one new one and one reason together."""
        names: dict[tuple[str, Choice], list[str]] = {}
        for tensor, choice in zip(self.tensors, self._choices, strict=True):
            if choice.why and tensor.recorded:
                names.setdefault((tensor.recorded, choice), []).append(tensor.name)
        return [
            Move(recorded, choice.device, choice.why, tuple(moved))
            for (recorded, choice), moved in names.items()
            if not _is_recorded(choice.device, recorded)
        ]

    def check_memory(self) -> None:
        """Holds every load against the memory that is free, which a restore does before it allocates.

        Raises:
            DeviceMemoryError: the tensors need more; lists every device that is too small.
        """
        short = [_shortage(load, self.tensors, self.devices) for load in self.loads if not load.fits]
        if short:
            raise DeviceMemoryError(
                f"the tensors do not fit: {'; '.join(short)}; restore fewer of them, or place them otherwise: placement='balanced' or 'sequential' "
                "spreads them over the GPUs, 'host' keeps them off (a Saver's restore calls it device_map)"
            )

    def report(self) -> str:
        """A table of what goes where, how many bytes, out of how much, and a line for each kind of move; plain text."""
        rows = [("device", "tensors", "bytes", "free", "total")]
        rows += [
            (called(load.device), str(load.tensors), amount(load.size_bytes), amount(load.free_bytes), amount(load.total_bytes))
            for load in self.loads
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()
            for row in rows
        ]
        lines += [f"{move.recorded} -> {called(move.device)}: {listed(move.names)}: {move.why}" for move in self.moves()]
        return "\n".join(lines)


def _shortage(load: DeviceLoad, tensors: Sequence[TensorSpec], devices: Sequence[Device]) -> str:
    mine = [tensor for tensor, device in zip(tensors, devices, strict=True) if device is load.device]
    largest = ", ".join(f"{tensor.name!r} {amount(tensor.size_bytes)}" for tensor in heapq.nlargest(3, mine, key=lambda tensor: tensor.size_bytes))
    return (
        f"{called(load.device)} has {amount(load.free_bytes)} free ({load.free_bytes} bytes) and would need {amount(load.size_bytes)} "
        f"({load.size_bytes} bytes) for {load.tensors} tensors, the largest {largest}"
    )


def _is_recorded(device: Device, recorded: str) -> bool:
    try:
        return device.spec.matches(DeviceSpec.from_string(recorded))
    except InvalidArgumentError:
        return False


def listed(names: Sequence[str]) -> str:
    """`2 tensors: 'a', 'b'`."""
    return f"{len(names)} tensor{'s' * (len(names) != 1)}: " + ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")


def called(device: Device) -> str:
    """A device as messages name it, made-up ones as what they are."""
    return device.name if device.backend in ("cuda", "host") else f"{device.name} ({device.backend})"


def amount(size_bytes: int) -> str:
    """`1.5 GiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
