"""Runs cases.py with real TensorFlow and writes its answers to control_flow.json, with an interpreter that has TensorFlow 2.21."""

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
answers = {}
for name, case in cases.CASES.items():
    tf.reset_default_graph()
    try:
        answers[name] = json.loads(json.dumps(case(tf)))
    except Exception as error:
        raise RuntimeError(f"case {name}") from error
(Path(__file__).parent / "control_flow.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
print(len(answers), "cases")
