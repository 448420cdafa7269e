"""Operations that only make others run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from gpersist.graph import Graph, Operation, OpType, Tensor, apply_op, get_default_graph, graph_of, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.array import identity


class NoOp(OpType):
    """Does nothing; what it waits for has run."""

    samples = (sample(),)
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(xp: Any) -> None:
        return None


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing (`tf.no_op`)."""
    return apply_op("NoOp", name=name)


def control_dependencies(control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
    """Makes what is made within run after other operations, in the default graph (`tf.control_dependencies`)."""
    return get_default_graph().control_dependencies(control_inputs)


def group(*inputs: Any, name: str | None = None) -> Operation:
    """An operation that has run when all its inputs have (`tf.group`).

    Inputs on several devices are grouped device by device first, as in TensorFlow.

    Args:
        inputs: operations, tensors, variables; lists of these are taken apart.
        name: of the node.

    Raises:
        TypeError: an input is none of these.
    """
    flat = _flat(inputs)
    graph = graph_of(flat)
    with name_scope(name, "group_deps", flat) as scope:
        if not flat:
            return no_op(name=scope)
        by_device: dict[str, list[Any]] = {}
        for value in flat:
            if not hasattr(value, "device"):
                raise TypeError(f"'inputs' should be zero or more (nested) Tensors. Received '{value}' with type '{type(value)}'.")
            by_device.setdefault(value.device, []).append(value)
        if len(by_device) == 1:
            ((device, values),) = by_device.items()
            return _group_on(graph, device, values, scope)
        parts = [_group_on(graph, device, by_device[device]) for device in sorted(by_device)]
        with graph.control_dependencies(parts):
            return no_op(name=scope)


def tuple_(tensors: Sequence[Any], name: str | None = None, control_inputs: Sequence[Any] | None = None) -> list[Any]:
    """The same tensors, none of which is there before all are computed (`tf.tuple`)."""
    with name_scope(name, "tuple", tensors):
        gates = [value if isinstance(value, Operation) else value.op for value in tensors if value is not None]
        for value in control_inputs or ():
            gates.append(value if isinstance(value, Operation) else value.op)
        if not gates:
            raise ValueError(f"`tensors` must have at least one Tensor. Received: {tensors}.")
        gate = group(*sorted(set(gates), key=lambda op: op._id))
        return [value if value is None else gate if isinstance(value, Operation) else with_dependencies([gate], value) for value in tensors]


def with_dependencies(dependencies: Sequence[Any], output_tensor: Tensor, name: str | None = None) -> Tensor:
    """The same tensor, on the same device, that is there when other operations have run."""
    with name_scope(name, "control_dependency", [*dependencies, output_tensor]) as scope:
        graph = output_tensor.graph
        with graph.colocate_with(output_tensor), graph.control_dependencies(dependencies):
            return identity(output_tensor, name=scope)


def _group_on(graph: Graph, device: str, values: Sequence[Any], name: str | None = None) -> Operation:
    with graph.control_dependencies(values):
        if not device:
            return no_op(name=name)
        with graph.device(device):
            return no_op(name=name)


def _flat(values: Any) -> list[Any]:
    if isinstance(values, (list, tuple)):
        return [item for value in values for item in _flat(value)]
    if isinstance(values, dict):
        return [item for key in sorted(values) for item in _flat(values[key])]
    return [] if values is None else [values]
