"""Rows of a tensor dealt out to several, and put together again: dynamic_partition, dynamic_stitch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, constant_value, sample
from gpersist.ops.constants import constant
from gpersist.ops.gathering import gather
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.shaping import reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["dynamic_partition", "dynamic_stitch"]


class DynamicPartition(OpType):
    """The rows of a tensor that each of several numbers is given for."""

    inputs = "data: T, partitions: int32"
    outputs = "outputs: num_partitions * T"
    attrs = "num_partitions: int >= 1, T: type"
    samples = (
        sample("float[4,2]", "int32: [1, 0, 1, 1]", num_partitions=3),
        sample("double[2,2]", "int32: [[0, 1], [1, 0]]", num_partitions=2),
        sample("int32[]", "int32: 0", num_partitions=1),
        sample("string[2]", "int32: [1, 1]", num_partitions=2),
    )
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (data, partitions), count = (tensor.shape for tensor in op._inputs), op.attr("num_partitions")
        if data.sizes is None or partitions.sizes is None:
            return [unknown_shape()] * count
        TensorShape(data.sizes[: len(partitions.sizes)]).merge_with(partitions)
        return [TensorShape([None, *data.sizes[len(partitions.sizes) :]])] * count

    @staticmethod
    def run(xp: Any, data: Array, partitions: Array, *, num_partitions: int) -> list[Array]:
        rows, numbers = as_array(xp, data), as_array(xp, partitions)
        if rows.shape[: numbers.ndim] != numbers.shape:
            raise InvalidArgumentError(f"data.shape must start with partitions.shape, got data.shape = {shown(rows.shape)}, {shown(numbers.shape)}")
        rest = rows.shape[numbers.ndim :]
        rows, numbers = rows.reshape(numbers.size, *rest), numbers.reshape(-1)
        if xp is np and numbers.size and not 0 <= numbers.min() <= numbers.max() < num_partitions:
            place = int(np.flatnonzero((numbers < 0) | (numbers >= num_partitions))[0])
            raise InvalidArgumentError(f"partitions[{place}] = {numbers[place]} is not in [0, {num_partitions})")
        return [rows[numbers == number] for number in range(num_partitions)]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        data, partitions = op.inputs
        prefix = shape_of(partitions)
        count = apply("Prod", prefix, constant([0], "int32"))
        numbers = reshape(apply("Range", 0, count, 1, name="range"), prefix)
        places = apply_op("DynamicPartition", numbers, partitions, num_partitions=op.attr("num_partitions")).outputs
        return [reshape(apply("ParallelDynamicStitch", list(places), list(grads)), shape_of(data)), None]


class DynamicStitch(OpType):
    """The rows of several tensors, each at its index; of rows with one index the last one counts."""

    inputs = "indices: N * int32, data: N * T"
    outputs = "merged: T"
    attrs = "N: int >= 1, T: type"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample(["int32: [0, 3]", "int32: [[1], [2]]"], ["float[2,2]", "float[2,1,2]"]),
        sample(["int32: 1", "int32: [0, 2]"], ["double[]", "double[2]"]),
        sample(["int32: [1, 0]"], ["string[2]"]),
        sample([np.zeros(0, np.int32)], [np.zeros((0, 2), np.float32)]),
    )
    host_inputs = ("indices",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count = op.attr("N")
        indices, data = op._inputs[:count], op._inputs[count:]
        rest, length = TensorShape(None), 0
        values = [constant_value(tensor) for tensor in indices]
        for index, tensor in zip(indices, data, strict=True):
            if index.shape.sizes is None or tensor.shape.sizes is None:
                continue
            rank = len(index.shape.sizes)
            TensorShape(tensor.shape.sizes[:rank]).merge_with(index.shape)
            rest = rest.merge_with(tensor.shape.sizes[rank:])
        length = max((int(value.max()) + 1 for value in values if value is not None and value.size), default=0)
        return [TensorShape([None if any(value is None for value in values) else length]).concatenate(rest)]

    @staticmethod
    def run(xp: Any, indices: list[Any], data: list[Any]) -> Array:
        arrays = [as_array(xp, value) for value in data]
        rest = arrays[0].shape[np.ndim(indices[0]) :]
        for number, (index, array) in enumerate(zip(indices, arrays, strict=True)):
            if array.shape != (*np.shape(index), *rest):
                raise InvalidArgumentError(
                    f"data[{number}].shape = {shown(array.shape)} does not begin as indices[{number}].shape = {shown(np.shape(index))}, or not "
                    f"end with {shown(rest)}"
                )
            if np.size(index) and np.min(index) < 0:
                raise InvalidArgumentError(f"indices[{number}] = {np.min(index)} is out of range")
        length = max((int(np.max(index)) + 1 for index in indices if np.size(index)), default=0)
        is_text = arrays[0].dtype == object
        result = xp.full((length, *rest), b"", object) if is_text else xp.zeros((length, *rest), arrays[0].dtype)
        for index, array in zip(indices, arrays, strict=True):
            flat = np.ravel(index)
            last = len(flat) - 1 - np.unique(flat[::-1], return_index=True)[1]  # a device writes in no order
            result[xp.asarray(flat[last])] = array.reshape(len(flat), *rest)[xp.asarray(last)]
        return result

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        indices = op.inputs[: op.attr("N")]
        return [None] * len(indices) + [gather(grad, index) for index in indices]


class ParallelDynamicStitch(DynamicStitch):
    """The same, of rows whose indices all differ."""

    samples = DynamicStitch.samples[:3]


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """The rows of `data` whose number in `partitions` is 0, those whose number is 1, and so on (`tf.dynamic_partition`)."""
    return list(apply_op("DynamicPartition", data, partitions, num_partitions=num_partitions, name=name).outputs)


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """The rows of several tensors, each at its index (`tf.dynamic_stitch`)."""
    return apply("DynamicStitch", indices, data, name=name)
