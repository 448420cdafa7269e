"""The element types of TensorFlow's files, and what they are in NumPy.

One table: name, number in `types.proto`, NumPy dtype. Types that NumPy lacks come from ml_dtypes; TensorFlow's quantised types are
structured dtypes of one field, as in TensorFlow's own Python. A sub-byte type (int4, ...) takes one byte an element, in memory and in files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np

from gpersist.errors import InvalidArgumentError, UnimplementedError


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DType:
    """An element type: one object each, compared by identity.

    Attributes:
        name: TensorFlow's name for it (`"float32"`), which is NumPy's too where NumPy has it.
        enum: its number in TensorFlow's `DataType`.
        numpy: the NumPy dtype in memory, little-endian; `object` for strings; None for types that no array can hold (resource, variant).
        size_bytes: bytes of one element in a file; 0 where elements vary in size.
    """

    name: str
    enum: int
    numpy: np.dtype[Any] | None
    size_bytes: int

    @property
    def is_string(self) -> bool:
        """Whether elements are byte strings."""
        return self.enum == STRING_ENUM

    def __repr__(self) -> str:
        return f"gpersist.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return from_enum, (self.enum,)


STRING_ENUM = 7

_NUMBERS: list[tuple[str, int, Any]] = [
    ("float32", 1, np.float32),
    ("float64", 2, np.float64),
    ("int32", 3, np.int32),
    ("uint8", 4, np.uint8),
    ("int16", 5, np.int16),
    ("int8", 6, np.int8),
    ("complex64", 8, np.complex64),
    ("int64", 9, np.int64),
    ("bool", 10, np.bool_),
    ("qint8", 11, [("qint8", np.int8)]),
    ("quint8", 12, [("quint8", np.uint8)]),
    ("qint32", 13, [("qint32", np.int32)]),
    ("bfloat16", 14, ml_dtypes.bfloat16),
    ("qint16", 15, [("qint16", np.int16)]),
    ("quint16", 16, [("quint16", np.uint16)]),
    ("uint16", 17, np.uint16),
    ("complex128", 18, np.complex128),
    ("float16", 19, np.float16),
    ("uint32", 22, np.uint32),
    ("uint64", 23, np.uint64),
    ("float8_e5m2", 24, ml_dtypes.float8_e5m2),
    ("float8_e4m3fn", 25, ml_dtypes.float8_e4m3fn),
    ("float8_e4m3fnuz", 26, ml_dtypes.float8_e4m3fnuz),
    ("float8_e4m3b11fnuz", 27, ml_dtypes.float8_e4m3b11fnuz),
    ("float8_e5m2fnuz", 28, ml_dtypes.float8_e5m2fnuz),
    ("int4", 29, ml_dtypes.int4),
    ("uint4", 30, ml_dtypes.uint4),
    ("int2", 31, ml_dtypes.int2),
    ("uint2", 32, ml_dtypes.uint2),
    ("float4_e2m1fn", 33, ml_dtypes.float4_e2m1fn),
]


def _all() -> Iterator[DType]:
    for name, enum, numpy in _NUMBERS:
        dtype = np.dtype(numpy)
        yield DType(name, enum, dtype, dtype.itemsize)
    yield DType("string", STRING_ENUM, np.dtype(object), 0)
    yield DType("resource", 20, None, 0)
    yield DType("variant", 21, None, 0)


_DTYPES = tuple(_all())
_BY_ENUM = {dtype.enum: dtype for dtype in _DTYPES}
_BY_NAME = {dtype.name: dtype for dtype in _DTYPES} | {"half": _BY_ENUM[19], "float": _BY_ENUM[1], "double": _BY_ENUM[2]}
_BY_NUMPY = {dtype.numpy: dtype for dtype in _DTYPES if dtype.numpy is not None}

STRING = _BY_ENUM[STRING_ENUM]


def all_dtypes() -> tuple[DType, ...]:
    """Every type of TensorFlow's `DataType` that is not a reference."""
    return _DTYPES


def from_enum(enum: int, what: str = "dtype") -> DType:
    """The type of a number in a file; a reference type (number + 100) counts as its base.

    Raises:
        InvalidArgumentError: no such type; `what` says whose it is.
    """
    dtype = _BY_ENUM.get(enum - 100 if enum > 100 else enum)
    if dtype is None:
        raise InvalidArgumentError(f"{what}: {enum} is no DataType that this version of gpersist knows; the file may be of a newer TensorFlow")
    return dtype


def from_name(name: str) -> DType:
    """The type of TensorFlow's or NumPy's name.

    Raises:
        InvalidArgumentError: no such name.
    """
    dtype = _BY_NAME.get(name)
    if dtype is None:
        raise InvalidArgumentError(f"{name!r} is no dtype; known: {', '.join(sorted(_BY_NAME))}")
    return dtype


def from_numpy(dtype: np.dtype[Any], what: str = "array") -> DType:
    """The type in a file of an array's dtype; byte order is normalised, text and bytes become `string`.

    Raises:
        UnimplementedError: TensorFlow's files have no such type (float128, datetime64, records); `what` says whose dtype it is.
    """
    found = _BY_NUMPY.get(dtype)
    if found is None and dtype.kind in "SUT":
        return STRING
    if found is None:
        found = _BY_NUMPY.get(dtype.newbyteorder("<"))
    if found is None:
        raise UnimplementedError(
            f"{what}: TensorFlow's files cannot hold dtype {dtype}; convert it to one of {', '.join(t[0] for t in _NUMBERS)}, string"
        )
    return found
