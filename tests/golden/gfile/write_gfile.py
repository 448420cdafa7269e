"""Runs cases.py with real TensorFlow and writes its answers to gfile.json: `python write_gfile.py`, where TensorFlow 2.21 is."""

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

here = Path(__file__).resolve().parent
answers = {}
for name, case in cases.CASES.items():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        answers[name] = json.loads(json.dumps(case(tf.gfile, folder)))
        os.chdir("/")
(here / "gfile.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
print(len(answers), "cases")
