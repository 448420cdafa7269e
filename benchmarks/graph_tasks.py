"""What is timed of graphs, in a process of its own: `python -m benchmarks.graph_tasks TASK gpersist|tensorflow` prints seconds by action, as JSON."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

MODULES = {"gpersist": "gpersist.compat.v1", "tensorflow": "tensorflow.compat.v1"}


def _timed(action: Callable[[], Any], times: int = 1) -> float:
    """The median of so many runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return median(taken)


def build(tf: Any, count: int) -> dict[str, float]:
    """A graph of so many variables, and a Saver for them."""
    with tf.Graph().as_default():
        variables = _timed(lambda: [tf.Variable(tf.zeros([3]), name=f"v{number}") for number in range(count)])
        saver = _timed(tf.train.Saver)
    return {"variables": variables, "Saver": saver, "both": variables + saver}


def run(tf: Any) -> dict[str, float]:
    """A run of a hundred scalar operations whose plan is there; and of one."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [])
        y = x
        for number in range(50):
            y = y * 0.5 + float(number)
        one = x + 1.0
        return {
            "100 operations": _timed(lambda: session.run(y, {x: 1.0}), 2000),
            "1 operation": _timed(lambda: session.run(one, {x: 1.0}), 2000),
        }


def gradients(tf: Any) -> dict[str, float]:
    """The gradient graph of a thousand operations."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [8])
        y = x
        for _ in range(500):
            y = tf.tanh(y) * 1.01
        return {"1,000 operations": _timed(lambda: tf.gradients(y, x))}


def save(tf: Any) -> dict[str, float]:
    """Saving a thousand variables again and again; how long the caller is held by a save in the background; and `gpersist.save` of the same."""
    with tf.Graph().as_default(), tf.Session() as session, tempfile.TemporaryDirectory() as folder:
        variables = [tf.Variable(tf.fill([64, 64], float(number)), name=f"v{number}") for number in range(1000)]
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(max_to_keep=2)
        steps = iter(range(10_000))
        saver.save(session, f"{folder}/model", global_step=next(steps))
        found = {"Saver.save": _timed(lambda: saver.save(session, f"{folder}/model", global_step=next(steps)), 9)}
        found["Saver.restore"] = _timed(lambda: saver.restore(session, f"{folder}/model-{9}"), 9)
        if tf.__name__.startswith("gpersist"):
            own = importlib.import_module("gpersist")
            values = dict(zip([variable.op.name for variable in variables], session.run(variables), strict=True))
            found["gpersist.save"] = _timed(lambda: own.save(f"{folder}/own-{next(steps) % 2}", values, durable=False, alignment_bytes=1), 9)
            held = []
            for _ in range(9):
                start = time.perf_counter()
                handle = saver.save(session, f"{folder}/model", global_step=next(steps), blocking=False)
                held.append(time.perf_counter() - start)
                handle.result()
            found["held by blocking=False"] = median(held)
    return found


def cnn(tf: Any) -> dict[str, float]:
    """A step of a small convolutional network: two convolutions with pooling, two dense layers, dropout, Adam."""
    generator = np.random.default_rng(5)
    images = generator.uniform(size=(10, 32, 32, 3)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:

        def weight(*shape: int) -> Any:
            return tf.Variable(tf.truncated_normal(shape, stddev=0.1))

        x = tf.placeholder(tf.float32, [None, 32, 32, 3])
        labels = tf.placeholder(tf.int64, [None])
        first = tf.nn.relu(tf.nn.conv2d(x, weight(3, 3, 3, 32), strides=[1, 1, 1, 1], padding="SAME") + tf.Variable(tf.constant(0.1, shape=[32])))
        pooled = tf.nn.max_pool(first, ksize=[1, 3, 3, 1], strides=[1, 3, 3, 1], padding="SAME")
        second = tf.nn.relu(
            tf.nn.conv2d(pooled, weight(3, 3, 32, 64), strides=[1, 1, 1, 1], padding="SAME") + tf.Variable(tf.constant(0.1, shape=[64]))
        )
        flat = tf.reshape(tf.nn.max_pool(second, ksize=[1, 3, 3, 1], strides=[1, 3, 3, 1], padding="SAME"), [-1, 4 * 4 * 64])
        dense = tf.nn.relu(tf.matmul(flat, weight(4 * 4 * 64, 128)) + tf.Variable(tf.constant(0.1, shape=[128])))
        logits = tf.matmul(tf.nn.dropout(dense, 0.5), weight(128, 4)) + tf.Variable(tf.constant(0.1, shape=[4]))
        loss = tf.reduce_mean(tf.losses.softmax_cross_entropy(onehot_labels=tf.one_hot(labels, 4), logits=logits))
        step = tf.train.AdamOptimizer(0.001).minimize(loss)
        session.run(tf.global_variables_initializer())
        feeds = {x: images, labels: np.arange(10) % 4}
        session.run(step, feeds)
        return {"training step": _timed(lambda: session.run(step, feeds), 30), "inference": _timed(lambda: session.run(logits, feeds), 30)}


TASKS: dict[str, Callable[[Any], dict[str, float]]] = {
    "build": lambda tf: build(tf, 1000),
    "build 20,000": lambda tf: build(tf, 20_000),
    "run": run,
    "gradients": gradients,
    "save": save,
    "cnn": cnn,
}


def main() -> None:
    """Runs one task and prints what it took."""
    task, who = sys.argv[1:]
    start = time.perf_counter()
    tf = importlib.import_module(MODULES[who])
    imported = time.perf_counter() - start
    tf.disable_v2_behavior()
    tf.logging.set_verbosity("ERROR")
    found = {} if task == "import" else TASKS[task](tf)
    print(json.dumps({"import": imported} if task == "import" else found))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
