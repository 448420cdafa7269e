"""gpersist's nodes and values of the programs in tests/golden/nn, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib.util
import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist.graph import reset_default_graph
from gpersist.ops import (
    activations,
    bias,
    clip,
    convolutions,
    cross_entropy,
    depthwise_convolutions,
    dropout,
    embedding,
    gradients,
    initializers,
    layers,
    losses,
    moments,
    pools,
    softmax,
    unary,
    variable_scope,
)
from tests.graph.namespace import tf as plain

_FOLDER = Path(__file__).parents[1] / "golden" / "nn"
_SPEC = importlib.util.spec_from_file_location("nn_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "nn.json").read_text())["answers"]


def _face(*modules: types.ModuleType) -> types.SimpleNamespace:
    return types.SimpleNamespace(**{name: getattr(module, name) for module in modules for name in module.__all__})


_TF = types.SimpleNamespace(
    **vars(plain)
    | {
        "nn": _face(activations, bias, clip, convolutions, cross_entropy, depthwise_convolutions, dropout, embedding, moments, pools, softmax),
        "losses": _face(losses),
        "layers": _face(layers),
        "gradients": gradients.gradients,
        "variable_scope": variable_scope.variable_scope,
        "ones_initializer": initializers.ones_initializer,
        "zeros_initializer": initializers.zeros_initializer,
    }
)
_TF.nn.sigmoid = unary.sigmoid


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    wanted = _ANSWERS[name]
    reset_default_graph()
    found = json.loads(json.dumps(_CASES.answer(_TF, _CASES.CASES[name])))
    reset_default_graph()
    assert found.get("error") == wanted.get("error"), found.get("message")
    if "error" in wanted:
        return
    assert not _differences(wanted["nodes"], found["nodes"])
    assert found["shapes"] == wanted["shapes"]
    assert found["collections"] == wanted["collections"]
    if wanted["values"] is not None:
        for index, (one, other) in enumerate(zip(found["values"], wanted["values"], strict=True)):
            np.testing.assert_allclose(np.array(one), np.array(other), rtol=2e-5, atol=1e-5, err_msg=f"fetch {index}")


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: list[Any], found: list[Any]) -> str:
    mine, theirs = {node[0]: node for node in found}, {node[0]: node for node in wanted}
    texts = [f"missing {theirs[name]}" for name in theirs if name not in mine]
    texts += [f"too many: {mine[name]}" for name in mine if name not in theirs]
    texts += [f"wanted {theirs[name]}\n found {mine[name]}" for name in theirs if name in mine and theirs[name] != mine[name]]
    if not texts and [node[0] for node in wanted] != [node[0] for node in found]:
        texts.append(f"order: wanted {[node[0] for node in wanted]}\n found {[node[0] for node in found]}")
    return "\n".join(texts[:12])
