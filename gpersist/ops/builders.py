"""Python functions that add one node and do nothing else, made from its name; and the old names of arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.graph import Tensor, apply


def unary(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    """`function(x, name=None)`, which adds an operation of one input."""

    def build(x: Any, name: str | None = None) -> Tensor:
        return apply(op_name, x, name=name)

    return _named(build, function_name, told)


def binary(function_name: str, op_name: str, told: str, *, default_name: str | None = None) -> Callable[..., Tensor]:
    """`function(x, y, name=None)`, which adds an operation of two inputs, called `default_name` where that is not the operation's."""

    def build(x: Any, y: Any, name: str | None = None) -> Tensor:
        return apply(op_name, x, y, name=name or default_name)

    return _named(build, function_name, told)


def renamed_argument(new_name: str, new: Any, old_name: str, old: Any) -> Any:
    """The value of an argument that once had another name.

    Raises:
        ValueError: both are given.
    """
    if old is None:
        return new
    if new is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old


def _named(build: Callable[..., Tensor], name: str, told: str) -> Callable[..., Tensor]:
    build.__name__ = build.__qualname__ = name
    build.__doc__ = told
    return build
