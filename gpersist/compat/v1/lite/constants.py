"""TensorFlow 1's `tf.lite.constants`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.lite.constants import (
    FLOAT,
    FLOAT16,
    GRAPHVIZ_DOT,
    INT8,
    INT16,
    INT32,
    INT64,
    QUANTIZED_UINT8,
    STRING,
    TFLITE,
)

__getattr__ = missing("tf.lite.constants")

__all__ = [
    "FLOAT",
    "FLOAT16",
    "GRAPHVIZ_DOT",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "QUANTIZED_UINT8",
    "STRING",
    "TFLITE",
]
