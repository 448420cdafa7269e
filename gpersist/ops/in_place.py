"""Rows of a tensor replaced, or added to, in a copy of it: TensorFlow's `Inplace*`, which write over their input."""

from __future__ import annotations

from typing import Any, ClassVar

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, sample
from gpersist.ops.kernels import as_array, shown
from gpersist.shapes import TensorShape

__all__: list[str] = []


class _InPlace(OpType, abstract=True):
    inputs = "x: T, i: int32, v: T"
    outputs = "y: T"
    attrs = "T: type"
    host_inputs: ClassVar[tuple[str, ...]] = ("i",)
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[4,2]", "int32: [1, -1]", "float[2,2]"),
        sample("int32[4]", "int32: [0, 0, 3]", "int32[3]"),
        sample("double[3,2]", "int32: [2]", "double[1,2]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape]

    @classmethod
    def run(cls, xp: Any, x: Any, i: Any, v: Any) -> Any:
        rows = as_array(xp, v)
        if i.ndim != 1:
            raise InvalidArgumentError(f"i must be a vector. {shown(i.shape)}")
        if rows.ndim != x.ndim or rows.shape[1:] != x.shape[1:]:
            raise InvalidArgumentError(f"x and v shape doesn't match: {shown(x.shape)} and {shown(rows.shape)}")
        if len(i) != len(rows):
            raise InvalidArgumentError(f"i and x shape doesn't match at index 0: {shown(i.shape)} and {shown(rows.shape)}")
        found = as_array(xp, x).copy()
        if not len(found):
            return found
        for place, row in zip((i % len(found)).tolist(), rows, strict=True):  # one after the other: a place may come again
            cls.change(found, place, row)
        return found

    @staticmethod
    def change(found: Any, place: int, row: Any) -> None:
        """Does it with one row."""
        found[place] = row


class InplaceUpdate(_InPlace):
    """Rows replaced."""


class InplaceAdd(_InPlace):
    """Rows added to others."""

    @staticmethod
    def change(found: Any, place: int, row: Any) -> None:
        found[place] += row


class InplaceSub(_InPlace):
    """Rows taken from others."""

    @staticmethod
    def change(found: Any, place: int, row: Any) -> None:
        found[place] -= row
