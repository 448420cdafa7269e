"""TensorFlow 1's `tf.lookup.experimental`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.lookup.experimental",
    "",
    {
        "gpersist.train.hash_tables": "DenseHashTable MutableHashTable",
    },
)
