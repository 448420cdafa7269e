"""What commands write: tables, JSON, errors, a progress bar.

Tables and JSON go to stdout, all else to stderr. On a terminal, tables are coloured and fold what is too long; elsewhere they are plain columns, as
wide as they need be, and there is no progress bar. Rich is imported only when a terminal needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

_MAX_RICH_ROWS = 500
"""Rich takes 0.7 ms a row: 14 s for 20,000."""

_OPTIONS = {
    "placement or clear_devices=True": "--map, --placement or --clear-devices",
    "clear_devices=True": "--clear-devices",
    "placement={'/device:GPU:1': '/device:GPU:0', 'layer1/*': 'host'} or a policy": "--map /gpu:1=/gpu:0, --map 'layer1/*=host' or a --placement",
    "placement='recorded'": "--placement recorded",
    "placement='balanced' or 'sequential'": "--placement balanced or sequential",
    " (a Saver's restore calls it device_map)": "",
    "(to='v2' makes": "(--to v2 makes",
    "lossy=True has it done": "--lossy has it done",
    "dtypes has ": "--dtype is ",
    "with meta= where": "with --meta where",
    "with outputs= what": "with --outputs what",
}
"""What the library's messages say in Python's words, in the command line's."""

_GAP = 2
"""Blanks between columns."""

_LONG_BYTES = 64 << 20
"""What takes long enough for a progress bar."""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        title: its heading.
        is_number: flush right.
        folds: cells may go over several lines where the terminal is too narrow.
        is_extra: left out where the terminal is too narrow, the last such column first.
        style: Rich's, for terminals.
    """

    title: str
    is_number: bool = False
    folds: bool = False
    is_extra: bool = False
    style: str = ""


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help="write JSON: everything, exact")


def add_tag_set(parser: argparse.ArgumentParser) -> None:
    """Adds `--tag-set`."""
    parser.add_argument("--tag-set", metavar="TAG[,TAG...]", help="which graph of a SavedModel (default: the one tagged serve, or the only one)")


def printable(text: str) -> str:
    """Text of a file as it may go to a terminal: what is no printable character, such as an escape sequence's, is written out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def amount(size_bytes: int) -> str:
    """`1.5 GiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size_bytes} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def percent(part: int, whole: int) -> str:
    """`61 %`, `<1 %`; `-` of nothing."""
    return "-" if whole <= 0 else "<1 %" if 0 < part * 200 < whole else f"{100 * part / whole:.0f} %"


def rate(size_bytes: int, duration_s: float) -> str:
    """`1.52 GB/s`, of 10**9 bytes."""
    return f"{size_bytes / max(duration_s, 1e-9) / 1e9:.2f} GB/s"


def counted(count: int, noun: str) -> str:
    """`1 tensor`, `1,000 tensors`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def write_line(text: str = "") -> None:
    """Writes lines of text to stdout."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """Writes JSON to stdout, in ASCII; bytes in names that are no UTF-8 are lone surrogates, as `os.fsdecode` makes them."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def in_options(text: str) -> str:
    """A message of the library in the command line's words."""
    for python, option in _OPTIONS.items():
        text = text.replace(python, option)
    return text


def write_error(kind: str, text: str) -> None:
    """Writes `gpersist: error: ...` to stderr, in the command line's words."""
    lines = "\n".join(map(printable, in_options(text).split("\n")))
    sys.stderr.write(f"gpersist: {kind}: {lines}\n")


def write_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Writes a table to stdout; cells are printable."""
    if sys.stdout.isatty() and len(rows) <= _MAX_RICH_ROWS:
        _write_rich(columns, rows)
    else:
        _write_plain(columns, rows)


@contextlib.contextmanager
def progress(what: str, total_bytes: int) -> Iterator[Callable[[int], None] | None]:
    """A bar with GB/s on stderr, for what is long, on a terminal; gives what to call with the bytes of each piece, from any thread."""
    if total_bytes < _LONG_BYTES or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(printable(what), total=total_bytes)
        yield lambda size_bytes: bar.advance(task, size_bytes)


def _write_rich(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    widths = [max(map(cell_len, (column.title, *cells))) for column, *cells in zip(columns, *rows, strict=True)]
    kept = list(range(len(columns)))
    for number in reversed(range(len(columns))):
        if columns[number].is_extra and sum(widths[other] + _GAP for other in kept) - _GAP > console.width:
            kept.remove(number)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for column in (columns[number] for number in kept):
        table.add_column(column.title, justify="right" if column.is_number else "left", no_wrap=not column.folds, overflow="fold", style=column.style)
    for row in rows:
        table.add_row(*(Text(row[number]) for number in kept))
    console.print(table)


def _write_plain(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    lines = [tuple(column.title for column in columns), *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.rjust(width) if column.is_number else cell.ljust(width) for column, cell, width in zip(columns, line, widths, strict=True))
        write_line((" " * _GAP).join(cells).rstrip())
