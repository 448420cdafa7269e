"""Runs cases.py with real TensorFlow and writes its answers to nn.json: `python write_nn.py`.

The interpreter has TensorFlow 2.21 and tf_keras, to which its `tf.layers` belongs; `batch_renormalization_layers` and
`transposed_and_separable_layers` were asked of 2.15 with its own Keras.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).parent))

import cases
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)
answers = {}
for name, function in cases.CASES.items():
    tf.reset_default_graph()
    answers[name] = json.loads(json.dumps(cases.answer(tf, function)))
(Path(__file__).parent / "nn.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}) + "\n")
print(len(answers), "cases", [name for name, found in answers.items() if "error" in found])
