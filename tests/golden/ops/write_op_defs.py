"""Writes the OpDef of every operation of TensorFlow 2.21, without descriptions, to op_defs.binpb (an OpList): `python write_op_defs.py`.

With names behind it (`python write_op_defs.py MatMul Conv2D`) it writes nothing, and prints them as `gpersist.graph.OpType` has them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow  # noqa: F401  # registers the operations
from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session

_SHORT = {"float16": "half", "float32": "float", "float64": "double"}


def op_list():
    found = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    for op in found.op:
        op.ClearField("summary")
        op.ClearField("description")
        op.ClearField("deprecation")
        for part in (*op.input_arg, *op.output_arg, *op.attr):
            part.ClearField("description")
        for part in (*op.input_arg, *op.output_arg):
            part.ClearField("experimental_full_type")
            part.ClearField("handle_data")
    return found


def type_name(enum):
    return types_pb2.DataType.Name(enum).removeprefix("DT_").lower()


def arg_text(arg):
    kind = arg.type_list_attr or arg.type_attr or type_name(arg.type)
    kind = f"{arg.number_attr} * {kind}" if arg.number_attr else kind
    return f"{arg.name}: Ref({kind})" if arg.is_ref else f"{arg.name}: {kind}"


def value_text(value):
    kind = value.WhichOneof("value")
    if kind == "list":
        items = [item for _, found in value.list.ListFields() for item in found]
        is_type = bool(value.list.type)
        return "[" + ", ".join(type_name(item) if is_type else item_text(item) for item in items) + "]"
    if kind == "type":
        return type_name(value.type)
    if kind == "shape":
        return "?" if value.shape.unknown_rank else "[" + ", ".join("?" if dim.size < 0 else str(dim.size) for dim in value.shape.dim) + "]"
    return item_text(getattr(value, kind))


def item_text(item):
    if isinstance(item, bytes):
        return f"'{item.decode()}'"
    return str(item).lower() if isinstance(item, bool) else repr(item)


def attr_text(attr):
    kind = attr.type
    if attr.HasField("allowed_values"):
        allowed = "{" + value_text(attr.allowed_values)[1:-1] + "}"
        kind = f"list({allowed})" if kind.startswith("list(") else allowed
    minimum = f" >= {attr.minimum}" if attr.has_minimum else ""
    default = f" = {value_text(attr.default_value)}" if attr.HasField("default_value") else ""
    return f"{attr.name}: {kind}{minimum}{default}"


def class_text(op):
    lines = [f"class {op.name}(OpType):"]
    lines += [f'    inputs = "{", ".join(map(arg_text, op.input_arg))}"'] if op.input_arg else []
    lines += [f'    outputs = "{", ".join(map(arg_text, op.output_arg))}"'] if op.output_arg else []
    lines += [f'    attrs = "{", ".join(map(attr_text, op.attr))}"'] if op.attr else []
    flags = ("is_stateful", "is_commutative", "is_aggregate", "allows_uninitialized_input")
    return "\n".join(lines + [f"    {flag} = True" for flag in flags if getattr(op, flag)])


if sys.argv[1:]:
    print("\n\n".join(class_text(op) for op in op_list().op if op.name in sys.argv[1:]))
else:
    target = Path(__file__).parent / "op_defs.binpb"
    target.write_bytes(op_list().SerializeToString(deterministic=True))
    print(len(op_list().op), "operations,", target.stat().st_size, "bytes")
