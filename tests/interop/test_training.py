"""Training goes on: TensorFlow from our checkpoints, we from TensorFlow's, to the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop import training
from tests.train.training_namespace import tf

pytestmark = pytest.mark.timeout(300)
_NAMES = [(name, use_resource) for use_resource in (False, True) for name in training.CASES.OPTIMIZERS]


def _key(name: str, use_resource: bool) -> str:
    return f"{name}{'-resource' if use_resource else ''}"


@pytest.fixture(scope="module")
def trained(tensorflow: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """The folder of checkpoints, where we got from ours, and where TensorFlow got from all."""
    folder = tmp_path_factory.mktemp("training")
    ours = {
        f"ours-{_key(name, use_resource)}": training.train(
            tf, name, folder / f"ours-{_key(name, use_resource)}", use_resource=use_resource, resumes=False
        )
        for name, use_resource in _NAMES
    }
    return folder, ours, json.loads(tensorflow("training.py", folder).splitlines()[-1])


@pytest.mark.interop
@pytest.mark.parametrize(("name", "use_resource"), _NAMES)
def test_resumes(name: str, use_resource: bool, trained: Any) -> None:
    folder, ours, theirs = trained
    key = _key(name, use_resource)
    _check(theirs[f"ours-{key}"], ours[f"ours-{key}"])
    found = training.train(tf, name, folder / f"theirs-{key}", use_resource=use_resource, resumes=True)
    _check(found, theirs[f"theirs-{key}"])


def _check(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(("name", "use_resource"), _NAMES)
def test_goes_on_bit_for_bit(name: str, use_resource: bool, tmp_path: Path) -> None:
    through = training.train(tf, name, tmp_path / "m", use_resource=use_resource, resumes=False)
    assert training.train(tf, name, tmp_path / "m", use_resource=use_resource, resumes=True) == through
