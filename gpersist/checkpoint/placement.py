"""Where each tensor of a restore goes: decided, and then held against the devices' memory, before a byte moves. Opens and allocates nothing.

In this order: strings live on the host; then what the caller says, a `Placement`; then what the `.meta` records, unless devices are cleared; then the
default device, which is the first GPU, or the host where there is none. A process is a cluster of its own: job, replica and task of a recorded device
are passed over, except by "strict", to which they name another process, as they do to TensorFlow.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import heapq
import logging
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gpersist.bundle import nearest
from gpersist.checkpoint.placement_keys import first_match, idle_keys
from gpersist.devices import Device, DeviceSpec, MemoryInfo
from gpersist.dtypes import STRING_ENUM, DType
from gpersist.errors import DeviceMemoryError, DeviceNotFoundError, InvalidArgumentError
from gpersist.shapes import Shape

Target = str | DeviceSpec | Device
"""A device: its name in any spelling, which may be partial ("/device:GPU:*": the first that fits), "host", or the thing itself."""

Rule = Callable[[str, Shape, DType, str], Target | None]
"""From name, shape, dtype and recorded device to a device; None leaves it to what is recorded."""

Placement = Target | Mapping[str, Target] | Rule
"""What a caller may say:

- `"recorded"`: as recorded; where such a device isn't there, the next best (`GPU:k` becomes `GPU:k mod n` if there are n GPUs; all else goes to the
  default device), with one warning that counts and names them.
- `"strict"`: as recorded, or an error.
- `"host"`, a device's name, a DeviceSpec or a Device: everything there.
- `"balanced"`: the largest first, each to the GPU with the fewest bytes so far; `"sequential"`: GPU:0 up to its free memory, then GPU:1, and so on,
  in the order given; `"single"`: everything on the default device. Without a GPU, all three mean the host.
- a dict to devices from names, patterns of them with `*`, `?` and `[...]`, or recorded devices (`{"/gpu:1": "/gpu:0"}`: what was on GPU 1 goes to
  GPU 0); the first that matches wins; the rest goes as recorded. One warning lists those that match nothing.
- a function `(name, shape, dtype, recorded)` to a device, or to None for as recorded.
"""

_LOG = logging.getLogger("gpersist")
_WAYS_OUT = (
    "ways out: clear_devices=True puts all of them on the default device; placement={'/device:GPU:1': '/device:GPU:0', 'layer1/*': 'host'} or a "
    "policy ('balanced', 'sequential', 'single') says where they go; placement='recorded' takes the next best device, with a warning"
)


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
class _Choice:
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
    _choices: Sequence[_Choice] = dataclasses.field(repr=False)

    def moves(self) -> list[Move]:
        """The tensors that go elsewhere than recorded, those of one recorded device, one new one and one reason together."""
        names: dict[tuple[str, _Choice], list[str]] = {}
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
            (_called(load.device), str(load.tensors), _amount(load.size_bytes), _amount(load.free_bytes), _amount(load.total_bytes))
            for load in self.loads
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()
            for row in rows
        ]
        lines += [f"{move.recorded} -> {_called(move.device)}: {_listed(move.names)}: {move.why}" for move in self.moves()]
        return "\n".join(lines)


def place(
    tensors: Sequence[TensorSpec],
    placement: Placement = "recorded",
    *,
    clear_devices: bool = False,
    available: Sequence[Device],
    memory_of: Callable[[Device], MemoryInfo] = operator.methodcaller("memory"),
) -> PlacementPlan:
    """Decides where tensors go. Whether they fit there is for `PlacementPlan.check_memory` to say.

    Args:
        tensors: to be placed, in the order in which they are restored.
        placement: see `Placement`.
        clear_devices: pass over what is recorded; what `placement` doesn't place goes to the default device.
        available: the devices of this process, as `gpersist.devices.devices()` lists them; a CPU is among them.
        memory_of: tells the memory of a device. It is called only for those in use (and for GPUs, by "sequential"), since the default asks the device
            itself, which creates a context on a GPU.

    Raises:
        DeviceNotFoundError: a device that `placement` names, or with "strict" a recorded one, isn't there; lists all of these.
        InvalidArgumentError: `placement` is none.
    """
    here = _Here(available, memory_of)
    recorded = functools.cache(here.cleared if clear_devices else here.recorded)  # thousands of tensors name a handful of devices
    movable = [tensor for tensor in tensors if tensor.dtype.enum != STRING_ENUM]
    choices = _choose(movable, placement, recorded, here)
    if isinstance(placement, Mapping):
        _warn_of_idle(tensors, placement)
    if len(movable) < len(tensors):
        on_host, others = _Choice(here.host, "strings live on the host"), iter(choices)
        choices = [on_host if tensor.dtype.enum == STRING_ENUM else next(others) for tensor in tensors]
    return PlacementPlan(tensors, [choice.device for choice in choices], _loads(tensors, choices, here), choices)


class _Here:
    """The devices of this process, and how strings resolve to them."""

    def __init__(self, available: Sequence[Device], memory_of: Callable[[Device], MemoryInfo]) -> None:
        self.available, self.memory_of = available, memory_of
        self.gpus = [device for device in available if device.spec.device_type == "GPU"]
        self.host = next(device for device in available if device.spec.device_type == "CPU")
        self.default = self.gpus[0] if self.gpus else self.host

    def __str__(self) -> str:
        return ", ".join(map(_called, self.available))

    def find(self, spec: DeviceSpec) -> Device | None:
        """The first device that a spec names; a spec without a type names the default device."""
        return next((device for device in (self.default, *self.available) if device.spec.matches(spec)), None)

    def recorded(self, text: str) -> _Choice:
        """The device that a NodeDef names, or the next best."""
        try:
            spec = DeviceSpec.from_string(text)
        except InvalidArgumentError:
            return _Choice(self.default, "what is recorded is no device string", missing=True)
        local = spec.replace(job=None, replica=None, task=None)
        device = self.find(local)
        if device is not None:
            foreign = not device.spec.matches(spec)
            return _Choice(device, "that is in another process of a cluster" if foreign else "", foreign=foreign)
        alike = [device for device in self.available if device.spec.device_type == spec.device_type]
        return _Choice(alike[(spec.device_index or 0) % len(alike)] if alike else self.default, "there is no such device here", missing=True)

    def cleared(self, text: str) -> _Choice:
        """The default device, whatever a NodeDef names."""
        return _Choice(self.default, "devices were cleared")

    def named(self, target: Target, whose: str) -> Device:
        """The device that the caller names; `whose` begins the error."""
        if isinstance(target, Device):
            return target
        if target == "host":
            return self.host
        if isinstance(target, str):
            try:
                target = DeviceSpec.from_string(target)
            except InvalidArgumentError as error:
                raise InvalidArgumentError(f"{whose}: {error}") from None
        if not isinstance(target, DeviceSpec):
            raise InvalidArgumentError(f"{whose}: {target!r} is no device; expected a name such as '/device:GPU:0', a DeviceSpec or a Device")
        device = self.find(target)
        if device is None:
            raise DeviceNotFoundError(f"{whose}: device {str(target)!r} is not here; available: {self}")
        return device


def _choose(tensors: Sequence[TensorSpec], placement: Placement, recorded: Callable[[str], _Choice], here: _Here) -> Sequence[_Choice]:
    if isinstance(placement, str) and placement in _WORDS:
        return _WORDS[placement](tensors, recorded, here)
    if isinstance(placement, str | DeviceSpec | Device):
        try:
            device = here.named(placement, "placement")
        except DeviceNotFoundError:
            raise
        except InvalidArgumentError as error:
            if isinstance(placement, str) and (near := nearest(placement, [*_WORDS, "host"])):
                raise InvalidArgumentError(f"placement {placement!r} is neither one of {_words()}, nor a device{near}") from None
            raise InvalidArgumentError(f"{error}; or one of {_words()}") from None
        return [_Choice(device, f"placement {device.name!r}")] * len(tensors)
    if isinstance(placement, Mapping):
        chosen = _by_pattern(tensors, placement, here)
    elif callable(placement):
        chosen = _by_rule(tensors, placement, here)
    else:
        raise InvalidArgumentError(
            f"placement is a {type(placement).__name__}; expected one of {_words()}, a device, a dict from name patterns to devices, or a function"
        )
    rest = iter(_as_recorded([tensor for tensor, choice in zip(tensors, chosen, strict=True) if choice is None], recorded, here))
    return [choice or next(rest) for choice in chosen]


def _as_recorded(tensors: Sequence[TensorSpec], recorded: Callable[[str], _Choice], here: _Here) -> Sequence[_Choice]:
    choices = [recorded(tensor.recorded) for tensor in tensors]
    if any(choice.missing for choice in set(choices)):
        lost = [(tensor, choice) for tensor, choice in zip(tensors, choices, strict=True) if choice.missing]
        _LOG.warning(
            "%d of %d tensors were recorded on devices that are not here: %s; available: %s; placement or clear_devices=True says where else",
            *(len(lost), len(tensors), _by_device(lost, lambda choice: f"goes to {_called(choice.device)}"), here),
        )
    return choices


def _strictly(tensors: Sequence[TensorSpec], recorded: Callable[[str], _Choice], here: _Here) -> Sequence[_Choice]:
    choices = [recorded(tensor.recorded) for tensor in tensors]
    lost = [(tensor, choice) for tensor, choice in zip(tensors, choices, strict=True) if choice.missing or choice.foreign]
    if lost:
        raise DeviceNotFoundError(
            f"{len(lost)} of {len(tensors)} tensors were recorded on devices that are not here: {_by_device(lost, lambda choice: choice.why)}; "
            f"available: {here}; {_WAYS_OUT}"
        )
    return choices


def _single(tensors: Sequence[TensorSpec], recorded: Callable[[str], _Choice], here: _Here) -> Sequence[_Choice]:
    return [_Choice(here.default, "placement 'single'")] * len(tensors)


def _balanced(tensors: Sequence[TensorSpec], recorded: Callable[[str], _Choice], here: _Here) -> Sequence[_Choice]:
    targets = [_Choice(device, "placement 'balanced'") for device in here.gpus or [here.host]]
    least = [(0, index) for index in range(len(targets))]
    choices = targets[:1] * len(tensors)
    for position in sorted(range(len(tensors)), key=lambda position: -tensors[position].size_bytes):
        size_bytes, index = least[0]
        choices[position] = targets[index]
        heapq.heapreplace(least, (size_bytes + tensors[position].size_bytes, index))
    return choices


def _sequential(tensors: Sequence[TensorSpec], recorded: Callable[[str], _Choice], here: _Here) -> Sequence[_Choice]:
    targets = collections.deque(_Choice(device, "placement 'sequential'") for device in here.gpus or [here.host])
    free_bytes = here.memory_of(targets[0].device).free_bytes
    choices = []
    for tensor in tensors:
        while tensor.size_bytes > free_bytes and len(targets) > 1:  # what the last one cannot hold is for `check_memory` to report
            targets.popleft()
            free_bytes = here.memory_of(targets[0].device).free_bytes
        free_bytes -= tensor.size_bytes
        choices.append(targets[0])
    return choices


_WORDS = {"recorded": _as_recorded, "strict": _strictly, "balanced": _balanced, "sequential": _sequential, "single": _single}


def _words() -> str:
    return ", ".join(map(repr, [*_WORDS, "host"]))


def _by_pattern(tensors: Sequence[TensorSpec], places: Mapping[str, Target], here: _Here) -> list[_Choice | None]:
    choices = [_Choice(here.named(target, f"placement of {pattern!r}"), f"placement of {pattern!r}") for pattern, target in places.items()]
    first = first_match(places)
    return [None if (position := first(tensor.name, tensor.recorded)) is None else choices[position] for tensor in tensors]


def _warn_of_idle(tensors: Sequence[TensorSpec], places: Mapping[str, Target]) -> None:
    idle = idle_keys(places, {tensor.name for tensor in tensors}, {tensor.recorded for tensor in tensors})
    if idle:
        _LOG.warning(
            "placement: no tensor is called, or was recorded on, %s; a dict's keys are names of tensors, patterns of them, or recorded devices",
            ", ".join(map(repr, idle[:3])) + (f", ... ({len(idle)} of {len(places)})" if len(idle) > 3 else ""),
        )


def _by_rule(tensors: Sequence[TensorSpec], rule: Rule, here: _Here) -> list[_Choice | None]:
    choices: dict[Device, _Choice] = {}

    def choice(tensor: TensorSpec) -> _Choice | None:
        target = rule(tensor.name, tensor.shape, tensor.dtype, tensor.recorded)
        if target is None:
            return None
        device = here.named(target, f"placement of tensor {tensor.name!r}")
        return choices.setdefault(device, _Choice(device, "placement by function"))

    return [choice(tensor) for tensor in tensors]


def _loads(tensors: Sequence[TensorSpec], choices: Sequence[_Choice], here: _Here) -> list[DeviceLoad]:
    sizes: dict[_Choice, int] = dict.fromkeys(choices, 0)
    for tensor, choice in zip(tensors, choices, strict=True):
        sizes[choice] += tensor.size_bytes
    counts = collections.Counter(choices)
    loads = []
    for device in dict.fromkeys([*here.available, *(choice.device for choice in sizes)]):
        mine = [choice for choice in sizes if choice.device is device]
        if mine:
            memory = here.memory_of(device)
            tensors_here, bytes_here = sum(counts[choice] for choice in mine), sum(sizes[choice] for choice in mine)
            loads.append(DeviceLoad(device, tensors_here, bytes_here, memory.free_bytes, memory.total_bytes))
    return loads


def _shortage(load: DeviceLoad, tensors: Sequence[TensorSpec], devices: Sequence[Device]) -> str:
    mine = [tensor for tensor, device in zip(tensors, devices, strict=True) if device is load.device]
    largest = ", ".join(f"{tensor.name!r} {_amount(tensor.size_bytes)}" for tensor in heapq.nlargest(3, mine, key=lambda tensor: tensor.size_bytes))
    return (
        f"{_called(load.device)} has {_amount(load.free_bytes)} free ({load.free_bytes} bytes) and would need {_amount(load.size_bytes)} "
        f"({load.size_bytes} bytes) for {load.tensors} tensors, the largest {largest}"
    )


def _is_recorded(device: Device, recorded: str) -> bool:
    try:
        return device.spec.matches(DeviceSpec.from_string(recorded))
    except InvalidArgumentError:
        return False


def _by_device(lost: Iterable[tuple[TensorSpec, _Choice]], say: Callable[[_Choice], str]) -> str:
    """The first few recorded devices with the first few of their tensors, and how many there are."""
    groups: dict[str, tuple[_Choice, list[str]]] = {}
    for tensor, choice in lost:
        groups.setdefault(tensor.recorded, (choice, []))[1].append(tensor.name)
    shown = [f"{recorded!r} ({say(choice)}; {_listed(names)})" for recorded, (choice, names) in list(groups.items())[:8]]
    return ", ".join(shown) + (f", and {len(groups) - 8} more devices" if len(groups) > 8 else "")


def _listed(names: Sequence[str]) -> str:
    return f"{len(names)} tensor{'s' * (len(names) != 1)}: " + ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")


def _called(device: Device) -> str:
    return device.name if device.backend in ("cuda", "host") else f"{device.name} ({device.backend})"


def _amount(size_bytes: int) -> str:
    """`1.5 GiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
