"""Convolutions and products of quantised numbers with what follows them: a bias, an activation, fewer bits (graphs that Intel's tools wrote).

TensorFlow has kernels for them by oneDNN alone, where x86 processors have it; this is what those give. Numbers are taken as they are, without a zero
point: a range begins at 0, or is the same on both sides of it. Only the products of matrices know a range that is not (MIN_FIRST).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops import shape_functions
from gpersist.ops.convolution import Conv2D, convolved_shape
from gpersist.ops.depthwise import DepthwiseConv2dNative
from gpersist.ops.matmul import MatMul
from gpersist.ops.quantization import Kind, kind_of, plain, quantized, quantized_sample
from gpersist.ops.quantized_ranges import KINDS, front, limits
from gpersist.shapes import TensorShape, unknown_shape

_RANGES = "min_input: float, max_input: float, min_filter: float, max_filter: float"
_FROZEN = ", min_freezed_output: float, max_freezed_output: float"
_OUTPUTS = "output: out_type, min_output: float, max_output: float"
_GEOMETRY = "strides: list(int), padding: {'SAME', 'VALID'}, dilations: list(int) = [1, 1, 1, 1]"
_LISTED = _GEOMETRY + ", padding_list: list(int) = []"
_IMAGES: Any = quantized_sample([(7 * number) % 256 for number in range(2 * 4 * 5 * 2)], "quint8", (2, 4, 5, 2))
_FILTERS: Any = quantized_sample([(11 * number) % 256 - 128 for number in range(3 * 2 * 2 * 3)], "qint8", (3, 2, 2, 3))
_OF_EACH: Any = quantized_sample([(11 * number) % 256 - 128 for number in range(3 * 2 * 2 * 1)], "qint8", (3, 2, 2, 1))
_BIAS, _BIAS_OF_EACH = "float: [0.3, -0.2, 0.5]", "float: [0.3, -0.2]"
_LIMITS = ("float: 0.0", "float: 2.0", "float: -1.5", "float: 1.5")
_ENDS = ("float: -1.0", "float: 3.0")
_STEPS: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}


def _types(out: str, bias: str = "") -> str:
    return f"Tinput: {KINDS}, Tfilter: {KINDS}, {bias}out_type: {KINDS} = {out}, "


def _level(low: Any, high: Any, kind: Kind) -> Any:
    """How far a number is from the next one, where the lowest of a signed type is not used."""
    return np.asarray((high - low) / np.float32(kind.high - max(kind.low, -kind.high)), np.float32)


def _range_of_products(low: Any, high: Any, of: Kind, other_low: Any, other_high: Any, other: Kind, kind: Kind) -> list[Any]:
    level = _level(low, high, of) * _level(other_low, other_high, other)
    return [level * np.float32(kind.low), level * np.float32(kind.high)]


def _widest(low: Any, high: Any) -> Any:
    return np.maximum(np.abs(low), np.abs(high))


def _real_of_product(low: Any, high: Any, other_low: Any, other_high: Any, kind: Kind) -> Any:
    """What 1 stands for among products of numbers of 8 bits; the second range may be that of each channel."""
    return _widest(low, high) / np.float32(255 if kind.low == 0 else 127) * (_widest(other_low, other_high) / np.float32(127))


def _finished(sums: Any, bias: Any, unit: Any, kind: Kind, ends: Any, *, is_relu: bool) -> Any:
    """Sums of products with a bias (reals, or numbers like the products) and an activation, in numbers for a range, or for the widest channel's."""
    if bias is None and ends is None and unit.size == 1:
        return quantized(np.maximum(sums, 0) if is_relu else sums, kind)
    reals = sums.astype(np.float32) * unit
    if bias is not None:
        reals = reals + (plain(bias).astype(np.float32) * unit if bias.dtype.names else bias)
    of_one = unit.max() if ends is None else _widest(*ends) / np.float32(255 if kind.low == 0 else 127)
    found = reals * (np.float32(1) / of_one)
    return quantized(np.rint(np.maximum(found, 0) if is_relu else found).astype(np.float64), kind)


class _Convolution(OpType, abstract=True):
    outputs = _OUTPUTS
    is_host_only = True

    @classmethod
    def shapes(cls, op: Operation) -> list[TensorShape]:
        is_depthwise = cls.__name__.startswith("QuantizedDepthwise")
        known: Any = front(op, 2, data_format=b"NHWC")
        found = convolved_shape(known, op._inputs[0].shape, op._inputs[1].shape, is_depthwise=is_depthwise)
        names = [arg.name for arg in cls.signature().inputs]
        if is_depthwise:
            return [found, unknown_shape(), unknown_shape()]
        if "bias" in names:
            op._inputs[2].shape.with_rank(1)
        ends = shape_functions.SCALAR if "min_freezed_output" in names else op._inputs[names.index("max_filter")].shape
        of_channels = () if cls is QuantizedConv2DAndRequantize else ("min_filter", "max_filter")
        for name, tensor in zip(names, op._inputs, strict=True):
            if name[:4] in ("min_", "max_") and name not in of_channels:
                tensor.shape.with_rank(0)
            elif name in of_channels and (tensor.shape.rank or 0) > 1:
                raise ValueError(f"Shape must be at most rank 1 but is rank {tensor.shape.rank}")
        return [found, ends, ends]

    @classmethod
    def run(
        cls,
        xp: Any,
        images: Any,
        filters: Any,
        *rest: Any,
        Tinput: DType,  # noqa: N803  # TensorFlow's attributes
        Tfilter: DType,  # noqa: N803
        out_type: DType,
        strides: Any,
        padding: bytes,
        dilations: Any,
    ) -> list[Any]:
        names = [arg.name for arg in cls.signature().inputs[2:]]
        given = dict(zip(names, rest, strict=True))
        low, high = limits(min_input=given["min_input"], max_input=given["max_input"])
        filter_low, filter_high = (np.asarray(given[name], np.float32) for name in ("min_filter", "max_filter"))
        if filter_low.shape != filter_high.shape:
            raise InvalidArgumentError("min_filter and max_filter must be of one shape")
        kind_in, kind_filter, kind = kind_of(Tinput), kind_of(Tfilter), kind_of(out_type)
        how: dict[str, Any] = {"strides": strides, "padding": padding, "explicit_paddings": [], "data_format": b"NHWC", "dilations": dilations}
        is_depthwise = cls.__name__.startswith("QuantizedDepthwise")
        if is_depthwise:
            del how["explicit_paddings"]
        convolution: Any = DepthwiseConv2dNative if is_depthwise else Conv2D
        # In double precision, which holds every product and sum of numbers of 8 bits.
        sums = convolution.run(np, plain(images).astype(np.float64), plain(filters).astype(np.float64), **how).astype(np.int64)
        ends: Any = limits(low=given["min_freezed_output"], high=given["max_freezed_output"]) if "min_freezed_output" in given else None
        if filter_low.size not in (1, sums.shape[-1]):
            raise InvalidArgumentError(f"min_filter must have one element, or one for each of {sums.shape[-1]} channels, not {filter_low.size}")
        unit = _real_of_product(low, high, filter_low, filter_high, kind_in)
        found = _finished(sums, given.get("bias"), unit, kind, ends, is_relu="Relu" in cls.__name__)
        if ends is not None:
            return [found, *ends]
        return [found, *_range_of_products(low, high, kind_in, filter_low, filter_high, kind_filter, kind)]


class QuantizedConv2DPerChannel(_Convolution):
    """A convolution, with a range for each channel of the output."""

    inputs = "input: Tinput, filter: Tfilter, " + _RANGES
    attrs = _types("qint32") + _GEOMETRY
    samples = (sample(_IMAGES, _FILTERS, *_LIMITS[:2], "float: [-1.0, -2.0, -1.5]", "float: [1.0, 2.0, 1.5]", **_STEPS),)


class QuantizedConv2DAndRelu(_Convolution):
    """A convolution, cut to what is above 0."""

    inputs = "input: Tinput, filter: Tfilter, " + _RANGES
    attrs = _types("qint32") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, *_LIMITS, **_STEPS),)


class QuantizedConv2DAndRequantize(_Convolution):
    """A convolution, in fewer bits."""

    inputs = "input: Tinput, filter: Tfilter, " + _RANGES + _FROZEN
    attrs = _types("qint8") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, *_LIMITS, *_ENDS, **_STEPS),)


class QuantizedConv2DAndReluAndRequantize(_Convolution):
    """A convolution, cut to what is above 0, in fewer bits."""

    inputs = "input: Tinput, filter: Tfilter, " + _RANGES + _FROZEN
    attrs = _types("quint8") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, *_LIMITS, *_ENDS, **_STEPS),)


class QuantizedConv2DWithBias(_Convolution):
    """A convolution and a bias."""

    inputs = "input: Tinput, filter: Tfilter, bias: float, " + _RANGES
    attrs = _types("qint32") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, _BIAS, *_LIMITS, **_STEPS),)


class QuantizedConv2DWithBiasAndRelu(_Convolution):
    """The same, cut to what is above 0."""

    inputs = "input: Tinput, filter: Tfilter, bias: float, " + _RANGES
    attrs = _types("qint32") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, _BIAS, *_LIMITS, **_STEPS),)


class QuantizedConv2DWithBiasAndRequantize(_Convolution):
    """A convolution and a bias, in fewer bits."""

    inputs = "input: Tinput, filter: Tfilter, bias: Tbias, " + _RANGES + _FROZEN
    attrs = _types("qint8", "Tbias: {float, qint32}, ") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, _BIAS, *_LIMITS, *_ENDS, **_STEPS),)


class QuantizedConv2DWithBiasAndReluAndRequantize(_Convolution):
    """The same, cut to what is above 0."""

    inputs = "input: Tinput, filter: Tfilter, bias: Tbias, " + _RANGES + _FROZEN
    attrs = _types("quint8", "Tbias: {float, qint32}, ") + _LISTED
    samples = (sample(_IMAGES, _FILTERS, _BIAS, *_LIMITS, *_ENDS, **_STEPS),)


class QuantizedDepthwiseConv2D(_Convolution):
    """A convolution of each channel by itself."""

    inputs = "input: Tinput, filter: Tfilter, " + _RANGES
    attrs = _types("qint32") + _GEOMETRY
    samples = (sample(_IMAGES, _OF_EACH, *_LIMITS, **_STEPS),)


class QuantizedDepthwiseConv2DWithBias(_Convolution):
    """The same and a bias."""

    inputs = "input: Tinput, filter: Tfilter, bias: float, " + _RANGES
    attrs = _types("qint32") + _GEOMETRY
    samples = (sample(_IMAGES, _OF_EACH, _BIAS_OF_EACH, *_LIMITS, **_STEPS),)


class QuantizedDepthwiseConv2DWithBiasAndRelu(_Convolution):
    """The same, cut to what is above 0."""

    inputs = "input: Tinput, filter: Tfilter, bias: float, " + _RANGES
    attrs = _types("qint32") + _LISTED
    samples = (sample(_IMAGES, _OF_EACH, _BIAS_OF_EACH, *_LIMITS, **_STEPS),)


class QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize(_Convolution):
    """The same, in fewer bits."""

    inputs = "input: Tinput, filter: Tfilter, bias: Tbias, " + _RANGES + _FROZEN
    attrs = _types("quint8", "Tbias: {float, qint32}, ") + _LISTED
    samples = (sample(_IMAGES, _OF_EACH, _BIAS_OF_EACH, *_LIMITS, *_ENDS, **_STEPS),)


class _MatMul(OpType, abstract=True):
    outputs = "out: Toutput, min_out: float, max_out: float"
    is_host_only = True

    @classmethod
    def shapes(cls, op: Operation) -> list[TensorShape]:
        found = MatMul.shapes(front(op, 2))
        op._inputs[2].shape.with_rank(1)
        for tensor in op._inputs[3:]:
            tensor.shape.with_rank(0)
        return [*found, shape_functions.SCALAR, shape_functions.SCALAR][: len(op.output_types)]

    @classmethod
    def run(
        cls,
        xp: Any,
        a: Any,
        b: Any,
        bias: Any,
        *ranges: Any,
        T1: DType,  # noqa: N803  # TensorFlow's attributes
        T2: DType,  # noqa: N803
        Toutput: DType,  # noqa: N803
        transpose_a: bool,
        transpose_b: bool,
        input_quant_mode: bytes,
    ) -> Any:
        names = [arg.name for arg in cls.signature().inputs[3:]]
        low, high, other_low, other_high, *ends = limits(**dict(zip(names, ranges, strict=True)))
        of, other = kind_of(T1), kind_of(T2)
        right = plain(b).astype(np.float64)
        sums = MatMul.run(np, plain(a).astype(np.float64), right, transpose_a=transpose_a, transpose_b=transpose_b)
        if bias.shape != sums.shape[1:]:
            raise InvalidArgumentError(f"bias must be of shape [{sums.shape[1]}], not of {list(bias.shape)}")
        unit = _real_of_product(low, high, other_low, other_high, of)
        if input_quant_mode == b"MIN_FIRST" and not bias.dtype.names:
            step = (high - low) / np.float32(255)
            unit = step * (_widest(other_low, other_high) / np.float32(127))
            # The kernel of TensorFlow 2.21 takes this product for reals, which it is not.
            bias = bias + right.sum(int(transpose_b)).astype(np.float32) * (np.float32(255) * low / (high - low))
        if not Toutput.is_quantized:
            return sums.astype(np.float32) * unit + (plain(bias).astype(np.float32) * unit if bias.dtype.names else bias)
        found = _finished(sums.astype(np.int64), bias, unit, kind_of(Toutput), (ends[0], ends[1]) if ends else None, is_relu="Relu" in cls.__name__)
        return [found, *(ends or _range_of_products(low, high, of, other_low, other_high, other, kind_of(Toutput)))]


_PRODUCT = "transpose_a: bool = false, transpose_b: bool = false, input_quant_mode: {'MIN_FIRST', 'SCALED'} = 'MIN_FIRST'"
_RANGES_OF_MATRICES = "min_a: float, max_a: float, min_b: float, max_b: float"
_LEFT: Any = quantized_sample([(37 * number) % 256 for number in range(8)], "quint8", (2, 4))
_RIGHT: Any = quantized_sample([(53 * number) % 256 - 128 for number in range(12)], "qint8", (4, 3))


def _samples(*ends: str, **attrs: Any) -> Any:
    return (
        sample(_LEFT, _RIGHT, _BIAS, *_LIMITS, *ends, input_quant_mode="SCALED", **attrs),
        sample(_LEFT, _RIGHT, _BIAS, "float: -1.0", *_LIMITS[1:], *ends, **attrs),
    )


class QuantizedMatMulWithBias(_MatMul):
    """The product of two matrices and a bias."""

    inputs = "a: T1, b: T2, bias: Tbias, " + _RANGES_OF_MATRICES
    attrs = f"T1: {KINDS}, T2: {KINDS}, Tbias: {{float, qint32}}, Toutput: {KINDS} = qint32, " + _PRODUCT
    samples = _samples()


class QuantizedMatMulWithBiasAndRelu(_MatMul):
    """The same, cut to what is above 0."""

    inputs = "a: T1, b: T2, bias: float, " + _RANGES_OF_MATRICES
    attrs = f"T1: {KINDS}, T2: {KINDS}, Toutput: {KINDS} = qint32, " + _PRODUCT
    samples = _samples()


class QuantizedMatMulWithBiasAndRequantize(_MatMul):
    """The product of two matrices and a bias, in fewer bits."""

    inputs = "a: T1, b: T2, bias: Tbias, " + _RANGES_OF_MATRICES + _FROZEN
    attrs = f"T1: {KINDS}, T2: {KINDS}, Tbias: {{float, qint32}}, Toutput: {KINDS} = quint8, " + _PRODUCT
    samples = _samples(*_ENDS)


class QuantizedMatMulWithBiasAndReluAndRequantize(_MatMul):
    """The same, cut to what is above 0."""

    inputs = "a: T1, b: T2, bias: Tbias, " + _RANGES_OF_MATRICES + _FROZEN
    attrs = f"T1: {KINDS}, T2: {KINDS}, Tbias: {{float, qint32}}, Toutput: {KINDS} = quint8, " + _PRODUCT
    samples = _samples(*_ENDS)


class QuantizedMatMulWithBiasAndDequantize(_MatMul):
    """The product of two matrices and a bias, as reals."""

    inputs = "a: T1, b: T2, bias: Tbias, " + _RANGES_OF_MATRICES + _FROZEN
    outputs = "out: Toutput"
    attrs = f"T1: {KINDS}, T2: {KINDS}, Tbias: {{float, qint32}}, Toutput: {{float}}, " + _PRODUCT
    samples = _samples(*_ENDS, Toutput="float")
