"""What surrounds the making of an operation: devices, colocation, control dependencies.

Device scopes merge as TensorFlow's do: an inner one wins part by part; a function's answer is stored as it stands; None shuts the outer ones out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gpersist.devices import DeviceSpec

if TYPE_CHECKING:
    from gpersist.graph.operation import Operation

DeviceChooser = Callable[[Any], Any]
"""Gives an operation's device: text, or a DeviceSpec; `op.device` for the one it has."""

DeviceOrFunction = str | DeviceSpec | DeviceChooser | None


@functools.lru_cache(maxsize=4096)
def merged(outer: str, inner: str) -> str:
    """The device string of `inner`, with the parts that it lacks from `outer`."""
    return DeviceSpec.from_string(outer).make_merged_spec(DeviceSpec.from_string(inner)).to_string()


def device_string(device: Any) -> str:
    """The text of a device that is text already, a DeviceSpec, or None."""
    if device is None or isinstance(device, str):
        return device or ""
    if not hasattr(device, "to_string"):
        raise TypeError(f"Expected a device as text, a DeviceSpec or None, found {device!r}")
    return str(device.to_string())


class ControlDependencies:
    """One `with control_dependencies(...)`: what has to run first, and what was made within."""

    __slots__ = ("inputs", "seen")

    def __init__(self, inputs: Sequence[Operation]) -> None:
        self.inputs = inputs
        self.seen: set[Operation] = set()


class Scopes:
    """The part of a `Graph` that device, colocation and control dependency scopes are."""

    def __init__(self) -> None:
        self._device_stack: list[str | DeviceChooser | None] = []
        self._colocation_stack: list[Operation] = []
        self._control_stack: list[ControlDependencies] = []
        self._control_flow_context: Any = None  # of gpersist.ops: the branch or the loop that is being built
        self._attr_scopes: dict[str, Any] = {}
        self._gradient_overrides: dict[str, str] = {}

    @contextmanager
    def device(self, device_name_or_function: DeviceOrFunction) -> Iterator[None]:
        """Gives what is made within a device.

        Args:
            device_name_or_function: a device in any spelling, part of one (which merges with scopes around this one); a function that gets each
                operation and gives its device, stored as it stands; None for no device at all, whatever the scopes around this one say.

        Raises:
            InvalidArgumentError: the text is no device string.
            AttributeError, TypeError: it is no text either.
        """
        entry: Any = device_name_or_function
        if hasattr(entry, "to_string"):  # a DeviceSpec, or TensorFlow 1's mutable one
            entry = entry.to_string()
        elif entry is not None and not callable(entry):
            hash(entry)  # TensorFlow looks it up first
            DeviceSpec.from_string(entry)
        depth = len(self._device_stack)
        self._device_stack.append(entry)
        try:
            yield
        finally:
            is_nested = len(self._device_stack) == depth + 1 and self._device_stack[-1] is entry
            del self._device_stack[depth:]
        if not is_nested:
            raise RuntimeError("Exiting device scope without proper scope nesting.")

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Puts what is made within on the device of an operation; device scopes around this one don't count.

        Args:
            op: an operation, a tensor, a variable; None, with `ignore_existing`, for no colocation.
            ignore_existing: whether colocation scopes around this one are shut out.

        Raises:
            ValueError: None without `ignore_existing`.
        """
        if op is None and not ignore_existing:
            raise ValueError("Trying to reset colocation (op is None) but ignore_existing is not True")
        devices, self._device_stack = self._device_stack, []
        colocations = self._colocation_stack
        inner = [] if ignore_existing else list(colocations)
        self._colocation_stack = inner if op is None else [*inner, self._operation_of(op)]
        try:
            yield
        finally:
            self._device_stack, self._colocation_stack = devices, colocations

    @contextmanager
    def control_dependencies(self, control_inputs: Sequence[Any] | None) -> Iterator[None]:
        """Makes what is made within run after other operations.

        Args:
            control_inputs: operations, tensors, variables; None shuts out the scopes around this one, and branches and loops that are being built.
        """
        outer, context = self._control_stack, self._control_flow_context
        if control_inputs is None:
            self._control_stack = [ControlDependencies(())]
            self._control_flow_context = None
        else:
            before = {op for controller in outer for op in controller.inputs}
            fresh = [op for op in dict.fromkeys(map(self._operation_of, control_inputs)) if op not in before]
            self._control_stack = [*outer, ControlDependencies(fresh)]
        try:
            yield
        finally:
            self._control_stack = outer
            if control_inputs is None:
                self._control_flow_context = context

    @contextmanager
    def _attr_scope(self, attrs: Mapping[str, Any]) -> Iterator[None]:
        """Gives what is made within attributes that it does not have; None as a value takes one of the scopes around this one away."""
        outer = self._attr_scopes
        self._attr_scopes = {name: value for name, value in (outer | dict(attrs)).items() if value is not None}
        try:
            yield
        finally:
            self._attr_scopes = outer

    @contextmanager
    def gradient_override_map(self, op_type_map: Mapping[str, str]) -> Iterator[None]:
        """Gives what is made within another gradient than that of its type.

        Args:
            op_type_map: by type of operation, the name that `RegisterGradient` was given.

        Raises:
            TypeError: it is no dict of texts.
        """
        if not isinstance(op_type_map, dict) or not all(isinstance(text, str) for item in op_type_map.items() for text in item):
            raise TypeError(f"`op_type_map` must be a dictionary mapping strings to strings. Received: {op_type_map}")
        outer = self._gradient_overrides
        self._gradient_overrides = outer | op_type_map
        try:
            yield
        finally:
            self._gradient_overrides = outer

    def _scoped_control_inputs(self, input_ops: set[Operation]) -> list[Operation]:
        """The control inputs of an operation with these inputs: those of each scope, unless an input was made within it and so waits already."""
        found: dict[Operation, None] = {}
        for controller in self._control_stack:
            if controller.seen.isdisjoint(input_ops):
                found.update(dict.fromkeys(op for op in controller.inputs if op not in input_ops))
        return list(found)

    def _record_op_seen_by_control_dependencies(self, op: Operation) -> None:
        """Counts an operation as made within each control dependency scope."""
        for controller in self._control_stack:
            controller.seen.add(op)

    def _get_control_flow_context(self) -> Any:
        """The branch (`tf.cond`) or loop (`tf.while_loop`) that is being built; None for neither."""
        return self._control_flow_context

    def _set_control_flow_context(self, context: Any) -> None:
        """Makes what is made from now on part of a branch or a loop; of neither for None."""
        self._control_flow_context = context

    def _place_in_scopes(self, op: Operation) -> None:
        """Gives a new operation the device and the colocation of the scopes that it was made in."""
        for name, value in self._attr_scopes.items():
            if not op.has_attr(name):
                op._set_attr(name, value)
        if op.type in self._gradient_overrides:
            op._set_attr("_gradient_op_type", self._gradient_overrides[op.type].encode())
        self._record_op_seen_by_control_dependencies(op)
        self._apply_devices(op)
        if self._colocation_stack:
            groups: set[bytes] = set()
            device = ""
            for other in reversed(self._colocation_stack):
                groups.update(other.colocation_groups())
                device = device or other.device
            if device:
                op._set_device(device)
            op._set_attr("_class", sorted(groups))

    def _apply_devices(self, op: Operation) -> None:
        """Gives an operation the device of the device scopes, innermost first."""
        for entry in reversed(self._device_stack):
            if entry is None:
                break
            if isinstance(entry, str):
                if entry:
                    op._set_device(merged(entry, op.device))
            else:
                device = entry(op)
                if device is None:
                    raise TypeError(f"the device function {entry!r} gave None for {op.name!r}; give op.device for the device that it has")
                op._set_device(device_string(device))

    def _operation_of(self, value: Any) -> Operation:
        raise NotImplementedError
