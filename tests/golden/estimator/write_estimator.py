"""Runs cases.py, training_cases.py and canned_cases.py with real TensorFlow and writes its answers: `python write_estimator.py`.

They go to estimator.json, training.json and canned.json.gz.

TensorFlow has no Estimator since 2.16: run this with tensorflow-cpu 2.15.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import canned_cases
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

path = FOLDER / "canned.json.gz"
canned = json.loads(gzip.decompress(path.read_bytes())) if chosen else {"tensorflow": tf.__version__, "answers": {}, "programs": {}, "errors": {}}
asked = {
    "answers": (canned_cases.CASES, canned_cases.answer),
    "programs": (canned_cases.PROGRAMS, canned_cases.result),
    "errors": (canned_cases.ERRORS, canned_cases.failure),
}
for kind, (found, ask) in asked.items():
    for title in found:
        if not chosen or title in chosen:
            tf.reset_default_graph()
            os.chdir(tempfile.mkdtemp())
            canned[kind][title] = json.loads(json.dumps(ask(tf, title)))
path.write_bytes(gzip.compress(json.dumps(canned, indent=1).encode(), mtime=0))
print(len(canned["answers"]), "ready-made estimators,", len(canned["errors"]), "errors")
