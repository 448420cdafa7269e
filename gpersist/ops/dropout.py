"""Dropout, and small combinations that have a name of their own in `tf.nn`."""

from __future__ import annotations

import numbers
from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.array import shape_of
from gpersist.ops.bias import bias_add
from gpersist.ops.builders import renamed_argument
from gpersist.ops.constants import constant
from gpersist.ops.matmul import matmul
from gpersist.ops.random import random_uniform
from gpersist.ops.random_seed import get_seed
from gpersist.shapes import TensorShape, as_shape

__all__ = ["dropout", "dropout_v2", "relu_layer", "xw_plus_b"]


def dropout(x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: int | None = None, name: str | None = None, rate: Any = None) -> Tensor:
    """Elements set to 0 at random, the others made larger, so that sums stay the same on average (`tf.nn.dropout`).

    `rate` is the share that goes, `keep_prob` the share that stays; `noise_shape` has 1 for axes along which all go or stay together.

    Raises:
        ValueError: neither or both are given, or they are out of range, or `x` is no tensor of real numbers.
    """
    if keep_prob is not None:
        try:
            keep_prob = 1.0 - keep_prob
        except TypeError:
            raise ValueError(f"`keep_prob` must be a floating point number or Tensor. Received: keep_prob={keep_prob}") from None
    rate = renamed_argument("rate", rate, "keep_prob", keep_prob)
    if rate is None:
        raise ValueError(f"`rate` must be provided. Received: rate={rate}")
    return dropout_v2(x, rate, noise_shape, seed, name)


def dropout_v2(x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None) -> Tensor:
    """`dropout` without its old argument (`tf.nn.dropout` of TensorFlow 2)."""
    with name_scope(name, "dropout", [x]):
        is_number = isinstance(rate, numbers.Real)
        if is_number and not 0 <= rate < 1:
            raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
        tensor = convert_to_tensor(x, name="x")
        dtype = tensor.dtype.base_dtype
        if not dtype.is_floating:
            raise ValueError(f"`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype={dtype}")
        if is_number and rate == 0:
            get_seed(seed)
            return tensor
        if is_number:
            scaled = apply("Mul", tensor, convert_to_tensor(1 / (1 - rate), dtype=dtype), name="Mul")
        elif isinstance(rate, Tensor) or hasattr(rate, "_as_graph_element"):
            rate = _scalar_rate(rate, dtype)
            scaled = apply("RealDiv", tensor, apply("Sub", constant(1, dtype=dtype), rate))
        else:
            raise ValueError(f"`rate` must be a scalar or scalar tensor. Received: rate={rate}")
        noise = random_uniform(_noise_shape(tensor, noise_shape), seed=seed, dtype=dtype)
        result = apply("SelectV2", noise >= rate, scaled, constant(0, dtype=dtype))
        result.set_shape(tensor.shape)
        return result


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """x times weights, plus biases (`tf.nn.xw_plus_b`)."""
    with name_scope(name, "xw_plus_b", [x, weights, biases]) as scope:
        values, matrix = convert_to_tensor(x, name="x"), convert_to_tensor(weights, name="weights")
        vector = convert_to_tensor(biases, name="biases")
        return bias_add(matmul(values, matrix), vector, name=scope)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """relu(x times weights, plus biases) (`tf.nn.relu_layer`)."""
    with name_scope(name, "relu_layer", [x, weights, biases]) as scope:
        values, matrix = convert_to_tensor(x, name="x"), convert_to_tensor(weights, name="weights")
        vector = convert_to_tensor(biases, name="biases")
        return apply("Relu", bias_add(matmul(values, matrix), vector), name=scope)


def _scalar_rate(rate: Any, dtype: Any) -> Tensor:
    rate = convert_to_tensor(rate)
    rate.shape.assert_has_rank(0)
    if rate.dtype.base_dtype is dtype:
        return rate  # type: ignore[no-any-return]
    raise ValueError(f"`x.dtype` must be compatible with `rate.dtype`. Received: x.dtype={dtype} and rate.dtype={rate.dtype.base_dtype}")


def _noise_shape(tensor: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return shape_of(tensor)
    try:
        wanted = as_shape(noise_shape)
    except (TypeError, ValueError):
        return noise_shape
    sizes = tensor.shape.sizes
    if sizes is None or wanted.sizes is None or len(wanted.sizes) != len(sizes):
        return noise_shape
    return TensorShape(size if mine is None else mine for mine, size in zip(wanted.sizes, sizes, strict=True))
