from __future__ import annotations

from pathlib import Path

import pytest

from gpersist import protos
from gpersist.dtypes import float32, from_name
from gpersist.errors import InternalError
from gpersist.graph import Graph, get_op_type, import_graph_def
from gpersist.graph.signature import REQUIRED, from_op_def, parse, to_op_def
from gpersist.shapes import TensorShape

_OP_DEFS = protos.OpList.FromString((Path(__file__).parents[1] / "golden" / "ops" / "op_defs.binpb").read_bytes())


def test_every_op_def_of_tensorflow_is_understood() -> None:
    for op_def in _OP_DEFS.op:
        op_def.is_distributed_communication = False
        assert to_op_def(from_op_def(op_def)) == op_def


def test_inputs_and_outputs() -> None:
    found = parse("X", "a: Ref(T), values: N * T, others: types, axis: int32, refs: Ref(N * T)", "out: T", "N: int >= 2, T: type, types: list(type)")
    a, values, others, axis, refs = found.inputs
    assert (a.type_attr, a.is_ref, a.is_list) == ("T", True, False)
    assert (values.number_attr, values.type_attr, values.is_list) == ("N", "T", True)
    assert (others.type_list_attr, others.is_list) == ("types", True)
    assert axis.dtype is from_name("int32")
    assert (refs.number_attr, refs.type_attr, refs.is_ref) == ("N", "T", True)
    attrs = {"N": 2, "T": float32, "types": [from_name("string")]}
    assert [dtype.name for dtype in found.input_types(attrs)] == [
        "float32_ref",
        "float32",
        "float32",
        "string",
        "int32",
        "float32_ref",
        "float32_ref",
    ]
    assert (found.has_lists, found.has_references) == (True, True)


@pytest.mark.parametrize(
    ("text", "kind", "default", "allowed", "minimum"),
    [
        ("a: int", "int", REQUIRED, None, None),
        ("a: int >= 2 = 3", "int", 3, None, 2),
        ("a: list(int) >= 1 = [1, -1]", "list(int)", [1, -1], None, 1),
        ("a: list(int) = []", "list(int)", [], None, None),
        ("a: float = 1e-05", "float", 1e-05, None, None),
        ("a: bool = true", "bool", True, None, None),
        ("a: string = ''", "string", b"", None, None),
        ("a: {'SAME', 'VALID'} = 'SAME'", "string", b"SAME", (b"SAME", b"VALID"), None),
        ("a: list({'x', 'y'}) = ['y']", "list(string)", [b"y"], (b"x", b"y"), None),
        ("a: shape = ?", "shape", TensorShape(None), None, None),
        ("a: shape = [2, ?]", "shape", TensorShape([2, None]), None, None),
        ("a: type = float", "type", float32, None, None),
        ("a: {half, float}", "type", REQUIRED, (from_name("half"), float32), None),
        ("a: list({half, float}) = [float]", "list(type)", [float32], (from_name("half"), float32), None),
        ("a: list(type) >= 0", "list(type)", REQUIRED, None, 0),
        ("a: func", "func", REQUIRED, None, None),
        ("a: tensor", "tensor", REQUIRED, None, None),
    ],
)
def test_attributes(text: str, kind: str, default: object, allowed: object, minimum: int | None) -> None:
    (attr,) = parse("X", "", "", text).attrs
    assert (attr.name, attr.kind, attr.default, attr.allowed, attr.minimum) == ("a", kind, default, allowed, minimum)


@pytest.mark.parametrize(("inputs", "attrs"), [("a: nothing", ""), ("", "a"), ("", "a: {nothing}")])
def test_mistakes_are_ours(inputs: str, attrs: str) -> None:
    with pytest.raises(InternalError):
        parse("X", inputs, "", attrs)


@pytest.mark.parametrize("count", [-1, 2**31, 2**40])
@pytest.mark.parametrize("op", ["AddN", "Split"])
def test_a_number_cannot_ask_for_more_tensors_than_there_are(op: str, count: int) -> None:
    attrs = {"T": float32, "N": count, "num_split": count}
    found = get_op_type(op).signature()
    with pytest.raises(ValueError, match=rf"would be {count} tensors, by attribute '(N|num_split)'"):
        found.input_types(attrs) if op == "AddN" else found.output_types(attrs)
    message = protos.GraphDef()
    for name, dtype in (("a", protos.DataType.DT_INT32), ("b", protos.DataType.DT_FLOAT)):
        message.node.add(name=name, op="Placeholder").attr["dtype"].type = dtype
    node = message.node.add(name="it", op=op, input=["b"] if op == "AddN" else ["a", "b"])
    node.attr["T"].type = protos.DataType.DT_FLOAT
    node.attr["N" if op == "AddN" else "num_split"].i = count
    with Graph().as_default(), pytest.raises(ValueError):
        import_graph_def(message, name="")
