"""Rounding to few levels, as quantised inference will do: training sees the numbers that are left."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import shown
from gpersist.ops.named_outputs import named_outputs
from gpersist.shapes import TensorShape

__all__ = [
    "fake_quant_with_min_max_args",
    "fake_quant_with_min_max_args_gradient",
    "fake_quant_with_min_max_vars",
    "fake_quant_with_min_max_vars_gradient",
    "fake_quant_with_min_max_vars_per_channel",
    "fake_quant_with_min_max_vars_per_channel_gradient",
]


def fake_quant_with_min_max_args(
    inputs: Any, min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """Rounded to the levels of `num_bits` bits between two numbers (`tf.quantization.fake_quant_with_min_max_args`)."""
    return apply("FakeQuantWithMinMaxArgs", inputs, min=min, max=max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_args_gradient(
    gradients: Any, inputs: Any, min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """The gradient of `fake_quant_with_min_max_args` (`tf.quantization.fake_quant_with_min_max_args_gradient`)."""
    return apply("FakeQuantWithMinMaxArgsGradient", gradients, inputs, min=min, max=max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars(inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None) -> Tensor:
    """The same, between two scalar tensors (`tf.quantization.fake_quant_with_min_max_vars`)."""
    return apply("FakeQuantWithMinMaxVars", inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Any:
    """The gradients of `fake_quant_with_min_max_vars` (`tf.quantization.fake_quant_with_min_max_vars_gradient`)."""
    return named_outputs("FakeQuantWithMinMaxVarsGradient", gradients, inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """The same, with two numbers for each channel, the last axis (`tf.quantization.fake_quant_with_min_max_vars_per_channel`)."""
    return apply("FakeQuantWithMinMaxVarsPerChannel", inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Any:
    """Its gradients (`tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient`)."""
    how = {"num_bits": num_bits, "narrow_range": narrow_range}
    return named_outputs("FakeQuantWithMinMaxVarsPerChannelGradient", gradients, inputs, min, max, name=name, **how)


def _levels(low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any]:
    """The lowest level, the highest, and the step, such that 0 is a level. Arrays of float32."""
    first, last = np.float32(narrow_range), np.float32((1 << num_bits) - 1)
    with np.errstate(all="ignore"):
        scale = (high - low) / (last - first)
        exact = first - low / scale
        zero = np.where(exact < first, first, np.where(exact > last, last, np.trunc(exact + np.copysign(np.float32(0.5), exact))))
        return ((first - zero) * scale).astype(np.float32), ((last - zero) * scale).astype(np.float32), np.asarray(scale, np.float32)


def _rounded(xp: Any, inputs: Array, low: Any, high: Any, num_bits: int, narrow_range: bool) -> Array:
    lowest, highest, scale = _levels(low, high, num_bits, narrow_range)
    with np.errstate(all="ignore"):
        inverse = np.float32(1) / scale
    zero = np.floor(-lowest * inverse + np.float32(0.5))
    lowest, highest, scale, inverse, zero = (xp.asarray(value) for value in (lowest, highest, scale, inverse, zero))
    clamped = xp.maximum(xp.minimum(inputs, highest), lowest) - lowest
    found = xp.floor(clamped * inverse - zero + np.float32(0.5)) * scale
    is_nothing = (low == 0) & (high == 0)
    return xp.where(xp.asarray(is_nothing), np.float32(0), found) if np.any(is_nothing) else found


def _check_bits(num_bits: int) -> None:
    if not 2 <= num_bits <= 16:
        raise InvalidArgumentError(f"num_bits must be between 2 and 16, inclusive, but is {num_bits}")


def _check_limits(low: float, high: float) -> None:
    if not low < high:
        raise InvalidArgumentError(f"min has to be smaller than max, was: {low} >= {high}")


class FakeQuantWithMinMaxArgs(OpType):
    """Rounded to levels between two numbers."""

    inputs = "inputs: float"
    outputs = "outputs: float"
    attrs = "min: float = -6.0, max: float = 6.0, num_bits: int = 8, narrow_range: bool = false"
    samples = (
        sample("float[3,4] in -9..9", has_gradient=False),
        sample("float[5]", min=-0.5, max=0.7, num_bits=4, narrow_range=True, has_gradient=False),
    )
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, inputs: Array, *, min: float, max: float, num_bits: int, narrow_range: bool) -> Array:
        _check_limits(min, max)
        _check_bits(num_bits)
        return _rounded(xp, inputs, np.float32(min), np.float32(max), num_bits, narrow_range)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return apply("FakeQuantWithMinMaxArgsGradient", grad, op.inputs[0], **_attrs(op, "min", "max"))


def _attrs(op: Operation, *names: str) -> dict[str, Any]:
    return {name: op.attr(name) for name in (*names, "num_bits", "narrow_range")}


class FakeQuantWithMinMaxArgsGradient(OpType):
    """Its gradient: what is between the levels' ends passes."""

    inputs = "gradients: float, inputs: float"
    outputs = "backprops: float"
    attrs = FakeQuantWithMinMaxArgs.attrs
    samples = (sample("float[3,4]", "float[3,4] in -9..9"),)
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, gradients: Array, inputs: Array, *, min: float, max: float, num_bits: int, narrow_range: bool) -> Array:
        _check_limits(min, max)
        _check_bits(num_bits)
        _check_same(gradients, inputs)
        lowest, highest, _ = _levels(np.float32(min), np.float32(max), num_bits, narrow_range)
        return gradients * ((inputs >= float(lowest)) & (inputs <= float(highest)))  # what is outside keeps its sign, and NaN


def _check_same(gradients: Any, inputs: Any) -> None:
    if gradients.shape != inputs.shape:
        raise InvalidArgumentError(f"gradient and input must be the same size: {shown(gradients.shape)} and {shown(inputs.shape)}")


class _Variables(OpType, abstract=True):
    """Rounded to levels between two tensors."""

    inputs = "inputs: float, min: float, max: float"
    outputs = "outputs: float"
    attrs = "num_bits: int = 8, narrow_range: bool = false"
    host_inputs = ("min", "max")
    samples: ClassVar[tuple[Sample, ...]] = ()


class FakeQuantWithMinMaxVars(_Variables):
    """Rounded to levels between two scalars."""

    samples = (
        sample("float[3,4] in -9..9", "float: -3.3", "float: 4.0", has_gradient=False),
        sample("float[5]", "float: 0.1", "float: 4.0", num_bits=3, has_gradient=False),
        sample("float[5]", "float: 0.0", "float: 0.0", has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for limit in op._inputs[1:]:
            limit.shape.with_rank(0)
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, inputs: Array, min: Any, max: Any, *, num_bits: int, narrow_range: bool) -> Array:
        _check_bits(num_bits)
        _check_scalars(min, max)
        return _rounded(xp, inputs, np.float32(min), np.float32(max), num_bits, narrow_range)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return list(apply_op("FakeQuantWithMinMaxVarsGradient", grad, *op.inputs, **_attrs(op)).outputs)


def _check_scalars(low: Any, high: Any) -> None:
    for value, what in ((low, "min"), (high, "max")):
        if np.ndim(value):
            raise InvalidArgumentError(f"`{what}` must be rank 0 but is rank {np.ndim(value)}")


class FakeQuantWithMinMaxVarsPerChannel(_Variables):
    """Rounded to levels between two numbers for each channel."""

    samples = (
        sample("float[2,3] in -9..9", "float: [-1, -2, 0]", "float: [1, 3, 0]", has_gradient=False),
        sample("float[3] in -9..9", "float: [-1, -2, 0.5]", "float: [1, 3, 4]", num_bits=5, narrow_range=True, has_gradient=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape.with_rank_at_least(1)
        _channels(shape, *op._inputs[1:])
        return [shape]

    @staticmethod
    def run(xp: Any, inputs: Array, min: Any, max: Any, *, num_bits: int, narrow_range: bool) -> Array:
        _check_bits(num_bits)
        _check_channels(inputs, min, max)
        return _rounded(xp, inputs, min, max, num_bits, narrow_range)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return list(apply_op("FakeQuantWithMinMaxVarsPerChannelGradient", grad, *op.inputs, **_attrs(op)).outputs)


def _channels(shape: TensorShape, low: Tensor, high: Tensor) -> TensorShape:
    """The shape of the limits, one for each channel.

    Raises:
        ValueError: they don't go together.
    """
    size = low.shape.with_rank(1).merge_with(high.shape.with_rank(1))
    return size if shape.sizes is None else size.merge_with(shape.sizes[-1:])


def _check_channels(inputs: Any, low: Any, high: Any) -> None:
    if not inputs.ndim:
        raise InvalidArgumentError(f"inputs must be at least rank 1, not of shape {shown(inputs.shape)}")
    for value, what in ((low, "min"), (high, "max")):
        if value.shape != inputs.shape[-1:]:
            raise InvalidArgumentError(f"{what} has incorrect size, expected {inputs.shape[-1]} was {shown(value.shape)}")


class _VariablesGradient(OpType, abstract=True):
    """Its gradients: what is between the levels' ends passes to the input, what is beyond to the ends."""

    inputs = "gradients: float, inputs: float, min: float, max: float"
    attrs = _Variables.attrs
    host_inputs = ("min", "max")
    samples: ClassVar[tuple[Sample, ...]] = ()


def _parted(
    xp: Any, gradients: Array, inputs: Array, low: Any, high: Any, num_bits: int, narrow_range: bool, axes: Any
) -> tuple[Array, Array, Array]:
    _check_same(gradients, inputs)
    lowest, highest, _ = (xp.asarray(value) for value in _levels(low, high, num_bits, narrow_range))
    is_nothing = xp.asarray((low == 0) & (high == 0))
    is_below, is_above = (inputs < lowest) & ~is_nothing, (inputs > highest) & ~is_nothing
    is_between = ((inputs >= lowest) & (inputs <= highest)) | is_nothing
    return gradients * is_between, (gradients * is_below).sum(axes), (gradients * is_above).sum(axes)


class FakeQuantWithMinMaxVarsGradient(_VariablesGradient):
    """The gradients of `FakeQuantWithMinMaxVars`."""

    outputs = "backprops_wrt_input: float, backprop_wrt_min: float, backprop_wrt_max: float"
    samples = (sample("float[3,4]", "float[3,4] in -9..9", "float: -3.3", "float: 4.0"), sample("float[5]", "float[5]", "float: 0.0", "float: 0.0"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for limit in op._inputs[2:]:
            limit.shape.with_rank(0)
        return [op._inputs[0].shape.merge_with(op._inputs[1].shape), shape_functions.SCALAR, shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, gradients: Array, inputs: Array, min: Any, max: Any, *, num_bits: int, narrow_range: bool) -> tuple[Array, Array, Array]:
        _check_bits(num_bits)
        _check_scalars(min, max)
        return _parted(xp, gradients, inputs, np.float32(min), np.float32(max), num_bits, narrow_range, None)


class FakeQuantWithMinMaxVarsPerChannelGradient(_VariablesGradient):
    """The gradients of `FakeQuantWithMinMaxVarsPerChannel`."""

    outputs = "backprops_wrt_input: float, backprop_wrt_min: float, backprop_wrt_max: float"
    samples = (sample("float[2,3]", "float[2,3] in -9..9", "float: [-1, -2, 0]", "float: [1, 3, 0]"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape.merge_with(op._inputs[1].shape).with_rank_at_least(1)
        size = _channels(shape, *op._inputs[2:])
        return [shape, size, size]

    @staticmethod
    def run(xp: Any, gradients: Array, inputs: Array, min: Any, max: Any, *, num_bits: int, narrow_range: bool) -> tuple[Array, Array, Array]:
        _check_bits(num_bits)
        _check_channels(inputs, min, max)
        return _parted(xp, gradients, inputs, min, max, num_bits, narrow_range, tuple(range(inputs.ndim - 1)))
