"""Programs of feature columns, run by real TensorFlow (write_feature_columns.py) and by gpersist (tests/feature_columns/test_golden.py).

Each takes `tf` and gives tensors, or plain values, by name. What is kept of them: nodes, variables and values, variables being given known ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CASES: dict[str, Callable[[Any], Any]] = {}


def case(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[function.__name__] = function
    return function


def errors_of(name: str, *attempts: Callable[[Any], Any]) -> None:
    """A case of its own for each call that is an error, or is not."""
    for number, attempt in enumerate(attempts):
        CASES[f"{name}_{number}"] = attempt


def sparse(tf: Any, rows: list[list[Any]], dtype: Any = None) -> Any:
    indices = [[row, place] for row, values in enumerate(rows) for place in range(len(values))]
    values = [value for row in rows for value in row]
    return tf.SparseTensor(
        np.array(indices, np.int64).reshape(-1, 2), np.array(values, dtype) if dtype else values, [len(rows), max(map(len, rows), default=0)]
    )


def vocabulary() -> str:
    Path("words.txt").write_text("red\ngreen\nblue\n")
    return "words.txt"


def linear(tf: Any, features: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """A linear model of tensors: TensorFlow's makes of each number in a list a constant of its own."""
    tensors = {key: value if hasattr(value, "dense_shape") else tf.constant(value) for key, value in features.items()}
    return tf.feature_column.linear_model(tensors, *args, **kwargs)


# -- input_layer


@case
def numeric(tf: Any) -> Any:
    x, y = tf.feature_column.numeric_column("x"), tf.feature_column.numeric_column("y", shape=2, dtype=tf.int32)
    return {"dense": tf.feature_column.input_layer({"x": [[1.0], [2.0]], "y": [[3, 4], [5, 6]]}, [y, x])}


@case
def numeric_of_rank_one_and_normalized(tf: Any) -> Any:
    x = tf.feature_column.numeric_column("x", normalizer_fn=lambda value: (value - 3.0) / 4.0)
    return {"dense": tf.feature_column.input_layer({"x": tf.constant([1.0, 2.0])}, x)}


@case
def numeric_of_higher_rank(tf: Any) -> Any:
    x = tf.feature_column.numeric_column("x", shape=[2, 3])
    return {"dense": tf.feature_column.input_layer({"x": np.arange(12, dtype=np.float64).reshape(2, 2, 3)}, [x])}


@case
def numeric_fed(tf: Any) -> Any:
    place = tf.placeholder_with_default(np.float32([1.5, 2.5]), None)
    return {"dense": tf.feature_column.input_layer({"x": place}, [tf.feature_column.numeric_column("x")])}


@case
def bucketized(tf: Any) -> Any:
    x = tf.feature_column.numeric_column("x", shape=2)
    column = tf.feature_column.bucketized_column(x, [0.0, 10.0, 100.0])
    return {"dense": tf.feature_column.input_layer({"x": [[-1.0, 0.0], [10.0, 1000.0]]}, [column])}


@case
def indicator_of_identity(tf: Any) -> Any:
    column = tf.feature_column.indicator_column(tf.feature_column.categorical_column_with_identity("c", 4))
    return {"dense": tf.feature_column.input_layer({"c": [[0], [3]]}, [column])}


@case
def indicator_of_identity_with_default(tf: Any) -> Any:
    column = tf.feature_column.indicator_column(tf.feature_column.categorical_column_with_identity("c", 4, default_value=2))
    return {"dense": tf.feature_column.input_layer({"c": sparse(tf, [[0, 1], [9], [-7, 3]], np.int32)}, [column])}


@case
def indicator_out_of_range(tf: Any) -> Any:
    column = tf.feature_column.indicator_column(tf.feature_column.categorical_column_with_identity("c", 4))
    return {"dense": tf.feature_column.input_layer({"c": [[0], [7], [-1]]}, [column])}


@case
def indicator_of_words(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_list("w", ["a", "b", "c"])
    return {"dense": tf.feature_column.input_layer({"w": sparse(tf, [["a", "a"], ["z"], ["c", "b"]])}, [tf.feature_column.indicator_column(words)])}


@case
def indicator_of_words_dense(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_list("w", ["a", "b", "c"], num_oov_buckets=2)
    return {"dense": tf.feature_column.input_layer({"w": [["a", ""], ["z", "q"], ["c", "b"]]}, [tf.feature_column.indicator_column(words)])}


@case
def indicator_of_numbers_in_a_vocabulary(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_vocabulary_list("n", [10, 20, 30], dtype=tf.int64, default_value=1)
    return {"dense": tf.feature_column.input_layer({"n": [[10], [30], [7]]}, [tf.feature_column.indicator_column(numbers)])}


@case
def indicator_of_a_vocabulary_file(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_file("w", vocabulary(), 3, num_oov_buckets=1)
    return {"dense": tf.feature_column.input_layer({"w": [["red"], ["blue"], ["pink"]]}, [tf.feature_column.indicator_column(words)])}


@case
def indicator_of_a_whole_vocabulary_file(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_file("w", vocabulary(), default_value=0)
    found = tf.feature_column.input_layer({"w": ["red", "blue", "pink"]}, [tf.feature_column.indicator_column(words)])
    return {"dense": found, "column": repr(words)}


@case
def indicator_of_a_vocabulary_file_of_numbers(tf: Any) -> Any:
    Path("numbers.txt").write_text("5\n6\n7\n")
    words = tf.feature_column.categorical_column_with_vocabulary_file("w", "numbers.txt", 2, dtype=tf.int32)
    return {"dense": tf.feature_column.input_layer({"w": [[5], [6], [7]]}, [tf.feature_column.indicator_column(words)])}


@case
def indicator_of_hashes(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_hash_bucket("w", 5)
    numbers = tf.feature_column.categorical_column_with_hash_bucket("n", 5, dtype=tf.int32)
    features = {"w": sparse(tf, [["a", "b"], ["c"]]), "n": [[1, 2], [3, -1]]}
    return {"dense": tf.feature_column.input_layer(features, [tf.feature_column.indicator_column(column) for column in (words, numbers)])}


@case
def indicator_of_weighted(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_list("w", ["a", "b", "c"])
    weighted = tf.feature_column.weighted_categorical_column(words, "weights")
    features = {"w": sparse(tf, [["a", "c"], ["b"]]), "weights": sparse(tf, [[0.5, 2.0], [3.0]], np.float32)}
    return {"dense": tf.feature_column.input_layer(features, [tf.feature_column.indicator_column(weighted)])}


@case
def indicator_of_crossed(tf: Any) -> Any:
    crossed = tf.feature_column.crossed_column(["a", "b"], 6)
    words = tf.placeholder_with_default([["p"], ["q"]], [None, 1])
    features = {"a": sparse(tf, [["x", "y"], ["z"]]), "b": words}
    return {"dense": tf.feature_column.input_layer(features, [tf.feature_column.indicator_column(crossed)])}


@case
def embedding(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_list("w", ["a", "b", "c"])
    column = tf.feature_column.embedding_column(words, 2)
    features = {"w": sparse(tf, [["a", "c"], [], ["z"], ["b"]])}
    variables: dict[Any, Any] = {}
    outputs: dict[Any, Any] = {}
    found = tf.feature_column.input_layer(features, [column], cols_to_vars=variables, cols_to_output_tensors=outputs)
    told = {str(key.name): [each.name for each in value] for key, value in variables.items()}
    return {"dense": found, "variables": told, "outputs": {str(key.name): value.name for key, value in outputs.items()}}


@case
def embeddings_by_combiner(tf: Any) -> Any:
    columns = []
    for combiner in ("mean", "sqrtn", "sum"):
        words = tf.feature_column.categorical_column_with_identity(f"i_{combiner}", 5)
        columns.append(tf.feature_column.embedding_column(words, 3, combiner=combiner, max_norm=2.5 if combiner == "sum" else None))
    features = {f"i_{combiner}": sparse(tf, [[0, 1, 4], [2]], np.int64) for combiner in ("mean", "sqrtn", "sum")}
    return {"dense": tf.feature_column.input_layer(features, columns)}


@case
def embedding_not_safe(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    column = tf.feature_column.embedding_column(numbers, 3, use_safe_embedding_lookup=False, trainable=False)
    return {"dense": tf.feature_column.input_layer({"i": sparse(tf, [[0, 1], [2]], np.int64)}, [column])}


@case
def embedding_of_weighted(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    column = tf.feature_column.embedding_column(tf.feature_column.weighted_categorical_column(numbers, "w"), 2)
    features = {"i": sparse(tf, [[0, 1], [2, 3]], np.int64), "w": sparse(tf, [[1.0, 3.0], [0.0, 2.0]], np.float32)}
    return {"dense": tf.feature_column.input_layer(features, [column])}


@case
def embedding_of_crossed_of_a_bucketized_one(tf: Any) -> Any:
    buckets = tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x"), [0.0, 1.0])
    words = tf.feature_column.categorical_column_with_vocabulary_list("w", ["a", "b"])
    crossed = tf.feature_column.crossed_column([buckets, words, "t"], 7, hash_key=5)
    outer = tf.feature_column.crossed_column([crossed, "u"], 9)
    features = {"x": [[0.5], [2.0]], "w": [["a"], ["b"]], "t": [["t1"], ["t2"]], "u": [["u1"], ["u2"]]}
    columns = [tf.feature_column.embedding_column(outer, 2), tf.feature_column.embedding_column(crossed, 2), buckets]
    return {"dense": tf.feature_column.input_layer(features, columns), "names": [column.name for column in columns]}


@case
def embedding_in_collections(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    column = tf.feature_column.embedding_column(numbers, 2, initializer=tf.zeros_initializer())
    found = tf.feature_column.input_layer({"i": [[1], [2]]}, [column], weight_collections=["mine"], trainable=False)
    graph = tf.get_default_graph()
    keys = ["mine", "variables", "trainable_variables", "model_variables"]
    return {"dense": found, "collections": {key: [each.name for each in graph.get_collection(key)] for key in keys}}


@case
def embedding_partitioned(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    with tf.variable_scope("model", partitioner=tf.fixed_size_partitioner(2)):
        return {"dense": tf.feature_column.input_layer({"i": [[1], [4]]}, [tf.feature_column.embedding_column(numbers, 2)])}


@case
def embedding_reused(tf: Any) -> Any:
    column = tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("i", 5), 2)
    with tf.variable_scope("net"):
        first = tf.feature_column.input_layer({"i": [[1], [2]]}, [column])
    with tf.variable_scope("net", reuse=True):
        second = tf.feature_column.input_layer({"i": [[3], [4]]}, [column])
    return {"first": first, "second": second}


@case
def embedding_twice(tf: Any) -> Any:
    column = tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("i", 5), 2)
    return {"first": tf.feature_column.input_layer({"i": [[1], [2]]}, [column]), "second": tf.feature_column.input_layer({"i": [[1], [2]]}, [column])}


@case
def shared_embeddings(tf: Any) -> Any:
    a, b = (tf.feature_column.categorical_column_with_identity(key, 4) for key in "ab")
    columns = tf.feature_column.shared_embedding_columns([b, a], 2)
    numeric = tf.feature_column.numeric_column("x")
    features = {"a": [[0], [1]], "b": sparse(tf, [[2, 3], []], np.int64), "x": [[1.0], [2.0]]}
    return {"dense": tf.feature_column.input_layer(features, [*columns, numeric]), "names": [column.name for column in columns]}


@case
def shared_embeddings_by_name(tf: Any) -> Any:
    a, b = (tf.feature_column.categorical_column_with_vocabulary_list(key, ["p", "q", "r"]) for key in "ab")
    columns = tf.feature_column.shared_embedding_columns([a, b], 2, combiner="sum", shared_embedding_collection_name="words", max_norm=1.0)
    with tf.variable_scope("net"):
        return {"dense": tf.feature_column.input_layer({"a": [["p"], ["q"]], "b": [["q"], ["r"]]}, columns)}


@case
def all_kinds(tf: Any) -> Any:
    feature_column = tf.feature_column
    age, word = feature_column.numeric_column("age"), feature_column.categorical_column_with_hash_bucket("word", 10)
    buckets = feature_column.bucketized_column(age, [18, 30])
    columns = [
        age,
        buckets,
        feature_column.indicator_column(word),
        feature_column.embedding_column(word, 4),
        feature_column.embedding_column(buckets, 2),
    ]
    with tf.name_scope("features"), tf.variable_scope("deep"):
        dense = feature_column.input_layer({"age": [[17.0], [40.0]], "word": [["to"], ["be"]]}, columns)
    return {"dense": dense, "wide": linear(tf, {"age": [[17.0], [40.0]], "word": [["to"], ["be"]]}, [buckets, word, age])}


# -- linear_model


@case
def linear_of_numeric(tf: Any) -> Any:
    x, y = tf.feature_column.numeric_column("x"), tf.feature_column.numeric_column("y", shape=2)
    variables: dict[Any, Any] = {}
    found = linear(tf, {"x": [[1.0], [2.0]], "y": [[3.0, 4.0], [5.0, 6.0]]}, [y, x], cols_to_vars=variables)
    return {"logits": found, "variables": {getattr(key, "name", key): [each.name for each in value] for key, value in variables.items()}}


@case
def linear_of_units(tf: Any) -> Any:
    x, c = tf.feature_column.numeric_column("x"), tf.feature_column.categorical_column_with_identity("c", 3)
    return {"logits": linear(tf, {"x": [[1.0], [2.0]], "c": [[0], [2]]}, [x, c], units=3)}


@case
def linear_of_categories(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_vocabulary_list("w", ["a", "b", "c"])
    hashed = tf.feature_column.categorical_column_with_hash_bucket("h", 6)
    crossed = tf.feature_column.crossed_column(["w", "h"], 10)
    features = {"w": sparse(tf, [["a", "c"], [], ["z"]]), "h": sparse(tf, [["p"], ["q", "r"], []])}
    return {"logits": linear(tf, features, [words, hashed, crossed])}


@case
def linear_by_combiner(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    features = {"i": sparse(tf, [[0, 1, 4], [2]], np.int64)}
    return {combiner: linear(tf, features, [numbers], sparse_combiner=combiner) for combiner in ("sum", "mean", "sqrtn")}


@case
def linear_of_weighted(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    weighted = tf.feature_column.weighted_categorical_column(numbers, "w", dtype=tf.int32)
    features = {"i": sparse(tf, [[0, 1], [2, 3]], np.int64), "w": sparse(tf, [[1, 3], [0, 2]], np.int32)}
    return {"logits": linear(tf, features, [weighted])}


@case
def linear_of_dense_weights(tf: Any) -> Any:
    weighted = tf.feature_column.weighted_categorical_column(tf.feature_column.categorical_column_with_identity("i", 5), "w")
    return {"logits": linear(tf, {"i": [[0, 1], [2, 3]], "w": [[1.0, 3.0], [0.5, 2.0]]}, [weighted])}


@case
def linear_of_buckets_and_an_embedding(tf: Any) -> Any:
    buckets = tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x", shape=2), [0.0, 1.0])
    column = tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("i", 5), 2)
    return {"logits": linear(tf, {"x": [[0.5, 2.0], [1.0, -2.0]], "i": [[1], [4]]}, [buckets, column])}


@case
def linear_in_scopes_and_twice(tf: Any) -> Any:
    x = tf.feature_column.numeric_column("x")
    with tf.variable_scope("net"):
        first = linear(tf, {"x": [[1.0], [2.0]]}, [x])
        second = linear(tf, {"x": [[1.0], [2.0]]}, [x], trainable=False, weight_collections=["mine"])
    graph = tf.get_default_graph()
    keys = ["mine", "variables", "trainable_variables", "model_variables"]
    return {"first": first, "second": second, "collections": {key: [each.name for each in graph.get_collection(key)] for key in keys}}


@case
def linear_reused(tf: Any) -> Any:
    x = tf.feature_column.numeric_column("x")
    with tf.variable_scope("net") as scope:
        first = linear(tf, {"x": [[1.0], [2.0]]}, [x])
    with tf.variable_scope(scope, reuse=True):
        return {"first": first, "second": linear(tf, {"x": [[3.0], [4.0]]}, [x])}


@case
def linear_partitioned(tf: Any) -> Any:
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    with tf.variable_scope("net", partitioner=tf.fixed_size_partitioner(2)):
        return {"logits": linear(tf, {"i": [[1], [4]]}, [numbers], units=2)}


@case
def linear_trained(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_hash_bucket("w", 6)
    x = tf.feature_column.numeric_column("x")
    logits = linear(tf, {"w": [["a"], ["b"]], "x": [[1.0], [2.0]]}, [words, x])
    loss = tf.losses.mean_squared_error([[1.0], [0.0]], logits)
    return {"gradients": [tf.convert_to_tensor(each) for each in tf.gradients(loss, tf.trainable_variables())]}


@case
def embedding_trained(tf: Any) -> Any:
    words = tf.feature_column.categorical_column_with_hash_bucket("w", 6)
    dense = tf.feature_column.input_layer({"w": sparse(tf, [["a", "b"], ["c"]])}, tf.feature_column.embedding_column(words, 2))
    return {"gradients": [tf.convert_to_tensor(each) for each in tf.gradients(tf.reduce_sum(dense * dense), tf.trainable_variables())]}


@case
def embedding_from_a_checkpoint(tf: Any) -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("table", initializer=np.arange(10, dtype=np.float32).reshape(5, 2))
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, "./of_a_table")
    numbers = tf.feature_column.categorical_column_with_identity("i", 5)
    column = tf.feature_column.embedding_column(numbers, 2, ckpt_to_load_from="./of_a_table", tensor_name_in_ckpt="table")
    with tf.Graph().as_default(), tf.Session() as session:
        dense = tf.feature_column.input_layer({"i": sparse(tf, [[1], [4, 2]], np.int64)}, [column])
        session.run(tf.global_variables_initializer())
        return {"initial": session.run(dense).tolist()}


# -- sequences


def sequence(tf: Any, features: dict[str, Any], column: Any) -> Any:
    """What a column gives a layer of sequences; `tf._sequence_of` is set by those who run the cases."""
    dense, length = tf._sequence_of(features, column)
    return {"dense": dense, "length": length}


@case
def sequence_of_numbers(tf: Any) -> Any:
    column = tf.feature_column.sequence_numeric_column("x", default_value=-1.0, normalizer_fn=lambda value: value)
    return sequence(tf, {"x": sparse(tf, [[1.0, 2.0, 3.0], [], [4.0]], np.float32)}, column)


@case
def sequence_of_pairs(tf: Any) -> Any:
    column = tf.feature_column.sequence_numeric_column("x", shape=(2,))
    return sequence(tf, {"x": sparse(tf, [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0]], np.float32)}, column)


@case
def sequence_of_categories(tf: Any) -> Any:
    column = tf.feature_column.indicator_column(tf.feature_column.sequence_categorical_column_with_vocabulary_list("w", ["a", "b"]))
    return sequence(tf, {"w": sparse(tf, [["a", "b", "z"], ["b"]])}, column)


@case
def sequence_of_embeddings(tf: Any) -> Any:
    column = tf.feature_column.embedding_column(tf.feature_column.sequence_categorical_column_with_identity("i", 5), 2)
    return sequence(tf, {"i": sparse(tf, [[0, 3], [1, 2, 4], []], np.int64)}, column)


@case
def sequence_of_several_categories(tf: Any) -> Any:
    column = tf.feature_column.embedding_column(tf.feature_column.sequence_categorical_column_with_hash_bucket("h", 5), 2, combiner="sum")
    places = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 1]]
    return sequence(tf, {"h": tf.SparseTensor(places, ["a", "b", "c", "d"], [2, 2, 2])}, column)


@case
def sequence_of_shared_embeddings(tf: Any) -> Any:
    both = [tf.feature_column.sequence_categorical_column_with_identity(key, 5) for key in "ij"]
    initializer = tf.constant_initializer(np.arange(10.0))
    column = tf.feature_column.shared_embedding_columns(both, 2, initializer=initializer)[0]
    with tf.Graph().as_default(), tf.Session() as session:
        found = sequence(tf, {"i": sparse(tf, [[0, 3], [1]], np.int64)}, column)
        session.run(tf.global_variables_initializer())
        return {key: value.tolist() for key, value in session.run(found).items()}


errors_of(
    "wrong_sequence",
    lambda tf: sequence(tf, {"i": [[1]]}, tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("i", 3), 2)),
    lambda tf: sequence(tf, {"i": [[1]]}, tf.feature_column.indicator_column(tf.feature_column.categorical_column_with_identity("i", 3))),
)


# -- what columns tell


@case
def told(tf: Any) -> Any:
    feature_column = tf.feature_column
    x = feature_column.numeric_column("x", shape=(2,), default_value=[1.0, 2.0])
    words = feature_column.categorical_column_with_vocabulary_list("w", ("a", "b"))
    columns = [
        x,
        feature_column.bucketized_column(x, [1.0, 2.0]),
        words,
        feature_column.categorical_column_with_identity("i", 3),
        feature_column.categorical_column_with_hash_bucket("h", 10, tf.int64),
        feature_column.weighted_categorical_column(words, "weight"),
        feature_column.crossed_column(["b", "a", words], 10),
        feature_column.indicator_column(words),
        feature_column.sequence_categorical_column_with_identity("s", 3),
        feature_column.sequence_numeric_column("q"),
    ]
    return {
        "names": [column.name for column in columns],
        "shown": [repr(column) for column in columns],
        "parents": [repr(column.parents) for column in columns],
        "buckets": [column.num_buckets for column in columns if hasattr(column, "num_buckets")],
        "shapes": [str(column.variable_shape) for column in columns if hasattr(column, "variable_shape")],
        "features": [str(column.parse_example_spec) for column in columns],
        "equal": [x == feature_column.numeric_column("x", (2,), [1.0, 2.0]), words == columns[3], len({words, columns[2]})],
        "fields": [column._fields for column in columns],
    }


@case
def defaults_of_numeric(tf: Any) -> Any:
    made = [
        tf.feature_column.numeric_column("x", shape, default, dtype).default_value
        for shape, default, dtype in [
            ((1,), 3, tf.float32),
            ((2,), 3.5, tf.float32),
            ((2, 2), 1, tf.int32),
            ((2,), [1, 2], tf.int64),
            ((2,), np.array([1.0, 2.0]), tf.float32),
            ([2], (1, 2.5), tf.float64),
            (3, None, tf.float32),
        ]
    ]
    return {"made": made}


@case
def parse_spec(tf: Any) -> Any:
    feature_column = tf.feature_column
    words = feature_column.categorical_column_with_vocabulary_list("w", ["a", "b"])
    columns = [
        feature_column.numeric_column("x", shape=2, default_value=0.5),
        feature_column.bucketized_column(feature_column.numeric_column("y"), [1.0]),
        feature_column.embedding_column(words, 3),
        feature_column.crossed_column(["w", "v"], 5),
        feature_column.weighted_categorical_column(feature_column.categorical_column_with_identity("i", 3), "weight"),
        feature_column.sequence_categorical_column_with_hash_bucket("s", 5),
    ]
    spec = feature_column.make_parse_example_spec(columns)
    return {"spec": {key: str(value) for key, value in spec.items()}}


@case
def parsed_and_fed(tf: Any) -> Any:
    feature_column = tf.feature_column
    columns = [
        feature_column.numeric_column("x", shape=2, default_value=0.5),
        feature_column.indicator_column(feature_column.categorical_column_with_vocabulary_list("w", ["a", "b"])),
    ]
    examples = []
    for words, numbers in ((["a"], [1.0, 2.0]), (["b", "a"], None)):
        example = tf.train.Example()
        example.features.feature["w"].bytes_list.value.extend(word.encode() for word in words)
        if numbers:
            example.features.feature["x"].float_list.value.extend(numbers)
        examples.append(example.SerializeToString(deterministic=True))
    serialized = tf.placeholder_with_default(examples, [None])
    features = tf.parse_example(serialized, feature_column.make_parse_example_spec(columns))
    return {"dense": feature_column.input_layer(features, columns)}


# -- errors

errors_of(
    "wrong_numeric",
    lambda tf: tf.feature_column.numeric_column("x", shape=(0,)),
    lambda tf: tf.feature_column.numeric_column("x", shape=(1.5,)),
    lambda tf: tf.feature_column.numeric_column("x", dtype=tf.string),
    lambda tf: tf.feature_column.numeric_column(("x",)),
    lambda tf: tf.feature_column.numeric_column("x", default_value=[1.0, 2.0]),
    lambda tf: tf.feature_column.numeric_column("x", default_value="one"),
    lambda tf: tf.feature_column.numeric_column("x", default_value=1.5, dtype=tf.int32),
    lambda tf: tf.feature_column.numeric_column("x", normalizer_fn=3),
    lambda tf: tf.feature_column.input_layer({"x": [[1.0, 2.0], [3.0, 4.0]]}, [tf.feature_column.numeric_column("x")]),
    lambda tf: tf.feature_column.input_layer({"x": sparse(tf, [[1.0], [2.0]])}, [tf.feature_column.numeric_column("x")]),
    lambda tf: tf.feature_column.input_layer({"x": 1.0}, [tf.feature_column.numeric_column("x")]),
    lambda tf: tf.feature_column.input_layer({"y": [1.0]}, [tf.feature_column.numeric_column("x")]),
    lambda tf: tf.feature_column.input_layer({"x": [["a"], ["b"]]}, [tf.feature_column.numeric_column("x")]),
)
errors_of(
    "wrong_bucketized",
    lambda tf: tf.feature_column.bucketized_column(tf.feature_column.categorical_column_with_identity("x", 3), [1.0]),
    lambda tf: tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x", (2, 2)), [1.0]),
    lambda tf: tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x"), []),
    lambda tf: tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x"), [2.0, 1.0]),
    lambda tf: tf.feature_column.bucketized_column(tf.feature_column.numeric_column("x"), 1.0),
    lambda tf: tf.feature_column.bucketized_column("x", [1.0]),
)
errors_of(
    "wrong_categorical",
    lambda tf: tf.feature_column.categorical_column_with_hash_bucket("x", None),
    lambda tf: tf.feature_column.categorical_column_with_hash_bucket("x", 0),
    lambda tf: tf.feature_column.categorical_column_with_hash_bucket("x", 3, tf.float32),
    lambda tf: tf.feature_column.categorical_column_with_hash_bucket(3, 3),
    lambda tf: tf.feature_column.categorical_column_with_identity("x", 0),
    lambda tf: tf.feature_column.categorical_column_with_identity("x", 3, 3),
    lambda tf: tf.feature_column.categorical_column_with_identity(None, 3),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", []),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", None),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", ["a", "a"]),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", [1.5]),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", ["a"], dtype=tf.int32),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", [1], dtype=tf.float32),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", ["a"], default_value=2, num_oov_buckets=1),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_list("x", ["a"], num_oov_buckets=-1),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_file("x", ""),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_file("x", "not_there"),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_file("x", "not_there", 0),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_file("x", "not_there", 3, 2, 1),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_file("x", "not_there", 3, -2),
    lambda tf: tf.feature_column.categorical_column_with_vocabulary_file("x", "not_there", 3, dtype=tf.float64),
    lambda tf: tf.feature_column.weighted_categorical_column(tf.feature_column.categorical_column_with_identity("x", 3), "w", tf.string),
    lambda tf: tf.feature_column.crossed_column(["a"], 3),
    lambda tf: tf.feature_column.crossed_column([], 3),
    lambda tf: tf.feature_column.crossed_column(["a", "b"], 0),
    lambda tf: tf.feature_column.crossed_column(["a", 3], 5),
    lambda tf: tf.feature_column.crossed_column(["a", tf.feature_column.categorical_column_with_hash_bucket("b", 3)], 5),
    lambda tf: tf.feature_column.indicator_column(tf.feature_column.numeric_column("x")),
    lambda tf: tf.feature_column.indicator_column("x"),
)
errors_of(
    "wrong_embedding",
    lambda tf: tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("x", 3), 0),
    lambda tf: tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("x", 3), None),
    lambda tf: tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("x", 3), 2, ckpt_to_load_from="x"),
    lambda tf: tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("x", 3), 2, initializer=3.0),
    lambda tf: tf.feature_column.shared_embedding_columns([tf.feature_column.categorical_column_with_identity("x", 3)], 0),
    lambda tf: tf.feature_column.shared_embedding_columns(
        [tf.feature_column.categorical_column_with_identity("x", 3), tf.feature_column.categorical_column_with_identity("y", 4)], 2
    ),
    lambda tf: tf.feature_column.shared_embedding_columns(
        [tf.feature_column.categorical_column_with_identity("x", 3), tf.feature_column.categorical_column_with_hash_bucket("y", 3)], 2
    ),
    lambda tf: tf.feature_column.shared_embedding_columns([tf.feature_column.numeric_column("x")], 2),
    lambda tf: tf.feature_column.input_layer(
        {"s": [[1]]}, [tf.feature_column.embedding_column(tf.feature_column.sequence_categorical_column_with_identity("s", 3), 2)]
    ),
    lambda tf: tf.feature_column.input_layer(
        {"s": [[1]]}, [tf.feature_column.indicator_column(tf.feature_column.sequence_categorical_column_with_identity("s", 3))]
    ),
)
errors_of(
    "wrong_layer",
    lambda tf: tf.feature_column.input_layer({"x": [[1]]}, [tf.feature_column.categorical_column_with_identity("x", 3)]),
    lambda tf: tf.feature_column.input_layer({"x": [[1]]}, []),
    lambda tf: tf.feature_column.input_layer({"x": [[1]]}, {"x": tf.feature_column.numeric_column("x")}),
    lambda tf: tf.feature_column.input_layer({"x": [[1]]}, ["x"]),
    lambda tf: tf.feature_column.input_layer(
        {"x": [[1]]}, [tf.feature_column.numeric_column("x"), tf.feature_column.numeric_column("x", dtype=tf.int32)]
    ),
    lambda tf: tf.feature_column.input_layer(
        {"x": [[1.0]], "y": [[1.0], [2.0]]}, [tf.feature_column.numeric_column("x"), tf.feature_column.numeric_column("y")]
    ),
    lambda tf: tf.feature_column.linear_model(
        {"x": [[1.0]], "y": [[1.0], [2.0]]}, [tf.feature_column.numeric_column("x"), tf.feature_column.numeric_column("y")]
    ),
    lambda tf: tf.feature_column.linear_model({"x": [[1]]}, ["x"]),
    lambda tf: tf.feature_column.linear_model({"x": [[1]]}, []),
    lambda tf: tf.feature_column.linear_model({"x": [["a"]]}, tf.feature_column.categorical_column_with_identity("x", 3)),
    lambda tf: tf.feature_column.linear_model({"x": [[1.5]]}, tf.feature_column.categorical_column_with_hash_bucket("x", 3)),
    lambda tf: tf.feature_column.linear_model({"x": [["a"]]}, tf.feature_column.categorical_column_with_hash_bucket("x", 3, tf.int32)),
    lambda tf: tf.feature_column.linear_model({"x": [["a"]]}, tf.feature_column.categorical_column_with_vocabulary_list("x", [1, 2])),
    lambda tf: tf.feature_column.linear_model(
        {"x": [[1]], "w": [[1]]}, tf.feature_column.weighted_categorical_column(tf.feature_column.categorical_column_with_identity("x", 3), "w")
    ),
    lambda tf: tf.feature_column.linear_model({"q": [[1.0]]}, [tf.feature_column.sequence_numeric_column("q")]),
    lambda tf: tf.feature_column.linear_model(
        {"x": [[1]], "w": [[1.0]], "y": [["a"]]},
        tf.feature_column.crossed_column(
            [tf.feature_column.weighted_categorical_column(tf.feature_column.categorical_column_with_identity("x", 3), "w"), "y"], 4
        ),
    ),
    lambda tf: tf.feature_column.make_parse_example_spec(["x"]),
    lambda tf: tf.feature_column.make_parse_example_spec(
        [tf.feature_column.numeric_column("x"), tf.feature_column.categorical_column_with_identity("x", 3)]
    ),
    lambda tf: tf.feature_column.sequence_numeric_column("x", dtype=tf.string),
    lambda tf: tf.feature_column.sequence_numeric_column("x", normalizer_fn=1),
)


# -- the answers

_INNER = re.compile(r"\w_embedding_weights/|/weighted_sum/|gradients/|SparseReshape(_\d+)?(/Const|:1)|ParseExample|SparseTensor/values")
"""Nodes within functions that TensorFlow 2.21 builds in another way than 1.15: lookups in tables without `Unique`, newer operations."""


def answer(tf: Any, name: str) -> dict[str, Any]:
    """What a case gives, in JSON: its error, or nodes, variables and values."""
    tf.reset_default_graph()
    try:
        found = CASES[name](tf)
    except Exception as error:
        return {"error": type(error).__name__, "words": " ".join(str(error).split()[:4])}
    if not isinstance(found, dict):
        return {"value": repr(found)}
    graph = tf.get_default_graph()
    nodes = [
        " ".join([node.name, node.op, *(each for each in node.input if not _INNER.search(each) and "Segment" not in node.op)])
        for node in graph.as_graph_def().node
        if not _INNER.search(node.name)
    ]
    variables = tf.global_variables()
    flat = {key: value for key, value in found.items() if _is_graph(value)}
    answers: dict[str, Any] = {"nodes": nodes, "variables": [[each.name, each.shape.as_list(), each.trainable] for each in variables]}
    answers["told"] = {key: value for key, value in found.items() if key not in flat}
    with tf.Session(graph=graph) as session:
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        for index, variable in enumerate(variables):
            size = math.prod(variable.shape.as_list())
            variable.load((np.arange(size, dtype=np.float32) / 4 - index).reshape(variable.shape.as_list()), session)
        try:
            values = session.run(flat)
        except Exception as error:
            answers["error"] = type(error).__name__
        else:
            answers["values"] = {key: _plain(value) for key, value in values.items()}
    return answers


def _is_graph(value: Any) -> bool:
    return hasattr(value, "graph") or (isinstance(value, list) and bool(value) and hasattr(value[0], "graph"))


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list) else np.round(value.astype(np.float64), 5).tolist()
