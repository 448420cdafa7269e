"""Checks that fail while a graph is built or run, and tensors printed."""

from __future__ import annotations

import numpy as np
from program import case, failure, nodes, plain, told


@case
def assertions(tf):
    pred = tf.placeholder(tf.bool, None)
    reals = np.array([1e10, 1e-10, 1.5, np.nan, -np.inf, -0.0, 123456789.0, 0.1, 1e5, 1e16, 123456.7])
    shown = [
        (["hello", np.arange(10, dtype=np.int32)], {}),
        (["hello", np.arange(10, dtype=np.int32).reshape(2, 5)], {"summarize": -1}),
        (["s", np.arange(3, dtype=np.int32)], {"summarize": 0}),
        ([np.arange(24, dtype=np.int32).reshape(2, 3, 4)], {"summarize": 10}),
        ([np.arange(24, dtype=np.int32).reshape(2, 3, 4)], {}),
        ([np.array([["a", "b"], ["c", 'd"']]), np.zeros([0, 3], np.int32), b"\x01\n", "ü'\\"], {"summarize": 20}),
        ([np.float32(3.5), reals.astype(np.float32)], {"summarize": 20}),
        ([reals, np.array([True, False]), np.array([1 + 2j])], {"summarize": 20}),
        ([np.array([1, 2], np.int8), np.array([1, 2], np.uint8), np.int64(5), np.array([1.5, 0.1], np.float16)], {}),
        ([tf.constant([1.5, 0.1], tf.bfloat16)], {}),
    ]
    checks = [tf.Assert(pred, data, **options) for data, options in shown]
    with tf.Session() as session:
        found = [told(tf, lambda check=check: session.run(check, {pred: False})) for check in checks]
        passed = [session.run(checks, {pred: True})]
        refused = [failure(lambda: session.run(checks[0], {pred: [True]})), failure(lambda: tf.Assert(pred, []))]
    return [found, passed, refused]


@case
def nodes_of_assertions(tf):
    pred = tf.placeholder(tf.bool, [])
    x = tf.placeholder(tf.float32, [2], name="x")
    plain_check = tf.Assert(pred, ["a", 5])
    guarded = tf.Assert(pred, ["a", x], summarize=7, name="check")
    with tf.name_scope("scope"), tf.control_dependencies([plain_check]):
        other = tf.Assert(True, [x, 2.5])
    with tf.control_dependencies([guarded, other]):
        tf.identity(x, name="y")
    return nodes(tf)


@case
def comparisons(tf):
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.placeholder(tf.float32, [2], name="y")
    checks = [
        tf.assert_equal(x, y),
        tf.assert_none_equal(x, y, message="wrong"),
        tf.assert_less(x, y, name="less"),
        tf.assert_less_equal(x, y, data=["mine", x]),
        tf.assert_greater(x, y, summarize=1),
        tf.assert_greater_equal(x, y),
        tf.assert_negative(x),
        tf.assert_positive(x, message="must"),
        tf.assert_non_negative(x),
        tf.assert_non_positive(x),
        tf.debugging.assert_near(x, y),
        tf.debugging.assert_near(x, y, rtol=0.5, atol=1.0, message="far"),
        tf.assert_equal(x, x),
    ]
    found = []
    with tf.Session() as session:
        for feed in (([1.0, 2.0], [1.0, 2.0]), ([1.0, 2.0], [3.0, 4.0]), ([-1.0, 0.0], [-5.0, -6.0])):
            found.append([told(tf, lambda check=check, feed=feed: session.run(check, {x: feed[0], y: feed[1]})) for check in checks])
    return found


@case
def nodes_of_comparisons(tf):
    x = tf.placeholder(tf.float32, [None], name="x")
    n = tf.placeholder(tf.int32, [None], name="n")
    tf.assert_equal(n, [1, 2])
    tf.assert_less(x, 5.0, message="m")
    tf.assert_positive(n)
    tf.assert_equal(n, n)
    tf.debugging.assert_near(x, 1.0)
    return nodes(tf)


@case
def known_while_building(tf):
    return [
        told(tf, lambda: tf.assert_equal([1, 2], [1, 3])),
        told(tf, lambda: tf.assert_less(1.5, [1, 2.5], message="m")),
        told(tf, lambda: tf.assert_positive([1, -1])),
        told(tf, lambda: tf.assert_non_negative(-3, message="m")),
        told(tf, lambda: tf.assert_equal([1, 2], [1, 2])),
        told(tf, lambda: tf.debugging.assert_near(1.0, 2.0)),
        failure(lambda: tf.assert_equal([1, 2], [1, 2, 3])),
        failure(lambda: tf.assert_equal([1], ["a"])),
    ]


@case
def ranks_and_types(tf):
    known, unknown = tf.placeholder(tf.float32, [2, 3], name="known"), tf.placeholder(tf.float32, None, name="unknown")
    rank = tf.placeholder(tf.int32, None, name="rank")
    checks = [tf.assert_rank(known, 2), tf.assert_rank_at_least(known, 1), tf.assert_rank_in(known, [1, 2]), tf.assert_rank(unknown, 2)]
    checks += [tf.assert_rank_at_least(unknown, 2), tf.assert_rank_in(unknown, [1, 2]), tf.assert_integer([1]), tf.assert_type(known, tf.float32)]
    checks += [tf.assert_rank(known, rank), tf.assert_rank_in(unknown, (rank, 0), message="m")]
    built = [
        told(tf, lambda: tf.assert_rank(known, 1, message="mine")),
        told(tf, lambda: tf.assert_rank(known, [1, 2])),
        told(tf, lambda: tf.assert_rank_at_least(known, 3)),
        told(tf, lambda: tf.assert_rank_in(known, [0, 1])),
        told(tf, lambda: tf.assert_integer(1.5)),
        told(tf, lambda: tf.assert_integer(known, message="m")),
        told(tf, lambda: tf.assert_type(known, tf.int32)),
        told(tf, lambda: tf.assert_scalar([1, 2])),
        told(tf, lambda: tf.assert_scalar(unknown)),
        failure(lambda: tf.assert_proper_iterable(known)),
        told(tf, lambda: tf.assert_proper_iterable("abc")),
        told(tf, lambda: tf.assert_proper_iterable(5)),
        told(tf, lambda: tf.assert_proper_iterable([1])),
        tf.assert_scalar(5).name,
        str(tf.assert_same_float_dtype([known, unknown])),
        str(tf.assert_same_float_dtype()),
        told(tf, lambda: tf.assert_same_float_dtype([known, rank])),
        told(tf, lambda: tf.assert_same_float_dtype([rank])),
        tf.is_numeric_tensor(known),
        tf.is_numeric_tensor(5),
        tf.is_numeric_tensor(tf.constant("a")),
    ]
    with tf.Session() as session:
        found = [
            [told(tf, lambda check=check, feed=feed: session.run(check, feed)) for check in checks]
            for feed in ({known: np.zeros([2, 3]), unknown: 1.0, rank: 2}, {known: np.zeros([2, 3]), unknown: np.zeros([1, 1, 1]), rank: 1})
        ]
    return [built, found, nodes(tf)]


@case
def numerics(tf):
    x = tf.placeholder(tf.float32, None, name="x")
    checked = tf.check_numerics(x, "mm ")
    again = tf.raw_ops.CheckNumericsV2(tensor=x, message="mm ")
    finite = tf.verify_tensor_all_finite(x, "mm ")
    newer = tf.debugging.assert_all_finite(x, "mm ", name="named")
    grad = tf.gradients(tf.sqrt(checked), x)[0]
    values = ([1.0, 2.0], 3.0, [np.nan], [np.inf, 1.0], [-np.inf], [np.nan, -np.inf], [np.nan, np.inf, -np.inf], [np.inf, -np.inf], [])
    with tf.Session() as session:
        found = [
            [told(tf, lambda value=value, check=check: session.run(check, {x: value})) for check in (checked, again, finite, newer)]
            for value in values
        ]
        passed = [plain(session.run([checked, again, finite, newer], {x: value})) for value in ([1.0, 2.0], 3.0)]
        slope = [plain(session.run(grad, {x: [4.0]})), told(tf, lambda: session.run(grad, {x: [0.0]}))]
    return [found, passed, slope, nodes(tf)]


@case
def all_numerics(tf):
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.sqrt(x, name="y")
    tf.cast(x, tf.int32, name="n")
    check = tf.add_check_numerics_ops()
    with tf.Session() as session:
        return [
            told(tf, lambda: session.run(check, {x: [1.0, 2.0]})),
            told(tf, lambda: session.run([check, y], {x: [1.0, -2.0]}))[0],
            nodes(tf),
        ]


@case
def printed(tf):
    x = tf.placeholder(tf.float32, [None], name="x")
    made = [
        tf.Print(x, [x, tf.shape(x)], "message: ", first_n=2, summarize=5),
        tf.Print(x, [x], name="named"),
    ]
    nothing = [tf.print("x is", x), tf.print(x, summarize=-1, name="shown"), tf.print("a", {"b": x}, [1, x], sep=";", end="!\n")]
    nothing.append(tf.print(tf.constant("alone")))
    with tf.Session() as session:
        values = plain(session.run(made, {x: [1.0, 2.0]}))
        ran = session.run(nothing, {x: np.arange(9.0)})
    slope = tf.gradients(made[0] * 2.0, x)[0]
    return [values, ran, nodes(tf)[:22], slope.dtype.name, failure(lambda: tf.print("a", output_stream="x")), failure(lambda: tf.print("a", to=1))]


@case
def monotonic(tf):
    x = tf.placeholder(tf.float32, None)
    made = [tf.is_non_decreasing(x), tf.is_strictly_increasing(x)]
    with tf.Session() as session:
        return [plain(session.run(made, {x: value})) for value in ([], [1.0], [1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [[1.0, 2.0], [3.0, 3.0]])]
