"""Dialogs: blocks of statements, and what each expression among them is, or how it fails; as at Python's prompt.

The blocks are in *.txt, parted by lines of `#---`; each starts with a new graph. A statement that ends in `# words` fails here in other words than in
TensorFlow; one that ends in `# ours` is something else here, on purpose.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

_KEPT: list[Any] = []  # TensorFlow has pointers to the code that made an operation, and crashes when that is gone


def dialogs(folder: Path = Path(__file__).parent) -> dict[str, str]:
    """The text of each of a folder's blocks, by the file's name and a number."""
    found = {}
    for path in sorted(folder.glob("*.txt")):
        for number, block in enumerate(path.read_text().split("#---\n")):
            found[f"{path.stem} {number}"] = block
    return found


def write(folder: Path, tf: Any, only: list[str]) -> None:
    """Holds a folder's dialogs with TensorFlow, all or those of some files, and writes what it says to dialogs.json."""
    path = folder / "dialogs.json"
    answers = json.loads(path.read_text())["answers"] if path.exists() and only else {}
    for name, block in dialogs(folder).items():
        if not only or name.split()[0] in only:
            answers[name] = run(block, tf)
    path.write_text(json.dumps({"tensorflow": tf.__version__, "answers": dict(sorted(answers.items()))}, indent=0, separators=(",", ":")) + "\n")
    print(sum(map(len, answers.values())), "statements")


def run(block: str, tf: Any) -> list[list[Any]]:
    """For each statement that tells something: its text, its mark, and what it gave."""
    tf.reset_default_graph()
    names = {"tf": tf, "np": np}
    lines = block.splitlines()
    found = []
    for node in ast.parse(block).body:
        text = ast.get_source_segment(block, node)
        assert text is not None
        mark = lines[(node.end_lineno or 1) - 1].rpartition("  # ")[2]
        mark = mark if mark in ("ours", "words") else ""
        kind = "eval" if isinstance(node, ast.Expr) else "exec"
        try:
            _KEPT.append(compile(text, "dialog", kind))
            value = eval(_KEPT[-1], names)
            if kind == "eval":
                found.append([text, mark, shown(value)])
        except Exception as error:
            message = getattr(error, "message", None) or (error.args[0] if isinstance(error, KeyError) and error.args else str(error))
            op = getattr(getattr(error, "op", None), "name", None)
            found.append([text, mark, {"error": [kind.__name__ for kind in type(error).__mro__], "message": words(str(message)), "op": op}])
    while (session := tf.get_default_session()) is not None:  # a statement has left it open
        session.close() if isinstance(session, tf.InteractiveSession) else session.__exit__(None, None, None)
    return found


def shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {value.tolist()}"
    if isinstance(value, np.generic):
        return f"scalar {value.dtype} {value.tolist()!r}"
    if isinstance(value, dict):
        return type(value).__name__ + " {" + ", ".join(f"{key!r}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return type(value).__name__ + " [" + ", ".join(map(shown, value)) + "]"
    if hasattr(value, "DESCRIPTOR"):
        return " ".join(str(value).split())
    return re.sub(r"0x[0-9a-f]+", "0x", repr(value))


def words(message: str) -> str:
    """What an error says, without where TensorFlow says that it happened, and without the node as TensorFlow 1 and 2 write it."""
    message = message.removeprefix("Graph execution error:\n\n")
    message = re.sub(r"Detected at node [^\n]* defined at .*?\nNode: [^\n]*\n", "", message, flags=re.DOTALL)
    message = message.split("\n\nOriginal stack trace")[0].split(" Originally defined at:")[0].split("\n\t [[")[0]
    message = re.sub(r" for '\{\{node .*", "", message, flags=re.DOTALL)
    message = re.sub(r" for '[^']*' \(op: '\w+'\) with input shapes: .*", "", message, flags=re.DOTALL)
    return re.sub(r"0x[0-9a-f]+", "0x", message)
