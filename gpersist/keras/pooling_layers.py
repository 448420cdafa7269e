"""Keras's pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from gpersist.graph import Tensor
from gpersist.keras.layer import Flow
from gpersist.keras.spatial import Spatial, around
from gpersist.ops.casting import cast
from gpersist.ops.pools import avg_pool, avg_pool1d, avg_pool3d, max_pool, max_pool1d, max_pool3d
from gpersist.ops.reductions import reduce_max, reduce_mean, reduce_sum
from gpersist.ops.shaping import expand_dims

_POOLS: dict[tuple[str, int], Callable[..., Tensor]] = {
    ("max", 1): max_pool1d,
    ("max", 2): max_pool,
    ("max", 3): max_pool3d,
    ("avg", 1): avg_pool1d,
    ("avg", 2): avg_pool,
    ("avg", 3): avg_pool3d,
}


class _Pooling(Spatial, abstract=True):
    kind: ClassVar[str]

    def compute(self, x: Tensor) -> Tensor:
        key = "pool_length" if self.count == 1 and "pool_length" in self.config else "pool_size"
        size = self.integers(key, self.count, 2)
        strides = size if self.config.get("strides") is None else self.integers("strides", self.count)
        return _POOLS[self.kind, self.count](x, around(size), around(strides), self.padding())


class MaxPooling1D(_Pooling, names=("MaxPool1D",)):
    """The largest of each window."""

    kind, count = "max", 1


class MaxPooling2D(_Pooling, names=("MaxPool2D",)):
    """The largest of each window."""

    kind, count = "max", 2


class MaxPooling3D(_Pooling, names=("MaxPool3D",)):
    """The largest of each window."""

    kind, count = "max", 3


class AveragePooling1D(_Pooling, names=("AvgPool1D",)):
    """The mean of each window."""

    kind, count = "avg", 1


class AveragePooling2D(_Pooling, names=("AvgPool2D",)):
    """The mean of each window."""

    kind, count = "avg", 2


class AveragePooling3D(_Pooling, names=("AvgPool3D",)):
    """The mean of each window."""

    kind, count = "avg", 3


class _Global(Spatial, abstract=True):
    def compute(self, x: Tensor) -> Tensor:
        return self.reduce(x, list(range(1, self.count + 1)), bool(self.get("keepdims", False)))

    def reduce(self, x: Tensor, axes: list[int], keepdims: bool) -> Tensor:
        """The largest, or the mean, along axes."""
        return reduce_mean(x, axes, keepdims=keepdims)


class GlobalAveragePooling1D(_Global, names=("GlobalAvgPool1D",)):
    """The mean of all steps."""

    count = 1

    def flow(self, inputs: Any) -> list[Flow]:
        if len(inputs) == 1 and inputs[0].mask is not None and not self.is_channels_first:
            x, mask = inputs[0]
            weights = expand_dims(cast(mask, x.dtype), 2)
            keepdims = bool(self.get("keepdims", False))
            return [Flow(reduce_sum(x * weights, 1, keepdims=keepdims) / reduce_sum(weights, 1, keepdims=keepdims))]
        return super().flow(inputs)


class GlobalAveragePooling2D(_Global, names=("GlobalAvgPool2D",)):
    """The mean of all places."""

    count = 2


class GlobalAveragePooling3D(_Global, names=("GlobalAvgPool3D",)):
    """The mean of all places."""

    count = 3


class _GlobalMax(_Global, abstract=True):
    def reduce(self, x: Tensor, axes: list[int], keepdims: bool) -> Tensor:
        return reduce_max(x, axes, keepdims=keepdims)


class GlobalMaxPooling1D(_GlobalMax, names=("GlobalMaxPool1D",)):
    """The largest of all steps."""

    count = 1


class GlobalMaxPooling2D(_GlobalMax, names=("GlobalMaxPool2D",)):
    """The largest of all places."""

    count = 2


class GlobalMaxPooling3D(_GlobalMax, names=("GlobalMaxPool3D",)):
    """The largest of all places."""

    count = 3
