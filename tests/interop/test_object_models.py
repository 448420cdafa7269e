"""TensorFlow 2 writes SavedModels and checkpoints of objects; we give what it gives for the same calls, and it runs what we freeze."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist
import gpersist.saved_model
from gpersist.convert import freeze
from gpersist.saved_model.loader import parse_saved_model
from tests.saved_model.object_answers import calls, check, decoded

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]
MODELS = ("module", "tables", "control_flow", "composite", "keras_dense", "keras_convolutions", "keras_recurrent")
FROZEN = ("control_flow", "keras_dense", "keras_convolutions")


@pytest.fixture(scope="module")
def folder(tensorflow: Any, tmp_path_factory: Any) -> Path:
    found: Path = tmp_path_factory.mktemp("objects")
    tensorflow("object_models.py", found)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_calls_give_what_tensorflow_gives(folder: Path, name: str) -> None:
    check(folder / name)


@pytest.mark.parametrize("name", MODELS)
def test_variables(folder: Path, name: str) -> None:
    prefix = folder / name / "model" / "variables" / "variables"
    with gpersist.open(prefix) as reader, gpersist.saved_model.load(folder / name / "model") as model:
        values = reader.object_graph().tensors.values()
        assert len({tensor.name for tensor in values}) == json.loads((folder / name / "answers.json").read_text())["tensors"]
        for variable in model.variables:
            assert any(tensor.dtype is variable.dtype and np.array_equal(tensor.read(), variable.numpy()) for tensor in values)


def test_tensorflow_runs_what_we_freeze(folder: Path, tensorflow: Any, tmp_path: Path) -> None:
    wanted = {}
    for name in FROZEN:
        for number, call in enumerate(calls(folder / name)):
            kind, _, signature = call["what"].rpartition(":")
            if not kind:
                continue
            message = parse_saved_model(folder / name / "model").meta_graphs[0].signature_def[signature]
            stem = f"{name}-{number}"
            feeds = {message.inputs[key].name: value.tolist() for key, value in decoded(call["named"]).items()}
            fetches = {key: info.name for key, info in message.outputs.items()}
            (tmp_path / f"{stem}.pb").write_bytes(freeze(folder / name / "model", signature=signature).graph_def.SerializeToString())
            (tmp_path / f"{stem}.json").write_text(json.dumps({"feeds": feeds, "fetches": fetches}))
            wanted[stem] = decoded(call["result"])
    found = json.loads(tensorflow("frozen_runs.py", tmp_path))
    assert found.keys() == wanted.keys()
    for stem, results in wanted.items():
        for key, value in results.items():
            np.testing.assert_allclose(found[stem][key], value, rtol=1e-5, err_msg=stem)
