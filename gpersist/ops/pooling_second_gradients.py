"""The gradients of gradients of max pooling: of each window the element where the largest was."""

from __future__ import annotations

from typing import Any

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, sample
from gpersist.ops.filling import zeros_like
from gpersist.ops.kernels import shown
from gpersist.ops.pooling import MaxPoolGradGrad, shapes_of_second_gradient
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_SAME: dict[str, Any] = {"ksize": [1, 2, 2, 1, 1], "strides": [1, 2, 1, 1, 1], "padding": "SAME"}

_NUMBERS = "{float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}"


class MaxPoolGradGradV2(OpType):
    """`MaxPoolGradGrad` with its sizes as inputs."""

    inputs = "orig_input: T, orig_output: T, grad: T, ksize: int32, strides: int32"
    outputs = "output: T"
    attrs = f"padding: {{'SAME', 'VALID'}}, data_format: {{'NHWC', 'NCHW'}} = 'NHWC', T: {_NUMBERS}"
    host_inputs = ("ksize", "strides")
    samples = (
        sample(
            "float[2,5,4,3]", "float[2,3,2,3]", "float[2,5,4,3]", "int32: [1, 3, 2, 1]", "int32: [1, 2, 2, 1]", padding="SAME", has_gradient=False
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(4)
        ksize, strides = (constant_value(tensor) for tensor in op._inputs[3:])
        if ksize is None or strides is None:
            return [unknown_shape()]
        return shapes_of_second_gradient(op, ksize.tolist(), strides.tolist())

    @staticmethod
    def run(xp: Any, value: Array, output: Array, grad: Array, ksize: Any, strides: Any, *, padding: bytes, data_format: bytes) -> Array:
        for name, sizes in (("ksize", ksize), ("strides", strides)):
            if sizes.ndim != 1 or len(sizes) != 4:
                raise InvalidArgumentError(f"Sliding window {name} field must specify 4 dimensions, not {shown(sizes.shape)}")
        attrs: dict[str, Any] = {"ksize": ksize.tolist(), "strides": strides.tolist(), "padding": padding, "data_format": data_format}
        return MaxPoolGradGrad.run(xp, value, output, grad, **attrs)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, output, _, ksize, strides = op.inputs
        attrs = {name: op.attr(name) for name in ("padding", "data_format")}
        return [zeros_like(value), zeros_like(output), apply("MaxPoolGradV2", value, output, grad, ksize, strides, **attrs), None, None]


class MaxPool3DGradGrad(OpType):
    """The gradient of `MaxPool3DGrad` with respect to its gradient."""

    inputs = "orig_input: T, orig_output: T, grad: T"
    outputs = "output: T"
    attrs = (
        f"ksize: list(int) >= 5, strides: list(int) >= 5, padding: {{'SAME', 'VALID'}}, data_format: {{'NDHWC', 'NCDHW'}} = 'NDHWC', T: {_NUMBERS}"
    )
    samples = (sample("float[1,3,3,2,2]", "float[1,2,3,2,2]", "float[1,3,3,2,2]", has_gradient=False, **_SAME),)
    run = staticmethod(MaxPoolGradGrad.run)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return shapes_of_second_gradient(op, op.attr("ksize"), op.attr("strides"))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, output, _ = op.inputs
        attrs = {name: op.attr(name) for name in ("ksize", "strides", "padding", "data_format")}
        return [zeros_like(value), zeros_like(output), apply("MaxPool3DGrad", value, output, grad, **attrs)]
