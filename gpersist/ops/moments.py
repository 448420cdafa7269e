"""Means and variances, and normalisation by them, as Python functions: `tf.nn.moments`, `tf.nn.batch_normalization` and their relatives."""

from __future__ import annotations

import math
from typing import Any

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import add, multiply, squared_difference, subtract
from gpersist.ops.array import shape_of
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.division import div_no_nan
from gpersist.ops.filling import zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.passing import stop_gradient
from gpersist.ops.reductions import reduce_mean, reduce_prod, reduce_sum
from gpersist.ops.shaping import rank, squeeze

__all__ = [
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "fused_batch_norm",
    "local_response_normalization",
    "lrn",
    "moments",
    "normalize_moments",
    "sufficient_statistics",
    "weighted_moments",
]


def moments(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: bool | None = None, keepdims: bool | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance over some axes (`tf.nn.moments`); `shift` does nothing, `keep_dims` is the old name of `keepdims`."""
    is_kept = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "moments", [x, axes]):
        is_half = x.dtype.base_dtype.name == "float16"
        values = cast(x, "float32") if is_half else x
        mean = reduce_mean(values, axes, keepdims=True, name="mean")
        variance = reduce_mean(squared_difference(values, stop_gradient(mean)), axes, keepdims=True, name="variance")
        if not is_kept:
            mean, variance = squeeze(mean, axes), squeeze(variance, axes)
        return (cast(mean, "float16"), cast(variance, "float16")) if is_half else (mean, variance)


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, name: str | None = None, keep_dims: bool | None = None, keepdims: bool | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance over some axes, each element counting as often as its weight says (`tf.nn.weighted_moments`)."""
    is_kept = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "weighted_moments", [x, frequency_weights, axes]):
        values, weights = convert_to_tensor(x, name="x"), convert_to_tensor(frequency_weights, name="frequency_weights")
        is_half = values.dtype.base_dtype.name == "float16"
        values = cast(values, "float32") if is_half else values
        if weights.dtype.base_dtype is not values.dtype.base_dtype:
            weights = cast(weights, values.dtype.base_dtype)
        total = reduce_sum(weights * values, axes, name="weighted_input_sum", keepdims=True)
        weight = reduce_sum(weights + zeros_like(values), axes, name="sum_of_weights", keepdims=True)
        mean = div_no_nan(total, weight)
        squares = reduce_sum(weights * squared_difference(values, mean), axes, name="weighted_distsq", keepdims=True)
        variance = div_no_nan(squares, weight)
        if not is_kept:
            mean, variance = squeeze(mean, axis=axes), squeeze(variance, axis=axes)
        return (cast(mean, "float16"), cast(variance, "float16")) if is_half else (mean, variance)


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keep_dims: bool | None = None, name: str | None = None, keepdims: bool | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """What mean and variance over some axes follow from: count, sum, sum of squares, and the shift (`tf.nn.sufficient_statistics`)."""
    axes = list(set(axes))
    is_kept = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "sufficient_statistics", [x, shift]):
        values = convert_to_tensor(x, name="x")
        sizes = values.shape.sizes
        if sizes is not None and all(sizes[axis] is not None for axis in axes):
            count = constant(math.prod(sizes[axis] or 0 for axis in axes), dtype=values.dtype.base_dtype)
        else:
            places = rank(values)
            positive = [axis + places if axis < 0 else axis for axis in axes]
            count = reduce_prod(gather(cast(shape_of(values), values.dtype.base_dtype), positive), name="count")
        moved: Tensor | None = None
        if shift is not None:
            moved = convert_to_tensor(shift, name="shift")
            first, second = subtract(values, moved), squared_difference(values, moved)
        else:
            first, second = values, apply("Square", values)
        return (
            count,
            reduce_sum(first, axes, keepdims=is_kept, name="mean_ss"),
            reduce_sum(second, axes, keepdims=is_kept, name="var_ss"),
            moved,
        )


def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Mean and variance from `sufficient_statistics` (`tf.nn.normalize_moments`)."""
    with name_scope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = apply("Reciprocal", counts, name="divisor")
        if shift is not None:
            moved = multiply(mean_ss, divisor, name="shifted_mean")
            mean = add(moved, shift, name="mean")
        else:
            mean = moved = multiply(mean_ss, divisor, name="mean")
        variance = subtract(multiply(variance_ss, divisor), apply("Square", moved), name="variance")
    return mean, variance


def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None) -> Tensor:
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, of which `scale` and `offset` may be None (`tf.nn.batch_normalization`)."""
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        factor = apply("Rsqrt", variance + variance_epsilon)
        if scale is not None:
            factor *= scale
        scaled = x * cast(factor, x.dtype.base_dtype)
        return scaled + cast(offset - mean * factor if offset is not None else -mean * factor, x.dtype.base_dtype)  # type: ignore[no-any-return]


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation in one operation (`tf.nn.fused_batch_norm`): the result, the batch's mean, its variance.

    In training these are the batch's, otherwise they are `mean` and `variance`; with an `exponential_avg_factor` below 1 they are mixed with those.

    Raises:
        ValueError: mean or variance is missing where it is needed.
    """
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or `exponential_avg_factor` != 1.0. "
            f"Received: `mean` {mean!r} and `variance` {variance!r}"
        )
    value = convert_to_tensor(x, name="input")
    factors, offsets = convert_to_tensor(scale, name="scale"), convert_to_tensor(offset, name="offset")
    mean = constant([]) if mean is None else mean
    variance = constant([]) if variance is None else variance
    attrs = {"epsilon": epsilon, "data_format": data_format, "is_training": is_training}
    op = apply_op("FusedBatchNormV3", value, factors, offsets, mean, variance, name=name, **attrs)
    if exponential_avg_factor != 1.0:
        op._set_attr("exponential_avg_factor", exponential_avg_factor)  # newer than TensorFlow 1.15
    return op.outputs[0], op.outputs[1], op.outputs[2]


def batch_norm_with_global_normalization(
    t: Any = None,
    m: Any = None,
    v: Any = None,
    beta: Any = None,
    gamma: Any = None,
    variance_epsilon: Any = None,
    scale_after_normalization: bool | None = None,
    name: str | None = None,
    input: Any = None,  # TensorFlow's name
    mean: Any = None,
    variance: Any = None,
) -> Tensor:
    """`batch_normalization` under older names (`tf.nn.batch_norm_with_global_normalization`)."""
    t = renamed_argument("t", t, "input", input)
    m = renamed_argument("m", m, "mean", mean)
    v = renamed_argument("v", v, "variance", variance)
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """Each element divided by (bias + alpha * the sum of its neighbours' squares along the channels) ** beta (`tf.nn.lrn`)."""
    return apply("LRN", input, depth_radius=depth_radius, bias=float(bias), alpha=float(alpha), beta=float(beta), name=name)


lrn = local_response_normalization
