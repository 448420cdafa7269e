"""Values and `TensorProto`: what a Const node holds, written as TensorFlow writes it.

    one element, or a shape filled with one   -> the typed field, once        (`float_val: 0.1`, shape [32])
    strings, bools, complex, float8           -> the typed field, each element
    other numbers, more than one              -> `tensor_content`, little-endian bytes
    fewer values than elements, on reading    -> the last one is repeated; none at all: zeros

(`make_tensor_proto` and `MakeNdarray` of `tensorflow/python/framework/tensor_util.py`.)
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from gpersist import protos
from gpersist.dtypes import STRING, DType, as_dtype, from_enum, from_numpy, int32
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.shapes import ShapeLike, TensorShape, as_shape, element_count

NdArray = np.ndarray[Any, Any]

_FIELDS = {
    **dict.fromkeys((3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 29, 30, 31, 32), "int_val"),
    **dict.fromkeys((24, 25, 26, 27, 28, 33), "float8_val"),
    **dict.fromkeys((14, 19), "half_val"),
    **dict(zip((1, 2, 7, 8), ("float_val", "double_val", "string_val", "scomplex_val"), strict=True)),
    **dict(zip((9, 10, 18, 22, 23), ("int64_val", "bool_val", "dcomplex_val", "uint32_val", "uint64_val"), strict=True)),
}
_IN_CONTENT = frozenset({1, 2, 3, 4, 5, 6, 9, 14, 17, 19, 22, 23, 11, 12, 13, 15, 16})
_BITS: dict[int, Any] = {14: np.dtype("<u2"), 19: np.dtype("<u2"), **dict.fromkeys((24, 25, 26, 27, 28, 33), np.dtype("u1"))}
_KINDS = {"b": (bool, np.bool_), "i": (int, np.integer), "f": (int, float, np.integer, np.floating), "c": (complex, float, int, np.number)}


def make_tensor_proto(values: Any, dtype: Any = None, shape: ShapeLike = None, verify_shape: bool = False) -> protos.TensorProto:
    """Makes the message of a value (`tf.make_tensor_proto`).

    Args:
        values: a scalar, nested lists, or an array; a TensorProto is given back as it is.
        dtype: element type; by default the values' own, Python's floats being float32 and its ints int32, or int64 if they need it.
        shape: of the tensor; values that are fewer than its elements are stored as they are, and the last one repeats.
        verify_shape: whether the values' own shape has to be `shape`.

    Raises:
        TypeError: a value is not of the type, or has another shape than wanted.
        ValueError: None, ragged lists, or more values than elements.
    """
    if isinstance(values, protos.TensorProto):
        return values
    array = as_array(values, dtype)
    if shape is None:
        return encode(array)
    wanted = tuple(as_shape(shape).as_list())
    if verify_shape and wanted != array.shape:
        raise TypeError(f"Expected Tensor's shape: {wanted}, but got {array.shape}.")
    return encode_filled(array, wanted)


def encode_filled(array: NdArray, shape: tuple[int | None, ...]) -> protos.TensorProto:
    """The message of a tensor of this shape whose first values are an array's, and the rest the last of them.

    Raises:
        ValueError: more values than elements, or a dimension is not known.
    """
    count = element_count(_known(shape))
    if array.size == count:
        return encode(array.reshape(_known(shape)))
    if array.size > count:
        raise ValueError(f"Too many elements provided. Takes at most {count:d}, but got {array.size:d}.")
    proto = _header(from_numpy(array.dtype), _known(shape))
    _put_values(proto, array.reshape(-1))
    return proto


def encode(array: NdArray) -> protos.TensorProto:
    """The message of an array. One whose strides are all zero (`np.broadcast_to` of a scalar) is stored as one value."""
    dtype = from_numpy(array.dtype)
    proto = _header(dtype, array.shape)
    if array.size > 1 and not any(array.strides):
        _put_values(proto, array.reshape(-1)[:1])
    elif array.size > 1 and dtype.enum in _IN_CONTENT:
        proto.tensor_content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    else:
        _put_values(proto, array.reshape(-1))
    return proto


def make_ndarray(tensor: protos.TensorProto) -> NdArray:
    """The array of a message (`tf.make_ndarray`); read-only where it shares the message's bytes.

    Raises:
        TypeError: its type is one that no array can hold, or is not known.
        InvalidArgumentError: a shape that overflows, more values than elements, or content of another length.
    """
    dtype = from_enum(tensor.dtype, "TensorProto")
    if dtype.numpy is None:
        raise TypeError(f"Unsupported tensor type: {dtype.enum}. See https://www.tensorflow.org/api_docs/python/tf/dtypes")
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    count = element_count(shape, "TensorProto of shape")
    if tensor.tensor_content and not dtype.is_string:
        if len(tensor.tensor_content) != count * dtype.size_bytes:
            raise InvalidArgumentError(
                f"TensorProto of {dtype.name} and shape {list(shape)}: expected tensor_content of {count * dtype.size_bytes} bytes, "
                f"found {len(tensor.tensor_content)}"
            )
        return np.frombuffer(tensor.tensor_content, dtype.numpy).reshape(shape)
    values = _get_values(tensor, dtype)
    if len(values) == count:
        return values.reshape(shape)
    if len(values) > count:
        raise InvalidArgumentError(f"TensorProto of {dtype.name} and shape {list(shape)}: {len(values)} values for {count} elements")
    last = values[-1] if len(values) else b"" if dtype.is_string else np.zeros((), dtype.numpy)[()]
    if len(values) <= 1:
        filled = np.empty((), dtype.numpy)
        filled[()] = last
        return np.broadcast_to(filled, shape)  # takes no memory, however large the shape
    result = np.full(count, last, dtype.numpy)
    result[: len(values)] = values
    return result.reshape(shape)


@np.errstate(over="ignore", invalid="ignore")  # what is too large for the type is infinite in it
def as_array(values: Any, dtype: Any = None) -> NdArray:
    """A value as the array of a constant; Python's numbers are converted as strictly as TensorFlow does.

    Raises:
        TypeError: a value is not of the type, or of no type that a tensor can have.
        ValueError: None, or ragged lists.
    """
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    if wanted is not None and wanted.numpy is None:
        raise TypeError(f"Expected a value that a constant can hold, but {wanted.name} is a type of handles.")
    if isinstance(values, (np.ndarray, np.generic)):
        return _of_numpy(np.asarray(values), values, wanted)
    if values is None:
        raise ValueError("None values not supported.")
    if hasattr(values, "__array__") and not isinstance(values, (list, tuple)):
        return _of_numpy(np.asarray(values), values, wanted)
    if wanted is not None and wanted.is_quantized:
        _check_quantized(values, wanted)
        return np.array(values, wanted.numpy)
    if wanted is not None and wanted is not STRING:
        _check_kinds(values, wanted)
    if wanted is STRING:
        _check_kinds(values, wanted)
        return _of_strings(values)
    if wanted is not None and wanted.numpy is not None and type(values) in (int, float, bool):
        return np.array(values).astype(wanted.numpy)  # wraps as C does: -1 is 255 as uint8
    try:
        found = np.array(values)
    except NotImplementedError:  # a tensor among them
        raise TypeError("Expected any non-tensor type, but got a tensor instead.") from None
    except OverflowError:
        raise _not_convertible(values) from None
    if found.dtype.kind in "SU":
        return _of_strings(values)
    if found.dtype.kind == "O":
        if any(isinstance(item, (str, bytes)) for item in found.flat) and all(isinstance(item, (str, bytes)) for item in found.flat):
            return _of_strings(values)
        raise _not_convertible(values)
    _check_dense(found, values)
    if wanted is not None and wanted.numpy is not None:
        return found.astype(wanted.numpy)
    if found.dtype == np.float64:
        return found.astype(np.float32)
    if found.dtype == np.int64 and (not found.size or _fits(found, int32)):
        return found.astype(np.int32)
    return found


def _of_numpy(array: NdArray, values: Any, wanted: DType | None) -> NdArray:
    if array.dtype.kind in "SUOT":
        if wanted not in (None, STRING):
            raise TypeError(f"Expected {wanted.name}, but got {values!r} of type '{type(values).__name__}'.")
        return _of_strings(array)
    if wanted is STRING:
        raise TypeError(f"Expected string, but got {values!r} of type '{type(values).__name__}'.")
    try:
        found = from_numpy(array.dtype)
    except UnimplementedError:
        raise TypeError(f"Cannot convert the argument `type_value`: {array.dtype!r} to a TensorFlow DType.") from None
    target = found.numpy if wanted is None else wanted.numpy
    return array if array.dtype == target else array.astype(target)


def _of_strings(values: Any) -> NdArray:
    found = np.array(values, dtype=object)
    _check_dense(found, values)
    flat = [item.encode("utf-8") if isinstance(item, str) else item for item in found.reshape(-1)]
    other = next((item for item in flat if not isinstance(item, bytes)), None)
    if other is not None or None in flat:
        raise TypeError(f"Expected binary or unicode string, got {other}") if isinstance(values, np.ndarray) else _not_convertible(values)
    result = np.empty(found.shape, object)
    result.reshape(-1)[:] = flat if flat else None
    return result


def _check_kinds(values: Any, wanted: DType) -> None:
    """Holds that each leaf of nested lists may become an element of the type: no float becomes an int, no text a number."""
    kind = "S" if wanted.is_string else "f" if wanted.is_floating else "c" if wanted.is_complex else "b" if wanted.is_bool else "i"
    kinds: tuple[type, ...] = (str, bytes) if kind == "S" else _KINDS[kind]

    def check(value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for item in value:
                check(item)
        elif isinstance(value, np.ndarray):
            _of_numpy(value, value, wanted)
        elif value is None:
            raise _not_convertible(values) if isinstance(values, (list, tuple)) else ValueError("None values not supported.")
        elif not isinstance(value, (*kinds, ml_dtypes.bfloat16)) and not (hasattr(value, "__index__") and kind in "ifc"):
            raise TypeError(f"Expected {wanted.name}, but got {value} of type '{type(value).__name__}'.")

    check(values)


def _check_quantized(values: Any, wanted: DType) -> None:
    """Holds that leaves are tuples of whole numbers."""
    if isinstance(values, tuple):
        _check_kinds(list(values), int32)
    elif isinstance(values, list):
        for item in values:
            _check_quantized(item, wanted)
    else:
        raise TypeError(f"Expected {wanted.name}, but got {values} of type '{type(values).__name__}'.")


def _check_dense(array: NdArray, values: Any) -> None:
    """Holds that the dimensions come from lists, not from arrays in them, which TensorFlow does not look into."""
    wanted, inner = [], values
    while isinstance(inner, (list, tuple)):
        wanted.append(len(inner))
        inner = inner[0] if inner else None
    if isinstance(values, (list, range, tuple)) and wanted != list(array.shape):
        raise ValueError(f"Expected values {values} to be a dense tensor with shape {wanted}, but got shape {list(array.shape)}.")


def _not_convertible(values: Any) -> TypeError:
    shown = repr(values) if isinstance(values, np.ndarray) else values
    return TypeError(
        f"Failed to convert elements of {shown} to Tensor. Consider casting elements to a supported type. "
        "See https://www.tensorflow.org/api_docs/python/tf/dtypes for supported TF dtypes."
    )


def _fits(array: NdArray, dtype: DType) -> bool:
    return bool(dtype.min <= array.min() and array.max() <= dtype.max)


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    if None in shape:
        raise ValueError(f"Cannot convert a partially known TensorShape {TensorShape(shape)} to a Tensor.")
    return shape  # type: ignore[return-value]  # no None in it


def _header(dtype: DType, shape: tuple[int, ...]) -> protos.TensorProto:
    proto = protos.TensorProto(dtype=dtype.enum)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def _put_values(proto: protos.TensorProto, flat: NdArray) -> None:
    field = _FIELDS[proto.dtype]
    if field == "float8_val":
        proto.float8_val = flat.view(np.uint8).tobytes()
        return
    if field in ("scomplex_val", "dcomplex_val"):
        flat = np.ascontiguousarray(flat).view(flat.real.dtype)  # a single element may have any stride
    elif proto.dtype in _BITS:
        flat = flat.view(_BITS[proto.dtype])
    elif flat.dtype.names:
        flat = flat[flat.dtype.names[0]]
    elif flat.dtype.itemsize == 1 and flat.dtype.kind == "V":  # int4 and its like
        flat = flat.astype(np.int8)
    getattr(proto, field).extend(flat.tolist())


def _get_values(tensor: protos.TensorProto, dtype: DType) -> NdArray:
    numpy: Any = dtype.numpy
    array: NdArray
    if dtype.is_string:
        strings = np.empty(len(tensor.string_val), object)
        strings[:] = list(tensor.string_val)
        return strings
    field = _FIELDS[dtype.enum]
    if field == "float8_val":
        return np.frombuffer(tensor.float8_val, numpy)
    values = getattr(tensor, field)
    if field in ("scomplex_val", "dcomplex_val"):
        return np.array(values, np.float32 if field == "scomplex_val" else np.float64).view(numpy)
    if dtype.enum in _BITS:
        return np.array(values, np.int64).astype(_BITS[dtype.enum]).view(numpy)
    if numpy.names:
        array = np.array(values, numpy[0]).view(numpy)
    elif field == "int_val":
        array = np.array(values, np.int64).astype(numpy)
    else:
        array = np.array(values, numpy)
    return array
