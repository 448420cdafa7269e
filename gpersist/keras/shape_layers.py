"""Keras's layers that move values and don't change them."""

from __future__ import annotations

import math
from typing import Any

from gpersist.errors import DataLossError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.layer import Layer, sizes
from gpersist.keras.spatial import Spatial
from gpersist.ops.arranging import tile, transpose
from gpersist.ops.image_resizing import resize_bicubic, resize_bilinear, resize_nearest_neighbor
from gpersist.ops.joining import stack
from gpersist.ops.padding import pad
from gpersist.ops.shaping import expand_dims, reshape


def reshaped(x: Tensor, shape: list[Any]) -> Tensor:
    """A tensor with another shape: of numbers, scalars of the graph, and one -1."""
    if all(isinstance(size, int) for size in shape):
        return reshape(x, shape)
    found = reshape(x, stack(shape))
    found.set_shape([size if isinstance(size, int) and size >= 0 else None for size in shape])
    return found


class Flatten(Layer):
    """All but the batch as one dimension."""

    def call(self, x: Tensor) -> Tensor:
        rank = x.shape.rank
        if self.get("data_format") == "channels_first" and rank is not None and rank > 2:
            x = transpose(x, [0, *range(2, rank), 1])
        static = x.shape.as_list()[1:]
        if None not in static:
            return reshape(x, [-1, math.prod(static)])
        return reshaped(x, [sizes(x)[0], -1])


class Reshape(Layer):
    """Another shape, but for the batch."""

    def call(self, x: Tensor) -> Tensor:
        target = self.get("target_shape", [], list)
        if not all(isinstance(size, int) for size in target) or target.count(-1) > 1:
            raise DataLossError(f"its config has target_shape={target!r}")
        known, given = x.shape.as_list(), math.prod(size for size in target if size != -1)
        if None not in known[1:] and given:
            total = math.prod(size or 0 for size in known[1:])
            target = [total // given if size == -1 else size for size in target]
            if math.prod(target) != total:
                raise DataLossError(f"makes shape {tuple(target)} of {tuple(known[1:])}, which has another number of elements")
        return reshaped(x, [sizes(x)[0], *target])


class Permute(Layer):
    """Dimensions in another order, counted from 1."""

    def call(self, x: Tensor) -> Tensor:
        return transpose(x, [0, *self.get("dims", [], list)])


class RepeatVector(Layer):
    """Each row so many times, as a sequence."""

    def call(self, x: Tensor) -> Tensor:
        return tile(expand_dims(x, 1), [1, self.integer("n"), 1])


class _ZeroPadding(Spatial, abstract=True):
    def compute(self, x: Tensor) -> Tensor:
        return pad(x, [[0, 0], *map(list, self.pairs("padding")), [0, 0]])


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after."""

    count = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros all around."""

    count = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros all around."""

    count = 3


class _Cropping(Spatial, abstract=True):
    def compute(self, x: Tensor) -> Tensor:
        inner = [slice(before, -after if after else None) for before, after in self.pairs("cropping")]
        found: Tensor = x[(slice(None), *inner, slice(None))]
        return found


class Cropping1D(_Cropping):
    """Without the first and last steps."""

    count = 1


class Cropping2D(_Cropping):
    """Without its edges."""

    count = 2


class Cropping3D(_Cropping):
    """Without its sides."""

    count = 3


class _UpSampling(Spatial, abstract=True):
    def compute(self, x: Tensor) -> Tensor:
        found = x
        for axis, times in enumerate(self.integers("size", self.count, 2), start=1):
            rank = self.count + 2
            shape = sizes(found)
            repeated = tile(expand_dims(found, axis + 1), [times if index == axis + 1 else 1 for index in range(rank + 1)])
            found = reshaped(repeated, [size * times if index == axis else size for index, size in enumerate(shape)])
        return found


class UpSampling1D(_UpSampling):
    """Each step several times."""

    count = 1

    def prepare(self) -> None:
        super().prepare()
        if "length" in self.config and "size" not in self.config:
            self.config = {**self.config, "size": self.config["length"]}


class UpSampling2D(_UpSampling):
    """A larger image."""

    count = 2

    def compute(self, x: Tensor) -> Tensor:
        kind = self.get("interpolation", "nearest")
        if kind not in _RESIZED:
            raise UnimplementedError(f"has interpolation={kind!r}; expected one of {', '.join(_RESIZED)}")
        _, height, width, _ = sizes(x)
        rows, columns = self.integers("size", 2, 2)
        target = [height * rows, width * columns]
        size = target if all(isinstance(part, int) for part in target) else stack(target)
        return _RESIZED[kind](x, size, half_pixel_centers=True)


class UpSampling3D(_UpSampling):
    """A larger volume."""

    count = 3


_RESIZED = {"nearest": resize_nearest_neighbor, "bilinear": resize_bilinear, "bicubic": resize_bicubic}
