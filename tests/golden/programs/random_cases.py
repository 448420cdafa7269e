"""Random operations and initializers."""

from __future__ import annotations

import numpy as np
from program import case, failure, nodes, plain, runs

FLOATS = ("float16", "bfloat16", "float32", "float64")


@case
def uniform(tf):
    return runs(tf, [tf.random_uniform([7, 3], dtype=dtype, seed=12) for dtype in FLOATS])


@case
def normal(tf):
    return runs(tf, [tf.random_normal([7, 3], dtype=dtype, seed=12) for dtype in FLOATS])


@case
def truncated(tf):
    return runs(tf, [tf.truncated_normal([70, 3], dtype=dtype, seed=12) for dtype in FLOATS])


@case
def ranges(tf):
    made = [tf.random_uniform([11], -5, 1000, dtype, seed=3) for dtype in ("int32", "int64")]
    made += [tf.random_uniform([5], -2.5, 4, dtype, seed=3) for dtype in FLOATS]
    made += [tf.random_uniform([5], 0, 4, seed=3), tf.random_uniform([5], 0.0, 1.0, seed=3), tf.random_uniform([3], maxval=9, dtype="int32", seed=1)]
    made += [tf.random_normal([5], 3.0, 0.5, seed=3), tf.truncated_normal([5], [1.0] * 5, 2, seed=3)]
    return [runs(tf, made, 2), nodes(tf)]


@case
def whole_range_of_integers(tf):
    made = [tf.random_uniform([5], dtype.min, dtype.max, dtype, seed=3) for dtype in (tf.int32, tf.int64)]
    return runs(tf, made)


@case
def shapes(tf):
    n = tf.placeholder_with_default(3, [])
    made = [
        tf.random_uniform(shape, seed=1) for shape in ([], [0], [2, 0], (2,), tf.TensorShape([2]), [n, 2], tf.constant([2, 1]), [tf.Dimension(3)])
    ]
    made.append(tf.random_normal(tf.constant([3], tf.int64), seed=2))
    return [runs(tf, made, 1), nodes(tf), [str(tensor.shape) for tensor in made]]


@case
def graph_seed(tf):
    tf.set_random_seed(1)
    tf.constant(5)
    made = [tf.random_uniform([3]), tf.random_normal([3]), tf.truncated_normal([3]), tf.random_uniform([3], seed=4)]
    made += [tf.random_shuffle([1, 2, 3, 4, 5]), tf.multinomial([[1.0, 2.0, 3.0]], 5), tf.random_uniform([3], 1, 100, tf.int32)]
    return [runs(tf, made), nodes(tf), list(tf.get_seed(None)), list(tf.get_seed(3))]


@case
def seeds(tf):
    found = [list(tf.get_seed(seed)) for seed in (None, 0, 5, -1, 2**31, 2**40)]
    for graph_seed in (0, 7, -3, 2**31 - 1):
        tf.set_random_seed(graph_seed)
        found += [list(tf.get_seed(seed)) for seed in (None, 0, 5, None, 2**31 - 1)]
    with tf.Graph().as_default():
        found.append(list(tf.get_seed(None)))
        tf.set_random_seed(9)
        found.append(list(tf.get_seed(None)))
    return [*found, list(tf.get_seed(None))]


@case
def sessions_begin_anew(tf):
    x = tf.random_uniform([2], seed=5)
    return [runs(tf, x), runs(tf, x), runs(tf, [x, x])]


@case
def shuffles(tf):
    made = [
        tf.random_shuffle(value, seed=2) for value in ([3.0], [1, 2], list(range(9)), [[1, 2], [3, 4], [5, 6]], ["a", "b", "c"], np.zeros([0, 2]))
    ]
    made.append(tf.random_shuffle(5, seed=1))
    return [runs(tf, made), [str(tensor.shape) for tensor in made]]


@case
def classes(tf):
    logits = np.array([[0.0, 1.0, 2.0, -1.0], [5.0, -np.inf, 5.0, np.nan], [np.inf, 0.0, 0.0, 0.0]], np.float32)
    made = [tf.multinomial(logits.astype(dtype), count, seed=3) for dtype in (np.float32, np.float64, np.float16) for count in (0, 1, 6)]
    made.append(tf.random.categorical([[1.0, 2.0, 3.0]], 4, tf.int32, seed=1))
    return [runs(tf, made), [str(tensor.shape) for tensor in made], nodes(tf)]


@case
def refused(tf):
    size = tf.placeholder(tf.int32, None)
    with tf.Session() as session:
        return [
            failure(lambda: tf.random_uniform([2], dtype=tf.int32)),
            failure(lambda: tf.random_uniform([2], dtype=tf.int8, maxval=3)),
            failure(lambda: tf.random_normal([2], dtype=tf.int32)),
            failure(lambda: tf.random_uniform(5)),
            failure(lambda: tf.random_uniform([-2])),
            failure(lambda: tf.random_uniform([2.5])),
            failure(lambda: session.run(tf.random_uniform(size), {size: [-2]})),
            failure(lambda: session.run(tf.random_uniform(size), {size: 2})),
            failure(lambda: session.run(tf.random_uniform([2], size, 5, tf.int32), {size: 5})),
            failure(lambda: session.run(tf.random_uniform([2], size, 5, tf.int32), {size: [1]})),
            failure(lambda: session.run(tf.random_uniform([0], size, 5, tf.int32), {size: 7})),
            failure(lambda: session.run(tf.multinomial([[1.0]], size), {size: -1})),
            failure(lambda: session.run(tf.multinomial([[1.0]], size), {size: [1]})),
            failure(lambda: tf.multinomial([1.0], 3)),
            failure(lambda: tf.multinomial([[1.0]], 3, output_dtype=tf.float32)),
            failure(lambda: session.run(tf.multinomial(np.zeros([2, 0]), 3))),
            failure(lambda: tf.set_random_seed("a") or tf.random_uniform([2])),
        ]


INITIALIZERS = (
    "tf.zeros_initializer()",
    "tf.zeros_initializer(tf.int32)",
    "tf.ones_initializer()",
    "tf.constant_initializer(3)",
    "tf.constant_initializer([1.0, 2.0])",
    "tf.constant_initializer(np.arange(12.0).reshape(3, 4))",
    "tf.random_uniform_initializer(seed=1)",
    "tf.random_uniform_initializer(-2, 3, seed=1)",
    "tf.random_uniform_initializer(-2, 3, seed=1, dtype=tf.float64)",
    "tf.random_normal_initializer(1.0, 2.0, seed=1)",
    "tf.truncated_normal_initializer(stddev=0.1, seed=1)",
    "tf.uniform_unit_scaling_initializer(1.5, seed=1)",
    "tf.variance_scaling_initializer(seed=1)",
    "tf.variance_scaling_initializer(2.0, 'fan_out', 'uniform', seed=1)",
    "tf.variance_scaling_initializer(2.0, 'fan_avg', 'untruncated_normal', seed=1)",
    "tf.variance_scaling_initializer(2.0, 'fan_avg', 'NORMAL', seed=1, dtype=tf.float64)",
    "tf.glorot_uniform_initializer(1)",
    "tf.glorot_uniform_initializer(1, tf.float64)",
    "tf.glorot_normal_initializer(1)",
    "tf.initializers.he_normal(1)",
    "tf.initializers.he_uniform(1)",
    "tf.initializers.lecun_normal(1)",
    "tf.initializers.lecun_uniform(1)",
)


@case
def initializers(tf):
    found = []
    for text in INITIALIZERS:
        made = eval(text, {"tf": tf, "np": np})
        with tf.Graph().as_default():
            values = [made(shape) for shape in ([3, 4], (2, 3, 4, 2))] if "np.arange" not in text else [made([3, 4])]
            config = made.get_config()
            again = type(made).from_config(config)([2, 2]) if "np.arange" not in text else made([4, 3])
            found.append([text, type(made).__name__, str(config), nodes(tf), runs(tf, [*values, again], 1)])
    return found


@case
def initializers_of_other_shapes_and_types(tf):
    return [
        runs(tf, [tf.glorot_uniform_initializer(1)(shape) for shape in ([], [5], [0, 3])], 1),
        runs(tf, [tf.zeros_initializer()([2], dtype) for dtype in ("int32", "bool", "string")], 1),
        runs(tf, [tf.ones_initializer()([2], dtype) for dtype in ("int32", "bool")], 1),
        runs(tf, [tf.glorot_normal_initializer(1)([2], "float64"), tf.random_uniform_initializer(0, 9, 1)([4], "int32")], 1),
        failure(lambda: tf.truncated_normal_initializer(dtype=tf.int32)),
        failure(lambda: tf.variance_scaling_initializer(-1)),
        failure(lambda: tf.variance_scaling_initializer(mode="x")),
        failure(lambda: tf.variance_scaling_initializer(distribution="x")),
        failure(lambda: tf.constant_initializer(None)),
        failure(lambda: tf.constant_initializer([1, 2, 3])([2])),
        failure(lambda: tf.constant_initializer([1, 2], verify_shape=True)([3])),
        failure(lambda: tf.random_normal_initializer()([2], tf.int32)),
    ]


class Part:
    """A part of a partitioned variable, as `get_variable` tells it to an initializer."""

    full_shape = (30, 40)
    var_offset = (0, 10)


@case
def initializers_of_parts(tf):
    made = [tf.glorot_uniform_initializer(1), tf.uniform_unit_scaling_initializer(seed=1), tf.variance_scaling_initializer(seed=1)]
    return [runs(tf, [initializer([2, 3], partition_info=Part()) for initializer in made], 1), nodes(tf)]


@case
def variables_with_initializers(tf):
    tf.set_random_seed(42)
    a = tf.Variable(tf.random_normal([2, 3], stddev=0.1), name="a")
    b = tf.Variable(tf.truncated_normal([3]), name="b")
    with tf.name_scope("layer"):
        c = tf.Variable(lambda: tf.random_uniform([2]), dtype=tf.float32, name="c")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [plain(session.run([a, b, c])), nodes(tf)]


@case
def stateless(tf):
    seed = tf.constant([3, -4])
    random = tf.random
    made = [random.stateless_uniform([5, 3], seed, dtype=dtype) for dtype in FLOATS]
    made += [random.stateless_normal([5, 3], seed, dtype=dtype) for dtype in FLOATS]
    made += [random.stateless_truncated_normal([50], seed, dtype=dtype) for dtype in FLOATS]
    made += [random.stateless_uniform([5], seed, -3, 9, dtype) for dtype in ("int32", "int64", "float32")]
    made += [random.stateless_uniform([5], seed, None, None, dtype) for dtype in ("int32", "int64", "uint32", "uint64")]
    made += [random.stateless_normal([2], [1, 2], 3.0, 0.5), random.stateless_categorical([[1.0, 2.0, 3.0]] * 2, 7, seed)]
    return [runs(tf, made, 1), [tensor.name for tensor in made], [str(tensor.shape) for tensor in made]]


@case
def stateless_refused(tf):
    seed = tf.placeholder(tf.int32, None)
    with tf.Session() as session:
        return [
            failure(lambda: tf.random.stateless_uniform([2], [1, 2, 3])),
            failure(lambda: tf.random.stateless_uniform([2], 5)),
            failure(lambda: tf.random.stateless_uniform([2], [1, 2], dtype=tf.int32)),
            failure(lambda: tf.random.stateless_uniform([2], [1, 2], dtype=tf.string)),
            failure(lambda: session.run(tf.random.stateless_uniform([2], seed), {seed: [1]})),
            failure(lambda: session.run(tf.random.stateless_uniform([2], [1, 2], 5, 5, tf.int32))),
        ]


@case
def orthogonal(tf):
    shapes = ([3, 3], [4, 2], [2, 5], [2, 3, 4])
    made = [tf.orthogonal_initializer(seed=1)(shape) for shape in shapes]
    made += [tf.orthogonal_initializer(2.0, 1, tf.float64)([3, 2]), tf.initializers.identity(2.0)([2, 3])]
    return [runs(tf, made, 1), [tensor.name for tensor in made], failure(lambda: tf.orthogonal_initializer()([3]))]
