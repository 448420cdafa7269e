"""Runs the programs of the seeds, cell by cell, and those of examples/, and tells what each printed, logged, raised and left in its folder.

A cell begins with `# %%` and its title. Whoever runs a program says what stands for its import lines: the seeds have TensorFlow's, the examples ours.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDERS = ["elsewhere", "model", "model1", "pythonfile"]
"""What the seeds' programs expect to find."""

PROGRAMS = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("seed_*.txt"))}

EXAMPLES = {
    "save_restore": [],
    "import_meta_graph": [],
    "rename_variables": [],
    "moving_average": [],
    "freeze": [],
    "export_meta_graph": [],
    "inspect_checkpoint": [],
    "linear_fit": ["100"],
    "cnn": ["11"],
    "fine_tune": [],
    "towers": [],
}
"""Their names and arguments; fine_tune goes on from the files of cnn."""

Cell = dict[str, Any]


def cells(program: str) -> list[tuple[str, str]]:
    """Titles and texts."""
    return re.findall(r"^# %% (.*)\n((?:(?!# %%).*\n?)*)", PROGRAMS[program], re.MULTILINE)


def run(program: str, tf: Any, imports: dict[str, str]) -> dict[str, Cell]:
    """What each cell did, by title, run in the folder at hand, in a new graph with seeds; `imports` has what stands for their import lines."""
    for folder in FOLDERS:
        os.makedirs(folder, exist_ok=True)
    tf.reset_default_graph()
    tf.set_random_seed(1)
    np.random.seed(1)
    namespace: dict[str, Any] = {"tf": tf}
    return {title: run_cell(text, imports, namespace) for title, text in cells(program)}


def run_example(name: str, tf: Any, imports: dict[str, str]) -> Cell:
    """The same for one of examples/."""
    tf.reset_default_graph()
    before = sys.argv
    sys.argv = [name, *EXAMPLES[name]]
    text = (Path(__file__).parents[3] / "examples" / f"{name}.py").read_text()
    try:
        return run_cell(text, imports, {"__name__": "__main__"})
    finally:
        sys.argv = before


def run_cell(text: str, imports: dict[str, str], namespace: dict[str, Any]) -> Cell:
    for line, replacement in imports.items():
        text = text.replace(line, replacement)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(message)s"))
    handler.setLevel(logging.INFO)
    handler.addFilter(lambda record: "deprecated" not in record.getMessage())
    cell: Cell = {}
    logging.root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, "<cell>", "exec"), namespace)
    except Exception as error:
        cell["raised"] = [[kind.__name__ for kind in type(error).__mro__], reason(str(error))]
    finally:
        logging.root.removeHandler(handler)
    return {"printed": out.getvalue(), "logged": log.getvalue(), **cell, "files": files()}


def reason(message: str) -> str:
    """An error's message without TensorFlow's account of where the failed node was made."""
    return re.sub(r"(?s)^.*Graph execution error:\n\n(?:Detected at.*Node: '[^\n]*'\n)?|\n\t \[\[\{\{node .*$", "", message)


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())
