"""TensorFlow 1's `tf.train.queue_runner`. Written by tests/compat/write_face.py."""

from gpersist.train.queue_runner import (
    QueueRunner,
    add_queue_runner,
    start_queue_runners,
)

__all__ = [
    "QueueRunner",
    "add_queue_runner",
    "start_queue_runners",
]
