"""The programs in examples/ for people who come from TensorFlow: they print what the same programs print there, and are short enough to be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.seeds import notebook
from tests.interop.printed import Cell, check

ROOT = Path(__file__).parents[2]
ANSWERS = json.loads((Path(notebook.__file__).parent / "answers.json").read_text())["examples"]
GPUS = {"GPERSIST_VIRTUAL_DEVICES": "2"}


def run(name: str, folder: Path, **environment: str) -> Cell:
    """As a user would, in a folder of his own; warnings are errors."""
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py"), *notebook.EXAMPLES[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return {"printed": done.stdout, "logged": done.stderr.replace(":gpersist:", ":"), "files": left}


@pytest.mark.parametrize(
    ("name", "environment"),
    [(name, {}) for name in notebook.EXAMPLES if name != "fine_tune"] + [(name, GPUS) for name in ("import_meta_graph", "freeze", "towers")],
)
def test_prints_what_tensorflow_prints(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    check(run(name, tmp_path, **environment), ANSWERS[name])


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["import_meta_graph", "moving_average", "freeze", "towers"])
def test_prints_the_same_on_cuda(name: str, tmp_path: Path) -> None:
    check(run(name, tmp_path, **os.environ), ANSWERS[name])


def test_fine_tuning_goes_on_from_what_was_trained(tmp_path: Path) -> None:
    run("cnn", tmp_path)
    check(run("fine_tune", tmp_path), ANSWERS["fine_tune"])


def test_towers_run_on_their_devices(tmp_path: Path) -> None:
    assert "soft placement" not in run("towers", tmp_path, **GPUS)["logged"]


def test_fine_tuning_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"run cnn\.py first"):
        run("fine_tune", tmp_path)


@pytest.mark.parametrize("name", notebook.EXAMPLES)
def test_is_a_program_that_a_person_reads(name: str) -> None:
    text = (ROOT / "examples" / f"{name}.py").read_text()
    assert text.count("\n") < 60
    assert text.startswith('"""')
