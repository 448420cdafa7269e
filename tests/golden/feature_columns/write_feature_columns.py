"""Runs cases.py with real TensorFlow 2.21 and writes its answers to feature_columns.json.gz: `python write_feature_columns.py`."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import cases
import tensorflow.compat.v1 as tf
from tensorflow.python.feature_column import feature_column, feature_column_v2


def sequence_of(features: dict[str, Any], column: Any) -> Any:
    if hasattr(column, "_get_sequence_dense_tensor"):
        return column._get_sequence_dense_tensor(feature_column._LazyBuilder(features))
    return column.get_sequence_dense_tensor(feature_column_v2.FeatureTransformationCache(features), None)


tf._sequence_of = sequence_of
tf.disable_v2_behavior()
tf.logging.set_verbosity("ERROR")
os.chdir(tempfile.mkdtemp())
answers = {name: cases.answer(tf, name) for name in cases.CASES}
lines = [f" {json.dumps(name)}: {json.dumps(found)}" for name, found in answers.items()]
(FOLDER / "feature_columns.json.gz").write_bytes(gzip.compress(("{\n" + ",\n".join(lines) + "\n}\n").encode(), mtime=0))
print(len(answers), "cases of", tf.__version__)
