"""Keras's layers that prepare images and numbers for others."""

from __future__ import annotations

from typing import Any

from gpersist.errors import DataLossError, UnimplementedError
from gpersist.graph import Tensor, apply
from gpersist.keras.layer import Layer, sizes
from gpersist.keras.spatial import Spatial
from gpersist.ops.casting import cast
from gpersist.ops.gathering import one_hot
from gpersist.ops.image_resizing import resize_bicubic, resize_bilinear, resize_nearest_neighbor
from gpersist.ops.reductions import reduce_max, reduce_sum

_RESIZED = {"nearest": resize_nearest_neighbor, "bilinear": resize_bilinear, "bicubic": resize_bicubic}


class Resizing(Spatial):
    """Images of another size."""

    count = 2

    def prepare(self) -> None:
        super().prepare()
        self.refuse("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias")
        self.method = self.get("interpolation", "bilinear")
        if self.method not in _RESIZED:
            raise UnimplementedError(f"has interpolation={self.method!r}; expected one of {', '.join(_RESIZED)}")

    def compute(self, x: Tensor) -> Tensor:
        return cast(_RESIZED[self.method](x, [self.integer("height"), self.integer("width")], half_pixel_centers=True), self.dtype)


class CenterCrop(Spatial):
    """The middle of images."""

    count = 2

    def compute(self, x: Tensor) -> Any:
        height, width = self.integer("height"), self.integer("width")
        rows, columns = sizes(x)[1:3]
        if not isinstance(rows, int) or not isinstance(columns, int) or rows < height or columns < width:
            raise UnimplementedError(f"crops images of shape {x.shape} to {height}x{width}, and is read for larger ones of known size")
        top, left = (rows - height) // 2, (columns - width) // 2
        return cast(x, self.dtype)[:, top : top + height, left : left + width, :]


class CategoryEncoding(Layer):
    """Numbers of categories as ones in rows of zeros."""

    def call(self, x: Tensor) -> Any:
        self.refuse("sparse")
        mode, count = self.get("output_mode", "multi_hot"), self.integer("num_tokens")
        rank = x.shape.rank or 0
        ones = one_hot(x if x.dtype.is_integer else cast(x, "int64"), count, dtype=self.dtype)
        if mode == "one_hot":
            return ones[..., 0, :] if rank and x.shape.as_list()[-1] == 1 else ones
        if mode not in ("multi_hot", "count"):
            raise DataLossError(f"its config has output_mode={mode!r}")
        if rank < 2:
            return ones
        return (reduce_max if mode == "multi_hot" else reduce_sum)(ones, -2)


class Discretization(Layer):
    """The number of the interval that each value is in."""

    def call(self, x: Tensor) -> Tensor:
        self.refuse("sparse")
        if self.get("output_mode", "int") != "int":
            raise UnimplementedError(f"has output_mode={self.config['output_mode']!r}, which is not read")
        bounds = self.get("bin_boundaries", None, list)
        if bounds is None:
            raise UnimplementedError("has learned its intervals, which HDF5 files do not have")
        found: Tensor = apply("Bucketize", x, boundaries=[float(bound) for bound in bounds])
        return cast(found, "int64" if self.building.major < 3 else "int32") if self.get("dtype") != "int64" else cast(found, "int64")
