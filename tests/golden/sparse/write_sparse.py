"""Asks real TensorFlow 2.21 for the expressions and writes its answers to sparse.json: `python write_sparse.py`, with an interpreter that has it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parent))

import tensorflow.compat.v1 as tf
from expressions import EXPRESSIONS, answer

tf.disable_v2_behavior()
answers = {text: answer(tf, text) for text in EXPRESSIONS}
lines = [f" {json.dumps(text)}: {json.dumps(found)}" for text, found in answers.items()]
(Path(__file__).parent / "sparse.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(answers), "expressions")
