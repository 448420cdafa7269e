"""Runs the programs of this folder with real TensorFlow and writes what they did to answers.json.

    python write_answers.py [PROGRAM ...]

with an interpreter that has TensorFlow 2.21; with no names, all of them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import notebook
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.logging.set_verbosity("INFO")
warnings.simplefilter("ignore")
TARGET = Path(__file__).resolve().parent / "answers.json"
answers = json.loads(TARGET.read_text())["answers"] if TARGET.exists() else {}
for name in sys.argv[1:] or notebook.PROGRAMS:
    os.chdir(tempfile.mkdtemp())
    answers[name] = notebook.run(name, tf, {"import tensorflow as tf": "import tensorflow.compat.v1 as tf"})
    print(name, len(answers[name]), "cells")
TARGET.write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1, ensure_ascii=False) + "\n")
