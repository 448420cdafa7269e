"""Arithmetic on quantised numbers: sums, products, matrix products, activations (`quantize_graph` of TensorFlow 1 writes graphs of these)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, sample
from gpersist.ops import shape_functions
from gpersist.ops.bias import BiasAdd, BiasAddV1
from gpersist.ops.kernels import shown
from gpersist.ops.matmul import MatMul
from gpersist.ops.quantization import kind_of, plain, quantized, quantized_sample
from gpersist.ops.quantized_ranges import KINDS, check_scalar_shapes, front, limits, product_range, requantized, to_number, to_real, unclamped
from gpersist.shapes import TensorShape

_ROW: Any = quantized_sample([0, 3, 128, 255, 77, 9], "quint8", (2, 3))
_COLUMN: Any = quantized_sample([5, 0, 255], "quint8")
_RANGES: tuple[str, ...] = ("float: -1.0", "float: 2.0", "float: -3.0", "float: 1.5")
_WIDE: Any = quantized_sample([-(1 << 31), -5_000_000, 0, 7_000_000, 1 << 30, (1 << 31) - 1], "qint32", (2, 3))


class _Two(OpType, abstract=True):
    """Two quantised arrays and their ranges give one."""

    inputs = "x: T1, y: T2, min_x: float, max_x: float, min_y: float, max_y: float"
    outputs = "z: Toutput, min_z: float, max_z: float"
    attrs = f"T1: {KINDS}, T2: {KINDS}, Toutput: {KINDS} = qint32"
    is_host_only = True
    samples = (sample(_ROW, _ROW, *_RANGES), sample(_ROW, _COLUMN, *_RANGES), sample(quantized_sample([7], "quint8", ()), _ROW, *_RANGES))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [*shape_functions.broadcast(op), shape_functions.SCALAR, shape_functions.SCALAR]


def _checked_ranges(low_x: Any, high_x: Any, low_y: Any, high_y: Any, names: str) -> list[np.float32]:
    for name, value in zip(("min_x", "max_x", "min_y", "max_y"), (low_x, high_x, low_y, high_y), strict=True):
        if names == "xy" and np.ndim(value):
            raise InvalidArgumentError(f"`{name}` must be rank 0 but is rank {np.ndim(value)}")
    low_x, high_x, low_y, high_y = limits(min_x=low_x, max_x=high_x, min_y=low_y, max_y=high_y)
    for low, high, name in ((low_x, high_x, names[0]), (low_y, high_y, names[1])):
        if not high > low:
            raise InvalidArgumentError(f"max_{name} must be larger than min_{name}.")
    return [low_x, high_x, low_y, high_y]


def _check_broadcast(x: Any, y: Any) -> None:
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise InvalidArgumentError(f"Incompatible shapes: {shown(x.shape)} vs. {shown(y.shape)}") from None


class QuantizedAdd(_Two):
    """The sums, in a range 16,384 times that of the larger input."""

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 2)
        return _Two.shapes(op)

    @staticmethod
    def run(
        xp: Any,
        x: Any,
        y: Any,
        min_x: Any,
        max_x: Any,
        min_y: Any,
        max_y: Any,
        *,
        T1: DType,  # noqa: N803  # TensorFlow's attributes
        T2: DType,  # noqa: N803
        Toutput: DType,  # noqa: N803
    ) -> list[Any]:
        _check_broadcast(x, y)
        low_x, high_x, low_y, high_y = _checked_ranges(min_x, max_x, min_y, max_y, "xy")
        largest = max(abs(min(low_x, low_y)), abs(max(high_x, high_y))) * np.float32(1 << 14)
        kind = kind_of(Toutput)
        parts = []
        for values, low, high, dtype in ((x, low_x, high_x, T1), (y, low_y, high_y, T2)):
            ends = unclamped(to_real(np.arange(2), low, high, kind_of(dtype)), -largest, largest, kind)
            parts.append(np.clip(ends[0] + plain(values).astype(np.int64) * (ends[1] - ends[0]), kind.low, kind.high))
        return [quantized(parts[0] + parts[1], kind), -largest, largest]


class QuantizedMul(_Two):
    """The products."""

    @staticmethod
    def run(
        xp: Any,
        x: Any,
        y: Any,
        min_x: Any,
        max_x: Any,
        min_y: Any,
        max_y: Any,
        *,
        T1: DType,  # noqa: N803  # TensorFlow's attributes
        T2: DType,  # noqa: N803
        Toutput: DType,  # noqa: N803
    ) -> list[Any]:
        _check_broadcast(x, y)
        low_x, high_x, low_y, high_y = _checked_ranges(min_x, max_x, min_y, max_y, "xy")
        kind_x, kind_y, kind = kind_of(T1), kind_of(T2), kind_of(Toutput)
        found = (plain(x) - unclamped(0.0, low_x, high_x, kind_x)) * (plain(y) - unclamped(0.0, low_y, high_y, kind_y))
        return [quantized(found, kind), *product_range(low_x, high_x, kind_x, low_y, high_y, kind_y, kind)]


class QuantizedMatMul(OpType):
    """The product of two matrices, each transposed first where wanted."""

    inputs = "a: T1, b: T2, min_a: float, max_a: float, min_b: float, max_b: float"
    outputs = "out: Toutput, min_out: float, max_out: float"
    attrs = (
        f"T1: {KINDS}, T2: {KINDS}, Toutput: {KINDS} = qint32, transpose_a: bool = false, transpose_b: bool = false, Tactivation: {KINDS} = quint8"
    )
    is_host_only = True
    samples = (
        sample(_ROW, quantized_sample([1, 2, 250, 128, 0, 9], "quint8", (3, 2)), *_RANGES),
        sample(_ROW, _ROW, *_RANGES, transpose_b=True),
        sample(_ROW, _ROW, *_RANGES, transpose_a=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 2)
        return [*MatMul.shapes(front(op, 2)), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        a: Any,
        b: Any,
        min_a: Any,
        max_a: Any,
        min_b: Any,
        max_b: Any,
        *,
        T1: DType,  # noqa: N803  # TensorFlow's attributes
        T2: DType,  # noqa: N803
        Toutput: DType,  # noqa: N803
        transpose_a: bool,
        transpose_b: bool,
    ) -> list[Any]:
        low_a, high_a, low_b, high_b = _checked_ranges(min_a, max_a, min_b, max_b, "ab")
        kind_a, kind_b, kind = kind_of(T1), kind_of(T2), kind_of(Toutput)
        # In double precision, which holds every product and sum of numbers of 8 bits.
        left, right = (
            (plain(values) - unclamped(0.0, low, high, of)).astype(np.float64)
            for values, low, high, of in ((a, low_a, high_a, kind_a), (b, low_b, high_b, kind_b))
        )
        found = MatMul.run(np, left, right, transpose_a=transpose_a, transpose_b=transpose_b)
        return [quantized(found, kind), *product_range(low_a, high_a, kind_a, low_b, high_b, kind_b, kind)]


class QuantizedBiasAdd(OpType):
    """A bias added to each channel, which are the last axis."""

    inputs = "input: T1, bias: T2, min_input: float, max_input: float, min_bias: float, max_bias: float"
    outputs = "output: out_type, min_out: float, max_out: float"
    attrs = f"T1: {KINDS}, T2: {KINDS}, out_type: {KINDS}"
    is_host_only = True
    samples = (
        sample(_ROW, _COLUMN, *_RANGES, out_type="qint32"),
        sample(quantized_sample([-128, 3, 127, 5], "qint8", (2, 2)), quantized_sample([1, -9], "qint8"), *_RANGES, out_type="qint32"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 2)
        return [*BiasAddV1.shapes(front(op, 2)), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        bias: Any,
        min_input: Any,
        max_input: Any,
        min_bias: Any,
        max_bias: Any,
        *,
        T1: DType,  # noqa: N803  # TensorFlow's attributes
        T2: DType,  # noqa: N803
        out_type: DType,
    ) -> list[Any]:
        low, high, bias_low, bias_high = limits(min_input=min_input, max_input=max_input, min_bias=min_bias, max_bias=max_bias)
        largest = max(high, -low, bias_high, -bias_low) * np.float32(1 << 17)  # zero in the middle, and room for sums
        kind = kind_of(out_type)
        first = plain(requantized(plain(values), low, high, kind_of(T1), -largest, largest, kind))
        second = plain(requantized(plain(bias), bias_low, bias_high, kind_of(T2), -largest, largest, kind))
        zero = to_number(0.0, -largest, largest, kind)
        found = BiasAdd.run(np, first.astype(np.int64), second.astype(np.int64) + zero, data_format=b"NHWC")
        return [quantized(found, kind), -largest, largest]


class _Activation(OpType, abstract=True):
    """Numbers cut to those that stand for 0 and more."""

    inputs = "features: Tinput, min_features: float, max_features: float"
    outputs = "activations: out_type, min_activations: float, max_activations: float"
    attrs = f"Tinput: {KINDS}, out_type: {KINDS} = quint8"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample(_ROW, "float: -3.0", "float: 9.0"),
        sample(_WIDE, "float: -30.0", "float: 20.0", out_type="qint32"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        check_scalar_shapes(op, 1)
        return [op._inputs[0].shape, shape_functions.SCALAR, shape_functions.SCALAR]


def _cut(values: Any, low: Any, high: Any, kind_of_input: DType, kind_of_output: DType, most: Any) -> list[Any]:
    low, high = limits(min_features=low, max_features=high)
    kind, numbers = kind_of(kind_of_input), plain(values)
    numbers = np.maximum(numbers, to_number(0.0, low, high, kind))
    if most is not None:
        numbers = np.minimum(numbers, to_number(most, low, high, kind))
    return [quantized(numbers, kind_of(kind_of_output)), low, high]


class QuantizedRelu(_Activation):
    """The larger one of 0 and each number."""

    @staticmethod
    def run(xp: Any, values: Any, low: Any, high: Any, *, Tinput: DType, out_type: DType) -> list[Any]:  # noqa: N803  # TensorFlow's
        return _cut(values, low, high, Tinput, out_type, None)


class QuantizedRelu6(_Activation):
    """The same, and no more than 6."""

    @staticmethod
    def run(xp: Any, values: Any, low: Any, high: Any, *, Tinput: DType, out_type: DType) -> list[Any]:  # noqa: N803  # TensorFlow's
        return _cut(values, low, high, Tinput, out_type, np.float32(6))


class QuantizedReluX(_Activation):
    """The same, and no more than a given number."""

    inputs = "features: Tinput, max_value: float, min_features: float, max_features: float"
    samples = (sample(_ROW, "float: 4.5", "float: -3.0", "float: 9.0"),)

    @staticmethod
    def run(xp: Any, values: Any, most: Any, low: Any, high: Any, *, Tinput: DType, out_type: DType) -> list[Any]:  # noqa: N803  # TensorFlow's
        return _cut(values, low, high, Tinput, out_type, limits(max_value=most)[0])
