"""The shape of a tensor, as a tensor, and the same elements in another one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, constant_shape, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.ops.kernels import as_array, axis_within, shown
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["expand_dims", "rank", "reshape", "shape", "shape_n", "size", "squeeze"]


class Shape(OpType):
    """The shape of its input."""

    inputs = "input: T"
    outputs = "output: out_type"
    attrs = "T: type, out_type: {int32, int64} = int32"
    samples = (sample("float[2,3]"), sample("float[]"), sample("float[2,0]", out_type="int64"))
    host_outputs = ("output",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([op._inputs[0].shape.rank])]

    @staticmethod
    def run(xp: Any, value: Array, *, out_type: DType) -> np.ndarray[Any, Any]:
        return np.array(np.shape(value), out_type.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        shape = op.inputs[0].shape
        return np.array(shape.as_list(), op.attr("out_type").numpy) if shape.is_fully_defined() else None

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        return op.inputs[0].shape


class ShapeN(OpType):
    """The shapes of its inputs."""

    inputs = "input: N * T"
    outputs = "output: N * out_type"
    attrs = "N: int >= 1, T: type, out_type: {int32, int64} = int32"
    samples = (sample(["float[2,3]", "float[4]"]), sample(["int32[]"], out_type="int64"))
    host_outputs = ("output",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([tensor.shape.rank]) for tensor in op._inputs]

    @staticmethod
    def run(xp: Any, values: list[Array], *, out_type: DType) -> list[np.ndarray[Any, Any]]:
        return [np.array(np.shape(value), out_type.numpy) for value in values]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class Rank(OpType):
    """How many dimensions its input has."""

    inputs = "input: T"
    outputs = "output: int32"
    attrs = "T: type"
    samples = (sample("float[2,3]"), sample("int32[]"), sample("string[2]"))
    host_outputs = ("output",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any, value: Array) -> Any:
        return np.int32(np.ndim(value) if not isinstance(value, bytes) else 0)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        known = op.inputs[0].shape.rank
        return None if known is None else np.array(known, np.int32)


class Size(OpType):
    """How many elements its input has."""

    inputs = "input: T"
    outputs = "output: out_type"
    attrs = "T: type, out_type: {int32, int64} = int32"
    samples = (sample("float[2,3]"), sample("float[]"), sample("string[2]", out_type="int64"), sample("float[0,3]"))
    host_outputs = ("output",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any, value: Array, *, out_type: DType) -> Any:
        assert out_type.numpy is not None
        return out_type.numpy.type(getattr(value, "size", 1))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        count = op.inputs[0].shape.num_elements()
        return None if count is None else np.array(count, op.attr("out_type").numpy)


class Reshape(OpType):
    """The same elements in another shape; one dimension may be -1, for what is left."""

    inputs = "tensor: T, shape: Tshape"
    outputs = "output: T"
    attrs = "T: type, Tshape: {int32, int64} = int32"
    samples = (
        sample("float[2,3]", "int32: [3, 2]"),
        sample("float[2,3]", "int32: [-1]"),
        sample("float[1]", "int32: []"),
        sample("string[]", "int64: [1]"),
    )
    host_inputs = ("shape",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        before, after = op._inputs[0].shape.sizes, constant_shape(op._inputs[1]).sizes
        if after is None:
            return [unknown_shape()]
        found = list(after)
        if before is None or before.count(None) > 1 or after.count(None) > 1:
            return [TensorShape(found)]
        have, want = (math.prod(size for size in sizes if size is not None) for sizes in (before, after))
        if None not in before and None not in after:
            if have != want:
                raise ValueError(f"Cannot reshape a tensor with {have} elements to shape {shown(after)} ({want} elements)")
        elif None not in before and want:
            if have % want:
                raise ValueError(f"Dimension size must be evenly divisible by {want} but is {have}")
            found[after.index(None)] = have // want
        elif None not in after and have and want % have:
            raise ValueError(f"Dimension size must be evenly divisible by {have} but is {want}")
        return [TensorShape(found)]

    @staticmethod
    def run(xp: Any, value: Array, shape: Any) -> Array:
        if shape.ndim > 1:
            raise InvalidArgumentError(f"sizes input must be 1-D, not {shown(shape.shape)}")
        sizes = shape.reshape(-1).tolist()  # a scalar will do, too
        if -1 in sizes and 0 in sizes:  # what is asked for then follows from the dimensions that are not 0
            sizes[sizes.index(-1)] = math.prod(filter(None, np.shape(value))) // math.prod(size for size in sizes if size > 0)
        if sizes and min(sizes) < -1:
            raise InvalidArgumentError(f"Size {sizes.index(min(sizes))} must be non-negative, not {min(sizes)}")
        array = as_array(xp, value)
        known = math.prod(size for size in sizes if size != -1)
        if -1 in sizes and known and array.size % known:
            raise InvalidArgumentError(
                f"Input to reshape is a tensor with {array.size} values, but the requested shape requires a multiple of {known}"
            )
        if -1 not in sizes and known != array.size:
            raise InvalidArgumentError(f"Input to reshape is a tensor with {array.size} values, but the requested shape has {known}")
        return array.reshape(sizes)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        grad = convert_to_tensor(grad)  # which may be IndexedSlices
        sizes = op.inputs[0].shape.sizes
        if sizes is not None and sizes.count(None) == 1 and 0 not in sizes:
            return [reshape(grad, [-1 if size is None else size for size in sizes]), None]
        return [reshape(grad, shape_of(op.inputs[0])), None]


class ExpandDims(OpType):
    """The same elements with a dimension of 1 put in."""

    inputs = "input: T, dim: Tdim"
    outputs = "output: T"
    attrs = "T: type, Tdim: {int32, int64} = int32"
    samples = (sample("float[2,3]", "int32: 1"), sample("float[2,3]", "int64: -1"), sample("int32[]", "int32: 0"), sample("string[]", "int32: [0]"))
    host_inputs = ("dim",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, axis = op._inputs[0].shape.sizes, constant_value(op._inputs[1])
        if axis is not None and axis.size != 1:
            raise ValueError(f"'dim' input must be a tensor with a single value, but has shape {list(axis.shape)}")
        if sizes is None or axis is None:
            return [unknown_shape()]
        place = _new_axis(int(axis.reshape(())), len(sizes))
        return [TensorShape([*sizes[:place], 1, *sizes[place:]])]

    @staticmethod
    def run(xp: Any, value: Array, dim: Any) -> Array:
        array = as_array(xp, value)
        if dim.size != 1:
            raise InvalidArgumentError(f"'dim' must be a tensor with a single value, but has {dim.size}")
        place = _new_axis(int(dim.reshape(())), array.ndim)
        return array.reshape(*array.shape[:place], 1, *array.shape[place:])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [reshape(convert_to_tensor(grad), shape_of(op.inputs[0])), None]


def _new_axis(axis: int, rank: int) -> int:
    if not -rank - 1 <= axis <= rank:
        raise InvalidArgumentError(f"Tried to expand dim index {axis} for tensor with {rank} dimensions.")
    return axis + rank + 1 if axis < 0 else axis


class Squeeze(OpType):
    """The same elements without dimensions of 1: some, or all of them."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: type, squeeze_dims: list(int) >= 0 = []"
    samples = (sample("float[1,3,1]"), sample("float[1,3,1]", squeeze_dims=[-1]), sample("int32[1]"), sample("float[2]"))
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, axes = op._inputs[0].shape.sizes, op.attr("squeeze_dims")
        if sizes is None:
            return [unknown_shape()]
        wanted = {shape_functions.axis(axis, len(sizes)) for axis in axes}
        for axis in wanted:
            if sizes[axis] not in (None, 1):
                raise ValueError(f"Can not squeeze dim[{axis}], expected a dimension of 1, got {sizes[axis]}")
        if not wanted:
            return [unknown_shape() if None in sizes else TensorShape(size for size in sizes if size != 1)]
        return [TensorShape(size for axis, size in enumerate(sizes) if axis not in wanted)]

    @staticmethod
    def run(xp: Any, value: Array, *, squeeze_dims: list[int]) -> Array:
        array = as_array(xp, value)
        dropped = {axis_within(axis, array.ndim, "squeeze_dims") for axis in squeeze_dims} if squeeze_dims else None
        for axis in dropped or ():
            if array.shape[axis] != 1:
                raise InvalidArgumentError(f"Can not squeeze dim[{axis}], expected a dimension of 1, got {array.shape[axis]}")
        return array.reshape([size for axis, size in enumerate(array.shape) if (size != 1 if dropped is None else axis not in dropped)])

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return reshape(convert_to_tensor(grad), shape_of(op.inputs[0]))


def shape(input: Any, name: str | None = None, out_type: Any = None, *, optimize: bool = True) -> Tensor:  # TensorFlow's name
    """The shape of a tensor, as a tensor of int32 or `out_type` (`tf.shape`): a constant where it is known, unless `optimize` is off."""
    with name_scope(name, "Shape", [input]) as scope:
        dtype = as_dtype(out_type or "int32")
        if isinstance(input, SparseTensor):
            return apply("Cast", input.dense_shape, DstT=dtype)
        tensor = convert_to_tensor(input)
        if optimize and tensor.shape.is_fully_defined():
            return constant(tensor.shape.as_list(), dtype, name=scope)
        return apply("Shape", tensor, out_type=dtype, name=scope)


shape_of = shape
"""The same, for modules where `shape` is something else."""


def shape_inside(input: Any, *, optimize: bool = True) -> Tensor:  # TensorFlow's name
    """The shape of a tensor as other functions ask for it: a constant is then named `Shape/shape_as_tensor`."""
    with name_scope(None, "Shape", [input]) as scope:
        if isinstance(input, SparseTensor):
            return apply("Cast", input.dense_shape, DstT=as_dtype("int32"))
        tensor = convert_to_tensor(input)
        is_known = optimize and tensor.shape.is_fully_defined()
        return convert_to_tensor(tensor.shape) if is_known else apply("Shape", tensor, out_type=as_dtype("int32"), name=scope)


def shape_n(input: Any, out_type: Any = None, name: str | None = None) -> list[Tensor]:  # TensorFlow's name
    """The shapes of several tensors, as tensors (`tf.shape_n`)."""
    return list(apply_op("ShapeN", input, out_type=as_dtype(out_type or "int32"), name=name).outputs)


def rank(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """How many dimensions a tensor has, as a tensor (`tf.rank`): a constant where it is known."""
    with name_scope(name, "Rank", [input]) as scope:
        if isinstance(input, SparseTensor):
            return apply("Size", input.dense_shape, name=scope)
        tensor = convert_to_tensor(input)
        known = tensor.shape.rank
        return apply("Rank", tensor, name=scope) if known is None else constant(known, "int32", name=scope)


def size(input: Any, name: str | None = None, out_type: Any = None) -> Tensor:  # TensorFlow's name
    """How many elements a tensor has, as a tensor (`tf.size`): a constant where it is known."""
    with name_scope(name, "Size", [input]) as scope:
        dtype = as_dtype(out_type or "int32")
        if isinstance(input, SparseTensor):
            return apply("Prod", apply("Cast", input.dense_shape, DstT=dtype), 0, name=scope)
        tensor = convert_to_tensor(input)
        count = 0 if 0 in (tensor.shape.sizes or ()) else tensor.shape.num_elements()
        return apply("Size", tensor, out_type=dtype, name=scope) if count is None else constant(count, dtype, name=scope)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in another shape (`tf.reshape`)."""
    return apply("Reshape", tensor, shape, name=name)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:  # TensorFlow's name
    """The same elements with a dimension of 1 put in (`tf.expand_dims`).

    Raises:
        ValueError: neither `axis` nor `dim`, its old name, is given, or both are.
    """
    if axis is not None and dim is not None:
        raise ValueError("Cannot specify both 'axis' and 'dim'")
    place = dim if axis is None else axis
    if place is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return apply("ExpandDims", input, place, name=name)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:  # TensorFlow's name
    """The same elements without dimensions of 1: those of `axis`, or all (`tf.squeeze`).

    Raises:
        ValueError: both `axis` and `squeeze_dims`, its old name, are given.
    """
    if axis is not None and squeeze_dims is not None:
        raise ValueError("Cannot specify both 'axis' and 'squeeze_dims'")
    places = squeeze_dims if axis is None else axis
    if places is not None and np.isscalar(places):
        places = [places]
    return apply("Squeeze", input, squeeze_dims=None if places is None else list(places), name=name)
