"""The programs of the seeds: with other import lines they print, log, raise and leave what they do with real TensorFlow."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from tests.golden.seeds import notebook
from tests.interop.printed import Cell, check

GOLDEN = Path(notebook.__file__).parent / "answers.json"
IMPORTS = {
    "import tensorflow as tf": "import gpersist.compat.v1 as tf",
    "from tensorflow.python.framework import graph_util": "from gpersist.compat.v1 import graph_util",
    "from tensorflow.python.framework.graph_util import": "from gpersist.compat.v1.graph_util import",
    "from tensorflow.python.framework import graph_io": "from gpersist.train import graph_io",
    "from tensorflow.python.platform import gfile": "from gpersist.compat.v1 import gfile",
    "from tensorflow.python.saved_model import": "from gpersist.compat.v1.saved_model import",
}

LONG = "seed_001_cnn"
CELLS = [
    pytest.param(program, title, marks=pytest.mark.slow if program == LONG else ())
    for program in notebook.PROGRAMS
    for title, _ in notebook.cells(program)
]


@pytest.fixture(scope="module", params=["golden", pytest.param("fresh", marks=[pytest.mark.interop, pytest.mark.timeout(300)])])
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What TensorFlow did: as the repository has it, and as the TensorFlow at hand does."""
    if request.param == "golden":
        return json.loads(GOLDEN.read_text())
    target = tmp_path_factory.mktemp("seeds") / "answers.json"
    request.getfixturevalue("tensorflow")("../golden/seeds/write_answers.py", target)
    return json.loads(target.read_text())


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What we do: `ours(program)` has the cells, by title."""
    done: dict[str, dict[str, Cell]] = {}

    def run(program: str) -> dict[str, Cell]:
        if program not in done:
            before = Path.cwd()
            os.chdir(tmp_path_factory.mktemp(program))
            try:
                done[program] = notebook.run(program, tf, IMPORTS)
            finally:
                os.chdir(before)
        return done[program]

    return run


@pytest.mark.parametrize(("program", "title"), CELLS)
def test_cell(program: str, title: str, ours: Any, theirs: Any) -> None:
    wanted = theirs["seeds"][program][title]
    until = "" if program != LONG else "[" if "load" in title else "after epoch 20,"  # rounding grows with every step of training
    check(ours(program)[title], wanted, numbers_until=until)


def test_freezing_is_logged(ours: Any) -> None:
    """As the seeds show it; TensorFlow 2 is silent."""
    logged = "INFO:Froze 2 variables.\nINFO:Converted 2 variables to const ops.\n"
    assert ours("seed_000")["freeze"]["logged"] == logged == ours("seed_003")["freeze"]["logged"]
