"""Runs the seeds' programs and the examples with real TensorFlow, and writes what they did to answers.json, or to TARGET.

    python write_answers.py [TARGET]

with an interpreter that has TensorFlow 2.21.
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
IMPORTS = {
    "import tensorflow as tf": "import tensorflow.compat.v1 as tf",
    "from tensorflow.python.framework import graph_util": "from tensorflow.compat.v1 import graph_util",
    "from tensorflow.python.framework.graph_util import": "from tensorflow.compat.v1.graph_util import",
}
TARGET = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "answers.json").resolve()
answers = {"tensorflow": tf.__version__, "seeds": {}, "examples": {}}
for name in notebook.PROGRAMS:
    os.chdir(tempfile.mkdtemp())
    answers["seeds"][name] = notebook.run(name, tf, IMPORTS)
    print(name, len(answers["seeds"][name]), "cells")
for name in notebook.EXAMPLES:
    if name != "fine_tune":
        os.chdir(tempfile.mkdtemp())
    answers["examples"][name] = notebook.run_example(name, tf, {"gpersist": "tensorflow"})
print(len(answers["examples"]), "examples")
TARGET.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
