"""`tf.raw_ops`: each operation as a function of its inputs and attributes, all of them by keyword."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

from gpersist.graph import apply_op, find_op_type, op_type_names

__all__ = ["raw_ops"]


_REDUCTIONS = ("All", "Any", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum")
_RENAMED: dict[str, dict[str, str]] = {
    **{name: {"reduction_indices": "axis"} for name in _REDUCTIONS},
    "ExpandDims": {"dim": "axis"},
    "Select": {"t": "x", "e": "y"},
    "Split": {"split_dim": "axis"},
    "SplitV": {"split_dim": "axis"},
    "Where": {"input": "condition"},
}
"""Inputs that have other names in Python than in the OpDef."""


class _RawOps:
    """The functions, by the names of the operations."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        op_type = find_op_type(name)
        if op_type is None or name.startswith("_"):
            raise AttributeError(f"tf.raw_ops.{name}: gpersist has no such operation; dir(tf.raw_ops) lists those that it has")
        signature = op_type.signature()
        renamed = _RENAMED.get(name, {})
        inputs, outputs = [renamed.get(arg.name, arg.name) for arg in signature.inputs], signature.outputs

        def operation(*, name: str | None = None, **given: Any) -> Any:
            missing = [each for each in inputs if each not in given]
            if missing:
                raise TypeError(f"{op_type.__name__}() missing required argument: '{missing[0]}'")
            op = apply_op(op_type.__name__, *[given.pop(each) for each in inputs], name=name, **given)
            if not outputs:
                return op
            found: list[Any] = []
            tensors = iter(op.outputs)
            for arg in outputs:
                values = [next(tensors) for _ in arg.types(op._attrs)]
                found.append(values if arg.is_list else values[0])
            return found[0] if len(found) == 1 else namedtuple(op_type.__name__, [arg.name for arg in outputs])(*found)

        operation.__name__ = operation.__qualname__ = op_type.__name__
        operation.__doc__ = op_type.__doc__
        return operation

    def __dir__(self) -> list[str]:
        return [name for name in op_type_names() if not name.startswith("_")]


raw_ops = _RawOps()
"""`tf.raw_ops`."""
