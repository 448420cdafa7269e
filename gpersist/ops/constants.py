"""Constants and placeholders."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import (
    Context,
    Operation,
    OpType,
    SessionOpType,
    Tensor,
    apply,
    as_array,
    encode_filled,
    make_ndarray,
    register_tensor_conversion_function,
    sample,
)
from gpersist.shapes import Dimension, ShapeLike, TensorShape, as_shape, unknown_shape

__all__ = ["constant", "placeholder", "placeholder_with_default"]

_MAX_PROTO_BYTES = 2**31 - 1

_LAST_WITHOUT_SCALARS = 21
"""The version of graphs up to which a placeholder's shape of no dimensions says that it is not known."""


class Const(OpType):
    """A value that is part of the graph."""

    outputs = "output: dtype"
    attrs = "value: tensor, dtype: type"
    is_static = True
    samples = (sample(value=[[1.0, 2.0], [3.0, 4.0]], dtype="float32"), sample(value=np.int64(3), dtype="int64"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value = op.attr("value")
        if isinstance(value, np.ndarray):
            return [TensorShape(value.shape)]
        shape = TensorShape(value.tensor_shape)
        if shape.rank is not None and not shape.is_fully_defined():
            raise ValueError(f"Shape [{','.join('?' if size is None else str(size) for size in shape.as_list())}] is not fully defined")
        if (shape.num_elements() or 0) >= 1 << 63:
            raise ValueError(f"Shape [{','.join(map(str, shape.as_list()))}] is too large (more than 2**63 - 1 entries)")
        return [shape]

    @staticmethod
    def run(xp: Any, *, value: Any, dtype: DType) -> Any:
        array = value if isinstance(value, np.ndarray) else make_ndarray(value)
        if array.dtype != dtype.numpy:
            raise InvalidArgumentError(f"Type mismatch between value ({array.dtype}) and dtype ({dtype.name})")
        return xp.asarray(array) if array.ndim else array[()]

    @classmethod
    def constant(cls, op: Operation, fold: Any) -> np.ndarray[Any, Any] | None:
        value = op.attr("value")
        return value if isinstance(value, np.ndarray) else make_ndarray(value)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return []


class HostConst(Const):
    """The same, kept on the host whatever the node's device."""

    host_outputs = ("output",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]  # TensorFlow's has no shape function


class Placeholder(SessionOpType):
    """A value that a caller feeds."""

    outputs = "output: dtype"
    attrs = "dtype: type, shape: shape = ?"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op.attr("shape")
        return [unknown_shape() if shape.rank == 0 and op.graph._shape_version <= _LAST_WITHOUT_SCALARS else shape]

    @staticmethod
    def run(ctx: Context) -> Any:
        shape, dtype = ctx.op.attr("shape"), ctx.op.attr("dtype")
        known = "" if shape.rank in (None, 0) else f" and shape [{','.join('?' if size is None else str(size) for size in shape.sizes)}]"
        name = protos.DataType.Name(dtype.enum).removeprefix("DT_").lower()
        raise InvalidArgumentError(f"You must feed a value for placeholder tensor '{ctx.op.name}' with dtype {name}{known}")

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return []


class PlaceholderV2(Placeholder):
    """The same, of graphs of 2016: a shape of no dimensions is one."""

    attrs = "dtype: type, shape: shape"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op.attr("shape")]


class PlaceholderWithDefault(OpType):
    """A value that a caller may feed; else its input."""

    inputs = "input: dtype"
    outputs = "output: dtype"
    attrs = "dtype: type, shape: shape"
    samples = (sample("float[2,3]", shape=[None, 3]),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.merge_with(op.attr("shape"))  # both have to be true of the default
        return [op.attr("shape")]

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        return value

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


def constant(value: Any, dtype: Any = None, shape: ShapeLike = None, name: str = "Const", verify_shape: bool = False) -> Tensor:
    """A tensor of a value that is known now (`tf.constant`).

    Args:
        value: a scalar, nested lists or an array, which is copied.
        dtype: element type; by default the value's: float32 for Python's floats, int32 for its ints.
        shape: of the tensor; a scalar fills it, and of fewer values the last one is repeated.
        name: of the node.
        verify_shape: whether the value's own shape has to be `shape`.

    Raises:
        TypeError: the value is not of the type, or is a tensor.
        ValueError: None, more values than elements, or more than 2 GB.
    """
    if isinstance(value, Tensor):
        raise TypeError("Expected any non-tensor type, but got a tensor instead.")
    if isinstance(shape, int):
        raise TypeError("'int' object is not iterable")
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    proto: Any = value
    if not isinstance(value, protos.TensorProto):
        proto = _shaped(as_array(value, wanted), value, shape, verify_shape)
    size_bytes = proto.nbytes if isinstance(proto, np.ndarray) and any(proto.strides) else 0
    if size_bytes > _MAX_PROTO_BYTES:
        raise ValueError(
            f"Cannot create a tensor proto whose content is larger than 2GB: {name!r} has {size_bytes} bytes. Make it a variable, or feed it."
        )
    return apply("Const", name=name, value=proto, dtype=wanted or (proto.dtype if proto is value else _dtype_of(proto)))


def placeholder(dtype: Any, shape: ShapeLike = None, name: str | None = None) -> Tensor:
    """A tensor whose value each run is fed (`tf.placeholder`)."""
    return apply("Placeholder", dtype=as_dtype(dtype).base_dtype, shape=as_shape(shape), name=name)


def placeholder_with_default(input: Any, shape: ShapeLike, name: str | None = None) -> Tensor:  # TensorFlow's name
    """A tensor whose value a run may be fed, and else is that of `input` (`tf.placeholder_with_default`)."""
    return apply("PlaceholderWithDefault", input, shape=as_shape(shape), name=name)


def _shaped(array: np.ndarray[Any, Any], value: Any, shape: ShapeLike, verify_shape: bool) -> Any:
    """The value as a node keeps it: an array that nobody writes to, or a message where the values are fewer than the elements."""
    if shape is None:
        return _kept(array, value)
    wanted = as_shape(shape)
    if verify_shape and wanted.sizes != array.shape:
        raise TypeError(f"Expected Tensor's shape: {wanted}, but got {array.shape}.")
    count = wanted.num_elements()
    if count == array.size and count is not None:
        return _kept(array.reshape(wanted.as_list()), value)
    if array.size == 1 and count is not None:
        return np.broadcast_to(array.reshape(()), tuple(size or 0 for size in wanted.as_list()))
    return encode_filled(array, tuple(wanted.as_list()))


def _kept(array: np.ndarray[Any, Any], value: Any) -> np.ndarray[Any, Any]:
    if np.may_share_memory(array, value) if isinstance(value, np.ndarray) else hasattr(value, "__array__"):
        array = array.copy()
    array.flags.writeable = False
    return array


def _dtype_of(value: Any) -> Any:
    return as_dtype(value.dtype) if isinstance(value, protos.TensorProto) else as_dtype(np.dtype(value.dtype)) if value.dtype != object else "string"


def _constant_of(value: Any, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    return constant(value, dtype, name=name or "Const")


def _shape_constant(value: TensorShape, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    if not value.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape {value} to a Tensor.")
    if dtype is not None and as_dtype(dtype).name not in ("int32", "int64"):
        raise TypeError(f"Cannot convert TensorShape {value} to dtype {as_dtype(dtype)}. Allowed dtypes are tf.int32 and tf.int64.")
    sizes = value.as_list()
    return constant(sizes, dtype or ("int64" if any((size or 0) >= 2**31 for size in sizes) else "int32"), name=name or "shape_as_tensor")


def _dimension_constant(value: Dimension, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    if value.value is None:
        raise ValueError(f"Cannot convert unknown Dimension {value} to a Tensor.")
    return constant(value.value, dtype or "int32", name=name or "shape_as_tensor")


register_tensor_conversion_function(object, _constant_of, 200)
register_tensor_conversion_function(TensorShape, _shape_constant, 100)
register_tensor_conversion_function(Dimension, _dimension_constant, 100)
