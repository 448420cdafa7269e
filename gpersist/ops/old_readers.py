"""Readers of files under the names of TensorFlow's first versions, whose handles are references."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Operation, get_op_type
from gpersist.ops import readers as _readers  # noqa: F401  # registers the operations that these are
from gpersist.shapes import TensorShape

__all__: list[str] = []

_MAKING = ("TextLineReader", "WholeFileReader", "IdentityReader", "TFRecordReader", "FixedLengthRecordReader")
_USING = ("Read", "ReadUpTo", "NumRecordsProduced", "NumWorkUnitsCompleted", "SerializeState", "Reset")


def _handle(op: Operation) -> list[TensorShape]:
    return [TensorShape([2])]


for _name in (*_MAKING, *(f"Reader{use}" for use in _USING)):
    _newer: Any = get_op_type(f"{_name}V2")
    _members = {
        "inputs": _newer.inputs.replace("resource", "Ref(string)"),
        "outputs": _newer.outputs.replace("resource", "Ref(string)"),
        "attrs": _newer.attrs.replace(", encoding: string = ''", ""),
        "is_stateful": _name in _MAKING,
        "__doc__": f"`{_name}V2` with handles that are references.",
        "__module__": __name__,
    }
    if _name in _MAKING:
        _members["shapes"] = staticmethod(_handle)
    type(_name, (_newer,), _members)
