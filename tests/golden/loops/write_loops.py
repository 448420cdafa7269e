"""Writes loops.json: graphs with loops and branches, as TensorFlow builds them, with what they give.

    python tests/golden/loops/write_loops.py          # in an environment with TensorFlow

Each case: name -> graph (base64 of a GraphDef), fetches, feeds, results.
"""

import base64
import json
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def simple():
    x = tf.placeholder(tf.float32, [])
    i, y = tf.while_loop(lambda i, y: i < 10, lambda i, y: (i + 1, y * 1.5), [tf.constant(0), x])
    return [i, y], {x: 2.0}


def never_entered():
    n = tf.placeholder(tf.int32, [])
    i, y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y + 1), [tf.constant(0), tf.constant(5)])
    return [i, y], {n: 0}


def nested():
    x = tf.placeholder(tf.float32, [2])

    def body(i, y):
        _, z = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z + tf.cast(j, tf.float32)), [tf.constant(0), y])
        return i + 1, z * 1.1

    return tf.while_loop(lambda i, y: i < 4, body, [tf.constant(0), x]), {x: [1.0, 2.0]}


def swapping():
    a, b, n = tf.while_loop(lambda a, b, n: n < 7, lambda a, b, n: (b, a, n + 1), [tf.constant(1), tf.constant(2), tf.constant(0)])
    return [a, b, n], {}


def branch_in_loop():
    x = tf.placeholder(tf.float32, [])

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y + 1.0, lambda: y * 2.0)

    return tf.while_loop(lambda i, y: i < 7, body, [tf.constant(0), x])[1:], {x: 1.0}


def loop_in_branch(is_taken):
    taken = tf.placeholder(tf.bool, [])
    x = tf.constant(3.0)
    return [tf.cond(taken, lambda: tf.while_loop(lambda y: y < 100.0, lambda y: y * x, [x]), lambda: x + 1)], {taken: is_taken}


def branch_in_condition():
    def condition(i):
        return tf.cond(i > 3, lambda: tf.constant(False), lambda: i < 10)

    return [tf.while_loop(condition, lambda i: i + 1, [tf.constant(0)])], {}


def variable_of_many():
    v = tf.get_variable("v", initializer=1.0, use_resource=True)

    def body(i):
        with tf.control_dependencies([v.assign_add(2.0)]):
            return i + 1

    i = tf.while_loop(lambda i: i < 5, body, [tf.constant(0)])
    with tf.control_dependencies([i]):
        return [i, v.read_value()], {}


def functional(build):
    """Builds with functions in place of Switch and Merge."""

    def inner():
        tf.enable_control_flow_v2()
        try:
            return build()
        finally:
            tf.disable_control_flow_v2()

    return inner


def call_of_a_function():
    from tensorflow.python.framework import function

    @function.Defun(tf.float32, tf.float32)
    def twice_and_sum(a, b):
        return a * 2.0, tf.add_n([a, b, b])

    x = tf.placeholder(tf.float32, [2])
    first, second = twice_and_sum(x, x + 1.0)
    return [first, second], {x: [1.0, 2.0]}


def partitioned_call():
    import tensorflow as tf2

    v = tf.get_variable("v", initializer=3.0, use_resource=True)

    @tf2.function
    def inner(x):
        return x * v, tf.shape(x)

    @tf2.function
    def outer(x):
        y, shape = inner(x + 1.0)
        parts = tf.split(y, 2)
        return parts[1], shape, v.assign_add(1.0)

    x = tf.placeholder(tf.float32, [4])
    return list(outer(x)), {x: [1.0, 2.0, 3.0, 4.0]}


CASES = {
    "simple": simple,
    "never_entered": never_entered,
    "nested": nested,
    "swapping": swapping,
    "branch_in_loop": branch_in_loop,
    "loop_in_taken_branch": lambda: loop_in_branch(True),
    "loop_in_other_branch": lambda: loop_in_branch(False),
    "branch_in_condition": branch_in_condition,
    "variable_of_many": variable_of_many,
    "functional_loop": functional(nested),
    "functional_branch_in_loop": functional(branch_in_loop),
    "functional_loop_in_branch": functional(lambda: loop_in_branch(True)),
    "call_of_a_function": call_of_a_function,
    "partitioned_call": partitioned_call,
}

if __name__ == "__main__":
    found = {}
    for name, build in CASES.items():
        with tf.Graph().as_default() as graph, tf.Session() as session:
            fetches, feeds = build()
            init = tf.global_variables_initializer()
            session.run(init)
            results = session.run(list(fetches), feeds)
            found[name] = {
                "graph": base64.b64encode(graph.as_graph_def().SerializeToString()).decode(),
                "init": init.name,
                "fetches": [tensor.name for tensor in fetches],
                "feeds": {tensor.name: value for tensor, value in feeds.items()},
                "results": [np.asarray(result).tolist() for result in results],
            }
    Path(__file__).with_name("loops.json").write_text(json.dumps(found, indent=1) + "\n")
