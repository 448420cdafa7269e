"""Softmax, its logarithm, and the cross entropies of it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, convert_to_tensor, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import subtract
from gpersist.ops.arranging import transpose
from gpersist.ops.builders import renamed_argument
from gpersist.ops.joining import concat
from gpersist.ops.kernels import in_blocks
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank
from gpersist.shapes import TensorShape

__all__ = ["log_softmax", "softmax"]

_REAL = "T: {half, bfloat16, float, double}"
_SHORT_ROW = 8


class _PerRow(OpType, abstract=True):
    """Of the input's shape, computed along the last axis."""

    inputs = "logits: T"
    attrs = _REAL
    is_foldable = True
    samples = (
        sample("float[2,3]"),
        sample("double[2,1,3]"),
        sample("float[0,3]"),
        sample("float[2,0]"),
        sample("half[4]", has_gradient=False),
        sample("float[2,3] in 60..90", has_gradient=False),  # exp of it, or of it less its row's sum, is no number of float32
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape
        if shape.rank == 0:
            raise ValueError("Shape must be at least rank 1 but is rank 0")
        return [shape]


class Softmax(_PerRow):
    """exp(logits), divided by its sum along the last axis."""

    outputs = "softmax: T"

    @staticmethod
    def run(xp: Any, logits: Array) -> Array:
        _check_rank(logits)
        return in_blocks(xp, lambda rows: _softmax(xp, _wide(rows)).astype(logits.dtype, copy=False), logits) if logits.size else logits

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        softmax = op.outputs[0]
        return (grad - _sum_of_rows(grad * softmax)) * softmax


class LogSoftmax(_PerRow):
    """logits minus the logarithm of the sum of exp(logits) along the last axis."""

    outputs = "logsoftmax: T"

    @staticmethod
    def run(xp: Any, logits: Array) -> Array:
        _check_rank(logits)
        if not logits.size:
            return logits
        shifted = _shifted(xp, _wide(logits))
        return (shifted - xp.log(xp.exp(shifted).sum(axis=-1, keepdims=True))).astype(logits.dtype, copy=False)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        softmax = apply("Exp", op.outputs[0])
        return grad - _sum_of_rows(grad) * softmax


class SoftmaxCrossEntropyWithLogits(OpType):
    """The cross entropy of each row of labels with softmax(features), and its gradient with respect to the features."""

    inputs = "features: T, labels: T"
    outputs = "loss: T, backprop: T"
    attrs = _REAL
    samples = (
        sample("float[2,3]", "float[2,3] in 0..1", has_gradient=False),  # TensorFlow's leaves out the second output's with respect to the labels
        sample("double[2,3]", "double[1,3] in 0..1", has_gradient=False),
        sample("float[0,3]", "float[0,3]"),
        sample("float[2,3] in 60..90", "float[2,3] in 0..1", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        features, labels = (tensor.shape for tensor in op._inputs)
        try:
            shape = features.with_rank(2).merge_with(labels)
        except ValueError:
            shape = shape_functions.broadcast_shapes(features, labels)
            if shape.rank is None:
                raise ValueError("Shape must be broadcasted with rank 2, but is rank is unknown.") from None
            shape = shape.with_rank(2)
        assert shape.sizes is not None
        return [TensorShape(shape.sizes[:1]), shape]

    @staticmethod
    def run(xp: Any, features: Array, labels: Array) -> list[Array]:
        try:
            features, labels = xp.broadcast_arrays(features, labels)
        except ValueError:
            raise InvalidArgumentError(
                f"logits and labels must be broadcastable: logits_size={list(features.shape)} labels_size={list(labels.shape)}"
            ) from None
        if features.ndim != 2:
            raise InvalidArgumentError("logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional")
        if not features.size:
            return [xp.zeros(len(features), features.dtype), xp.zeros(features.shape, features.dtype)]
        shifted, wanted = _shifted(xp, _wide(features)), _wide(labels)
        exponents = xp.exp(shifted)
        sums = exponents.sum(axis=-1, keepdims=True)
        losses = xp.where(wanted == 0, wanted.dtype.type(0), wanted * (xp.log(sums) - shifted))  # an infinite logit of no weight costs nothing
        exponents /= sums
        exponents -= wanted
        return [losses.sum(axis=-1).astype(features.dtype, copy=False), exponents.astype(features.dtype, copy=False)]

    @staticmethod
    def gradient(op: Operation, grad_loss: Tensor, grad_backprop: Tensor | None) -> list[Tensor | None]:
        grad = _gradient_of_features(op, grad_loss, grad_backprop)
        return [grad, _per_row(grad_loss, -apply("LogSoftmax", op.inputs[0]))]


class SparseSoftmaxCrossEntropyWithLogits(OpType):
    """The cross entropy of softmax(features) with one label for each row, and its gradient with respect to the features."""

    inputs = "features: T, labels: Tlabels"
    outputs = "loss: T, backprop: T"
    attrs = f"{_REAL}, Tlabels: {{int32, int64}} = int64"
    samples = (
        sample("float[2,3]", "int64: [2, 0]"),
        sample("double[1,2]", "int32: [1]"),
        sample("float[0,3]", "int32[0]"),
        sample("float[2,3] in 60..90", "int64: [2, 0]", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        features, labels = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(1)
        (batch, classes), (count,) = features.sizes or (None, None), labels.sizes or (None,)
        if None not in (batch, count) and batch != count:
            raise ValueError(f"Dimensions must be equal, but are {batch} and {count}")
        batch = count if batch is None else batch
        return [TensorShape([batch]), TensorShape([batch, classes])]

    @staticmethod
    def run(xp: Any, features: Array, labels: Array) -> list[Array]:
        if features.ndim != 2:
            raise InvalidArgumentError(f"logits must be 2-D, but got shape {list(features.shape)}")
        if labels.ndim != 1:
            raise InvalidArgumentError(f"labels must be 1-D, but got shape {list(labels.shape)}")
        if features.shape[0] != labels.shape[0]:
            raise InvalidArgumentError(
                f"logits and labels must have the same first dimension, got logits shape {list(features.shape)} and labels shape {list(labels.shape)}"
            )
        if features.shape[1] == 0:
            raise InvalidArgumentError(f"Must have at least one class, but got logits shape {list(features.shape)}")
        count, classes = features.shape
        if not count:
            return [xp.zeros(0, features.dtype), xp.zeros(features.shape, features.dtype)]
        if xp is np:
            _check_labels(labels, classes)
        else:
            labels = xp.where((labels >= 0) & (labels < classes), labels, -1)
        shifted = _shifted(xp, _wide(features))
        exponents = xp.exp(shifted)
        sums = exponents.sum(axis=-1, keepdims=True)
        rows = xp.arange(count)
        losses = xp.log(sums)[:, 0] - shifted[rows, labels]
        exponents /= sums
        exponents[rows, labels] -= 1
        if xp is not np:  # a GPU gives NaN where the CPU raises: nothing there waits for the labels
            is_outside = labels < 0
            losses = xp.where(is_outside, np.nan, losses)
            exponents = xp.where(is_outside[:, None], np.nan, exponents)
        return [losses.astype(features.dtype, copy=False), exponents.astype(features.dtype, copy=False)]

    @staticmethod
    def gradient(op: Operation, grad_loss: Tensor, grad_backprop: Tensor | None) -> list[Tensor | None]:
        return [_gradient_of_features(op, grad_loss, grad_backprop), None]


def _gradient_of_features(op: Operation, grad_loss: Tensor, grad_backprop: Tensor | None) -> Tensor:
    grad = _per_row(grad_loss, op.outputs[1])
    if grad_backprop is None or _is_zero(grad_backprop):
        return grad
    softmax = apply("Softmax", op.inputs[0])
    products = apply("BatchMatMulV2", apply("ExpandDims", grad_backprop, 1), apply("ExpandDims", softmax, 2), name="MatMul")
    return grad + (grad_backprop - apply("Squeeze", products, squeeze_dims=[1])) * softmax


def _is_zero(tensor: Tensor) -> bool:
    """Whether it is what the walk over the graph puts in for a gradient that isn't there."""
    if tensor.op.type == "ZerosLike":
        return True
    value = constant_value(tensor)
    return value is not None and not value.any()


def _per_row(factors: Tensor, matrix: Tensor) -> Tensor:
    return apply("ExpandDims", factors, -1) * matrix


def _sum_of_rows(tensor: Tensor) -> Tensor:
    return apply("Sum", tensor, -1, keep_dims=True)


def _wide(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype.itemsize == 2 else array


def _shifted(xp: Any, logits: Array) -> Array:
    return logits - _reduced(xp, "max", logits)


def _softmax(xp: Any, logits: Array) -> Array:
    result = _shifted(xp, logits)
    xp.exp(result, out=result)
    result /= _reduced(xp, "sum", result)
    return result


_UFUNCS = {"max": np.maximum, "sum": np.add}


def _reduced(xp: Any, name: str, rows: Array) -> Array:
    """The reduction of each row, kept as one column; of many short rows column by column, which takes a fraction of the time."""
    count = rows.shape[-1]
    if xp is np and count <= _SHORT_ROW and rows.size > count * count:
        return functools.reduce(_UFUNCS[name], [rows[..., number : number + 1] for number in range(count)])
    found: Array = getattr(rows, name)(axis=-1, keepdims=True)
    return found


def _check_rank(logits: Array) -> None:
    if not logits.ndim:
        raise InvalidArgumentError("logits must have >= 1 dimension, got []")


def _check_labels(labels: Array, classes: int) -> None:
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        shown = " ".join(map(str, labels.tolist()))
        raise InvalidArgumentError(
            f"Received a label value of {labels[outside][0]} which is outside the valid range of [0, {classes}).  Label values: {shown}"
        )


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """exp(logits), divided by its sum along an axis, the last by default (`tf.nn.softmax`)."""
    return _along("Softmax", logits, renamed_argument("axis", axis, "dim", dim), name)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """The logarithm of `softmax` (`tf.nn.log_softmax`)."""
    return _along("LogSoftmax", logits, renamed_argument("axis", axis, "dim", dim), name)


def moved_to_end(tensor: Tensor, axis: int, count: Tensor) -> Tensor:
    """A tensor whose axis number `axis`, of `count`, is the last."""
    return transpose(tensor, concat([number_range(axis), number_range(axis + 1, count), [axis]], 0))


def _along(op_name: str, logits: Any, axis: Any, name: str | None) -> Tensor:
    tensor = convert_to_tensor(logits)
    axis, count = -1 if axis is None else axis, tensor.shape.rank
    if (not isinstance(axis, Tensor) and axis == -1) or (count is not None and axis == count - 1):
        return apply(op_name, tensor, name=name)
    known = constant_value(axis) if isinstance(axis, Tensor) else axis
    if known is None or count is None:
        raise ValueError(f"`axis` and the rank of the logits must be known, found {axis} and shape {tensor.shape}")
    if not -count <= known < count:
        raise InvalidArgumentError(
            f"`dim` must be in the range [{-count}, {count}) where {count} is the number of dimensions in the input. Received: dim={known}"
        )
    rank(tensor)  # TensorFlow asks twice
    place, last = int(known) % count, rank(tensor)
    swapped = _swapped(tensor, place, last)
    result = _swapped(apply(op_name, swapped), place, last, name)
    result.set_shape(tensor.shape)
    return result


def _swapped(tensor: Tensor, axis: int, count: Tensor, name: str | None = None) -> Tensor:
    """A tensor whose axis number `axis` and last axis have changed places."""
    last = subtract(count, 1)
    order = concat([number_range(axis), [last], number_range(axis + 1, last), [axis]], 0)
    return transpose(tensor, order, name=name or "transpose")
