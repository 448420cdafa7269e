"""Runs cases.py with real TensorFlow and writes its answers to saver.json: `python write_saver.py`, with an interpreter that has TensorFlow 2.21."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cases
import tensorflow.compat.v1 as tf
from tensorflow.python.training.saver import BaseSaverBuilder

tf.disable_v2_behavior()
tf.logging.set_verbosity("ERROR")
tf._saver_builder = BaseSaverBuilder
FOLDER = Path(__file__).resolve().parent
answers = {}
for name, case in cases.CASES.items():
    tf.reset_default_graph()
    os.chdir(tempfile.mkdtemp())
    try:
        answers[name] = json.loads(json.dumps(case(tf)))
    except Exception as error:
        raise RuntimeError(f"case {name}") from error
(FOLDER / "saver.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
print(len(answers), "cases")
