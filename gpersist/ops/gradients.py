"""`tf.gradients`: the nodes that compute derivatives, with TensorFlow's names, so that a graph that is exported with them runs there."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from gpersist.graph import (
    NoGradient,
    NotDifferentiable,
    Operation,
    RegisterGradient,
    Tensor,
    apply,
    apply_op,
    backpropagate,
    get_default_graph,
    name_scope,
)
from gpersist.ops.control import tuple_
from gpersist.ops.filling import ones, zeros
from gpersist.ops.indexed_slices import IndexedSlices, convert_n
from gpersist.ops.loop_gradients import LoopGradients, zeros_of
from gpersist.ops.passing import identity
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.variable import Variable

__all__ = [
    "AggregationMethod",
    "NoGradient",
    "NotDifferentiable",
    "RegisterGradient",
    "UnconnectedGradients",
    "gradients",
]


class AggregationMethod:
    """How several gradients of one tensor are summed (`tf.AggregationMethod`): by one AddN, or two at a time."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


class UnconnectedGradients(enum.Enum):
    """What stands for the gradient of what the result does not depend on (`tf.UnconnectedGradients`)."""

    NONE = "none"
    ZERO = "zero"


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
) -> list[Any]:
    """The derivatives of the sum of some tensors with respect to each of others (`tf.gradients`).

    Args:
        ys: a tensor or a list of them.
        xs: a tensor or a variable, or a list of them.
        grad_ys: the gradient of each of `ys`, or None for ones.
        name: of the scope that all nodes are made in.
        colocate_gradients_with_ops: whether an operation's gradient goes to its device.
        gate_gradients: whether the gradients of an operation's inputs wait for each other.
        aggregation_method: one of `AggregationMethod`.
        stop_gradients: tensors that count as constants.
        unconnected_gradients: what stands for the gradient of what `ys` do not depend on.

    Returns:
        For each of `xs` a tensor, IndexedSlices, or None where nothing connects it with `ys`.

    Raises:
        LookupError: an operation on the way has no gradient.
        ValueError: an argument is not valid.
        TypeError: a type that has no default gradient, or a gradient of another kind than its tensor's.
    """
    method = AggregationMethod.DEFAULT if aggregation_method is None else aggregation_method
    unconnected = _unconnected(unconnected_gradients)
    targets = [_value_of(y) for y in _as_list(ys)]
    sources = [_handle_of(x) for x in _as_list(xs)]
    stops = [] if stop_gradients is None else _as_list(stop_gradients)
    given = [None] * len(targets) if grad_ys is None else _as_list(grad_ys)
    with name_scope(name, "gradients", [*targets, *sources, *stops, *given]):
        get_default_graph().unique_name("uid")  # TensorFlow takes this name, too
        targets = convert_n(targets, "y")
        sources = convert_n(sources, "x", as_ref=True)
        first = _initial(given, targets, colocate_gradients_with_ops)
        rules = _Rules(method, gate_gradients)
        found = backpropagate(targets, first, sources, stops, rules, colocate=colocate_gradients_with_ops)
    rules.finish()  # outside the scope, as the names of these nodes are in TensorFlow
    if unconnected is UnconnectedGradients.ZERO:
        found = [_zeros_like(source) if grad is None else grad for source, grad in zip(sources, found, strict=True)]
    return found


class _Rules:
    """How gradients are summed, and what stands for those that are missing."""

    def __init__(self, method: int, gates: bool) -> None:
        methods = [AggregationMethod.ADD_N, AggregationMethod.EXPERIMENTAL_TREE, AggregationMethod.EXPERIMENTAL_ACCUMULATE_N]
        if method not in methods:
            raise ValueError(f"Invalid `aggregation_method` specified {method}. Accepted values are {methods}.")
        self._is_tree = method != AggregationMethod.ADD_N
        self._gates = gates
        self._loops: LoopGradients | None = None

    def total(self, op: Operation, grads: list[Any]) -> Any:
        if not all(isinstance(grad, Tensor) for grad in grads):
            return sum_of_slices(grads)
        if not self._is_tree:
            return _sum_by_device(grads)
        with name_scope(f"{op.name}_gradient_sum"):
            result = grads[0]
            for grad in grads[1:]:
                result = apply("AddN", [result, grad])
            return result

    def zeros(self, op: Operation, index: int) -> Tensor | None:
        return zeros_of(op, index) if self._loops is None else self._loops.zeros(op, index)

    def loops(self) -> LoopGradients:
        self._loops = LoopGradients()
        return self._loops

    def finish(self) -> None:
        """Completes the backward loops."""
        if self._loops is not None:
            self._loops.finish()

    def gate(self, grads: list[Any]) -> list[Any]:
        if not self._gates or sum(grad is not None for grad in grads) < 2:
            return grads
        graph = get_default_graph()
        with graph.device(None), graph.colocate_with(None, ignore_existing=True):
            return tuple_(grads)


def sum_of_slices(grads: Sequence[Any]) -> Any:
    """The sum of gradients some of which are IndexedSlices: IndexedSlices with all their rows, or a tensor if one of them is a tensor."""
    if any(isinstance(grad, Tensor) for grad in grads):
        return apply("AddN", list(grads))
    indices = [grad.indices for grad in grads]
    if len({index.dtype for index in indices}) > 1:
        indices = [index if index.dtype.name == "int64" else apply("Cast", index, DstT="int64") for index in indices]
    values = apply("ConcatV2", [grad.values for grad in grads], 0, name="concat")
    return IndexedSlices(values, apply("ConcatV2", indices, 0, name="concat"), grads[0].dense_shape)


def _sum_by_device(grads: Sequence[Tensor]) -> Tensor:
    """The sum, each device's share on that device."""
    by_device: dict[str, list[Tensor]] = {}
    for grad in grads:
        by_device.setdefault(grad.device, []).append(grad)
    sums: list[Tensor] = []
    for device in sorted(by_device):
        parts = by_device[device]
        with parts[0].graph.colocate_with(parts[0], ignore_existing=True):
            sums.append(parts[0] if len(parts) == 1 else apply("AddN", parts))
    return sums[0] if len(sums) == 1 else apply("AddN", sums)


def _initial(grad_ys: Sequence[Any], ys: Sequence[Tensor], colocate: bool) -> list[Any]:
    """The gradient of each of the tensors that are differentiated: as given, or ones."""
    if len(grad_ys) != len(ys):
        raise ValueError(f"Length mismatch. Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
    found: list[Any] = []
    for index, (y, grad) in enumerate(zip(ys, convert_n(grad_ys, "grad_y"), strict=True)):
        name = f"grad_ys_{index}"
        with y.graph.colocate_with(y) if colocate else nullcontext():
            if grad is None:
                if y.dtype.is_complex:
                    raise TypeError(f"Gradients of complex tensors ({y}) must set grad_ys (y.dtype = {y.dtype.name})")
                if y.dtype.is_string:
                    raise TypeError(f"Tensor {y} with type {y.dtype.name} must be numeric to obtain a default gradient")
                found.append(ones(shape_of(y), y.dtype.base_dtype, name=name))
                continue
            _check_kind(y, grad)
            if isinstance(grad, IndexedSlices):
                shape = None if grad.dense_shape is None else identity(grad.dense_shape, name=f"{name}_shape")
                indices = identity(grad.indices, name=f"{name}_indices")
                found.append(IndexedSlices(identity(grad.values, name=f"{name}_values"), indices, shape))
            else:
                found.append(identity(grad, name=name))
    return found


def _check_kind(y: Tensor, grad: Any) -> None:
    """Holds that a gradient is a number of the kind that its tensor is."""
    is_real = grad.dtype.is_floating or grad.dtype.is_integer
    if y.dtype.base_dtype.numpy is None and grad.dtype.base_dtype.name != "resource":  # of a variable that is a result, numbers; of a list, a list
        return
    if y.dtype.is_floating or y.dtype.is_integer:
        if not is_real:
            raise TypeError(
                f"Gradient type {grad.dtype.name} generated for real or integer-valued tensor {y} with type {y.dtype.name} must be real or integer"
            )
    elif y.dtype.is_complex:
        if not grad.dtype.is_complex:
            raise TypeError(f"Gradient type {grad.dtype.name} generated for complex-valued tensor {y} with type {y.dtype.name} must be complex")
    else:
        raise TypeError(f"Tensor {y} with type {y.dtype.name} must be numeric to obtain a default gradient")


def _unconnected(value: Any) -> UnconnectedGradients:
    try:
        return UnconnectedGradients(value)
    except ValueError:
        raise ValueError(f"Unknown value for unconnected_gradients: '{value}'") from None


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _value_of(y: Any) -> Any:
    return y.value() if isinstance(y, Variable) and not y.dtype.is_ref else y


def _handle_of(x: Any) -> Any:
    """The tensor that stands for a variable on the way back: its resource or its reference."""
    return x._variable if isinstance(x, Variable) else x


def _zeros_like(tensor: Tensor) -> Tensor:
    if tensor.dtype.base_dtype.name == "resource":
        return zeros(apply("VariableShape", tensor), tensor.op.attr("dtype"))
    if tensor.shape.is_fully_defined():
        return zeros(tensor.shape, tensor.dtype.base_dtype, name="zeros_like")
    return apply_op("ZerosLike", tensor, name="zeros_like").outputs[0]
