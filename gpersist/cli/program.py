"""The program: its parser, and what becomes of errors.

Exit statuses: 0 well; 1 a checkpoint is damaged, two differ, or one does not fit; 2 wrong usage, nothing there, or a file of another kind; 130
interrupted; 141 whoever read the output has gone.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from gpersist.cli import convert, demo, devices, diff, freeze, place, show, verify
from gpersist.cli.output import write_error
from gpersist.errors import DataLossError, GPersistError, NotACheckpointError
from gpersist.version import __version__

DEBUG_VARIABLE = "GPERSIST_DEBUG"

_COMMANDS = (show, verify, diff, place, convert, freeze, devices, demo)

_EXAMPLES = f"""\
examples:
  gpersist show run/ckpt-100                        what is in it: names, dtypes, shapes, devices
  gpersist show run --tree 'dense_*'                a part of a folder's newest checkpoint, as a tree
  gpersist show run --values dense_0/bias --full    the values of one tensor, all of them
  gpersist verify run --all                         read every byte of all checkpoints of a folder
  gpersist diff run/ckpt-90 run/ckpt-100            what differs, by how much
  gpersist place run/ckpt-100                       where a restore would put it, and whether it fits
  gpersist place run --devices 4x16GiB --svg p.svg  the same on four GPUs that are elsewhere, and a drawing
  gpersist convert run/ckpt-100 model.safetensors   the same tensors in another format; .npz and V1, too, and back
  gpersist freeze run/ckpt-100 out.pb --outputs y   graph and values as one file, for serving
  gpersist show run --json | jq '.tensors[].name'   each command has --json
  gpersist demo                                     train, save, be killed, resume
  gpersist show --help                              all that one command takes

A checkpoint is named by its prefix (run/ckpt-100), by any of its files (run/ckpt-100.index), or by its folder (run), which means its newest one.
Exit status: 0 well; 1 damaged, different, or too large; 2 wrong usage, nothing there, or a file of another kind.
{DEBUG_VARIABLE}=1 shows where in the code an error came from."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: arguments without the program's name; default: the process's.

    Returns:
        The exit status.

    Raises:
        SystemExit: `--help`, `--version`, or arguments that make no sense.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names in a checkpoint need be no text of this terminal's
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        with _warnings_shown():
            status: int = arguments.run(arguments)
            sys.stdout.flush()
            return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):  # so that the interpreter does not complain of what is left in the buffer
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (GPersistError, OSError, MemoryError) as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        write_error("error", str(error) or type(error).__name__)
        return 1 if isinstance(error, DataLossError) and not isinstance(error, NotACheckpointError) else 2


class _Parser(argparse.ArgumentParser):
    """Takes options before, between and after names: `show run --tree 'dense_*'`."""

    _is_inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._is_inside:
            return super().parse_known_args(args, namespace)
        self._is_inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_inside = False


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; `run` of what it parses takes it, and returns the exit status; None if no command was given."""
    parser = argparse.ArgumentParser(
        prog="gpersist",
        description="Look into TensorFlow checkpoints, check and compare them, and see the devices that they can be restored to.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gpersist {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for command in _COMMANDS:
        command.register(commands)
    return parser


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write_error(record.levelname.lower(), record.getMessage())


@contextlib.contextmanager
def _warnings_shown() -> Iterator[None]:
    """Has the library's warnings on stderr as lines like the errors'."""
    logger, lines = logging.getLogger("gpersist"), _Lines(logging.WARNING)
    logger.addHandler(lines)
    try:
        yield
    finally:
        logger.removeHandler(lines)
