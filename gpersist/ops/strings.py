"""Text joined, cut, measured, and turned into numbers and back (`tf.strings`)."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, OutOfRangeError
from gpersist.graph import Operation, Tensor, apply, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import sequences, shape_functions
from gpersist.ops.builders import renamed_argument
from gpersist.ops.constants import constant
from gpersist.ops.kernels import as_array, shown
from gpersist.ops.shaping import rank
from gpersist.ops.texts import TextOpType, each, scalar, text_vector
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "as_string",
    "decode_base64",
    "encode_base64",
    "reduce_join",
    "string_join",
    "string_length",
    "string_lower",
    "string_strip",
    "string_to_number",
    "string_upper",
    "substr",
    "substr_deprecated",
]


class AsString(TextOpType):
    """Numbers as text, as C's printf writes them."""

    inputs = "input: T"
    attrs = (
        "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, complex64, complex128, bool, variant, string}, "
        "precision: int = -1, scientific: bool = false, shortest: bool = false, width: int = -1, fill: string = ''"
    )
    samples = (
        sample("float[2,3]"),
        sample("int32[]", width=8, fill="0"),
        sample("bool[3]"),
        sample("complex64[2]", precision=2),
        sample("string[2]"),
    )

    @staticmethod
    def run(xp: Any, value: Any, *, T: DType, precision: int, scientific: bool, shortest: bool, width: int, fill: bytes) -> Any:  # noqa: N803
        is_real = T.is_floating or T.is_complex
        if scientific and shortest:
            raise InvalidArgumentError("Cannot select both scientific and shortest notation")
        if not (is_real or T.is_string) and (scientific or shortest):
            raise InvalidArgumentError(f"scientific and shortest format not supported for datatype {T.name}")
        if not (is_real or T.is_string) and precision >= 0:
            raise InvalidArgumentError(f"precision not supported for datatype {T.name}")
        if len(fill) > 1:
            raise InvalidArgumentError(f"Fill string must be one or fewer characters, found {fill!r}")
        if fill not in (b"", b" ", b"+", b"-", b"0", b"#"):
            raise InvalidArgumentError(f'Fill argument not supported: "{fill.decode("utf-8", "replace")}"')
        if T.is_bool:
            return each(lambda item: b"true" if item else b"false", value)
        kind = "s" if T.is_string else "d" if T.is_integer else "e" if scientific else "g" if shortest else "f"
        size = f"{width if width >= 0 else ''}{f'.{precision}' if precision >= 0 else ''}{kind}"
        form = f"%{fill.decode()}{size}".encode()
        if T.is_complex:
            form = b"(" + form + b"," + form + b")"
            return each(lambda item: form % (item.real, item.imag), value)
        array = as_array(np, value)
        return each(lambda item: form % item, array.astype(np.float64) if T.is_floating else array)


class StringJoin(TextOpType):
    """Texts put one behind the other, a separator between them; a scalar goes with each element of the others."""

    inputs = "inputs: N * string"
    attrs = "N: int >= 0, separator: string = ''"
    samples = (sample(["string[2]", "string[]"], separator="-"), sample(["string[2,2]"]))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shapes = [tensor.shape for tensor in op._inputs]
        if all(shape.rank == 0 for shape in shapes):
            return [shape_functions.SCALAR]
        wide = [shape for shape in shapes if shape.rank]  # what is of unknown rank may be a scalar
        return [shape_functions.merged_shapes(wide) if wide else unknown_shape()]

    @staticmethod
    def run(xp: Any, values: list[Any], *, separator: bytes) -> Any:
        arrays = [scalar(value) for value in values]
        shapes = [array.shape for array in arrays if array.ndim]
        shape = shapes[0] if shapes else ()
        if any(other != shape for other in shapes):
            raise InvalidArgumentError(
                f"Input shapes do not match. Expected {shown(shape)}, found {shown(next(other for other in shapes if other != shape))}"
            )
        found = np.empty(shape, object)
        columns = [array.reshape(-1).tolist() if array.ndim else itertools.repeat(array[()]) for array in arrays]
        found.reshape(-1)[:] = [separator.join(parts) for parts in itertools.islice(zip(*columns, strict=False), found.size)] if columns else [b""]
        return found


class Substr(TextOpType):
    """A part of each text, counted in bytes or in characters, from its end where the position is negative."""

    inputs = "input: string, pos: T, len: T"
    attrs = "T: {int32, int64}, unit: {'BYTE', 'UTF8_CHAR'} = 'BYTE'"
    samples = (sample("string[2]", "int32: 2", "int32: 3"), sample("string[2]", "int64: [0, -1]", "int64: [3, 1]"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        text, pos, length = (tensor.shape for tensor in op._inputs)
        if pos.rank is not None:  # sizes that are not known are no less held against each other
            if length.rank not in (None, pos.rank):
                raise ValueError(f"Shape must be rank {length.rank} but is rank {pos.rank}")
            if pos.as_list() != ([None] * pos.rank if length.rank is None else length.as_list()):
                told = ["?" if shape.rank is None else str(shape.as_list()).replace("None", "?").replace(" ", "") for shape in (pos, length)]
                raise ValueError(f"pos and len shapes must match: {told[0]} vs. {told[1]}")
        return [shape_functions.broadcast_shapes(text, pos)]

    @staticmethod
    def run(xp: Any, value: Any, pos: Any, length: Any, *, unit: bytes) -> Any:
        if np.shape(pos) != np.shape(length):
            raise InvalidArgumentError(f"pos and len should have the same shape, got: {shown(np.shape(pos))} vs. {shown(np.shape(length))}")
        try:
            texts, starts, sizes = np.broadcast_arrays(scalar(value), pos, length)
        except ValueError:
            raise InvalidArgumentError(
                f"pos/len of shape {shown(np.shape(pos))} cannot be broadcast to the texts' {shown(np.shape(value))}"
            ) from None
        found = np.empty(texts.shape, object)
        triples = zip(texts.reshape(-1).tolist(), starts.reshape(-1).tolist(), sizes.reshape(-1).tolist(), strict=True)
        found.reshape(-1)[:] = [_part(text, start, size, unit) for text, start, size in triples]
        return found


class StringLength(TextOpType):
    """How many bytes, or characters, each text has."""

    outputs = "output: int32"
    attrs = "unit: {'BYTE', 'UTF8_CHAR'} = 'BYTE'"

    @staticmethod
    def run(xp: Any, value: Any, *, unit: bytes) -> Any:
        return each(len if unit == b"BYTE" else _count_characters, value, np.int32)


class StringStrip(TextOpType):
    """Texts without white space at their ends."""

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        return each(bytes.strip, value)


class _Cased(TextOpType, abstract=True):
    attrs = "encoding: string = ''"


class StringLower(_Cased):
    """Texts in lower case: ASCII's letters, or all with `encoding="utf-8"`."""

    @staticmethod
    def run(xp: Any, value: Any, *, encoding: bytes) -> Any:
        _check_encoding(encoding)
        return each((lambda text: _recoded(text, str.lower)) if encoding else bytes.lower, value)


class StringUpper(_Cased):
    """Texts in upper case: ASCII's letters, or all with `encoding="utf-8"`."""

    @staticmethod
    def run(xp: Any, value: Any, *, encoding: bytes) -> Any:
        _check_encoding(encoding)
        return each((lambda text: _recoded(text, str.upper)) if encoding else bytes.upper, value)


class StringToNumber(TextOpType):
    """The numbers that texts state."""

    inputs = "string_tensor: string"
    outputs = "output: out_type"
    attrs = "out_type: {float, double, int32, int64, uint32, uint64} = float"
    samples = (sample(text_vector(b"1.5", b"-2")), sample(b"7", out_type="int64"))

    @staticmethod
    def run(xp: Any, value: Any, *, out_type: DType) -> Any:
        return each(lambda text: number_of(text, out_type, "StringToNumberOp could not correctly convert string: {}"), value, out_type.numpy)


class ReduceJoin(TextOpType):
    """Texts put one behind the other along some axes, the first-named innermost."""

    inputs = "inputs: string, reduction_indices: int32"
    attrs = "keep_dims: bool = false, separator: string = ''"
    samples = (
        sample("string[2,3]", "int32: 0", separator="-"),
        sample("string[2,3]", "int32: [1, 0]", keep_dims=True),
        sample("string[2,3]", "int32: [-1]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, axes = op._inputs[0].shape.sizes, constant_value(op._inputs[1])
        if sizes is None or axes is None:
            return [unknown_shape(len(sizes) if sizes is not None and op.attr("keep_dims") else None)]
        dropped = {shape_functions.axis(int(axis), len(sizes)) for axis in axes.reshape(-1)}
        return [TensorShape(1 if axis in dropped else size for axis, size in enumerate(sizes) if op.attr("keep_dims") or axis not in dropped)]

    @staticmethod
    def run(xp: Any, value: Any, indices: Any, *, keep_dims: bool, separator: bytes) -> Any:
        array, axes = scalar(value), [int(axis) for axis in indices.reshape(-1)]
        for axis in axes:
            if not -array.ndim <= axis < array.ndim:
                raise OutOfRangeError(f"Invalid reduction dimension {axis} for input with {array.ndim} dimension(s)")
        axes = [axis % array.ndim for axis in axes]
        if len(set(axes)) != len(axes):
            raise InvalidArgumentError(f"Duplicate reduction dimension in {axes}")
        kept = [axis for axis in range(array.ndim) if axis not in axes]
        rows = array.transpose(kept + axes[::-1])
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(array.shape) if keep_dims or axis not in axes)
        found = np.empty(shape, object)
        count = int(np.prod([array.shape[axis] for axis in axes], dtype=np.int64))
        flat = rows.reshape(-1).tolist()
        found.reshape(-1)[:] = [separator.join(flat[row * count : (row + 1) * count]) for row in range(found.size)]
        return found


class EncodeBase64(TextOpType):
    """Bytes as text of 64 letters that are safe in URLs."""

    attrs = "pad: bool = false"

    @staticmethod
    def run(xp: Any, value: Any, *, pad: bool) -> Any:
        return each(lambda text: base64.urlsafe_b64encode(text) if pad else base64.urlsafe_b64encode(text).rstrip(b"="), value)


class DecodeBase64(TextOpType):
    """The bytes that `EncodeBase64` made text of, padded or not."""

    samples = (sample(text_vector(b"YWI", b"YWI=")), sample(b""))

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        return each(_from_base64, value)


def _count_characters(text: bytes) -> int:
    return sum((code & 0xC0) != 0x80 for code in text)


def _part(text: bytes, start: int, size: int, unit: bytes) -> bytes:
    if unit == b"BYTE":
        if not -len(text) <= start <= len(text):
            raise InvalidArgumentError(f"pos {start} out of range for string b'{text.decode('utf-8', 'backslashreplace')}'")
        begin = start + len(text) if start < 0 else start
        return text[begin : begin + max(size, 0)]
    starts = [index for index, code in enumerate(text) if (code & 0xC0) != 0x80]
    if not -len(starts) <= start <= len(starts):
        raise InvalidArgumentError(f"pos {start} out of range for string b'{text.decode('utf-8', 'backslashreplace')}'")
    first = start + len(starts) if start < 0 else start
    bounds = [*starts, len(text)]
    return text[bounds[first] : bounds[min(first + max(size, 0), len(starts))]]


def _check_encoding(encoding: bytes) -> None:
    if encoding not in (b"", b"utf-8"):
        raise InvalidArgumentError(f"only utf-8 or '' (no encoding) is supported, received {encoding.decode('utf-8', 'replace')}")


def _recoded(text: bytes, change: Any) -> bytes:
    return change(text.decode("utf-8", "replace")).encode()  # type: ignore[no-any-return]


def number_of(text: bytes, dtype: DType, message: str) -> Any:
    """The number that a text states.

    Raises:
        InvalidArgumentError: it states none, or one that the type has not; says so by `message`.
    """
    plain = text.strip()
    try:
        if b"_" in plain:
            raise ValueError("an underscore")
        if dtype.is_integer:
            found: Any = int(plain)
            limits = np.iinfo(dtype.as_numpy_dtype)
            if not limits.min <= found <= limits.max:
                raise ValueError("out of range")
            return found
        is_hexadecimal = plain.lstrip(b"+-")[:2].lower() == b"0x"
        return float.fromhex(plain.decode()) if is_hexadecimal else float(plain)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(message.format(text.decode("utf-8", "backslashreplace"))) from None


def _from_base64(text: bytes) -> bytes:
    plain = text.rstrip(b"=")
    padding = len(text) - len(plain)
    is_padded_right = not padding or (len(text) % 4 == 0 and padding <= 2)
    if not is_padded_right or len(plain) % 4 == 1 or not set(plain) <= _BASE64:
        raise InvalidArgumentError("Invalid character found in base64.")
    return base64.urlsafe_b64decode(plain + b"=" * (-len(plain) % 4))


_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def as_string(
    input: Any,  # TensorFlow's name
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Tensor:
    """Numbers as text (`tf.as_string`).

    Args:
        input: numbers, truth values or text.
        precision: digits after the point; of floats only.
        scientific: whether floats have an exponent.
        shortest: whether floats are written the shorter way.
        width: as many characters at least.
        fill: what fills them up: "0", "+", "-", " " or "#", as C's printf has it.
        name: of the node.
    """
    return apply("AsString", input, precision=precision, scientific=scientific, shortest=shortest, width=width, fill=fill, name=name)


def string_join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Tensor:
    """Texts put one behind the other, element by element (`tf.string_join`)."""
    return apply("StringJoin", inputs, separator=separator, name=name)


def substr_deprecated(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:  # TensorFlow's names
    """The same, at the root (`tf.substr`)."""
    return substr(input, pos, len, name, unit)


def substr(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:  # TensorFlow's names
    """A part of each text (`tf.substr`): from `pos`, `len` bytes or with `unit="UTF8_CHAR"` characters long."""
    return apply("Substr", input, pos, len, unit=unit, name=name)


def string_length(input: Any, name: str | None = None, unit: str = "BYTE") -> Tensor:  # TensorFlow's name
    """How many bytes, or with `unit="UTF8_CHAR"` characters, each text has (`tf.strings.length`)."""
    return apply("StringLength", input, unit=unit, name=name)


def string_strip(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Texts without white space at their ends (`tf.string_strip`)."""
    return apply("StringStrip", input, name=name)


def string_lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:  # TensorFlow's name
    """Texts in lower case (`tf.strings.lower`)."""
    return apply("StringLower", input, encoding=encoding, name=name)


def string_upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:  # TensorFlow's name
    """Texts in upper case (`tf.strings.upper`)."""
    return apply("StringUpper", input, encoding=encoding, name=name)


def string_to_number(string_tensor: Any = None, out_type: Any = "float32", name: str | None = None, input: Any = None) -> Tensor:
    """The numbers that texts state (`tf.string_to_number`)."""
    return apply("StringToNumber", renamed_argument("input", input, "string_tensor", string_tensor), out_type=out_type, name=name)


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool | None = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: bool | None = None,
) -> Tensor:
    """Texts put one behind the other along some axes, or along all (`tf.reduce_join`)."""
    keep = renamed_argument("keepdims", keepdims, "keep_dims", keep_dims)
    axes = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(None, "ReduceJoin", [value for value in (inputs, axes) if isinstance(value, Tensor)]):
        texts = convert_to_tensor(inputs)
        if axes is None:
            if texts.shape.rank is None:
                axes = sequences.range(rank(texts) - 1, -1, -1)
            else:
                axes = constant(np.arange(texts.shape.rank - 1, -1, -1), "int32")
        return apply("ReduceJoin", texts, axes, keep_dims=keep, separator=separator, name=name)


def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Bytes as text of 64 letters that are safe in URLs (`tf.encode_base64`)."""
    return apply("EncodeBase64", input, pad=pad, name=name)


def decode_base64(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The bytes that `encode_base64` made text of (`tf.decode_base64`)."""
    return apply("DecodeBase64", input, name=name)
