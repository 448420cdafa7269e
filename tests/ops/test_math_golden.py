"""The expressions of tests/golden/math, of which real TensorFlow has said what they make."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import dtypes, graph, ops
from gpersist.graph import Operation, Tensor, apply_op, get_op_type
from gpersist.ops import array, bitwise, clip, confusion, counting, decompositions, division, fft, linear_algebra, math
from tests.golden.math import cases

_ANSWERS = json.loads((Path(cases.__file__).parent / "math.json").read_text())


def _face(*modules: Any) -> types.SimpleNamespace:
    return types.SimpleNamespace(**{name: getattr(module, name) for module in modules for name in module.__all__})


tf = _face(graph, ops, array, linear_algebra, decompositions, math)
tf.math = _face(math, confusion)
tf.math.divide_no_nan = division.div_no_nan
tf.linalg, tf.signal, tf.bitwise, tf.nn = _face(linear_algebra, decompositions), _face(fft), _face(bitwise), _face(clip, counting)
tf.fft = fft.fft
for _dtype in dtypes.all_dtypes():
    setattr(tf, _dtype.name, _dtype)


def raw(name: str, *inputs: Any, **attrs: Any) -> Any:
    outputs = apply_op(name, *inputs, **attrs).outputs
    return outputs[0] if len(outputs) == 1 else outputs


def grad_of(op: Operation, *grads: Tensor) -> Any:
    return get_op_type(op.type).gradient(op, *grads)


@pytest.mark.parametrize("text", cases.BUILDS)
def test_builds(text: str) -> None:
    found, wanted = cases.build(tf, raw, text), _ANSWERS["builds"][text]
    if isinstance(wanted, dict):
        assert isinstance(found, dict), f"no error, but {wanted['error'][0]} in TensorFlow"
        assert _of_python(found) == _of_python(wanted)
    else:
        assert json.loads(json.dumps(found)) == wanted


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", cases.VALUES)
def test_values(text: str) -> None:
    found, wanted = cases.value(tf, raw, text), _ANSWERS["values"][text]
    if isinstance(wanted, dict):
        assert isinstance(found, dict), f"no error, but {wanted['error'][0]} in TensorFlow"
        assert found["error"][0] == wanted["error"][0]
        return
    assert isinstance(found, list), found
    assert [part[:2] for part in found] == [part[:2] for part in wanted]
    for mine, others in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine[2], others[2], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("text", cases.GRADIENTS)
def test_gradients(text: str) -> None:
    assert json.loads(json.dumps(cases.gradient(tf, raw, grad_of, text))) == _ANSWERS["gradients"][text]


def _of_python(answer: dict[str, list[str]]) -> str:
    return next(name for name in answer["error"] if name in ("ValueError", "TypeError", "KeyError", "NotImplementedError", "Exception"))
