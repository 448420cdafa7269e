"""The same numbers in another type."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype, bfloat16, float16, float32
from gpersist.errors import UnimplementedError
from gpersist.graph import Operand, Operation, OpType, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.sparse_tensor import SparseTensor

__all__ = ["cast", "to_bfloat16", "to_complex64", "to_complex128", "to_double", "to_float", "to_int32", "to_int64"]


class Cast(OpType):
    """The same numbers in another type; ints have no fraction of a float, reals no imaginary part."""

    inputs = "x: SrcT"
    outputs = "y: DstT"
    attrs = "SrcT: type, DstT: type, Truncate: bool = false"
    samples = (
        sample("float[2,3]", DstT="int32"),
        sample("int32[3]", DstT="double"),
        sample("bool[2]", DstT="float"),
        sample("float[3]", DstT="bool"),
        sample("double[3]", DstT="float", has_gradient=False),
        sample("complex64[3]", DstT="float", has_gradient=False),
        sample("float[3]", DstT="half", Truncate=True, has_gradient=False),
        sample("float[]", DstT="int64"),
        sample("float[0]", DstT="int64"),
    )
    is_foldable = True
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, x: Array, *, DstT: DType, Truncate: bool) -> Array:  # noqa: N803  # TensorFlow's attributes
        if DstT.numpy is None or DstT.is_string or isinstance(x, bytes) or x.dtype == object:
            raise UnimplementedError(f"Cast {'string' if isinstance(x, bytes) else x.dtype} to {DstT.name} is not supported")
        if x.dtype.kind == "c" and not DstT.is_complex:
            x = x.real
        if Truncate and x.dtype in _BITS and DstT.is_floating:
            x = _truncated(xp, x, DstT)
        return x.astype(DstT.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        source = op.inputs[0].dtype.base_dtype
        return [cast(grad, source) if all(dtype.is_floating or dtype.is_complex for dtype in (source, grad.dtype)) else None]


_BITS: dict[Any, tuple[Any, int]] = {np.dtype(np.float32): (np.uint32, 23), np.dtype(np.float64): (np.uint64, 52)}
_FRACTION_BITS = {float16: 10, bfloat16: 7, float32: 23}


def _truncated(xp: Any, x: Array, wanted: DType) -> Array:
    """Floats without the bits of their fraction that a smaller type has no room for."""
    bits, fraction = _BITS[x.dtype]
    dropped = max(fraction - _FRACTION_BITS.get(wanted, fraction), 0)
    array = xp.ascontiguousarray(x)
    return (array.view(bits) & bits(np.iinfo(bits).max << dropped & np.iinfo(bits).max)).view(x.dtype).reshape(np.shape(x))


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """The same numbers in another type (`tf.cast`), of a `SparseTensor` or of `IndexedSlices`, too; what is of it already, as it is.

    Raises:
        TypeError: `dtype` is no type.
    """
    wanted = as_dtype(dtype).base_dtype
    if isinstance(x, Operand) and getattr(x, "dtype", None) is wanted:
        return x  # type: ignore[return-value]  # a resource variable, too, as in TensorFlow
    if isinstance(x, SparseTensor):
        with name_scope(name, "Cast", [x]) as scope:
            return x if x.dtype is wanted else x.with_values(cast(x.values, wanted, scope))  # type: ignore[return-value]
    if isinstance(x, IndexedSlices):
        with name_scope(name, "Cast", [x]) as scope:
            return IndexedSlices(cast(x.values, wanted, scope), x.indices, x.dense_shape)  # type: ignore[return-value]
    with name_scope(name, "Cast", [x]) as scope:
        tensor = convert_to_tensor(x, name="x")
        if tensor.dtype.is_complex and wanted.is_floating:
            warnings.warn(
                f"You are casting an input of type {tensor.dtype.name} to an incompatible dtype {wanted.name}. "
                "This will discard the imaginary part and may not be what you intended.",
                stacklevel=2,
            )
        return tensor if tensor.dtype is wanted else apply("Cast", tensor, DstT=wanted, name=scope)


def to_float(x: Any, name: str = "ToFloat") -> Tensor:
    """As float32 (`tf.to_float`)."""
    return cast(x, "float32", name)


def to_double(x: Any, name: str = "ToDouble") -> Tensor:
    """As float64 (`tf.to_double`)."""
    return cast(x, "float64", name)


def to_int32(x: Any, name: str = "ToInt32") -> Tensor:
    """As int32 (`tf.to_int32`)."""
    return cast(x, "int32", name)


def to_int64(x: Any, name: str = "ToInt64") -> Tensor:
    """As int64 (`tf.to_int64`)."""
    return cast(x, "int64", name)


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Tensor:
    """As bfloat16 (`tf.to_bfloat16`)."""
    return cast(x, "bfloat16", name)


def to_complex64(x: Any, name: str = "ToComplex64") -> Tensor:
    """As complex64 (`tf.to_complex64`)."""
    return cast(x, "complex64", name)


def to_complex128(x: Any, name: str = "ToComplex128") -> Tensor:
    """As complex128 (`tf.to_complex128`)."""
    return cast(x, "complex128", name)
