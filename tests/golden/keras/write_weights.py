"""Writes tf_keras/weights.h5 and tf_keras/architecture.json: the case `cnn` in two files.

python write_weights.py        needs tf_keras
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import cases
import tf_keras

model = cases.randomised(tf_keras, "cnn")
model.save_weights(str(HERE / "tf_keras" / "weights.h5"))
(HERE / "tf_keras" / "architecture.json").write_text(model.to_json() + "\n")
