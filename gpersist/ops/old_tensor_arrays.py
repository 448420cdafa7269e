"""The TensorArrays of TensorFlow before 1.0, whose handles are text, or references to text."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.graph import Context, Operation
from gpersist.ops import tensor_array_ops
from gpersist.ops.tensor_array_ops import Elements
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class TensorArrayV2(tensor_array_ops.TensorArrayV3):
    """A new array of tensors."""

    outputs = "handle: string"
    attrs = "dtype: type, element_shape: shape = ?, dynamic_size: bool = false, clear_after_read: bool = true, tensor_array_name: string = ''"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return [TensorShape([2])]

    @staticmethod
    def run(  # type: ignore[override]  # of fewer attributes, without flow
        ctx: Context, size: Any, *, dtype: DType, element_shape: TensorShape, dynamic_size: bool, clear_after_read: bool, tensor_array_name: bytes
    ) -> Elements:
        return tensor_array_ops.TensorArrayV3.run(
            ctx,
            size,
            dtype=dtype,
            element_shape=element_shape,
            dynamic_size=dynamic_size,
            clear_after_read=clear_after_read,
            identical_element_shapes=False,
            tensor_array_name=tensor_array_name,
        )[0]


class TensorArray(TensorArrayV2):
    """A new array of tensors."""

    outputs = "handle: Ref(string)"
    attrs = "dtype: type, dynamic_size: bool = false, clear_after_read: bool = true, tensor_array_name: string = '', element_shape: shape = ?"


class TensorArrayGradV2(tensor_array_ops.TensorArrayGradV3):
    """The array of the gradients of an array's elements."""

    inputs = "handle: string, flow_in: float"
    outputs = "grad_handle: string"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([2])]

    @staticmethod
    def run(ctx: Context, handle: Elements, flow: Any, *, source: bytes) -> Elements:  # type: ignore[override]  # without flow
        return handle.gradient(source.decode())


class TensorArrayGrad(TensorArrayGradV2):
    """The array of the gradients of an array's elements."""

    outputs = "grad_handle: Ref(string)"


class TensorArrayWriteV2(tensor_array_ops.TensorArrayWriteV3):
    """Writes an element."""

    inputs = "handle: string, index: int32, value: T, flow_in: float"
    is_stateful = False


class TensorArrayReadV2(tensor_array_ops.TensorArrayReadV3):
    """Reads an element."""

    inputs = "handle: string, index: int32, flow_in: float"
    is_stateful = False


class TensorArrayGatherV2(tensor_array_ops.TensorArrayGatherV3):
    """Elements as one tensor, stacked along a new first axis."""

    inputs = "handle: string, indices: int32, flow_in: float"
    is_stateful = False


class TensorArrayScatterV2(tensor_array_ops.TensorArrayScatterV3):
    """Writes the rows of a tensor as elements."""

    inputs = "handle: string, indices: int32, value: T, flow_in: float"
    is_stateful = False


class TensorArrayConcatV2(tensor_array_ops.TensorArrayConcatV3):
    """All elements as one tensor, one behind the other, and how many rows each has."""

    inputs = "handle: string, flow_in: float"
    is_stateful = False


class TensorArraySplitV2(tensor_array_ops.TensorArraySplitV3):
    """Writes parts of a tensor as elements."""

    inputs = "handle: string, value: T, lengths: int64, flow_in: float"
    is_stateful = False


class TensorArraySizeV2(tensor_array_ops.TensorArraySizeV3):
    """How many elements there are."""

    inputs = "handle: string, flow_in: float"
    is_stateful = False


class TensorArrayCloseV2(tensor_array_ops.TensorArrayCloseV3):
    """Drops what is in an array."""

    inputs = "handle: string"
    is_stateful = False


class TensorArrayWrite(tensor_array_ops.TensorArrayWriteV3):
    """Writes an element."""

    inputs = "handle: Ref(string), index: int32, value: T, flow_in: float"
    is_stateful = False


class TensorArrayRead(tensor_array_ops.TensorArrayReadV3):
    """Reads an element."""

    inputs = "handle: Ref(string), index: int32, flow_in: float"
    is_stateful = False


class TensorArrayGather(tensor_array_ops.TensorArrayGatherV3):
    """Elements as one tensor, stacked along a new first axis."""

    inputs = "handle: Ref(string), indices: int32, flow_in: float"
    is_stateful = False


class TensorArrayScatter(tensor_array_ops.TensorArrayScatterV3):
    """Writes the rows of a tensor as elements."""

    inputs = "handle: Ref(string), indices: int32, value: T, flow_in: float"
    is_stateful = False


class TensorArrayConcat(tensor_array_ops.TensorArrayConcatV3):
    """All elements as one tensor, one behind the other, and how many rows each has."""

    inputs = "handle: Ref(string), flow_in: float"
    is_stateful = False


class TensorArraySplit(tensor_array_ops.TensorArraySplitV3):
    """Writes parts of a tensor as elements."""

    inputs = "handle: Ref(string), value: T, lengths: int64, flow_in: float"
    is_stateful = False


class TensorArraySize(tensor_array_ops.TensorArraySizeV3):
    """How many elements there are."""

    inputs = "handle: Ref(string), flow_in: float"
    is_stateful = False


class TensorArrayClose(tensor_array_ops.TensorArrayCloseV3):
    """Drops what is in an array."""

    inputs = "handle: Ref(string)"
    is_stateful = False


class TensorArrayPack(tensor_array_ops.TensorArrayGatherV3):
    """All elements as one tensor, stacked along a new first axis."""

    inputs = "handle: Ref(string), flow_in: float"
    host_inputs = ()
    is_stateful = False

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: Elements, flow: Any, *, dtype: DType, element_shape: TensorShape) -> Array:  # type: ignore[override]
        every = np.arange(len(handle.elements))
        return tensor_array_ops.TensorArrayGatherV3.run(ctx, handle, every, flow, dtype=dtype, element_shape=element_shape)


class TensorArrayUnpack(tensor_array_ops.TensorArrayScatterV3):
    """Writes the rows of a tensor as elements."""

    inputs = "handle: Ref(string), value: T, flow_in: float"
    host_inputs = ()
    is_stateful = False

    @staticmethod
    def run(ctx: Context, handle: Elements, value: Array, flow: Any, *, T: DType) -> Any:  # type: ignore[override]  # noqa: N803
        every = np.arange(np.shape(value)[0] if np.ndim(value) else 0)
        return tensor_array_ops.TensorArrayScatterV3.run(ctx, handle, every, value, flow, T=T)
