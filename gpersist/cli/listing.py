"""What a checkpoint holds, tensor by tensor: what `show` and `diff` speak of."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable

from gpersist import files
from gpersist.bundle import Entry, Index, TensorSlice, data_path, index_path, read_index
from gpersist.checkpoint import CheckpointReader
from gpersist.dtypes import DType
from gpersist.errors import GPersistError
from gpersist.shapes import Shape

_log = logging.getLogger("gpersist")


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor, or a slice of it, is stored.

    Attributes:
        part: the slice; None for a whole tensor.
        file: base name of the data file.
        entry: shard, offset, size and checksum.
    """

    part: TensorSlice | None
    file: str
    entry: Entry


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A tensor of a checkpoint.

    Attributes:
        name: in the checkpoint.
        dtype: element type.
        shape: of the whole tensor.
        size_bytes: stored, of all slices; V1 does not tell that of strings, and says 0.
        device: of its NodeDef in `.meta`; empty where none is recorded.
        places: the one place of an ordinary tensor, or one a slice; empty in V1, which has no such thing.
    """

    name: str
    dtype: DType
    shape: Shape
    size_bytes: int
    device: str
    places: tuple[Place, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """A checkpoint.

    Attributes:
        prefix: of the checkpoint.
        format: `"V2"` (a bundle) or `"V1"`.
        num_shards: data files that a bundle's are named after; None for V1.
        tensors: in the order of their names.
    """

    prefix: str
    format: str
    num_shards: int | None
    tensors: list[Listed]


def is_bundle(prefix: str) -> bool:
    """Whether a checkpoint that is there is a bundle (V2), and not of V1."""
    return files.active().is_file(index_path(prefix))


def list_checkpoint(reader: CheckpointReader) -> Listing:
    """Lists an open checkpoint; reads no data file. A `.meta` that cannot be read costs the devices, and a warning.

    Raises:
        DataLossError: an entry makes no sense.
    """
    try:
        devices = reader.devices
    except GPersistError as error:
        _log.warning("%s; the devices recorded there are not known", error)
        devices = {}
    if not is_bundle(reader.prefix):
        v1 = [Listed(name, stored.dtype, stored.shape, stored.size_bytes, devices.get(name, ""), ()) for name, stored in sorted(reader.items())]
        return Listing(reader.prefix, "V1", None, v1)
    index = read_index(reader.prefix)
    tensors = []
    for name in index:
        full = index.entry(name)
        slices = [(part, index.slice_entry(name, part)) for part in full.slices]
        places = tuple(_place(index, part, entry) for part, entry in slices) or (_place(index, None, full),)
        size_bytes = sum(place.entry.size_bytes for place in places)
        tensors.append(Listed(name, full.dtype, full.shape, size_bytes, devices.get(name, ""), places))
    return Listing(reader.prefix, "V2", index.num_shards, tensors)


def _place(index: Index, part: TensorSlice | None, entry: Entry) -> Place:
    return Place(part, os.path.basename(data_path(index.prefix, entry.shard, index.num_shards)), entry)


def total_bytes(tensors: Iterable[Listed]) -> int:
    """Bytes stored."""
    return sum(tensor.size_bytes for tensor in tensors)
