"""Runs cases.py with real TensorFlow and writes arrays.json: `python write_arrays.py`, with an interpreter that has TensorFlow 2.21."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parent))

import cases
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
answers = {name: cases.answer(tf, case) for name, case in cases.CASES.items()}
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(found)}" for name, found in answers.items())
text = f'{{"tensorflow": {json.dumps(tf.__version__)}, "answers": {{\n{lines}\n}}}}\n'
(Path(__file__).parent / "arrays.json").write_text(text)
print(len(answers), "cases")
