"""Numbers of 8, 16 or 32 bits that stand for reals between two others: made, turned back, and changed to other ranges."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, convert_to_tensor, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.ops.named_outputs import named_outputs
from gpersist.shapes import TensorShape

__all__ = ["dequantize", "quantize", "quantize_and_dequantize_v2", "quantize_v2"]

_KINDS = "{qint8, quint8, qint32, qint16, quint16}"
_HUGE = np.float32(np.finfo(np.float32).max)


def quantize_v2(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,  # noqa: N803  # TensorFlow's
    mode: str = "MIN_COMBINED",
    name: str | None = None,
    round_mode: str = "HALF_AWAY_FROM_ZERO",
    narrow_range: bool = False,
    axis: int | None = None,
    ensure_minimum_range: float = 0.01,
) -> Any:
    """Reals as numbers of few bits, and the range that these stand for (`tf.quantization.quantize`)."""
    extra: dict[str, Any] = {} if axis is None else {"axis": axis}
    if narrow_range:
        extra["narrow_range"] = True
    if ensure_minimum_range != 0.01:
        extra["ensure_minimum_range"] = ensure_minimum_range
    return named_outputs("QuantizeV2", input, min_range, max_range, T=T, mode=mode, round_mode=round_mode, name=name, **extra)


def quantize(
    input: Any,
    min_range: Any,
    max_range: Any,
    T: Any,  # noqa: N803  # TensorFlow's
    mode: str = "MIN_COMBINED",
    round_mode: str = "HALF_AWAY_FROM_ZERO",
    name: str | None = None,
    narrow_range: bool = False,
    axis: int | None = None,
    ensure_minimum_range: float = 0.01,
) -> Any:
    """Reals as numbers of few bits, and the range that these stand for; `quantize_v2` with its arguments in another order."""
    return quantize_v2(input, min_range, max_range, T, mode, name, round_mode, narrow_range, axis, ensure_minimum_range)


def dequantize(input: Any, min_range: Any, max_range: Any, mode: str = "MIN_COMBINED", name: str | None = None) -> Tensor:
    """The reals that numbers of few bits stand for (`tf.quantization.dequantize`)."""
    return apply("Dequantize", input, min_range, max_range, mode=mode, name=name)


def quantize_and_dequantize_v2(
    input: Any,
    input_min: Any,
    input_max: Any,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN",
    name: str | None = None,
    narrow_range: bool = False,
) -> Tensor:
    """Reals rounded as if they had been numbers of few bits (`tf.quantization.quantize_and_dequantize`)."""
    value = convert_to_tensor(input)
    return apply(
        "QuantizeAndDequantizeV2",
        value,
        convert_to_tensor(input_min, value.dtype),
        convert_to_tensor(input_max, value.dtype),
        signed_input=signed_input,
        num_bits=num_bits,
        range_given=range_given,
        round_mode=round_mode,
        name=name,
        **({"narrow_range": True} if narrow_range else {}),
    )


class Kind(NamedTuple):
    """A quantised type.

    Attributes:
        numpy: its NumPy type, a record of one field.
        plain: that field's type.
    """

    numpy: Any
    plain: Any

    @property
    def low(self) -> int:
        """The smallest number."""
        return int(np.iinfo(self.plain).min)

    @property
    def high(self) -> int:
        """The largest number."""
        return int(np.iinfo(self.plain).max)


def kind_of(dtype: DType) -> Kind:
    """What a quantised type is."""
    numpy_dtype: Any = dtype.numpy
    assert numpy_dtype.names is not None
    return Kind(numpy_dtype, numpy_dtype[numpy_dtype.names[0]])


def plain(values: Any) -> Any:
    """The numbers of a quantised array."""
    return values[values.dtype.names[0]]


def quantized(values: Any, kind: Kind) -> Any:
    """Numbers, cut to what a type holds, as a quantised array of it."""
    limited = np.clip(values, kind.low, kind.high).astype(kind.plain)
    return np.ascontiguousarray(limited).view(kind.numpy).reshape(limited.shape)


def away(values: Any) -> Any:
    """Rounded, halves away from 0."""
    return np.trunc(values + np.copysign(np.asarray(0.5, values.dtype), values))


def scalar_range(low: Any, high: Any) -> tuple[Any, Any]:
    """Two limits, each of which has one element.

    Raises:
        InvalidArgumentError: one has more.
    """
    for value, what in ((low, "min"), (high, "max")):
        if np.size(value) != 1:
            raise InvalidArgumentError(f"`{what}` must be a scalar, got shape {shown(np.shape(value))}")
    return np.float32(np.reshape(low, ())), np.float32(np.reshape(high, ()))


def steps_of(low: Any, high: Any, kind: Kind) -> Any:
    """How far a number is from the next one, of a range: float32."""
    return np.asarray((high - low) / np.float64(kind.high - kind.low), np.float32)


def first_to_float(values: Any, low: Any, high: Any, kind: Kind) -> Any:
    """What numbers stand for, where the lowest stands for the lower limit and 0 can be told."""
    step = steps_of(low, high, kind)
    start = np.where(high == low, low, away(low / np.where(step, step, np.float32(1))) * step)
    return (start + (values.astype(np.float64) - kind.low) * step).astype(np.float32)


def float_to_first(values: Any, low: Any, high: Any, kind: Kind) -> Any:
    """The inverse of `first_to_float`, in float32."""
    scale = np.asarray(np.where(high == low, 0, np.float64(kind.high - kind.low) / np.where(high == low, 1, high - low)), np.float32)
    start = away(np.asarray(low * scale, np.float32)) - np.float32(kind.low)
    limit = np.float32(kind.high) if kind.high < 1 << 24 else np.nextafter(np.float32(kind.high), np.float32(0))
    return quantized(np.minimum(away(values * scale) - start, limit), kind)


class QuantizeV2(OpType):
    """Reals as numbers of few bits."""

    inputs = "input: float, min_range: float, max_range: float"
    outputs = "output: T, output_min: float, output_max: float"
    attrs = (
        f"T: {_KINDS}, mode: {{'MIN_COMBINED', 'MIN_FIRST', 'SCALED'}} = 'MIN_COMBINED', "
        "round_mode: {'HALF_AWAY_FROM_ZERO', 'HALF_TO_EVEN'} = 'HALF_AWAY_FROM_ZERO'"
    )
    is_host_only = True
    samples = tuple(
        sample("float[2,5] in -2..2", "float: -1.0", "float: 1.5", T=kind, mode=mode, has_gradient=False)
        for kind in ("qint8", "quint8")
        for mode in ("MIN_COMBINED", "MIN_FIRST", "SCALED")
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        axis = op.attr("axis") if op.has_attr("axis") else -1
        if axis != -1:
            size = TensorShape(op._inputs[0].shape.with_rank_at_least(axis + 1).as_list()[axis : axis + 1]) if op._inputs[0].shape.rank else None
            return [op._inputs[0].shape, *[TensorShape([None]) if size is None else size] * 2]
        for limit in op._inputs[1:]:
            limit.shape.with_rank(0)
        return [op._inputs[0].shape, shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        min_range: Any,
        max_range: Any,
        *,
        T: DType,  # noqa: N803  # TensorFlow's
        mode: bytes,
        round_mode: bytes,
        narrow_range: bool = False,
        axis: int = -1,
        ensure_minimum_range: float = 0.01,
    ) -> tuple[Any, Any, Any]:
        kind = kind_of(T)
        low: Any
        high: Any
        scale: Any
        if axis == -1:
            low, high = scalar_range(min_range, max_range)
        else:
            if axis < -1 or axis >= values.ndim:
                raise InvalidArgumentError(f"Axis must be less than input dimension({values.ndim}), got {axis}")
            low, high = min_range, max_range
            if low.shape != (values.shape[axis],) or high.shape != low.shape:
                raise InvalidArgumentError(f"input_min_range and input_max_range must have {values.shape[axis]} elements")
        if np.any(low > high):
            raise InvalidArgumentError(f"input_max_range must be larger than input_min_range, not {high} and {low}")
        least = np.maximum(np.float32(1), np.maximum(np.abs(low), np.abs(high))) * np.float32(ensure_minimum_range)
        low, high = np.minimum(np.float32(0), low), np.maximum(np.float32(0), np.maximum(high, np.minimum(np.float32(0), low) + least))
        is_even = round_mode == b"HALF_TO_EVEN"
        wide = (slice(None), *[None] * (values.ndim - axis - 1)) if axis != -1 else ()
        if mode == b"SCALED":
            low, high, scale = _scaled_range(low, high, kind, narrow_range)
            scaled = np.clip(values, low[wide], high[wide]) * scale[wide]
            found = quantized(np.rint(scaled) if is_even else away(scaled), kind)
        elif mode == b"MIN_FIRST":
            found = float_to_first(values, low[wide], high[wide], kind)
        else:
            scale = np.asarray((np.float64(kind.high) - kind.low) / (high - low), np.float32)
            shifted = (np.clip(values, low[wide], high[wide]) - low[wide]) * scale[wide]
            half = np.float32(0 if kind.low == 0 else (kind.high - kind.low + 1) // 2)
            found = quantized(away(shifted - half) if half else np.floor(shifted + np.float32(0.5)), kind)
        return found, np.asarray(low, np.float32), np.asarray(high, np.float32)


def _scaled_range(low: Any, high: Any, kind: Kind, narrow_range: bool) -> tuple[Any, Any, Any]:
    """The range around 0 that the smaller scale gives, and that scale."""
    least, most = np.float32(kind.low + narrow_range), np.float32(kind.high)
    with np.errstate(all="ignore"):
        of_low = np.where(least * low > 0, least / low, _HUGE)
        of_high = np.where(most * high > 0, most / high, _HUGE)
    scale = np.minimum(of_low, of_high).astype(np.float32)
    return least / scale, most / scale, scale


class Dequantize(OpType):
    """The reals that numbers of few bits stand for."""

    inputs = "input: T, min_range: float, max_range: float"
    outputs = "output: dtype"
    attrs = f"T: {_KINDS}, mode: {{'MIN_COMBINED', 'MIN_FIRST', 'SCALED'}} = 'MIN_COMBINED', dtype: {{bfloat16, float}} = float"
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = ()

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        if not op.has_attr("axis") or op.attr("axis") == -1:
            for limit in op._inputs[1:]:
                limit.shape.with_rank(0)
        return [op._inputs[0].shape]

    @staticmethod
    def run(
        xp: Any,
        values: Any,
        min_range: Any,
        max_range: Any,
        *,
        T: DType,  # noqa: N803  # TensorFlow's
        mode: bytes,
        dtype: DType,
        narrow_range: bool = False,
        axis: int = -1,
    ) -> Any:
        kind, numbers = kind_of(T), plain(values)
        wide: Any = ()
        low: Any
        high: Any
        if axis == -1:
            low, high = scalar_range(min_range, max_range)
        else:
            if axis >= numbers.ndim:
                raise InvalidArgumentError(f"Axis must be less than input dimension({numbers.ndim}), got {axis}")
            low, high = min_range, max_range
            if low.shape != (numbers.shape[axis],) or high.shape != low.shape:
                raise InvalidArgumentError(f"min_range and max_range must have {numbers.shape[axis]} elements")
            wide = (slice(None), *[None] * (numbers.ndim - axis - 1))
        if mode == b"MIN_FIRST":
            found = first_to_float(numbers, low[wide], high[wide], kind)
        elif mode == b"SCALED":
            scale: Any = high / np.float32(kind.high)
            if kind.low:
                scale = np.maximum(low / np.float32(kind.low + narrow_range), scale)
            found = numbers.astype(np.float32) * scale[wide]
        else:
            half = np.float32(0 if kind.low == 0 else (np.float64(kind.high) - kind.low + 1) / 2)
            scale = (high - low) / np.float32(np.float64(kind.high) - kind.low)
            found = (numbers.astype(np.float32) + half) * scale[wide] + low[wide]
        return found.astype(dtype.numpy)


def quantized_sample(values: list[int], name: str, shape: tuple[int, ...] = ()) -> Any:
    """Numbers as a quantised array, for samples."""
    kind = kind_of(_dtype(name))
    return quantized(np.array(values), kind).reshape(shape or (len(values),))


def _dtype(name: str) -> DType:
    from gpersist.dtypes import from_name

    return from_name(name)


Dequantize.samples = tuple(
    sample(quantized_sample([0, 1, 100, low], kind), "float: -1.0", "float: 1.5", mode=mode)
    for kind, low in (("qint8", -128), ("quint8", 255), ("qint32", -7))
    for mode in ("MIN_COMBINED", "MIN_FIRST", "SCALED")
)


class _Rounded(OpType, abstract=True):
    """Rounded to few levels, and back."""

    inputs = "input: T, input_min: T, input_max: T"
    outputs = "output: T"
    samples: ClassVar[tuple[Sample, ...]] = ()

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [grad, *[None] * (len(op.inputs) - 1)]


def _rounded(xp: Any, values: Array, low: Any, high: Any, *, signed: bool, bits: int, given: bool, is_even: bool, narrow: bool, axis: int) -> Array:
    if not 1 <= bits < (64 if signed else 63):
        raise InvalidArgumentError(f"num_bits is out of range: {bits} with signed_input {str(signed).lower()}")
    if axis < -1 or axis >= max(values.ndim, 1):
        raise InvalidArgumentError(f"Axis {axis} is out of range: shape was: {shown(values.shape)}")
    dtype = values.dtype
    if not given:
        others = tuple(other for other in range(values.ndim) if other != axis)
        low, high = (values.min(others), values.max(others)) if values.size else (dtype.type(0), dtype.type(0))
    elif np.ndim(low) or np.ndim(high):
        raise InvalidArgumentError(f"input_min and input_max must be scalars, not of shapes {shown(np.shape(low))} and {shown(np.shape(high))}")
    low, high = xp.asarray(low), xp.asarray(high)
    if given and xp is np and np.any(low > high):
        raise InvalidArgumentError(f"Invalid range: input_min {low} > input_max {high}")
    least = dtype.type(-(1 << (bits - 1)) + narrow if signed else 0)
    most = dtype.type((1 << (bits - 1)) - 1 if signed else (1 << bits) - 1)
    huge = dtype.type(np.finfo(dtype).max if dtype.kind == "f" else np.finfo(np.float32).max)
    one = dtype.type(1)
    of_low = xp.where(least * low > 0, least / xp.where(low != 0, low, one), huge)
    of_high = xp.where(most * high > 0, most / xp.where(high != 0, high, one), huge)
    by_low = of_low < of_high
    scale = xp.where(by_low, of_low, of_high)
    inverse = xp.where(by_low, low / (least if least else one), high / most)
    low, high = xp.where(by_low, low, least * inverse), xp.where(by_low, most * inverse, high)
    wide = (slice(None), *[None] * (values.ndim - axis - 1)) if axis != -1 else ()
    kept = xp.maximum(xp.minimum(values, high[wide]), low[wide]) if given else values
    scaled = kept * scale[wide]
    return ((xp.rint(scaled) if is_even else xp.floor(scaled + dtype.type(0.5))) * inverse[wide]).astype(dtype)


class QuantizeAndDequantizeV2(_Rounded):
    """Rounded to few levels, and back."""

    attrs = (
        "signed_input: bool = true, num_bits: int = 8, range_given: bool = false, T: {bfloat16, half, float, double}, "
        "round_mode: {'HALF_TO_EVEN', 'HALF_UP'} = 'HALF_TO_EVEN'"
    )
    samples = (
        sample("float[3,4] in -3..2", "float: 0.0", "float: 0.0", has_gradient=False),
        sample("float[3,4] in -3..2", "float: -2.0", "float: 1.0", range_given=True, num_bits=4, round_mode="HALF_UP", has_gradient=False),
        sample("double[3,4] in 0..2", "double: 0.0", "double: 0.0", signed_input=False, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        rank = 0 if not op.has_attr("axis") or op.attr("axis") == -1 else 1
        for limit in op._inputs[1:3]:
            limit.shape.with_rank(rank)
        return [op._inputs[0].shape]

    @staticmethod
    def run(
        xp: Any,
        values: Array,
        low: Array,
        high: Array,
        *,
        signed_input: bool,
        num_bits: int,
        range_given: bool,
        round_mode: bytes,
        narrow_range: bool = False,
        axis: int = -1,
    ) -> Array:
        is_even = round_mode == b"HALF_TO_EVEN"
        how: dict[str, Any] = {
            "signed": signed_input,
            "bits": num_bits,
            "given": range_given,
            "is_even": is_even,
            "narrow": narrow_range,
            "axis": axis,
        }
        return _rounded(xp, values, low, high, **how)


class QuantizeAndDequantizeV3(_Rounded):
    """The same, with a tensor that says how many bits."""

    inputs = "input: T, input_min: T, input_max: T, num_bits: int32"
    attrs = "signed_input: bool = true, range_given: bool = true, T: {bfloat16, half, float, double}"
    host_inputs = ("num_bits",)
    samples = (
        sample("float[3,4] in -3..2", "float: -2.0", "float: 1.0", "int32: 5", has_gradient=False),
        sample("float[3,4] in -3..2", "float: 0.0", "float: 0.0", "int32: 8", range_given=False, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[3].shape.with_rank(0)
        return QuantizeAndDequantizeV2.shapes(op)

    @staticmethod
    def run(
        xp: Any,
        values: Array,
        low: Array,
        high: Array,
        num_bits: Any,
        *,
        signed_input: bool,
        range_given: bool,
        narrow_range: bool = False,
        axis: int = -1,
    ) -> Array:
        if np.ndim(num_bits):
            raise InvalidArgumentError(f"num_bits must be a scalar, but is {shown(np.shape(num_bits))}")
        if axis >= values.ndim or not values.ndim:
            raise InvalidArgumentError(f"Axis requested is larger than input dimensions. Axis: {axis} Input Dimensions: {values.ndim}")
        how: dict[str, Any] = {
            "signed": signed_input,
            "bits": int(num_bits),
            "given": range_given,
            "is_even": True,
            "narrow": narrow_range,
            "axis": axis,
        }
        return _rounded(xp, values, low, high, **how)
