"""Checkpoints of objects between TensorFlow 2, run eagerly, and gpersist.

`python object_checkpoints.py FOLDER`, where TensorFlow 2.21 is, restores FOLDER/ours-1 and prints its values, and writes FOLDER/theirs-1.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf


def objects(scale):
    """What both sides save: the names are the same, the values are multiples of `scale`."""
    layers = [tf.Variable([1.0 * scale, 2.0]), {"a.b/c": tf.Variable(3 * scale, dtype=tf.int64)}]
    shared = tf.Variable([[0.5 * scale]])
    return tf.train.Checkpoint(layers=layers, inner=tf.train.Checkpoint(text=tf.Variable("x" * int(scale)), shared=shared), shared=shared)


def values(made):
    read = [made.layers[0], made.layers[1]["a.b/c"], made.inner.text, made.shared]
    return [value.decode() if isinstance(value, bytes) else value.tolist() for value in (each.numpy() for each in read)]


if __name__ == "__main__":
    folder = sys.argv[1]
    restored = objects(1)
    restored.restore(f"{folder}/ours-1").assert_consumed()
    objects(7).save(f"{folder}/theirs")
    print(json.dumps([*values(restored), int(restored.save_counter)]))
