"""What `ToBool`, and with it the functional `If` and `While`, take for a condition; errors as TensorFlow 2.21 gives them."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Session, apply
from gpersist.ops import placeholder


@pytest.mark.parametrize(("dtype", "name"), [("float16", "half"), ("uint16", "uint16"), ("uint64", "uint64"), ("complex64", "complex64")])
def test_one_of_these_numbers_is_none(dtype: str, name: str) -> None:
    with Graph().as_default(), Session() as session:
        x = placeholder(dtype)
        condition = apply("ToBool", x)
        with pytest.raises(InvalidArgumentError, match=f"{name} cannot be converted to a boolean"):
            session.run(condition, {x: np.ones((), dtype)})
        assert session.run(condition, {x: np.zeros(2, dtype)})  # of tensors, whether there is anything in them


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "int32", "int64", "float32", "float64"])
def test_one_of_these_is(dtype: str) -> None:
    with Graph().as_default(), Session() as session:
        x = placeholder(dtype)
        condition = apply("ToBool", x)
        assert [session.run(condition, {x: np.array(value, dtype)}) for value in (0, 1)] == [False, True]
