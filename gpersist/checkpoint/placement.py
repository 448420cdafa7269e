"""Where each tensor of a restore goes: decided, and then held against the devices' memory, before a byte moves. Opens and allocates nothing.

In this order: strings live on the host; then what the caller says, a `Placement`; then what the `.meta` records, unless devices are cleared; then the
default device, which is the first GPU, or the host where there is none. A process is a cluster of its own: job, replica and task of a recorded device
are passed over, except by "strict", to which they name another process, as they do to TensorFlow.
"""

from __future__ import annotations

import collections
import functools
import heapq
import logging
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence

from gpersist.bundle import nearest
from gpersist.checkpoint.placement_keys import device_keys, first_match, warn_of_idle_keys
from gpersist.checkpoint.placement_plan import Choice, DeviceLoad, PlacementPlan, TensorSpec, called, listed
from gpersist.checkpoint.tensor_families import families, natural_key
from gpersist.devices import Device, DeviceSpec, MemoryInfo
from gpersist.dtypes import STRING_ENUM, DType
from gpersist.errors import DeviceNotFoundError, InvalidArgumentError
from gpersist.shapes import Shape

Target = str | DeviceSpec | Device
"""A device: its name in any spelling, which may be partial ("/device:GPU:*": the first that fits), "host", or the thing itself."""

Rule = Callable[[str, Shape, DType, str], Target | None]
"""From name, shape, dtype and recorded device to a device; None leaves it to what is recorded."""

Placement = Target | Mapping[str, Target | None] | Rule
"""What a caller may say:

- `"recorded"`: as recorded; where such a device isn't there, the next best (`GPU:k` becomes `GPU:k mod n` if there are n GPUs; all else goes to the
  default device), with one warning that counts and names them.
- `"strict"`: as recorded, or an error.
- `"host"`, a device's name, a DeviceSpec or a Device: everything there.
- `"balanced"`: the largest first, a variable with its slots, each to the GPU with the fewest bytes so far; `"sequential"`: GPU:0 up to its free
  memory, then GPU:1, and so on, by names (`block_2` before `block_10`); `"single"`: everything on the default device. Without a GPU, all three mean
  the host.
- a dict to devices from names, patterns of them with `*`, `?` and `[...]`, or recorded devices (`{"/gpu:1": "/gpu:0"}`: what was on GPU 1 goes to
  GPU 0); the first that matches wins; the rest, and what None is given for, goes as recorded. A value may be a policy, which places all that its key
  is the first to match, after what was given devices: `{"emb*": "host", "*": "balanced"}`. One warning lists those that match nothing.
- a function `(name, shape, dtype, recorded)` to a device, or to None for as recorded.
"""

_LOG = logging.getLogger("gpersist")
_WAYS_OUT = (
    "ways out: clear_devices=True puts all of them on the default device; placement={'/device:GPU:1': '/device:GPU:0', 'layer1/*': 'host'} or a "
    "policy ('balanced', 'sequential', 'single') says where they go; placement='recorded' takes the next best device, with a warning"
)


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
        warn_of_idle_keys(placement, [tensor.name for tensor in tensors], {tensor.recorded for tensor in tensors})
    if len(movable) < len(tensors):
        on_host, others = Choice(here.host, "strings live on the host"), iter(choices)
        choices = [on_host if tensor.dtype.enum == STRING_ENUM else next(others) for tensor in tensors]
    return PlacementPlan(tensors, [choice.device for choice in choices], _loads(tensors, choices, here), choices)


class _Here:
    """The devices of this process, and how strings resolve to them."""

    def __init__(self, available: Sequence[Device], memory_of: Callable[[Device], MemoryInfo]) -> None:
        self.available, self.memory_of = available, memory_of
        self.gpus = [device for device in available if device.spec.device_type == "GPU"]
        self.host = next(device for device in available if device.spec.device_type == "CPU")
        self.default = self.gpus[0] if self.gpus else self.host
        self.taken: collections.Counter[Device] = collections.Counter()
        """Bytes that tensors placed already take."""

    def __str__(self) -> str:
        return ", ".join(map(called, self.available))

    def free_bytes(self, device: Device) -> int:
        """What is free on a device beside the tensors that are placed already."""
        return self.memory_of(device).free_bytes - self.taken[device]

    def take(self, tensors: Sequence[TensorSpec], choices: Sequence[Choice | None]) -> None:
        """Counts tensors' bytes as taken on the devices that were chosen."""
        for tensor, choice in zip(tensors, choices, strict=True):
            if choice is not None:
                self.taken[choice.device] += tensor.size_bytes

    def find(self, spec: DeviceSpec) -> Device | None:
        """The first device that a spec names; a spec without a type names the default device."""
        return next((device for device in (self.default, *self.available) if device.spec.matches(spec)), None)

    def recorded(self, text: str) -> Choice:
        """The device that a NodeDef names, or the next best."""
        try:
            spec = DeviceSpec.from_string(text)
        except InvalidArgumentError:
            return Choice(self.default, "what is recorded is no device string", missing=True)
        local = spec.replace(job=None, replica=None, task=None)
        device = self.find(local)
        if device is not None:
            foreign = not device.spec.matches(spec)
            return Choice(device, "that is in another process of a cluster" if foreign else "", foreign=foreign)
        alike = [device for device in self.available if device.spec.device_type == spec.device_type]
        return Choice(alike[(spec.device_index or 0) % len(alike)] if alike else self.default, "there is no such device here", missing=True)

    def cleared(self, text: str) -> Choice:
        """The default device, whatever a NodeDef names."""
        return Choice(self.default, "devices were cleared")

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


def _choose(tensors: Sequence[TensorSpec], placement: Placement, recorded: Callable[[str], Choice], here: _Here) -> Sequence[Choice]:
    if isinstance(placement, str) and placement in _WORDS:
        return _WORDS[placement](tensors, recorded, here)
    if isinstance(placement, str | DeviceSpec | Device):
        device = _named(placement, "placement", here)
        return [Choice(device, f"placement {device.name!r}")] * len(tensors)
    if isinstance(placement, Mapping):
        chosen = _by_pattern(tensors, placement, recorded, here)
    elif callable(placement):
        chosen = _by_rule(tensors, placement, here)
    else:
        raise InvalidArgumentError(
            f"placement is a {type(placement).__name__}; expected one of {_words()}, a device, a dict from name patterns to devices, or a function"
        )
    rest = iter(_as_recorded([tensor for tensor, choice in zip(tensors, chosen, strict=True) if choice is None], recorded, here))
    return [choice or next(rest) for choice in chosen]


def _as_recorded(tensors: Sequence[TensorSpec], recorded: Callable[[str], Choice], here: _Here) -> Sequence[Choice]:
    choices = [recorded(tensor.recorded) for tensor in tensors]
    if any(choice.missing for choice in set(choices)):
        lost = [(tensor, choice) for tensor, choice in zip(tensors, choices, strict=True) if choice.missing]
        _LOG.warning(
            "%d of %d tensors were recorded on devices that are not here: %s; available: %s; placement or clear_devices=True says where else",
            *(len(lost), len(tensors), _by_device(lost, lambda choice: f"goes to {called(choice.device)}"), here),
        )
    return choices


def _strictly(tensors: Sequence[TensorSpec], recorded: Callable[[str], Choice], here: _Here) -> Sequence[Choice]:
    choices = [recorded(tensor.recorded) for tensor in tensors]
    lost = [(tensor, choice) for tensor, choice in zip(tensors, choices, strict=True) if choice.missing or choice.foreign]
    if lost:
        raise DeviceNotFoundError(
            f"{len(lost)} of {len(tensors)} tensors were recorded on devices that are not here: {_by_device(lost, lambda choice: choice.why)}; "
            f"available: {here}; {_WAYS_OUT}"
        )
    return choices


def _single(tensors: Sequence[TensorSpec], recorded: Callable[[str], Choice], here: _Here) -> Sequence[Choice]:
    return [Choice(here.default, "placement 'single'")] * len(tensors)


def _balanced(tensors: Sequence[TensorSpec], recorded: Callable[[str], Choice], here: _Here) -> Sequence[Choice]:
    targets = [Choice(device, "placement 'balanced'") for device in here.gpus or [here.host]]
    least = [(here.taken[target.device], index) for index, target in enumerate(targets)]
    heapq.heapify(least)
    choices = targets[:1] * len(tensors)
    sizes = [tensor.size_bytes for tensor in tensors]
    together = [(sum(sizes[position] for position in family), family) for family in families([tensor.name for tensor in tensors], sizes)]
    for family_bytes, family in sorted(together, key=lambda sized: -sized[0]):
        size_bytes, index = least[0]
        for position in family:
            choices[position] = targets[index]
        heapq.heapreplace(least, (size_bytes + family_bytes, index))
    return choices


def _sequential(tensors: Sequence[TensorSpec], recorded: Callable[[str], Choice], here: _Here) -> Sequence[Choice]:
    targets = collections.deque(Choice(device, "placement 'sequential'") for device in here.gpus or [here.host])
    free_bytes = here.free_bytes(targets[0].device)
    choices = [targets[0]] * len(tensors)
    for position in sorted(range(len(tensors)), key=lambda position: natural_key(tensors[position].name)):
        size_bytes = tensors[position].size_bytes
        while size_bytes > free_bytes and len(targets) > 1:  # what the last one cannot hold is for `check_memory` to report
            targets.popleft()
            free_bytes = here.free_bytes(targets[0].device)
        free_bytes -= size_bytes
        choices[position] = targets[0]
    return choices


_WORDS = {"recorded": _as_recorded, "strict": _strictly, "balanced": _balanced, "sequential": _sequential, "single": _single}


def _words() -> str:
    return ", ".join(map(repr, [*_WORDS, "host"]))


def _named(target: Target, whose: str, here: _Here) -> Device:
    """The device that the caller names where a policy would do, too."""
    try:
        return here.named(target, whose)
    except DeviceNotFoundError:
        raise
    except InvalidArgumentError as error:
        if isinstance(target, str) and (near := nearest(target, [*_WORDS, "host"])):
            raise InvalidArgumentError(f"{whose} {target!r} is neither one of {_words()}, nor a device{near}") from None
        raise InvalidArgumentError(f"{error}; or one of {_words()}") from None


def _by_pattern(
    tensors: Sequence[TensorSpec], places: Mapping[str, Target | None], recorded: Callable[[str], Choice], here: _Here
) -> list[Choice | None]:
    devices: dict[int, Choice] = {}
    policies: dict[int, str] = {}
    for number, (pattern, target) in enumerate(places.items()):
        if isinstance(target, str) and target in _WORDS:
            if target != "recorded":
                policies[number] = target
        elif target is not None:
            devices[number] = Choice(_named(target, f"placement of {pattern!r}", here), f"placement of {pattern!r}")
    first = first_match(places)
    numbers = [first(tensor.name, tensor.recorded) for tensor in tensors]
    choices = [None if number is None else devices.get(number) for number in numbers]
    if policies:
        here.take(tensors, choices)
    for number, policy in policies.items():
        mine = [position for position, found in enumerate(numbers) if found == number]
        placed = _WORDS[policy]([tensors[position] for position in mine], recorded, here)
        here.take([tensors[position] for position in mine], placed)
        for position, choice in zip(mine, placed, strict=True):
            choices[position] = choice
    return choices


def recorded_rule(places: Mapping[str, Target | None], available: Sequence[Device]) -> Callable[[str], Device | None] | None:
    """What tells where a dict sends what was recorded on a device, whatever its name: by the keys that are devices. None where it has no such key.

    Keys with a policy or None have no say.

    Raises:
        DeviceNotFoundError, InvalidArgumentError: a value is no device that is here.
    """
    here = _Here(available, operator.methodcaller("memory"))
    keys = {key: places[key] for key in device_keys(places)}
    if not keys:
        return None
    found = [None if target is None or target in _WORDS else here.named(target, f"placement of {key!r}") for key, target in keys.items()]
    first = first_match(keys)

    @functools.cache
    def rule(recorded: str) -> Device | None:
        position = first("", recorded) if recorded else None
        return None if position is None else found[position]

    return rule


def _by_rule(tensors: Sequence[TensorSpec], rule: Rule, here: _Here) -> list[Choice | None]:
    choices: dict[Device, Choice] = {}

    def choice(tensor: TensorSpec) -> Choice | None:
        target = rule(tensor.name, tensor.shape, tensor.dtype, tensor.recorded)
        if target is None:
            return None
        device = here.named(target, f"placement of tensor {tensor.name!r}")
        return choices.setdefault(device, Choice(device, "placement by function"))

    return [choice(tensor) for tensor in tensors]


def _loads(tensors: Sequence[TensorSpec], choices: Sequence[Choice], here: _Here) -> list[DeviceLoad]:
    sizes: dict[Choice, int] = dict.fromkeys(choices, 0)
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


def _by_device(lost: Iterable[tuple[TensorSpec, Choice]], say: Callable[[Choice], str]) -> str:
    """The first few recorded devices with the first few of their tensors, and how many there are."""
    groups: dict[str, tuple[Choice, list[str]]] = {}
    for tensor, choice in lost:
        groups.setdefault(tensor.recorded, (choice, []))[1].append(tensor.name)
    shown = [f"{recorded!r} ({say(choice)}; {listed(names)})" for recorded, (choice, names) in list(groups.items())[:8]]
    return ", ".join(shown) + (f", and {len(groups) - 8} more devices" if len(groups) > 8 else "")
