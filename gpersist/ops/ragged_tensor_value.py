"""RaggedTensorValue: what a session gives for a ragged tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__: list[str] = []


class RaggedTensorValue:
    """What a session gives for a `RaggedTensor` (`tf.ragged.RaggedTensorValue`).

    Args:
        values: an array, or another such value.
        row_splits: where rows end: integers [rows + 1].

    Raises:
        TypeError: the ends are no integers.
        ValueError: they are no vector.
    """

    def __init__(self, values: Any, row_splits: Any) -> None:
        if not isinstance(row_splits, (np.ndarray, np.generic)) or row_splits.dtype not in (np.int32, np.int64):
            raise TypeError(f"row_splits must be a numpy array of int32 or int64, not {row_splits!r}")
        if len(row_splits.shape) != 1:
            raise ValueError("row_splits must be a 1D array")
        self._values: Any = values
        self._row_splits: Any = row_splits

    row_splits = property(lambda self: self._row_splits, doc="Where rows end: integers [rows + 1].")
    values = property(lambda self: self._values, doc="The rows in one piece.")
    dtype = property(lambda self: self._values.dtype, doc="The type of the values.")

    @property
    def flat_values(self) -> Any:
        """The innermost values."""
        found = self._values
        while isinstance(found, RaggedTensorValue):
            found = found.values
        return found

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        """The ends of rows at all levels."""
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensorValue) else ()
        return (self._row_splits, *inner)

    def __iter__(self) -> Iterator[Any]:
        """The innermost values, and the ends of rows from the outermost on: what is fed for the tensors of a `RaggedTensor`."""
        return iter((self.flat_values, *self.nested_row_splits))

    @property
    def ragged_rank(self) -> int:
        """How many levels of rows there are."""
        return len(self.nested_row_splits)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, None for what is ragged."""
        return (len(self._row_splits) - 1, None, *self._values.shape[1:])

    def to_list(self) -> list[Any]:
        """As nested lists."""
        rows = self._values.to_list() if isinstance(self._values, RaggedTensorValue) else self._values.tolist()
        return [rows[start:end] for start, end in zip(self._row_splits[:-1], self._row_splits[1:], strict=True)]

    def __repr__(self) -> str:
        return f"tf.RaggedTensorValue(values={self._values!r}, row_splits={self._row_splits!r})"

    def __str__(self) -> str:
        return f"<tf.RaggedTensorValue {self.to_list()}>"
