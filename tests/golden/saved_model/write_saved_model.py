"""Runs cases.py with real TensorFlow and writes its answers to saved_model.json: `python write_saved_model.py`, where TensorFlow 2.21 is."""

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
from tensorflow.core.protobuf import saved_model_pb2

tf.disable_v2_behavior()
tf.logging.set_verbosity("ERROR")
tf._saved_model_class = saved_model_pb2.SavedModel
FOLDER = Path(__file__).resolve().parent
answers = {}
for name, case in cases.CASES.items():
    tf.reset_default_graph()
    os.chdir(tempfile.mkdtemp())
    try:
        answers[name] = json.loads(json.dumps(case(tf)))
    except Exception as error:
        raise RuntimeError(f"case {name}") from error
(FOLDER / "saved_model.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
print(len(answers), "cases")
