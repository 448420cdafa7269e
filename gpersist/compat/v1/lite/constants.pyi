"""TensorFlow 1's `tf.lite.constants`. Written by tests/compat/write_face.py."""

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
