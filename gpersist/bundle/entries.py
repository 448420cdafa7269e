"""The values of a bundle's index: a header, and an entry a tensor.

Key "" holds a BundleHeaderProto, every other key a BundleEntryProto (`tensor_bundle.proto`), in protobuf's wire format:

    header  := 08 varint(num_shards)  [10 01 if big-endian]  1a varint(n) version
    version := 08 varint(producer)  [10 varint(min_consumer)]  ...
    entry   := head  [18 varint(shard)]  [20 varint(offset)]  [28 varint(size)]  [35 fixed32(crc)]  (3a varint(n) slice)*
    head    := 08 varint(dtype)  12 varint(n) shape
    shape   := (12 varint(n) dim)*
    dim     := [08 varint(size)]

A field in brackets is left out where it is zero. The crc is crc32c, masked, of the tensor's bytes in the file; its width is fixed, which lets a
repeated save patch it in place (`index.IndexImage`). Entries come by the ten thousands, so there are two ways each: one at a time, through protobuf
where reading, which takes whatever protobuf takes; and in columns, which takes the form above and leaves the rest to the first. A property test holds
them equal. Source: TensorFlow `tensor_bundle.cc`.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.bundle.slices import TensorSlice
from gpersist.dtypes import DType, from_enum
from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.protos import BundleEntryProto, BundleHeaderProto, parse
from gpersist.shapes import Shape, element_count
from gpersist.table import encode_varint

Int64s = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

FORMAT_VERSION = 1
"""TensorFlow's `kTensorBundleVersion`; min_consumer has always been 0."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor's bytes are.

    Attributes:
        dtype: element type.
        shape: of the full tensor, or of the slice for a slice's own entry.
        shard: which data file.
        offset: first byte in it.
        size_bytes: bytes in it; 0 for a sliced tensor's full entry.
        crc: masked crc32c of these bytes.
        slices: the stored slices of a partitioned tensor, whose bytes are under slice keys; empty for an ordinary one.
    """

    dtype: DType
    shape: Shape
    shard: int
    offset: int
    size_bytes: int
    crc: int
    slices: tuple[TensorSlice, ...] = ()


def encode_header(num_shards: int) -> bytes:
    """The value of key ""."""
    return b"\x08" + encode_varint(num_shards) + b"\x1a\x02\x08" + encode_varint(FORMAT_VERSION)


def decode_header(value: bytes, where: str) -> int:
    """The number of shards.

    Raises:
        UnimplementedError: big-endian, or written by a future TensorFlow that says this format is too old to read it.
        DataLossError: no header.
    """
    header = parse(BundleHeaderProto, value, f"the header of {where}")
    if header.endianness != BundleHeaderProto.LITTLE:
        raise UnimplementedError(f"{where} was written on a big-endian machine; TensorFlow 2 reads it on others too: save it again with that")
    version = header.version
    if version.min_consumer > FORMAT_VERSION:
        raise UnimplementedError(
            f"{where} has bundle version {version.producer}, for readers of version {version.min_consumer} and later; this one has {FORMAT_VERSION}: "
            "a newer gpersist is needed"
        )
    if FORMAT_VERSION in version.bad_consumers:
        raise UnimplementedError(f"{where} says that readers of bundle version {FORMAT_VERSION} must not read it: a newer gpersist is needed")
    if not 0 <= header.num_shards <= 99_999:
        raise DataLossError(f"{where}: the header tells of {header.num_shards} shards; expected 0 to 99999: the file is damaged")
    return int(header.num_shards)


@functools.lru_cache(maxsize=1 << 15)
def encode_head(enum: int, shape: Shape) -> bytes:
    """The part of an entry that dtype and shape decide."""
    dims = b""
    for size in shape:
        dim = b"\x08" + encode_varint(size) if size else b""
        dims += b"\x12" + encode_varint(len(dim)) + dim
    return b"\x08" + encode_varint(enum) + b"\x12" + encode_varint(len(dims)) + dims


def encode_entry(entry: Entry) -> bytes:
    """The value of a tensor's key."""
    parts = [encode_head(entry.dtype.enum, entry.shape)]
    for tag, number in ((b"\x18", entry.shard), (b"\x20", entry.offset), (b"\x28", entry.size_bytes)):
        if number:
            parts += tag, encode_varint(number)
    if entry.crc:
        parts += b"\x35", struct.pack("<I", entry.crc)
    for part in entry.slices:
        proto = part.to_proto().SerializeToString(deterministic=True)
        parts += b"\x3a", encode_varint(len(proto)), proto
    return b"".join(parts)


@dataclasses.dataclass(eq=False)
class EntryColumns:
    """Entries in columns.

    Attributes:
        dtypes: element types.
        shapes: of the tensors.
        shards, offsets, sizes, crcs: int64[n], as in `Entry`.
    """

    dtypes: list[DType]
    shapes: list[Shape]
    shards: Int64s
    offsets: Int64s
    sizes: Int64s
    crcs: Int64s

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> EntryColumns:
        """The columns of entries, whose slices are left out."""
        shards, offsets, sizes, crcs = (
            np.array([getattr(entry, name) for entry in entries], np.int64) for name in ("shard", "offset", "size_bytes", "crc")
        )
        return cls([entry.dtype for entry in entries], [entry.shape for entry in entries], shards, offsets, sizes, crcs)

    def entry(self, number: int) -> Entry:
        """One of the entries."""
        shard, offset, size, crc = (int(column[number]) for column in (self.shards, self.offsets, self.sizes, self.crcs))
        return Entry(self.dtypes[number], self.shapes[number], shard, offset, size, crc)


def encode_entries(columns: EntryColumns) -> list[bytes]:
    """The values of many tensors' keys: `encode_entry` of each, none of which has slices."""
    heads = [encode_head(dtype.enum, shape) for dtype, shape in zip(columns.dtypes, columns.shapes, strict=True)]
    crcs = columns.crcs.astype("<u4")
    crc_fields = np.empty((len(heads), 5), np.uint8)
    crc_fields[:, 0] = 0x35
    crc_fields[:, 1:] = crcs.view(np.uint8).reshape(-1, 4)
    fields = [_varint_fields(0x18, columns.shards)] if columns.shards.any() else []
    fields += [_varint_fields(0x20, columns.offsets), _varint_fields(0x28, columns.sizes), _rows(crc_fields, np.where(crcs != 0, 5, 0))]
    return list(map(b"".join, zip(heads, *fields, strict=True)))


def _varint_fields(tag: int, numbers: Int64s) -> list[bytes]:
    """Tag and varint of each number; nothing for 0."""
    matrix = np.zeros((len(numbers), 11), np.uint8)
    matrix[:, 0] = tag
    lengths = np.where(numbers > 0, 2, 0)
    rest = numbers
    for column in range(1, 11):
        matrix[:, column] = rest & 127
        rest = rest >> 7
        more = rest > 0
        if not more.any():
            break
        matrix[:, column] |= more.astype(np.uint8) << 7
        lengths += more
    return _rows(matrix, lengths)


def _rows(matrix: np.ndarray[Any, np.dtype[np.uint8]], lengths: Int64s) -> list[bytes]:
    """The first bytes of each row."""
    data, width = matrix.tobytes(), matrix.shape[1]
    return [data[start : start + length] for start, length in zip(range(0, len(data), width), lengths.tolist(), strict=True)]


def decode_entries(values: Sequence[bytes]) -> tuple[EntryColumns, Bools]:
    """Reads entries in columns.

    Returns:
        (columns, is_plain): where not plain, an entry is not of the usual form, its size is not what dtype and shape make it, or it is of strings;
        its columns mean nothing, and `decode_entry` reads it.
    """
    count = len(values)
    heads = [value[: 4 + value[3]] if len(value) > 3 else b"" for value in values]
    known = {head: _decode_head(head) for head in set(heads)}
    meanings = [known[head] or _UNKNOWN for head in heads]
    data = np.frombuffer(b"".join(values) + bytes(8), np.uint8)
    lengths = np.fromiter(map(len, values), np.int64, count)
    ends = np.cumsum(lengths)
    at = ends - lengths + np.fromiter(map(len, heads), np.int64, count)
    dtypes, shapes, expected = (list(column) for column in zip(*meanings, strict=True)) if count else ([], [], [])
    expected_sizes = np.array(expected, np.int64)
    usual = expected_sizes >= 0
    fields = []
    for tag in (0x18, 0x20, 0x28):
        field, at, usual = _decode_varints(data, at, ends, tag, usual)
        fields.append(field)
    usual &= (at + 5 == ends) & (data[np.minimum(at, len(data) - 1)] == 0x35)
    at = np.where(usual, at, 0)
    crcs = sum((data[at + 1 + byte].astype(np.int64) << 8 * byte for byte in range(4)), np.zeros(count, np.int64))
    usual &= (fields[0] < 2**31) & (fields[1] < 2**62) & (fields[2] < 2**62)
    return EntryColumns(dtypes, shapes, fields[0], fields[1], fields[2], crcs), usual & (fields[2] == expected_sizes)


_UNKNOWN: tuple[DType, Shape, int] = (from_enum(1), (), -1)


def _decode_varints(data: Any, at: Int64s, ends: Int64s, tag: int, usual: Any) -> tuple[Int64s, Int64s, Any]:
    """The field `tag` of each entry at `at`, 0 where it is not there, and where the next field begins."""
    last = len(data) - 1
    here = usual & (at < ends) & (data[np.minimum(at, last)] == tag)
    numbers = np.zeros(len(at), np.int64)
    at = at + here
    going = here
    for shift in range(0, 63, 7):
        byte = data[np.minimum(at, last)].astype(np.int64)
        numbers |= np.where(going, (byte & 127) << shift, 0)
        at = at + going
        going = going & (byte >= 128)
        if not going.any():
            break
    return numbers, at, usual & ~going & (at <= ends)


@functools.lru_cache(maxsize=1 << 15)
def _decode_head(head: bytes) -> tuple[DType, Shape, int] | None:
    """dtype, shape and bytes of a head in its usual form; None if it is another, or wrong, or of strings."""
    try:
        dtype, shape, at = from_enum(head[1]), [], 4
        while at < len(head):
            end = at + 2 + head[at + 1]
            size = 0
            for place, byte in enumerate(head[at + 3 : end]):
                size |= (byte & 127) << 7 * place
            shape.append(size)
            at = end
        size_bytes = element_count(shape) * dtype.size_bytes
    except (IndexError, InvalidArgumentError):
        return None
    # whatever was passed over above is told by writing it again
    is_usual = dtype.size_bytes and size_bytes < 2**62 and encode_head(dtype.enum, tuple(shape)) == head
    return (dtype, tuple(shape), size_bytes) if is_usual else None


def decode_entry(value: bytes, where: str) -> Entry:
    """Reads an entry; `where` names table and key, for messages.

    Raises:
        DataLossError: no entry; negative numbers; a dtype that is not known.
    """
    proto = parse(BundleEntryProto, value, f"the entry of {where}")
    if proto.shape.unknown_rank:
        raise DataLossError(f"{where}: the shape's rank is unknown; the file is damaged")
    try:
        dtype = from_enum(proto.dtype, where)
        shape = tuple(dim.size for dim in proto.shape.dim)
        element_count(shape, f"{where}: shape")
        slices = tuple(TensorSlice.from_proto(part, where) for part in proto.slices)
        for part in slices:
            part.bounds(shape, where)
    except InvalidArgumentError as error:
        why = ", or damaged" if error.message.endswith("of a newer TensorFlow") else "; the file is damaged, or of a newer TensorFlow"
        raise DataLossError(error.message + why) from error
    if proto.shard_id < 0 or proto.offset < 0 or proto.size < 0 or proto.offset + proto.size >= 2**63:
        raise DataLossError(f"{where}: shard {proto.shard_id}, byte {proto.offset}, {proto.size} bytes: out of range; the file is damaged")
    return Entry(dtype, shape, proto.shard_id, proto.offset, proto.size, proto.crc32c, slices)


def check_size(entry: Entry, where: str) -> None:
    """Holds an entry's size against its dtype and shape.

    Raises:
        DataLossError: they do not fit.
    """
    if entry.slices:
        return
    count = element_count(entry.shape, where)
    if entry.dtype.size_bytes:
        if entry.size_bytes != count * entry.dtype.size_bytes:
            raise DataLossError(
                f"{where}: {entry.dtype.name}{list(entry.shape)} takes {count * entry.dtype.size_bytes} bytes, the entry tells of "
                f"{entry.size_bytes}; the index is damaged"
            )
    elif entry.dtype.is_string and entry.size_bytes < (count + 4 if count else 0):
        raise DataLossError(f"{where}: {count} strings cannot fit in {entry.size_bytes} bytes; the index is damaged")
