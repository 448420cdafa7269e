"""The gradients of `Conv3D` under their first names, which take tensors where the later ones take their shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.graph import Operation, OpType, sample
from gpersist.ops.convolution import Conv3DBackpropFilterV2, Conv3DBackpropInputV2
from gpersist.shapes import TensorShape

__all__: list[str] = []

_ATTRS = "T: {half, float, double}, strides: list(int) >= 5, padding: {'SAME', 'VALID'}, dilations: list(int) = [1, 1, 1, 1, 1]"
_SAMPLE = sample("float[1,3,4,3,2]", "float[2,3,2,2,3]", "float[1,3,2,3,3]", strides=[1, 1, 2, 1, 1], padding="SAME", has_gradient=False)


class Conv3DBackpropInput(OpType):
    """The gradient of `Conv3D` with respect to its input."""

    inputs = "input: T, filter: T, out_backprop: T"
    outputs = "output: T"
    attrs = _ATTRS
    samples = (_SAMPLE,)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank(5)]

    @staticmethod
    def run(xp: Any, value: Array, filters: Array, grad: Array, *, strides: Any, padding: bytes, dilations: Any) -> Array:
        attrs: dict[str, Any] = {"strides": strides, "padding": padding, "data_format": b"NDHWC", "dilations": dilations}
        return Conv3DBackpropInputV2.run(xp, np.array(value.shape, np.int32), filters, grad, **attrs)


class Conv3DBackpropFilter(OpType):
    """The gradient of `Conv3D` with respect to its filters."""

    inputs = "input: T, filter: T, out_backprop: T"
    outputs = "output: T"
    attrs = _ATTRS
    samples = (_SAMPLE,)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[1].shape.with_rank(5)]

    @staticmethod
    def run(xp: Any, value: Array, filters: Array, grad: Array, *, strides: Any, padding: bytes, dilations: Any) -> Array:
        attrs: dict[str, Any] = {"strides": strides, "padding": padding, "data_format": b"NDHWC", "dilations": dilations}
        return Conv3DBackpropFilterV2.run(xp, value, np.array(filters.shape, np.int32), grad, **attrs)
