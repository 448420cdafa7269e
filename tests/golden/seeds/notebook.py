"""Runs the programs of the seeds, one cell after the other, and tells what each printed, logged, raised and left in its folder.

A cell begins with `# %%` and its title. The programs say `import tensorflow as tf`; whoever runs them says what stands for TensorFlow.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

FOLDERS = ["elsewhere", "model", "model1", "pythonfile"]
"""What the programs expect to find."""

PROGRAMS = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("seed_*.txt"))}

Cell = dict[str, Any]


def cells(program: str) -> list[tuple[str, str]]:
    """Titles and texts."""
    return [(title, text) for title, text in re.findall(r"^# %% (.*)\n((?:(?!# %%).*\n?)*)", PROGRAMS[program], re.MULTILINE)]


def run(program: str, tf: Any, imports: dict[str, str]) -> dict[str, Cell]:
    """What each cell did, by title, run in the folder at hand, in a new graph with seeds; `imports` has what stands for their import lines."""
    for folder in FOLDERS:
        os.makedirs(folder, exist_ok=True)
    tf.reset_default_graph()
    tf.set_random_seed(1)
    np.random.seed(1)
    found = {}
    namespace: dict[str, Any] = {"tf": tf}
    for title, text in cells(program):
        for line, replacement in imports.items():
            text = text.replace(line, replacement)
        found[title] = run_cell(text, namespace)
    return found


def run_cell(text: str, namespace: dict[str, Any]) -> Cell:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(message)s"))
    cell: Cell = {}
    logging.root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, "<cell>", "exec"), namespace)
    except Exception as error:
        cell["raised"] = [type(error).__name__, str(error)]
    finally:
        logging.root.removeHandler(handler)
    return {"printed": out.getvalue(), "logged": log.getvalue(), **cell, "files": files()}


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())
