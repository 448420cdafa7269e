"""Where operations run: each node's device string, made by scopes and callers, resolved to one of the session's devices.

In this order: what a node names itself > what it is colocated with (`_class`) > the variable that it refers to > the default device, which is the
first GPU for what GPUs can do, and the host for text, files and plain int32 arithmetic (shapes and indices), as in TensorFlow.
"""

from __future__ import annotations

import collections
import functools
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from gpersist.devices import Device, DeviceSpec
from gpersist.dtypes import int32, resource, string, variant
from gpersist.errors import DeviceNotFoundError, GPersistError, InvalidArgumentError
from gpersist.graph.graph import Graph
from gpersist.graph.operation import Operation
from gpersist.graph.tensor import Tensor

_LOG = logging.getLogger("gpersist")

_takes_text_on_gpus = re.compile(
    "EnsureShape|IdentityN|Placeholder(V2|WithDefault)?|StopGradient|Unique|(Ref)?(Enter|Exit|Identity|Merge|NextIteration|Switch)"
).fullmatch
"""Operations that TensorFlow's GPUs take text for, which stays in the host's memory: here they run on the host, whatever GPU they name."""

_WAYS_OUT = (
    "ways out: clear_devices=True on import or export drops what is recorded; ConfigProto(allow_soft_placement=True) takes the next best device, and "
    "logs it; within tf.device(function), an import gives each node the device that the function returns for it"
)


class Placer:
    """Places the operations of a graph on devices, those made later when they are there.

    Args:
        available: the session's devices; a CPU is the first.
        allow_soft_placement: whether a device that isn't there is replaced by the next best.
        log_device_placement: whether each placement is logged.

    Attributes:
        available: the session's devices.
        overrides: where operations go whatever their nodes say.
        moved: tells where all that names a device goes instead, or None; no other device is asked for then.
    """

    def __init__(self, available: Sequence[Device], *, allow_soft_placement: bool = False, log_device_placement: bool = False) -> None:
        self.available = list(available)
        self.host = next(device for device in available if device.is_host)
        self.default = next((device for device in available if not device.is_host), self.host)
        self._is_soft = allow_soft_placement
        self._is_logged = log_device_placement
        self._placed: list[Device] = []
        self._fallbacks: set[str] = set()
        self._told: dict[tuple[str, Device], set[Operation]] = {}
        self.overrides: dict[Operation, Device] = {}
        self.moved: Callable[[str], Device | None] | None = None

    def for_another_graph(self) -> Placer:
        """One that places another graph in the same way."""
        found = Placer(self.available, allow_soft_placement=self._is_soft, log_device_placement=self._is_logged)
        found._fallbacks = self._fallbacks
        found.moved = self.moved
        return found

    def place(self, graph: Graph) -> None:
        """Places the operations that were made since the last call.

        Raises:
            InvalidArgumentError: a device isn't there, or operations that belong together name different ones; lists all of these. Nothing is placed
                then.
        """
        fresh = graph._nodes[len(self._placed) :]
        if not fresh:
            return
        groups = _Groups(fresh)
        first_id = len(self._placed)
        placed = [self.host] * len(fresh)
        lost: dict[str, list[Operation]] = {}
        moved: dict[tuple[str, Device], list[Operation]] = {}
        for members in groups.members():
            device = self._place_together(members, lost, moved)
            for op in members:
                if op._id >= first_id:
                    placed[op._id - first_id] = device
        if lost:
            raise self._not_here(lost)
        for (wanted, device), members in moved.items():
            told = self._told.setdefault((wanted, device), set())
            ops = [op for op in members if op not in told]  # placed anew by `override`, they may go where they were
            if not ops:
                continue
            told.update(ops)
            why = "is not here, wanted by" if self._find(wanted, needs_host=False) is None else "cannot run"
            _LOG.warning("%s %s %s; placed on %s (soft placement)", wanted, why, _listed(ops), device.name)
        self._placed += placed
        if self._is_logged:
            for op in fresh:
                _LOG.info("%s: (%s): %s", op.name, op.type, full_name(self._placed[op._id]))

    def override(self, graph: Graph, overrides: Mapping[Operation, Device], moved: Callable[[str], Device | None] | None) -> None:
        """Places all operations anew, some of them, with those that belong to them, where the caller says; see `overrides` and `moved`.

        Raises:
            InvalidArgumentError: see `place`; all are placed as before then.
        """
        before = self._placed, self.overrides, self.moved
        self._placed, self.overrides, self.moved = [], dict(overrides), moved
        try:
            self.place(graph)
        except GPersistError:
            self._placed, self.overrides, self.moved = before
            raise

    def device_of(self, op: Operation) -> Device:
        """Where an operation runs. REQUIRES: it has been placed."""
        return self._placed[op._id]

    def tell_of_fallbacks(self, ops: Iterable[Operation]) -> None:
        """Logs, once for each type, which of some operations compute on the host because they have no device kernel, though there is a device."""
        if self.default.is_host:
            return
        types = {op.type for op in ops if op.op_type is not None and op.op_type.is_host_only and _is_of_numbers(op)} - self._fallbacks
        if types:
            self._fallbacks |= types
            _LOG.info("run on the host for lack of a device kernel, their tensors copied there and back: %s", ", ".join(sorted(types)))

    def _place_together(
        self, members: Sequence[Operation], lost: dict[str, list[Operation]], moved: dict[tuple[str, Device], list[Operation]]
    ) -> Device:
        """The one device of operations that belong together; one that isn't there is entered in `lost`, or in `moved` where another will do."""
        if self.overrides:
            for op in members:
                if op in self.overrides:
                    return self.overrides[op]
        old = next((op for op in members if op._id < len(self._placed)), None)
        if old is not None:
            return self._placed[old._id]
        wanted = self._wanted(members)
        needs_host = any(map(_needs_host, members))
        if not wanted:
            return self.host if needs_host or all(map(_is_small_integer, members)) else self.default
        device = self._find(wanted, needs_host)
        if device is None and needs_host and all(map(_takes_text_anywhere, members)) and self._find(wanted, needs_host=False) is not None:
            return self.host
        if device is None and needs_host and any(self._sent_to(op) is not None for op in members):
            return self.host  # nobody has said of these, but of a device, that they go to a GPU
        if device is None and not needs_host:
            device = self._gone_to(wanted)
        if device is not None:
            return device
        if not self._is_soft:
            lost.setdefault(wanted, []).extend(op for op in members if op._device)
            return self.host
        device = self._next_best(wanted, needs_host)
        moved.setdefault((wanted, device), []).extend(members)
        return device

    def _wanted(self, members: Sequence[Operation]) -> str:
        """The device string of operations that belong together. Those that take a variable's reference go where it is, whatever they name."""
        wanted, followers = "", []
        for op in members:
            named = self._named(op)
            if named and named != wanted:
                if any(_is_handle(op, index, tensor) for index, tensor in enumerate(op._inputs)):
                    followers.append(named)
                else:
                    wanted = self._both(wanted, named, op, members)
        for named in followers:
            wanted = _completed(wanted, named)
        return wanted

    def _sent_to(self, op: Operation) -> Device | None:
        """Where all that names the operation's device has been sent."""
        return self.moved(op._device) if self.moved is not None and op._device else None

    def _named(self, op: Operation) -> str:
        """The device that an operation names, or the one that it has been sent to."""
        device = self._sent_to(op)
        return op._device if device is None else device.name

    def _gone_to(self, wanted: str) -> Device | None:
        """Where a variable of that device has gone: what else was there follows it."""
        return next((device for op, device in self.overrides.items() if op._device == wanted), None)

    def _both(self, wanted: str, named: str, op: Operation, members: Sequence[Operation]) -> str:
        """What two device strings of one group say together."""
        if not wanted:
            return named
        both = _merged(wanted, named)
        if both is not None:
            return both
        if self._is_soft or ((device := self._gone_to(wanted)) is not None and device is self._gone_to(named)):
            return wanted
        first = next(found for found in members if found._device)
        raise with_op(
            InvalidArgumentError(
                f"Cannot colocate nodes {first.name!r} and {op.name!r} because they name different devices: {first._device!r} and {op._device!r}; "
                f"give them one device, or none to the one that refers to the other; {_WAYS_OUT}; {_by_map(op._device, first._device)}"
            ),
            op,
        )

    def _find(self, wanted: str, needs_host: bool) -> Device | None:
        spec = _parsed(wanted)
        if spec is None:
            return None
        for device in (self.host if needs_host else self.default, *self.available):
            if device.spec.matches(spec) and (device.is_host or not needs_host):
                return device
        return None

    def _next_best(self, wanted: str, needs_host: bool) -> Device:
        if needs_host:
            return self.host
        spec = _parsed(wanted)
        alike = [device for device in self.available if spec is not None and device.spec.device_type == spec.device_type]
        same = [device for device in alike if spec is not None and device.spec.device_index == spec.device_index]  # of another job or task
        return (same or alike or [self.default])[0]

    def _not_here(self, lost: dict[str, list[Operation]]) -> GPersistError:
        first = next(iter(lost.values()))[0]
        count = sum(map(len, lost.values()))
        wanted = "; ".join(
            f"{device!r} by {_listed(ops)}{', which it cannot run' if self._find(device, needs_host=False) else ''}"
            for device, ops in list(lost.items())[:8]
        )
        more = f"; and {len(lost) - 8} more devices" if len(lost) > 8 else ""
        available = ", ".join(f"{full_name(device)} ({device.backend})" for device in self.available)
        text_only = [op for ops in lost.values() for op in ops if _needs_host(op) and not _takes_text_anywhere(op)]
        why = f"; {_listed(text_only)} can only run on a CPU" if text_only else ""
        gone = next((device for device in lost if self._find(device, needs_host=False) is None), None)
        by_map = f"; {_by_map(gone, self.default.name)}" if gone else ""
        return with_op(
            DeviceNotFoundError(
                f"Cannot assign a device for operation {first.name}{f' and {count - 1} more' if count > 1 else ''}: wanted {wanted}{more}{why}; "
                f"available: {available}; {_WAYS_OUT}{by_map}"
            ),
            first,
        )


class _Groups:
    """Which operations belong together, by colocation and by the variables that they refer to: a union-find, for those only that do."""

    def __init__(self, fresh: Sequence[Operation]) -> None:
        self._fresh = fresh
        self._parents: dict[Operation, Operation] = {}
        by_group: dict[bytes, Operation] = {}
        for op in fresh:
            if "_class" in op._attrs:
                for group in op.colocation_groups():
                    named = op.graph._nodes_by_name.get(group[5:].decode("utf-8", "replace"))
                    self._join(op, named or by_group.setdefault(group, op))
            for index, tensor in enumerate(op._inputs):
                if _is_handle(op, index, tensor):
                    self._join(op, tensor.op)

    def members(self) -> Iterable[Sequence[Operation]]:
        """The groups, each in the order of its operations; those placed before may be among them."""
        groups: dict[Operation, list[Operation]] = collections.defaultdict(list)
        for op in self._parents:
            groups[self._root(op)].append(op)
        for op in self._fresh:
            if op not in self._parents:
                yield (op,)
        for members in groups.values():
            yield sorted(members, key=lambda op: op._id)

    def _root(self, op: Operation) -> Operation:
        parents = self._parents
        parent = parents.setdefault(op, op)
        while parent is not op:
            parents[op] = parents[parent]  # halves the path
            op, parent = parent, parents[parent]
        return op

    def _join(self, op: Operation, other: Operation) -> None:
        a, b = self._root(op), self._root(other)
        if a is not b:
            self._parents[a] = b


def full_name(device: Device) -> str:
    """A device's name with job, replica and task of a process without a cluster, as TensorFlow's sessions list it."""
    return f"/job:localhost/replica:0/task:0{device.name}"


def with_op(error: GPersistError, op: Operation) -> GPersistError:
    """The error, which now tells its operation: attributes `op` and `node_def`, as TensorFlow's `OpError` has them."""
    error.__dict__.update(op=op, node_def=op.node_def)
    return error


def takes_reference(op: Operation, index: int) -> bool:
    """Whether an input is the reference to a variable, rather than its value."""
    return _takes_reference(op, index)


def _is_handle(op: Operation, index: int, tensor: Tensor) -> bool:
    """Whether an input is a variable itself, rather than its value."""
    return tensor._dtype is resource or (tensor._dtype.is_ref and _takes_reference(op, index))


def _takes_reference(op: Operation, index: int) -> bool:
    if op.signature is None or not op.signature.has_references:
        return False
    for arg in op.signature.inputs:
        count = len(op.attr(arg.type_list_attr)) if arg.type_list_attr else op.attr(arg.number_attr) if arg.number_attr else 1
        if index < count:
            return arg.is_ref
        index -= count
    return False


def _needs_host(op: Operation) -> bool:
    if op.op_type is not None and op.op_type.is_host_only:
        return True
    return any(dtype.base_dtype in (string, variant) for dtype in op.output_types) or any(
        tensor._dtype.base_dtype in (string, variant) for tensor in op._inputs
    )


def _is_of_numbers(op: Operation) -> bool:
    types = [*op.output_types, *(tensor._dtype for tensor in op._inputs)]
    return bool(op._inputs) and not any(dtype.base_dtype in (string, variant, resource) for dtype in types)


def _takes_text_anywhere(op: Operation) -> bool:
    return _needs_host(op) and _takes_text_on_gpus(op.type) is not None


def _is_small_integer(op: Operation) -> bool:
    types = [dtype.base_dtype for dtype in op.output_types]
    return bool(types) and all(dtype is int32 for dtype in types) and all(tensor._dtype.base_dtype is int32 for tensor in op._inputs)


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> DeviceSpec | None:
    try:
        return DeviceSpec.from_string(text)
    except InvalidArgumentError:
        return None


@functools.lru_cache(maxsize=4096)
def _merged(a: str, b: str) -> str | None:
    """Two device strings in one, or None where they contradict each other."""
    first, second = _parsed(a), _parsed(b)
    if first is None or second is None:
        return a if first is not None else b
    for part in ("job", "replica", "task", "device_type", "device_index"):
        mine, other = getattr(first, part), getattr(second, part)
        if mine is not None and other is not None and mine != other:
            return None
    return first.make_merged_spec(second).to_string()


@functools.lru_cache(maxsize=4096)
def _completed(wanted: str, other: str) -> str:
    """A device string with the parts that it lacks from another one, which has no say where they contradict each other."""
    first, second = _parsed(wanted), _parsed(other)
    if not wanted or first is None or second is None:
        return wanted or other
    if first.device_type not in (None, second.device_type):
        second = second.replace(device_type=None, device_index=None)
    return second.make_merged_spec(first).to_string()


def _by_map(recorded: str, device: str) -> str:
    return f"Saver.restore(..., device_map={{{recorded!r}: {device!r}}}) sends all nodes of the one device to the other"


def _listed(ops: Sequence[Operation]) -> str:
    return f"{len(ops)} node{'s' * (len(ops) != 1)} ({', '.join(repr(op.name) for op in ops[:3])}{', ...' if len(ops) > 3 else ''})"
