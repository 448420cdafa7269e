"""Collections of variables in a MetaGraphDef: each variable is a `VariableDef` that names its nodes."""

from __future__ import annotations

from typing import Any

from gpersist.graph import GraphKeys, register_proto_function
from gpersist.ops.variable import Variable


def _to_proto(variable: Variable, export_scope: str | None = None) -> Any:
    return variable.to_proto(export_scope)


for _name in (
    GraphKeys.GLOBAL_VARIABLES,
    GraphKeys.TRAINABLE_VARIABLES,
    GraphKeys.MOVING_AVERAGE_VARIABLES,
    GraphKeys.LOCAL_VARIABLES,
    GraphKeys.MODEL_VARIABLES,
    GraphKeys.METRIC_VARIABLES,
    GraphKeys.GLOBAL_STEP,
):
    register_proto_function(_name, "VariableDef", _to_proto, Variable.from_proto)
