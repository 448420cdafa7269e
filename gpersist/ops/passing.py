"""Operations that pass tensors on as they are, or hold something against them on the way."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, sample
from gpersist.ops import nest, shape_functions
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import ShapeLike, TensorShape, as_shape, unknown_shape

__all__ = ["bitcast", "ensure_shape", "guarantee_const", "identity", "identity_n", "stop_gradient"]


class _Passing(OpType, abstract=True):
    """Its input."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: type"
    samples: ClassVar[tuple[Sample, ...]] = (sample("float[2,3]"), sample("string[2]"), sample("int32[]"))
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return value


class Identity(_Passing):
    """Its input."""

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad

    @staticmethod
    def constant_shape(op: Operation, fold: Any) -> TensorShape | None:
        found: TensorShape | None = fold(op.inputs[0])
        return found


class Snapshot(_Passing):
    """Its input."""

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


class StopGradient(_Passing):
    """Its input, which no gradient passes."""

    samples = (sample("float[2,3]"),)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class PreventGradient(_Passing):
    """Its input, of which nobody may ask for a gradient."""

    attrs = "T: type, message: string = ''"
    samples = (sample("float[2,3]", message="no", has_gradient=False),)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        raise LookupError(f"Gradient explicitly disabled. Reason: {op.get_attr('message')!r}")


class GuaranteeConst(_Passing):
    """Its input, of which the caller says that it never changes."""

    is_stateful = True
    is_foldable = False

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


class Copy(_Passing):
    """Its input, for a debugger."""

    attrs = "T: type, tensor_name: string = '', debug_ops_spec: list(string) = []"
    allows_uninitialized_input = True


class DeepCopy(_Passing):
    """A copy of its input in memory of its own."""

    inputs = "x: T"
    outputs = "y: T"
    is_stateful = True
    is_foldable = False

    @staticmethod
    def run(xp: Any, value: Array) -> Array:
        return as_array(xp, value).copy()


class IdentityN(OpType):
    """Its inputs, of any types."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: list(type) >= 1"
    samples = (sample(["float[2,3]", "int32[2]"]), sample(["float[2]"]))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [tensor.shape for tensor in op._inputs]

    @staticmethod
    def run(xp: Any, values: list[Array]) -> list[Array]:
        return values

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor]:
        return list(grads)


class EnsureShape(OpType):
    """Its input, if it has the shape that is wanted."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "shape: shape, T: type"
    samples = (sample("float[2,3]", shape=[None, 3]), sample("int32[2]", shape=[None]))
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.merge_with(op.attr("shape"))]

    @staticmethod
    def run(xp: Any, value: Array, *, shape: TensorShape) -> Array:
        if not shape.is_compatible_with(np.shape(value)):
            raise InvalidArgumentError(f"Shape of tensor {shown(np.shape(value))} is not compatible with expected shape {shown(shape.as_list())}")
        return value

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


class Bitcast(OpType):
    """The same bytes as elements of another type; sizes that differ take or make a last dimension."""

    inputs = "input: T"
    outputs = "output: type"
    attrs = (
        "T: {bfloat16, half, float, double, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, complex128, qint8, quint8, qint16, "
        "quint16, qint32}, type: {bfloat16, half, float, double, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, complex128, "
        "qint8, quint8, qint16, quint16, qint32}"
    )
    samples = (
        sample("float[2,3]", type="int32"),
        sample("int32[2]", type="uint8"),
        sample("uint8[3,4]", type="int32"),
        sample("int16[]", type="int8"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes = op._inputs[0].shape.sizes
        if sizes is None:
            return [unknown_shape()]
        before, after = op._inputs[0].dtype.size_bytes, op.attr("type").size_bytes
        if before == after:
            return [TensorShape(sizes)]
        if before > after:
            return [TensorShape([*sizes, before // after])]
        if not sizes or sizes[-1] not in (None, after // before):
            raise ValueError(f"Cannot bitcast due to shape. {sizes[-1] if sizes else 'A scalar'} is not evenly divisible by {after // before}.")
        return [TensorShape(sizes[:-1])]

    @staticmethod
    def run(xp: Any, value: Array, *, type: DType) -> Array:  # TensorFlow's attribute
        array = xp.ascontiguousarray(value).reshape(np.shape(value))
        assert type.numpy is not None
        before, after = array.dtype.itemsize, type.numpy.itemsize
        if before == after:
            return array.view(type.numpy)
        if before > after:
            return array.reshape(*array.shape, 1).view(type.numpy)
        if not array.ndim or array.shape[-1] * before != after:
            raise InvalidArgumentError(f"Cannot bitcast from {array.dtype} of shape {shown(array.shape)} to {type.name}")
        return array.view(type.numpy)[..., 0]


def identity(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The same value, of another node (`tf.identity`); of `IndexedSlices` or a `SparseTensor`, one for each part."""
    if isinstance(input, (IndexedSlices, SparseTensor)):
        return nest.map_structure(identity, input, expand_composites=True)  # type: ignore[no-any-return]
    return apply("Identity", input, name=name)


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:  # TensorFlow's name
    """The same values, of one other node (`tf.identity_n`)."""
    return list(apply_op("IdentityN", input, name=name).outputs)


def stop_gradient(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The same value, which no gradient passes (`tf.stop_gradient`); of `IndexedSlices` or a `SparseTensor`, one for each part."""
    if isinstance(input, (IndexedSlices, SparseTensor)):
        return nest.map_structure(stop_gradient, input, expand_composites=True)  # type: ignore[no-any-return]
    return apply("StopGradient", input, name=name)


def guarantee_const(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The same value, of which the caller says that it never changes (`tf.guarantee_const`)."""
    return apply("GuaranteeConst", input, name=name)


def ensure_shape(x: Any, shape: ShapeLike, name: str | None = None) -> Tensor:
    """The same value, if it has this shape when it is run (`tf.ensure_shape`).

    Raises:
        ValueError: its shape is known to be another one.
    """
    return apply("EnsureShape", x, shape=as_shape(shape), name=name)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:  # TensorFlow's names
    """The same bytes as elements of another type (`tf.bitcast`)."""
    return apply("Bitcast", input, type=as_dtype(type), name=name)
