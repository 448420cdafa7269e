"""TensorFlow 1's `tf.lookup`. Written by tests/compat/write_face.py."""

from gpersist.compat.v1.lookup import experimental as experimental
from gpersist.ops.lookup import (
    KeyValueTensorInitializer,
    StaticHashTable,
    StaticVocabularyTable,
    TextFileIndex,
    TextFileInitializer,
)

__all__ = [
    "KeyValueTensorInitializer",
    "StaticHashTable",
    "StaticVocabularyTable",
    "TextFileIndex",
    "TextFileInitializer",
    "experimental",
]
