"""`gpersist convert` with Keras models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.cli import main
from tests.keras.comparing import check_frozen

pytest.importorskip("h5py")
GOLDEN = Path(__file__).parents[1] / "golden" / "keras" / "tf_keras"


@pytest.fixture
def told() -> Any:
    return dict(np.load(GOLDEN / "tf_keras.npz"))


def run(*arguments: Any) -> int:
    return main(["convert", *map(str, arguments)])


def test_to_a_graph(told: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOLDEN / "cnn.h5", tmp_path / "a.pb") == 0
    assert capsys.readouterr().out.endswith("a.pb (34 nodes): inputs input_1 (input_1); outputs dense/Softmax (dense/Softmax)\n")
    check_frozen(tf.GraphDef.FromString((tmp_path / "a.pb").read_bytes()), ["input_1"], ["dense/Softmax"], "cnn", told)
    assert run(GOLDEN / "weights.h5", tmp_path / "b.pb", "--architecture", GOLDEN / "architecture.json", "--outputs", "dense/Softmax") == 0
    assert (tmp_path / "b.pb").read_bytes() == (tmp_path / "a.pb").read_bytes()


def test_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOLDEN / "cnn.h5", tmp_path / "export") == 0
    assert capsys.readouterr().out.endswith("export (SavedModel): inputs input_1 (input_1:0); outputs dense (dense/Softmax:0)\n")
    assert main(["freeze", str(tmp_path / "export"), str(tmp_path / "c.pb")]) == 0
    assert run(GOLDEN / "cnn.h5", tmp_path / "export") == 2 and "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cnn.h5", "x.pb", "--to", "v1"], "a Keras model becomes a graph or a SavedModel"),
        (["cnn.h5", "x", "--outputs", "dense"], "--outputs chooses what a graph"),
        (["weights.h5", "x.pb"], "holds weights and no model"),
        (["none.h5", "x.pb"], "is no file"),
        (["tf_keras.npz", "x.pb"], "a graph is made with its outputs: gpersist freeze"),
        (["tf_keras.npz", "x", "--architecture", "y"], "--architecture is for Keras's HDF5 files"),
    ],
)
def test_errors(arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target, *rest = arguments
    assert run(GOLDEN / source, tmp_path / target, *rest) in (1, 2)
    assert told in capsys.readouterr().err and not list(tmp_path.iterdir())
