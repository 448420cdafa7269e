"""Whole families of operations, wrong inputs included, against what real TensorFlow gave of the same nodes (tests/golden/families)."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist import protos
from gpersist.dtypes import from_name
from gpersist.graph import Graph, Session, import_graph_def, make_tensor_proto

_GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(_GOLDEN))

from families.nodes import graph_of, told  # noqa: E402  # the folder is no package of ours
from families.write_families import FAMILIES  # noqa: E402

_OP_DEFS = {op.name: op for op in protos.OpList.FromString((_GOLDEN / "ops" / "op_defs.binpb").read_bytes()).op}
_CASES = [(family, number, case) for family in FAMILIES for number, case in enumerate(importlib.import_module(f"families.{family}").CASES)]
_ANSWERS = json.loads((_GOLDEN / "families" / "families.json").read_text())

_OURS = {
    **dict.fromkeys((("BlockLSTM", "values"), ("BlockLSTMV2", "values")), "behind a sequence's end TensorFlow leaves memory as it was"),
    **dict.fromkeys(
        (("AdjustContrastv2", "error"), ("AdjustHue", "error"), ("AdjustSaturation", "error")), "TensorFlow has no kernel for float16 on a CPU"
    ),
    ("DrawBoundingBoxesV2", "error"): "two channels are refused as soon as the graph is made, as DrawBoundingBoxes refuses them",
    ("RaggedTensorToTensor", "error"): "TensorFlow reads beyond the values where row_splits go further",
    ("StringNGrams", "values"): "of no rows at all TensorFlow gives as many empty texts as there are tokens",
    ("Dequantize", "error"): "an axis is held against the rank once it is known",
}
"""Where gpersist does otherwise, and why; the operation and what differs."""

_COARSE = {"float16": 2e-3, "bfloat16": 2e-2}


@pytest.mark.parametrize("family", FAMILIES)
def test_same_as_tensorflow(family: str) -> None:
    differences = {}
    for (found_family, number, case), answer in zip(_CASES, _ANSWERS, strict=True):
        if found_family != family or answer == "crash":
            continue
        for way in ("known", "unknown"):
            found = _difference(_answer(case, is_constant=way == "known"), answer[way])
            if found is not None and (case[0], found[0]) not in _OURS:
                differences[f"{number} {case[0]} {way} {case[2]}"] = found
    assert not differences


def _answer(case: tuple[str, list[Any], dict[str, Any]], *, is_constant: bool) -> dict[str, Any]:
    message, feeds = graph_of(case, is_constant, protos.GraphDef(), _OP_DEFS[case[0]], make_tensor_proto, lambda name: from_name(name).enum)
    try:
        with Graph().as_default(), Session() as session:
            (op,) = import_graph_def(message, return_elements=["x"], name="") or ()
            return {"shapes": [str(output.shape) for output in op.outputs], "values": session.run(list(op.outputs), feeds)}
    except Exception as error:  # whatever it is, its class is compared
        return {"error": type(error).__name__}


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> tuple[str, Any, Any] | None:
    if found.get("error") != wanted.get("error"):
        return "error", found.get("error"), wanted.get("error")
    if found.get("shapes") != wanted.get("shapes"):
        return "shapes", found.get("shapes"), wanted.get("shapes")
    for value, golden in zip(found["values"], wanted["values"], strict=True) if "values" in wanted else ():
        mine = told(value)
        if mine[:2] != golden[:2] or not _is_near(mine[2], golden[2], _COARSE.get(mine[0], 1e-5)):
            return "values", mine, golden
    return None


def _is_near(found: list[Any], wanted: list[Any], rtol: float) -> bool:
    if found == wanted:
        return True
    if not wanted or not isinstance(wanted[0], (float, list)):
        return False
    scale = np.abs(np.nan_to_num(np.array(wanted), posinf=0, neginf=0)).max()
    return np.allclose(found, wanted, rtol=rtol, atol=rtol / 5 * max(1, scale), equal_nan=True)
