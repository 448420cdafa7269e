"""`tf.compat.forward_compatible`: for programs that ask whether readers of their graphs know operations that are so new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["forward_compatibility_horizon", "forward_compatible"]

_HORIZONS = [(2026, 2, 1)]
"""The last is in force. TensorFlow counts from its own release."""


def forward_compatible(year: int, month: int, day: int) -> bool:
    """Whether what TensorFlow has had since a day may be used (`tf.compat.forward_compatible`)."""
    return _HORIZONS[-1] > (year, month, day)


@contextmanager
def forward_compatibility_horizon(year: int, month: int, day: int) -> Iterator[None]:
    """Moves that day within (`tf.compat.forward_compatibility_horizon`)."""
    _HORIZONS.append((year, month, day))
    try:
        yield
    finally:
        _HORIZONS.pop()
