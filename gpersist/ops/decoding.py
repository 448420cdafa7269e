"""Bytes and lines of text turned into tensors, and tensors into bytes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from gpersist import protos
from gpersist.dtypes import DType, from_enum
from gpersist.errors import GPersistError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, make_ndarray, sample, shape_proto
from gpersist.ops import shape_functions
from gpersist.ops.builders import renamed_argument
from gpersist.ops.kernels import as_array
from gpersist.ops.strings import number_of
from gpersist.ops.texts import TextOpType, scalar, text_vector
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["decode_csv", "decode_raw", "parse_tensor", "serialize_tensor"]


class DecodeRaw(TextOpType):
    """The numbers that bytes are; texts of one length become rows of them."""

    inputs = "bytes: string"
    outputs = "output: out_type"
    attrs = (
        "out_type: {half, float, double, int32, uint16, uint8, int16, int8, int64, complex64, complex128, bool, bfloat16}, little_endian: bool = true"
    )
    samples = (
        sample(text_vector(b"abcd", b"efgh"), out_type="int16"),
        sample(b"abcd", out_type="uint8"),
        sample(text_vector(b"abcd"), out_type="int16", little_endian=False),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape
        return [unknown_shape() if shape.rank is None else shape.concatenate([None])]

    @staticmethod
    def run(xp: Any, value: Any, *, out_type: DType, little_endian: bool) -> Any:
        texts = scalar(value)
        assert out_type.numpy is not None  # none of the types allowed is without
        sizes = {len(text) for text in texts.reshape(-1).tolist()}
        if len(sizes) > 1:
            raise InvalidArgumentError(f"DecodeRaw requires input strings to all be the same size, found sizes {sorted(sizes)}")
        size = sizes.pop() if sizes else 0
        if size % out_type.numpy.itemsize:
            raise InvalidArgumentError(
                f"Input to DecodeRaw has length {size} that is not a multiple of {out_type.numpy.itemsize}, the size of {out_type.name}"
            )
        found = np.frombuffer(b"".join(texts.reshape(-1).tolist()), out_type.numpy).reshape(*texts.shape, size // out_type.numpy.itemsize)
        return found if little_endian is (sys.byteorder == "little") else found.byteswap()


class ParseTensor(TextOpType):
    """The tensor that a serialized TensorProto holds."""

    inputs = "serialized: string"
    outputs = "output: out_type"
    attrs = "out_type: type"
    samples = (sample(b"\x08\x01\x12\x04\x12\x02\x08\x02\x2a\x04\0\0\x80?", out_type="float"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(xp: Any, value: Any, *, out_type: DType) -> Any:
        text = scalar(value)
        if text.ndim:
            raise InvalidArgumentError(f"Expected `serialized` to be a scalar, got shape: {list(text.shape)}")
        try:
            proto = protos.TensorProto.FromString(text[()])
        except DecodeError:
            raise InvalidArgumentError(f"Could not parse `serialized` as TensorProto: it has {len(text[()])} bytes, and they are none") from None
        try:
            found = from_enum(proto.dtype, "TensorProto")
            if found is not out_type:
                raise InvalidArgumentError(f"Type mismatch between parsed tensor ({found.name}) and dtype ({out_type.name})")
            return make_ndarray(proto)
        except (GPersistError, TypeError) as error:
            raise InvalidArgumentError(str(error)) from None


class SerializeTensor(OpType):
    """A tensor as a serialized TensorProto."""

    inputs = "tensor: T"
    outputs = "serialized: string"
    attrs = "T: type"
    is_host_only = True
    samples = (sample("float[2,3]"), sample("string[2]"), sample("bool[]"))
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any, value: Any, *, T: DType) -> Any:  # noqa: N803  # TensorFlow's attribute
        array = as_array(np, value)
        proto = protos.TensorProto(dtype=T.enum, tensor_shape=shape_proto(TensorShape(array.shape)))
        if T.is_string:
            proto.string_val.extend(array.reshape(-1).tolist())
        else:
            proto.tensor_content = np.ascontiguousarray(array).tobytes()
        return scalar(proto.SerializeToString(deterministic=True))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class DecodeCSV(TextOpType):
    """Lines of values with commas between them, a tensor for each column (RFC 4180)."""

    inputs = "records: string, record_defaults: OUT_TYPE"
    outputs = "output: OUT_TYPE"
    attrs = (
        "OUT_TYPE: list({float, double, int32, int64, string}) >= 1, field_delim: string = ',', use_quote_delim: bool = true, "
        "na_value: string = '', select_cols: list(int) = []"
    )
    samples = (sample(text_vector(b'1,2.5,"a"', b"3,,b"), [np.zeros(0, np.int32), np.array([7], np.float32), text_vector(b"")]),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        for tensor in op._inputs[1:]:
            if tensor.shape.rank not in (None, 0, 1):
                raise ValueError(f"Shape must be at most rank 1 but is rank {tensor.shape.rank}")
            if tensor.shape.rank == 1 and (tensor.shape.sizes or (None,))[0] not in (None, 0, 1):
                raise ValueError("Shape of a default must be a length-0 or length-1 vector, or a scalar.")
        return [op._inputs[0].shape] * len(op.output_types)

    @staticmethod
    def run(
        xp: Any,
        records: Any,
        defaults: list[Any],
        *,
        OUT_TYPE: list[DType],  # noqa: N803  # TensorFlow's attribute
        field_delim: bytes,
        use_quote_delim: bool,
        na_value: bytes,
        select_cols: list[int],
    ) -> Any:
        if len(field_delim) != 1:
            raise InvalidArgumentError(f"field_delim should be only 1 char, found {field_delim!r}")
        if select_cols and len(select_cols) != len(OUT_TYPE):
            raise InvalidArgumentError(f"select_cols should match output size: {len(select_cols)} and {len(OUT_TYPE)}")
        lines = scalar(records)
        found = [np.empty(lines.shape, object if dtype.is_string else dtype.numpy) for dtype in OUT_TYPE]
        flat = [array.reshape(-1) for array in found]
        missing = [as_array(np, default).reshape(-1) for default in defaults]
        for row, line in enumerate(lines.reshape(-1).tolist()):
            fields = csv_fields(line, field_delim[0], use_quote_delim, max(select_cols) + 1 if select_cols else None)
            if select_cols:
                fields = [fields[column] for column in select_cols if column < len(fields)]
            if len(fields) != len(OUT_TYPE):
                raise InvalidArgumentError(f"Expect {len(OUT_TYPE)} fields but have {len(fields)} in record {row}")
            for column, (field, dtype) in enumerate(zip(fields, OUT_TYPE, strict=True)):
                if field in (b"", na_value):
                    if not missing[column].size:
                        raise InvalidArgumentError(f"Field {column} is required but missing in record {row}!")
                    flat[column][row] = missing[column][0]
                else:
                    wrong = f"Field {column} in record {row} is not a valid {dtype.name}: {{}}"
                    flat[column][row] = field if dtype.is_string else number_of(field, dtype, wrong)
        return found


def csv_fields(line: bytes, mark: int, quotes: bool, count: int | None = None) -> list[bytes]:
    """The fields of a line, or the first so many; a quoted one may hold the mark, and quotes doubled."""
    fields: list[bytes] = []
    place, size = 0, len(line)
    if not size:
        return [b""]
    while place < size:
        if line[place] in b"\r\n":
            place += 1
            continue
        field = bytearray()
        if not quotes or line[place] != 0x22:
            while place < size and line[place] != mark:
                if quotes and line[place] in b'"\r\n':
                    raise InvalidArgumentError("Unquoted fields cannot have quotes/CRLFs inside")
                field.append(line[place])
                place += 1
        else:
            place += 1
            while place < size - 1 and (line[place] != 0x22 or line[place + 1] != mark):
                if line[place] != 0x22:
                    field.append(line[place])
                    place += 1
                elif line[place + 1] == 0x22:
                    field.append(0x22)
                    place += 2
                else:
                    raise InvalidArgumentError("Quote inside a string has to be escaped by another quote")
            if place >= size or line[place] != 0x22:
                raise InvalidArgumentError("Quoted field has to end with quote followed by delim or end")
            place += 1
        fields.append(bytes(field))
        if len(fields) == count:
            return fields
        place += 1
    if line[-1] == mark:
        fields.append(b"")
    return fields


def decode_raw(input_bytes: Any = None, out_type: Any = None, little_endian: bool = True, name: str | None = None, bytes: Any = None) -> Tensor:
    """The numbers that bytes are (`tf.decode_raw`): texts of one length become rows of them.

    Args:
        input_bytes: text.
        out_type: of the numbers.
        little_endian: whether their first byte is the lowest one.
        name: of the node.
        bytes: the old name of `input_bytes`.
    """
    text = renamed_argument("input_bytes", input_bytes, "bytes", bytes)
    return apply("DecodeRaw", text, out_type=out_type, little_endian=little_endian, name=name)


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """The tensor that a serialized TensorProto holds (`tf.parse_tensor`)."""
    return apply("ParseTensor", serialized, out_type=out_type, name=name)


def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """A tensor as a serialized TensorProto (`tf.serialize_tensor`)."""
    return apply("SerializeTensor", tensor, name=name)


def decode_csv(
    records: Any,
    record_defaults: Sequence[Any],
    field_delim: str = ",",
    use_quote_delim: bool = True,
    name: str | None = None,
    na_value: str = "",
    select_cols: Sequence[int] | None = None,
) -> list[Tensor]:
    """Lines of values with commas between them, a tensor for each column (`tf.decode_csv`).

    Args:
        records: the lines.
        record_defaults: for each column a tensor of its type: the value of empty fields, or without elements where there must be none.
        field_delim: what stands between fields.
        use_quote_delim: whether quotes around a field mean something.
        name: of the node.
        na_value: another text for empty fields.
        select_cols: the columns wanted, ascending; all by default.

    Raises:
        ValueError: `select_cols` does not ascend, or is not as long as `record_defaults`.
    """
    columns = list(select_cols or ())
    if any(later <= earlier for earlier, later in itertools.pairwise(columns)):
        raise ValueError(f"select_cols is not strictly increasing: {columns}.")
    if columns and columns[0] < 0:
        raise ValueError(f"select_cols contains negative values: {columns}.")
    if columns and len(columns) != len(record_defaults):
        raise ValueError(f"Length of select_cols ({len(columns)}) and record_defaults ({len(record_defaults)}) do not match.")
    op = apply_op(
        "DecodeCSV",
        records,
        list(record_defaults),
        field_delim=field_delim,
        use_quote_delim=use_quote_delim,
        na_value=na_value,
        select_cols=columns,
        name=name,
    )
    return list(op.outputs)
