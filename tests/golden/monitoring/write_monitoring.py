"""Runs cases.py with real TensorFlow and writes its answers: `python write_monitoring.py`, with an interpreter that has TensorFlow 2.21."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parent))

import cases
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
TARGET = Path(__file__).resolve().parent / "monitoring.json"
answers = {}
for name, case in cases.CASES.items():
    tf.reset_default_graph()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            answers[name] = json.loads(json.dumps(case(tf)))
        except Exception as error:
            print(f"case {name}: {error!r}")
        tf.summary.FileWriterCache.clear()
        os.chdir("/")
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
TARGET.write_text(f'{{"tensorflow": {json.dumps(tf.__version__)}, "answers": {{\n{lines}\n}}}}\n')
print(len(answers), "of", len(cases.CASES), "cases")
