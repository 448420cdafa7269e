"""Quantised images resized (`QuantizedResizeBilinear`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, get_op_type, sample
from gpersist.ops import image_resizing as _resizing  # noqa: F401  # its operation is looked up below
from gpersist.ops.quantization import kind_of, plain, quantized, quantized_sample
from gpersist.ops.shape_functions import SCALAR
from gpersist.shapes import TensorShape

_BYTES: Any = quantized_sample([(37 * number) % 256 for number in range(24)], "quint8", (1, 3, 4, 2))
_WORDS: Any = quantized_sample([(123456789 * number) % (1 << 31) - (1 << 30) for number in range(12)], "qint32", (1, 3, 4, 1))


def _between(count: int, whole: int, bits: int, align_corners: bool, half_pixel_centers: bool) -> tuple[Any, Any, Any]:
    """For each place of a resized axis those on both sides of it, and how far it is from the first, with so many bits behind the point."""
    scale = np.float32(whole - 1) / np.float32(count - 1) if align_corners and count > 1 else np.float32(whole) / np.float32(count)
    places = np.arange(count, dtype=np.float32)
    places = (places + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel_centers else places * scale
    upper = np.minimum(np.ceil(places).astype(np.int64), whole - 1)
    lower = np.minimum(np.maximum(np.floor(places).astype(np.int64), 0), upper)
    return lower, upper, ((places - np.floor(places)) * np.float32(1 << bits)).astype(np.int64)


def _cut(values: Any, bits: int) -> Any:
    """Without the bits behind the point, towards 0."""
    return np.sign(values) * (np.abs(values) >> bits)


def _mixed(first: Any, second: Any, part: Any, bits: int) -> Any:
    return first + _cut(second - first, bits) * part


class QuantizedResizeBilinear(OpType):
    """Straight lines between neighbours; the range that the numbers stand for stays."""

    inputs = "images: T, size: int32, min: float, max: float"
    outputs = "resized_images: T, out_min: float, out_max: float"
    attrs = "T: {quint8, qint32, float}, align_corners: bool = false, half_pixel_centers: bool = false"
    host_inputs = ("size",)
    scalars = ("min", "max")
    is_host_only = True
    samples = (
        sample("float[1,3,4,2]", "int32: [5, 3]", "float: -2", "float: 2", has_gradient=False),
        sample(_BYTES, "int32: [5, 7]", "float: -2", "float: 2"),
        sample(_BYTES, "int32: [2, 4]", "float: -2", "float: 2", half_pixel_centers=True),
        sample(_WORDS, "int32: [5, 3]", "float: -2", "float: 2", align_corners=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [get_op_type("ResizeBilinear").shapes(op)[0], SCALAR, SCALAR]

    @staticmethod
    def run(
        xp: Any,
        images: Array,
        size: Any,
        min: Array,  # TensorFlow's names
        max: Array,
        *,
        T: DType,  # noqa: N803  # TensorFlow's attribute
        align_corners: bool,
        half_pixel_centers: bool,
    ) -> list[Array]:
        if T.name == "float32":
            how = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
            return [get_op_type("ResizeBilinear").run(np, images, size, **how), min, max]
        if images.ndim != 4 or np.shape(size) != (2,) or np.min(size) <= 0 or not images.size:
            raise InvalidArgumentError(f"images of shape {list(images.shape)} cannot be resized to {np.ravel(size).tolist()}")
        bits = 7 if T.name == "quint8" else 30
        rows, columns = (
            _between(int(count), whole, bits, align_corners, half_pixel_centers) for count, whole in zip(size, images.shape[1:3], strict=True)
        )
        if images.shape[1:3] == tuple(size.tolist()):
            return [images, min, max]
        numbers = plain(images).astype(np.float32).astype(np.int64)  # the kernel's numbers go through float
        across = _mixed(numbers[:, :, columns[0]] << bits, numbers[:, :, columns[1]] << bits, columns[2][:, None], bits)
        found = _mixed(across[:, rows[0]], across[:, rows[1]], rows[2][:, None, None], bits)
        return [quantized(_cut(found + (1 << bits - 1), bits), kind_of(T)), min, max]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * 4
