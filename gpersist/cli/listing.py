"""What a checkpoint holds, tensor by tensor: what `show` and `diff` speak of."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
from collections.abc import Callable, Collection, Iterable

import numpy as np

from gpersist import files, protos
from gpersist.bundle import Entry, Index, Ranges, TensorSlice, data_path, index_path, meta_path, read_index
from gpersist.checkpoint import CheckpointReader, decode_devices, decode_part_devices
from gpersist.cli.model_file import choose_graph, read_model, saved_model_of
from gpersist.dtypes import DType
from gpersist.errors import GPersistError, InvalidArgumentError
from gpersist.shapes import Shape

_MAX_META_BYTES = 2 << 30
"""Protobuf's own limit."""

_log = logging.getLogger("gpersist")


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor, or a slice of it, is stored.

    Attributes:
        part: the slice; None for a whole tensor.
        file: base name of the data file.
        entry: shard, offset, size and checksum.
        device: where it lived; empty where none is recorded.
    """

    part: TensorSlice | None
    file: str
    entry: Entry
    device: str


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A tensor of a checkpoint.

    Attributes:
        name: in the checkpoint.
        dtype: element type.
        shape: of the whole tensor.
        size_bytes: stored, of all slices; V1 does not tell that of strings, and says 0.
        device: of its NodeDef in `.meta`, of the first part's where it is of several; empty where none is recorded.
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
        num_tensors: in the checkpoint.
        tensors: those that were asked for, in the order of their names.
        graph: of a SavedModel, the tags of the graph whose devices they are, and those of the others.
        ranges: where a bundle has all of its tensors.
    """

    prefix: str
    format: str
    num_shards: int | None
    num_tensors: int
    tensors: list[Listed]
    graph: tuple[str, tuple[str, ...]] | None = None
    ranges: Ranges | None = None


def is_bundle(prefix: str) -> bool:
    """Whether a checkpoint that is there is a bundle (V2), and not of V1."""
    return files.active().is_file(index_path(prefix))


def list_checkpoint(reader: CheckpointReader, tag_set: str | None = None, names: Collection[str] | None = None) -> Listing:
    """Lists an open checkpoint; reads no data file. A `.meta` that cannot be read costs the devices, and a warning.

    Args:
        reader: the checkpoint.
        tag_set: of a SavedModel, the tags of the graph that tells the devices.
        names: of the tensors to list; default: of all.

    Raises:
        DataLossError: an entry makes no sense.
        NotFoundError: no graph has these tags.
        InvalidArgumentError: tags, and no SavedModel.
    """
    graph = None
    meta: Callable[[], bytes] = bytes
    saved_model = None if files.active().is_file(meta_path(reader.prefix)) else saved_model_of(reader.prefix)
    if tag_set is not None and saved_model is None:
        raise InvalidArgumentError(f"--tag-set chooses a graph of a SavedModel, and {reader.prefix!r} is of none")
    try:
        if saved_model is None:
            devices = reader.devices
            meta = functools.partial(files.active().read_all, meta_path(reader.prefix), _MAX_META_BYTES)
        else:
            graph, chosen = _saved_model_graph(saved_model, tag_set)
            devices = decode_devices(chosen.SerializeToString(), repr(saved_model))
            meta = chosen.SerializeToString
    except GPersistError as error:
        if tag_set is not None:
            raise
        _log.warning("%s; the devices recorded there are not known", error)
        devices = {}
    if not is_bundle(reader.prefix):
        found = [(name, reader[name]) for name in sorted(reader if names is None else names)]
        v1 = [Listed(name, stored.dtype, stored.shape, stored.size_bytes, devices.get(name, ""), ()) for name, stored in found]
        return Listing(reader.prefix, "V1", None, len(reader), v1, graph)
    index = read_index(reader.prefix)
    ranges = index.ranges(whole=False)
    places: dict[str, list[Place]] = {}
    part_devices = decode_part_devices(meta(), repr(reader.prefix)) if ranges.parts and any(devices.values()) else {}
    for row, name in enumerate(ranges.names):
        if names is None or name in names:
            part, device = ranges.parts.get(row), devices.get(name, "")
            if part is not None:
                device = part_devices.get(name, {}).get(part, device)
            places.setdefault(name, []).append(_place(index, part, ranges.columns.entry(row), device))
    tensors = []
    for name, stored in places.items():
        dtype, shape = ranges.tensors[name]
        tensors.append(Listed(name, dtype, shape, sum(place.entry.size_bytes for place in stored), devices.get(name, ""), tuple(stored)))
    return Listing(reader.prefix, "V2", index.num_shards, len(index), tensors, graph, ranges)


def _saved_model_graph(file: str, tag_set: str | None) -> tuple[tuple[str, tuple[str, ...]], protos.MetaGraphDef]:
    """A graph of a SavedModel, and its tags and those of the others."""
    _, metas = read_model(file)
    chosen = choose_graph(file, metas, tag_set)
    others = tuple(_tags(meta) for meta in metas if meta is not chosen)
    return (_tags(chosen), others), chosen


def _tags(meta: protos.MetaGraphDef) -> str:
    return ",".join(meta.meta_info_def.tags) or "no tags"


def _place(index: Index, part: TensorSlice | None, entry: Entry, device: str) -> Place:
    return Place(part, os.path.basename(data_path(index.prefix, entry.shard, index.num_shards)), entry, device)


@dataclasses.dataclass(frozen=True, slots=True)
class ShortFile:
    """A data file that does not hold all that the index says.

    Attributes:
        file: its base name.
        size_bytes: how long it is; None where there is none.
        needed_bytes: where the last tensor in it ends.
        tensors: names of those that are not in it as wholes.
    """

    file: str
    size_bytes: int | None
    needed_bytes: int
    tensors: tuple[str, ...]


def short_files(listing: Listing) -> list[ShortFile]:
    """The data files of a bundle that are missing, or cut, whatever tensors were asked for; no values are read."""
    if listing.ranges is None or listing.num_shards is None:
        return []
    names, columns = listing.ranges.names, listing.ranges.columns
    ends = columns.offsets + columns.sizes
    rows = np.flatnonzero(columns.sizes)
    rows = rows[np.lexsort((ends[rows], columns.shards[rows]))]
    found = []
    for group in np.split(rows, np.flatnonzero(np.diff(columns.shards[rows])) + 1) if len(rows) else ():
        path = data_path(listing.prefix, int(columns.shards[group[0]]), listing.num_shards)
        status = files.active().stat(path)
        size_bytes = status.st_size if status else None
        lost = dict.fromkeys(names[row] for row in group[ends[group] > (size_bytes or 0)].tolist())
        if lost:
            found.append(ShortFile(os.path.basename(path), size_bytes, int(ends[group[-1]]), tuple(lost)))
    return found


def total_bytes(tensors: Iterable[Listed]) -> int:
    """Bytes stored."""
    return sum(tensor.size_bytes for tensor in tensors)
