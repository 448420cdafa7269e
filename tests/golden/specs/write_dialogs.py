"""Holds these dialogs with real TensorFlow 2.21 and writes what it says to dialogs.json: `python write_dialogs.py [FILE ...]`, with an interpreter
that has it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent / "graph" / "dialogs"))

import dialog
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
dialog.write(_HERE, tf, sys.argv[1:])
