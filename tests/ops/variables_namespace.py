"""The names of `tf` that the cases about variables use, below the face of it; see tests/graph/namespace.py."""

from __future__ import annotations

import importlib
import types
from typing import Any

from gpersist import graph
from gpersist.train import global_step
from tests.graph.namespace import tf as _basic

_MODULES = (
    "array",
    "get_variable",
    "gradients",
    "indexed_slices",
    "initializers",
    "math",
    "partitioners",
    "scatter",
    "state",
    "synchronization",
    "template",
    "variable_creation",
    "variable_lists",
    "variable_scope",
    "variables",
)


class _RawOps:
    def __getattr__(self, op_type: str) -> Any:
        def build(name: str | None = None, **arguments: Any) -> Any:
            signature = graph.get_op_type(op_type).signature()
            inputs = [arguments.pop(arg.name) for arg in signature.inputs]
            op = graph.apply_op(op_type, *inputs, name=name, **arguments)
            return op.outputs[0] if op.outputs else op

        return build


def _names() -> dict[str, object]:
    found = dict(vars(_basic))
    for name in _MODULES:
        module = importlib.import_module(f"gpersist.ops.{name}")
        found |= {each: getattr(module, each) for each in module.__all__}
    train = types.SimpleNamespace(**{name: getattr(global_step, name) for name in global_step.__all__})
    return found | {"train": train, "raw_ops": _RawOps()}


tf = types.SimpleNamespace(**_names())
