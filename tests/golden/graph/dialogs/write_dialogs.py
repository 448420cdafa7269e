"""Holds the dialogs with real TensorFlow and writes what it says to dialogs.json: `python write_dialogs.py`, with an interpreter that has
TensorFlow 2.21."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import dialog
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
answers = {name: dialog.run(block, tf) for name, block in dialog.dialogs().items()}
text = json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=0, separators=(",", ":"))
(Path(__file__).parent / "dialogs.json").write_text(text + "\n")
print(sum(map(len, answers.values())), "statements")
