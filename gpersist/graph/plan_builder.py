"""From fetches and feeds to steps: what is needed, in an order in which it can run, with every move between devices spelled out.

Constants, variables and resources are put into their slots when the plan is made, so that they cost a run nothing. A plan stays right as long as the
operations in it are not changed; operations added to the graph don't matter to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from gpersist.devices import Device
from gpersist.errors import InternalError, InvalidArgumentError, UnimplementedError
from gpersist.graph.context import Context
from gpersist.graph.fetches import Element
from gpersist.graph.folding import folded, hands_on
from gpersist.graph.frames import ENTERS, EXITS, MERGES, NEXTS, SWITCHES, Frame, Frames, forward_sources, in_order, is_loop_merge, loop_switches
from gpersist.graph.function_library import FunctionCall
from gpersist.graph.memory_guard import guarded
from gpersist.graph.op_type import OpType
from gpersist.graph.operation import Operation
from gpersist.graph.permissions import check_allowed
from gpersist.graph.placer import takes_reference, with_op
from gpersist.graph.plan import Fetch, Loop, LoopVariable, Part, Plan, Step
from gpersist.graph.requirements import check_known
from gpersist.graph.reuse import MIN_ELEMENTS, reusing
from gpersist.graph.tensor import Tensor
from gpersist.graph.transfer import array_module
from gpersist.graph.variables_store import Buffer


class Surroundings(Protocol):
    """What a session gives to the plans that are made for it; see `Planner`."""

    @property
    def host(self) -> Device:
        """The host."""

    def context(self, op: Operation) -> Context:
        """The context of an operation, always the same one."""

    def static(self, op: Operation, op_type: type[OpType], device: Device) -> Any:
        """The one output, in a device's memory, of an operation that has the same in every run."""

    def device_of(self, op: Operation, op_type: type[OpType]) -> Device:
        """Where an operation runs."""

    def tell_of_fallbacks(self, ops: Iterable[Operation]) -> None:
        """Logs which of some operations run on the host though there is a device."""

    def move(self, value: Any, device: Device) -> Any:
        """A value in a device's memory."""


class PlanBuilder:
    """One plan in the making."""

    def __init__(self, planner: Surroundings, fetches: Sequence[Element], feeds: Sequence[Tensor], places: Sequence[Device] | None) -> None:
        self._planner = planner
        self._places = places
        self._fetches = fetches
        self._feeds = feeds
        self._fed = set(feeds)
        self._slots: list[Any] = []
        self._steps: list[tuple[Device, Step] | Loop] = []
        self._homes: dict[Tensor, Device] = {}
        self._where: dict[tuple[Tensor, Device], int] = {}
        self._has_switches = False
        self._loop_switches: set[Operation] = set()  # which are no steps: a loop is left, or gone on with, as a whole
        self._idle: set[Operation] = set()
        self._constant: set[int] = set()  # slots on the host whose values are the same in every run
        self._awaited: set[Operation] = set()  # operations that others wait for
        self._is_fresh: set[int] = set()  # slots whose arrays nobody else can have: those that were moved

    def plan(self) -> Plan:
        """The plan; called once. See `Planner.plan`."""
        places = self._places or [self._planner.host] * len(self._feeds)
        feeds = tuple(self._slot(tensor, place) for tensor, place in zip(self._feeds, places, strict=True))
        needed, self._idle = _needed(self._fetches, self._fed)
        check_known(needed)
        self._awaited = {awaited for op in needed for awaited in op._control_inputs}
        check_allowed(needed, self._fed)
        self._planner.tell_of_fallbacks(needed)
        self._frames = Frames(needed)
        self._add_all(self._frames.root, self._in_order(self._frames.root))
        fetches = tuple(self._fetch(element) for element in self._fetches)
        kept = {fetch.slot for fetch in fetches if fetch is not None}
        return Plan(self._parts(self._steps, kept, is_whole=True), self._slots, feeds, fetches)

    def _in_order(self, frame: Frame) -> list[Operation | Frame]:
        """What is directly in a frame, operations and loops, each behind what it waits for."""
        if not frame.children:
            operations: list[Operation | Frame] = [*in_order(frame.ops, forward_sources)]
            return operations

        def waits_for(item: Operation | Frame) -> list[Operation | Frame]:
            ahead = [self._frames.item(source, frame) for op in _everything_in(item) for source in forward_sources(op)]
            return [found for found in dict.fromkeys(ahead) if found is not None and found is not item]

        members: list[Operation | Frame] = [*frame.ops, *frame.children]
        return in_order(members, waits_for)

    def _add_all(self, frame: Frame, items: Sequence[Operation | Frame]) -> None:
        outer = self._has_switches
        self._has_switches = any(op.type in SWITCHES and op not in self._loop_switches for op in frame.ops)
        for item in items:
            if isinstance(item, Frame):
                self._add_loop(item)
            else:
                self._add(item)
        self._has_switches = outer

    def _add_loop(self, frame: Frame) -> None:
        """A loop: its condition, its body, and what is done when it is left, each with slots of its own for what it moves and reads."""
        merges = [op for op in frame.ops if is_loop_merge(op)]
        for op in frame.enters:
            self._alias(op.outputs[0], op._inputs[0], op)
        if not merges:  # nothing comes back: it is run once
            self._add_all(frame, self._in_order(frame))
            for op in frame.exits:
                self._alias(op.outputs[0], op._inputs[0], op)
            return
        condition, switches = loop_switches(frame)
        self._loop_switches.update(switches)
        starts = [self._handed(_enter_of(op), op) for op in merges]
        outer_steps, outer_where = self._steps, dict(self._where)
        values = [
            (self._slot(op.outputs[0], self._planner.device_of(op, _known(op))), self._slot(op.outputs[1], self._planner.host)) for op in merges
        ]
        of_condition, of_body, of_leaving = self._sides(frame, {*merges, *switches}, switches)

        conditions: list[tuple[Device, Step] | Loop] = []
        self._steps = conditions
        self._add_all(frame, of_condition)
        predicate = self._value(condition, self._planner.host, condition.op)
        where = dict(self._where)

        body: list[tuple[Device, Step] | Loop] = []
        self._steps = body
        for op in switches:
            self._alias(op.outputs[1], op._inputs[0], op)
        self._add_all(frame, of_body)
        carried = [self._handed(_next_of(op)._inputs[0], op) for op in merges]
        self._where = dict(where)

        leaving: list[tuple[Device, Step] | Loop] = []
        self._steps = leaving
        for op in switches:
            self._alias(op.outputs[0], op._inputs[0], op)
        self._add_all(frame, of_leaving)
        exits = [self._handed(op._inputs[0], op) for op in frame.exits]

        self._steps, self._where = outer_steps, outer_where
        results = [self._slot(op.outputs[0], self._planner.device_of(op, _known(op))) for op in frame.exits]
        variables = tuple(LoopVariable(start, *value, carry) for start, value, carry in zip(starts, values, carried, strict=True))
        kept = {predicate, *carried, *exits, *(slot for part in (body, leaving) for slot in _read_by(part))}
        read = {slot for part in (conditions, body, leaving) for slot in _read_by(part)} | {*exits, *carried, predicate}
        made = {slot for part in (conditions, body, leaving) for slot in _made_by(part)} | {slot for value in values for slot in value}
        self._steps.append(
            Loop(
                variables,
                self._parts(conditions, kept),
                predicate,
                self._parts(body, kept),
                self._parts(leaving, kept),
                tuple(zip(exits, results, strict=True)),
                tuple(frame.exits),
                (*starts, *sorted(read - made)),
                (),
                condition.op,
            )
        )

    def _sides(
        self, frame: Frame, given: set[Operation], switches: Sequence[Operation]
    ) -> tuple[list[Operation | Frame], list[Operation | Frame], list[Operation | Frame]]:
        """What is in a loop: what its condition needs, what is done while that is true, and what is done when it is left."""
        after: dict[Operation | Frame, bool] = {}  # whether it is done in an iteration, of what depends on the condition
        sides: tuple[list[Operation | Frame], list[Operation | Frame], list[Operation | Frame]] = ([], [], [])
        left = {op.outputs[0] for op in switches}
        entered = {op.outputs[1] for op in switches}
        for item in self._in_order(frame):
            if item in given or (isinstance(item, Operation) and item.type in NEXTS):
                continue
            ops = _everything_in(item)
            tensors = {tensor for op in ops for tensor in op._inputs}
            ahead = {self._frames.item(source, frame) for op in ops for source in forward_sources(op)} - {item, None}
            of_ahead = {after[found] for found in ahead if found in after}
            if True in of_ahead or not tensors.isdisjoint(entered):
                after[item] = True
                sides[1].append(item)
            elif False in of_ahead or not tensors.isdisjoint(left):
                after[item] = False
                sides[2].append(item)
            else:
                sides[0].append(item)
        return sides

    def _handed(self, tensor: Tensor, op: Operation) -> int:
        """The slot of what a loop's operation takes: a reference as it is, if it gives one."""
        if tensor.dtype.is_ref and op.outputs[0].dtype.is_ref:
            return self._where[tensor, self._homes[tensor]]
        return self._value(tensor, self._planner.device_of(op, _known(op)), op)

    def _alias(self, tensor: Tensor, source: Tensor, op: Operation) -> None:
        """Has a tensor be another one, in the memory of an operation's device."""
        if tensor in self._fed:
            return
        device = self._planner.device_of(op, _known(op))
        if source.dtype.is_ref and tensor.dtype.is_ref:
            device = self._homes[source]
            slot = self._where[source, device]
        else:
            slot = self._value(source, device, op)
        self._homes[tensor] = device
        self._where[tensor, device] = slot

    def _slot(self, tensor: Tensor, device: Device, value: Any = None) -> int:
        """A new slot, in which a tensor's value in a device's memory will be."""
        self._slots.append(value)
        self._homes.setdefault(tensor, device)
        slot = self._where[tensor, device] = len(self._slots) - 1
        return slot

    def _add(self, op: Operation) -> None:
        op_type = _known(op)
        if op in self._idle and not self._has_switches:  # where there are some, the operations behind it may depend on whether it runs
            return
        device = self._planner.device_of(op, op_type)
        if op_type.is_static:
            if op.outputs[0] in self._fed:
                return
            value = self._planner.static(op, op_type, device)
            if self._is_static(op):
                slot = self._slot(op.outputs[0], device, value)
                if device.is_host and not op_type.takes_context:
                    self._constant.add(slot)
            else:
                self._step(device, lambda: value, (), self._slot(op.outputs[0], device), op, op._control_inputs)
            return
        is_conditional = self._has_switches and (op in self._awaited or bool(op._control_inputs))
        if hands_on(op) and not is_conditional and op.outputs[0] not in self._fed:
            self._alias(op.outputs[0], op._inputs[0], op)
            return
        context = self._planner.context(op) if op_type.takes_context else None
        on_host = _on_host(op, op_type)
        inputs = tuple(
            self._input(op, index, self._planner.host if index in on_host else None if op_type.takes_any_device else device)
            for index in range(len(op._inputs))
        )
        first = context if context is not None else array_module(device)
        kernel: Callable[..., Any] = functools.partial(op_type.run, first, **_attrs(op, op_type))
        if op.signature is not None and op.signature.has_lists:
            kernel = _grouping(kernel, op)
        kernel = guarded(kernel, op, device)
        if device.is_host and not is_conditional and self._is_settled(op, inputs):
            found = folded(op, kernel, [self._slots[slot] for slot in inputs])
            if found is not None:
                self._constant.update(self._slot(tensor, device, value) for tensor, value in zip(op.outputs, found, strict=True))
                return
        self._step(device, kernel, inputs, self._outputs(op, op_type, device), op, op._control_inputs)

    def _input(self, op: Operation, index: int, device: Device | None) -> int:
        """The slot of an input in a device's memory; None for wherever it is."""
        tensor = op._inputs[index]
        if tensor.dtype.enum > 100 and takes_reference(op, index):
            if tensor in self._fed:
                raise with_op(UnimplementedError(f"'{op.name}' takes a reference to a variable: {tensor.name} cannot be fed"), op)
            return self._where[tensor, self._homes[tensor]]
        return self._value(tensor, self._homes[tensor] if device is None else device, op)

    def _value(self, tensor: Tensor, device: Device, op: Operation) -> int:
        """The slot of a tensor's value in a device's memory; adds what has to be done for it to be there."""
        tensor = self._read_through(tensor)
        home = self._homes[tensor]
        slot = self._where[tensor, home]
        if tensor.dtype.base_dtype.numpy is None:
            return slot  # a handle is everywhere
        if tensor.dtype.enum > 100 and tensor not in self._fed:
            # The reference is followed each time anew: the variable may have been assigned to since.
            self._slots.append(None)
            read = len(self._slots) - 1
            self._step(home, _read_text if tensor.dtype.base_dtype.is_string else Buffer.read, (slot,), read, op)
            return read if home is device else self._moved(read, device, op)
        found = self._where.get((tensor, device))
        if found is not None:
            return found
        source = tensor.op.op_type
        if source is not None and self._is_static(tensor.op) and tensor not in self._fed:
            return self._slot(tensor, device, self._planner.static(tensor.op, source, device))
        found = self._where[tensor, device] = self._moved(slot, device, op)
        return found

    def _read_through(self, tensor: Tensor) -> Tensor:
        """The reference behind what only reads a variable, `v/read`: as in TensorFlow, where both share memory, it shows what was assigned since."""
        op = tensor.op
        if op.type != "Identity" or op._control_inputs or tensor in self._fed:
            return tensor
        source = op._inputs[0]
        is_alias = source.dtype.enum > 100 and self._is_static(source.op) and source not in self._fed and self._homes[source] is self._homes[tensor]
        return source if is_alias else tensor

    def _is_settled(self, op: Operation, inputs: Sequence[int]) -> bool:
        """Whether an operation gives the same in every run."""
        return bool(inputs) and self._constant.issuperset(inputs) and _is_pure(op) and self._fed.isdisjoint(op.outputs)

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
        is_list = op.signature is not None and any(arg.is_list for arg in op.signature.outputs)  # a list of one is a list
        return slots[0] if len(slots) == 1 and not is_list else tuple(slots)

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
        if (element, self._homes.get(element)) not in self._where:
            raise with_op(
                InvalidArgumentError(f"{element.name} is inside of a loop, with a value in each iteration: it cannot be fetched"), element.op
            )
        device = self._planner.host if self._places is None else self._homes[element]
        slot = self._value(element, device, element.op)
        return Fetch(slot, slot not in self._is_fresh, element in self._fed)

    def _parts(self, added: Sequence[tuple[Device, Step] | Loop], kept: set[int], *, is_whole: bool = False) -> tuple[Part, ...]:
        """What was added, each step knowing what nobody needs after it, those on one CUDA device together.

        Args:
            added: steps and loops, in order.
            kept: slots that are needed after all of it.
            is_whole: whether slots that others have filled are not needed after it either.
        """
        own = set(_made_by(added))
        seen = set(kept)
        done: list[tuple[Device | None, Step | Loop]] = []
        for entry in reversed(added):
            device, step = (None, entry) if isinstance(entry, Loop) else entry
            touched = (*step.inputs, *_outputs_of(step))
            unused = tuple(slot for slot in dict.fromkeys(touched) if slot not in seen and (is_whole or slot in own))
            seen.update(unused)
            seen.update(touched)
            step = step._replace(unused=unused)
            if isinstance(step, Step):
                step = _in_place(step)
            done.append((device if device is not None and device.backend == "cuda" else None, step))
        has_switches = any(isinstance(step, Step) and step.controls is not None and step.op.type in SWITCHES for _, step in done)
        parts: list[Part] = []
        row: list[Step] = []
        current: Device | None = None
        for device, found in reversed(done):
            if row and (isinstance(found, Loop) or device is not current):
                parts.append(Part(current, tuple(row), has_switches))
                row = []
            if isinstance(found, Loop):
                parts.append(Part(None, found, has_switches))
            else:
                current = device
                row.append(found)
        if row:
            parts.append(Part(current, tuple(row), has_switches))
        return tuple(parts)


def _attrs(op: Operation, op_type: type[OpType]) -> dict[str, Any]:
    """The attributes that `run` asks for, and those newer ones that the node has."""
    return {name: op.attr(name) for name in (*op_type.run_attrs, *(name for name in op_type.newer_attrs if op.has_attr(name)))}


def _in_place(step: Step) -> Step:
    """A step that writes its result over an input that nobody needs after it, where it can."""
    op_type = step.op.op_type
    if op_type is None or op_type.run_into is None or step.controls is None:
        return step
    indices = [index for index, slot in enumerate(step.inputs) if slot in step.unused and step.inputs.count(slot) == 1]
    elements = step.op.outputs[0].shape.num_elements()
    if not indices or (elements is not None and elements < MIN_ELEMENTS):
        return step
    attrs = _attrs(step.op, op_type)
    run_into = functools.partial(op_type.run_into, **attrs) if attrs else op_type.run_into
    return step._replace(kernel=reusing(step.kernel, run_into, indices))


def _outputs_of(step: Step | Loop) -> tuple[int, ...]:
    if isinstance(step, Loop):
        return tuple(result for _, result in step.exits)
    return step.outputs if isinstance(step.outputs, tuple) else (step.outputs,)


def _made_by(added: Sequence[tuple[Device, Step] | Loop]) -> list[int]:
    """The slots that steps and loops fill."""
    return [slot for entry in added for slot in _outputs_of(entry if isinstance(entry, Loop) else entry[1])]


def _read_by(added: Sequence[tuple[Device, Step] | Loop]) -> list[int]:
    """The slots that steps and loops read."""
    return [slot for entry in added for slot in (entry if isinstance(entry, Loop) else entry[1]).inputs]


def _known(op: Operation) -> type[OpType]:
    """The class of an operation. REQUIRES: gpersist has it, or it is a function."""
    return op.op_type or FunctionCall


def _everything_in(item: Operation | Frame) -> list[Operation]:
    """An operation, or all that are in a loop and in loops within it."""
    if isinstance(item, Operation):
        return [item]
    return [*item.enters, *item.ops, *item.exits, *(op for child in item.children for op in _everything_in(child))]


def _enter_of(merge: Operation) -> Tensor:
    """What a loop's variable is before the first iteration."""
    return next(tensor for tensor in merge._inputs if tensor._op.type not in NEXTS)


def _next_of(merge: Operation) -> Operation:
    """What hands a loop's variable on."""
    return next(tensor._op for tensor in merge._inputs if tensor._op.type in NEXTS)


def _read_text(reference: Any) -> Any:
    """What a reference to text refers to; handles of TensorFlow before 1.0 are such, too."""
    return reference.read() if isinstance(reference, Buffer) else reference


def _move(move: Callable[[Any, Device], Any], device: Device, value: Any) -> Any:
    return move(value, device)


def _grouping(kernel: Callable[..., Any], op: Operation) -> Callable[..., Any]:
    """A kernel that takes its inputs flat, for one whose inputs are lists."""
    return lambda *values: kernel(*op.grouped(values))


def _on_host(op: Operation, op_type: type[OpType]) -> set[int]:
    """The inputs that a kernel takes on the host, wherever it runs."""
    if not op_type.host_inputs:
        return set()
    assert op.signature is not None
    groups = zip(op.signature.inputs, op.grouped([None] * len(op._inputs)), strict=True)
    names = [arg.name for arg, group in groups for _ in range(len(group) if arg.is_list else 1)]
    return {index for index, name in enumerate(names) if name in op_type.host_inputs}


def _output_of(op: Operation, index: int) -> str:
    """The name of the signature's output that an output tensor belongs to."""
    assert op.signature is not None
    for arg in op.signature.outputs:
        count = len(op.attr(arg.type_list_attr)) if arg.type_list_attr else op.attr(arg.number_attr) if arg.number_attr else 1
        if index < count:
            return arg.name
        index -= count
    raise InternalError(f"{op.name} has no output {index}")


def _needed(fetches: Sequence[Element], fed: set[Tensor]) -> tuple[list[Operation], set[Operation]]:
    """The operations that are needed, in the order in which they were made; and those of them that need not run.

    These do nothing but compute values that nobody takes: others only wait for them. TensorFlow leaves them out as well. Such are the gradients with
    respect to what is fed, which are made, and waited for, with those of the variables.
    """
    fetched = {fetch if isinstance(fetch, Operation) else fetch.op for fetch in fetches if isinstance(fetch, Operation) or fetch not in fed}
    taken: set[Operation] = set()
    awaited: set[Operation] = set()
    waiting = list(fetched)
    behind: list[Operation] = []
    while waiting or behind:
        is_taken = bool(waiting)
        op = waiting.pop() if is_taken else behind.pop()
        if op in taken or (not is_taken and op in awaited):
            continue
        is_taken = is_taken or not _is_pure(op)
        (taken if is_taken else awaited).add(op)
        (waiting if is_taken else behind).extend(tensor._op for tensor in op._inputs if tensor not in fed)
        behind += [other for other in op._control_inputs if other.type != "Placeholder" or other.outputs[0] not in fed]
    return sorted(taken | awaited, key=lambda op: op._id), awaited - taken


_LEADING = ENTERS | EXITS | MERGES | NEXTS | SWITCHES | {"LoopCond", "PlaceholderWithDefault"}


def _is_pure(op: Operation) -> bool:
    """Whether all that an operation does is to compute its outputs."""
    op_type = op.op_type
    if op_type is None or op_type.is_stateful or op_type.takes_context or op_type.is_static or not op.outputs:
        return False
    return op.type not in _LEADING and not any(tensor.dtype.is_ref for tensor in (*op._inputs, *op.outputs))
