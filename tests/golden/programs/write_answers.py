"""Runs the programs of *_cases.py with real TensorFlow and writes what they give to *_cases.json.

    python write_answers.py [random string ...]

with an interpreter that has TensorFlow 2.21; with no topics, all of them.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

sys.path.insert(0, str(Path(__file__).parent))

import program
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
for path in sorted(Path(__file__).parent.glob("*_cases.py")):
    topic = path.stem.removesuffix("_cases")
    if sys.argv[1:] and topic not in sys.argv[1:]:
        continue
    program.CASES.clear()
    importlib.import_module(path.stem)
    answers = {}
    for name, case in program.CASES.items():
        tf.reset_default_graph()
        try:
            answers[name] = json.loads(json.dumps(case(tf)))
        except Exception as error:
            raise RuntimeError(f"case {name}") from error
    text = json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=0, separators=(",", ":"))
    path.with_suffix(".json").write_text(text + "\n")
    print(topic, len(answers), "cases")
