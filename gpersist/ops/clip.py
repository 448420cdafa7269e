"""Values kept within bounds; the norms that gradients are clipped by."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype, float32
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import maximum, minimum, multiply
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.comparison import greater, less, logical_or
from gpersist.ops.complex_numbers import complex, imag, real
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones_like, zeros
from gpersist.ops.joining import stack
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, reshape, shape_of, size
from gpersist.ops.unary import rsqrt, sqrt, square
from gpersist.shapes import TensorShape

__all__ = [
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "global_norm",
    "l2_loss",
    "l2_normalize",
    "saturate_cast",
]


class ClipByValue(OpType):
    """Each element moved to the nearer of two bounds where it is not between them."""

    inputs = "t: T, clip_value_min: T, clip_value_max: T"
    outputs = "output: T"
    attrs = "T: numbertype"
    samples = (
        sample("float[2,3]", "float: -0.5", "float: 0.5"),
        sample("double[2,3]", "double[2,3] in -0.5..0", "double: 0.5"),
        sample("int32[4]", "int32: -2", "int32: 3"),
    )
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Array, low: Array, high: Array) -> Array:
        shape = np.shape(value)
        if any(np.shape(bound) not in ((), shape) for bound in (low, high)):
            raise InvalidArgumentError(
                f"clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. Input shape: {list(shape)} "
                f"clip_value_min shape: {list(np.shape(low))} clip_value_max shape: {list(np.shape(high))}"
            )
        if value.dtype.kind in "iu":
            return xp.maximum(xp.minimum(value, high), low)
        low, high = xp.where(xp.isnan(low), -np.inf, low).astype(value.dtype), xp.where(xp.isnan(high), np.inf, high).astype(value.dtype)
        if value.dtype.kind != "c":  # NaN is no bound
            return xp.maximum(xp.minimum(value, high), low)
        found = xp.empty_like(value)
        found.real = xp.maximum(xp.minimum(value.real, high.real), low.real)
        found.imag = xp.maximum(xp.minimum(value.imag, high.imag), low.imag)
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, low, high = op.inputs
        shapes = [shape_of(tensor) for tensor in op.inputs]
        zero = zeros(shape_of(grad), grad.dtype)
        is_low, is_high = less(value, low), greater(value, high)
        axes = [apply_op("BroadcastGradientArgs", shapes[0], shape).outputs[1] for shape in shapes[1:]]
        grads = [
            apply("Select", logical_or(is_low, is_high), zero, grad),
            apply("Select", is_low, grad, zero),
            apply("Select", is_high, grad, zero),
        ]
        bounds = [reshape(reduce_sum(part, axis), shape) for part, axis, shape in zip(grads[1:], axes, shapes[1:], strict=True)]
        return [grads[0], *bounds]


class L2Loss(OpType):
    """Half the sum of squares."""

    inputs = "t: T"
    outputs = "output: T"
    attrs = "T: {half, bfloat16, float, double}"
    samples = (sample("float[2,3]"), sample("double[]"), sample("float[0]"))
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        if value.dtype.kind != "f" or value.dtype.itemsize < 4:
            return (xp.sum(xp.square(value.astype(np.float32))) * 0.5).astype(value.dtype)
        flat = xp.reshape(value, -1)
        return xp.dot(flat, flat) * value.dtype.type(0.5)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return op.inputs[0] * grad


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Each element moved to the nearer of two bounds where it is not between them (`tf.clip_by_value`); slices stay slices.

    Raises:
        ValueError: the bounds have a larger shape than `t`.
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as scope:
        values = _values(t, "t")
        below = minimum(values, clip_value_max)
        values.shape.assert_is_compatible_with(below.shape)
        clipped = maximum(below, clip_value_min, name=scope)
        values.shape.assert_is_compatible_with(clipped.shape)
        return _like(t, clipped)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """A tensor made shorter where its L2 norm over `axes`, or all, is larger than `clip_norm` (`tf.clip_by_norm`); slices stay slices."""
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as scope:
        values = _values(t, "t")
        if np.isscalar(clip_norm):
            clip_norm = max(clip_norm, 0)  # type: ignore[type-var]
        else:
            clip_norm = cast(maximum(clip_norm, 0), values.dtype)
        squares = reduce_sum(values * values, axes, keepdims=True)
        is_positive = squares > 0
        safe = apply("Select", is_positive, squares, ones_like(squares))
        norm = apply("Select", is_positive, sqrt(safe), squares)
        scaled = values * clip_norm
        values.shape.assert_is_compatible_with(scaled.shape)
        return _like(t, identity(scaled / maximum(norm, clip_norm), name=scope))


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Tensor:
    """The L2 norm of all elements of several tensors together (`tf.global_norm`); those that are None count nothing.

    Raises:
        TypeError: `t_list` is no sequence.
    """
    _check_sequence(t_list)
    with name_scope(name, "global_norm", t_list):
        halves = []
        for value in [None if t is None else _values(t, f"t_{index}") for index, t in enumerate(t_list)]:
            if value is not None:
                with value.graph.colocate_with(value):
                    halves.append(apply("L2Loss", value))
        half = reduce_sum(stack(halves))
        return sqrt(half * constant(2.0, half.dtype), name="global_norm")


def clip_by_global_norm(t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None) -> tuple[list[Any], Tensor]:
    """Several tensors made shorter by one factor where their norm together is larger than `clip_norm` (`tf.clip_by_global_norm`).

    Args:
        t_list: tensors, slices, or None.
        clip_norm: the largest norm that stays as it is.
        use_norm: their norm, where it is known already.
        name: of the scope.

    Returns:
        The tensors, and the norm they had. Where that is not finite, they are NaN.

    Raises:
        TypeError: `t_list` is no sequence.
    """
    _check_sequence(t_list)
    norm = global_norm(t_list, name) if use_norm is None else use_norm
    with name_scope(name, "clip_by_global_norm", [*t_list, clip_norm]) as scope:
        finite = clip_norm * minimum(1.0 / norm, constant(1.0, norm.dtype) / clip_norm)
        scale = finite + (norm - norm)
        values = [None if t is None else _values(t, f"t_{index}") for index, t in enumerate(t_list)]
        clipped: list[Any] = []
        for index, (t, value) in enumerate(zip(t_list, values, strict=True)):
            if value is None:
                clipped.append(None)
                continue
            with value.graph.colocate_with(value):
                clipped.append(_like(t, identity(value * cast(scale, value.dtype), name=f"{scope}_{index}")))
        return clipped, norm


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """A tensor made shorter where its L2 norm by element is larger than `clip_norm` (`tf.clip_by_average_norm`)."""
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as scope:
        tensor = convert_to_tensor(t, name="t")
        count = cast(size(tensor), float32)
        inverse = rsqrt(reduce_sum(tensor * tensor, number_range(rank(tensor))))
        return identity(tensor * clip_norm * minimum(inverse * count, constant(1.0) / clip_norm), name=scope)


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Half the sum of squares (`tf.nn.l2_loss`)."""
    return apply("L2Loss", t, name=name)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """Vectors along some axes, or all, made of length 1 (`tf.nn.l2_normalize`).

    Args:
        x: what is normalised.
        axis: an int or a list of them.
        epsilon: the least sum of squares that is divided by.
        name: of the node.
        dim: an old name of `axis`.
    """
    axis = renamed_argument("axis", axis, "dim", dim)
    with name_scope(name, "l2_normalize", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        if tensor.dtype.is_complex:
            squares = square(real(tensor)) + square(imag(tensor))
            inverse = rsqrt(maximum(real(reduce_sum(squares, axis, keepdims=True)), epsilon))
            return complex(multiply(real(tensor), inverse), multiply(imag(tensor), inverse), name=scope)
        inverse = rsqrt(maximum(reduce_sum(square(tensor), axis, keepdims=True), epsilon))
        return multiply(tensor, inverse, name=scope)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The same numbers in another type; those beyond its range become its bounds (`tf.saturate_cast`)."""
    with name_scope(name, "saturate_cast", [value]) as scope:
        tensor = convert_to_tensor(value, name="value")
        wanted = as_dtype(dtype).base_dtype
        if tensor.dtype.is_complex:
            mine, others = tensor.dtype.real_dtype, wanted.real_dtype
            if wanted.is_complex and mine.max <= others.max:
                return cast(tensor, wanted, name=scope)
            if wanted.is_complex:
                bounds = [constant(builtins.complex(bound, bound), tensor.dtype) for bound in (others.min, others.max)]
                return cast(apply("ClipByValue", tensor, *bounds, name="clamp"), wanted, name=scope)
            tensor = real(tensor)
        low, high = (constant(bound, tensor.dtype) for bound in _bounds(tensor.dtype.base_dtype, wanted))
        return cast(apply("ClipByValue", tensor, low, high, name="clamp"), wanted, name=scope)


def _bounds(source: DType, wanted: DType) -> tuple[Any, Any]:
    """The least and the greatest number that both types have, as the first one."""
    mine = source.as_numpy_dtype
    try:
        common = np.promote_types(source.numpy, wanted.real_dtype.numpy)  # type: ignore[arg-type]  # numbers, which NumPy has
    except TypeError:
        common = np.dtype(np.float64)
    low = mine(max(source.min, wanted.real_dtype.min))
    high = mine(min(float(source.max), float(wanted.real_dtype.max))) if not source.is_integer else mine(min(source.max, wanted.real_dtype.max))
    if np.array(low).astype(common) < np.array(wanted.real_dtype.min).astype(common):
        low = np.nextafter(low, mine(0))
    if np.array(high).astype(common) > np.array(wanted.real_dtype.max).astype(common):
        high = np.nextafter(high, mine(0))
    return low, high


def _check_sequence(t_list: Any) -> None:
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")


def _values(t: Any, name: str) -> Tensor:
    """A tensor; of slices, the values."""
    return convert_to_tensor(t.values if _is_slices(t) else t, name=name)


def _like(t: Any, values: Tensor) -> Any:
    return type(t)(values, t.indices, t.dense_shape) if _is_slices(t) else values


def _is_slices(t: Any) -> bool:
    return not isinstance(t, Tensor) and hasattr(t, "values") and hasattr(t, "indices")
