"""Scenarios of random operations; what numbers they give is in tests/ops/test_random.py."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Session, apply
from tests.ops.scenarios import scenario


@scenario("RandomUniform", "RandomStandardNormal", "TruncatedNormal")
def numbers(session: Session) -> None:
    size = ops.placeholder("int32", None)
    for op_type in ("RandomUniform", "RandomStandardNormal", "TruncatedNormal"):
        for dtype in ("float16", "bfloat16", "float32", "float64"):
            x = apply(op_type, size, dtype=dtype, seed=1, seed2=2)
            first, second = (session.run(x, {size: [3, 5]}) for _ in range(2))
            assert first.shape == (3, 5)
            assert first.dtype.name == dtype
            assert (first != second).any()
            assert session.run(x, {size: np.zeros(0, np.int32)}).shape == ()
            assert session.run(x, {size: [2, 0]}).shape == (2, 0)
        with pytest.raises(InvalidArgumentError, match="must be >= 0"):
            session.run(x, {size: [2, -1]})
        with pytest.raises(InvalidArgumentError, match="must be a vector"):
            session.run(x, {size: 2})


@scenario("RandomUniformInt")
def integers(session: Session) -> None:
    low = ops.placeholder("int64", None)
    x = apply("RandomUniformInt", [1000], low, np.int64(3), seed=1, seed2=2)
    found = session.run(x, {low: -2})
    assert (found.min(), found.max()) == (-2, 2)
    with pytest.raises(InvalidArgumentError, match="Need minval < maxval, got 3 >= 3"):
        session.run(x, {low: 3})
    with pytest.raises(InvalidArgumentError, match="minval must be 0-D"):
        session.run(x, {low: [1]})


@scenario("RandomShuffle")
def order(session: Session) -> None:
    x = apply("RandomShuffle", np.arange(20.0).reshape(10, 2), seed=1, seed2=2)
    found = session.run(x)
    assert sorted(found[:, 0]) == list(range(0, 20, 2))
    assert (found[:, 1] == found[:, 0] + 1).all()
    assert session.run(apply("RandomShuffle", ["a"], seed=1)).tolist() == [b"a"]


@scenario("Multinomial")
def classes(session: Session) -> None:
    logits, count = ops.placeholder("float32", None), ops.placeholder("int32", None)
    x = apply("Multinomial", logits, count, seed=1, seed2=2, output_dtype="int32")
    found = session.run(x, {logits: [[0.0, -np.inf, 0.0], [-np.inf, 0.0, np.nan]], count: 50})
    assert (found.dtype, found.shape, sorted(set(found[0])), set(found[1])) == (np.int32, (2, 50), [0, 2], {1})
    for wrong in ({logits: [1.0], count: 1}, {logits: [[1.0]], count: -1}, {logits: [[1.0]], count: [1]}, {logits: [[]], count: 1}):
        with pytest.raises(InvalidArgumentError):
            session.run(x, wrong)
