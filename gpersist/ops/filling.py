"""Tensors of one value: zeros, ones, filled, empty."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operand, Operation, OpType, Tensor, apply, constant_shape, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.constants import constant
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.kernels import as_array, check_scalars
from gpersist.ops.shaping import reshape, shape_inside
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import ShapeLike, TensorShape, as_shape

__all__ = ["fill", "ones", "ones_like", "zeros", "zeros_like"]


class Fill(OpType):
    """A tensor of one value."""

    inputs = "dims: index_type, value: T"
    outputs = "output: T"
    attrs = "T: type, index_type: {int32, int64} = int32"
    samples = (sample("int32: [2, 3]", "float[]"), sample("int64: [0]", "int32[]"), sample("int32: []", "string[]"))
    host_inputs = ("dims",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        dims, value = op._inputs
        dims.shape.with_rank(1)
        value.shape.with_rank(0)
        known = constant_value(dims)
        if known is not None and known.size and known.min() < 0:
            raise ValueError("Fill dimensions must be >= 0")
        return [constant_shape(dims)]

    @staticmethod
    def run(xp: Any, dims: Any, value: Any) -> Array:
        if dims.size and dims.min() < 0:
            raise InvalidArgumentError(f"Dimension {dims.min()} must be >= 0")
        check_scalars(value=value)
        return xp.full(dims.reshape(-1).tolist(), value, dtype=value.dtype if hasattr(value, "dtype") else object)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None, apply("Sum", grad, _all_axes(grad))]


class ZerosLike(OpType):
    """Zeros in the shape of its input."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: type"
    samples = (sample("float[2,3]"), sample("bool[2]"), sample("string[2]"), sample("int32[]"))
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        if hasattr(value, "zeros_like"):  # a list of tensors
            return value.zeros_like(xp)
        array = as_array(xp, value)
        return xp.full(array.shape, b"", object) if array.dtype == object else xp.zeros(array.shape, array.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class OnesLike(OpType):
    """Ones in the shape of its input."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64, complex64, complex128, bool}"
    samples = (sample("float[2,3]"), sample("bool[2]"), sample("int32[]"))
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return xp.ones(value.shape, value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class Empty(OpType):
    """A tensor of any content; here it is zeros, whether that is asked for or not."""

    inputs = "shape: int32"
    outputs = "output: dtype"
    attrs = "dtype: type, init: bool = false"
    is_stateful = True
    samples = (sample("int32: [2, 3]", dtype="float"), sample("int32: []", dtype="int32", init=True), sample("int32: [2]", dtype="string"))
    host_inputs = ("shape",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [constant_shape(op._inputs[0])]

    @staticmethod
    def run(xp: Any, shape: Any, *, dtype: DType) -> Array:
        if dtype.is_string:
            return np.full(tuple(shape.tolist()), b"", object)
        return xp.zeros(tuple(shape.tolist()), dtype.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


def fill(dims: Any, value: Any, name: str | None = None, index_type: Any = None) -> Tensor:
    """A tensor of one value (`tf.fill`)."""
    return apply("Fill", dims, value, name=name, index_type=index_type)


def zeros(shape: ShapeLike, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A tensor of zeros, False or empty texts (`tf.zeros`): a constant, or more than 999 elements by Fill."""
    return _filled(0, shape, as_dtype(dtype).base_dtype, name, "zeros")


def ones(shape: ShapeLike, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A tensor of ones, or True (`tf.ones`): a constant, or more than 999 elements by Fill."""
    return _filled(1, shape, as_dtype(dtype).base_dtype, name, "ones")


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Zeros in the shape of a tensor, and of its type or another (`tf.zeros_like`)."""
    wanted = None if dtype is None else as_dtype(dtype)
    with name_scope(name, "zeros_like", [tensor]) as scope:
        is_read = isinstance(tensor, (IndexedSlices, SparseTensor)) or (optimize and isinstance(tensor, Operand))
        like: Any = tensor if is_read else convert_to_tensor(tensor, name="tensor")
        if optimize and like.shape.is_fully_defined():
            return zeros(like.shape, wanted or like.dtype, name=scope)
        if not isinstance(like, (IndexedSlices, SparseTensor)):
            like = convert_to_tensor(like, name="tensor")
        if wanted is not None and wanted is not like.dtype.base_dtype:
            return zeros(shape_inside(like, optimize=optimize), wanted, name=scope)
        return apply("ZerosLike", like, name=scope)


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Ones in the shape of a tensor, and of its type or another (`tf.ones_like`)."""
    with name_scope(name, "ones_like", [tensor]) as scope:
        like = convert_to_tensor(tensor, name="tensor")
        result = ones(shape_inside(like, optimize=optimize), like.dtype if dtype is None else dtype, name=scope)
        result.set_shape(like.shape)
        return result


def _filled(number: int, shape: Any, dtype: DType, name: str | None, default_name: str) -> Tensor:
    value: Any = b"" if dtype.is_string else bool(number) if dtype.is_bool else np.array(number, dtype.numpy) if dtype.is_quantized else number
    with name_scope(name, default_name, [shape] if isinstance(shape, Tensor) else None) as scope:
        if number and dtype.is_string:
            raise TypeError("Expected string, but got 1 of type 'int'.")
        if isinstance(shape, (list, tuple)) and any(size is None for size in shape):
            raise TypeError("Expected int32, but got None of type 'NoneType'.")
        if not isinstance(shape, Tensor):
            try:
                known = as_shape(shape)
            except TypeError:
                shape = convert_to_tensor(shape, "int32")  # a list with tensors in it
            else:
                count = known.num_elements()
                if not isinstance(shape, int) and count is not None and count < _MAX_CONSTANT_ELEMENTS:
                    return constant(value, dtype, known, name=scope)
                shape = convert_to_tensor(known)
        if not shape.shape.sizes:
            shape = reshape(shape, [-1])
        return fill(shape, constant(value, dtype), name=scope)


_MAX_CONSTANT_ELEMENTS = 1000
"""As many zeros as TensorFlow makes a constant of; more are filled in at run time."""


def _all_axes(tensor: Tensor) -> Any:
    if tensor.shape.rank is not None:
        return constant(list(range(tensor.shape.rank)), "int32", name="Const")
    return apply("Range", 0, apply("Rank", tensor), 1)
