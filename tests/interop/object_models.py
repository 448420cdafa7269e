"""SavedModels and checkpoints that TensorFlow 2 writes from objects, and what it gives for calls of them.

`python object_models.py FOLDER [NAME...]`, where TensorFlow 2.21 is, writes FOLDER/<name>/model, FOLDER/<name>/answers.json. A call is
(what, arguments, named arguments): what is "signature:<name>", or the path of a function in the object; the answer is its result.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf

X = np.linspace(-2, 3, 6, dtype=np.float32).reshape(2, 3)


def module(folder):
    """Nested functions, several traces, captured constants, variables in lists and dicts, bfloat16, state."""

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.v = tf.Variable([1.0, 2.0, 3.0], name="v")
            self.count = tf.Variable(0, name="count", trainable=False)
            self.layers = [tf.Variable(2.0), tf.Variable(3.0)]
            self.named = {"a": tf.Variable("text")}
            self.constant = tf.constant(np.arange(3, dtype=np.float32))
            self.half = tf.Variable(tf.constant([1.5, 2.5], tf.bfloat16))

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
        def scaled(self, x):
            return {"y": x * self.v + self.constant, "total": self.summed(x)}

        @tf.function
        def summed(self, x, training=False):
            return tf.reduce_sum(x) * 2 if training else tf.reduce_sum(x) + self.layers[0]

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="by")])
        def counted(self, by):
            self.count.assign_add(by)
            return self.count.read_value()

        @tf.function(input_signature=[tf.TensorSpec([2], tf.bfloat16, name="x")])
        def halves(self, x):
            return x + self.half

        @tf.function
        def nested(self, pair, scale=1.0, *, more=None):
            left, right = pair["left"], pair["right"]
            return [left * scale, (right, None if more is None else more + left)]

    made = Module()
    made.summed(tf.ones([2]))
    made.summed(tf.ones([2]), training=True)
    made.summed(tf.ones([2, 3]), training=True)
    made.nested({"left": tf.ones([2]), "right": tf.ones([3])})
    made.nested({"left": tf.ones([2]), "right": tf.ones([3])}, 2.0, more=tf.ones([]))
    signatures = {"serving_default": made.scaled, "counted": made.counted, "halves": made.halves}
    tf.saved_model.save(made, folder, signatures=signatures)
    pair = {"left": X[0, :2], "right": X[1]}
    return [
        ("signature:serving_default", [], {"x": X}),
        ("signature:serving_default", [], {"x": X.astype(np.float64)}),
        ("signature:counted", [], {"by": np.int32(3)}),
        ("signature:counted", [], {"by": np.int32(4)}),
        ("signature:halves", [], {"x": np.array([1, 2], tf.bfloat16.as_numpy_dtype)}),
        ("scaled", [X], {}),
        ("counted", [np.int32(1)], {}),
        ("summed", [X[0, :2]], {}),
        ("summed", [X[0, :2], True], {}),
        ("summed", [X], {"training": True}),
        ("nested", [pair], {}),
        ("nested", [pair, 2.0], {"more": np.float32(5)}),
    ]


def tables(folder):
    """Tables of each kind, filled from constants, files and calls; assets."""
    vocabulary = folder + "_vocabulary.txt"
    Path(vocabulary).write_text("emerson\nlake\npalmer\n")
    lookup = tf.lookup

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.static = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)
            lines = (tf.string, lookup.TextFileIndex.WHOLE_LINE, tf.int64, lookup.TextFileIndex.LINE_NUMBER)
            self.vocabulary = lookup.StaticVocabularyTable(lookup.TextFileInitializer(vocabulary, *lines), 2)
            self.back = lookup.StaticHashTable(lookup.TextFileInitializer(vocabulary, *lines[2:], *lines[:2]), "?")
            self.mutable = lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
            self.mutable.insert(["x", "y"], tf.constant([5, 6], tf.int64))
            self.dense = lookup.experimental.DenseHashTable(tf.int64, tf.float32, 0.5, -1, -2, initial_num_buckets=8)
            self.dense.insert(tf.constant([4, 5], tf.int64), tf.constant([1.5, 2.5]))
            self.asset = tf.saved_model.Asset(vocabulary)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
        def found(self, words):
            return {"static": self.static.lookup(words), "vocabulary": self.vocabulary.lookup(words), "mutable": self.mutable.lookup(words)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="ids")])
        def told(self, ids):
            return self.back.lookup(ids), self.dense.lookup(ids), tf.io.read_file(self.asset.asset_path)

    made = Module()
    tf.saved_model.save(made, folder, signatures={"serving_default": made.found})
    words = np.array([b"a", b"lake", b"x", b"none"], object)
    return [
        ("signature:serving_default", [], {"words": words}),
        ("found", [words], {}),
        ("told", [np.array([0, 2, 4, 9], np.int64)], {}),
    ]


def control_flow(folder):
    """Branches and loops, in each other, with variables."""

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.two, self.three = tf.Variable(2.0), tf.Variable(3.0)
            self.table = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="steps")])
        def looped(self, steps):
            x = tf.constant(1.0)
            while steps > 0:
                x = x * self.scale() if steps % 2 == 0 else x + self.three
                steps -= 1
            return x

        @tf.function
        def scale(self):
            return tf.identity(self.two)

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="index"), tf.TensorSpec([None], tf.float32, name="x")])
        def switched(self, index, x):
            branches = [lambda: x * self.two, lambda: x + self.scale() * self.three, lambda: tf.gather(self.table, 1)[:2]]
            return {"y": tf.switch_case(index, branches)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="rows")])
        def gathered(self, rows):
            mapped = tf.map_fn(lambda row: tf.reduce_sum(tf.gather(self.table, row)) * self.two, rows, fn_output_signature=tf.float32)
            return {"rows": tf.gather(self.table, rows), "cells": tf.gather_nd(self.table, tf.stack([rows, rows % 3], 1)), "mapped": mapped}

    made = Module()
    tf.saved_model.save(made, folder, signatures={"serving_default": made.looped, "switched": made.switched, "gathered": made.gathered})
    rows = np.array([3, 0, 2], np.int32)
    calls = [("signature:serving_default", [], {"steps": np.int32(steps)}) for steps in (0, 1, 5)]
    calls += [("signature:switched", [], {"index": np.int32(index), "x": X[0, :2]}) for index in (0, 1, 2, 7)]
    return [*calls, ("signature:gathered", [], {"rows": rows}), ("gathered", [rows], {}), ("scale", [], {})]


def composite(folder):
    """Ragged and sparse arguments and results, as tuples of their tensors."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.float32)])
        def summed(self, rows):
            return tf.reduce_sum(rows, axis=1), rows * 2

        @tf.function(input_signature=[tf.SparseTensorSpec([None, None], tf.float32)])
        def dense(self, sparse):
            return tf.sparse.to_dense(sparse)

    tf.saved_model.save(Module(), folder)
    ragged = (np.array([1, 2, 3], np.float32), np.array([0, 1, 3], np.int64))
    sparse = (np.array([[0, 1], [1, 0]], np.int64), np.array([5, 6], np.float32), np.array([2, 2], np.int64))
    return [("summed", [ragged], {}), ("dense", [sparse], {})]


def keras_dense(folder):
    """Keras: `model.export`."""
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    hidden = [layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dropout(0.5)]
    model = tf.keras.Sequential([layers.Input([3]), *hidden, layers.Dense(2, "softmax")])
    model.export(folder, verbose=False)
    (name,) = tf.saved_model.load(folder).signatures["serving_default"].structured_input_signature[1]
    return [("signature:serving_default", [], {name: X})]


def keras_convolutions(folder):
    """Keras, functional: `tf.saved_model.save`."""
    tf.keras.utils.set_random_seed(2)
    layers = tf.keras.layers
    inputs = layers.Input([8, 8, 2], name="image")
    x = layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    x = layers.Add()([layers.DepthwiseConv2D(3, padding="same")(x), x])
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    model = tf.keras.Model(inputs, [layers.Dense(2, name="scores")(x), layers.Dense(1, name="value")(x)])
    tf.saved_model.save(model, folder)
    (name,) = tf.saved_model.load(folder).signatures["serving_default"].structured_input_signature[1]
    image = np.linspace(-1, 1, 128, dtype=np.float32).reshape(1, 8, 8, 2)
    return [("signature:serving_default", [], {name: image})]


def keras_recurrent(folder):
    """Keras with texts: a vocabulary, an embedding, LSTM and GRU."""
    tf.keras.utils.set_random_seed(3)
    layers = tf.keras.layers
    inputs = layers.Input([4], dtype="string", name="words")
    x = layers.Embedding(6, 3)(layers.StringLookup(vocabulary=["red", "green", "blue"])(inputs))
    model = tf.keras.Model(inputs, layers.GRU(3)(layers.LSTM(2, return_sequences=True)(x)))
    model.export(folder, verbose=False)
    (name,) = tf.saved_model.load(folder).signatures["serving_default"].structured_input_signature[1]
    return [("signature:serving_default", [], {name: np.array([[b"red", b"blue", b"?", b"green"]], object)})]


def slots(folder):
    """No model but a checkpoint with an optimizer's slots, a counter, and an object that has itself."""
    net = tf.Module()
    net.kernel, net.bias = tf.Variable(X, name="kernel"), tf.Variable([1.0, 2.0, 3.0], name="bias")
    net.itself = net
    optimizer = tf.compat.v1.train.AdamOptimizer(0.1)
    optimizer.minimize(lambda: tf.reduce_sum(net.kernel * net.bias), var_list=[net.kernel, net.bias])
    newer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    newer.apply_gradients([(tf.ones_like(net.bias), net.bias)])
    holder = tf.train.Checkpoint(model=net, optimizer=optimizer, newer=newer, **{"dotted.name": tf.Variable(7)})
    Path(folder).mkdir(parents=True)
    holder.save(folder + "/ckpt")
    return []


PROGRAMS = (module, tables, control_flow, composite, keras_dense, keras_convolutions, keras_recurrent, slots)
GOLDEN = ("module", "tables", "control_flow", "composite", "slots")


def encoded(value):
    """A result as JSON."""
    if isinstance(value, dict):
        return {"dict": {key: encoded(part) for key, part in value.items()}}
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
        return {"list": [encoded(part) for part in tf.nest.flatten(value, expand_composites=True)]}
    if isinstance(value, (list, tuple)):
        return {"list": [encoded(part) for part in value]}
    if value is None or isinstance(value, (bool, float)):
        return {"value": value}
    array = np.asarray(value)
    flat = [item.decode() for item in array.reshape(-1)] if array.dtype == object else array.reshape(-1).astype(float).tolist()
    return {"dtype": "string" if array.dtype == object else str(array.dtype), "shape": list(array.shape), "values": flat}


def answer(model, what, args, named):
    """What TensorFlow gives for a call."""
    kind, _, name = what.rpartition(":")
    if kind:
        return model.signatures[name](**{key: tf.constant(value, dtype(model, name, key)) for key, value in named.items()})
    if what in ("summed", "dense") and isinstance(args[0], tuple):
        args = [tf.RaggedTensor.from_row_splits(*args[0]) if what == "summed" else tf.SparseTensor(*args[0])]
    return getattr(model, what)(*args, **named)


def dtype(model, signature, name):
    return model.signatures[signature].structured_input_signature[1][name].dtype


def main(target, names):
    for program in PROGRAMS:
        name = program.__name__
        if names and name not in names:
            continue
        shutil.rmtree(target / name, ignore_errors=True)
        (target / name).mkdir(parents=True)
        calls = program(str(target / name / "model"))
        if calls:
            model = tf.saved_model.load(str(target / name / "model"))
            told = [
                {"what": what, "args": encoded(args), "named": encoded(named), "result": encoded(answer(model, what, args, named))}
                for what, args, named in calls
            ]
            variables = len(tf.train.list_variables(str(target / name / "model" / "variables" / "variables"))) - 1
            told = {"tensorflow": tf.__version__, "tensors": variables, "calls": told}
            (target / name / "answers.json").write_text(json.dumps(told) + "\n")
        (target / name / "model" / "fingerprint.pb").unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
