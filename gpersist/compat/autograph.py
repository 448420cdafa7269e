"""`tf.autograph.experimental`: what programs say to keep TensorFlow 2 from rewriting their functions; nothing is rewritten here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["do_not_convert"]


def do_not_convert(func: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """The function itself; also as `@do_not_convert()`."""
    return functools.partial(do_not_convert) if func is None else func
