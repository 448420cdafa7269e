"""Sparse tensors as text, three serialized TensorProto each, and back (`tf.io.serialize_sparse`)."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from gpersist import protos
from gpersist.dtypes import DType, as_dtype, from_enum
from gpersist.errors import GPersistError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, make_ndarray, sample, shape_proto
from gpersist.ops.kernels import shown
from gpersist.ops.sparse_products import check_places
from gpersist.ops.sparse_structure import INDICES, SHAPE, check
from gpersist.ops.sparse_tensor import SparseTensor, sparse_tensor_of
from gpersist.ops.texts import text_vector
from gpersist.shapes import TensorShape

__all__ = ["deserialize_many_sparse", "serialize_many_sparse", "serialize_sparse"]


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _packed(array: Any) -> bytes:
    """An array as a TensorProto with its content in one piece: of text, all lengths and then all bytes."""
    dtype = as_dtype("string") if array.dtype == object else as_dtype(array.dtype)
    proto = protos.TensorProto(dtype=dtype.enum, tensor_shape=shape_proto(TensorShape(array.shape)))
    if dtype.is_string:
        texts = array.reshape(-1).tolist()
        proto.tensor_content = b"".join(_varint(len(text)) for text in texts) + b"".join(texts)
    else:
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    return proto.SerializeToString(deterministic=True)


def _unpacked(text: Any) -> Any:
    try:
        proto = protos.TensorProto.FromString(text)
    except (DecodeError, TypeError):
        raise InvalidArgumentError("Could not parse serialized proto") from None
    try:
        if not from_enum(proto.dtype, "TensorProto").is_string or not proto.tensor_content:
            return make_ndarray(proto)
    except (GPersistError, TypeError) as error:
        raise InvalidArgumentError(str(error)) from None
    content, count = proto.tensor_content, int(np.prod([dim.size for dim in proto.tensor_shape.dim], dtype=object))
    lengths: list[int] = []
    place = number = shift = 0
    while len(lengths) < count and place < len(content):
        number |= (content[place] & 0x7F) << shift
        shift += 7
        if content[place] < 0x80:
            lengths.append(number)
            number = shift = 0
        place += 1
    if len(lengths) != count or place + sum(lengths) != len(content):
        raise InvalidArgumentError("Could not construct Tensor from proto")
    ends = place + np.cumsum([0, *lengths])
    texts = [content[start:end] for start, end in itertools.pairwise(ends)]
    return text_vector(*texts).reshape([dim.size for dim in proto.tensor_shape.dim])


def _row(parts: tuple[Any, Any, Any], is_variant: bool) -> Any:
    if not is_variant:
        return text_vector(*(_packed(part) for part in parts))
    found = np.empty(3, object)
    found[:] = [_Boxed(part) for part in parts]
    return found


class _Boxed:
    """A tensor as an element of a tensor of variants."""

    __slots__ = ("value",)
    shape = ()

    def __init__(self, value: Any) -> None:
        self.value = value


class SerializeSparse(OpType):
    """A sparse tensor as three texts, or variants."""

    inputs = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"
    outputs = "serialized_sparse: out_type"
    attrs = "T: type, out_type: {string, variant} = string"
    is_host_only = True
    samples = (sample(INDICES, "float[4]", SHAPE), sample(INDICES, "string[4]", SHAPE))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, values, shape = (tensor.shape for tensor in op._inputs)
        indices.with_rank(2)
        values.with_rank(1)
        shape.with_rank(1)
        return [TensorShape([3])]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, *, out_type: DType) -> Any:
        _check(indices, values, shape)
        return _row((indices, values, shape), not out_type.is_string)


class SerializeManySparse(OpType):
    """The parts of a sparse tensor along its first axis, each as three texts, or variants."""

    inputs = SerializeSparse.inputs
    outputs = SerializeSparse.outputs
    attrs = SerializeSparse.attrs
    is_host_only = True
    samples = SerializeSparse.samples

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        indices, values, shape = (tensor.shape for tensor in op._inputs)
        indices.with_rank(2)
        values.with_rank(1)
        shape.with_rank(1)
        return [TensorShape([None, 3])]

    @staticmethod
    def run(xp: Any, indices: Any, values: Any, shape: Any, *, out_type: DType) -> Any:
        _check(indices, values, shape)
        if len(shape) < 2:
            raise InvalidArgumentError(f"Rank of input SparseTensor should be > 1, but saw rank: {len(shape)}")
        check_places(indices, tuple(shape.tolist()), True)
        ends = np.searchsorted(indices[:, 0], np.arange(int(shape[0]) + 1))
        found = np.empty((int(shape[0]), 3), object)
        for number, (start, end) in enumerate(itertools.pairwise(ends)):
            found[number] = _row((indices[start:end, 1:], values[start:end], shape[1:]), not out_type.is_string)
        return found


def _check(indices: Any, values: Any, shape: Any) -> None:
    if indices.ndim != 2:
        raise InvalidArgumentError(f"Input indices should be a matrix but received shape {shown(indices.shape)}")
    for value, what in ((values, "values"), (shape, "shape")):
        if value.ndim != 1:
            raise InvalidArgumentError(f"Input {what} should be a vector but received shape {shown(value.shape)}")
    if len(indices) != len(values):
        raise InvalidArgumentError(f"indices and values rows (indexing dimension) must match. (indices = {len(indices)}, values = {len(values)})")


class DeserializeSparse(OpType):
    """Sparse tensors that were serialized, as one of a higher rank: [..., 3] gives [..., and their own axes]."""

    inputs = "serialized_sparse: Tserialized"
    outputs = "sparse_indices: int64, sparse_values: dtype, sparse_shape: int64"
    attrs = "dtype: type, Tserialized: {string, variant} = string"
    is_host_only = True
    samples = (
        sample(_row((INDICES, np.ones(4, np.float32), SHAPE), False), dtype="float"),
        sample(np.stack([_row((INDICES, np.ones(4, np.float32), SHAPE), False)] * 2), dtype="float"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        given = op._inputs[0].shape.with_rank_at_least(1)
        if given.rank is not None:
            given[-1:].merge_with(TensorShape([3]))
        return [TensorShape([None, None]), TensorShape([None]), TensorShape([None])]

    @staticmethod
    def run(xp: Any, serialized: Any, *, dtype: DType) -> tuple[Any, Any, Any]:
        if not serialized.ndim or serialized.shape[-1] != 3:
            raise InvalidArgumentError(f"Serialized sparse should have 3 as the last dimension {shown(serialized.shape)}")
        rows = serialized.reshape(-1, 3)
        if not len(rows):
            raise InvalidArgumentError(
                f"Serialized sparse should have at least 1 serialized tensor, but has a zero dimension {shown(serialized.shape)}"
            )
        outer = serialized.shape[:-1]
        places = np.indices(outer).reshape(len(outer), len(rows)).T
        tables, parts, largest = [], [], None
        for number, row in enumerate(rows):
            indices, values, shape = (item.value if isinstance(item, _Boxed) else _unpacked(item) for item in row)
            for part, what, wanted in ((indices, "indices", "int64"), (values, "values", dtype.name), (shape, "shape", "int64")):
                kind = "string" if part.dtype == object else as_dtype(part.dtype).name
                if kind != wanted:
                    raise InvalidArgumentError(f"Requested SparseTensor of type {dtype.name} but SparseTensor[{number}].{what}.dtype() == {kind}")
            if indices.ndim != 2 or values.ndim != 1 or shape.ndim != 1 or indices.shape != (len(values), len(shape)):
                raise InvalidArgumentError(f"SparseTensor[{number}]: its parts {shown(indices.shape)} do not go together")
            check(indices, values, shape)
            if largest is not None and len(largest) != len(shape):
                raise InvalidArgumentError(f"Inconsistent shape across SparseTensors: rank prior to SparseTensor[{number}] was: {len(largest)}")
            largest = shape if largest is None else np.maximum(largest, shape)
            tables.append(np.concatenate([np.broadcast_to(places[number], (len(indices), len(outer))), indices], 1))
            parts.append(values)
        assert largest is not None  # there is a row
        return np.concatenate(tables).astype(np.int64), np.concatenate(parts), np.array([*outer, *largest], np.int64)


class DeserializeManySparse(OpType):
    """Sparse tensors that were serialized, as one with another axis in front."""

    inputs = "serialized_sparse: string"
    outputs = DeserializeSparse.outputs
    attrs = "dtype: type"
    is_host_only = True
    samples = DeserializeSparse.samples[1:]

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(2)[1:].merge_with(TensorShape([3]))
        return [TensorShape([None, None]), TensorShape([None]), TensorShape([None])]

    @staticmethod
    def run(xp: Any, serialized: Any, *, dtype: DType) -> tuple[Any, Any, Any]:
        return DeserializeSparse.run(xp, serialized, dtype=dtype)


def serialize_sparse(sp_input: Any, name: str | None = None, out_type: Any = "string") -> Tensor:
    """A sparse tensor as three texts, or variants (`tf.serialize_sparse`): [3].

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    return apply("SerializeSparse", given.indices, given.values, given.dense_shape, out_type=as_dtype(out_type), name=name)


def serialize_many_sparse(sp_input: Any, name: str | None = None, out_type: Any = "string") -> Tensor:
    """The parts of a sparse tensor along its first axis, each as three texts, or variants (`tf.serialize_many_sparse`): [n, 3].

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    return apply("SerializeManySparse", given.indices, given.values, given.dense_shape, out_type=as_dtype(out_type), name=name)


def deserialize_many_sparse(serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None) -> SparseTensor:
    """The sparse tensor of whose parts these are the texts (`tf.deserialize_many_sparse`).

    Args:
        serialized_sparse: string[n, 3].
        dtype: of the values.
        rank: of the result, where it is known.
        name: of the node.
    """
    indices, values, shape = apply_op("DeserializeManySparse", serialized_sparse, dtype=as_dtype(dtype), name=name).outputs
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)
