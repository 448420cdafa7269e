"""Holds the dialogs with real TensorFlow and writes what it says to dialogs.json: `python write_dialogs.py`, with an interpreter that has
TensorFlow 2.21 and tf_keras, to which its `tf.layers` belongs. Each block runs in an empty folder of its own. With names of files, only these:
layer_functions and layer_objects were asked of TensorFlow 2.15 with its own Keras, the last that had all of `tf.layers` in it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if not sys.argv[1:]:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parents[1] / "graph" / "dialogs"))

import dialog
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
path = _HERE / "dialogs.json"
answers = json.loads(path.read_text())["answers"] if sys.argv[1:] else {}
for name, block in dialog.dialogs(_HERE).items():
    if sys.argv[1:] and name.rpartition(" ")[0] not in sys.argv[1:]:
        continue
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        answers[name] = dialog.run(block, tf)
        os.chdir(_HERE)
version = json.loads(path.read_text())["tensorflow"] if sys.argv[1:] else tf.__version__
text = json.dumps({"tensorflow": version, "answers": answers}, indent=0, separators=(",", ":"))
path.write_text(text + "\n")
print(sum(map(len, answers.values())), "statements")
