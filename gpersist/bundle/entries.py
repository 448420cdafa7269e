"""The values of a bundle's index: a header, and an entry a tensor.

Key "" holds a BundleHeaderProto, every other key a BundleEntryProto (`tensor_bundle.proto`), in protobuf's wire format:

    header := 08 varint(num_shards)  [10 01 if big-endian]  1a varint(n) version          version := 08 varint(producer) [10 varint(min_consumer)] ...
    entry  := 08 varint(dtype)  12 varint(n) shape  [18 varint(shard)]  [20 varint(offset)]  [28 varint(size)]  [35 fixed32(crc)]  (3a varint(n) slice)*
    shape  := (12 varint(n) dim)*                                   dim := [08 varint(size)]

A field in brackets is left out where it is zero. The crc is crc32c, masked, of the tensor's bytes in the file; its width is fixed, which lets a
repeated save patch it in place (`index.IndexImage`). Entries are written and read by hand, for there may be many thousands; what the quick reader
does not know goes through protobuf, and a property test holds both equal. Source: TensorFlow `tensor_bundle.cc`.
"""

from __future__ import annotations

import dataclasses
import functools
import struct

from gpersist.bundle.slices import TensorSlice
from gpersist.dtypes import DType, from_enum
from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.protos import BundleEntryProto, BundleHeaderProto, parse
from gpersist.shapes import Shape, element_count
from gpersist.table import encode_varint

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
        raise UnimplementedError(f"{where} was written on a big-endian machine; read it there and save it again from a little-endian one")
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


@functools.lru_cache(maxsize=4096)
def encode_head(enum: int, shape: Shape) -> bytes:
    """The part of an entry that dtype and shape decide."""
    dims = b"".join(
        b"\x12" + (b"\x00" if size == 0 else encode_varint(1 + len(encode_varint(size))) + b"\x08" + encode_varint(size)) for size in shape
    )
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


_HEADS: dict[bytes, tuple[DType, Shape]] = {}
_MAX_HEADS = 4096


def decode_entry(value: bytes, where: str) -> Entry:
    """Reads an entry; `where` names table and key, for messages.

    Raises:
        DataLossError: no entry; negative numbers; a size that does not fit dtype and shape.
        InvalidArgumentError: a dtype that is not known.
    """
    # The canonical form, field after field. Anything else in it, and protobuf decides.
    try:
        if value[0] == 8 and value[2] == 0x12 and value[1] < 128 and value[3] < 128:
            at = 4 + value[3]
            head = value[:at]
            known = _HEADS.get(head)
            if known is None:
                return _decode_by_protobuf(value, where, head)
            end = len(value)
            shard = offset = size = 0
            if at < end and value[at] == 0x18:
                at, shard = _varint(value, at + 1)
            if at < end and value[at] == 0x20:
                at, offset = _varint(value, at + 1)
            if at < end and value[at] == 0x28:
                at, size = _varint(value, at + 1)
            if at + 5 == end and value[at] == 0x35:
                dtype, shape = known
                if shard < 2**31 and offset < 2**62 and size < 2**62:
                    return Entry(dtype, shape, shard, offset, size, int.from_bytes(value[at + 1 :], "little"))
    except IndexError:
        pass
    return _decode_by_protobuf(value, where, None)


def _varint(value: bytes, at: int) -> tuple[int, int]:
    byte = value[at]
    if byte < 128:
        return at + 1, byte
    number, shift = byte & 127, 7
    while True:
        at += 1
        byte = value[at]
        number |= (byte & 127) << shift
        if byte < 128:
            return at + 1, number
        shift += 7
        if shift > 63:
            raise IndexError


def _decode_by_protobuf(value: bytes, where: str, head: bytes | None) -> Entry:
    proto = parse(BundleEntryProto, value, f"the entry of {where}")
    if proto.shape.unknown_rank:
        raise DataLossError(f"{where}: the shape's rank is unknown; the file is damaged")
    try:
        dtype = from_enum(proto.dtype, where)
        shape = tuple(dim.size for dim in proto.shape.dim)
        count = element_count(shape, f"{where}: shape")
        slices = tuple(TensorSlice.from_proto(part, where) for part in proto.slices)
    except InvalidArgumentError as error:
        raise DataLossError(f"{error.message}; the file is damaged, or of a newer TensorFlow") from error
    if proto.shard_id < 0 or proto.offset < 0 or proto.size < 0 or proto.offset + proto.size >= 2**63:
        raise DataLossError(f"{where}: shard {proto.shard_id}, byte {proto.offset}, {proto.size} bytes: out of range; the file is damaged")
    if head is not None and not slices and len(_HEADS) < _MAX_HEADS and value.startswith(head):
        check = BundleEntryProto.FromString(head)
        if check.dtype == proto.dtype and check.shape == proto.shape and count >= 0 and check.ByteSize() == len(head):
            _HEADS[head] = dtype, shape
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
                f"{where}: {entry.dtype.name}{list(entry.shape)} takes {count * entry.dtype.size_bytes} bytes, the entry tells of {entry.size_bytes}; "
                "the index is damaged"
            )
    elif entry.dtype.is_string and entry.size_bytes < (count + 4 if count else 0):
        raise DataLossError(f"{where}: {count} strings cannot fit in {entry.size_bytes} bytes; the index is damaged")
