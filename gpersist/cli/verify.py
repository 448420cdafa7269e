"""`gpersist verify`: is a checkpoint whole?"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from gpersist import files
from gpersist.bundle import meta_path, read_index
from gpersist.checkpoint import DAMAGE, CheckpointReader, Verified, damaged_tensors, locate, verify
from gpersist.cli.listing import is_bundle
from gpersist.cli.model_file import read_model, saved_model_in, saved_model_of
from gpersist.cli.output import add_json, amount, counted, printable, progress, rate, write_error, write_json, write_line
from gpersist.errors import DataLossError, GPersistError, NotACheckpointError

_MAX_TOLD = 20
_WORTH_TIMING_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class _Report:
    prefix: str
    status: str  # "whole", "damaged", "unknown"
    num_tensors: int | None = None
    total_bytes: int | None = None
    duration_s: float | None = None
    num_nodes: int | None = None  # of a file with a graph, and no checkpoint
    error: str | None = None
    damaged: Mapping[str, str] = dataclasses.field(default_factory=dict)  # what is wrong with each tensor, by name


_EXAMPLES = """\
examples:
  gpersist verify run                   a folder's newest checkpoint
  gpersist verify run --all             all checkpoints of a folder
  gpersist verify run/ckpt-100 --quick  without reading the tensors
  gpersist verify export/1              a SavedModel: its graph as well"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "verify",
        help="read every byte of checkpoints, and check it",
        description="Read every byte of checkpoints and hold it against the checksums; the graph beside them (.meta, saved_model.pb), which has "
        "none, must be one. Exit status 1: one is damaged; the damaged tensors are named, with file and offset.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "prefixes", metavar="PREFIX", nargs="+", help="a checkpoint's prefix, any of its files, or a folder, which means its newest one; a .pb"
    )
    parser.add_argument("--all", action="store_true", help="a folder means all checkpoints in it")
    parser.add_argument("--quick", action="store_true", help="check the index and the files' sizes only")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the command."""
    reports = []
    for path in arguments.prefixes:
        for report in _verify_path(path, is_all=arguments.all, contents=not arguments.quick):
            reports.append(report)
            if not arguments.json:
                _tell(report, arguments.quick)
    if arguments.json:
        write_json({"whole": all(report.status == "whole" for report in reports), "checkpoints": [dataclasses.asdict(report) for report in reports]})
    statuses = {report.status for report in reports}
    return 1 if "damaged" in statuses else 2 if "unknown" in statuses else 0


def _verify_path(path: str, *, is_all: bool, contents: bool) -> Iterator[_Report]:
    try:
        prefixes = _all_in(path) if is_all and os.path.isdir(path) else []
        prefixes = prefixes or [locate(path)]
    except GPersistError as error:
        is_damaged = isinstance(error, DataLossError) and not isinstance(error, NotACheckpointError)  # the state file, as `gpersist show` tells it
        yield _verify_graph(path) if _is_graph(path) else _Report(path, "damaged" if is_damaged else "unknown", error=error.message)
        return
    for prefix in prefixes:
        yield _verify(prefix, contents)


def _is_graph(path: str) -> bool:
    return (os.path.isfile(path) and path.endswith((".pb", ".pbtxt"))) or saved_model_in(path) is not None


def _verify_graph(path: str) -> _Report:
    try:
        file, metas = read_model(path)
    except GPersistError as error:
        return _Report(path, "damaged" if isinstance(error, DAMAGE) else "unknown", error=error.message)
    return _Report(file, "whole", num_nodes=sum(len(meta.graph_def.node) for meta in metas))


def _all_in(folder: str) -> list[str]:
    """The checkpoints of a folder, the oldest first."""
    system = files.active()
    names = [name for name in system.names(folder) if name.endswith(".index") and not name.startswith(".")]
    found = [(system.stat(os.path.join(folder, name)), name) for name in names]
    return [os.path.join(folder, name.removesuffix(".index")) for _, name in sorted((stat.st_mtime_ns if stat else 0, name) for stat, name in found)]


def _verify(prefix: str, contents: bool) -> _Report:
    """Looks at a checkpoint and at the graphs beside it: the `.meta`, or a SavedModel's."""
    graphs = [_verify_graph(file) for file in (meta_path(prefix), saved_model_of(prefix)) if file and os.path.isfile(file)]
    errors = [graph.error for graph in graphs if graph.error]
    started = time.perf_counter()
    found, damaged = None, {}
    try:
        found = _verify_tensors(prefix, contents)
    except GPersistError as error:
        if not isinstance(error, DAMAGE):
            return _Report(prefix, "unknown", error=error.message)
        damaged = _all_damaged(prefix, contents)
        errors.insert(0, _told(prefix, damaged) if len(damaged) > 1 else error.message)
    if found is None or errors:
        return _Report(prefix, "damaged", error="\n".join(errors), damaged=damaged)
    return _Report(prefix, "whole", found.num_tensors, found.total_bytes, time.perf_counter() - started)


def _all_damaged(prefix: str, contents: bool) -> dict[str, str]:
    """Empty where no tensor can be told from another: without an index."""
    try:
        with progress(f"looking for all that is damaged in {prefix}", _total_bytes(prefix) if contents else 0) as on_progress:
            return damaged_tensors(prefix, contents=contents, on_progress=on_progress)
    except GPersistError:
        return {}


def _told(prefix: str, damaged: Mapping[str, str]) -> str:
    """A line a tensor, and what all of them say is to be done once; of tensors that lack one and the same thing, such as a file, one line."""
    total = len(read_index(prefix)) if is_bundle(prefix) else None
    parts = {name: error.rpartition("; ") for name, error in damaged.items()}
    cures = {cure for _, _, cure in parts.values()}
    names: dict[str, list[str]] = {}
    for name, (what, sign, cure) in parts.items():
        names.setdefault(what if len(cures) == 1 else what + sign + cure, []).append(name)
    lines = [what if len(alike) == 1 else f"{what} ({counted(len(alike), 'tensor')}: {_some(alike)})" for what, alike in names.items()]
    if len(lines) > _MAX_TOLD:
        lines[_MAX_TOLD:] = [f"and {counted(len(lines) - _MAX_TOLD, 'tensor')} more"]
    lines += cures if len(cures) == 1 else []
    if total is not None and len(damaged) < total:
        lines.append(f"gpersist convert {prefix} NEW --skip-damaged writes the {total - len(damaged):,} that are whole")
    return "\n  ".join([f"{prefix!r}: {len(damaged):,}{f' of {total:,}' if total else ''} tensors", *lines])


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3])) + ", ..." * (len(names) > 3)


def _total_bytes(prefix: str) -> int:
    if is_bundle(prefix):
        return int(read_index(prefix).ranges().columns.sizes.sum())
    with CheckpointReader(prefix) as reader:
        return sum(stored.size_bytes for stored in reader.values())


def _verify_tensors(prefix: str, contents: bool) -> Verified:
    with progress(f"verifying {prefix}", _total_bytes(prefix) if contents else 0) as on_progress:
        return verify(prefix, contents=contents, on_progress=on_progress)


def _tell(report: _Report, is_quick: bool) -> None:
    if report.num_nodes is not None:
        write_line(f"{printable(report.prefix)}: a graph, whole; {counted(report.num_nodes, 'node')}")
        return
    if report.total_bytes is None or report.duration_s is None or report.num_tensors is None:
        error = report.error or ""
        write_error("damaged" if report.status == "damaged" else "error", error if report.prefix in error else f"{report.prefix}: {error}")
        return
    speed = f", {rate(report.total_bytes, report.duration_s)}" if report.total_bytes >= _WORTH_TIMING_BYTES else ""
    read = "index and sizes fit" if is_quick else f"whole, read in {report.duration_s:.2f} s{speed}"
    write_line(f"{printable(report.prefix)}: {read}; {counted(report.num_tensors, 'tensor')}, {amount(report.total_bytes)}")
