"""Operations that only make others run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gpersist.errors import AbortedError, InvalidArgumentError
from gpersist.graph import DEAD, Graph, Operation, OpType, Tensor, apply_op, convert_to_tensor, get_default_graph, graph_of, name_scope, sample
from gpersist.ops import nest, shape_functions
from gpersist.ops.array import identity
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.kernels import shown
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["control_dependencies", "group", "no_op", "tuple_", "with_dependencies"]


class NoOp(OpType):
    """Does nothing; what it waits for has run."""

    samples = (sample(),)
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(xp: Any) -> None:
        return None


class _Switch(OpType, abstract=True):
    """Its data, as the first output or as the second one; the other is dead, and so is what depends on it."""

    host_inputs = ("pred",)
    scalars = ("pred",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape] * 2

    @staticmethod
    def run(xp: Any, data: Any, pred: Any) -> tuple[Any, Any]:
        if np.ndim(pred):
            raise InvalidArgumentError(f"The second input must be a scalar, but it has shape {shown(np.shape(pred))}")
        return (DEAD, data) if pred else (data, DEAD)

    @staticmethod
    def gradient(op: Operation, of_false: Tensor, of_true: Tensor) -> list[Tensor | None]:
        pred = op.inputs[1]
        sides = [apply_op("Switch", of_false, pred).outputs[0], apply_op("Switch", of_true, pred).outputs[1]]
        return [apply_op("Merge", sides).outputs[0], None]


class Switch(_Switch):
    """Its data, as `output_true` if `pred` is true, else as `output_false`."""

    inputs = "data: T, pred: bool"
    outputs = "output_false: T, output_true: T"
    attrs = "T: type"


class RefSwitch(_Switch):
    """A reference, as `output_true` if `pred` is true, else as `output_false`."""

    inputs = "data: Ref(T), pred: bool"
    outputs = "output_false: Ref(T), output_true: Ref(T)"
    attrs = "T: type"
    allows_uninitialized_input = True


class _Merge(OpType, abstract=True):
    """The one of its inputs that is not dead, and which one that is."""

    attrs = "T: type, N: int >= 1"
    host_outputs = ("value_index",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape
        for tensor in op._inputs[1:]:
            shape = shape.most_specific_compatible_shape(tensor.shape)
        return [shape, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, inputs: list[Any]) -> tuple[Any, Any]:
        return inputs[0], np.int32(0)  # where there is no Switch, nothing is dead

    @staticmethod
    def gradient(op: Operation, grad: Tensor, *_: Any) -> list[Tensor | None]:
        chosen = [apply_op("Equal", op.outputs[1], index).outputs[0] for index in range(len(op.inputs))]
        with op.graph.colocate_with(grad, ignore_existing=True):
            return [apply_op("Switch", grad, is_it).outputs[1] for is_it in chosen]


class Merge(_Merge):
    """The one of its inputs that is not dead, and which one that is."""

    inputs = "inputs: N * T"
    outputs = "output: T, value_index: int32"
    samples = (sample(["float[2,3]"], has_gradient=False),)


class RefMerge(_Merge):
    """The one of some references that is not dead, and which one that is."""

    inputs = "inputs: Ref(N * T)"
    outputs = "output: Ref(T), value_index: int32"


class RefSelect(OpType):
    """One of some references."""

    inputs = "index: int32, inputs: Ref(N * T)"
    outputs = "output: Ref(T)"
    attrs = "T: type, N: int >= 1"
    host_inputs = ("index",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        first, *others = (tensor.shape for tensor in op._inputs[1:])
        return [first if first.is_fully_defined() and all(other == first for other in others) else unknown_shape()]

    @staticmethod
    def run(xp: Any, index: Any, references: list[Any]) -> Any:
        if not 0 <= index < len(references):
            raise InvalidArgumentError(f"Index must be in the range [0, {len(references)}) but got {int(index)}")
        return references[int(index)]


class _SwitchN(OpType):
    """Its data, as the output of a number, or as the last one; the others are dead."""

    inputs = "data: T, output_index: int32"
    outputs = "outputs: num_outs * T"
    attrs = "num_outs: int >= 1, T: type"
    host_inputs = ("output_index",)
    scalars = ("output_index",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape] * op.attr("num_outs")

    @staticmethod
    def run(xp: Any, data: Any, output_index: Any, *, num_outs: int) -> list[Any]:
        chosen = int(output_index) if 0 <= output_index < num_outs else num_outs - 1
        return [data if index == chosen else DEAD for index in range(num_outs)]


class Abort(OpType):
    """Stops the run. In TensorFlow it ends the whole process, which no graph may do here."""

    attrs = "error_msg: string = '', exit_without_error: bool = false"
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(xp: Any, *, error_msg: bytes) -> None:
        raise AbortedError(error_msg.decode("utf-8", "replace") or "Abort")


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing (`tf.no_op`)."""
    return apply_op("NoOp", name=name)


def control_dependencies(control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
    """Makes what is made within run after other operations, in the default graph (`tf.control_dependencies`)."""
    return get_default_graph().control_dependencies(control_inputs)


def group(*inputs: Any, name: str | None = None, **kwargs: Any) -> Operation:
    """An operation that has run when all its inputs have (`tf.group`).

    Inputs on several devices are grouped device by device first, as in TensorFlow.

    Args:
        inputs: operations, tensors, variables; lists of these are taken apart.
        name: of the node.
        kwargs: none.

    Raises:
        TypeError: an input is none of these.
        ValueError: other keywords.
    """
    if kwargs:
        raise ValueError(f"Unknown keyword arguments: {', '.join(kwargs)}")
    flat = nest.flatten(inputs, expand_composites=True)
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
        tensors = [value if value is None or hasattr(value, "op") or isinstance(value, Operation) else convert_to_tensor(value) for value in tensors]
        gates = [value if isinstance(value, Operation) else value.op for value in tensors if value is not None]
        for value in control_inputs or ():
            if not isinstance(value, (Operation, Tensor)):
                raise TypeError(f"'control_inputs' must only contain Operation or Tensor. Received: {type(value)}")
            gates.append(value if isinstance(value, Operation) else value.op)
        if not gates:
            raise ValueError(f"'tensors' must have at least one Tensor. Received: {tensors}.")
        gate = group(*sorted(set(gates), key=lambda op: op._id))
        return [value if value is None else gate if isinstance(value, Operation) else with_dependencies([gate], value) for value in tensors]


def with_dependencies(dependencies: Sequence[Any], output_tensor: Any, name: str | None = None) -> Any:
    """The same tensor or IndexedSlices, on the same device, that is there when other operations have run."""
    with name_scope(name, "control_dependency", [*dependencies, output_tensor]) as scope:
        graph = output_tensor.graph
        with graph.colocate_with(output_tensor.op), graph.control_dependencies(dependencies):
            if isinstance(output_tensor, IndexedSlices):
                return IndexedSlices(identity(output_tensor.values, name=scope), output_tensor.indices, output_tensor.dense_shape)
            return identity(output_tensor, name=scope)


def _group_on(graph: Graph, device: str, values: Sequence[Any], name: str | None = None) -> Operation:
    with graph.control_dependencies(values):
        if not device:
            return no_op(name=name)
        with graph.device(device):
            return no_op(name=name)
