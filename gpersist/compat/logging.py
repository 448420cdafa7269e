"""`tf.logging`: Python's logging, on the logger `gpersist`.

As TensorFlow does, it writes to stderr at level INFO: `INFO:gpersist:Restoring parameters from model/my-model-290`. A program that has set up logging
of its own (the root logger has a handler) gets the records there, and there only.
"""

from __future__ import annotations

import itertools
import logging
import sys
from typing import Any

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "debug",
    "error",
    "fatal",
    "flush",
    "get_logger",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "vlog",
    "warn",
    "warning",
]

DEBUG, INFO, WARN, ERROR, FATAL = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL
_NAMES = {"DEBUG": DEBUG, "INFO": INFO, "WARN": WARN, "ERROR": ERROR, "FATAL": FATAL}

_logger = logging.getLogger("gpersist")
_counts: dict[Any, itertools.count[int]] = {}

debug, info, warn, warning, error, fatal = _logger.debug, _logger.info, _logger.warning, _logger.warning, _logger.error, _logger.critical


class _Stderr(logging.Handler):
    """Writes to what is stderr at that moment, unless the program has handlers of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.root.handlers:
            print(self.format(record), file=sys.stderr)


def get_logger() -> logging.Logger:
    """The logger that everything goes to (`tf.get_logger`)."""
    return _logger


def get_verbosity() -> int:
    """The level below which nothing is logged."""
    return _logger.getEffectiveLevel()


def set_verbosity(v: int | str) -> None:
    """Sets the level below which nothing is logged: a number, or its name."""
    _logger.setLevel(_NAMES[v] if isinstance(v, str) else v)


def log(level: int | str, msg: str, *args: Any, **kwargs: Any) -> None:
    """Logs at a level."""
    _logger.log(_NAMES[level] if isinstance(level, str) else level, msg, *args, **kwargs)


def log_if(level: int | str, msg: str, condition: Any, *args: Any) -> None:
    """Logs if a condition holds."""
    if condition:
        log(level, msg, *args)


def log_every_n(level: int | str, msg: str, n: int, *args: Any) -> None:
    """Logs the first, and then every nth, time that the caller's line gets here."""
    log_if(level, msg, not _times() % n, *args)


def log_first_n(level: int | str, msg: str, n: int, *args: Any) -> None:
    """Logs the first n times that the caller's line gets here."""
    log_if(level, msg, _times() < n, *args)


def vlog(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """Logs what nobody asked for."""
    del level
    _logger.debug(msg, *args, **kwargs)


def flush() -> None:
    """Does nothing: each record is written at once."""


def _times() -> int:
    """How often the line that called the caller was here before."""
    frame = sys._getframe(2)
    return next(_counts.setdefault((frame.f_code, frame.f_lineno), itertools.count()))


def _set_up() -> None:
    if not any(isinstance(handler, _Stderr) for handler in _logger.handlers):
        handler = _Stderr()
        handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
        _logger.addHandler(handler)
    if _logger.level == logging.NOTSET:
        _logger.setLevel(INFO)


_set_up()
