"""From fetches and feeds to steps: what is needed, in an order in which it can run, with every move between devices spelled out.

Values live in numbered slots. A step reads some, calls its kernel, and writes some:

    (kernel, slots in, slot or slots out, slots nobody needs any more, ...)

Constants, variables and resources are put into their slots when the plan is made, so that they cost a run nothing. A plan stays right as long as the
operations in it are not changed; operations added to the graph don't matter to it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gpersist.devices import Device
from gpersist.errors import InternalError, NotFoundError, UnimplementedError
from gpersist.graph.fetches import Element
from gpersist.graph.op_type import OpType
from gpersist.graph.operation import Operation
from gpersist.graph.placer import Placer, takes_reference, with_op
from gpersist.graph.tensor import Tensor
from gpersist.graph.transfer import Transfers, array_module
from gpersist.graph.variables_store import Buffer, VariablesStore

DEAD: Any = type("Dead", (), {"__repr__": lambda _: "DEAD", "__slots__": ()})()
"""The value of what is not computed, since a Switch went the other way."""

_SWITCHES = frozenset({"Switch", "RefSwitch"})


class Step(NamedTuple):
    """One thing to do.

    Attributes:
        kernel: what computes the outputs from the inputs.
        inputs: slots.
        outputs: one slot, or several.
        unused: slots that nobody needs after it.
        op: the operation that it is, or is done for.
        controls: the operations that it waits for; None where it only reads or moves what `op` takes.
    """

    kernel: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: int | tuple[int, ...]
    unused: tuple[int, ...]
    op: Operation
    controls: Sequence[Operation] | None


class Fetch(NamedTuple):
    """Where a fetched tensor's value is.

    Attributes:
        slot: at the end of the run.
        is_shared: whether others may have the same array, so that the caller needs a copy.
        is_fed: whether it is what the caller has fed.
    """

    slot: int
    is_shared: bool
    is_fed: bool


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a run does.

    Attributes:
        segments: steps in order, those in a row that run on one CUDA device together with it; None for those that need no device made current.
        has_switches: whether some steps may have to be left out.
        slots: the slots at the start of a run, constants and variables filled in.
        feeds: the slot of each fed tensor.
        fetches: for each fetched element where it is, or None for an operation.
    """

    segments: tuple[tuple[Device | None, tuple[Step, ...]], ...]
    has_switches: bool
    slots: list[Any]
    feeds: tuple[int, ...]
    fetches: tuple[Fetch | None, ...]


class Context:
    """What an operation that needs the session gets: itself, its surroundings, and a memory of its own.

    Attributes:
        op: the node.
        device: where it runs.
        xp: the module for that device's arrays, NumPy or CuPy.
        variables: the session's.
        state: a dict of this operation in this session; lives as long as the session.
        session: the session itself, as `gpersist.graph.Session`.
    """

    __slots__ = ("device", "op", "session", "state", "variables", "xp")

    def __init__(self, op: Operation, device: Device, variables: VariablesStore, state: dict[str, Any], session: Any) -> None:
        self.op = op
        self.device = device
        self.xp = array_module(device)
        self.variables = variables
        self.state = state
        self.session = session

    def buffer(self) -> Buffer:
        """The buffer of the variable that this operation makes: its `shared_name`, or its own name."""
        name = self.op.attr("shared_name").decode("utf-8", "surrogateescape") or self.op.name
        return self.variables.buffer(name, self.op.attr("dtype"), self.device, self.op.attr("container").decode("utf-8", "surrogateescape"))


class Planner:
    """Makes plans for a session; keeps what they share: constants on devices, and the operations' states."""

    def __init__(self, placer: Placer, variables: VariablesStore, transfers: Transfers, session: Any) -> None:
        self._placer = placer
        self._variables = variables
        self._transfers = transfers
        self._session = session
        self._statics: dict[tuple[Operation, Device], Any] = {}
        self._contexts: dict[Operation, Context] = {}

    def plan(self, fetches: Sequence[Element], feeds: Sequence[Tensor]) -> Plan:
        """The plan for some fetches, where some tensors are fed.

        Raises:
            NotFoundError: an operation that would have to run is none of gpersist's.
            UnimplementedError: operations depend on each other in a circle.
        """
        return _Builder(self, fetches, feeds).plan()

    def context(self, op: Operation) -> Context:
        """The context of an operation, always the same one."""
        found = self._contexts.get(op)
        if found is None:
            found = self._contexts[op] = Context(op, self._placer.device_of(op), self._variables, {}, self._session)
        return found

    def static(self, op: Operation, op_type: type[OpType], device: Device) -> Any:
        """The one output, in a device's memory, of an operation that has the same in every run."""
        found = self._statics.get((op, device))
        if found is None:
            if op_type.takes_context:
                found = op_type.run(self.context(op), **{name: op.attr(name) for name in op_type.run_attrs})
            elif device.is_host:
                found = op_type.run(array_module(device), **{name: op.attr(name) for name in op_type.run_attrs})
            else:
                found = self.move(self.static(op, op_type, self.host), device)
            self._statics[op, device] = found
        return found

    def device_of(self, op: Operation, op_type: type[OpType]) -> Device:
        """Where an operation runs."""
        return self._placer.host if op_type.is_host_only else self._placer.device_of(op)

    @property
    def host(self) -> Device:
        """The host."""
        return self._placer.host

    def move(self, value: Any, device: Device) -> Any:
        """A value in a device's memory."""
        return self._transfers.move(value, device)


class _Builder:
    """One plan in the making."""

    def __init__(self, planner: Planner, fetches: Sequence[Element], feeds: Sequence[Tensor]) -> None:
        self._planner = planner
        self._fetches = fetches
        self._feeds = feeds
        self._fed = set(feeds)
        self._slots: list[Any] = []
        self._steps: list[tuple[Device, Step]] = []
        self._homes: dict[Tensor, Device] = {}
        self._where: dict[tuple[Tensor, Device], int] = {}
        self._has_switches = False
        self._is_fresh: set[int] = set()  # slots whose arrays nobody else can have: those that were moved

    def plan(self) -> Plan:
        feeds = tuple(self._slot(tensor, self._planner.host) for tensor in self._feeds)
        ops = _in_order(_needed(self._fetches, self._fed))
        self._has_switches = any(op.type in _SWITCHES for op in ops)
        for op in ops:
            self._add(op)
        fetches = tuple(self._fetch(element) for element in self._fetches)
        return Plan(self._segments(fetches), self._has_switches, self._slots, feeds, fetches)

    def _slot(self, tensor: Tensor, device: Device, value: Any = None) -> int:
        """A new slot, in which a tensor's value in a device's memory will be."""
        self._slots.append(value)
        self._homes.setdefault(tensor, device)
        slot = self._where[tensor, device] = len(self._slots) - 1
        return slot

    def _add(self, op: Operation) -> None:
        op_type = op.op_type
        if op_type is None:
            raise with_op(
                NotFoundError(
                    f"Op type not registered '{op.type}': gpersist has no such operation, so that node '{op.name}' can be exported, but not run; "
                    "fetch something that does not need it, or feed its outputs"
                ),
                op,
            )
        device = self._planner.device_of(op, op_type)
        if op_type.is_static:
            if op.outputs[0] in self._fed:
                return
            value = self._planner.static(op, op_type, device)
            if self._is_static(op):
                self._slot(op.outputs[0], device, value)
            else:
                self._step(device, lambda: value, (), self._slot(op.outputs[0], device), op, op._control_inputs)
            return
        context = self._planner.context(op) if op_type.takes_context else None
        inputs = tuple(self._input(op, op_type, index, device) for index in range(len(op._inputs)))
        first = context if context is not None else array_module(device)
        attrs = {name: op.attr(name) for name in op_type.run_attrs}
        kernel: Callable[..., Any] = functools.partial(op_type.run, first, **attrs)
        if op.signature is not None and op.signature.has_lists:
            kernel = _grouping(kernel, op)
        self._step(device, kernel, inputs, self._outputs(op, op_type, device), op, op._control_inputs)

    def _input(self, op: Operation, op_type: type[OpType], index: int, device: Device) -> int:
        tensor = op._inputs[index]
        if tensor.dtype.enum > 100 and takes_reference(op, index):
            if tensor in self._fed:
                raise with_op(UnimplementedError(f"'{op.name}' takes a reference to a variable: {tensor.name} cannot be fed"), op)
            return self._where[tensor, self._homes[tensor]]
        if op_type.host_inputs and _argument_of(op, index) in op_type.host_inputs:
            device = self._planner.host
        return self._value(tensor, device, op)

    def _value(self, tensor: Tensor, device: Device, op: Operation) -> int:
        """The slot of a tensor's value in a device's memory; adds what has to be done for it to be there."""
        home = self._homes[tensor]
        slot = self._where[tensor, home]
        if tensor.dtype.base_dtype.numpy is None:
            return slot  # a handle is everywhere
        if tensor.dtype.enum > 100 and tensor not in self._fed:
            # The reference is followed each time anew: the variable may have been assigned to since.
            self._slots.append(None)
            read = len(self._slots) - 1
            self._step(home, Buffer.read, (slot,), read, op)
            return read if home is device else self._moved(read, device, op)
        found = self._where.get((tensor, device))
        if found is not None:
            return found
        source = tensor.op.op_type
        if source is not None and self._is_static(tensor.op) and tensor not in self._fed:
            return self._slot(tensor, device, self._planner.static(tensor.op, source, device))
        found = self._where[tensor, device] = self._moved(slot, device, op)
        return found

    def _is_static(self, op: Operation) -> bool:
        """Whether the output is there from the start. In a branch that may not be taken it is not."""
        return op.op_type is not None and op.op_type.is_static and not (self._has_switches and op._control_inputs)

    def _moved(self, slot: int, device: Device, op: Operation) -> int:
        self._slots.append(None)
        moved = len(self._slots) - 1
        self._is_fresh.add(moved)
        self._step(device, functools.partial(_move, self._planner.move, device), (slot,), moved, op)
        return moved

    def _outputs(self, op: Operation, op_type: type[OpType], device: Device) -> int | tuple[int, ...]:
        slots: list[int] = []
        for index, tensor in enumerate(op.outputs):
            if tensor in self._fed:  # what was fed stays
                self._slots.append(None)
                slots.append(len(self._slots) - 1)
                continue
            on_host = op_type.host_outputs and _output_of(op, index) in op_type.host_outputs
            slots.append(self._slot(tensor, self._planner.host if on_host else device))
        return slots[0] if len(slots) == 1 else tuple(slots)

    def _step(
        self,
        device: Device,
        kernel: Callable[..., Any],
        inputs: tuple[int, ...],
        outputs: int | tuple[int, ...],
        op: Operation,
        controls: Sequence[Operation] | None = None,
    ) -> None:
        self._steps.append((device, Step(kernel, inputs, outputs, (), op, controls)))

    def _fetch(self, element: Element) -> Fetch | None:
        if isinstance(element, Operation):
            return None
        slot = self._value(element, self._planner.host, element.op)
        return Fetch(slot, slot not in self._is_fresh, element in self._fed)

    def _segments(self, fetches: Sequence[Fetch | None]) -> tuple[tuple[Device | None, tuple[Step, ...]], ...]:
        """The steps, each knowing what nobody needs after it, in runs of one CUDA device."""
        kept = {fetch.slot for fetch in fetches if fetch is not None}
        seen = set(kept)
        steps: list[tuple[Device | None, Step]] = []
        for device, step in reversed(self._steps):
            outputs = step.outputs if isinstance(step.outputs, tuple) else (step.outputs,)
            unused = tuple(slot for slot in dict.fromkeys((*step.inputs, *outputs)) if slot not in seen)
            seen.update(unused)
            steps.append((device if device.backend == "cuda" else None, step._replace(unused=unused)))
        segments: list[tuple[Device | None, list[Step]]] = []
        for needs, step in reversed(steps):
            if not segments or segments[-1][0] is not needs:
                segments.append((needs, []))
            segments[-1][1].append(step)
        return tuple((device, tuple(found)) for device, found in segments)


def _move(move: Callable[[Any, Device], Any], device: Device, value: Any) -> Any:
    return move(value, device)


def _grouping(kernel: Callable[..., Any], op: Operation) -> Callable[..., Any]:
    """A kernel that takes its inputs flat, for one whose inputs are lists."""
    return lambda *values: kernel(*op.grouped(values))


def _argument_of(op: Operation, index: int) -> str:
    """The name of the signature's input that an input tensor belongs to."""
    names = op.grouped([None] * len(op._inputs))
    assert op.signature is not None
    for arg, group in zip(op.signature.inputs, names, strict=True):
        count = len(group) if arg.is_list else 1
        if index < count:
            return arg.name
        index -= count
    raise InternalError(f"{op.name} has no input {index}")


def _output_of(op: Operation, index: int) -> str:
    """The name of the signature's output that an output tensor belongs to."""
    assert op.signature is not None
    for arg in op.signature.outputs:
        count = len(op.attr(arg.type_list_attr)) if arg.type_list_attr else op.attr(arg.number_attr) if arg.number_attr else 1
        if index < count:
            return arg.name
        index -= count
    raise InternalError(f"{op.name} has no output {index}")


def _needed(fetches: Sequence[Element], fed: set[Tensor]) -> list[Operation]:
    """The operations that have to run, in the order in which they were made."""
    found: set[Operation] = set()
    waiting = [fetch if isinstance(fetch, Operation) else fetch.op for fetch in fetches if isinstance(fetch, Operation) or fetch not in fed]
    while waiting:
        op = waiting.pop()
        if op in found:
            continue
        found.add(op)
        waiting += [tensor._op for tensor in op._inputs if tensor not in fed]
        waiting += op._control_inputs
    return sorted(found, key=lambda op: op._id)


def _in_order(ops: list[Operation]) -> list[Operation]:
    """The same operations, each behind what it waits for; as they are, where that is so already.

    Raises:
        UnimplementedError: some wait for each other.
    """
    members = set(ops)
    done: set[Operation] = set()
    order: list[Operation] = []
    path: dict[Operation, None] = {}
    for first in ops:
        stack = [first]
        while stack:
            op = stack[-1]
            if op in done:
                stack.pop()
                continue
            ahead = [found for found in _waits_for(op) if found in members and found not in done]
            if not ahead:
                stack.pop()
                path.pop(op, None)
                done.add(op)
                order.append(op)
                continue
            path[op] = None
            circle = next((found for found in ahead if found in path), None)
            if circle is not None:
                raise with_op(UnimplementedError(f"'{op.name}' and '{circle.name}' wait for each other: loops (tf.while_loop) cannot be run yet"), op)
            stack += ahead
    return order


def _waits_for(op: Operation) -> list[Operation]:
    return [tensor._op for tensor in op._inputs] + op._control_inputs
