"""Scenarios of operations that print."""

from __future__ import annotations

import contextlib
import io

import numpy as np

from gpersist import ops
from gpersist.graph import Session, apply
from tests.ops.scenarios import scenario


@scenario("Print")
def printed(session: Session) -> None:
    x = ops.placeholder("float32", None)
    y = apply("Print", x, [x, ops.constant("text"), ops.constant(np.arange(6).reshape(2, 3))], message="m: ", first_n=2)
    with contextlib.redirect_stderr(io.StringIO()) as stream:
        for value in (1.5, [1.0, 2.0], 5.0):
            assert np.array_equal(session.run(y, {x: value}), value)
    assert stream.getvalue() == "m: [1.5][text][[0 1 2]...]\nm: [1 2][text][[0 1 2]...]\n"
