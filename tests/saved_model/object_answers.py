"""Calls of SavedModels with what TensorFlow gave for them, as tests/interop/object_models.py writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

import gpersist.saved_model
from gpersist.saved_model import SavedModel


def calls(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "answers.json").read_text())["calls"]
    return found


def decoded(value: Any) -> Any:
    if "dict" in value:
        return {key: decoded(part) for key, part in value["dict"].items()}
    if "list" in value:
        return [decoded(part) for part in value["list"]]
    if "value" in value:
        return value["value"]
    if value["dtype"] == "string":
        made = np.empty(len(value["values"]), object)
        made[:] = [text.encode() for text in value["values"]]
        return made.reshape(value["shape"])
    dtype = ml_dtypes.bfloat16 if value["dtype"] == "bfloat16" else value["dtype"]
    return np.array(value["values"]).astype(dtype).reshape(value["shape"])


def as_called(value: Any) -> Any:
    """Arguments: what was a tuple of tensors is one."""
    return [tuple(part) if isinstance(part, list) else part for part in value]


def result(model: SavedModel, call: dict[str, Any]) -> Any:
    kind, _, name = call["what"].rpartition(":")
    function = model.signatures[name] if kind else getattr(model, name)
    return function(*as_called(decoded(call["args"])), **decoded(call["named"]))


def check_same(found: Any, wanted: Any, what: str, rtol: float = 1e-5) -> None:
    if isinstance(wanted, dict):
        assert set(found) == set(wanted), what
        for key, part in wanted.items():
            check_same(found[key], part, f"{what} {key!r}", rtol)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), what
        for part, other in zip(found, wanted, strict=True):
            check_same(part, other, what, rtol)
    elif wanted is None:
        assert found is None, what
    else:
        array = found if isinstance(found, np.ndarray) else found.get()
        assert array.dtype == wanted.dtype, what
        assert array.shape == wanted.shape, what
        if wanted.dtype.kind in "OSUiub":
            np.testing.assert_array_equal(array, wanted, err_msg=what)
        else:
            np.testing.assert_allclose(array.astype(np.float64), wanted.astype(np.float64), rtol=rtol, atol=1e-6, err_msg=what)


def check(folder: Path, **options: Any) -> None:
    """Loads a model, and makes all of its calls."""
    with gpersist.saved_model.load(folder / "model", **options) as model:
        for call in calls(folder):
            check_same(result(model, call), decoded(call["result"]), call["what"])
