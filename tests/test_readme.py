"""What README.md and examples/ say is run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.seeds import notebook

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(folder, *arguments):
    """As a user would, in a folder of his own; warnings are errors."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_runs(number, tmp_path):
    run(tmp_path, "-c", BLOCKS[number])
    assert list(tmp_path.glob("run/*.index"))


def test_there_are_blocks():
    assert len(BLOCKS) == 3


def test_training_resumes(tmp_path):
    assert "steps 1 to 100; kept [60, 80, 100]" in run(tmp_path, ROOT / "examples/train_and_resume.py")
    assert "steps 101 to 200; kept [160, 180, 200]" in run(tmp_path, ROOT / "examples/train_and_resume.py")


def test_placing():
    out = run(ROOT, ROOT / "examples/place.py")
    assert re.search(r"^balanced .*layer3 on /device:GPU:0$", out, re.MULTILINE)
    assert re.search(r"^strict: 2 of 4 tensors .*'layer2'", out, re.MULTILINE)


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES} - set(notebook.EXAMPLES) == {"place", "train_and_resume"}  # those are run by tests/examples


def test_what_it_says_to_make_can_be_made():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"(?:`|^    )make ([a-z-]+)", README, re.MULTILINE))
    assert told and told <= targets


def test_the_commands_it_names_are_there(tmp_path):
    for command in sorted(set(re.findall(r"^    gpersist (\w+)", README, re.MULTILINE))):
        assert f"gpersist {command}" in run(tmp_path, "-m", "gpersist", command, "--help")
