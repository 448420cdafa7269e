"""Ragged tensors stacked, masked, parted and crossed: what TensorFlow 2.21 gave for the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Session
from gpersist.ops import ragged


def _first() -> Any:
    return ragged.constant([[1, 2], [], [3]])


def _second() -> Any:
    return ragged.constant([[4], [5, 6], [7]])


def _dense() -> Any:
    return ops.constant([[1, 2], [3, 4], [5, 6]])


_CUBE = np.array([[[1, 0], [1, 1]], [[0, 0], [0, 1]]], bool)

_CASES: dict[str, tuple[Callable[[], Any], Any, list[int | None]]] = {
    "stacked": (lambda: ragged.stack([_first(), _second()]), [[[1, 2], [], [3]], [[4], [5, 6], [7]]], [2, None, None]),
    "stacked row by row": (lambda: ragged.stack([_first(), _second()], axis=1), [[[1, 2], [4]], [[], [5, 6]], [[3], [7]]], [3, None, None]),
    "stacked with a dense one": (lambda: ragged.stack([_first(), _dense()], 1), [[[1, 2], [1, 2]], [[], [3, 4]], [[3], [5, 6]]], [3, None, None]),
    "vectors stacked": (lambda: ragged.stack([[1, 2], [3]]), [[1, 2], [3]], [2, None]),
    "dense ones stacked": (lambda: ragged.stack([_dense(), _dense()], 2), [[[1, 1], [2, 2]], [[3, 3], [4, 4]], [[5, 5], [6, 6]]], [3, 2, 2]),
    "a matrix masked": (lambda: ragged.boolean_mask([[1, 2, 3], [4, 5, 6]], [[True, False, True], [False, False, True]]), [[1, 3], [6]], [2, None]),
    "rows chosen": (lambda: ragged.boolean_mask(_first(), [True, False, True]), [[1, 2], [3]], [None, None]),
    "elements chosen": (lambda: ragged.boolean_mask(_first(), ragged.constant([[True, False], [], [True]])), [[1], [], [3]], [3, None]),
    "a vector masked": (lambda: ragged.boolean_mask([1, 2, 3], [True, False, True]), [1, 3], [None]),
    "a cube masked": (lambda: ragged.boolean_mask(np.arange(8).reshape(2, 2, 2), _CUBE), [[[0], [2, 3]], [[], [7]]], [2, None, None]),
    "parts": (lambda: ragged.stack_dynamic_partitions(["a", "b", "c", "d"], [2, 0, 2, 1], 4), [[b"b"], [b"d"], [b"a", b"c"], []], [4, None]),
    "parts of rows": (lambda: ragged.stack_dynamic_partitions(_first(), [1, 0, 1], 2), [[[]], [[1, 2], [3]]], [2, None, None]),
    "parts of elements": (
        lambda: ragged.stack_dynamic_partitions(_first(), ragged.constant([[0, 1], [], [0]]), 3),
        [[1, 3], [2], []],
        [3, None],
    ),
    "crossed": (
        lambda: ragged.cross([ragged.constant([["a"], ["b", "c"]]), ragged.constant([["d"], ["e"]])]),
        [[b"a_X_d"], [b"b_X_e", b"c_X_e"]],
        [2, None],
    ),
}


@pytest.mark.parametrize("name", _CASES)
def test_as_in_tensorflow(name: str) -> None:
    make, wanted, shape = _CASES[name]
    with Graph().as_default(), Session() as session:
        made = make()
        found = session.run(made)
        assert (found.to_list() if hasattr(found, "to_list") else found.tolist()) == wanted
        assert made.shape.as_list() == shape


def test_what_does_not_go_together() -> None:
    with Graph().as_default(), Session() as session:
        with pytest.raises(ValueError, match="may not be empty"):
            ragged.stack([])
        with pytest.raises(ValueError, match="mask cannot be scalar"):
            ragged.boolean_mask(_first(), True)
        with pytest.raises(ValueError, match="Unexpected dtype"):
            ragged.cross([[1.0]])
        with pytest.raises(InvalidArgumentError, match="partitions must be less than num_partitions"):
            session.run(ragged.stack_dynamic_partitions([1, 2], [0, 5], 3))
