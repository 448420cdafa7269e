"""The element types of TensorFlow's files, and what they are in NumPy.

One table: name, number in `types.proto`, NumPy dtype. Types that NumPy lacks come from ml_dtypes; TensorFlow's quantised types are
structured dtypes of one field, as in TensorFlow's own Python. A sub-byte type (int4, ...) takes one byte an element, in memory and in files.

A reference type (`float32_ref`, number + 100) is what a ref variable's output has; files hold its base.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, SupportsInt

import ml_dtypes
import numpy as np

from gpersist.errors import InvalidArgumentError, UnimplementedError


@dataclasses.dataclass(frozen=True, slots=True, eq=False, init=False)
class DType:
    """An element type: one object each. Equal to what names it: `tf.float32 == "float32" == np.float32`. `DType(1)` is the one of that number.

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

    def __new__(cls, type_enum: SupportsInt) -> DType:  # noqa: D102  # the class tells
        found = _BY_ENUM.get(int(type_enum)) or _REFS.get(int(type_enum))
        if found is None:
            raise TypeError(f"{type_enum} does not correspond to a valid tensorflow::DataType")
        return found

    @property
    def is_string(self) -> bool:
        """Whether elements are byte strings."""
        return self.enum in (STRING_ENUM, STRING_ENUM + _REF)

    @property
    def is_ref(self) -> bool:
        """Whether it is a reference type."""
        return self.enum > _REF

    @property
    def _is_ref_dtype(self) -> bool:
        return self.enum > _REF

    @property
    def base_dtype(self) -> DType:
        """The type itself, without the reference."""
        return _BY_ENUM[self.enum - _REF] if self.enum > _REF else self

    @property
    def as_ref(self) -> DType:
        """The reference type to this one."""
        return self if self.enum > _REF else _REFS[self.enum + _REF]

    @property
    def _as_ref(self) -> DType:
        return self.as_ref

    @property
    def as_datatype_enum(self) -> int:
        """`enum`, under TensorFlow's name."""
        return self.enum

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's scalar class (`np.float32`), or the structured dtype of a quantised type.

        Raises:
            KeyError: no array can hold the type (resource, variant).
        """
        if self.numpy is None:
            raise KeyError(self.enum)
        return self.numpy if self.numpy.names else self.numpy.type if not self.is_string else object

    @property
    def size(self) -> int:
        """`size_bytes`, under TensorFlow's name."""
        return self.size_bytes

    @property
    def real_dtype(self) -> DType:
        """The type of the real part of a complex type; of any other, itself."""
        return {8: float32, 18: float64}.get(self.base_dtype.enum, self)

    @property
    def is_floating(self) -> bool:
        """Whether it is a (real) floating-point type."""
        return self.base_dtype.enum in _FLOATS

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer type that is not quantised."""
        return self.base_dtype.enum in _SIGNED or self.base_dtype.enum in _UNSIGNED

    @property
    def is_unsigned(self) -> bool:
        """Whether it is an unsigned integer type."""
        return self.base_dtype.enum in _UNSIGNED

    @property
    def is_numeric(self) -> bool:
        """Whether elements are numbers: neither bool, string, resource nor variant."""
        return self.is_numpy_compatible and not self.is_bool and not self.is_string

    @property
    def is_complex(self) -> bool:
        """Whether it is complex64 or complex128."""
        return self.base_dtype.enum in (8, 18)

    @property
    def is_bool(self) -> bool:
        """Whether it is bool."""
        return self.base_dtype.enum == 10

    @property
    def is_quantized(self) -> bool:
        """Whether it is one of TensorFlow's quantised types."""
        return self.numpy is not None and self.numpy.names is not None

    @property
    def is_numpy_compatible(self) -> bool:
        """Whether an array can hold it."""
        return self.numpy is not None

    @property
    def min(self) -> Any:
        """The least value.

        Raises:
            TypeError: the type has no order.
        """
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The greatest value.

        Raises:
            TypeError: the type has no order.
        """
        return self._limit("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range that images of this type use: 0 to 1 for floats, else 0 to the greatest.

        Raises:
            ValueError: TensorFlow defines none.
            KeyError: no array can hold the type (resource, variant).
        """
        if self.base_dtype.enum in (1, 2):
            return 0, 1
        if self.is_bool:
            return 0, True
        if self.numpy is None:
            raise KeyError(self.enum)
        if self.base_dtype.enum not in _SIGNED | _UNSIGNED:
            raise ValueError(f"{self} does not have defined limits.")
        return 0, self.max

    def _limit(self, which: str) -> Any:
        if self.numpy is None or not (self.is_floating or self.is_integer):
            of_what = " with quantized type" if self.is_quantized else " with type"
            raise TypeError(f"Cannot find {which}imum value of {self}{f'{of_what} {self.base_dtype}' if self.numpy is not None else ''}.")
        info: Any = ml_dtypes.finfo if self.is_floating else ml_dtypes.iinfo
        return getattr(info(self.numpy), which)

    def is_compatible_with(self, other: object) -> bool:
        """Whether a tensor of the other type may stand where this one is wanted: the same type, a reference counting as its base."""
        found = as_dtype(other)
        return self.enum in (found.enum, found.base_dtype.enum)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __hash__(self) -> int:
        return self.enum

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __int__(self) -> int:
        return self.enum

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return as_dtype, (self.name,)


STRING_ENUM = 7
_REF = 100

_FLOATS = frozenset({1, 2, 14, 19, 24, 25, 26, 27, 28, 33})
_SIGNED = frozenset({3, 5, 6, 9, 29, 31})
_UNSIGNED = frozenset({4, 17, 22, 23, 30, 32})

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
        yield _made(name, enum, dtype, dtype.itemsize)
    yield _made("string", STRING_ENUM, np.dtype(object), 0)
    yield _made("resource", 20, None, 0)
    yield _made("variant", 21, None, 0)


def _made(*attributes: Any) -> DType:
    made = object.__new__(DType)
    for field, value in zip(dataclasses.fields(DType), attributes, strict=True):
        object.__setattr__(made, field.name, value)
    return made


_DTYPES = tuple(_all())
_BY_ENUM = {dtype.enum: dtype for dtype in _DTYPES}
_BY_NAME = {dtype.name: dtype for dtype in _DTYPES} | {"half": _BY_ENUM[19], "float": _BY_ENUM[1], "double": _BY_ENUM[2]}
_BY_NUMPY = {dtype.numpy: dtype for dtype in _DTYPES if dtype.numpy is not None}

_REFS = {dtype.enum + _REF: _made(f"{dtype.name}_ref", dtype.enum + _REF, dtype.numpy, dtype.size_bytes) for dtype in _DTYPES}
_REF_BY_NAME = {f"{name}_ref": _REFS[dtype.enum + _REF] for name, dtype in _BY_NAME.items()}

STRING = _BY_ENUM[STRING_ENUM]
float32 = _BY_ENUM[1]
float64 = _BY_ENUM[2]
int32 = _BY_ENUM[3]
uint8 = _BY_ENUM[4]
int16 = _BY_ENUM[5]
int8 = _BY_ENUM[6]
string = _BY_ENUM[7]
complex64 = _BY_ENUM[8]
int64 = _BY_ENUM[9]
bool_ = _BY_ENUM[10]
qint8 = _BY_ENUM[11]
quint8 = _BY_ENUM[12]
qint32 = _BY_ENUM[13]
bfloat16 = _BY_ENUM[14]
qint16 = _BY_ENUM[15]
quint16 = _BY_ENUM[16]
uint16 = _BY_ENUM[17]
complex128 = _BY_ENUM[18]
float16 = _BY_ENUM[19]
resource = _BY_ENUM[20]
variant = _BY_ENUM[21]
uint32 = _BY_ENUM[22]
uint64 = _BY_ENUM[23]
half = float16
double = float64
QUANTIZED_DTYPES = frozenset(found for dtype in (qint8, quint8, qint32, qint16, quint16) for found in (dtype, dtype._as_ref))


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


def as_dtype(type_value: object) -> DType:
    """The type that something names: a DType, its number, its name, a NumPy dtype or scalar class, `float`, `bool`, `object`.

    Unlike `from_enum` and `from_name` it gives reference types as such.

    Raises:
        TypeError: it names none (TensorFlow's class and words).
    """
    value = type_value
    if isinstance(value, DType):
        return value
    found: DType | None = None
    if isinstance(value, str):
        found = _BY_NAME.get(value) or _REF_BY_NAME.get(value)
    elif isinstance(value, (int, float, complex, np.number, np.bool_)):
        found = _BY_ENUM.get(value) or _REFS.get(value)  # type: ignore[arg-type]  # 1.0 is 1, as in TensorFlow
    elif value is float:
        found = float32
    elif value is bool:
        found = bool_
    elif value is object:
        found = STRING
    elif isinstance(value, np.dtype) or (isinstance(value, type) and value.__module__ in ("numpy", "ml_dtypes")):
        try:
            found = from_numpy(np.dtype(value))
        except (UnimplementedError, TypeError):
            pass
    elif hasattr(value, "dtype") and not isinstance(value.dtype, DType):
        return as_dtype(value.dtype)
    if found is None:
        raise TypeError(f"Cannot convert the argument `type_value`: {value!r} to a TensorFlow DType.")
    return found
