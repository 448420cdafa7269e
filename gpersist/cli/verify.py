"""`gpersist verify`: is a checkpoint whole?"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from collections.abc import Iterator
from typing import Any

from gpersist import files
from gpersist.bundle import read_index
from gpersist.checkpoint import CheckpointReader, Verified, locate, verify
from gpersist.cli.listing import is_bundle
from gpersist.cli.output import add_json, amount, counted, printable, progress, rate, write_error, write_json, write_line
from gpersist.errors import CheckpointNotFoundError, DataLossError, FileError, GPersistError

_DAMAGE = (DataLossError, CheckpointNotFoundError, FileError)
"""What is wrong with a checkpoint that is there; whatever else is raised says that it could not be looked at."""

_WORTH_TIMING_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class _Report:
    prefix: str
    status: str  # "whole", "damaged", "unknown"
    num_tensors: int | None = None
    total_bytes: int | None = None
    duration_s: float | None = None
    error: str | None = None


_EXAMPLES = """\
examples:
  gpersist verify run                   a folder's newest checkpoint
  gpersist verify run --all             all checkpoints of a folder
  gpersist verify run/ckpt-100 --quick  without reading the tensors"""


def register(commands: Any) -> None:
    """Adds the command to the parser."""
    parser = commands.add_parser(
        "verify",
        help="read every byte of checkpoints, and check it",
        description="Read every byte of checkpoints and hold it against the checksums. Exit status 1: one is damaged; the first damaged tensor met "
        "is named, with its file and offset.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "prefixes", metavar="PREFIX", nargs="+", help="a checkpoint's prefix, any of its files, or a folder, which means its newest one"
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
        yield _Report(path, "unknown", error=error.message)
        return
    for prefix in prefixes:
        started = time.perf_counter()
        try:
            found = _verify(prefix, contents)
        except GPersistError as error:
            yield _Report(prefix, "damaged" if isinstance(error, _DAMAGE) else "unknown", error=error.message)
        else:
            yield _Report(prefix, "whole", found.num_tensors, found.total_bytes, time.perf_counter() - started)


def _all_in(folder: str) -> list[str]:
    """The checkpoints of a folder, the oldest first."""
    system = files.active()
    names = [name for name in system.names(folder) if name.endswith(".index") and not name.startswith(".")]
    found = [(system.stat(os.path.join(folder, name)), name) for name in names]
    return [os.path.join(folder, name.removesuffix(".index")) for _, name in sorted((stat.st_mtime_ns if stat else 0, name) for stat, name in found)]


def _verify(prefix: str, contents: bool) -> Verified:
    what = f"verifying {prefix}"
    if is_bundle(prefix):
        with progress(what, int(read_index(prefix).ranges().columns.sizes.sum()) if contents else 0) as on_progress:
            return verify(prefix, contents=contents, on_progress=on_progress)
    with CheckpointReader(prefix) as reader:  # V1: what can be read has passed its blocks' checksums
        sizes = {name: stored.size_bytes for name, stored in reader.items()}
        with progress(what, sum(sizes.values()) if contents else 0) as on_progress:
            for name, size_bytes in sizes.items() if contents else ():
                reader[name].read()
                if on_progress:
                    on_progress(size_bytes)
        return Verified(prefix, len(sizes), sum(sizes.values()))


def _tell(report: _Report, is_quick: bool) -> None:
    if report.total_bytes is None or report.duration_s is None or report.num_tensors is None:
        error = report.error or ""
        write_error("damaged" if report.status == "damaged" else "error", error if report.prefix in error else f"{report.prefix}: {error}")
        return
    speed = f", {rate(report.total_bytes, report.duration_s)}" if report.total_bytes >= _WORTH_TIMING_BYTES else ""
    read = "index and sizes fit" if is_quick else f"whole, read in {report.duration_s:.2f} s{speed}"
    write_line(f"{printable(report.prefix)}: {read}; {counted(report.num_tensors, 'tensor')}, {amount(report.total_bytes)}")
