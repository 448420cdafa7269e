"""Keras writes models, ours give what its do; and TensorFlow gives the same for what we make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist.convert import keras_to_frozen, keras_to_saved_model
from tests.golden.keras import cases
from tests.keras.comparing import check_model

pytest.importorskip("h5py")
pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]  # the first test waits for all models to be written, and run
SERVED = ["cnn", "several", "lstm", "masked_steps", "nested"]
"""Also written as SavedModels."""


@pytest.fixture(scope="module")
def theirs(tensorflow: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("keras")
    tensorflow("../golden/keras/write_keras.py", folder)
    return folder, dict(np.load(folder / "keras.npz"))


@pytest.fixture(scope="module")
def run_by_tensorflow(theirs: Any, tensorflow: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What TensorFlow gives for our graphs, and the signatures of our SavedModels."""
    folder, _ = theirs
    graphs, signatures = tmp_path_factory.mktemp("graphs"), {}
    for path in sorted(folder.glob("*.h5")):
        frozen = keras_to_frozen(path, graphs / f"{path.stem}.pb")
        ends = [" ".join(name if ":" in name else f"{name}:0" for name in names) for names in (frozen.inputs, frozen.outputs)]
        (graphs / f"{path.stem}.txt").write_text("\n".join(ends))
        if path.stem in SERVED:
            signatures[path.stem] = keras_to_saved_model(path, graphs / path.stem)
    tensorflow("runs_graphs.py", graphs, folder / "keras.npz", graphs / "results.npz")
    return dict(np.load(graphs / "results.npz")), signatures


@pytest.mark.parametrize("case", cases.CASES)
def test_read(case: str, theirs: Any) -> None:
    folder, told = theirs
    if not (folder / f"{case}.h5").exists():
        pytest.skip("this version of Keras cannot make it")
    check_model(folder / f"{case}.h5", case, told)


@pytest.mark.parametrize("case", cases.CASES)
def test_frozen(case: str, theirs: Any, run_by_tensorflow: Any) -> None:
    told, results = theirs[1], run_by_tensorflow[0]
    wanted = {name.rpartition("/")[2]: value for name, value in told.items() if name.startswith(f"{case}/out/")}
    if len({name for name in results if name.startswith(f"{case}/frozen/")}) != len(wanted):
        pytest.skip("one tensor is two outputs" if wanted else "this version of Keras cannot make it")
    for index, want in wanted.items():
        np.testing.assert_allclose(results[f"{case}/frozen/{index}"], want, 2e-3 if want.dtype == np.float16 else 1e-5, 1e-6)


@pytest.mark.parametrize("case", SERVED)
def test_served(case: str, theirs: Any, run_by_tensorflow: Any) -> None:
    told, (results, signatures) = theirs[1], run_by_tensorflow
    keys = list(signatures[case].outputs)
    for index, key in enumerate(sorted(keys)):
        np.testing.assert_allclose(results[f"{case}/saved/{key}"], told[f"{case}/out/{index}"], 1e-5, 1e-6)
