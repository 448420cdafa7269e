"""Branches, loops and arrays of tensors: the same nodes, contexts and results as real TensorFlow gives; see tests/golden/control_flow."""

from __future__ import annotations

import importlib.util
import json
import types
from pathlib import Path
from typing import Any

import pytest

from gpersist import ops
from gpersist.graph import Graph, Session
from gpersist.ops import control_flow, control_flow_case, functional_loops, gradients, joining, lookup, nest, tensor_array
from tests.ops.variables_namespace import tf as _basic

_FOLDER = Path(__file__).parents[1] / "golden" / "control_flow"
_SPEC = importlib.util.spec_from_file_location("control_flow_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "control_flow.json").read_text())["answers"]


def _names() -> dict[str, object]:
    found = dict(vars(_basic))
    for module in (control_flow, control_flow_case, functional_loops, gradients, joining, tensor_array):
        found |= {name: getattr(module, name) for name in module.__all__}
    return found | {
        "nest": nest,
        "lookup": lookup,
        "tables_initializer": lookup.tables_initializer,
        "initialize_all_tables": lookup.initialize_all_tables,
        "group": ops.group,
        "no_op": ops.no_op,
        "Session": Session,
    }


tf = types.SimpleNamespace(**_names())


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    with Graph().as_default():
        found = json.loads(json.dumps(_CASES.CASES[name](tf)))
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict) and "error" in wanted:
        if not isinstance(found, dict) or not set(found.get("error", ())) & set(wanted["error"][:-2]):
            yield f"{where}: wanted {wanted['error']}, found {found}"
    elif where.endswith(".nodes") and isinstance(found, list):
        known = {node[0]: node for node in wanted}
        others = {node[0]: node for node in found}
        for name in [*known, *(name for name in others if name not in known)]:
            if known.get(name) != others.get(name):
                yield f"{where}:\n  wanted {known.get(name)}\n  found  {others.get(name)}"
        if set(known) == set(others) and list(known) != list(others):
            first = next(index for index, pair in enumerate(zip(known, others, strict=True)) if pair[0] != pair[1])
            yield f"{where}: order from {first} on: wanted {list(known)[first : first + 4]}, found {list(others)[first : first + 4]}"
    elif isinstance(wanted, dict) and isinstance(found, dict) and set(wanted) == set(found):
        for key in wanted:
            yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif isinstance(wanted, float) and isinstance(found, float):
        if wanted != pytest.approx(found, rel=1e-5, nan_ok=True):
            yield f"{where}: wanted {wanted}, found {found}"
    elif wanted != found:
        yield f"{where}:\n  wanted {wanted!r}\n  found  {found!r}"
