"""Tensors with other elements around them: constants, or themselves mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, sample
from gpersist.ops.joining import stack
from gpersist.ops.kernels import as_array, check_scalars, shown
from gpersist.ops.shaping import rank, reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["pad"]


def _padded_shape(op: Operation) -> list[TensorShape]:
    value, paddings = (tensor.shape for tensor in op._inputs[:2])
    (count, _) = paddings.merge_with([None, 2]).as_list()
    shape = value if count is None else value.with_rank(count)
    known = constant_value(op._inputs[1])
    if known is None or shape.sizes is None:
        return [unknown_shape(shape.rank if known is None else len(known))]
    if known.size and known.min() < 0:
        raise ValueError("Paddings must be non-negative")
    return [TensorShape(None if size is None else size + int(before) + int(after) for size, (before, after) in zip(shape.sizes, known, strict=True))]


def _checked(array: Array, paddings: Any) -> list[tuple[int, int]]:
    if paddings.shape != (array.ndim, 2):
        raise InvalidArgumentError(f"The first dimension of paddings must be the rank of inputs{shown(paddings.shape)} {shown(array.shape)}")
    if paddings.size and paddings.min() < 0:
        raise InvalidArgumentError(f"Paddings must be non-negative: {paddings.tolist()}")
    return [(before, after) for before, after in paddings.tolist()]


def _with_constant(xp: Any, value: Array, paddings: Any, constant: Any) -> Array:
    array = as_array(xp, value)
    pairs = _checked(array, paddings)
    result = xp.empty([size + before + after for size, (before, after) in zip(array.shape, pairs, strict=True)], array.dtype)
    result[...] = constant
    result[tuple(slice(before, before + size) for size, (before, _) in zip(array.shape, pairs, strict=True))] = array
    return result


def _unpadded(op: Operation, grad: Tensor) -> Tensor:
    """The part of a gradient that lies where the input is."""
    value, paddings = op.inputs[:2]
    column = stack([rank(value), 1])
    before = reshape(apply("Slice", paddings, [0, 0], column), [-1])
    return apply("Slice", grad, before, shape_of(value, out_type=before.dtype.base_dtype))


class Pad(OpType):
    """A tensor with zeros around it."""

    inputs = "input: T, paddings: Tpaddings"
    outputs = "output: T"
    attrs = "T: type, Tpaddings: {int32, int64} = int32"
    samples = (sample("float[2,3]", "int32: [[1, 0], [0, 2]]"), sample("int32[2]", "int64: [[1, 1]]"), sample("float[]", np.zeros((0, 2), np.int32)))
    host_inputs = ("paddings",)
    is_foldable = True
    shapes = staticmethod(_padded_shape)

    @staticmethod
    def run(xp: Any, value: Array, paddings: Any) -> Array:
        array = as_array(xp, value)
        return _with_constant(xp, array, paddings, b"" if array.dtype == object else 0)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_unpadded(op, grad), None]


class PadV2(OpType):
    """A tensor with a value around it."""

    inputs = "input: T, paddings: Tpaddings, constant_values: T"
    outputs = "output: T"
    attrs = "T: type, Tpaddings: {int32, int64} = int32"
    samples = (
        sample("float[2,3]", "int32: [[1, 0], [0, 2]]", "float: 7.0", has_gradient=False),
        sample("int32[2]", "int64: [[1, 1]]", "int32: -1"),
        sample("string[2]", "int32: [[1, 1]]", "string[]"),
    )
    host_inputs = ("paddings",)
    is_foldable = True
    shapes = staticmethod(_padded_shape)

    @staticmethod
    def run(xp: Any, value: Array, paddings: Any, constant: Any) -> Array:
        check_scalars(constant_values=constant)
        return _with_constant(xp, value, paddings, constant)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_unpadded(op, grad), None, None]


def _mirrored(array: Array, paddings: Any) -> list[tuple[int, int]]:
    """The paddings, of what may be mirrored.

    Raises:
        UnimplementedError: it has more than five dimensions.
    """
    if array.ndim > 5:
        raise UnimplementedError(f"inputs rank not in [0,5]: {array.ndim}")
    return _checked(array, paddings)


_MIRROR_ATTRS = "T: type, Tpaddings: {int32, int64} = int32, mode: {'REFLECT', 'SYMMETRIC'}"


def _mirror_sources(size: int, before: int, after: int, mode: bytes) -> np.ndarray[Any, Any]:
    """Which element each element of a mirrored dimension is."""
    skipped = 1 if mode == b"REFLECT" else 0
    head = np.arange(before - 1 + skipped, skipped - 1, -1)
    tail = np.arange(size - 1 - skipped, size - 1 - skipped - after, -1)
    return np.concatenate([head, np.arange(size), tail]).astype(np.int64)


class MirrorPad(OpType):
    """A tensor with itself mirrored around it."""

    inputs = "input: T, paddings: Tpaddings"
    outputs = "output: T"
    attrs = _MIRROR_ATTRS
    samples = (
        sample("double[2,3]", "int32: [[1, 0], [0, 2]]", mode="REFLECT"),
        sample("double[2,3]", "int64: [[2, 1], [3, 2]]", mode="SYMMETRIC"),
        sample("int32[3]", "int32: [[1, 2]]", mode="REFLECT"),
    )
    host_inputs = ("paddings",)
    is_foldable = True

    shapes = staticmethod(_padded_shape)

    @staticmethod
    def run(xp: Any, value: Array, paddings: Any, *, mode: bytes) -> Array:
        array = as_array(xp, value)
        skipped = 1 if mode == b"REFLECT" else 0
        pairs = _mirrored(array, paddings)
        for size, pair in zip(array.shape, pairs, strict=True):
            if max(pair) > size - skipped:
                raise InvalidArgumentError(
                    f"paddings must be {'less than' if skipped else 'no greater than'} the dimension size: {pair[0]}, {pair[1]} against {size}"
                )
        for axis, (before, after) in enumerate(pairs):
            if before or after:
                array = xp.take(array, xp.asarray(_mirror_sources(array.shape[axis], before, after, mode)), axis)
        return array

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("MirrorPadGrad", grad, op.inputs[1], mode=op.attr("mode")), None]


class MirrorPadGrad(OpType):
    """A padded tensor's gradient folded back: what lies in the mirror is added to what it mirrors."""

    inputs = "input: T, paddings: Tpaddings"
    outputs = "output: T"
    attrs = _MIRROR_ATTRS
    samples = (
        sample("double[3,5]", "int32: [[1, 0], [0, 2]]", mode="REFLECT"),
        sample("double[5,8]", "int64: [[2, 1], [3, 2]]", mode="SYMMETRIC"),
    )
    host_inputs = ("paddings",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        pairs = op._inputs[1].shape.merge_with([None, 2]).as_list()[0]
        paddings, sizes = constant_value(op._inputs[1]), (op._inputs[0].shape if pairs is None else op._inputs[0].shape.with_rank(pairs)).sizes
        if paddings is not None and (paddings < 0).any():
            raise ValueError("Paddings must be non-negative")
        if paddings is None or sizes is None:
            return [unknown_shape(pairs)]
        return [TensorShape(None if size is None else size - int(before) - int(after) for size, (before, after) in zip(sizes, paddings, strict=True))]

    @staticmethod
    def run(xp: Any, value: Array, paddings: Any, *, mode: bytes) -> Array:
        array = as_array(xp, value)
        pairs = _mirrored(array, paddings)
        for size, pair in zip(array.shape, pairs, strict=True):
            if sum(pair) >= size:
                raise InvalidArgumentError(f"Total paddings must be less than the input dimension size: {sum(pair)} was not less than {size}")
        for axis, (before, after) in enumerate(pairs):
            array = _folded(xp, array, axis, before, after, 1 if mode == b"REFLECT" else 0)
        return array

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("MirrorPad", grad, op.inputs[1], mode=op.attr("mode")), None]


def _folded(xp: Any, array: Array, axis: int, before: int, after: int, skipped: int) -> Array:
    if not before and not after:
        return array
    moved = xp.moveaxis(array, axis, 0)
    size = moved.shape[0] - before - after
    if max(before, after) > size - skipped:
        raise InvalidArgumentError(f"paddings {before}, {after} are too large for a dimension of {size}")
    result = moved[before : before + size].copy()
    if before:
        result[skipped : skipped + before] += moved[:before][::-1]
    if after:
        result[size - skipped - after : size - skipped] += moved[before + size :][::-1]
    return xp.moveaxis(result, 0, axis)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0) -> Tensor:
    """A tensor with other elements around it (`tf.pad`).

    Args:
        tensor: of N dimensions.
        paddings: for each dimension how many elements come before it and behind it.
        mode: CONSTANT, REFLECT or SYMMETRIC, in any case.
        name: of the node.
        constant_values: what the padding is, in mode CONSTANT.

    Raises:
        ValueError: there is no such mode.
    """
    wanted = mode.upper()
    if wanted == "CONSTANT":
        is_zero = not isinstance(constant_values, Tensor) and np.ndim(constant_values) == 0 and constant_values == 0
        result = apply("Pad", tensor, paddings, name=name) if is_zero else apply("PadV2", tensor, paddings, constant_values, name=name)
    elif wanted in ("REFLECT", "SYMMETRIC"):
        result = apply("MirrorPad", tensor, paddings, mode=wanted, name=name)
    else:
        raise ValueError(f"Value of argument `mode` expected to be one of 'CONSTANT', 'REFLECT', or 'SYMMETRIC'. Received `mode` = {mode}")
    _add_known_shape(result)
    return result


def _add_known_shape(result: Tensor) -> None:
    """Says of a padded tensor's shape what follows from paddings of which only some are known."""
    value, paddings = result.op.inputs[:2]
    if result.shape.is_fully_defined() or value.shape.sizes is None or paddings.op.type != "Pack" or len(paddings.op.inputs) != value.shape.rank:
        return
    pairs = [constant_value(row) for row in paddings.op.inputs]
    known = [None if size is None or pair is None else size + int(pair.sum()) for size, pair in zip(value.shape.sizes, pairs, strict=True)]
    result.set_shape(known)
