"""TensorFlow 1's `tf.summary`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.summary",
    "",
    {
        "gpersist.ops.summary": "audio get_summary_description histogram image merge merge_all scalar tensor_summary text",
        "gpersist.protos": "Event SessionLog Summary SummaryDescription TaggedRunMetadata",
        "gpersist.train.summary_writer": "FileWriter FileWriterCache",
    },
)
