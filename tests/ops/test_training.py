"""The fused kernels of training operations, on CUDA: the same step as NumPy's, compiled, on arrays of each size."""

from __future__ import annotations

import numpy as np
import pytest

import tests.ops.scenarios_training  # noqa: F401  # enters the scenarios
from gpersist import ops
from gpersist.graph import Graph, Session, apply_op, get_op_type, op_type_names
from tests.ops.scenarios import SCENARIOS

_NAMES = [name for name in op_type_names() if hasattr(get_op_type(name), "rule")]


@pytest.mark.cuda
@pytest.mark.parametrize("name", _NAMES)
def test_step_on_cuda(name: str) -> None:
    with Graph().as_default() as graph, graph.device("/gpu:0"), Session() as session:
        SCENARIOS[name](session)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
def test_other_types_on_cuda(dtype: str) -> None:
    with Graph().as_default() as graph, graph.device("/gpu:0"), Session() as session:
        var, m, v = (ops.Variable(ops.cast(ops.constant([1.0, 2.0]), dtype), name=name) for name in "abc")
        scalars = [ops.cast(ops.constant(value), dtype) for value in (0.5, 0.25, 0.125, 0.5, 0.25, 0.0625)]
        step = apply_op("ApplyAdam", var, m, v, *scalars, ops.cast(ops.constant([0.5, -1.0]), dtype))
        session.run([var.initializer, m.initializer, v.initializer])
        found = np.asarray(session.run(step.outputs[0]), np.float64)
    alpha = 0.125 * np.sqrt(0.75) / 0.5
    m_t, v_t = np.array([0.75, 0.5]), np.array([1, 2]) + (np.array([0.25, 1]) - [1, 2]) * 0.75
    np.testing.assert_allclose(found, [1, 2] - m_t * alpha / (np.sqrt(v_t) + 0.0625), rtol=1e-6 if dtype == "float64" else 2e-2)


@pytest.mark.parametrize("size", [0, 1, 100, 16384, 16385, 50000])
def test_blocks_cover_the_array(size: int) -> None:
    """Whatever the size, each element is changed once."""
    with Graph().as_default(), Session() as session:
        start = np.arange(size, dtype=np.float32)
        var = ops.Variable(start)
        step = apply_op("ApplyGradientDescent", var, 0.5, np.ones(size, np.float32))
        session.run(var.initializer)
        session.run(step)
        np.testing.assert_array_equal(session.run(var), start - 0.5)


def test_a_row_named_twice_is_changed_twice() -> None:
    with Graph().as_default(), Session() as session:
        var, accum = ops.Variable([[1.0], [2.0]]), ops.Variable([[0.0], [0.0]])
        step = apply_op("SparseApplyMomentum", var, accum, 1.0, [[1.0], [1.0], [1.0]], [1, 1, 0], 0.5)
        session.run([var.initializer, accum.initializer])
        session.run(step)
        np.testing.assert_allclose(session.run(accum), [[1.0], [1.5]])
        np.testing.assert_allclose(session.run(var), [[0.0], [-0.5]])
