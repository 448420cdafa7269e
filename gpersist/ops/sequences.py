"""Tensors of numbers in a row, and what is made of them: range, linspace, meshgrid, sequence_mask, repeat."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import (
    Operation,
    OpType,
    Tensor,
    apply,
    constant_value,
    convert_to_tensor,
    name_scope,
    register_tensor_conversion_function,
    sample,
)
from gpersist.ops.arranging import tile
from gpersist.ops.choosing import boolean_mask
from gpersist.ops.constants import constant
from gpersist.ops.filling import ones
from gpersist.ops.joining import concat, stack
from gpersist.ops.kernels import check_scalars, shown
from gpersist.ops.shaping import expand_dims, reshape, shape_of, size
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["lin_space", "linspace", "meshgrid", "range", "repeat", "sequence_mask"]


class Range(OpType):
    """Numbers from a start on in equal steps, up to a limit that is left out."""

    inputs = "start: Tidx, limit: Tidx, delta: Tidx"
    outputs = "output: Tidx"
    attrs = "Tidx: {bfloat16, half, float, double, int8, int16, int32, int64, uint16, uint32, uint64} = int32"
    samples = (
        sample("int32: 1", "int32: 9", "int32: 3"),
        sample("float: 2.0", "float: 0.0", "float: -0.5", has_gradient=False),
        sample("int64: 3", "int64: 3", "int64: 1"),
    )
    host_inputs = ("start", "limit", "delta")
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs:
            tensor.shape.with_rank(0)
        values = [constant_value(tensor) for tensor in op._inputs]
        return [unknown_shape(1) if any(value is None for value in values) else TensorShape([_count(*values)])]

    @staticmethod
    def run(xp: Any, start: Any, limit: Any, delta: Any) -> Array:
        count = _count(start, limit, delta)
        start, delta = start.reshape(()), delta.reshape(())
        dtype = np.asarray(start).dtype
        if dtype.kind in "iu":
            return xp.arange(count, dtype=dtype) * xp.asarray(delta, dtype) + xp.asarray(start, dtype)
        return (start + np.arange(count).astype(dtype) * delta).astype(dtype) if xp is np else xp.asarray(Range.run(np, start, limit, delta))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None]


def _count(start: Any, limit: Any, delta: Any) -> int:
    for name, value in (("start", start), ("limit", limit), ("delta", delta)):
        if np.shape(value) not in ((), (1,)):  # a vector of one element is taken for a scalar
            raise InvalidArgumentError(f"{name} must be a scalar, not shape {shown(np.shape(value))}")
    first, last, step = start.item(), limit.item(), delta.item()
    if step == 0:
        raise InvalidArgumentError("Requires delta != 0: 0")
    if (last - first) * step < 0:
        raise InvalidArgumentError(f"Requires start {'<=' if step > 0 else '>='} limit when delta {'>' if step > 0 else '<'} 0: {first:g}/{last:g}")
    return len(builtins.range(first, last, step)) if isinstance(first, int) else math.ceil(abs((last - first) / step))


class LinSpace(OpType):
    """So many numbers in equal steps from one to another."""

    inputs = "start: T, stop: T, num: Tidx"
    outputs = "output: T"
    attrs = "T: {bfloat16, half, float, double}, Tidx: {int32, int64} = int32"
    samples = (
        sample("float: 1.0", "float: 3.0", "int32: 5", has_gradient=False),
        sample("double: 1.0", "double: 3.0", "int64: 1", has_gradient=False),
    )
    host_inputs = ("start", "stop", "num")
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs:
            tensor.shape.with_rank(0)
        count = constant_value(op._inputs[2])
        if count is not None and count <= 0:
            raise ValueError(f"Requires num > 0: {int(count)}")
        return [TensorShape([None if count is None else int(count)])]

    @staticmethod
    def run(xp: Any, start: Any, stop: Any, num: Any) -> Array:
        check_scalars(start=start, stop=stop, num=num)
        count = int(num)
        if count <= 0:
            raise InvalidArgumentError(f"Requires num > 0: {count}")
        dtype = np.asarray(start).dtype
        result = np.full(count, start, dtype)
        if count > 1:
            step = ((stop - start) / dtype.type(count - 1)).astype(dtype)
            result[1:] = (start + step * np.arange(1, count).astype(dtype)).astype(dtype)
            result[-1] = stop
        return xp.asarray(result)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, None, None]


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Tensor:  # TensorFlow's name
    """Numbers from `start` on in steps of `delta`, up to `limit`, which is left out (`tf.range`); `range(limit)` begins at 0."""
    if limit is None:
        start, limit = 0, start
    wanted = None if dtype is None else as_dtype(dtype)
    with name_scope(name, "Range", [start, limit, delta]) as scope:
        given = {"start": start, "limit": limit, "delta": delta}
        tensors = [value if isinstance(value, Tensor) else convert_to_tensor(value, wanted, name=key) for key, value in given.items()]
        if wanted is None:
            wanted = max((tensor.dtype.base_dtype for tensor in tensors), key=lambda found: _HIERARCHY.index(found.name))
        cast = [tensor if tensor.dtype.base_dtype is wanted else apply("Cast", tensor, DstT=wanted) for tensor in tensors]
        return apply("Range", *cast, name=scope)


def _of_range(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    return range(value.start, value.stop, value.step, dtype=dtype, name=name or "Range")


register_tensor_conversion_function(builtins.range, _of_range, 100)


_HIERARCHY = ("int32", "int64", "float16", "bfloat16", "float32", "float64")


def lin_space(start: Any, stop: Any, num: Any, name: str | None = None) -> Tensor:
    """So many numbers in equal steps from `start` to `stop` (`tf.lin_space`)."""
    return apply("LinSpace", start, stop, num, name=name)


linspace = lin_space


def meshgrid(*args: Any, indexing: str = "xy", name: str = "meshgrid") -> list[Tensor]:
    """For each of several vectors its values over the grid of them all (`tf.meshgrid`).

    Args:
        args: vectors.
        indexing: `xy`, where the first two dimensions are exchanged, or `ij`.
        name: of a name scope.

    Raises:
        ValueError: `indexing` is neither.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'")
    with name_scope(name, "meshgrid", args):
        count = len(args)
        if not count:
            return []
        places = [(1,) * axis + (-1,) + (1,) * (count - 1 - axis) for axis in builtins.range(count)]
        output = [reshape(stack(value), place) for value, place in zip(args, places, strict=True)]
        sizes = [size(value) for value in args]
        dtype = convert_to_tensor(args[0]).dtype.base_dtype
        if indexing == "xy" and count > 1:
            output[0] = reshape(output[0], (1, -1) + (1,) * (count - 2))
            output[1] = reshape(output[1], (-1, 1) + (1,) * (count - 2))
            sizes[0], sizes[1] = sizes[1], sizes[0]
        whole = ones(sizes, dtype)
        return [value * whole for value in output]


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: str | None = None) -> Tensor:
    """For each length a row that is true so far, and false up to `maxlen` (`tf.sequence_mask`).

    Raises:
        ValueError: `maxlen` is no scalar.
    """
    wanted = as_dtype(dtype)
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        counts = convert_to_tensor(lengths)
        if maxlen is None:
            rank = counts.shape.rank
            axes = constant(np.arange(rank, dtype=np.int32)) if rank is not None else apply("Range", 0, apply("Rank", counts), 1)
            longest = apply("Max", counts, axes)
            longest = apply("Maximum", constant(0, longest.dtype), longest)
        else:
            longest = convert_to_tensor(maxlen)
        if longest.shape.rank not in (None, 0):
            raise ValueError(
                f"Argument `maxlen` must be scalar for sequence_mask, received `maxlen` = {longest} with shape '{longest.shape}' instead"
            )
        row = apply("Range", constant(0, longest.dtype), longest, constant(1, longest.dtype))
        column = apply("Cast", expand_dims(counts, -1), DstT=longest.dtype.base_dtype)
        result = apply("Less", row, column)
        return result if wanted.is_bool else apply("Cast", result, DstT=wanted)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Each slice of a tensor along an axis so many times (`tf.repeat`); each element of the flat tensor, where no axis is given.

    Raises:
        ValueError: there is no such axis, or the numbers don't fit the slices.
    """
    if axis is None:
        input, axis = reshape(input, [-1]), 0
    with name_scope(name, "Repeat", [input, repeats]):
        data = convert_to_tensor(input, name="data")
        times = convert_to_tensor(repeats, name="repeats")
        times = apply("Cast", times, DstT="int32" if times.dtype.base_dtype.name != "int64" else "int64")
        times.shape.with_rank_at_most(1)
        if data.shape.rank == 0:
            data = reshape(data, [-1])
        rank = data.shape.rank
        if axis < 0 and rank is None:
            raise ValueError(f"axis={axis} may only be negative if rank(data) is statically known.")
        if rank is not None:
            if not -rank <= axis < rank:
                raise ValueError(f"axis={axis} out of bounds: expected {-rank}<=axis<{rank}")
            axis %= rank
        shape = shape_of(data, out_type=times.dtype.base_dtype)
        if times.shape.num_elements() == 1:
            times = reshape(times, [])
            tiled = _tiled(expand_dims(data, axis + 1), axis + 1, times)
            return reshape(tiled, concat([shape[:axis], [times * shape[axis]], shape[axis + 1 :]], axis=0))
        if times.shape.rank == 1 and rank is not None:
            data.shape[axis : axis + 1].merge_with(times.shape)
        each = apply("BroadcastTo", times, [shape[axis]])
        if axis:
            each = apply("BroadcastTo", each, concat([shape[:axis], shape_of(each)], axis=0))
            each.set_shape([None] * (axis + 1))
        longest = apply("Max", each, constant(np.arange(axis + 1, dtype=np.int32)))
        longest = apply("Maximum", convert_to_tensor(0, longest.dtype, name="zero"), longest)
        mask = sequence_mask(each, longest)
        result = boolean_mask(_tiled(expand_dims(data, axis + 1), axis + 1, longest), mask)
        if axis:
            result = reshape(result, concat([shape[:axis], [-1], shape[axis + 1 :]], axis=0))
        if rank is not None:
            count = 0 if times.shape == (0,) else None
            result.set_shape(data.shape[:axis].concatenate([count]).concatenate(data.shape[axis + 1 :]))
        return result


def _tiled(data: Tensor, axis: int, times: Tensor) -> Tensor:
    """A tensor repeated along one dimension."""
    if data.shape.rank is None:
        each = ones([apply("Rank", data)], "int32")
        return tile(data, concat([each[:axis], [times], each[axis + 1 :]], axis=0))
    multiples: list[Any] = [1] * data.shape.rank
    multiples[axis] = times
    return tile(data, multiples)
