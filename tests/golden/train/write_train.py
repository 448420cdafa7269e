"""Runs cases.py with real TensorFlow and writes its answers to train.json: `python write_train.py`, with an interpreter that has TensorFlow 2.21."""

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
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
(Path(__file__).parent / "train.json").write_text(f'{{"tensorflow": {json.dumps(tf.__version__)}, "answers": {{\n{lines}\n}}}}\n')
print(len(answers), "cases")

from tensorflow.python.framework import ops

registry = ops.gradient_registry._registry
found = {
    "has": sorted(name for name, entry in registry.items() if entry["type"] is not None),
    "not_differentiable": sorted(name for name, entry in registry.items() if entry["type"] is None),
}
(Path(__file__).parent / "gradient_registry.json").write_text(json.dumps(found, indent=0) + "\n")
