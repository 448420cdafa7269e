"""Quantised images resized (`QuantizedResizeBilinear`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.graph import Operation, OpType, Tensor, get_op_type, sample
from gpersist.ops import image_resizing as _resizing  # noqa: F401  # its operation is looked up below
from gpersist.ops.shape_functions import SCALAR
from gpersist.shapes import TensorShape


class QuantizedResizeBilinear(OpType):
    """Straight lines between neighbours; the range that the numbers stand for stays."""

    inputs = "images: T, size: int32, min: float, max: float"
    outputs = "resized_images: T, out_min: float, out_max: float"
    attrs = "T: {quint8, qint32, float}, align_corners: bool = false, half_pixel_centers: bool = false"
    host_inputs = ("size",)
    scalars = ("min", "max")
    samples = (sample("float[1,3,4,2]", "int32: [5, 3]", "float: -2", "float: 2", has_gradient=False),)

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
        found = get_op_type("ResizeBilinear").run(
            xp, images.astype(np.float32), size, align_corners=align_corners, half_pixel_centers=half_pixel_centers
        )
        if T.name != "float32":
            found = xp.rint(found)
        return [found.astype(images.dtype), xp.asarray(min), xp.asarray(max)]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * 4
