"""Real TensorFlow, in an interpreter of its own; and folders that it wrote."""

import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "checkpoints"


@pytest.fixture(scope="session")
def tensorflow(tf_python):
    """Runs one of this folder's scripts there: `tensorflow(script, *arguments, input=text)` is what it printed."""

    def run(script, *arguments, input=""):
        command = [tf_python, str(HERE / script), *map(str, arguments)]
        done = subprocess.run(command, input=input, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def fresh(tensorflow, tmp_path_factory):
    """A folder that the TensorFlow at hand has just written."""
    folder = tmp_path_factory.mktemp("tensorflow")
    tensorflow("tensorflow_writes.py", folder)
    return folder


@pytest.fixture(scope="session", params=["golden", pytest.param("fresh", marks=pytest.mark.interop)])
def written(request):
    """The same checkpoints from the repository, and fresh ones."""
    return GOLDEN if request.param == "golden" else request.getfixturevalue("fresh")
