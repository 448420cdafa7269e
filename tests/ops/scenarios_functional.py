"""Operations that call functions of the library: each with small functions, on any device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist.errors import AbortedError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Session, apply, apply_op, get_default_graph
from gpersist.ops import constant
from gpersist.ops.gradients import gradients
from gpersist.protos import FunctionDef, NameAttrList, parse_text
from tests.ops.scenarios import scenario

FUNCTIONS = """
signature { name: "twice" input_arg { name: "x" type_attr: "T" } output_arg { name: "y" type_attr: "T" } attr { name: "T" type: "type" } }
node_def { name: "sum" op: "AddV2" input: "x" input: "x" attr { key: "T" value { placeholder: "T" } } }
ret { key: "y" value: "sum:z:0" }
---
signature { name: "halves" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "first" type: DT_FLOAT }
  output_arg { name: "second" type: DT_FLOAT } }
node_def { name: "axis" op: "Const" attr { key: "dtype" value { type: DT_INT32 } }
  attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape { } int_val: 0 } } } }
node_def { name: "parts" op: "Split" input: "axis:output:0" input: "x" attr { key: "T" value { type: DT_FLOAT } }
  attr { key: "num_split" value { i: 2 } } }
ret { key: "first" value: "parts:output:1" }
ret { key: "second" value: "parts:output:0" }
---
signature { name: "is_small" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "y" type: DT_BOOL } }
node_def { name: "limit" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 100.0 } } } }
node_def { name: "less" op: "Less" input: "x" input: "limit:output:0" attr { key: "T" value { type: DT_FLOAT } } }
ret { key: "y" value: "less:z:0" }
---
signature { name: "twice_float" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "y" type: DT_FLOAT } }
node_def { name: "call" op: "twice" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
ret { key: "y" value: "call:y:0" }
---
signature { name: "unchanged" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "y" type: DT_FLOAT } }
ret { key: "y" value: "x" }
---
signature { name: "endless" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "y" type: DT_FLOAT } }
node_def { name: "call" op: "PartitionedCall" input: "x" attr { key: "Tin" value { list { type: DT_FLOAT } } }
  attr { key: "Tout" value { list { type: DT_FLOAT } } } attr { key: "f" value { func { name: "endless" } } } }
ret { key: "y" value: "call:output:0" }
"""


def add_functions(text: str = FUNCTIONS) -> None:
    """Puts functions into the default graph's library."""
    library = get_default_graph()._library
    library.function.extend([parse_text(FunctionDef, part, "a function") for part in text.split("---")])


def called(name: str, **types: int) -> Any:
    function = NameAttrList(name=name)
    for key, value in types.items():
        function.attr[key].type = value
    return function


@scenario("PartitionedCall", "StatefulPartitionedCall")
def calls(session: Session) -> None:
    add_functions()
    for op_type in ("PartitionedCall", "StatefulPartitionedCall"):
        ints = apply_op(op_type, [constant([1, 2])], Tout=["int32"], f=called("twice", T=3))
        floats = apply_op(op_type, [constant([1.0, 2.0, 3.0, 4.0])], Tout=["float", "float"], f=called("halves"))
        found = session.run([*ints.outputs, *floats.outputs])
        assert [value.tolist() for value in found] == [[2, 4], [3, 4], [1, 2]]
    with pytest.raises(InvalidArgumentError, match=r"'endless' calls itself \(endless -> endless\)"):
        session.run(apply_op("PartitionedCall", [constant(1.0)], Tout=["float"], f=called("endless")).outputs)


@scenario("If", "StatelessIf")
def branches(session: Session) -> None:
    add_functions()
    for op_type in ("If", "StatelessIf"):
        for condition, wanted in ((True, 6), (False, 3), (0.5, 6), (0, 3), ("", 3), ("x", 6), (np.zeros([0]), 3)):
            op = apply_op(
                op_type, constant(condition), [constant(3.0)], Tout=["float"], then_branch=called("twice_float"), else_branch=called("unchanged")
            )
            assert session.run(op.outputs) == [wanted]


@scenario("Case", "StatelessCase")
def cases(session: Session) -> None:
    add_functions()
    for op_type in ("Case", "StatelessCase"):
        for index, wanted in ((0, 3), (1, 6), (2, 6), (-1, 6)):
            op = apply_op(op_type, constant(index), [constant(3.0)], Tout=["float"], branches=[called("unchanged"), called("twice_float")])
            assert session.run(op.outputs) == [wanted]


@scenario("While", "StatelessWhile")
def loops(session: Session) -> None:
    add_functions()
    for op_type in ("While", "StatelessWhile"):
        op = apply_op(op_type, [constant(3.0)], cond=called("is_small"), body=called("twice_float"))
        assert session.run(op.outputs) == [192.0]


@scenario("SymbolicGradient")
def gradients_of_calls(session: Session) -> None:
    add_functions()
    x = constant(3.0)
    found = apply_op("SymbolicGradient", [x, constant(5.0)], Tout=["float"], f=called("twice_float"))
    assert session.run(found.outputs) == [10.0]
    ints = apply_op("SymbolicGradient", [constant([1, 2]), constant([1, 1])], Tout=["int32"], f=called("twice", T=3))
    assert session.run(ints.outputs)[0].tolist() == [0, 0]
    tanh = apply_op("SymbolicGradient", [x, constant(1.0)], Tout=["float"], f=called("Tanh", T=1))
    np.testing.assert_allclose(session.run(tanh.outputs[0]), 1 - np.tanh(3.0) ** 2, rtol=1e-5)
    branches = {"then_branch": called("twice_float"), "else_branch": called("unchanged")}
    for op in (
        apply_op("PartitionedCall", [x], Tout=["float"], f=called("twice_float")),
        apply_op("If", constant(True), [x], Tout=["float"], **branches),
        apply_op("Case", constant(1), [x], Tout=["float"], branches=[called("unchanged"), called("twice_float")]),
    ):
        assert session.run(gradients(op.outputs[0], x)) == [2.0]
    loop = apply_op("While", [x], cond=called("is_small"), body=called("twice_float"))
    assert session.run(gradients(loop.outputs[0], x)) == [64.0]
    with pytest.raises(ValueError, match="len"):
        apply_op("SymbolicGradient", [x], Tout=["float", "float"], f=called("twice_float"))


@scenario("For")
def numbers(session: Session) -> None:
    add_functions(
        """signature { name: "add" input_arg { name: "i" type: DT_INT32 } input_arg { name: "x" type: DT_INT32 }
        output_arg { name: "y" type: DT_INT32 } }
        node_def { name: "sum" op: "AddV2" input: "i" input: "x" attr { key: "T" value { type: DT_INT32 } } }
        ret { key: "y" value: "sum:z:0" }"""
    )
    for bounds, wanted in (((0, 5, 2), 106), ((3, 0, -1), 106), ((2, 2, 0), 100)):
        assert session.run(apply_op("For", *bounds, [constant(100)], body=called("add")).outputs) == [wanted]
    with pytest.raises(InvalidArgumentError, match="never ends"):
        session.run(apply_op("For", 0, 1, -1, [constant(100)], body=called("add")).outputs)


@scenario("FakeParam", "DeviceIndex", "RemoteCall", "Abort")
def oddities(session: Session) -> None:
    add_functions()
    assert session.run(apply("FakeParam", dtype="float32", shape=[None, 2])).shape == (0, 2)
    assert session.run(apply("DeviceIndex", device_names=["CPU", "GPU", "TPU"])) in (0, 1)
    assert session.run(apply("DeviceIndex", device_names=["TPU"])) == 1
    with pytest.raises(UnimplementedError, match="PartitionedCall"):
        session.run(apply_op("RemoteCall", "/cpu:0", [constant(1.0)], Tout=["float"], f=called("unchanged")))
    with pytest.raises(AbortedError, match="enough"):
        session.run(apply_op("Abort", error_msg="enough"))


@scenario("OptionalFromValue", "OptionalNone", "OptionalHasValue", "OptionalGetValue")
def optionals(session: Session) -> None:
    x = constant([1.0, 2.0])
    one, nothing = apply("OptionalFromValue", [x * 2.0]), apply_op("OptionalNone").outputs[0]
    assert session.run([apply("OptionalHasValue", one), apply("OptionalHasValue", nothing)]) == [True, False]
    (found,) = apply_op("OptionalGetValue", one, output_types=["float"], output_shapes=[[2]]).outputs
    kept = apply("TensorListPushBack", apply("EmptyTensorList", constant(-1), -1, element_dtype="variant"), one)
    zeros = apply_op("TensorListPopBack", apply("ZerosLike", kept), constant(-1), element_dtype="variant").outputs[1]
    (nothing_but,) = apply_op("OptionalGetValue", zeros, output_types=["float"], output_shapes=[[2]]).outputs
    np.testing.assert_array_equal(session.run(nothing_but), [0, 0])
    assert session.run([found, gradients(found, x)[0]])[0].tolist() == [2, 4]
    with pytest.raises(InvalidArgumentError, match="does not have a value"):
        session.run(apply_op("OptionalGetValue", nothing, output_types=["float"], output_shapes=[[2]]).outputs)
