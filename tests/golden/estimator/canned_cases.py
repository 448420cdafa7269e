"""Programs of ready-made estimators, run by real TensorFlow (write_estimator.py) and by gpersist (tests/estimator/test_canned.py).

Each makes an estimator and its labels. What is kept: names and shapes in its checkpoint; and, from a checkpoint of known values on, all values
after some steps, metrics, predictions, summaries and signatures.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CASES: dict[str, Callable[[Any, str], Any]] = {}
PROGRAMS: dict[str, Callable[[Any], Any]] = {}
ERRORS: dict[str, Callable[[Any], Any]] = {}

_COUNT = 12


def case(function: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    CASES[function.__name__] = function
    return function


def features(names: str = "xchw") -> dict[str, Any]:
    every = {
        "x": np.linspace(-1.0, 2.0, _COUNT, dtype=np.float32).reshape(-1, 1),
        "c": np.array([["a"], ["b"], ["c"], ["zz"]] * (_COUNT // 4)),
        "h": np.array([[f"word{number % 5}"] for number in range(_COUNT)]),
        "w": np.linspace(0.5, 2.0, _COUNT, dtype=np.float32).reshape(-1, 1),
    }
    return {name: every[name] for name in names}


BINARY = np.array([[number % 3 == 0] for number in range(_COUNT)], np.int64)
CLASSES = np.array([[number % 3] for number in range(_COUNT)], np.int64)
WORDS = np.array([[("yes", "no", "maybe")[number % 3]] for number in range(_COUNT)])
NUMBERS = np.linspace(0.0, 3.0, _COUNT, dtype=np.float32).reshape(-1, 1)
PAIRS = np.concatenate([NUMBERS, NUMBERS[::-1]], 1)


def batches(tf: Any, labels: Any, names: str = "xchw") -> Callable[[], Any]:
    return lambda: tf.data.Dataset.from_tensor_slices((features(names), labels)).batch(5).repeat()


def columns(tf: Any) -> tuple[list[Any], list[Any]]:
    feature_column = tf.feature_column
    x = feature_column.numeric_column("x")
    c = feature_column.categorical_column_with_vocabulary_list("c", ["a", "b", "c"], num_oov_buckets=1)
    h = feature_column.categorical_column_with_hash_bucket("h", 10)
    wide = [x, c, h, feature_column.crossed_column(["c", "h"], 20), feature_column.bucketized_column(x, [0.0, 1.0])]
    return wide, [x, feature_column.embedding_column(h, 3), feature_column.indicator_column(c)]


@case
def linear_classifier(tf: Any, folder: str) -> Any:
    return tf.estimator.LinearClassifier(columns(tf)[0], model_dir=folder), BINARY


@case
def linear_classifier_of_more(tf: Any, folder: str) -> Any:
    wide = columns(tf)[0]
    return tf.estimator.LinearClassifier(wide, folder, 3, "w", optimizer="Adam", sparse_combiner="mean"), CLASSES


@case
def linear_classifier_of_words(tf: Any, folder: str) -> Any:
    wide = columns(tf)[0]
    reduction = tf.losses.Reduction.SUM_OVER_BATCH_SIZE
    words = ["yes", "no", "maybe"]
    return tf.estimator.LinearClassifier(wide, folder, 3, label_vocabulary=words, loss_reduction=reduction), WORDS


@case
def linear_regressor(tf: Any, folder: str) -> Any:
    return tf.estimator.LinearRegressor(columns(tf)[0], folder, 2, optimizer=lambda: tf.train.GradientDescentOptimizer(0.01)), PAIRS


@case
def linear_regressor_weighted(tf: Any, folder: str) -> Any:
    weight = tf.feature_column.numeric_column("w")
    return tf.estimator.LinearRegressor(columns(tf)[0], folder, weight_column=weight, loss_reduction=tf.losses.Reduction.MEAN), NUMBERS


@case
def linear_of_an_embedding(tf: Any, folder: str) -> Any:
    c = tf.feature_column.categorical_column_with_hash_bucket("c", 6)
    h = tf.feature_column.categorical_column_with_hash_bucket("h", 6)
    return tf.estimator.LinearClassifier([c, tf.feature_column.embedding_column(h, 2)], folder), BINARY


@case
def dnn_classifier(tf: Any, folder: str) -> Any:
    return tf.estimator.DNNClassifier([4, 3], columns(tf)[1], folder, optimizer="SGD", weight_column="w"), BINARY


@case
def dnn_classifier_of_more(tf: Any, folder: str) -> Any:
    return tf.estimator.DNNClassifier([4], columns(tf)[1], folder, 3, activation_fn=tf.nn.tanh, batch_norm=True), CLASSES


@case
def dnn_classifier_of_words(tf: Any, folder: str) -> Any:
    words = np.where(BINARY == 1, "yes", "no")
    return tf.estimator.DNNClassifier([3], columns(tf)[1], folder, label_vocabulary=["no", "yes"], optimizer="RMSProp"), words


@case
def dnn_regressor(tf: Any, folder: str) -> Any:
    return tf.estimator.DNNRegressor([4, 3], columns(tf)[1], folder), NUMBERS


@case
def dnn_regressor_of_shared_embeddings(tf: Any, folder: str) -> Any:
    both = [tf.feature_column.categorical_column_with_hash_bucket(key, 6) for key in "ch"]
    return tf.estimator.DNNRegressor([4], tf.feature_column.shared_embedding_columns(both, 2), folder), NUMBERS


@case
def wide_and_deep_classifier(tf: Any, folder: str) -> Any:
    wide, deep = columns(tf)
    return tf.estimator.DNNLinearCombinedClassifier(folder, wide, "Ftrl", deep, "Adagrad", [4, 3], batch_norm=True), BINARY


@case
def wide_and_deep_classifier_of_more(tf: Any, folder: str) -> Any:
    wide, deep = columns(tf)
    adam = tf.train.AdamOptimizer
    kwargs = {"n_classes": 3, "linear_sparse_combiner": "sqrtn"}
    made = tf.estimator.DNNLinearCombinedClassifier(folder, wide, lambda: adam(0.01), deep, lambda: adam(0.02), [4], **kwargs)
    return made, CLASSES


@case
def wide_and_deep_regressor(tf: Any, folder: str) -> Any:
    wide, deep = columns(tf)
    found = tf.estimator.DNNLinearCombinedRegressor(
        folder, linear_feature_columns=wide, dnn_feature_columns=deep, dnn_hidden_units=[3], weight_column="w"
    )
    return found, NUMBERS


@case
def deep_regressor_alone(tf: Any, folder: str) -> Any:
    return tf.estimator.DNNLinearCombinedRegressor(folder, dnn_feature_columns=columns(tf)[1], dnn_hidden_units=[3]), NUMBERS


@case
def wide_classifier_alone(tf: Any, folder: str) -> Any:
    return tf.estimator.DNNLinearCombinedClassifier(folder, linear_feature_columns=columns(tf)[0]), BINARY


@case
def baseline_classifier(tf: Any, folder: str) -> Any:
    return tf.estimator.BaselineClassifier(folder), BINARY


@case
def baseline_classifier_of_more(tf: Any, folder: str) -> Any:
    return tf.estimator.BaselineClassifier(folder, 3, "w", ["yes", "no", "maybe"], optimizer="Adagrad"), WORDS


@case
def baseline_regressor(tf: Any, folder: str) -> Any:
    return tf.estimator.BaselineRegressor(folder, 2), PAIRS


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


def _asked(tf: Any, estimator: Any, labels: Any, steps: int = 3) -> dict[str, Any]:
    """Metrics and predictions after some steps; for models whose variables begin with zeros."""
    estimator.train(batches(tf, labels), steps=steps)
    metrics = estimator.evaluate(batches(tf, labels), steps=2)
    prediction = next(estimator.predict(batches(tf, labels)))
    return {"metrics": {key: _plain(value) for key, value in metrics.items()}, "predicted": {key: _plain(value) for key, value in prediction.items()}}


@program
def a_binary_head(tf: Any) -> Any:
    head = tf.estimator.BinaryClassHead(thresholds=[0.25, 0.5], weight_column="w", name="mine")
    return _asked(tf, tf.estimator.DNNLinearCombinedEstimator(head, linear_feature_columns=columns(tf)[0]), BINARY)


@program
def a_multi_class_head(tf: Any) -> Any:
    head = tf.estimator.MultiClassHead(3, label_vocabulary=["yes", "no", "maybe"])
    return _asked(tf, tf.estimator.BaselineEstimator(head), WORDS)


@program
def a_regression_head(tf: Any) -> Any:
    def absolute(labels: Any, logits: Any, features: Any) -> Any:
        return tf.abs(labels - logits) * features["w"]

    head = tf.estimator.RegressionHead(2, loss_fn=absolute, inverse_link_fn=tf.exp)
    return _asked(tf, tf.estimator.DNNLinearCombinedEstimator(head, linear_feature_columns=columns(tf)[0]), PAIRS)


@program
def a_wide_head(tf: Any) -> Any:
    head = tf.estimator.RegressionHead()
    return _asked(tf, tf.estimator.DNNLinearCombinedEstimator(head, linear_feature_columns=columns(tf)[0]), NUMBERS)


@program
def a_head_of_several_labels(tf: Any) -> Any:
    head = tf.estimator.MultiLabelHead(3, "w", thresholds=[0.5], classes_for_class_based_metrics=[0, 2])
    labels = np.array([[number % 2, number % 3 == 0, number % 4 == 0] for number in range(_COUNT)], np.int64)
    return _asked(tf, tf.estimator.DNNLinearCombinedEstimator(head, linear_feature_columns=columns(tf)[0]), labels)


@program
def a_head_of_several_labels_by_name(tf: Any) -> Any:
    names = ["yes", "no", "maybe"]
    head = tf.estimator.MultiLabelHead(3, label_vocabulary=names, classes_for_class_based_metrics=["maybe"], name="mine")
    estimator = tf.estimator.BaselineEstimator(head)

    def given() -> Any:
        labels = tf.SparseTensor([[0, 0], [1, 0], [1, 1], [3, 0]], ["yes", "no", "maybe", "yes"], [4, 2])
        return {"x": tf.constant([[1.0], [2.0], [3.0], [4.0]])}, labels

    metrics = estimator.train(given, steps=3).evaluate(given, steps=1)
    return {key: _plain(value) for key, value in metrics.items()}


@program
def a_poisson_head(tf: Any) -> Any:
    head = tf.estimator.PoissonRegressionHead()
    return _asked(tf, tf.estimator.DNNLinearCombinedEstimator(head, linear_feature_columns=columns(tf)[0]), NUMBERS + 1)


@program
def a_logistic_head(tf: Any) -> Any:
    head = tf.estimator.LogisticRegressionHead("w", "sum")
    return _asked(tf, tf.estimator.DNNLinearCombinedEstimator(head, linear_feature_columns=columns(tf)[0]), BINARY)


@program
def more_metrics(tf: Any) -> Any:
    def mine(labels: Any, predictions: Any, features: Any) -> Any:
        return {"off": tf.metrics.mean_absolute_error(labels, predictions["predictions"]), "mean_x": tf.metrics.mean(features["x"])}

    return _asked(tf, tf.estimator.add_metrics(tf.estimator.LinearRegressor(columns(tf)[0]), mine), NUMBERS)


@program
def arrays_as_input(tf: Any) -> Any:
    given = tf.estimator.inputs.numpy_input_fn(features(), BINARY, batch_size=4, num_epochs=None, shuffle=False)
    estimator = tf.estimator.LinearClassifier(columns(tf)[0], "first").train(given, steps=4)
    once = tf.estimator.inputs.numpy_input_fn(features(), BINARY, batch_size=5, num_epochs=1, shuffle=False)
    metrics = estimator.evaluate(once)
    names = estimator.get_variable_names()
    return {"metrics": {key: _plain(value) for key, value in metrics.items()}, "bias": _plain(estimator.get_variable_value(names[1])), "names": names}


@program
def trained_and_evaluated(tf: Any) -> Any:
    wide, deep = columns(tf)
    receiver = tf.estimator.export.build_parsing_serving_input_receiver_fn(tf.feature_column.make_parse_example_spec([*wide, *deep]))
    exporter = tf.estimator.LatestExporter("latest", receiver)
    estimator = tf.estimator.LinearRegressor(wide, "first")
    train = tf.estimator.TrainSpec(batches(tf, NUMBERS), max_steps=4)
    found = tf.estimator.train_and_evaluate(estimator, train, tf.estimator.EvalSpec(batches(tf, NUMBERS), steps=2, exporters=exporter))
    return {"metrics": {key: _plain(value) for key, value in found[0].items()}, "exports": len(found[1])}


@program
def warm_started(tf: Any) -> Any:
    CASES["dnn_regressor"](tf, "first")[0].train(batches(tf, NUMBERS), steps=1)
    _write_checkpoint(tf, [[key, list(shape)] for key, shape in tf.train.list_variables("first")])
    settings = tf.estimator.WarmStartSettings("second", vars_to_warm_start=".*(kernel|weights)")
    estimator = tf.estimator.DNNRegressor([4, 3], columns(tf)[1], "third", optimizer="SGD", warm_start_from=settings)
    return _asked(tf, estimator, NUMBERS)


def _stopped(tf: Any, make: Callable[[Any], Any]) -> Any:
    """After how many steps training ends that a hook may end, with evaluations at each third step."""
    estimator = tf.estimator.BaselineRegressor("first")
    for _ in range(4):
        idle = tf.estimator.experimental.make_early_stopping_hook(estimator, lambda: False)  # its variable is in checkpoints
        estimator.train(batches(tf, NUMBERS), hooks=[idle], steps=3)
        estimator.evaluate(batches(tf, NUMBERS), steps=1)
    estimator.train(batches(tf, NUMBERS), hooks=[make(estimator)], steps=10)
    stop = "signal_early_stopping/STOP"
    value = bool(estimator.get_variable_value(stop)) if stop in estimator.get_variable_names() else None
    return {"step": int(estimator.get_variable_value("global_step")), "stop": value}


@program
def stopped_by_hooks(tf: Any) -> Any:
    experimental = tf.estimator.experimental
    makes: dict[str, Callable[[Any], Any]] = {
        "lower": lambda found: experimental.stop_if_lower_hook(found, "average_loss", 1.0, run_every_secs=None, run_every_steps=4),
        "lower_later": lambda found: experimental.stop_if_lower_hook(found, "loss", 100.0, min_steps=13, run_every_secs=None, run_every_steps=1),
        "higher": lambda found: experimental.stop_if_higher_hook(found, "prediction/mean", 0.1),
        "no_increase": lambda found: experimental.stop_if_no_increase_hook(found, "average_loss", 6, run_every_secs=None, run_every_steps=2),
        "no_decrease": lambda found: experimental.stop_if_no_decrease_hook(found, "average_loss", 6, run_every_secs=None, run_every_steps=2),
        "never": lambda found: experimental.make_early_stopping_hook(found, lambda: False),
    }
    answers = {}
    for name, make in makes.items():
        os.mkdir(name)
        os.chdir(name)
        answers[name] = _stopped(tf, make)
        os.chdir("..")
        tf.summary.FileWriterCache.clear()
    return answers


@program
def parse_specs(tf: Any) -> Any:
    wide = columns(tf)[0]
    found = [
        tf.estimator.classifier_parse_example_spec(wide, "label"),
        tf.estimator.classifier_parse_example_spec(wide, "label", tf.string, "none", "w"),
        tf.estimator.regressor_parse_example_spec(wide, "label", label_dimension=3, weight_column=tf.feature_column.numeric_column("w")),
    ]
    return [{key: str(value) for key, value in spec.items()} for spec in found]


def error(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    ERRORS[function.__name__] = function
    return function


def _trained(tf: Any, estimator: Any, labels: Any, names: str = "xchw") -> None:
    estimator.train(batches(tf, labels, names), steps=1)


@error
def label_that_is_a_feature(tf: Any) -> Any:
    return tf.estimator.classifier_parse_example_spec(columns(tf)[0], "x")


@error
def weight_that_is_a_feature(tf: Any) -> Any:
    return tf.estimator.regressor_parse_example_spec(columns(tf)[0], "label", weight_column="x")


@error
def thresholds_out_of_range(tf: Any) -> Any:
    return tf.estimator.BinaryClassHead(thresholds=[0.5, 1.0])


@error
def two_classes_of_many(tf: Any) -> Any:
    return tf.estimator.MultiClassHead(2)


@error
def one_label_of_several(tf: Any) -> Any:
    return tf.estimator.MultiLabelHead(1)


@error
def too_few_names(tf: Any) -> Any:
    return tf.estimator.MultiLabelHead(3, label_vocabulary=["a"])


@error
def metrics_of_a_class_that_is_not_there(tf: Any) -> Any:
    return tf.estimator.MultiLabelHead(3, classes_for_class_based_metrics=[3])


@error
def loss_of_other_arguments(tf: Any) -> Any:
    return tf.estimator.RegressionHead(loss_fn=lambda labels, predictions: labels)


@error
def hook_of_no_estimator(tf: Any) -> Any:
    return tf.estimator.experimental.make_early_stopping_hook(3, lambda: True)


@error
def hook_of_steps_and_seconds(tf: Any) -> Any:
    return tf.estimator.experimental.stop_if_lower_hook(tf.estimator.BaselineRegressor(), "loss", 1.0, run_every_steps=3)


@error
def hook_of_no_function(tf: Any) -> Any:
    return tf.estimator.experimental.make_early_stopping_hook(tf.estimator.BaselineRegressor(), True)


@error
def metrics_of_other_arguments(tf: Any) -> Any:
    return tf.estimator.add_metrics(tf.estimator.BaselineRegressor(), lambda mine: {})


@error
def two_classes_and_a_few(tf: Any) -> Any:
    return tf.estimator.LinearClassifier(columns(tf)[0], n_classes=1)


@error
def vocabulary_of_text(tf: Any) -> Any:
    return tf.estimator.DNNClassifier([3], columns(tf)[1], label_vocabulary="abc")


@error
def vocabulary_of_text_for_more(tf: Any) -> Any:
    return tf.estimator.DNNClassifier([3], columns(tf)[1], n_classes=3, label_vocabulary="abc")


@error
def reduction_that_is_none(tf: Any) -> Any:
    return tf.estimator.DNNRegressor([3], columns(tf)[1], loss_reduction="none")


@error
def reduction_unknown(tf: Any) -> Any:
    return tf.estimator.DNNClassifier([3], columns(tf)[1], loss_reduction="all")


@error
def no_label_dimension(tf: Any) -> Any:
    return tf.estimator.LinearRegressor(columns(tf)[0], label_dimension=0)


@error
def no_columns(tf: Any) -> Any:
    return tf.estimator.DNNLinearCombinedClassifier()


@error
def no_hidden_units(tf: Any) -> Any:
    return _trained(tf, tf.estimator.DNNLinearCombinedClassifier(dnn_feature_columns=columns(tf)[1]), BINARY)


@error
def categories_in_a_dnn(tf: Any) -> Any:
    return _trained(tf, tf.estimator.DNNClassifier([3], columns(tf)[0]), BINARY)


@error
def unknown_optimizer(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0], optimizer="Best"), BINARY)


@error
def optimizer_of_another_kind(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0], optimizer=3.0), BINARY)


@error
def labels_out_of_range(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0]), CLASSES)


@error
def labels_of_another_size(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearRegressor(columns(tf)[0]), PAIRS)


@error
def labels_of_text(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0], n_classes=3), WORDS)


@error
def labels_of_numbers(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0], n_classes=3, label_vocabulary=["a", "b", "c"]), CLASSES)


@error
def no_weights(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0], weight_column="w"), BINARY, "xch")


@error
def weights_of_another_kind(tf: Any) -> Any:
    return _trained(tf, tf.estimator.LinearClassifier(columns(tf)[0], weight_column=3), BINARY)


@error
def features_without_names(tf: Any) -> Any:
    estimator = tf.estimator.LinearClassifier(columns(tf)[0])
    return estimator.train(lambda: (tf.constant([[1.0]]), tf.constant([[1]])), steps=1)


@error
def no_labels(tf: Any) -> Any:
    estimator = tf.estimator.LinearClassifier([tf.feature_column.numeric_column("x")])
    return estimator.train(lambda: {"x": tf.constant([[1.0]])}, steps=1)


# -- the answers


def failure(tf: Any, name: str) -> Any:
    """The classes of an error, and its first words."""
    tf.reset_default_graph()
    try:
        return repr(ERRORS[name](tf))
    except Exception as error:
        return {"error": [each.__name__ for each in type(error).__mro__], "words": " ".join(str(error).split()[:3])}


def result(tf: Any, name: str) -> Any:
    """What a program gives."""
    tf.summary.FileWriterCache.clear()
    return PROGRAMS[name](tf)


def answer(tf: Any, name: str) -> dict[str, Any]:
    """What a case gives, in JSON."""
    tf.summary.FileWriterCache.clear()
    estimator, labels = CASES[name](tf, "first")
    estimator.train(batches(tf, labels), steps=1)
    shapes = [[key, list(shape)] for key, shape in tf.train.list_variables("first")]
    _write_checkpoint(tf, shapes)
    estimator, labels = CASES[name](tf, "second")
    nodes: list[str] = []
    estimator.train(batches(tf, labels), hooks=[_Nodes(tf, nodes)], steps=5)
    reader = tf.train.NewCheckpointReader(tf.train.latest_checkpoint("second"))
    values = {key: _plain(reader.get_tensor(key)) for key, _ in shapes}
    metrics = estimator.evaluate(batches(tf, labels), steps=3)
    predictions = [prediction for prediction, _ in zip(estimator.predict(batches(tf, labels)), range(6))]  # noqa: B905
    feature_column = tf.feature_column
    wide, deep = columns(tf)
    spec = feature_column.make_parse_example_spec([*wide, *deep, feature_column.numeric_column("w")])
    exported = estimator.export_saved_model("exported", tf.estimator.export.build_parsing_serving_input_receiver_fn(spec))
    return {
        "shapes": shapes,
        "values": values,
        "variables": sorted(nodes),
        "metrics": {key: _plain(value) for key, value in metrics.items()},
        "predictions": [{key: _plain(value) for key, value in each.items()} for each in predictions],
        "summaries": _summaries(tf),
        "signatures": _signatures(tf, os.fsdecode(exported)),
    }


def _write_checkpoint(tf: Any, shapes: list[Any]) -> None:
    """A checkpoint of known values, positive ones where an optimizer needs them."""
    with tf.Graph().as_default():
        for key, shape in shapes:
            if key == "global_step":
                value: Any = np.int64(0)
            else:
                value = np.random.RandomState(zlib.crc32(key.encode())).uniform(-0.5, 0.5, shape).astype(np.float32)
                if key.rpartition("/")[2] in ("Adagrad", "Ftrl", "RMSProp", "moving_variance", "beta1_power", "beta2_power", "Adam_1"):
                    value = np.abs(value) + np.float32(0.1)
            tf.get_variable(key, initializer=value)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            os.mkdir("second")
            tf.train.Saver().save(session, "second/model.ckpt", global_step=0)


def _Nodes(tf: Any, found: list[str]) -> Any:
    class Nodes(tf.train.SessionRunHook):
        """Keeps the names of variables."""

        def begin(self) -> None:
            found.extend(variable.name for variable in tf.global_variables())

    return Nodes()


def _summaries(tf: Any) -> list[Any]:
    """Tags of training, and the values of those that are numbers."""
    found: dict[str, Any] = {}
    for path in sorted(str(path) for path in Path("second").glob("events*")):
        for event in tf.train.summary_iterator(path):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(None if value.HasField("histo") else _plain(np.float32(value.simple_value)))
    return [[key, found[key]] for key in sorted(found) if key != "global_step/sec"]


def _signatures(tf: Any, folder: str) -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        meta_graph = tf.saved_model.loader.load(session, [tf.saved_model.tag_constants.SERVING], folder)
        found = {}
        for key, signature in meta_graph.signature_def.items():
            outputs = {name: [info.name, info.dtype, len(info.tensor_shape.dim)] for name, info in signature.outputs.items()}
            found[key] = {"method": signature.method_name, "inputs": {name: info.name for name, info in signature.inputs.items()}, "outputs": outputs}
        example = tf.train.Example()
        example.features.feature["x"].float_list.value.append(0.25)
        example.features.feature["w"].float_list.value.append(1.0)
        for key, word in (("c", b"b"), ("h", b"word3")):
            example.features.feature[key].bytes_list.value.append(word)
        predict = meta_graph.signature_def["predict"]
        (given,) = predict.inputs.values()
        fetches = {name: info.name for name, info in predict.outputs.items()}
        asked = session.run(fetches, {given.name: [example.SerializeToString(deterministic=True)]})
    return {"signatures": found, "asked": {name: _plain(value) for name, value in asked.items()}}


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind in "OS":
        return np.vectorize(lambda text: text.decode() if isinstance(text, bytes) else text, otypes=[object])(array).tolist()
    return np.round(array.astype(np.float64), 6).tolist()
