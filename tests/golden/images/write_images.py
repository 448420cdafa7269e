"""Asks TensorFlow 2.21 what the cases give and writes it to images.json: `python write_images.py`.

The files are in images.json, as base64, and stay; they were written with Pillow 13, or by hand where Pillow has no such kind: all colour types,
depths, filters and interlacing of PNG; GIF frames of any place, disposal and transparency; and files that are cut off, damaged or too large.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parents[2])]

import tensorflow.compat.v1 as tf
from cases import EXPRESSIONS, OPERATIONS, told

from tests.interop.expressions import answer


def decoded(contents: bytes, op_name: str, attrs: dict[str, object]) -> object:
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            return told(session.run(getattr(tf.raw_ops, op_name)(contents=contents, **attrs)))
        except Exception as error:
            return type(error).__name__


def write() -> None:
    tf.disable_v2_behavior()
    files: dict[str, str] = json.loads((FOLDER / "images.json").read_text())["files"]
    answers = {}
    for name, text in files.items():
        operations = OPERATIONS[name.partition("/")[0]]
        answers[name] = [decoded(base64.b64decode(text), op_name, attrs) for op_name, attrs in operations]
    expressions = {text: answer(tf, text) for text in EXPRESSIONS}
    parts = {"files": files, "answers": answers, "expressions": expressions}
    lines = [
        f'"{part}": {{\n' + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items()) + "\n}"
        for part, entries in parts.items()
    ]
    (FOLDER / "images.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write()
