"""gpersist's answers to the programs of tests/golden/programs, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist import protos
from gpersist.graph import apply_op, get_op_type, reset_default_graph
from gpersist.ops import (
    array,
    checks,
    decoding,
    gradients,
    hashing,
    initializers,
    math,
    numerics,
    parsing,
    printing,
    random,
    regular_expressions,
    sparse_tensor,
    stateless_random,
    string_splitting,
    strings,
)
from tests.graph.namespace import tf as below

_FOLDER = Path(__file__).parents[1] / "golden" / "programs"


def _cases() -> dict[str, Any]:
    sys.path.insert(0, str(_FOLDER))
    try:
        for path in sorted(_FOLDER.glob("*_cases.py")):
            importlib.import_module(path.stem)
        found: dict[str, Any] = importlib.import_module("program").CASES
        return found
    finally:
        sys.path.remove(str(_FOLDER))


_CASES = _cases()
_ANSWERS = {name: answer for path in sorted(_FOLDER.glob("*_cases.json")) for name, answer in json.loads(path.read_text())["answers"].items()}


def _namespace() -> types.SimpleNamespace:
    rooms = (
        random,
        stateless_random,
        initializers,
        math,
        array,
        strings,
        string_splitting,
        regular_expressions,
        hashing,
        decoding,
        checks,
        numerics,
        printing,
        parsing,
    )
    found = {name: getattr(module, name) for module in (*rooms, gradients, sparse_tensor) for name in module.__all__}
    numbers = found | {name.replace("stateless_random_", "stateless_"): found[name] for name in stateless_random.__all__}
    texts = found | {name.replace("string_", ""): found[name] for name in found if name.startswith("string_")}
    shorter = {name.removesuffix("_initializer"): found[name] for name in initializers.__all__}
    parts = {
        "random": numbers,
        "strings": texts,
        "initializers": shorter,
        "debugging": found,
        "train": {"Example": protos.Example},
        "io": found,
        "raw_ops": _RawOps(),
    }
    spaces = {name: part if isinstance(part, _RawOps) else types.SimpleNamespace(**part) for name, part in parts.items()}
    return types.SimpleNamespace(**vars(below) | found | spaces)


class _RawOps:
    def __getattr__(self, name: str) -> Any:
        def build(**arguments: Any) -> Any:
            inputs = [arguments.pop(arg.name) for arg in get_op_type(name).signature().inputs]
            outputs = apply_op(name, *inputs, **arguments).outputs
            return outputs[0] if len(outputs) == 1 else outputs

        return build


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str) -> None:
    reset_default_graph()
    found = json.loads(json.dumps(_CASES[name](tf if name.startswith("container") else _namespace())))
    reset_default_graph()
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences[:20])


def test_all_programs_have_answers() -> None:
    assert set(_CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict) and "error" in wanted:
        if not isinstance(found, dict) or wanted["error"][0] not in found["error"]:
            yield f"{where}: wanted {wanted['error'][0]}, found {found}"
    elif isinstance(wanted, dict) and isinstance(found, dict) and set(wanted) == set(found):
        for key in wanted:
            yield from _differences(wanted[key], found[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (a, b) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(a, b, f"{where}[{index}]")
    elif isinstance(wanted, float) and isinstance(found, float):
        # Normal numbers go through logarithm, sine and cosine, whose last place is the library's own.
        if wanted != pytest.approx(found, rel=1e-6, abs=1e-6, nan_ok=True):
            yield f"{where}: wanted {wanted}, found {found}"
    elif wanted != found:
        yield f"{where}:\n  wanted {wanted!r}\n  found  {found!r}"
