"""gpersist's answers to the calls of tests/golden/arrays, against those that real TensorFlow gave: nodes, shapes, values, classes of errors."""

from __future__ import annotations

import importlib.util
import json
import types
from pathlib import Path
from typing import Any

import pytest

from gpersist import errors, ops
from gpersist.graph import Operation, Tensor
from gpersist.ops import array, gradients
from tests.graph.namespace import tf as base

_FOLDER = Path(__file__).parents[1] / "golden" / "arrays"
_SPEC = importlib.util.spec_from_file_location("array_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_LINALG = {
    "matrix_transpose": array.matrix_transpose,
    "tensor_diag": array.diag,
    "diag": array.matrix_diag,
    "diag_part": array.matrix_diag_part,
    "set_diag": array.matrix_set_diag,
    "band_part": array.matrix_band_part,
}
_NAMES = {name: getattr(array, name) for name in array.__all__}
tf = types.SimpleNamespace(
    **vars(base)
    | _NAMES
    | {
        "Tensor": Tensor,
        "gradients": gradients.gradients,
        "Operation": Operation,
        "Variable": ops.Variable,
        "linalg": types.SimpleNamespace(**_LINALG),
        "nn": types.SimpleNamespace(space_to_depth=array.space_to_depth),
        "errors": types.SimpleNamespace(OpError=errors.GPersistError),
        "tensor_scatter_update": array.tensor_scatter_nd_update,
        "tensor_scatter_add": array.tensor_scatter_nd_add,
    }
)
_ANSWERS = json.loads((_FOLDER / "arrays.json").read_text())["answers"]


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    found = json.loads(json.dumps(_CASES.answer(tf, _CASES.CASES[name])))
    wanted = _ANSWERS[name]
    if "error" in wanted:
        assert wanted["error"][0] in found.pop("error", ())
        wanted = {key: value for key, value in wanted.items() if key != "error"}
    assert found.get("nodes") == wanted.get("nodes")
    assert found.get("results") == wanted.get("results")
    assert [_same(*pair) for pair in zip(found.get("values", ()), wanted.get("values", ()), strict=True)] == wanted.get("values", [])
    assert found.keys() == wanted.keys()


def _same(found: Any, wanted: Any) -> Any:
    """What was found; where it is as near as float32 can be, what was wanted."""
    is_near = found[:2] == wanted[:2] and found[0].startswith("float") and None not in wanted[2] and found[2] == pytest.approx(wanted[2], rel=1e-6)
    return wanted if is_near else found


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)
