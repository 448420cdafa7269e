"""Small programs with an Estimator, each giving something that JSON can hold.

`write_estimator.py` runs them with real TensorFlow and keeps the answers in `estimator.json`; tests/estimator/test_golden.py runs them with gpersist
and compares. A case is a function that gets the module `tf`. The working directory is new for each.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any) -> Any:
    try:
        found = do()
    except Exception as error:
        return {"error": [kind.__name__ for kind in type(error).__mro__]}
    return ["nothing raised", type(found).__name__]


def text(message: Any) -> str:
    return of_1(" ".join(str(message).split()))


def of_1(shown: str) -> str:
    """TensorFlow 1.15, whose nodes are the yardstick, parses examples with the older operation."""
    return shown.replace("ParseExampleV2", "ParseExample")


def line(tf: Any) -> Any:
    """A model function: y = x w + b."""

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
        w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
        y = tf.add(tf.matmul(features["x"], w), b, name="y")
        if mode == tf.estimator.ModeKeys.PREDICT:
            outputs = params.get("outputs", lambda y: None)(y)
            return tf.estimator.EstimatorSpec(mode, predictions={"y": y, "twice": y * 2.0}, export_outputs=outputs)
        loss = tf.reduce_mean(tf.square(y - labels))
        if mode == tf.estimator.ModeKeys.EVAL:
            total = tf.Variable(0.0, name="total", trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])
            return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops={"sum": (total.read_value(), total.assign_add(tf.reduce_sum(y)))})
        step = tf.train.GradientDescentOptimizer(params["rate"]).minimize(loss, global_step=tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step)

    return model_fn


def batch(tf: Any) -> Any:
    return lambda: ({"x": tf.constant([[1.0, 2.0], [3.0, 4.0]])}, tf.constant([[1.0], [2.0]]))


def trained(tf: Any, steps: int = 3, **params: Any) -> Any:
    estimator = tf.estimator.Estimator(line(tf), "model", params={"rate": 0.01, **params})
    return estimator.train(batch(tf), steps=steps)


def raw(tf: Any) -> Any:
    with tf.Graph().as_default():
        return tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None, 2], name="given")})


def parsing(tf: Any) -> Any:
    return tf.estimator.export.build_parsing_serving_input_receiver_fn({"x": tf.FixedLenFeature([2], tf.float32)})


def exported(tf: Any, path: bytes) -> Any:
    """An export: files, nodes, signatures, collections, and what the default signature gives where it takes numbers."""
    folder = pathlib.Path(os.fsdecode(path))
    graphs = tf._saved_model_class.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
    meta = graphs[0]
    nodes = [[node.name, node.op, list(map(of_1, node.input)), node.device, sorted(node.attr)] for node in meta.graph_def.node]
    nodes = [node for node in nodes if not node[0].startswith("ParseExample/")]
    for node in nodes:
        node[4] = [name for name in node[4] if name not in ("grad_a", "grad_b", "_has_manual_control_dependencies")]
    return {
        "files": sorted(str(file.relative_to(folder)) for file in folder.rglob("*")),
        "graphs": len(graphs),
        "nodes": nodes,
        "tags": list(meta.meta_info_def.tags),
        "signatures": {key: text(value) for key, value in sorted(meta.signature_def.items())},
        "collections": sorted(meta.collection_def),
        "main": text(meta.collection_def["saved_model_main_op"]),
        "saver": text(meta.saver_def),
    }


def rounded(value: Any) -> Any:
    return [round(float(each), 4) for each in value.reshape(-1)]


@case
def training(tf: Any) -> Any:
    estimator = trained(tf)
    files = sorted(name for name in os.listdir("model") if not name.startswith("events"))
    names = estimator.get_variable_names()
    first = [rounded(estimator.get_variable_value(name)) for name in names]
    estimator.train(batch(tf), steps=2)
    estimator.train(batch(tf), max_steps=6)
    estimator.train(batch(tf), max_steps=6)
    state = pathlib.Path("model/checkpoint").read_text().splitlines()
    return [
        files,
        names,
        first,
        rounded(estimator.get_variable_value("w")),
        estimator.latest_checkpoint(),
        state,
        estimator.model_dir,
        estimator.params,
    ]


@case
def many_checkpoints(tf: Any) -> Any:
    config = tf.estimator.RunConfig(model_dir="model", save_checkpoints_steps=2, keep_checkpoint_max=2, tf_random_seed=1)
    tf.estimator.Estimator(line(tf), config=config, params={"rate": 0.01}).train(batch(tf), steps=5)
    return [sorted(name for name in os.listdir("model") if name.endswith(".index")), pathlib.Path("model/checkpoint").read_text()]


@case
def asked(tf: Any) -> Any:
    estimator = trained(tf)
    inputs = lambda: {"x": tf.constant([[1.0, 2.0], [3.0, 4.0]])}  # noqa: E731
    one = next(estimator.predict(inputs))
    keyed = next(estimator.predict(inputs, predict_keys=["twice"]))
    whole = next(estimator.predict(inputs, yield_single_examples=False))
    found = [{key: rounded(value) for key, value in sorted(each.items())} for each in (one, keyed, whole)]
    at_start = next(estimator.predict(inputs, checkpoint_path="model/model.ckpt-0"))
    untrained = tf.estimator.Estimator(line(tf), "none", params={})
    return [found, rounded(at_start["y"]), rounded(next(untrained.predict(inputs))["y"]), failure(lambda: next(estimator.predict(inputs, ["no"])))]


@case
def evaluated(tf: Any) -> Any:
    found = trained(tf).evaluate(batch(tf), steps=2)
    return [sorted(found), [round(float(found[name]), 3) for name in sorted(found)]]


@case
def exported_raw(tf: Any) -> Any:
    path = trained(tf).export_saved_model("out", raw(tf))
    return [path.startswith(b"out/"), len(os.listdir("out")), exported(tf, path)]


@case
def exported_parsing(tf: Any) -> Any:
    return exported(tf, trained(tf).export_savedmodel("out", parsing(tf)))


@case
def exported_outputs(tf: Any) -> Any:
    export, key = tf.estimator.export, "serving_default"
    makers = [
        lambda y: {"one": export.RegressionOutput(y)},
        lambda y: {key: export.ClassificationOutput(scores=y), "r": export.RegressionOutput(y), "p": export.PredictOutput({"z": y})},
        lambda y: {key: export.ClassificationOutput(scores=y, classes=tf.as_string(y))},
    ]
    found = []
    for number, maker in enumerate(makers):
        estimator = trained(tf, steps=1, outputs=maker)
        for receiver in (parsing(tf), raw(tf)):
            found.append(exported(tf, estimator.export_saved_model(f"out{number}{len(found)}", receiver))["signatures"])
    return found


@case
def exported_alternatives(tf: Any) -> Any:
    def receiver() -> Any:
        examples = tf.placeholder(tf.string, [None], name="examples")
        features = tf.parse_example(examples, {"x": tf.FixedLenFeature([2], tf.float32)})
        return tf.estimator.export.ServingInputReceiver(features, examples, {"numbers": features["x"], "unused": {"t": tf.placeholder(tf.string)}})

    return exported(tf, trained(tf).export_saved_model("out", receiver))["signatures"]


@case
def exported_with_files(tf: Any) -> Any:
    pathlib.Path("in.txt").write_text("x")
    path = trained(tf).export_saved_model("out", raw(tf), assets_extra={"a/b.txt": "in.txt", "c.txt": "in.txt"}, as_text=True)
    folder = pathlib.Path(os.fsdecode(path))
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


@case
def loaded(tf: Any) -> Any:
    path = trained(tf).export_saved_model("out", raw(tf))
    with tf.Graph().as_default(), tf.Session() as sess:
        meta = tf.saved_model.loader.load(sess, ["serve"], os.fsdecode(path))
        signature = meta.signature_def["serving_default"]
        return rounded(sess.run(signature.outputs["y"].name, {signature.inputs["x"].name: [[1.0, 2.0]]}))


@case
def refused(tf: Any) -> Any:
    estimator = tf.estimator.Estimator(line(tf), "model", params={"rate": 0.01})
    make = lambda **options: tf.estimator.Estimator(**options)  # noqa: E731
    found = [
        failure(lambda: make(model_fn=None)),
        failure(lambda: make(model_fn=lambda labels: None)),
        failure(lambda: make(model_fn=lambda features: None, params={"a": 1})),
        failure(lambda: make(model_fn=lambda features, other: None)),
        failure(lambda: make(model_fn=line(tf), config=3)),
        failure(lambda: make(model_fn=line(tf), model_dir="a", config=tf.estimator.RunConfig("b"))),
        failure(lambda: estimator.train(batch(tf), steps=1, max_steps=1)),
        failure(lambda: estimator.train(batch(tf), steps=0)),
        failure(lambda: estimator.train(lambda: (1, 2, 3), steps=1)),
        failure(lambda: estimator.export_saved_model("out", raw(tf))),
        failure(lambda: estimator.export_saved_model("out", None)),
        failure(lambda: estimator.get_variable_names()),
        failure(lambda: make(model_fn=lambda features, mode: None, model_dir="m").train(lambda: {"x": tf.constant(1.0)}, steps=1)),
        failure(lambda: make(model_fn=lambda features: None, model_dir="m").train(batch(tf), steps=1)),
        estimator.latest_checkpoint(),
    ]
    trained(tf)
    other = tf.estimator.Estimator(
        lambda features, mode: tf.estimator.EstimatorSpec(mode, predictions=tf.get_variable("new", [1]) + features["x"]), "model"
    )
    found.append(failure(lambda: other.export_saved_model("out", raw(tf))))
    return found


@case
def specs(tf: Any) -> Any:
    spec = tf.estimator.EstimatorSpec
    loss = tf.constant(1.0)
    with tf.Graph().as_default():
        elsewhere = tf.constant(1.0)
    reshaped = spec("eval", loss=tf.constant([1.0]))
    made = spec("infer", predictions={"a": loss})
    calls = [
        lambda: spec("train", loss=loss),
        lambda: spec("train", train_op=tf.no_op()),
        lambda: spec("eval"),
        lambda: spec("infer"),
        lambda: spec("eval", loss=3.0),
        lambda: spec("eval", loss=tf.constant([1.0, 2.0])),
        lambda: spec("eval", loss=elsewhere),
        lambda: spec("infer", predictions=elsewhere),
        lambda: spec("infer", predictions={"a": 1}),
        lambda: spec("infer", predictions=loss, export_outputs=[1]),
        lambda: spec("infer", predictions=loss, export_outputs={"a": loss}),
        lambda: spec("eval", loss=loss, eval_metric_ops=[1]),
        lambda: spec("eval", loss=loss, eval_metric_ops={"a": 1}),
        lambda: spec("train", loss=loss, train_op="op"),
        lambda: spec("train", loss=loss, train_op=elsewhere),
    ]
    outputs = {"a": tf.estimator.export.PredictOutput(loss), "b": tf.estimator.export.PredictOutput(loss)}
    calls.append(lambda: spec("infer", predictions=loss, export_outputs=outputs))
    return [[failure(call) for call in calls], reshaped.loss.shape.as_list(), sorted(made.export_outputs), list(spec._fields), made.eval_metric_ops]


@case
def receivers(tf: Any) -> Any:
    export = tf.estimator.export
    x = tf.placeholder(tf.float32, [None], name="x")
    sparse = tf.sparse_placeholder(tf.float32, name="s")
    one = export.ServingInputReceiver(x, x, {"other": x})
    single = export.TensorServingInputReceiver(x, {"a": x})
    numbered = export.ServingInputReceiver({1: x, "b": sparse}, sparse)
    calls = [
        lambda: export.ServingInputReceiver(None, x),
        lambda: export.ServingInputReceiver(x, None),
        lambda: export.ServingInputReceiver({"a": 1}, x),
        lambda: export.ServingInputReceiver({1.5: x}, x),
        lambda: export.ServingInputReceiver(x, {1: x}),
        lambda: export.ServingInputReceiver(x, x, [x]),
        lambda: export.TensorServingInputReceiver(None, x),
        lambda: export.TensorServingInputReceiver({"a": x}, x),
        lambda: export.ClassificationOutput(),
        lambda: export.ClassificationOutput(scores=tf.constant(1)),
        lambda: export.ClassificationOutput(classes=x),
        lambda: export.RegressionOutput(tf.constant("a")),
        lambda: export.PredictOutput(1),
        lambda: export.PredictOutput({1: x}),
    ]
    shown = [sorted(map(str, receiver.receiver_tensors)) for receiver in (one, single, numbered)]
    fed = raw(tf)()
    parsed = export.build_parsing_serving_input_receiver_fn({"a": tf.VarLenFeature(tf.int64), "b": tf.FixedLenFeature([], tf.string)}, 3)()
    names = [fed.features["x"].name, fed.receiver_tensors["x"].shape.as_list(), parsed.receiver_tensors["examples"].name]
    names += [sorted(parsed.features), of_1(parsed.features["a"].values.name), parsed.features["b"].shape.as_list()]
    tuples = export.PredictOutput({("a", "b"): x}).outputs
    return [
        shown,
        list(one.features),
        one.receiver_tensors_alternatives["other"]["input"].name,
        single.features.name,
        [failure(call) for call in calls],
        names,
        list(tuples),
    ]
