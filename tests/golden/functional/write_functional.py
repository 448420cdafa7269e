"""Writes functional.npz: graphs of functions that TensorFlow 2.21 makes with control flow v2, what they give, and their gradients.

python write_functional.py
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf2
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()
tf.enable_resource_variables()

CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


@case
def cond1(x, v):
    return tf.cond(tf.reduce_sum(x) > 1.0, lambda: x * v * v, lambda: tf.sin(x) + v)


@case
def while1(x, v):
    return tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a * v * 0.5 + tf.sin(a)), [0, x])[1]


@case
def nested(x, v):
    def body(i, a):
        b = tf.while_loop(lambda j, c: j < i, lambda j, c: (j + 1, c * v * 0.3 + c * x), [0, a])[1]
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: b * 1.5, lambda: tf.tanh(b * 0.1) + v * 0.1)

    return tf.while_loop(lambda i, a: i < 4, body, [0, x])[1]


@case
def mapfn(x, v):
    return tf.map_fn(lambda a: a * a * v[0], x)


@case
def scan(x, v):
    return tf.scan(lambda a, b: a * b + v[1], x)


@case
def switchcase(x, v):
    return tf.switch_case(tf.cast(x[0], tf.int32) % 3, [lambda: x * v, lambda: x * x, lambda: tf.exp(x) * v])


@case
def pcall(x, v):
    @tf2.function
    def f(a, b):
        return a * b + tf.gather(v, [0, 0, 1])

    return f(x, x) * 2.0


@case
def defun(x, v):
    from tensorflow.python.framework import function

    @function.Defun(tf.float32, tf.float32)
    def f(a, b):
        return tf.tanh(a) * b, a + b

    p, q = f(x, x * 2.0)
    return p * q * v


@case
def ta(x, v):
    a = tf.TensorArray(tf.float32, 3).unstack(x)
    o = tf.TensorArray(tf.float32, 3)

    def body(i, o):
        return i + 1, o.write(i, a.read(i) * v[i] * v)

    return tf.reduce_sum(tf.while_loop(lambda i, o: i < 3, body, [0, o])[1].stack(), 0)


@case
def symgrad(x, v):
    @tf2.function
    def f(a):
        return tf.sin(a) * v

    return tf.gradients(f(x), x)[0] * 3.0 + 0.0 * v


@case
def ifnone(x, v):
    n = tf.constant(3)
    a, b = tf.cond(x[0] > 1.0, lambda: (x * 2.0, n + 1), lambda: (v * 3.0, n))
    return a * tf.cast(b, tf.float32)


def main() -> None:
    arrays = {}
    for name, f in CASES.items():
        with tf.Graph().as_default() as graph:
            x = tf.placeholder(tf.float32, [3], name="x")
            v = tf.get_variable("v", [3], initializer=tf.constant_initializer([1.0, 2.0, 3.0]))
            y = tf.identity(f(x, v), name="y")
            arrays[f"{name}/graph"] = np.frombuffer(graph.as_graph_def().SerializeToString(), np.uint8)
            gradients = [tf.convert_to_tensor(gradient) for gradient in tf.gradients(y, [x, v])]
            for number, gradient in enumerate(gradients):
                tf.identity(gradient, name=f"gradient{number}")
            arrays[f"{name}/gradient_graph"] = np.frombuffer(graph.as_graph_def().SerializeToString(), np.uint8)
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                for number, value in enumerate(([0.5, -0.3, 0.2], [2.0, 1.0, 0.7])):
                    arrays[f"{name}/x{number}"] = np.array(value, np.float32)
                    for kind, found in zip(("y", "dx", "dv"), session.run([y, *gradients], {x: value}), strict=True):
                        arrays[f"{name}/{kind}{number}"] = found
    np.savez_compressed(Path(__file__).with_name("functional.npz"), **arrays)


if __name__ == "__main__":
    main()
