"""Datasets give what TensorFlow's give, of the same programs, by nodes of the same names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from tests.golden.data import programs

_GOLDEN = json.loads((Path(programs.__file__).parent / "data.json").read_text())["answers"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("data")
    return json.loads(json.dumps(programs.answers(tf, folder)).replace(str(folder), "FOLDER"))


@pytest.mark.parametrize("name", sorted(_GOLDEN))
def test_gives_what_tensorflow_gives(found: Any, name: str) -> None:
    assert found[name] == _GOLDEN[name]
