"""`gpersist show`: what is in a checkpoint."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import fnmatch
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import nearest
from gpersist.checkpoint import OBJECT_GRAPH_KEY, CheckpointReader
from gpersist.cli.listing import Listed, Listing, ShortFile, list_checkpoint, short_files, total_bytes
from gpersist.cli.objects import show_objects
from gpersist.cli.output import Column, add_json, add_tag_set, amount, counted, printable, write_error, write_json, write_line, write_table
from gpersist.errors import TensorNotFoundError

_MAX_DEPTH = 32
"""Of a tree; a name with more parts keeps the rest of them together."""

_SORTS = {
    "name": lambda tensor: tensor.name,
    "size": lambda tensor: (-tensor.size_bytes, tensor.name),
    "device": lambda tensor: (tensor.device, tensor.name),
}

_COLUMNS = (
    Column("tensor", folds=True),
    Column("dtype"),
    Column("shape", folds=True),
    Column("size", is_number=True),
    Column("device", folds=True, style="cyan"),
    Column("shard", is_number=True, is_extra=True),
    Column("crc32c", is_extra=True),
)


_EXAMPLES = """\
examples:
  gpersist show run                               a folder's newest checkpoint
  gpersist show run/ckpt-100 --tree 'dense_*'     a part of it, as a tree
  gpersist show run/ckpt-100 --sort size          the largest tensors first
  gpersist show run --values dense_0/bias --full  one tensor, all its values
  gpersist show export/1 --signatures             what a SavedModel offers
  gpersist show export/1 --ops                    what a SavedModel needs to run"""


_USAGE = """gpersist show [-h]
                     [--table | --tree | --objects | --values NAME | --ops |
                      --signatures]
                     [--sort {name,size,device}] [--tag-set TAG[,TAG...]]
                     [--full] [--json]
                     PREFIX [NAME ...]"""
"""argparse would not break the line of the forms."""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "show",
        usage=_USAGE,
        help="what is in a checkpoint: names, dtypes, shapes, devices",
        description="List a checkpoint's tensors, or print the values of one. Touches no device. A narrow terminal has no room for crc32c and "
        "shard. Exit status 1: data files are missing or cut short; gpersist verify reads them.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("prefix", metavar="PREFIX", help="a checkpoint's prefix, any of its files, or its folder")
    parser.add_argument(
        "patterns", metavar="NAME", nargs="*", default=[], help="only these: names, scopes (dense means dense/... too), patterns with * ? [...]"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--table", action="store_true", help="one line a tensor (the default)")
    form.add_argument("--tree", action="store_true", help="a tree by the names' parts")
    form.add_argument("--objects", action="store_true", help="of a checkpoint of TensorFlow 2's objects: values and slots by their paths")
    form.add_argument("--values", metavar="NAME", help="print the values of this tensor")
    form.add_argument("--ops", action="store_true", help="operations that a model needs, which are missing; PREFIX may be a .pb or a SavedModel, too")
    form.add_argument("--signatures", action="store_true", help="of a SavedModel: what its graphs offer, with keys, dtypes and shapes")
    parser.add_argument("--sort", choices=list(_SORTS), default="name", help="order of the table (default: name; size: the largest first)")
    add_tag_set(parser)
    parser.add_argument("--full", action="store_true", help="with --values: all of them, however many")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    if arguments.ops:
        from gpersist.cli.operations import show_operations  # only here are all operations needed, which take a while to import

        return show_operations(arguments.prefix, arguments.json)
    if arguments.signatures:
        from gpersist.cli.signatures import show_signatures  # likewise

        return show_signatures(arguments.prefix, arguments.tag_set, arguments.json)
    with CheckpointReader(arguments.prefix) as reader:
        if arguments.values is not None:
            _show_values(reader, arguments.values, arguments.full, arguments.json)
            return 0
        if arguments.objects:
            return show_objects(reader, arguments.patterns, _matches, arguments.json)
        names = _select(reader, arguments.patterns) if arguments.patterns else None
        listing = list_checkpoint(reader, arguments.tag_set, names)
    tensors = listing.tensors
    tensors.sort(key=_SORTS[arguments.sort])
    short = short_files(listing)
    if arguments.json:
        write_json(_to_json(listing, tensors, short))
        return 1 if short else 0
    if arguments.tree:
        for line in _tree(tensors):
            write_line(line)
    else:
        write_table(_COLUMNS, [_row(tensor) for tensor in tensors])
    write_line()
    for line in _totals(listing, tensors):
        write_line(line)
    if short:
        write_error(
            "damaged", f"data files do not hold what the index says: {'; '.join(map(_short, short))}; restore an older checkpoint, or copy them again"
        )
    return 1 if short else 0


def _short(file: ShortFile) -> str:
    lost = f"without {counted(len(file.tensors), 'tensor')}: {', '.join(map(repr, file.tensors[:3]))}{', ...' * (len(file.tensors) > 3)}"
    if file.size_bytes is None:
        return f"{file.file!r} is missing, {lost}"
    return f"{file.file!r} has {file.size_bytes:,} of {file.needed_bytes:,} bytes, {lost}"


def _select(reader: CheckpointReader, patterns: Sequence[str]) -> set[str]:
    scopes = tuple(pattern.rstrip("/") + "/" for pattern in patterns)
    match = re.compile("|".join(map(fnmatch.translate, patterns))).match
    chosen = {name for name in reader if name in patterns or name.startswith(scopes) or match(name)}
    if not chosen:
        raise TensorNotFoundError(
            f"no tensor of {reader.prefix!r} is named {' or '.join(map(repr, patterns))}; it holds {counted(len(reader), 'tensor')}"
            f"{nearest(patterns[0], reader)}"
        )
    return chosen


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or name.startswith(pattern.rstrip("/") + "/") or fnmatch.fnmatchcase(name, pattern)


def _row(tensor: Listed) -> tuple[str, ...]:
    return (
        printable(tensor.name),
        tensor.dtype.name,
        str(list(tensor.shape)),
        amount(tensor.size_bytes),
        printable(_device(tensor)) or "-",
        _shards(tensor),
        _crc(tensor),
    )


def _device(tensor: Listed) -> str:
    devices = {place.device for place in tensor.places}
    return f"{len(devices)} devices" if len(devices) > 1 else tensor.device


def _shards(tensor: Listed) -> str:
    shards = sorted({place.entry.shard for place in tensor.places})
    if not shards:
        return "-"
    return str(shards[0]) if len(shards) == 1 else f"{shards[0]}-{shards[-1]}"


def _crc(tensor: Listed) -> str:
    if len(tensor.places) == 1 and tensor.places[0].part is None:
        return f"0x{tensor.places[0].entry.crc:08x}"
    return f"{len(tensor.places)} slices" if tensor.places else "-"


def _totals(listing: Listing, tensors: Sequence[Listed]) -> Iterator[str]:
    size_bytes = total_bytes(tensors)
    part = "" if len(tensors) == listing.num_tensors else f" of {listing.num_tensors:,}"
    kind = "V1" if listing.num_shards is None else f"V2, {counted(listing.num_shards, 'shard')}"
    yield f"{printable(listing.prefix)} ({kind}): {counted(len(tensors), 'tensor')}{part}, {amount(size_bytes)} ({size_bytes:,} bytes)"
    if any(tensor.name == OBJECT_GRAPH_KEY for tensor in tensors):
        yield "  of objects, as TensorFlow 2 saves them: --objects lists them by path"
    devices = _by_device(tensors)
    if listing.graph:
        tags, others = listing.graph
        more = f"; --tag-set chooses another: {printable('; '.join(others))}" if others else ""
        yield f"  {'devices as in' if any(devices) else 'no devices in'} the SavedModel's graph {printable(tags)!r}{more}"
    if any(devices):
        for device, (count, device_bytes) in devices.items():
            yield f"  {printable(device) or 'no device recorded'}: {counted(count, 'tensor')}, {amount(device_bytes)}"


def _by_device(tensors: Iterable[Listed]) -> dict[str, tuple[int, int]]:
    counts: collections.Counter[str] = collections.Counter()
    sizes: collections.Counter[str] = collections.Counter()
    for tensor in tensors:
        counts.update({place.device for place in tensor.places} or {tensor.device})
        for place in tensor.places:
            sizes[place.device] += place.entry.size_bytes
        if not tensor.places:
            sizes[tensor.device] += tensor.size_bytes
    return {device: (counts[device], sizes[device]) for device in sorted(counts)}


def _tree(tensors: Iterable[Listed]) -> Iterator[str]:
    """Lines of a tree by the parts of names; scopes end in a slash."""
    root: dict[str, Any] = {}
    for tensor in tensors:
        *scopes, last = tensor.name.split("/", _MAX_DEPTH)
        node = root
        for scope in scopes:
            node = node.setdefault(scope + "/", {})
        node[last] = tensor
    can_draw = (sys.stdout.encoding or "").lower().startswith("utf")
    yield from _branches(root, "", ("├── ", "└── ", "│   ") if can_draw else ("|-- ", "`-- ", "|   "))


def _branches(node: dict[str, Any], indent: str, signs: tuple[str, str, str]) -> Iterator[str]:
    between, last, along = signs
    for number, (label, child) in enumerate(node.items(), 1):
        is_last = number == len(node)
        head = indent + (last if is_last else between) + printable(label)
        if isinstance(child, dict):
            inside = list(_leaves(child))
            yield f"{head}  ({counted(len(inside), 'tensor')}, {amount(total_bytes(inside))})"
            yield from _branches(child, indent + ("    " if is_last else along), signs)
        else:
            device = f"  {printable(_device(child))}" if child.device else ""
            yield f"{head}  {child.dtype.name}{list(child.shape)}  {amount(child.size_bytes)}{device}"


def _leaves(node: dict[str, Any]) -> Iterator[Listed]:
    for child in node.values():
        if isinstance(child, dict):
            yield from _leaves(child)
        else:
            yield child


def _to_json(listing: Listing, tensors: Sequence[Listed], short: Sequence[ShortFile]) -> dict[str, Any]:
    return {
        "prefix": listing.prefix,
        "format": listing.format,
        "num_shards": listing.num_shards,
        "num_tensors": len(tensors),
        "total_bytes": total_bytes(tensors),
        "devices": {device: {"tensors": count, "bytes": size_bytes} for device, (count, size_bytes) in _by_device(tensors).items()},
        "short_files": [dataclasses.asdict(file) for file in short],
        "tensors": [
            {
                "name": tensor.name,
                "dtype": tensor.dtype.name,
                "shape": list(tensor.shape),
                "size_bytes": tensor.size_bytes,
                "device": tensor.device or None,
                "stored": [
                    {
                        "slice": None if place.part is None else str(place.part),
                        "file": place.file,
                        "shard": place.entry.shard,
                        "offset": place.entry.offset,
                        "size_bytes": place.entry.size_bytes,
                        "crc32c": f"0x{place.entry.crc:08x}",
                        "device": place.device or None,
                    }
                    for place in tensor.places
                ],
            }
            for tensor in tensors
        ],
    }


def _show_values(reader: CheckpointReader, name: str, is_full: bool, as_json: bool) -> None:
    stored = reader[name]
    values = stored.read()
    if as_json:
        write_json({"prefix": reader.prefix, "name": name, "dtype": stored.dtype.name, "shape": list(stored.shape), "values": _plain(values)})
        return
    write_line(f"{printable(name)}  {stored.dtype.name}{list(stored.shape)}")
    threshold = sys.maxsize if is_full else 1000
    write_line(np.array2string(values, threshold=threshold, max_line_width=shutil.get_terminal_size().columns, separator=" "))


def _plain(values: np.ndarray[Any, Any]) -> Any:
    """Values as JSON can hold them: complex numbers as pairs, bytes as text, what is no finite number as "nan", "inf" or "-inf"."""
    if values.dtype.names:  # TensorFlow's quantised types: records of one field
        values = values[values.dtype.names[0]]
    if values.dtype == object:
        flat: list[Any] = [item.decode("utf-8", "surrogateescape") for item in values.reshape(-1).tolist()]
    elif values.dtype.kind == "c":
        flat = [[_number(item.real), _number(item.imag)] for item in values.reshape(-1).tolist()]
    elif values.dtype.kind in "biu":
        flat = values.reshape(-1).tolist()
    else:
        flat = [_number(item) for item in values.astype(np.float64).reshape(-1).tolist()]
    return _nested(flat, values.shape)


def _number(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def _nested(flat: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0] if shape[0] else 0
    return [_nested(flat[number * step : (number + 1) * step], shape[1:]) for number in range(shape[0])]
