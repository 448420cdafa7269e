"""What a checkpoint holds, tensor by tensor: what `show` and `diff` speak of."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterable

from gpersist import files, protos
from gpersist.bundle import Entry, Index, TensorSlice, data_path, index_path, meta_path, read_index
from gpersist.checkpoint import CheckpointReader, decode_devices
from gpersist.cli.model_file import choose_graph, read_model, saved_model_of
from gpersist.dtypes import DType
from gpersist.errors import GPersistError, InvalidArgumentError
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
        graph: of a SavedModel, the tags of the graph whose devices they are, and those of the others.
    """

    prefix: str
    format: str
    num_shards: int | None
    tensors: list[Listed]
    graph: tuple[str, tuple[str, ...]] | None = None


def is_bundle(prefix: str) -> bool:
    """Whether a checkpoint that is there is a bundle (V2), and not of V1."""
    return files.active().is_file(index_path(prefix))


def list_checkpoint(reader: CheckpointReader, tag_set: str | None = None) -> Listing:
    """Lists an open checkpoint; reads no data file. A `.meta` that cannot be read costs the devices, and a warning.

    Args:
        reader: the checkpoint.
        tag_set: of a SavedModel, the tags of the graph that tells the devices.

    Raises:
        DataLossError: an entry makes no sense.
        NotFoundError: no graph has these tags.
        InvalidArgumentError: tags, and no SavedModel.
    """
    graph = None
    saved_model = None if files.active().is_file(meta_path(reader.prefix)) else saved_model_of(reader.prefix)
    if tag_set is not None and saved_model is None:
        raise InvalidArgumentError(f"--tag-set chooses a graph of a SavedModel, and {reader.prefix!r} is of none")
    try:
        if saved_model is None:
            devices = reader.devices
        else:
            graph, devices = _saved_model_devices(saved_model, tag_set)
    except GPersistError as error:
        if tag_set is not None:
            raise
        _log.warning("%s; the devices recorded there are not known", error)
        devices = {}
    if not is_bundle(reader.prefix):
        v1 = [Listed(name, stored.dtype, stored.shape, stored.size_bytes, devices.get(name, ""), ()) for name, stored in sorted(reader.items())]
        return Listing(reader.prefix, "V1", None, v1, graph)
    index = read_index(reader.prefix)
    tensors = []
    for name in index:
        full = index.entry(name)
        slices = [(part, index.slice_entry(name, part)) for part in full.slices]
        places = tuple(_place(index, part, entry) for part, entry in slices) or (_place(index, None, full),)
        size_bytes = sum(place.entry.size_bytes for place in places)
        tensors.append(Listed(name, full.dtype, full.shape, size_bytes, devices.get(name, ""), places))
    return Listing(reader.prefix, "V2", index.num_shards, tensors, graph)


def _saved_model_devices(file: str, tag_set: str | None) -> tuple[tuple[str, tuple[str, ...]], dict[str, str]]:
    _, metas = read_model(file)
    chosen = choose_graph(file, metas, tag_set)
    others = tuple(_tags(meta) for meta in metas if meta is not chosen)
    return (_tags(chosen), others), decode_devices(chosen.SerializeToString(), repr(file))


def _tags(meta: protos.MetaGraphDef) -> str:
    return ",".join(meta.meta_info_def.tags) or "no tags"


def _place(index: Index, part: TensorSlice | None, entry: Entry) -> Place:
    return Place(part, os.path.basename(data_path(index.prefix, entry.shard, index.num_shards)), entry)


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
    """The data files of a bundle that are missing, or cut; no values are read."""
    ends: dict[str, list[tuple[int, str]]] = {}
    for tensor in listing.tensors:
        for place in tensor.places:
            if place.entry.size_bytes:
                ends.setdefault(place.file, []).append((place.entry.offset + place.entry.size_bytes, tensor.name))
    folder, found = os.path.dirname(listing.prefix), []
    for file, places in sorted(ends.items()):
        status = files.active().stat(os.path.join(folder, file))
        size_bytes = status.st_size if status else None
        lost = dict.fromkeys(name for end, name in sorted(places) if end > (size_bytes or 0))
        if lost:
            found.append(ShortFile(file, size_bytes, max(end for end, _ in places), tuple(lost)))
    return found


def total_bytes(tensors: Iterable[Listed]) -> int:
    """Bytes stored."""
    return sum(tensor.size_bytes for tensor in tensors)
