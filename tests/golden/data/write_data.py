"""Runs programs.py with real TensorFlow and writes its answers to data.json: `python write_data.py`, with an interpreter that has TensorFlow 2.21."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parents[3]))

import tensorflow.compat.v1 as tf

from tests.golden.data import programs

tf.disable_v2_behavior()
with tempfile.TemporaryDirectory() as folder:
    answers = json.loads(json.dumps(programs.answers(tf, Path(folder))).replace(folder, "FOLDER"))
(Path(__file__).parent / "data.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
print(len(answers), "programs")
