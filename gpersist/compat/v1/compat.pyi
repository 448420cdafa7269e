"""TensorFlow 1's `tf.compat`. Written by tests/compat/write_face.py."""

from gpersist.compat import (
    v1,
)
from gpersist.compat.forward_compatibility import (
    forward_compatibility_horizon,
    forward_compatible,
)
from gpersist.compat.text import (
    as_bytes,
    as_str,
    as_str_any,
    as_text,
    bytes_or_text_types,
    complex_types,
    dimension_at_index,
    dimension_value,
    integral_types,
    path_to_str,
    real_types,
)

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "dimension_at_index",
    "dimension_value",
    "forward_compatibility_horizon",
    "forward_compatible",
    "integral_types",
    "path_to_str",
    "real_types",
    "v1",
]
