"""The way back through a graph. What TensorFlow's gives, node by node, is in tests/train/test_training.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.graph import Graph, Session, apply_op, find_op_type, get_gradient_function
from gpersist.graph.gradients import between
from gpersist.ops.gradients import gradients

_REGISTRY = json.loads((Path(__file__).parents[1] / "golden" / "train" / "gradient_registry.json").read_text())


_NO_RULES: Any = None  # there are no loops


def test_operations_between() -> None:
    with Graph().as_default():
        x = ops.constant(1.0)
        left, right, other = ops.square(x), ops.negative(x), ops.constant(2.0)
        aside = ops.square(left)
        y = ops.multiply(ops.multiply(left, right), other)
        found = between([x.op], [y.op], _NO_RULES, colocate=False)
    assert aside.op not in found.pending
    assert other.op not in found.pending
    assert found.pending[x.op] == 2
    assert found.starts == [y.op]


def test_nothing_but_numbers_is_a_way() -> None:
    with Graph().as_default():
        x = ops.constant(1.0)
        assert gradients(ops.cast(ops.cast(x, "int32"), "float32"), x) == [None]


def test_depth_exhausts_no_stack() -> None:
    with Graph().as_default(), Session() as session:
        x = y = ops.constant(3.0)
        for _ in range(5000):
            y = ops.identity(y)
        assert session.run(gradients(y, x)) == [1.0]


def test_an_operation_aside_needs_no_gradient() -> None:
    with Graph().as_default() as graph:
        x = ops.constant([1.0])
        odd = graph.create_op("NobodyHasIt", [x], ["float32"], name="odd").outputs[0]
        assert gradients(ops.square(x), x) != [None]
        assert gradients(ops.multiply(odd, 2.0), odd) != [None]
        with pytest.raises(LookupError, match=r"No gradient defined for operation 'odd' \(op type: NobodyHasIt\)\. Put tf\.stop_gradient behind it"):
            gradients(ops.multiply(odd, 2.0), x)


def test_outputs_that_nobody_uses_get_zeros() -> None:
    with Graph().as_default(), Session() as session:
        x = ops.constant([[1.0, 2.0], [3.0, 4.0]])
        first, _ = ops.unstack(x)
        np.testing.assert_array_equal(session.run(gradients(first * 5.0, x)[0]), [[5, 5], [0, 0]])


def test_in_the_graph_of_its_arguments() -> None:
    with Graph().as_default():
        x = ops.constant(1.0)
        y = ops.square(x)
    with Graph().as_default() as other:
        assert gradients(y, x)[0].graph is x.graph
        assert not other.get_operations()


@pytest.mark.parametrize("name", [name for name in _REGISTRY["not_differentiable"] if find_op_type(name) is not None])
def test_not_differentiable_where_tensorflow_says_so(name: str) -> None:
    """Such an operation may be on the way, and ends it; it raises no error."""
    op_type = find_op_type(name)
    assert op_type is not None
    if not op_type.signature().inputs or name in _NEVER_ON_THE_WAY:
        return
    node = type("Node", (), {"_inputs": [None], "has_attr": lambda *_: False, "type": name})()
    get_gradient_function(node)  # raises LookupError for one that nobody has an answer for


_NEVER_ON_THE_WAY = {"VarIsInitializedOp"}
"""Those whose outputs are no numbers."""


def test_a_walk_uses_an_operation_once() -> None:
    with Graph().as_default(), Session() as session:
        x = ops.constant(2.0)
        shared = ops.square(x)
        y = ops.multiply(shared, shared)
        (grad,) = gradients(y, x)
        assert session.run(grad) == 32.0
        names = [op.name for op in x.graph.get_operations() if op.name.startswith("gradients/Square_grad/")]
        assert len([name for name in names if name.endswith("Mul_1")]) == 1


def test_gradients_of_gradients() -> None:
    with Graph().as_default(), Session() as session:
        x = ops.constant(3.0)
        y = ops.multiply(ops.square(x), x)
        first = gradients(y, x)
        second = gradients(first, x)
        third = gradients(second, x)
        assert session.run([*first, *second, *third]) == [27.0, 18.0, 6.0]


def test_an_imported_gradient_is_found_by_its_name() -> None:
    with Graph().as_default() as graph, Session():
        x = ops.constant([4.0])
        with graph.gradient_override_map({"Identity": "Neg"}):
            y = ops.identity(x)
        assert y.op.get_attr("_gradient_op_type") == b"Neg"
        assert gradients(y, x)[0].op.type == "Neg"
        assert apply_op("Identity", x).has_attr("_gradient_op_type") is False
