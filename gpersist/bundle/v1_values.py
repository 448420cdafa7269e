"""The values of a V1 checkpoint's tables: one slice's elements in the typed fields of a TensorProto, with no dtype and no shape beside them.

    value       := field(2, saved_slice)                                       SavedTensorSlices.data
    saved_slice := field(1, name) field(2, slice) field(3, tensor)             SavedSlice
    tensor      := field(number of the dtype, element*) | field(8, string)*    TensorProto; packed, or nothing where there are no elements
    field(n, x) := varint(8 * n + 2) varint(size of x) x

    element     := little-endian bytes     float32: 5, float64: 6, complex64: 9, complex128: 12 (real part, imaginary part)
                 | varint64                int64: 10, bool: 11, uint32: 16, uint64: 17; the other integers, sign-extended: 7; float16, its bits: 13

The bytes are read and written as such, not through protobuf's objects: NaNs keep their bits, and a gigabyte takes no Python number an element.
Source: TensorFlow `tensor_slice_writer.h`, `saved_tensor_slice_util.h`, `tensor.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpersist.bundle.slices import TensorSlice
from gpersist.dtypes import DType
from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.table import decode_varint64, encode_varint

MAX_VALUE_BYTES = 2**31
"""TensorFlow's limit for one slice, held against an estimate of its size (`TensorSliceWriter::SaveData`)."""

_DATA, _NAME, _SLICE, _TENSOR = 2, 1, 2, 3
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_BLOCK = 2**15  # elements coded at once: temporaries stay small


class _Field(NamedTuple):
    number: int
    fixed: bool  # whether elements are stored as they are in memory, and not as varints
    max_bytes: int  # of an element, in TensorFlow's estimate; 0 where it reads the dtype and does not write it


_INTEGER = {"int32": 10, "uint8": 2, "int16": 10, "int8": 10, "qint8": 10, "quint8": 2, "qint32": 10, "uint16": 3}
_FIELDS: dict[str, _Field] = {
    "float32": _Field(5, True, 4),
    "float64": _Field(6, True, 8),
    **{name: _Field(7, False, max_bytes) for name, max_bytes in _INTEGER.items()},
    "string": _Field(8, False, 10),
    "complex64": _Field(9, True, 8),
    "int64": _Field(10, False, 10),
    "bool": _Field(11, False, 1),
    "complex128": _Field(12, True, 16),
    "float16": _Field(13, False, 3),
    "uint32": _Field(16, False, 0),
    "uint64": _Field(17, False, 0),
}


def check_writes(dtype: DType, what: str) -> None:
    """Raises UnimplementedError for a dtype that TensorFlow does not write to V1 files."""
    writes = [name for name, field in _FIELDS.items() if field.max_bytes]
    if dtype.name not in writes:
        raise UnimplementedError(f"{what}: a V1 checkpoint cannot hold {dtype.name}, only {', '.join(writes)}; save it in the V2 format")


def check_size(name: str, part: TensorSlice, dtype: DType, count: int, string_bytes: int, what: str) -> None:
    """Holds a slice of `count` elements, with `string_bytes` in its strings, against TensorFlow's limit.

    Raises:
        InvalidArgumentError: it may take more than 2 GiB.
    """
    header = len(_field(_NAME, name.encode())) + len(_field(_SLICE, part.to_proto().SerializeToString())) + 1024
    estimate = header + _FIELDS[dtype.name].max_bytes * count + string_bytes
    if estimate > MAX_VALUE_BYTES:
        raise InvalidArgumentError(
            f"{what}: a V1 checkpoint holds at most {MAX_VALUE_BYTES} bytes a slice, and {count} elements of {dtype.name} may take {estimate}; "
            "save it in the V2 format, or in several slices"
        )


def encode_value(name: str, part: TensorSlice, dtype: DType, elements: NDArray[Any] | list[bytes]) -> bytes:
    """The table's value for one slice.

    Args:
        name: the tensor's.
        part: the slice.
        dtype: one that passes `check_writes`.
        elements: an array of that dtype with the slice's elements; for strings, the list of them in row-major order.
    """
    number = _FIELDS[dtype.name].number
    if isinstance(elements, list):
        tensor: list[bytes | memoryview] = [piece for element in elements for piece in (_head(number, len(element)), element)]
    else:
        packed = _pack(elements, dtype)
        tensor = [_head(number, len(packed)), packed] if len(packed) else []
    slice_proto = part.to_proto().SerializeToString(deterministic=True)
    size = sum(map(len, tensor))
    head = _field(_NAME, name.encode()) + _field(_SLICE, slice_proto) + _head(_TENSOR, size)
    return b"".join([_head(_DATA, len(head) + size), head, *tensor])


def decode_value(value: bytes, dtype: DType, count: int, where: str) -> NDArray[Any]:
    """The elements of one slice.

    Args:
        value: the table's value.
        dtype: the tensor's, from the checkpoint's metadata.
        count: how many elements the slice has.
        where: file and tensor, for messages.

    Returns:
        A writable array of one dimension; strings as bytes in an array of dtype object.

    Raises:
        DataLossError: not such a value, elements are missing or too many, or one does not fit the dtype.
        UnimplementedError: V1 files hold no such dtype.
    """
    if dtype.name not in _FIELDS:
        raise UnimplementedError(f"{where}: TensorFlow's V1 checkpoints hold no {dtype.name}")
    field = _FIELDS[dtype.name]
    payload, strings = bytearray(), []
    for saved_slice in _fields(memoryview(value), _DATA, where):
        for tensor in _fields(saved_slice, _TENSOR, where):
            for chunk in _fields(tensor, field.number, where):  # one, from TensorFlow; packed or not, and in any number of chunks, for protobuf
                if dtype.is_string:
                    strings.append(bytes(chunk))
                else:
                    payload += chunk
    if dtype.is_string:
        _check_count(len(strings), count, where)
        array = np.empty(count, object)
        array[:] = strings
        return array
    if field.fixed:
        _check_count(len(payload) / dtype.size_bytes, count, where)
        return np.frombuffer(payload, dtype.numpy)
    return _unpack(np.frombuffer(payload, np.uint8), dtype, count, where)


def _head(number: int, size: int) -> bytes:
    return encode_varint(8 * number + _BYTES) + encode_varint(size)


def _field(number: int, content: bytes) -> bytes:
    return _head(number, len(content)) + content


def _fields(message: memoryview, wanted: int, where: str) -> Iterator[memoryview]:
    """The contents of a message's fields of one number; of a varint, its bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = decode_varint64(message, at, end, where)
        number, wire_type = tag >> 3, tag & 7
        start = at
        if wire_type == _VARINT:
            _, at = decode_varint64(message, at, end, where)
        elif wire_type == _BYTES:
            size, start = decode_varint64(message, at, end, where)
            at = start + size
        elif wire_type in (_FIXED32, _FIXED64):
            at += 4 if wire_type == _FIXED32 else 8
        else:
            raise DataLossError(f"{where}: field {number} has wire type {wire_type}; expected 0, 1, 2 or 5: the file is damaged")
        if at > end:
            raise DataLossError(f"{where}: field {number} needs {at - start} bytes, found {end - start}: the file is damaged")
        if number == wanted:
            yield message[start:at]


def _pack(array: NDArray[Any], dtype: DType) -> bytes | memoryview:
    flat = np.ascontiguousarray(array.ravel(), _in_memory(dtype))
    if _FIELDS[dtype.name].fixed:
        return flat.view(np.uint8).data
    integers = flat.view(_integer_dtype(dtype))
    return b"".join(_encode_varints(integers[at : at + _BLOCK].astype(np.int64).view(np.uint64)) for at in range(0, len(flat), _BLOCK))


def _unpack(payload: NDArray[np.uint8], dtype: DType, count: int, where: str) -> NDArray[Any]:
    _check_count(int(np.count_nonzero(payload < 0x80)), count, where)
    integers = np.empty(count, _integer_dtype(dtype))
    done = at = 0
    while at < len(payload):
        numbers, used = _decode_varints(payload[at : at + _BLOCK], np.dtype(np.uint64 if dtype.name == "uint64" else np.int64))
        if not used:
            raise DataLossError(f"{where}: varint at byte {at} of its elements does not end within 10 bytes; the file is damaged")
        block = integers[done : done + len(numbers)]
        block[:] = numbers != 0 if dtype.name == "bool" else numbers
        if dtype.name != "bool" and (block != numbers).any():
            wrong = int(numbers[block != numbers][0])
            raise DataLossError(f"{where}: {wrong} is no {dtype.name}; the file is damaged")
        done, at = done + len(numbers), at + used
    whole: NDArray[Any] = integers.view(_in_memory(dtype))
    return whole


def _integer_dtype(dtype: DType) -> np.dtype[Any]:
    """The integers that stand for elements: float16's bits, a quantised type's only field."""
    numpy = _in_memory(dtype)
    if dtype.name == "float16":
        return np.dtype(np.uint16)
    return numpy if numpy.names is None else numpy[0]


def _in_memory(dtype: DType) -> np.dtype[Any]:
    assert dtype.numpy is not None  # of all dtypes in _FIELDS
    return dtype.numpy


def _encode_varints(numbers: NDArray[np.uint64]) -> bytes:
    rest = numbers[:, None] >> np.arange(0, 70, 7, dtype=np.uint64)  # ten groups
    present = rest != 0
    present[:, 0] = True
    groups = (rest & np.uint64(0x7F)).astype(np.uint8)
    groups[:, :-1] |= present[:, 1:].astype(np.uint8) << np.uint8(7)
    content: bytes = groups[present].tobytes()
    return content


def _decode_varints(block: NDArray[np.uint8], dtype: np.dtype[Any]) -> tuple[NDArray[Any], int]:
    """The varints that end within a block, as 64-bit integers, and the bytes that they take: 0 if one is longer than 10 bytes, or none ends."""
    ends = np.flatnonzero(block < 0x80)
    if not len(ends):
        return np.empty(0, dtype), 0
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 10:
        return np.empty(0, dtype), 0
    numbers = np.zeros(len(ends), np.uint64)
    for group in range(int(lengths.max())):
        longer = lengths > group
        numbers[longer] |= (block[starts[longer] + group] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * group)
    return numbers.view(dtype), int(ends[-1]) + 1


def _check_count(found: float, expected: int, where: str) -> None:
    if found != expected:
        raise DataLossError(f"{where}: expected {expected} elements, found {found:g}; the file is damaged")
