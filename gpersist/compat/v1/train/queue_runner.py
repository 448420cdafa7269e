"""TensorFlow 1's `tf.train.queue_runner`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
from gpersist.train.queue_runner import (
    QueueRunner,
    add_queue_runner,
    start_queue_runners,
)

__getattr__ = missing("tf.train.queue_runner")

__all__ = [
    "QueueRunner",
    "add_queue_runner",
    "start_queue_runners",
]
