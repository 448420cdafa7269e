"""The time, in a graph."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from gpersist.graph import Context, SessionOpType, Tensor, apply
from gpersist.ops import shape_functions

__all__ = ["timestamp"]


class Timestamp(SessionOpType):
    """When it is run, in seconds since 1970."""

    outputs = "ts: double"
    is_stateful = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> Any:
        return np.float64(time.time())


def timestamp(name: str | None = None) -> Tensor:
    """When it is run, in seconds since 1970, as double[] (`tf.timestamp`)."""
    return apply("Timestamp", name=name)
