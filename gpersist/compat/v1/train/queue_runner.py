"""TensorFlow 1's `tf.train.queue_runner`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.train.queue_runner",
    "",
    {
        "gpersist.train.queue_runner": "QueueRunner add_queue_runner start_queue_runners",
    },
)
