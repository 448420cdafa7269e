"""TensorFlow 1's `tf.compat`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.compat",
    "",
    {
        "gpersist.compat": "v1",
        "gpersist.compat.forward_compatibility": "forward_compatibility_horizon forward_compatible",
        "gpersist.compat.text": (
            "as_bytes as_str as_str_any as_text bytes_or_text_types complex_types dimension_at_index "
            "dimension_value integral_types path_to_str real_types"
        ),
    },
)
