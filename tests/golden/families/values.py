"""What the cases of the families are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


class Cases:
    """Nodes to try: the operation, its inputs (a list for an input that is one), and its attributes. Random inputs are always the same."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)
        self._found: list[tuple[str, list[Any], dict[str, Any]]] = []

    def case(self, op: str, inputs: Iterable[Any], **attrs: Any) -> None:
        """Adds one."""
        self._found.append((op, list(inputs), attrs))

    def append(self, case: tuple[str, list[Any], dict[str, Any]]) -> None:
        """Adds one."""
        self._found.append(case)

    def __iadd__(self, cases: Iterable[tuple[str, list[Any], dict[str, Any]]]) -> Cases:
        self._found += cases
        return self

    def normal(self, *shape: int) -> Any:
        """float32, of a normal distribution."""
        return np.asarray(self.generator.normal(size=shape), np.float32)

    def uniform(self, *shape: int) -> Any:
        """float32 in 0..1."""
        return np.asarray(self.generator.uniform(0, 1, size=shape), np.float32)

    def __iter__(self) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
        return iter(self._found)


def ints(values: Any) -> Any:
    """int32."""
    return np.array(values, np.int32)


def longs(values: Any) -> Any:
    """int64."""
    return np.array(values, np.int64)


def texts(*values: str | bytes) -> Any:
    """A vector of text."""
    found = np.empty(len(values), object)
    found[:] = [value if isinstance(value, bytes) else value.encode() for value in values]
    return found
