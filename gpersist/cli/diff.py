"""`gpersist diff`: what differs between two checkpoints. Tensors are in memory in batches of 64 MiB, or one at a time where one is larger."""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.checkpoint import CheckpointReader, load
from gpersist.cli.listing import Listed, list_checkpoint
from gpersist.cli.output import Column, add_json, counted, printable, progress, write_json, write_line, write_table

_BATCH_BYTES = 64 << 20

_BLOCK_ELEMENTS = 1 << 20
"""Compared at once, so that the copies in float64 stay small."""

_COLUMNS = (Column("tensor", folds=True), Column("difference", folds=True))

Array = np.ndarray[Any, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Values:
    """Of two tensors: elements, how many of them differ, and by how much at most; None where they are no numbers, or there is none that differs."""

    elements: int
    differing: int
    max_abs_difference: float | int | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Difference:
    """What differs of a tensor that both hold: (in A, in B) of each property that does."""

    name: str
    dtype: tuple[str, str] | None = None
    shape: tuple[list[int], list[int]] | None = None
    device: tuple[str, str] | None = None
    values: _Values | None = None

    def to_json(self) -> dict[str, Any]:
        result = dataclasses.asdict(self)
        most = self.values.max_abs_difference if self.values else None
        if most is not None and not math.isfinite(most):
            result["values"]["max_abs_difference"] = str(most)
        return result

    def tell(self) -> Iterator[str]:
        if self.dtype:
            yield f"dtype {self.dtype[0]} -> {self.dtype[1]}"
        if self.shape:
            yield f"shape {self.shape[0]} -> {self.shape[1]}"
        if self.device:
            yield f"device {printable(self.device[0])} -> {printable(self.device[1])}"
        if self.values:
            by = "" if self.values.max_abs_difference is None else f", by {self.values.max_abs_difference:.6g} at most"
            yield f"values: {self.values.differing:,} of {self.values.elements:,} differ{by}"


_EXAMPLES = """\
examples:
  gpersist diff run/ckpt-90 run/ckpt-100
  gpersist diff a b --rtol 1e-6 --ignore-devices && echo the same"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "diff",
        help="what differs between two checkpoints, and by how much",
        description="Compare names, dtypes, shapes, recorded devices and values of two checkpoints. Exit status 1: they differ. Values differ if "
        "|a - b| > atol + rtol * |b|; NaN equals NaN.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("a", metavar="A", help="a checkpoint's prefix, any of its files, or its folder")
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument("--rtol", type=_tolerance, default=0.0, help="relative tolerance (default: 0)")
    parser.add_argument("--atol", type=_tolerance, default=0.0, help="absolute tolerance (default: 0)")
    parser.add_argument("--ignore-devices", action="store_true", help="recorded devices may differ")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    with CheckpointReader(arguments.a) as reader_a, CheckpointReader(arguments.b) as reader_b:
        a, b = list_checkpoint(reader_a), list_checkpoint(reader_b)
    in_a, in_b = ({tensor.name: tensor for tensor in listing.tensors} for listing in (a, b))
    pairs = [(tensor, in_b[name]) for name, tensor in in_a.items() if name in in_b]
    found = [_compare_listed(*pair, with_devices=not arguments.ignore_devices) for pair in pairs]
    values = _compare_values(a.prefix, b.prefix, [pair for pair in pairs if _is_comparable(*pair)], arguments.rtol, arguments.atol)
    found = [dataclasses.replace(difference, values=values.get(difference.name, difference.values)) for difference in found]
    differences = [difference for difference in found if difference != _Difference(difference.name)]
    only_a = [tensor for name, tensor in in_a.items() if name not in in_b]
    only_b = [tensor for name, tensor in in_b.items() if name not in in_a]
    is_equal = not (differences or only_a or only_b)
    if arguments.json:
        write_json(
            {
                "a": a.prefix,
                "b": b.prefix,
                "rtol": arguments.rtol,
                "atol": arguments.atol,
                "equal": is_equal,
                "only_in_a": [tensor.name for tensor in only_a],
                "only_in_b": [tensor.name for tensor in only_b],
                "differing": [difference.to_json() for difference in differences],
            }
        )
    else:
        rows = [(printable(tensor.name), f"only in A: {tensor.dtype.name}{list(tensor.shape)}") for tensor in only_a]
        rows += [(printable(tensor.name), f"only in B: {tensor.dtype.name}{list(tensor.shape)}") for tensor in only_b]
        rows += [(printable(difference.name), text) for difference in differences for text in difference.tell()]
        if rows:
            write_table(_COLUMNS, rows)
            write_line()
        alike = counted(len(pairs) - len(differences), "tensor")
        write_line(f"A is {printable(a.prefix)}, B is {printable(b.prefix)}")
        write_line(f"{alike} alike, {len(differences):,} differ, {len(only_a):,} only in A, {len(only_b):,} only in B")
    return 0 if is_equal else 1


def _compare_listed(a: Listed, b: Listed, *, with_devices: bool) -> _Difference:
    """All but the values; but those too where no array holds them (variants): the stored bytes, then."""
    is_moved = bool(a.device and b.device and a.device != b.device)
    stored_a, stored_b = ([(place.part, place.entry.size_bytes, place.entry.crc) for place in tensor.places] for tensor in (a, b))
    is_other = a.dtype.numpy is None and a.dtype == b.dtype and a.shape == b.shape and stored_a != stored_b
    return _Difference(
        a.name,
        dtype=(a.dtype.name, b.dtype.name) if a.dtype != b.dtype else None,
        shape=(list(a.shape), list(b.shape)) if a.shape != b.shape else None,
        device=(a.device, b.device) if with_devices and is_moved else None,
        values=_Values(math.prod(a.shape), math.prod(a.shape), None) if is_other else None,
    )


def _is_comparable(a: Listed, b: Listed) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.dtype.numpy is not None


def _compare_values(prefix_a: str, prefix_b: str, pairs: Sequence[tuple[Listed, Listed]], rtol: float, atol: float) -> dict[str, _Values]:
    """What differs, by name."""
    differing = {}
    with progress("comparing", 2 * sum(tensor.size_bytes for tensor, _ in pairs)) as on_progress:
        for names in _batches([tensor for tensor, _ in pairs]):
            arrays_a, arrays_b = (load(prefix, names, placement="host", on_progress=on_progress) for prefix in (prefix_a, prefix_b))
            for name in names:
                values = compare(arrays_a.pop(name), arrays_b.pop(name), rtol, atol)
                if values.differing:
                    differing[name] = values
    return differing


def _batches(tensors: Iterable[Listed]) -> Iterator[list[str]]:
    """Names of tensors that may be in memory together."""
    names: list[str] = []
    size_bytes = 0
    for tensor in tensors:
        if names and size_bytes + tensor.size_bytes > _BATCH_BYTES:
            yield names
            names, size_bytes = [], 0
        names.append(tensor.name)
        size_bytes += tensor.size_bytes
    if names:
        yield names


def compare(a: Array, b: Array, rtol: float, atol: float) -> _Values:
    """Compares two arrays of one shape and dtype, of any kind that a checkpoint holds."""
    if a.dtype.names:  # TensorFlow's quantised types: records of one field
        a, b = a[a.dtype.names[0]], b[b.dtype.names[0]]
    flat_a, flat_b = a.reshape(-1), b.reshape(-1)
    differing, largest = 0, None
    for start in range(0, flat_a.size, _BLOCK_ELEMENTS):
        count, most = _compare_block(flat_a[start : start + _BLOCK_ELEMENTS], flat_b[start : start + _BLOCK_ELEMENTS], rtol, atol)
        differing += count
        if most is not None and (largest is None or not most <= largest):  # NaN, once met, stays
            largest = largest if largest is not None and math.isnan(largest) else most
    return _Values(flat_a.size, differing, largest)


def _compare_block(a: Array, b: Array, rtol: float, atol: float) -> tuple[int, float | int | None]:
    if a.dtype == object:  # strings
        return int(np.count_nonzero(a != b)), None
    if a.dtype.kind in "biu" or a.dtype.name in ("int4", "uint4", "int2", "uint2"):
        return _compare_integers(a, b, rtol, atol)
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity, whose casts warn where the type has none
        a, b = a.astype(wide), b.astype(wide)
        difference = np.abs(a - b)
        alike = (a == b) | (np.isnan(a) & np.isnan(b)) | (difference <= atol + rtol * np.abs(b)) & np.isfinite(difference)
    wrong = difference[~alike]
    return wrong.size, float(wrong.max()) if wrong.size else None


def _compare_integers(a: Array, b: Array, rtol: float, atol: float) -> tuple[int, int | None]:
    if a.dtype.kind not in "iu":
        a, b = a.astype(np.int64), b.astype(np.int64)
    # Modulo 2**64, which is the difference itself: it is never negative, and never as large.
    difference = np.maximum(a, b).astype(np.uint64) - np.minimum(a, b).astype(np.uint64)
    wrong = difference[(difference > atol + rtol * np.abs(b.astype(np.float64))) & (a != b)]
    return wrong.size, int(wrong.max()) if wrong.size else None


def _tolerance(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number, 0 or above")
    return value
