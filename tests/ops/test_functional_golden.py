"""Gradients through functions of imported graphs: the same values as TensorFlow's; see tests/golden/functional."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist import protos

_ANSWERS = np.load(Path(__file__).parents[1] / "golden" / "functional" / "functional.npz")
_NAMES = sorted({name.partition("/")[0] for name in _ANSWERS.files})


@pytest.mark.parametrize("name", _NAMES)
def test_gradients_are_tensorflows(name: str) -> None:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(protos.GraphDef.FromString(_ANSWERS[f"{name}/graph"].tobytes()), name="")
        x, y, v = (graph.get_tensor_by_name(f"{part}:0") for part in ("x", "y", "v"))
        gradients = [tf.convert_to_tensor(gradient) for gradient in tf.gradients(y, [x, v])]
        session.run("v/Assign")
        for number in range(2):
            found = session.run([y, *gradients], {x: _ANSWERS[f"{name}/x{number}"]})
            for kind, value in zip(("y", "dx", "dv"), found, strict=True):
                np.testing.assert_allclose(value, _ANSWERS[f"{name}/{kind}{number}"], rtol=1e-5, atol=1e-5)  # of tanh near 1


@pytest.mark.parametrize("name", _NAMES)
def test_gradients_that_tensorflow_made_run(name: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(protos.GraphDef.FromString(_ANSWERS[f"{name}/gradient_graph"].tobytes()), name="")
        session.run("v/Assign")
        for number in range(2):
            found = session.run(["y:0", "gradient0:0", "gradient1:0"], {"x:0": _ANSWERS[f"{name}/x{number}"]})
            for kind, value in zip(("y", "dx", "dv"), found, strict=True):
                np.testing.assert_allclose(value, _ANSWERS[f"{name}/{kind}{number}"], rtol=1e-5, atol=1e-5)
