"""Numbers rounded to few levels and back, in TensorFlow's first and last versions; `quantization` has those between."""

from __future__ import annotations

from typing import Any

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, sample
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import QuantizeAndDequantizeV2
from gpersist.shapes import TensorShape

__all__ = ["quantize_and_dequantize"]


class QuantizeAndDequantize(OpType):
    """Rounded to few levels of a range that is an attribute, and back."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = (
        "signed_input: bool = true, num_bits: int = 8, range_given: bool = false, input_min: float = 0.0, input_max: float = 0.0, "
        "T: {bfloat16, half, float, double}"
    )
    samples = (
        sample("float[3,4] in -3..2", has_gradient=False),
        sample("double[3,4] in -3..2", range_given=True, input_min=-2.0, input_max=1.0, num_bits=5, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, values: Array, *, signed_input: bool, num_bits: int, range_given: bool, input_min: float, input_max: float) -> Array:
        low, high = (xp.asarray(limit, values.dtype) for limit in (input_min, input_max))
        how: dict[str, Any] = {"signed_input": signed_input, "num_bits": num_bits, "range_given": range_given, "round_mode": b"HALF_TO_EVEN"}
        return QuantizeAndDequantizeV2.run(xp, values, low, high, **how)


class QuantizeAndDequantizeV4(OpType):
    """Rounded to few levels, and back; what is outside of the range has no gradient."""

    inputs = QuantizeAndDequantizeV2.inputs
    outputs = QuantizeAndDequantizeV2.outputs
    attrs = QuantizeAndDequantizeV2.attrs + ", narrow_range: bool = false, axis: int = -1"
    samples = (
        sample("float[3,4] in -3..2", "float: 0.0", "float: 0.0", has_gradient=False),
        sample("float[3,4] in -3..2", "float: -2.0", "float: 1.0", range_given=True, num_bits=4, round_mode="HALF_UP", has_gradient=False),
        sample("double[3,4] in 0..2", "double: 0.0", "double: 0.0", signed_input=False, narrow_range=True, has_gradient=False),
    )
    shapes = staticmethod(QuantizeAndDequantizeV2.shapes)

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
        narrow_range: bool,
        axis: int,
    ) -> Array:
        how: dict[str, Any] = {"signed_input": signed_input, "num_bits": num_bits, "range_given": range_given, "round_mode": round_mode}
        return QuantizeAndDequantizeV2.run(xp, values, low, high, narrow_range=narrow_range, axis=axis, **how)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor]:
        return list(apply_op("QuantizeAndDequantizeV4Grad", grad, *op.inputs, axis=op.attr("axis")).outputs)


class QuantizeAndDequantizeV4Grad(OpType):
    """The gradient of `QuantizeAndDequantizeV4`: what is within the range passes."""

    inputs = "gradients: T, input: T, input_min: T, input_max: T"
    outputs = "input_backprop: T, input_min_backprop: T, input_max_backprop: T"
    attrs = "T: {bfloat16, half, float, double}, axis: int = -1"
    samples = (
        sample("float[3,4]", "float[3,4] in -3..2", "float: -2.0", "float: 1.0", has_gradient=False),
        sample("double[3,4]", "double[3,4] in -3..2", "double[4] in -2..-1", "double[4] in 0..1", axis=1, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _, value, low, high = (tensor.shape for tensor in op._inputs)
        rank = 0 if op.attr("axis") == -1 else 1
        limits = low.with_rank(rank).merge_with(high)
        return [value, limits, limits]

    @staticmethod
    def run(xp: Any, grad: Array, value: Array, low: Array, high: Array, *, axis: int) -> list[Array]:
        if grad.shape != value.shape:
            raise InvalidArgumentError(f"gradient and input must be the same size: {shown(grad.shape)} and {shown(value.shape)}")
        wide = (slice(None), *[None] * (value.ndim - axis - 1)) if axis != -1 else ()
        low, high = xp.asarray(low), xp.asarray(high)
        is_inside = (value >= low[wide]) & (value <= high[wide])
        return [xp.where(is_inside, grad, grad.dtype.type(0)), xp.zeros_like(low), xp.zeros_like(high)]


def quantize_and_dequantize(
    input: Any,  # TensorFlow's name
    input_min: Any,
    input_max: Any,
    signed_input: bool = True,
    num_bits: int = 8,
    range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN",
    name: str | None = None,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Tensor:
    """Numbers rounded to few levels, and back (`tf.quantization.quantize_and_dequantize`).

    Raises:
        ValueError: a negative axis of a tensor of unknown rank.
    """
    if axis is None:
        axis = -1
    elif axis < 0:
        rank = input.shape.rank
        if rank is None:
            raise ValueError("input should have known rank to use negative axis.")
        axis %= rank
    newer = {key: value for key, value, default in (("narrow_range", narrow_range, False), ("axis", axis, -1)) if value != default}
    attrs: dict[str, Any] = {"signed_input": signed_input, "num_bits": num_bits, "range_given": range_given, "round_mode": round_mode, **newer}
    return apply("QuantizeAndDequantizeV2", input, input_min, input_max, name=name, **attrs)
