"""Holds these dialogs with real TensorFlow and writes what it says to dialogs.json: `python write_dialogs.py`, with an interpreter that has
TensorFlow 2.21."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent / "graph" / "dialogs"))

import dialog
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
path = _HERE / "dialogs.json"
answers = json.loads(path.read_text())["answers"] if path.exists() and sys.argv[1:] else {}
for name, block in dialog.dialogs(_HERE).items():
    if not sys.argv[1:] or name.split()[0] in sys.argv[1:]:
        answers[name] = dialog.run(block, tf)
text = json.dumps({"tensorflow": tf.__version__, "answers": dict(sorted(answers.items()))}, indent=0, separators=(",", ":"))
path.write_text(text + "\n")
print(sum(map(len, answers.values())), "statements")
