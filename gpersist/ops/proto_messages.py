"""Fields of protobuf messages as tensors, and messages from tensors."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError, NotFoundError
from gpersist.files import gfile
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, sample
from gpersist.ops.kernels import shown
from gpersist.ops.texts import text_vector
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["decode_proto", "encode_proto"]

_TYPES: dict[str, tuple[str, ...]] = {
    "double": ("float64",),
    "float": ("float32", "float64"),
    "int64": ("int64",),
    "uint64": ("uint64",),
    "int32": ("int32", "int64"),
    "fixed64": ("uint64",),
    "fixed32": ("uint32", "uint64"),
    "bool": ("bool",),
    "string": ("string",),
    "group": ("string",),
    "message": ("string",),
    "bytes": ("string",),
    "uint32": ("uint32", "uint64"),
    "enum": ("int32",),
    "sfixed32": ("int32", "int64"),
    "sfixed64": ("int64",),
    "sint32": ("int32", "int64"),
    "sint64": ("int64",),
}
"""Which types of tensors a field of each type may have."""

_KINDS = dict(enumerate(("double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message", "bytes"), 1))
_KINDS |= dict(enumerate(("uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64"), 13))
"""The types of fields, by the numbers that descriptors have of them."""


def _message_class(message_type: bytes, source: bytes) -> Any:
    """The class of a message that is known here, or that a serialised FileDescriptorSet tells of: in the text or in a file.

    Raises:
        InvalidArgumentError: there is none.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    name = message_type.decode()
    pool: Any = protos.GraphDef.DESCRIPTOR.file.pool
    try:
        if source not in (b"", b"local://"):
            if source.startswith(b"bytes://"):
                data = source.removeprefix(b"bytes://")
            else:
                with gfile.GFile(source.decode(), "rb") as file:
                    data = file.read()
            pool = descriptor_pool.DescriptorPool()
            for each in descriptor_pb2.FileDescriptorSet.FromString(data).file:
                pool.AddSerializedFile(each.SerializeToString())
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    except (KeyError, TypeError, ValueError, NotFoundError, GPersistError) as error:
        raise InvalidArgumentError(f"No descriptor found for message type {name}: {error}") from None


class _Field(NamedTuple):
    """A field of a message, and the type that a tensor has of it."""

    name: str
    number: int
    kind: str
    is_repeated: bool
    is_packed: bool
    default: Any

    @classmethod
    def of(cls, message: Any, name: bytes, dtype: DType, message_type: bytes) -> _Field:
        found = message.DESCRIPTOR.fields_by_name.get(name.decode())
        if found is None:
            raise InvalidArgumentError(f"Unknown field: {name.decode()} in message type {message_type.decode()}")
        kind = _KINDS[found.type]
        if dtype.name not in _TYPES[kind]:
            raise InvalidArgumentError(
                f"Incompatible type for field {found.name}.  Saw dtype: {dtype.name} but field type is: {kind}, for which {_TYPES[kind]} will do"
            )
        default = found.default_value if kind not in ("message", "group") and not found.is_repeated else None
        return cls(found.name, found.number, kind, found.is_repeated, found.is_packed, default)

    def values(self, message: Any) -> list[Any]:
        """What a message has of it."""
        if self.is_repeated:
            return [self._plain(each) for each in getattr(message, self.name)]
        has_it = any(field.name == self.name for field, _ in message.ListFields())
        return [self._plain(getattr(message, self.name))] if has_it else []

    def _plain(self, value: Any) -> Any:
        if self.kind in ("message", "group"):
            return value.SerializePartialToString()
        return value.encode() if isinstance(value, str) else value

    def empty(self, dtype: DType) -> Any:
        """What stands where a message has none."""
        value = self.default.encode() if isinstance(self.default, str) else self.default
        return (b"" if dtype.is_string else dtype.numpy.type(0)) if value is None else value  # type: ignore[union-attr]


def _parsed(message: Any, data: bytes, is_text: bool) -> Any:
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError

    try:
        return text_format.Parse(data, message()) if is_text else message.FromString(data)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError):
        raise DataLossError(f"Unable to parse {'text' if is_text else 'binary'} protobuf") from None


class DecodeProtoV2(OpType):
    """Fields of serialised messages: how many values each has, and these, with the fields' defaults behind."""

    inputs = "bytes: string"
    outputs = "sizes: int32, values: output_types"
    attrs = (
        "message_type: string, field_names: list(string), output_types: list(type) >= 0, descriptor_source: string = 'local://', "
        "message_format: string = 'binary', sanitize: bool = false"
    )
    file_attrs = ("descriptor_source",)
    samples = (
        sample(
            text_vector(b"\n\x01n\x1a\x01x\x1a\x01y", b""),
            message_type="tensorflow.NodeDef",
            field_names=["name", "input", "device"],
            output_types=["string", "string", "string"],
        ),
        sample(
            text_vector(b"i: -5", b"b: true"),
            message_type="tensorflow.AttrValue",
            field_names=["i", "f", "b", "type"],
            output_types=["int64", "double", "bool", "int32"],
            message_format="text",
        ),
        sample(text_vector(b"\n\x02\x04\x05"), message_type="tensorflow.Int64List", field_names=["value"], output_types=["int64"]),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known, count = op._inputs[0].shape, len(op.attr("field_names"))
        if known.rank is None:
            return [unknown_shape()] * len(op.output_types)
        return [known.concatenate([count]), *[known.concatenate([None])] * (len(op.output_types) - 1)]

    @staticmethod
    def run(
        xp: Any,
        data: Any,
        *,
        message_type: bytes,
        field_names: Sequence[bytes],
        output_types: Sequence[DType],
        descriptor_source: bytes,
        message_format: bytes,
    ) -> list[Any]:
        message = _message_class(message_type, descriptor_source)
        if len(field_names) != len(output_types):
            raise InvalidArgumentError("field_names and output_types attributes must have the same length")
        if message_format not in (b"binary", b"text"):
            raise InvalidArgumentError("format must be one of binary or text")
        fields = [_Field.of(message, name, dtype, message_type) for name, dtype in zip(field_names, output_types, strict=True)]
        texts = np.asarray(data, object)
        messages = [_parsed(message, each, message_format == b"text") for each in texts.reshape(-1).tolist()]
        found = [[field.values(each) for field in fields] for each in messages]
        sizes = np.array([[len(values) for values in row] for row in found], np.int32).reshape(*texts.shape, len(fields))
        results = [sizes]
        for place, (field, dtype) in enumerate(zip(fields, output_types, strict=True)):
            width = max((len(row[place]) for row in found), default=0) if field.is_repeated else int(bool(found))
            values = np.empty((len(found), width), dtype.numpy)
            values[...] = field.empty(dtype)
            for row, out in zip(found, values, strict=True):
                out[: len(row[place])] = row[place]
            results.append(values.reshape(*texts.shape, width))
        return results

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None]


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _zigzag(value: int) -> bytes:
    return _varint(value << 1 ^ value >> 63)


def _fixed(letter: str, mask: int | None = None) -> Callable[[Any], bytes]:
    return lambda value: struct.pack(f"<{letter}", value if mask is None else value & mask)


_WRITTEN: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "double": (1, _fixed("d")),
    "float": (5, _fixed("f")),
    "fixed64": (1, _fixed("Q")),
    "fixed32": (5, _fixed("I")),
    "sfixed64": (1, _fixed("Q", (1 << 64) - 1)),
    "sfixed32": (5, _fixed("I", (1 << 32) - 1)),
    "sint32": (0, _zigzag),
    "sint64": (0, _zigzag),
    **dict.fromkeys(("int32", "int64", "uint32", "uint64", "enum", "bool"), (0, _varint)),
}
"""The wire type of numbers of each kind, and their bytes."""


def _encoded(field: _Field, values: list[Any]) -> bytes:
    if field.kind not in _WRITTEN:
        return b"".join(_varint(field.number << 3 | 2) + _varint(len(value)) + value for value in values)
    wire, write = _WRITTEN[field.kind]
    if field.is_packed:
        body = b"".join(map(write, values))
        return _varint(field.number << 3 | 2) + _varint(len(body)) + body if values else b""
    return b"".join(_varint(field.number << 3 | wire) + write(value) for value in values)


class EncodeProto(OpType):
    """Serialised messages of fields: so many values of each."""

    inputs = "sizes: int32, values: Tinput_types"
    outputs = "bytes: string"
    attrs = "field_names: list(string), message_type: string, descriptor_source: string = 'local://', Tinput_types: list(type) >= 1"
    file_attrs = ("descriptor_source",)
    samples = (
        sample(
            "int32: [[2, 1], [0, 1]]",
            [text_vector(b"x", b"y", b"", b"").reshape(2, 2), text_vector(b"n", b"m").reshape(2, 1)],
            field_names=["input", "name"],
            message_type="tensorflow.NodeDef",
        ),
        sample("int32: [[2]]", ["int64: [[4, 5, 6]]"], field_names=["value"], message_type="tensorflow.Int64List"),
        sample("int32: [[1, 1]]", ["int64: [[-4]]", "float: [[2.5]]"], field_names=["i", "f"], message_type="tensorflow.AttrValue"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _, *values = (tensor.shape for tensor in op._inputs)
        found = unknown_shape()
        for each in values:
            checked = each.with_rank_at_least(2)
            if checked.rank is not None:
                found = found.merge_with(checked[:-1])
        return [found]

    @staticmethod
    def run(
        xp: Any,
        sizes: Any,
        values: Sequence[Any],
        *,
        field_names: Sequence[bytes],
        message_type: bytes,
        descriptor_source: bytes,
        Tinput_types: Any,  # noqa: N803  # TensorFlow's attribute
    ) -> Any:
        message = _message_class(message_type, descriptor_source)
        if len(field_names) != len(values):
            raise InvalidArgumentError(f"field_names and values must be of one length: {len(field_names)} and {len(values)}")
        fields = [_Field.of(message, name, dtype, message_type) for name, dtype in zip(field_names, Tinput_types, strict=True)]
        batch = np.shape(values[0])[:-1]
        if sizes.shape != (*batch, len(fields)):
            raise InvalidArgumentError(
                f"sizes should be batch_size + [len(field_names)].  Saw: {shown(sizes.shape)} but expected: {shown((*batch, len(fields)))}"
            )
        for each in values:
            if np.shape(each)[:-1] != batch:
                raise InvalidArgumentError(f"Values must match up to the last dimension: {shown(np.shape(each))} and {shown(np.shape(values[0]))}")
        counts = sizes.reshape(-1, len(fields))
        columns = [np.reshape(each, (len(counts), np.shape(each)[-1])) for each in values]
        order = sorted(range(len(fields)), key=lambda place: fields[place].number)
        found = np.empty(len(counts), object)
        for row, own in enumerate(counts):
            parts = []
            for place in order:
                if own[place] > columns[place].shape[1]:
                    raise InvalidArgumentError(
                        f"Size to write must not be larger than value tensor; but saw: {own[place]} > {columns[place].shape[1]} at message {row} "
                        f"field {place}"
                    )
                parts.append(_encoded(fields[place], columns[place][row, : max(int(own[place]), 0)].tolist()))
            found[row] = b"".join(parts)
        return found.reshape(batch)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


class DecodeProtoResult(NamedTuple):
    """What `decode_proto` gives."""

    sizes: Tensor
    values: list[Tensor]


DecodeProtoResult.__name__ = "DecodeProtoV2"  # as it is printed


def decode_proto(
    bytes: Any,  # TensorFlow's name
    message_type: str,
    field_names: Sequence[str],
    output_types: Sequence[Any],
    descriptor_source: str = "local://",
    message_format: str = "binary",
    sanitize: bool = False,
    name: str | None = None,
) -> DecodeProtoResult:
    """Fields of serialised protobuf messages (`tf.io.decode_proto`).

    Args:
        bytes: the messages.
        message_type: their type's full name.
        field_names: of the fields.
        output_types: a type for each.
        descriptor_source: "local://" for the messages of TensorFlow, the path of a serialised FileDescriptorSet, or one behind "bytes://".
        message_format: "binary" or "text".
        sanitize: nothing hangs on it.
        name: of the node.

    Returns:
        How many values each field has, int32 [..., fields]; and the values of each, [..., most].
    """
    how: dict[str, Any] = {"descriptor_source": descriptor_source, "message_format": message_format, "sanitize": sanitize}
    how |= {"message_type": message_type, "field_names": field_names, "output_types": output_types}
    sizes, *values = apply_op("DecodeProtoV2", bytes, name=name, **how).outputs
    return DecodeProtoResult(sizes, values)


def encode_proto(
    sizes: Any, values: Sequence[Any], field_names: Sequence[str], message_type: str, descriptor_source: str = "local://", name: str | None = None
) -> Tensor:
    """Serialised protobuf messages (`tf.io.encode_proto`); see `decode_proto`.

    Args:
        sizes: how many values of each field a message has, int32 [..., fields].
        values: for each field a tensor [..., most].
        field_names: of the fields.
        message_type: the messages' full name.
        descriptor_source: where that is told.
        name: of the node.
    """
    how: dict[str, Any] = {"field_names": field_names, "message_type": message_type, "descriptor_source": descriptor_source}
    return apply("EncodeProto", sizes, values, name=name, **how)
