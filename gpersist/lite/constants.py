"""Names of types and formats (`tf.lite.constants`)."""

from __future__ import annotations

from typing import Final

from gpersist import dtypes

FLOAT = dtypes.float32
FLOAT16 = dtypes.float16
INT32 = dtypes.int32
INT64 = dtypes.int64
STRING = dtypes.string
QUANTIZED_UINT8 = dtypes.uint8
INT8 = dtypes.int8
INT16 = dtypes.int16
TFLITE: Final = 2
GRAPHVIZ_DOT: Final = 3

__all__ = ["FLOAT", "FLOAT16", "GRAPHVIZ_DOT", "INT8", "INT16", "INT32", "INT64", "QUANTIZED_UINT8", "STRING", "TFLITE"]
