"""What a save will write, decided before anything is touched: order, shard, offset, index.

A plan depends on names, dtypes, shapes, sizes, shards and alignment only, so training that saves the same model again and again plans once.
"""

from __future__ import annotations

import dataclasses
import itertools
import operator
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import MAX_SHARDS, Entry, EntryColumns, IndexImage, encode_index, encode_slice_key
from gpersist.checkpoint.meta import encode_meta
from gpersist.checkpoint.source import Source, dtype_of
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.shapes import Shape
from gpersist.staging import Layout
from gpersist.table import mask

Int64s = np.ndarray[Any, np.dtype[np.int64]]

EMPTY_CRC = mask(0)
"""Of a tensor without bytes."""


@dataclasses.dataclass(eq=False)
class SavePlan:
    """Where the rows of a source go. Immutable but for what it remembers; safe for threads.

    Attributes:
        order: rows of the source, in the order of the files.
        stored: those of them (positions in `order`) that have bytes.
        layout: of `stored`.
        shard_sizes: bytes of each data file.
        keys: index key of each position of `order`.
    """

    order: list[int]
    stored: Int64s
    layout: Layout
    shard_sizes: list[int]
    keys: list[bytes]
    names: list[str]
    dtypes: list[DType]
    shapes: list[Shape]
    shards: Int64s
    offsets: Int64s
    sizes: Int64s
    full: list[tuple[bytes, Entry]]
    """Entries of partitioned tensors as wholes, which have no bytes."""
    _images: dict[int, IndexImage] = dataclasses.field(default_factory=dict)
    _metas: dict[tuple[str, ...], bytes] = dataclasses.field(default_factory=dict)

    def index(self, num_shards: int, crcs: np.ndarray[Any, np.dtype[np.uint32]]) -> bytes:
        """The index file, with the masked crcs given by position in `order`."""
        if self.full:
            return encode_index(self._entries(crcs), num_shards)
        image = self._images.get(num_shards)
        if image is not None:
            patched = image.with_crcs(crcs)
            if patched is not None:
                return patched
        columns = EntryColumns(self.dtypes, self.shapes, self.shards, self.offsets, self.sizes, crcs.astype(np.int64))
        image = IndexImage(self.keys, columns, num_shards)
        if crcs.all():
            self._images[num_shards] = image
        return image.table

    def _entries(self, crcs: np.ndarray[Any, np.dtype[np.uint32]]) -> list[tuple[bytes, Entry]]:
        """(key, entry) of all rows and of partitioned tensors as wholes, sorted as the index wants it."""
        columns = (self.keys, self.dtypes, self.shapes, self.shards.tolist(), self.offsets.tolist(), self.sizes.tolist(), crcs.tolist())
        return sorted([(key, Entry(*entry)) for key, *entry in zip(*columns, strict=True)] + self.full, key=operator.itemgetter(0))

    def meta(self, devices: list[str]) -> bytes:
        """The `.meta` file, with the device that each position of `order` lives on; a partitioned tensor is where its first part is."""
        key = tuple(devices)
        known = self._metas.get(key)
        if known is None:
            names, dtypes, shapes = self.names, self.dtypes, self.shapes
            if self.full:
                whole = {name.decode("utf-8", "surrogateescape"): entry.shape for name, entry in self.full}
                first = {name: position for position, name in reversed(list(enumerate(names)))}
                positions = sorted(first.values())
                names, dtypes = [names[position] for position in positions], [dtypes[position] for position in positions]
                devices = [devices[position] for position in positions]
                shapes = [whole.get(name, self.shapes[first[name]]) for name in names]
            known = encode_meta(names, dtypes, shapes, devices)
            self._metas.clear()  # placements seldom change; one is enough
            self._metas[key] = known
        return known


_plans: OrderedDict[object, SavePlan] = OrderedDict()
_plans_lock = threading.Lock()
_PLANS_KEPT = 4


def plan_save(source: Source, *, alignment_bytes: int, shards: int | Mapping[str, int | Sequence[int]]) -> SavePlan:
    """Plans a save, or remembers the plan of an equal one. Opens no file and touches no device.

    Args:
        source: what to save.
        alignment_bytes: each tensor begins at a multiple of it; 1 is TensorFlow's way.
        shards: how many data files at most, of about equal sizes and none of them empty, or the number of each tensor's, or of each of its parts.

    Raises:
        InvalidArgumentError: an alignment or number of shards out of range.
    """
    if not isinstance(alignment_bytes, int) or not 1 <= alignment_bytes <= 1 << 30 or alignment_bytes & (alignment_bytes - 1):
        raise InvalidArgumentError(f"alignment_bytes is {alignment_bytes!r}; expected a power of two from 1 to {1 << 30}")
    numbers = _check_shards(source.names, shards)
    key = (
        tuple(source.names), tuple(source.dtypes), tuple(source.shapes), tuple(source.sizes) if source.string_crcs else None,
        tuple(source.slices.items()), tuple(source.full_shapes.items()), alignment_bytes, numbers,
    )  # fmt: skip
    with _plans_lock:
        known = _plans.get(key)
        if known is not None:
            _plans.move_to_end(key)
            return known
    plan = _plan(source, alignment_bytes, numbers)
    with _plans_lock:
        _plans[key] = plan
        while len(_plans) > _PLANS_KEPT:
            _plans.popitem(last=False)
    return plan


def _plan(source: Source, alignment: int, shards: int | tuple[int, ...]) -> SavePlan:
    encoded = [name.encode("utf-8", "surrogateescape") for name in source.names]
    if len(set(encoded)) != len(set(source.names)):
        names = sorted(set(source.names), key=lambda name: name.encode("utf-8", "surrogateescape"))
        alike = next(pair for pair in itertools.pairwise(names) if len({name.encode("utf-8", "surrogateescape") for name in pair}) == 1)
        raise InvalidArgumentError(f"tensor names {alike[0]!r} and {alike[1]!r} are the same bytes in the file; rename one of them")
    order = sorted(range(len(encoded)), key=encoded.__getitem__)  # stable: parts of one tensor stay in the order given, as in SaveV2
    keys = [encode_slice_key(source.names[row], source.slices[row]) if row in source.slices else encoded[row] for row in order]
    kinds = {dtype: dtype_of(dtype) for dtype in set(source.dtypes)}
    sizes = np.array([source.sizes[row] for row in order], np.int64)
    shard = _cut(sizes, shards) if isinstance(shards, int) else np.array([shards[row] for row in order], np.int64)
    offsets = np.zeros(len(order), np.int64)
    shard_sizes = []
    for number in range(int(shard.max()) + 1 if len(order) else 1):
        mine = np.flatnonzero(shard == number)
        padded = -(-sizes[mine] // alignment) * alignment
        ends = np.cumsum(padded)
        offsets[mine] = ends - padded
        shard_sizes.append(int(offsets[mine[-1]] + sizes[mine[-1]]) if len(mine) else 0)
    stored = np.flatnonzero(sizes)
    if len(shard_sizes) > 1:
        stored = stored[np.argsort(shard[stored], kind="stable")]
    full = [(name.encode("utf-8", "surrogateescape"), entry) for name, entry in _wholes(source, kinds, dict(zip(order, shard.tolist(), strict=True)))]
    return SavePlan(
        order=order, stored=stored, layout=Layout(shard[stored], offsets[stored], sizes[stored]), shard_sizes=shard_sizes, keys=keys,
        names=[source.names[row] for row in order], dtypes=[kinds[source.dtypes[row]] for row in order],
        shapes=[source.shapes[row] for row in order], shards=shard, offsets=offsets, sizes=sizes, full=full,
    )  # fmt: skip


def _wholes(source: Source, kinds: Mapping[np.dtype[Any], DType], shards: Mapping[int, int]) -> Iterator[tuple[str, Entry]]:
    """The names of partitioned tensors, and their entries as wholes, which TensorFlow says are in the first data file that has a part."""
    rows: dict[str, list[int]] = {}
    for row in source.slices:
        rows.setdefault(source.names[row], []).append(row)
    for name, mine in rows.items():
        mine.sort(key=shards.__getitem__)
        parts = tuple(source.slices[row] for row in mine)
        yield name, Entry(kinds[source.dtypes[mine[0]]], source.full_shapes[name], shards[mine[0]], 0, 0, 0, parts)


def _check_shards(names: list[str], shards: int | Mapping[str, int | Sequence[int]]) -> int | tuple[int, ...]:
    """How many data files there may be, or the number of each row's."""
    if not isinstance(shards, Mapping):
        if not isinstance(shards, int) or not 1 <= shards < MAX_SHARDS:
            raise InvalidArgumentError(f"shards is {shards!r}; expected 1 to {MAX_SHARDS - 1}, or a dict of them by name")
        return shards
    missing = [name for name in names if name not in shards]
    if missing:
        raise InvalidArgumentError(f"shards names no data file for {len(missing)} tensors, {missing[0]!r} first")
    numbers: list[Any] = []
    for name, rows in itertools.groupby(names):
        found = shards[name]
        count = len(list(rows))
        parts = list(found) if isinstance(found, (list, tuple)) and count > 1 else [found] * count
        if len(parts) != count or not all(isinstance(number, int) and 0 <= number < MAX_SHARDS - 1 for number in parts):
            raise InvalidArgumentError(
                f"shards has data file {found!r} for tensor {name!r}; expected an int from 0 to {MAX_SHARDS - 2}, or one a part"
            )
        numbers += parts
    return tuple(numbers)


def _cut(sizes: Int64s, shards: int) -> Int64s:
    """The data file of each position: runs of about equal bytes."""
    middles = np.cumsum(sizes) - sizes / 2
    wanted = np.minimum((middles * shards / max(int(sizes.sum()), 1)).astype(np.int64), shards - 1)
    used = np.unique(wanted[sizes > 0])  # no file stays empty
    return np.maximum(np.searchsorted(used, wanted, side="right") - 1, 0)
