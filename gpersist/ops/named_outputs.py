"""The outputs of an operation as a named tuple, which is what TensorFlow's functions of several outputs give."""

from __future__ import annotations

from collections import namedtuple
from functools import cache
from typing import Any

from gpersist.graph import apply_op, get_op_type


def named_outputs(op_name: str, *inputs: Any, **attrs: Any) -> Any:
    """Adds an operation, none of whose outputs is a list, and gives them by the names of its OpDef."""
    return _kind(op_name)(*apply_op(op_name, *inputs, **attrs).outputs)


@cache
def _kind(op_name: str) -> Any:
    return namedtuple(op_name, [output.name for output in get_op_type(op_name).signature().outputs])  # its fields are data
