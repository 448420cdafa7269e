"""Gradients of fractional pooling for sequences that a program makes itself; values and errors as TensorFlow 2.21 gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Session, apply

_SHAPE = (1, 4, 5, 2)


def _average(rows: list[int], columns: list[int], *, overlapping: bool = False, grad: Any = None) -> Any:
    with Graph().as_default(), Session() as session:
        grad = np.ones((1, 2, 2, 2), np.float32) if grad is None else grad
        sequences = (np.array(rows, np.int64), np.array(columns, np.int64))
        return session.run(apply("FractionalAvgPoolGrad", np.array(_SHAPE, np.int64), grad, *sequences, overlapping=overlapping))


def _largest(output: Any, rows: list[int]) -> Any:
    with Graph().as_default(), Session() as session:
        sequences = (np.array(rows, np.int64), np.array([0, 3, 5], np.int64))
        return session.run(apply("FractionalMaxPoolGrad", np.ones(_SHAPE, np.float32), output, np.ones_like(output), *sequences))


@pytest.mark.parametrize("rows", [[0, 2, 4], [0, 2, 9]])
def test_windows_end_with_the_input(rows: list[int]) -> None:
    found = _average(rows, [0, 3, 5])[0, :, :, 0]
    np.testing.assert_allclose(found, [[1 / 6, 1 / 6, 1 / 6, 1 / 4, 1 / 4]] * 4, rtol=1e-6)
    marked = _largest(np.ones((1, 2, 2, 2), np.float32), rows)[0, :, :, 1]
    np.testing.assert_array_equal(marked, [[1, 0, 0, 1, 0], [0] * 5, [1, 0, 0, 1, 0], [0] * 5])


def test_the_last_window_overlaps_what_no_window_begins_with() -> None:
    rows = _average([0, 2, 3], [0, 3, 5], overlapping=True)[0, :, 3, 1]
    np.testing.assert_allclose(rows, [0.25, 0.25, 0.625, 0.375], rtol=1e-6)


def test_a_window_may_be_empty() -> None:
    rows = _average([0, 3, 2], [0, 3, 5])[0, :, 0, 0]
    np.testing.assert_allclose(rows, [1 / 9, 1 / 9, 1 / 9, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([4, 2, 0], [0, 3, 5], "Row sequence tensor values must not be negative, got 4 2 0"),
        ([0, 2, 4], [5, 3, 0], "Column sequence tensor values must not be negative, got 5 3 0"),
        ([0, 4], [0, 3, 5], "row_seq_tensor must have at least 3 elements"),
    ],
)
def test_sequences_that_are_none(rows: list[int], columns: list[int], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        _average(rows, columns)


def test_gradients_that_do_not_go_with_the_input() -> None:
    with pytest.raises(InvalidArgumentError, match="out_backprop must be 4-dimensional"):
        _average([0, 2, 4], [0, 3, 5], grad=np.ones((2, 2, 2, 2), np.float32))
    with pytest.raises(InvalidArgumentError, match="tensor_out_dup is not the same as tensor_out"):
        _largest(np.full((1, 2, 2, 2), 2, np.float32), [0, 2, 4])
