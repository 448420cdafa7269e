"""Small expressions make the nodes, the shapes, the values and the errors that they make in TensorFlow."""

from __future__ import annotations

import importlib
import json
import types
from typing import Any

import numpy as np
import pytest

from tests.compat import write_face
from tests.interop.expressions import EXPRESSIONS, answer

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

KNOWN = {
    "tf.nn.silu(ph(2))": "there is an Identity beside it that nobody uses",
    "tf.grad_pass_through(tf.square)(ph(2))": "likewise",
    "tf.custom_gradient(lambda x: (x * 2., lambda grad: grad * 5.))(ph(2))": "likewise",
    "tf.sort(tf.placeholder('float32'), axis=0)": "another name for a constant in a nested list",
    "tf.quantize(ph(2), 0., 1., 'quint8')": "without the attributes that are newer than 1.15",
    "tf.quantization.quantize([1., 2.], 0., 3., tf.quint8, mode='MIN_FIRST', name='few')": "likewise",
    "tf.random.split([1, 2], 3)": "of a seed, as 1.15 makes its stateless numbers; 2.21 makes a key of it first",
    "tf.random.split(tf.constant([1, 2], 'int64'))": "likewise",
    "tf.random.fold_in([1, 2], 7)": "likewise",
    "tf.linspace(0., 1., 3)": "a LinSpace, as 1.15 makes it; 2.21 makes it of other operations",
    "tf.linalg.lu_solve(tf.placeholder('float32'), tf.placeholder('int32'), tf.placeholder('float32'), validate_args=True)": "other assertions",
    "tf.nn.atrous_conv2d_transpose(ph(1, 4, 4, 2), ph(3, 3, 2, 2), [1, 4, 4, 2], 2, 'SAME')": "a dilated gradient; TensorFlow changes the batch",
}


@pytest.fixture(scope="module")
def wanted(tensorflow: Any) -> dict[str, Any]:
    return json.loads(tensorflow("expressions.py").splitlines()[-1])


@pytest.fixture(scope="module")
def tf() -> Any:
    """The face as write_face would write it now."""
    root = types.SimpleNamespace()
    for module, names in write_face.face().items():
        place = root
        for part in filter(None, module.split(".")):
            place.__dict__.setdefault(part, types.SimpleNamespace())
            place = getattr(place, part)
        for name, found in names.items():
            setattr(place, name, getattr(importlib.import_module(found.module), found.attribute))
    return root


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_as_in_tensorflow(text: str, tf: Any, wanted: dict[str, Any]) -> None:
    if text in KNOWN:
        pytest.skip(KNOWN[text])
    found, theirs = json.loads(json.dumps(answer(tf, text))), wanted[text]
    values, others = found.pop("values", []), theirs.pop("values", [])
    assert found == theirs
    assert len(values) == len(others)
    for mine, other in zip(values, others, strict=True):
        if mine and isinstance(mine[-1], list):
            assert mine[:2] == other[:2]
            np.testing.assert_allclose(mine[2], other[2], rtol=1e-5, atol=1e-6)
        else:
            assert mine == other
