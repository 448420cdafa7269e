"""TensorFlow 1's `tf.python_io`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.python_io",
    "",
    {
        "gpersist.ops.records": "TFRecordCompressionType TFRecordOptions TFRecordWriter tf_record_iterator",
    },
)
