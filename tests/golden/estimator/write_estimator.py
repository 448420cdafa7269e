"""Runs cases.py and training_cases.py with real TensorFlow and writes its answers to estimator.json and training.json: `python write_estimator.py`.

TensorFlow has no Estimator since 2.16: run this with tensorflow-cpu 2.15.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import cases
import tensorflow.compat.v1 as tf
import training_cases
from tensorflow.core.protobuf import saved_model_pb2

tf.disable_v2_behavior()
tf.logging.set_verbosity("ERROR")
tf._saved_model_class = saved_model_pb2.SavedModel
chosen = sys.argv[1:]
for name, found in (("estimator", cases.CASES), ("training", training_cases.CASES)):
    path = FOLDER / f"{name}.json"
    answers = json.loads(path.read_text())["answers"] if chosen else {}
    for title, case in found.items():
        if chosen and title not in chosen:
            continue
        tf.reset_default_graph()
        tf.summary.FileWriterCache.clear()
        os.chdir(tempfile.mkdtemp())
        try:
            answers[title] = json.loads(json.dumps(case(tf)))
        except Exception as error:
            raise RuntimeError(f"case {title}") from error
    path.write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
    print(len(answers), "cases")
