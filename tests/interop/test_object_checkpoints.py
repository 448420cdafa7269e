"""`tf.train.Checkpoint` in a graph reads what TensorFlow 2 writes eagerly, and is read there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]


def objects(scale: float) -> Any:
    """Those of object_checkpoints.py."""
    layers = [tf.Variable([1.0 * scale, 2.0]), {"a.b/c": tf.Variable(3 * scale, dtype=tf.int64, use_resource=True)}]
    shared = tf.Variable([[0.5 * scale]])
    return tf.train.Checkpoint(layers=layers, inner=tf.train.Checkpoint(text=tf.Variable("x" * int(scale)), shared=shared), shared=shared)


def test_both_ways(tensorflow: Any, tmp_path: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        made = objects(5)
        session.run(tf.global_variables_initializer())
        made.save(f"{tmp_path}/ours", session)
    assert json.loads(tensorflow("object_checkpoints.py", tmp_path)) == [[5.0, 2.0], 15, "xxxxx", [[2.5]], 1]
    with tf.Graph().as_default(), tf.Session() as session:
        made = objects(1)
        made.restore(f"{tmp_path}/theirs-1").assert_consumed().run_restore_ops(session)
        read = session.run([made.layers[0], made.layers[1]["a.b/c"], made.inner.text, made.shared, made.save_counter])
        assert [value if isinstance(value, bytes) else value.tolist() for value in read] == [[7.0, 2.0], 21, b"xxxxxxx", [[3.5]], 1]
