"""The cases of tests/golden/lite, converted by gpersist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import gpersist.compat.v1 as tf
from gpersist.lite import Optimize, TFLiteConverter
from tests.golden.lite.cases import Inputs


def converted(
    make: Callable[[Inputs], Any], name: str, quantized: bool = False, unknown: int = 1
) -> tuple[bytes, list[np.ndarray], list[np.ndarray]]:
    """A case's model, what it is fed with, and what a session gives then."""
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = Inputs(tf, name, unknown)
        found = make(inputs)
        outputs = found if isinstance(found, list) else [found]
        converter = TFLiteConverter.from_session(session, [x for x, _ in inputs.fed], outputs)
        if quantized:
            converter.optimizations = [Optimize.DEFAULT]
        return converter.convert(), [value for _, value in inputs.fed], session.run(outputs, dict(inputs.fed))
