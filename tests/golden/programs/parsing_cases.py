"""Serialized examples taken apart."""

from __future__ import annotations

import numpy as np
from program import case, failure, nodes, plain


def example(tf, **features):
    made = tf.train.Example()
    for key, values in features.items():
        feature = made.features.feature[key]
        kind = {float: feature.float_list, int: feature.int64_list, bytes: feature.bytes_list}[type(values[0])] if values else None
        if kind is not None:
            kind.value.extend(values)
        else:
            feature.SetInParent()
    return made.SerializeToString()


def results(tf, found):
    flat = []
    with tf.Session() as session:
        for key in sorted(found):
            value = session.run(found[key])
            flat.append([key, plain(list(value)) if isinstance(value, tuple) else plain(value), str(found[key].get_shape())])
    return flat


@case
def batches(tf):
    texts = [
        example(tf, x=[1.0, 2.0], n=[5], s=[b"a", b"b"], v=[1, 2, 3]),
        example(tf, x=[3.0, 4.0], s=[b"c", b"d"], v=[]),
        example(tf, x=[5.0, 6.0], n=[7], s=[b"", b"e"], v=[9], other=[1.0]),
    ]
    features = {
        "x": tf.FixedLenFeature([2], tf.float32),
        "n": tf.FixedLenFeature([], tf.int64, default_value=-1),
        "s": tf.FixedLenFeature([2, 1], tf.string),
        "v": tf.VarLenFeature(tf.int64),
        "none": tf.VarLenFeature(tf.string),
    }
    sequences = {
        "v": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=-7),
        "x": tf.FixedLenSequenceFeature([2], tf.float32, allow_missing=True),
    }
    return [
        results(tf, tf.parse_example(texts, features)),
        results(tf, tf.parse_example(tf.constant(texts), sequences, name="named")),
        results(tf, tf.parse_example(tf.zeros([0], tf.string), features)),
    ]


@case
def single_ones(tf):
    text = example(tf, x=[1.0, 2.0], v=[1, 2, 3], s=[b"a"])
    features = {
        "x": tf.FixedLenFeature([2], tf.float32),
        "n": tf.FixedLenFeature([2], tf.int64, default_value=[8, 9]),
        "v": tf.VarLenFeature(tf.int64),
        "s": tf.VarLenFeature(tf.string),
        "none": tf.VarLenFeature(tf.float32),
    }
    sequences = {"v": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True)}
    return [results(tf, tf.parse_single_example(text, features)), results(tf, tf.parse_single_example(text, sequences))]


@case
def refused(tf):
    text = example(tf, x=[1.0, 2.0], v=[1, 2, 3])

    def parse(feature, key="x", texts=(text,)):
        return failure(lambda: results(tf, tf.parse_example(list(texts), {key: feature})))

    return [
        parse(tf.FixedLenFeature([3], tf.float32)),
        parse(tf.FixedLenFeature([2], tf.int64)),
        parse(tf.FixedLenFeature([2], tf.float32), key="y"),
        parse(tf.VarLenFeature(tf.int64)),
        parse(tf.FixedLenFeature([2], tf.float32), texts=[b"garbage"]),
        parse(tf.FixedLenFeature(None, tf.float32)),
        parse(tf.FixedLenFeature([None], tf.float32)),
        parse(tf.FixedLenSequenceFeature([2], tf.float32)),
        parse(tf.FixedLenSequenceFeature([2], tf.int64, True), key="v"),
        parse("x"),
        failure(lambda: tf.parse_example([text], {})),
        failure(lambda: tf.parse_example([[text]], {"x": tf.FixedLenFeature([2], tf.float32)})),
        failure(lambda: tf.parse_single_example([text], {"x": tf.FixedLenFeature([2], tf.float32)})),
        failure(lambda: results(tf, tf.parse_single_example(b"garbage", {"x": tf.VarLenFeature(tf.float32)}))),
        parse(tf.FixedLenFeature([2], tf.int32)),
        plain(np.zeros(1)),
    ]


@case
def sparse_tensors(tf):
    made = [tf.sparse_placeholder(tf.float32, [3, 4], name="named"), tf.sparse_placeholder(tf.int64), tf.sparse_placeholder(tf.string, [None, 2])]
    made.append(tf.SparseTensor([[0, 1], [2, 0]], [1.5, 2.5], [3, 2]))
    feeds = {made[0]: ([[0, 1]], [2.5], [3, 4]), made[1]: tf.SparseTensorValue([[5]], [7], [9]), made[2]: ([[0, 1]], ["a"], [1, 2])}
    with tf.Session() as session:
        values = session.run(made, feeds)
    return [
        [[type(value).__name__, plain(list(value))] for value in values],
        [str(tensor.get_shape()) for tensor in made],
        [tensor.dtype.name for tensor in made],
        nodes(tf),
        failure(lambda: tf.SparseTensor([[0]], [1.5, 2.5], [3])),
        failure(lambda: tf.SparseTensor([[0, 1]], [1.5], [3])),
        failure(lambda: tf.SparseTensor([0], [1.5], [3])),
    ]
