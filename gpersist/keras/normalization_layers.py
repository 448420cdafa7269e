"""Keras's normalisations."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

from gpersist.errors import DataLossError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.layer import Layer, as_tensor, channels, sizes
from gpersist.keras.shape_layers import reshaped
from gpersist.ops.clip import l2_normalize
from gpersist.ops.constants import constant
from gpersist.ops.math import rsqrt
from gpersist.ops.moments import batch_normalization, fused_batch_norm, moments
from gpersist.ops.reductions import reduce_mean
from gpersist.ops.shaping import reshape

_SMALLEST_FUSED_EPSILON = 1.001e-5
"""`fused_batch_norm` takes no smaller one."""


class BatchNormalization(Layer, names=("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization")):
    """Mean 0 and variance 1 by the moving averages, channel by channel; then a factor and a shift."""

    has_mask = True

    def prepare(self) -> None:
        self.epsilon = self.number("epsilon", 1e-3)
        self.has_gamma, self.has_beta = self.get("scale", True), self.get("center", True)
        self.refuse("renorm", "virtual_batch_size")

    def weights(self) -> list[str]:
        return [name for name, is_there in (("gamma", self.has_gamma), ("beta", self.has_beta)) if is_there]

    def states(self) -> list[str]:
        return ["moving_mean", "moving_variance"]

    def call(self, x: Tensor) -> Tensor:
        axis = self.get("axis", -1)
        axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
        rank = x.shape.rank
        if not isinstance(axis, int) or rank is None or not -rank <= axis < rank:
            raise DataLossError(f"its config has axis={axis!r}, and its input {rank} dimensions")
        depth = channels(x, axis)
        gamma, beta, mean, variance = (
            self.weight(name, (depth,)) if name in self.weights() + self.states() else None for name in ("gamma", "beta", *self.states())
        )
        if rank == 4 and axis % rank == 3 and self.epsilon >= _SMALLEST_FUSED_EPSILON and x.dtype.name == "float32":
            gamma = constant([1.0] * depth, self.dtype) if gamma is None else gamma
            beta = constant([0.0] * depth, self.dtype) if beta is None else beta
            return fused_batch_norm(x, gamma, beta, mean, variance, self.epsilon, is_training=False)[0]
        if axis % rank != rank - 1:
            shape = [depth if index == axis % rank else 1 for index in range(rank)]
            gamma, beta, mean, variance = (None if part is None else reshape(part, shape) for part in (gamma, beta, mean, variance))
        return batch_normalization(x, _read(mean), _read(variance), _read(beta), _read(gamma), self.epsilon, name="batchnorm")


class LayerNormalization(Layer):
    """Mean 0 and variance 1 of each example along axes; then a factor and a shift."""

    has_mask = True

    def prepare(self) -> None:
        self.has_gamma, self.has_beta = self.get("scale", True), self.get("center", True)
        self.refuse("rms_scaling")

    def weights(self) -> list[str]:
        return [name for name, is_there in (("gamma", self.has_gamma), ("beta", self.has_beta)) if is_there]

    def call(self, x: Tensor) -> Any:
        given = self.get("axis", -1)
        rank = x.shape.rank or 0
        axes = sorted(axis % rank for axis in ([given] if isinstance(given, int) else given))
        shape = [channels(x, axis) for axis in axes]
        gamma, beta = (as_tensor(self.weight(name, shape)) if name in self.weights() else None for name in ("gamma", "beta"))
        if axes != list(range(rank - len(axes), rank)):
            spread = [size if index in axes else 1 for index, size in enumerate(x.shape.as_list())]
            gamma, beta = (None if part is None else reshape(part, spread) for part in (gamma, beta))
        mean, variance = moments(x, axes, keepdims=True)
        epsilon = self.number("epsilon", 1e-3)
        if axes == [rank - 1]:
            return batch_normalization(x, mean, variance, beta, gamma, epsilon, name="batchnorm")
        x = (x - mean) * rsqrt(variance + epsilon)  # TensorFlow's optimiser would take what batch_normalization makes for one over the last axis
        x = x if gamma is None else x * gamma
        return x if beta is None else x + beta


class GroupNormalization(Layer):
    """Mean 0 and variance 1 of each group of channels of each example; then a factor and a shift."""

    has_mask = True

    def prepare(self) -> None:
        self.has_gamma, self.has_beta = self.get("scale", True), self.get("center", True)

    def weights(self) -> list[str]:
        return [name for name, is_there in (("gamma", self.has_gamma), ("beta", self.has_beta)) if is_there]

    def call(self, x: Tensor) -> Any:
        rank = x.shape.rank or 0
        axis = self.integer("axis", -1) % rank
        depth = channels(x, axis)
        groups = depth if (count := self.integer("groups", 32)) == -1 else count
        if groups < 1 or depth % groups:
            raise DataLossError(f"has {groups} groups, and its input {depth} channels")
        shape = sizes(x)
        before, after = (reduce(operator.mul, part, 1) for part in (shape[1:axis], shape[axis + 1 :]))
        grouped = reshaped(x, [shape[0], before, groups, depth // groups * after])
        mean, variance = moments(grouped, [1, 3], keepdims=True)
        found: Any = reshaped((grouped - mean) * rsqrt(variance + self.number("epsilon", 1e-3)), shape)
        spread = [depth if index == axis else 1 for index in range(rank)]
        gamma, beta = (reshape(self.weight(name, (depth,)), spread) if name in self.weights() else None for name in ("gamma", "beta"))
        found = found if gamma is None else found * gamma
        return found if beta is None else found + beta


class UnitNormalization(Layer):
    """Length 1 along axes."""

    has_mask = True

    def call(self, x: Tensor) -> Tensor:
        return l2_normalize(x, self.get("axis", -1))


class RMSNormalization(Layer):
    """Mean square 1 along an axis; then a factor."""

    has_mask = True

    def weights(self) -> list[str]:
        return ["scale"]

    def call(self, x: Tensor) -> Any:
        axis = self.get("axis", -1)
        if axis not in (-1, [-1], (x.shape.rank or 0) - 1):
            raise UnimplementedError(f"has axis={axis!r}, which is not read")
        found = x * rsqrt(reduce_mean(x * x, -1, keepdims=True) + self.number("epsilon", 1e-6))
        return found * as_tensor(self.weight("scale", (channels(x),)))


def _read(part: Any) -> Tensor | None:
    return None if part is None else as_tensor(part)
