"""Pooling over windows: the largest element, or the mean, of each; and the derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_shape, constant_value, sample
from gpersist.ops.accumulating import combine_at
from gpersist.ops.array import shape_of, stop_gradient
from gpersist.ops.filling import zeros_like
from gpersist.ops.window_reduction import (
    first_of,
    gradient_of_all_largest,
    max_pool,
    max_pool_gradient,
    mean_pool,
    mean_pool_gradient,
    pooling_windows,
)
from gpersist.ops.windows import as_format, channel_axis, channels_last, output_size, positions, seen_by
from gpersist.shapes import TensorShape, unknown_shape

_NUMBERS = "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}"
_MAX_TYPES = "{half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16, qint8}"
_KSIZE_2D = "ksize: list(int) >= 4, strides: list(int) >= 4"
_KSIZE_3D = "ksize: list(int) >= 5, strides: list(int) >= 5"
_FORMAT_2D = "data_format: {'NHWC', 'NCHW'} = 'NHWC'"
_FORMAT_3D = "data_format: {'NDHWC', 'NCDHW'} = 'NDHWC'"
_SAME_OR_VALID = "padding: {'SAME', 'VALID'}"
_ANY_PADDING = "padding: {'SAME', 'VALID', 'EXPLICIT'}"

_SAME: dict[str, Any] = {"ksize": [1, 3, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}
_VALID: dict[str, Any] = {"ksize": [1, 2, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}
_NCHW: dict[str, Any] = {"ksize": [1, 1, 2, 3], "strides": [1, 1, 2, 1], "padding": "SAME", "data_format": "NCHW"}
_DEPTH: dict[str, Any] = {"ksize": [1, 1, 1, 2], "strides": [1, 1, 1, 2], "padding": "VALID"}
_PAIRS: dict[str, Any] = {"ksize": [1, 1, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}
_POOLED = ("double: [[[[1.0], [3.0], [5.0], [2.0]]]]", "double: [[[[3.0], [5.0]]]]")  # an input, and what pairs of it give
_SAME_3D: dict[str, Any] = {"ksize": [1, 2, 2, 1, 1], "strides": [1, 2, 1, 1, 1], "padding": "SAME"}
_SKIPPING = sample("float[1,6,4,3,2]", ksize=[1, 1, 1, 1, 1], strides=[1, 3, 4, 1, 1], padding="SAME", has_gradient=False)
"""Windows that are smaller than their strides."""
_PAIRS_3D: dict[str, Any] = {"ksize": [1, 1, 1, 2, 1], "strides": [1, 1, 1, 2, 1], "padding": "VALID"}
_NCDHW: dict[str, Any] = {"ksize": [1, 1, 2, 1, 2], "strides": [1, 1, 1, 1, 2], "padding": "VALID", "data_format": "NCDHW"}


class _Pooling(OpType, abstract=True):
    """One number for each window and channel."""

    inputs = "input: T"
    outputs = "output: T"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_pooled_shape(op, op.attr("ksize"), op.attr("strides"))] * len(op.output_types)


class _LikeOriginal(OpType, abstract=True):
    """Of the shape of the first input, which is that of images, or volumes."""

    outputs = "output: T"
    rank: ClassVar[int] = 4

    @classmethod
    def shapes(cls, op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank(cls.rank)]


class MaxPool(_Pooling):
    """The largest element of each window, over the spatial axes or over the channels."""

    attrs = f"T: {_MAX_TYPES} = float, {_KSIZE_2D}, {_ANY_PADDING}, data_format: {{'NHWC', 'NCHW', 'NCHW_VECT_C'}} = 'NHWC'"
    samples = (
        sample("float[2,5,4,3]", **_SAME),
        sample("double[1,4,4,2]", **_VALID),
        sample("float[1,2,4,3]", **_NCHW),
        sample("float[1,2,2,4]", **_DEPTH),
        sample("int32[1,4,4,2]", **_VALID),
        sample("half[1,4,4,2]", has_gradient=False, **_VALID),
        sample("float[0,4,4,2]", has_gradient=False, **_VALID),
    )

    @staticmethod
    def run(xp: Any, value: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes, explicit_paddings: Any = ()) -> Array:
        return max_pool(xp, value, ksize, strides, padding, data_format, explicit_paddings)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("MaxPoolGrad", op.inputs[0], op.outputs[0], grad, **_attrs_of(op))


class MaxPoolV2(OpType):
    """`MaxPool` with its sizes as inputs."""

    inputs = "input: T, ksize: int32, strides: int32"
    outputs = "output: T"
    attrs = f"T: {_MAX_TYPES} = float, {_SAME_OR_VALID}, data_format: {{'NHWC', 'NCHW', 'NCHW_VECT_C'}} = 'NHWC'"
    samples = (sample("float[2,5,4,3]", "int32: [1, 3, 2, 1]", "int32: [1, 2, 2, 1]", padding="SAME"),)
    host_inputs = ("ksize", "strides")
    vectors = ("ksize", "strides")

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ksize, strides = constant_value(op._inputs[1]), constant_value(op._inputs[2])
        op._inputs[0].shape.with_rank(4)
        return [unknown_shape() if ksize is None or strides is None else _pooled_shape(op, ksize.tolist(), strides.tolist())]

    @staticmethod
    def run(xp: Any, value: Array, ksize: Any, strides: Any, *, padding: bytes, data_format: bytes) -> Array:
        return max_pool(xp, value, ksize.tolist(), strides.tolist(), padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, ksize, strides = op.inputs
        attrs = {"padding": op.attr("padding"), "data_format": op.attr("data_format")}
        return [apply("MaxPoolGradV2", value, op.outputs[0], grad, ksize, strides, **attrs), None, None]


class MaxPoolWithArgmax(OpType):
    """`MaxPool`, and where in the flattened image, or batch of images, each of its elements is."""

    inputs = "input: T"
    outputs = "output: T, argmax: Targmax"
    attrs = f"{_KSIZE_2D}, Targmax: {{int32, int64}} = int64, {_SAME_OR_VALID}, include_batch_in_index: bool = false, T: {_NUMBERS}"
    samples = (sample("float[2,5,4,3]", **_SAME), sample("double[2,4,4,2]", Targmax="int32", include_batch_in_index=True, **_VALID))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_pooled_shape(op, op.attr("ksize"), op.attr("strides"))] * 2

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        *,
        ksize: Any,
        strides: Any,
        padding: bytes,
        include_batch_in_index: bool,
        Targmax: DType,  # noqa: N803  # TensorFlow's
    ) -> list[Array]:
        if not value.size:
            raise InvalidArgumentError("tensor_in must not be empty")
        axes = pooling_windows(value.shape, ksize, strides, padding, b"NHWC")
        flat = xp.arange(int(np.prod(value.shape[1:])), dtype=Targmax.numpy).reshape(1, *value.shape[1:])
        best = first_of(xp, value, axes)
        where = xp.broadcast_to(first_of(xp, flat, axes), best.shape).copy()
        for place in positions(axes):
            source, target = seen_by(axes, place)
            found, known = value[source], best[target]
            is_better = found > known
            xp.copyto(known, found, where=is_better)
            xp.copyto(where[target], xp.broadcast_to(flat[source], found.shape), where=is_better)
        if include_batch_in_index:
            where += (xp.arange(len(value), dtype=where.dtype) * flat.size).reshape(-1, 1, 1, 1)
        return [best, where]

    @staticmethod
    def gradient(op: Operation, grad: Tensor, argmax_grad: Tensor) -> Tensor:
        attrs = {name: op.attr(name) for name in ("ksize", "strides", "padding", "include_batch_in_index")}
        return apply("MaxPoolGradWithArgmax", op.inputs[0], grad, op.outputs[1], **attrs)


class MaxPoolGradWithArgmax(_LikeOriginal):
    """The gradient of `MaxPoolWithArgmax`: each element goes where its maximum was."""

    inputs = "input: T, grad: T, argmax: Targmax"
    attrs = f"{_KSIZE_2D}, {_SAME_OR_VALID}, include_batch_in_index: bool = false, Targmax: {{int32, int64}}, T: {_NUMBERS}"
    samples = (
        sample("float[2,2,2,1]", "float[2,1,1,1]", "int64: [[[[1]]], [[[3]]]]", ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID"),
        sample(
            "float[2,2,2,1]",
            "float[2,1,1,1]",
            "int32: [[[[1]]], [[[7]]]]",
            ksize=[1, 2, 2, 1],
            strides=[1, 2, 2, 1],
            padding="VALID",
            include_batch_in_index=True,
        ),
    )

    @staticmethod
    def run(xp: Any, value: Array, grad: Array, argmax: Array, *, include_batch_in_index: bool) -> Array:
        index = argmax.astype(np.int64)
        if not include_batch_in_index and len(value):
            index = index + (xp.arange(len(value)) * (value.size // len(value))).reshape(-1, 1, 1, 1)
        if index.size and not (int(index.min()) >= 0 and int(index.max()) < value.size):
            raise InvalidArgumentError(f"argmax must be in [0, {value.size})")
        total = xp.zeros(value.size, grad.dtype)
        combine_at(xp, "add", total, index.reshape(-1), grad.reshape(-1))
        return total.reshape(value.shape)


def _check_output(output: Array, grad: Array) -> None:
    if output.shape != grad.shape:
        raise InvalidArgumentError(f"Expected orig_output shape to be {list(grad.shape)}, but got {list(output.shape)}")


class _MaxPoolGrad(_LikeOriginal, abstract=True):
    """The gradient of `MaxPool`: each element goes to the first in the window that is the largest."""

    inputs = "orig_input: T, orig_output: T, grad: T"


class MaxPoolGrad(_MaxPoolGrad):
    """The gradient of `MaxPool`: each element goes to the first in the window that is the largest."""

    attrs = f"{_KSIZE_2D}, {_ANY_PADDING}, {_FORMAT_2D}, T: {_NUMBERS} = float"
    samples = (
        sample(*_POOLED, "double[1,1,2,1]", **_PAIRS),
        sample("float[2,5,4,3]", "float[2,3,2,3]", "float[2,3,2,3]", has_gradient=False, **_SAME),
        sample("double[1,4,4,2]", "double[1,3,2,2]", "double[1,3,2,2]", has_gradient=False, **_VALID),
        sample("float[1,2,4,3]", "float[1,2,2,3]", "float[1,2,2,3]", has_gradient=False, **_NCHW),
        sample("float[1,2,2,4]", "float[1,2,2,2]", "float[1,2,2,2]", has_gradient=False, **_DEPTH),
    )

    @staticmethod
    def run(
        xp: Any,
        value: Array,
        output: Array,
        grad: Array,
        *,
        ksize: Any,
        strides: Any,
        padding: bytes,
        data_format: bytes,
        explicit_paddings: Any = (),
    ) -> Array:
        _check_output(output, grad)
        return max_pool_gradient(xp, value, grad, ksize, strides, padding, data_format, explicit_paddings)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, output, _ = op.inputs
        return [zeros_like(value), zeros_like(output), apply("MaxPoolGradGrad", value, output, grad, **_attrs_of(op))]


class MaxPoolGradV2(_MaxPoolGrad):
    """`MaxPoolGrad` with its sizes as inputs."""

    inputs = "orig_input: T, orig_output: T, grad: T, ksize: int32, strides: int32"
    attrs = f"{_SAME_OR_VALID}, {_FORMAT_2D}, T: {_NUMBERS} = float"
    samples = (sample("float[2,5,4,3]", "float[2,3,2,3]", "float[2,3,2,3]", "int32: [1, 3, 2, 1]", "int32: [1, 2, 2, 1]", padding="SAME"),)
    host_inputs = ("ksize", "strides")

    @staticmethod
    def run(xp: Any, value: Array, output: Array, grad: Array, ksize: Any, strides: Any, *, padding: bytes, data_format: bytes) -> Array:
        _check_output(output, grad)
        return max_pool_gradient(xp, value, grad, ksize.tolist(), strides.tolist(), padding, data_format)


class MaxPoolGradGrad(OpType):
    """The gradient of `MaxPoolGrad` with respect to its gradient: of each window the element where the largest was."""

    inputs = "orig_input: T, orig_output: T, grad: T"
    outputs = "output: T"
    attrs = f"{_KSIZE_2D}, {_SAME_OR_VALID}, {_FORMAT_2D}, T: {_NUMBERS}"
    samples = (
        sample(*_POOLED, "double[1,1,4,1]", **_PAIRS),
        sample("float[2,5,4,3]", "float[2,3,2,3]", "float[2,5,4,3]", has_gradient=False, **_SAME),
        sample("float[1,2,4,3]", "float[1,2,2,3]", "float[1,2,4,3]", has_gradient=False, **_NCHW),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shapes_of_second_gradient(op, op.attr("ksize"), op.attr("strides"))

    @staticmethod
    def run(xp: Any, value: Array, output: Array, grad: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        axes = pooling_windows(value.shape, ksize, strides, padding, data_format)
        value, output, grad = (channels_last(xp, array, data_format) for array in (value, output, grad))
        wanted = (len(value), *(axis.number for axis in axes), value.shape[-1])
        for name, array, shape in (("orig_output", output, wanted), ("grad", grad, value.shape)):
            if array.shape != shape:
                raise InvalidArgumentError(f"Expected {name} shape to be {list(shape)}, but got {list(array.shape)}")
        picked = xp.zeros(wanted, grad.dtype)
        is_open = xp.ones(wanted, bool)
        for source, target in (seen_by(axes, place) for place in positions(axes)):
            found = is_open[target] & (value[source] == output[target])
            xp.copyto(picked[target], grad[source], where=found)
            is_open[target] &= ~found
        return as_format(xp, picked, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, output, _ = op.inputs
        return [zeros_like(value), zeros_like(output), apply("MaxPoolGrad", value, output, grad, **_attrs_of(op))]


class AvgPool(_Pooling):
    """The mean of each window, of as much of it as is not padding."""

    inputs = "value: T"
    attrs = f"{_KSIZE_2D}, {_SAME_OR_VALID}, {_FORMAT_2D}, T: {{half, bfloat16, float, double}}"
    samples = (
        sample("float[2,5,4,3]", **_SAME),
        sample("double[1,4,4,2]", **_VALID),
        sample("float[1,2,4,3]", **_NCHW),
        sample("half[1,4,4,2]", has_gradient=False, **_VALID),
    )

    @staticmethod
    def run(xp: Any, value: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        if len(ksize) == 4 and (ksize[0] != 1 or strides[0] != 1):
            raise UnimplementedError("Pooling is not yet supported on the batch dimension.")
        return mean_pool(xp, value, ksize, strides, padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("AvgPoolGrad", shape_of(op.inputs[0]), grad, **_attrs_of(op))


class AvgPoolGrad(OpType):
    """The gradient of `AvgPool`: each element is shared out over its window."""

    inputs = "orig_input_shape: int32, grad: T"
    outputs = "output: T"
    attrs = f"{_KSIZE_2D}, {_SAME_OR_VALID}, {_FORMAT_2D}, T: {{half, bfloat16, float, double}}"
    samples = (
        sample("int32: [2, 5, 4, 3]", "float[2,3,2,3]", **_SAME),
        sample("int32: [1, 4, 4, 2]", "double[1,3,2,2]", **_VALID),
        sample("int32: [1, 2, 4, 3]", "float[1,2,2,3]", **_NCHW),
    )
    host_inputs = ("orig_input_shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[0]).merge_with(unknown_shape(4))]

    @staticmethod
    def run(xp: Any, shape: Any, grad: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        return mean_pool_gradient(xp, shape, grad, ksize, strides, padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [stop_gradient(op.inputs[0]), apply("AvgPool", grad, **_attrs_of(op))]


class MaxPool3D(_Pooling):
    """The largest element of each window of volumes."""

    attrs = f"{_KSIZE_3D}, {_SAME_OR_VALID}, {_FORMAT_3D}, T: {{half, bfloat16, float}}"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[1,3,3,2,2] in -50..50", **_SAME_3D),
        sample("float[1,2,3,3,4] in -50..50", **_NCDHW),
        _SKIPPING,
    )

    @staticmethod
    def run(xp: Any, value: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        return max_pool(xp, value, ksize, strides, padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("MaxPool3DGrad", op.inputs[0], op.outputs[0], grad, **_attrs_of(op))


class MaxPool3DGrad(_LikeOriginal):
    """The gradient of `MaxPool3D`: each element goes to all in the window that are the largest."""

    rank = 5
    inputs = "orig_input: TInput, orig_output: TInput, grad: T"
    attrs = f"{_KSIZE_3D}, {_SAME_OR_VALID}, {_FORMAT_3D}, T: {{half, bfloat16, float}} = float, TInput: {{half, bfloat16, float}} = float"
    samples = (
        sample("float[1,3,3,2,2]", "float[1,2,3,2,2]", "float[1,2,3,2,2]", has_gradient=False, **_SAME_3D),
        sample("float[1,2,3,3,4]", "float[1,2,2,3,2]", "float[1,2,2,3,2]", has_gradient=False, **_NCDHW),
        sample("float: [[[[[1.0], [3.0], [5.0], [2.0]]]]]", "float: [[[[[3.0], [5.0]]]]]", "float[1,1,1,2,1]", **_PAIRS_3D),
        sample("float: [[[[[3.0], [3.0]]]]]", "float: [[[[[3.0]]]]]", "float[1,1,1,1,1]", has_gradient=False, **_PAIRS_3D),
    )

    @staticmethod
    def run(xp: Any, value: Array, output: Array, grad: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        return gradient_of_all_largest(xp, value, output, grad, ksize, strides, padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, output, _ = op.inputs
        return [zeros_like(value), zeros_like(output), apply("MaxPool3DGradGrad", value, output, grad, **_attrs_of(op))]


class AvgPool3D(_Pooling):
    """The mean of each window of volumes."""

    attrs = f"{_KSIZE_3D}, {_SAME_OR_VALID}, {_FORMAT_3D}, T: {{half, bfloat16, float, double}}"
    samples = (sample("float[1,3,3,2,2]", **_SAME_3D), sample("double[1,2,3,3,4]", **_NCDHW), _SKIPPING)

    @staticmethod
    def run(xp: Any, value: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        return mean_pool(xp, value, ksize, strides, padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("AvgPool3DGrad", shape_of(op.inputs[0]), grad, **_attrs_of(op))


class AvgPool3DGrad(OpType):
    """The gradient of `AvgPool3D`."""

    inputs = "orig_input_shape: int32, grad: T"
    outputs = "output: T"
    attrs = f"{_KSIZE_3D}, {_SAME_OR_VALID}, {_FORMAT_3D}, T: {{half, bfloat16, float, double}}"
    samples = (
        sample("int32: [1, 3, 3, 2, 2]", "float[1,2,3,2,2]", **_SAME_3D),
        sample("int32: [1, 2, 3, 3, 4]", "double[1,2,2,3,2]", **_NCDHW),
    )
    host_inputs = ("orig_input_shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[0]).merge_with(unknown_shape(5))]

    @staticmethod
    def run(xp: Any, shape: Any, grad: Array, *, ksize: Any, strides: Any, padding: bytes, data_format: bytes) -> Array:
        return mean_pool_gradient(xp, shape, grad, ksize, strides, padding, data_format)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [stop_gradient(op.inputs[0]), apply("AvgPool3D", grad, **_attrs_of(op))]


# ---- shapes


def shapes_of_second_gradient(op: Operation, ksize: Sequence[int], strides: Sequence[int]) -> list[TensorShape]:
    """That of the pooled first input, if the three inputs go together."""
    value, output, grad = (tensor.shape for tensor in op._inputs[:3])
    found = _pooled_shape(op, ksize, strides)
    value.merge_with(grad)
    output.merge_with(found)
    return [found]


def _pooled_shape(op: Operation, ksize: Sequence[int], strides: Sequence[int]) -> TensorShape:
    shape = op._inputs[0].shape
    data_format = op.attr("data_format") if op.has_attr("data_format") else b"NHWC"
    rank = 5 if len(data_format) == 5 else 4
    if shape.rank not in (None, rank):
        raise ValueError(f"Shape must be rank {rank} but is rank {shape.rank}")
    for name, values in (("ksize", ksize), ("stride", strides)):
        if len(values) != rank:
            raise ValueError(f"{op.type} requires the {name} attribute to contain {rank} values, but got: {len(values)}")
    if min(strides) <= 0:
        raise ValueError(f"Stride must be > 0, but got {min(strides)}")
    explicit = op.attr("explicit_paddings") if op.has_attr("explicit_paddings") else []
    padding, sizes = op.attr("padding"), shape.sizes or (None,) * rank
    if padding == b"EXPLICIT" and len(explicit) != 2 * rank:
        raise ValueError(f"explicit_paddings attribute must contain {2 * rank} values, but got: {len(explicit)}")
    pairs = list(zip(explicit[::2], explicit[1::2], strict=True)) or [(0, 0)] * rank
    kept = {0} if rank == 4 and op.type.startswith("MaxPool") else {0, channel_axis(data_format, rank)}  # of these alone windows over the channels
    return TensorShape(
        size if axis in kept else output_size(size, None if ksize[axis] == -1 else ksize[axis], strides[axis], 1, padding, pairs[axis])
        for axis, size in enumerate(sizes)
    )


def _attrs_of(op: Operation) -> dict[str, Any]:
    return {name: op.attr(name) for name in ("ksize", "strides", "padding", "data_format")}
