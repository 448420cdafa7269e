"""The program: what becomes of arguments, errors and signals.

Exit statuses: 0 well; 1 a checkpoint is damaged, two differ, something does not fit or is missing; 2 wrong usage, nothing there, or a file of another
kind; 130 interrupted; 141 whoever read the output has gone.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence

from gpersist.cli.output import write_error
from gpersist.cli.parser import DEBUG_VARIABLE, build_parser
from gpersist.errors import DataLossError, GPersistError, NotACheckpointError


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
