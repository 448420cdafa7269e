"""Small programs with an Estimator's training loops: hooks, listeners, summaries, logs, evaluations, exporters, warm starts, arrays as input.

As in cases.py: `write_estimator.py` runs them with real TensorFlow and keeps the answers in `training.json`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
import re
from typing import Any

import numpy as np

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


def rounded(value: Any) -> Any:
    return [round(float(each), 4) for each in np.asarray(value).reshape(-1)]


def line(tf: Any, **options: Any) -> Any:
    """A model function: y = x w + b, with metrics."""

    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        w = tf.get_variable("w", [2, 1], initializer=tf.ones_initializer())
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
        y = tf.add(tf.matmul(features["x"] if isinstance(features, dict) else features, w), b, name="y")
        made = lambda: {name: value(tf) for name, value in options.items()}  # noqa: E731
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions={"y": y}, **made())
        loss = tf.reduce_mean(tf.square(y - labels))
        metrics = {
            "error": tf.metrics.mean_absolute_error(labels, y),
            "right": tf.metrics.accuracy(labels > 1.5, y > 1.5),
            "all": tf.metrics.mean_tensor(tf.reduce_mean(y, 0)),
        }
        step = tf.train.GradientDescentOptimizer(0.01).minimize(loss, global_step=tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step, eval_metric_ops=metrics, **made())

    return model_fn


X = [[1.0, 2.0], [3.0, 4.0]]


def batch(tf: Any) -> Any:
    return lambda: ({"x": tf.constant(X)}, tf.constant([[1.0], [2.0]]))


def arrays(tf: Any, **options: Any) -> Any:
    given = {"batch_size": 2, "shuffle": False, **options}
    return tf.estimator.inputs.numpy_input_fn({"x": np.arange(10, dtype=np.float32).reshape(5, 2)}, np.ones([5, 1], np.float32), **given)


@contextlib.contextmanager
def logged(tf: Any) -> Any:
    """What is logged, line by line, without times and places."""
    logger = logging.getLogger("tensorflow" if tf.__name__.startswith("tensorflow") else "gpersist")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(shown(record.levelname, record.getMessage()))  # type: ignore[method-assign]
    level, propagates = logger.level, logger.propagate
    others = list(logger.handlers)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.setLevel(level)
        logger.handlers = others
        logger.propagate = propagates
        kept = [
            text
            for text in lines
            if not re.search(
                r"/sec|Using config|deprecat|From /|Instructions for updating|Signatures|SavedModel|assets|local_init|np.ndarray|It seems", text
            )
        ]
        lines[:] = kept


def shown(level: str, message: str) -> str:
    message = re.sub(r"\d+\.\d+ ?s(ec)?\b", "TIME s", message)
    message = re.sub(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d\S*", "DATE", message)
    message = re.sub(r"(\d+\.\d{3})\d+", r"\1", message)
    return f"{level} {message}"


def recorder(tf: Any, name: str, events: list[str]) -> Any:
    class Recorder(tf.train.SessionRunHook):  # type: ignore[misc]
        def begin(self) -> None:
            events.append(f"{name}.begin")

        def after_create_session(self, session: Any, coord: Any) -> None:
            events.append(f"{name}.after_create_session")

        def before_run(self, run_context: Any) -> None:
            events.append(f"{name}.before_run {len(run_context.original_args.fetches)}")

        def after_run(self, run_context: Any, run_values: Any) -> None:
            events.append(f"{name}.after_run")

        def end(self, session: Any) -> None:
            events.append(f"{name}.end")

    return Recorder()


def summaries(tf: Any, folder: str) -> Any:
    """What the event files of a folder hold: kind, step, tags with their kinds of value."""
    found = []
    for path in sorted(map(str, pathlib.Path(folder).glob("events*"))):
        for event in tf.train.summary_iterator(path):
            kind = event.WhichOneof("what")
            tags = [[value.tag, value.WhichOneof("value")] for value in event.summary.value if "/sec" not in value.tag]
            if kind != "file_version" and not (kind == "summary" and not tags):
                found.append([kind, event.step, sorted(tags)])
    return found


class Nodes:
    """The nodes of a graph, once it is complete."""

    def __init__(self, tf: Any) -> None:
        nodes = self.nodes = []

        class Hook(tf.train.SessionRunHook):  # type: ignore[misc]
            def after_create_session(self, session: Any, coord: Any) -> None:
                nodes[:] = [[node.name, node.op, sorted(node.input)] for node in session.graph.as_graph_def().node]

        self.hook = Hook()


@case
def order_of_hooks(tf: Any) -> Any:
    events: list[str] = []
    options = {
        "training_hooks": lambda tf: [recorder(tf, "training", events)],
        "training_chief_hooks": lambda tf: [recorder(tf, "chief", events)],
        "evaluation_hooks": lambda tf: [recorder(tf, "evaluation", events)],
        "prediction_hooks": lambda tf: [recorder(tf, "prediction", events)],
    }
    estimator = tf.estimator.Estimator(line(tf, **options), "model")
    estimator.train(batch(tf), hooks=[recorder(tf, "given", events)], steps=2)
    events.append("evaluate")
    estimator.evaluate(batch(tf), hooks=[recorder(tf, "given", events)], steps=2)
    events.append("predict")
    found = list(estimator.predict(arrays(tf), hooks=[recorder(tf, "given", events)]))
    events.append("predict one")
    generator = estimator.predict(arrays(tf), hooks=[recorder(tf, "given", events)])
    next(generator)
    generator.close()
    return [events, len(found)]


@case
def listeners(tf: Any) -> Any:
    events: list[Any] = []

    class Listener(tf.train.CheckpointSaverListener):  # type: ignore[misc]
        def begin(self) -> None:
            events.append("begin")

        def before_save(self, session: Any, global_step_value: int) -> None:
            events.append(["before", int(global_step_value), estimator.latest_checkpoint()])

        def after_save(self, session: Any, global_step_value: int) -> bool:
            events.append(["after", int(global_step_value), estimator.latest_checkpoint()])
            return bool(global_step_value >= 6)

        def end(self, session: Any, global_step_value: int) -> None:
            events.append(["end", int(global_step_value)])

    config = tf.estimator.RunConfig("model", save_checkpoints_steps=3)
    estimator = tf.estimator.Estimator(line(tf), config=config)
    estimator.train(batch(tf), steps=10, saving_listeners=[Listener()])
    never = tf.estimator.Estimator(line(tf), config=tf.estimator.RunConfig("none", save_checkpoints_steps=None, save_checkpoints_secs=None))
    never.train(batch(tf), steps=2)
    errors = [
        failure(lambda: never.train(batch(tf), steps=2, saving_listeners=[Listener()])),
        failure(lambda: never.train(batch(tf), steps=2, saving_listeners=[1])),
        failure(lambda: never.train(batch(tf), steps=2, hooks=[1])),
        failure(lambda: never.evaluate(batch(tf), steps=2, hooks=[1])),
        failure(lambda: never.evaluate(batch(tf), steps=0)),
        failure(lambda: next(never.predict(batch(tf), hooks=[1]))),
    ]
    return [events, errors, sorted(name for name in os.listdir("none") if not name.startswith("events"))]


@case
def training_log(tf: Any) -> Any:
    config = tf.estimator.RunConfig("model", save_checkpoints_steps=3, log_step_count_steps=2, save_summary_steps=2)
    estimator = tf.estimator.Estimator(line(tf), config=config)
    found = []
    for run in (
        lambda: estimator.train(batch(tf), steps=5),
        lambda: estimator.train(batch(tf), max_steps=6),
        lambda: estimator.train(batch(tf), max_steps=6),
        lambda: estimator.evaluate(batch(tf), steps=2),
        lambda: estimator.evaluate(arrays(tf), steps=25, name="more"),
        lambda: list(estimator.predict(arrays(tf))),
    ):
        with logged(tf) as lines:
            run()
        found.append(lines)
    return found


@case
def written_summaries(tf: Any) -> Any:
    config = tf.estimator.RunConfig("model", save_checkpoints_steps=3, save_summary_steps=2)
    estimator = tf.estimator.Estimator(line(tf), config=config)
    estimator.train(batch(tf), steps=5)
    estimator.evaluate(batch(tf), steps=2)
    estimator.evaluate(batch(tf), steps=2, name="b")
    tf.summary.FileWriterCache.clear()
    return [summaries(tf, folder) for folder in ("model", estimator.eval_dir(), estimator.eval_dir("b"))]


@case
def metrics(tf: Any) -> Any:
    estimator = tf.estimator.Estimator(line(tf), "model")
    untrained = estimator.evaluate(arrays(tf))
    estimator.train(arrays(tf, num_epochs=None), steps=7)
    found = [untrained, estimator.evaluate(arrays(tf)), estimator.evaluate(arrays(tf), steps=1)]
    return [{key: [type(value).__name__, rounded(value)] for key, value in sorted(each.items())} for each in found]


@case
def nodes(tf: Any) -> Any:
    found = []
    estimator = tf.estimator.Estimator(line(tf), "model")
    for run in (
        lambda hook: estimator.train(batch(tf), hooks=[hook], steps=1),
        lambda hook: estimator.train(arrays(tf, shuffle=True, num_epochs=None), hooks=[hook], steps=1),
        lambda hook: estimator.evaluate(batch(tf), hooks=[hook], steps=1),
        lambda hook: estimator.evaluate(arrays(tf), hooks=[hook]),
        lambda hook: next(estimator.predict(arrays(tf), hooks=[hook])),
    ):
        made = Nodes(tf)
        run(made.hook)
        found.append([node for node in made.nodes if not re.search(r"gradients|GradientDescent", node[0])])
    return found


@case
def scaffolds(tf: Any) -> Any:
    calls: list[str] = []

    def scaffold(tf: Any) -> Any:
        local = tf.Variable(3.0, collections=[tf.GraphKeys.LOCAL_VARIABLES], name="local")
        saver = tf.train.Saver([variable for variable in tf.global_variables() if variable.op.name != "b"], max_to_keep=1)
        init = tf.group(local.initializer, tf.local_variables_initializer())
        return tf.train.Scaffold(saver=saver, init_fn=lambda scaffold, session: calls.append("init_fn"), local_init_op=init)

    estimator = tf.estimator.Estimator(line(tf, scaffold=scaffold), config=tf.estimator.RunConfig("model", save_checkpoints_steps=2))
    trained = failure(lambda: estimator.train(batch(tf), steps=3))
    again = failure(lambda: estimator.train(batch(tf), steps=1))
    found = sorted(name for name in os.listdir("model") if name.endswith(".index"))
    return [
        trained,
        again,
        calls,
        found,
        estimator.get_variable_names(),
        failure(lambda: tf.estimator.EstimatorSpec("infer", predictions=tf.constant(1.0), scaffold=1)),
    ]


@case
def run_configs(tf: Any) -> Any:
    make = tf.estimator.RunConfig
    names = [
        "model_dir",
        "tf_random_seed",
        "save_summary_steps",
        "save_checkpoints_steps",
        "save_checkpoints_secs",
        "session_config",
        "keep_checkpoint_max",
        "keep_checkpoint_every_n_hours",
        "log_step_count_steps",
        "train_distribute",
        "device_fn",
        "protocol",
        "eval_distribute",
        "experimental_max_worker_delay_secs",
        "session_creation_timeout_secs",
        "checkpoint_save_graph_def",
        "evaluation_master",
        "global_id_in_cluster",
        "is_chief",
        "master",
        "num_ps_replicas",
        "num_worker_replicas",
        "service",
        "task_id",
        "task_type",
    ]
    some = make(pathlib.Path("m"), 3, 7, save_checkpoints_steps=4)
    made = [
        make(),
        some,
        some.replace(save_checkpoints_secs=9),
        some.replace(save_summary_steps=1, keep_checkpoint_max=0),
        make(save_checkpoints_secs=None),
        make(save_checkpoints_steps=None),
        make(save_checkpoints_steps=None, save_checkpoints_secs=None),
        make(save_checkpoints_steps=5, save_checkpoints_secs=None),
        make().replace(save_checkpoints_steps=5),
        make().replace(save_checkpoints_steps=None),
    ]
    errors = [
        lambda: make(save_checkpoints_steps=1, save_checkpoints_secs=1),
        lambda: make().replace(save_checkpoints_steps=1, save_checkpoints_secs=1),
        lambda: make().replace(other=1),
        lambda: make().replace(master="a"),
        lambda: make(save_summary_steps=-1),
        lambda: make(save_checkpoints_steps=-1),
        lambda: make(keep_checkpoint_max=-1),
        lambda: make(keep_checkpoint_every_n_hours=0),
        lambda: make(log_step_count_steps=0),
        lambda: make(session_config=1),
        lambda: make(tf_random_seed=1.5),
        lambda: make(""),
        lambda: make(device_fn=1),
        lambda: make(device_fn=lambda node: ""),
        lambda: make(protocol="http"),
        lambda: make(session_creation_timeout_secs=0),
        lambda: make(experimental_max_worker_delay_secs=1.5),
    ]
    used = tf.estimator.Estimator(line(tf), config=make("m")).config
    shown = [[getattr(config, name) for name in names] for config in made]
    return [shown, [failure(each) for each in errors], used.session_config.allow_soft_placement, used.model_dir, used.save_checkpoints_secs]


@case
def device_functions(tf: Any) -> Any:
    places = []

    def place(op: Any) -> str:
        return "/cpu:0" if op.type.startswith("Variable") else ""

    class Hook(tf.train.SessionRunHook):  # type: ignore[misc]
        def begin(self) -> None:
            places.extend([op.name, op.device] for op in tf.get_default_graph().get_operations() if op.name in ("w", "b", "y", "MatMul", "Const"))

    estimator = tf.estimator.Estimator(line(tf), config=tf.estimator.RunConfig("model", device_fn=place))
    estimator.train(batch(tf), steps=1, hooks=[Hook()])
    return places


@case
def training_and_evaluating(tf: Any) -> Any:
    receiver = tf.estimator.export.build_raw_serving_input_receiver_fn
    with tf.Graph().as_default():
        raw = receiver({"x": tf.placeholder(tf.float32, [None, 2], name="x")})
    exporters = [tf.estimator.FinalExporter("final", raw), tf.estimator.LatestExporter("latest", raw, exports_to_keep=1)]
    estimator = tf.estimator.Estimator(line(tf), config=tf.estimator.RunConfig("model", save_checkpoints_steps=2))
    train = tf.estimator.TrainSpec(batch(tf), max_steps=5)
    with logged(tf) as lines:
        found, exports = tf.estimator.train_and_evaluate(
            estimator, train, tf.estimator.EvalSpec(batch(tf), steps=1, exporters=exporters, throttle_secs=0)
        )
    again = tf.estimator.train_and_evaluate(estimator, train, tf.estimator.EvalSpec(batch(tf), steps=1))
    throttled = tf.estimator.Estimator(line(tf), config=tf.estimator.RunConfig("slow", save_checkpoints_steps=2))
    with logged(tf) as slow_lines:
        tf.estimator.train_and_evaluate(throttled, train, tf.estimator.EvalSpec(batch(tf), steps=1, name="n"))
    folders = {name: len(os.listdir(f"model/export/{name}")) for name in sorted(os.listdir("model/export"))}
    interesting = [text for text in slow_lines if re.search("Skip|Saving dict|Start train", text)]
    return [
        {key: rounded(value) for key, value in sorted(found.items())},
        [export if export is None else export.split(b"/")[2].decode() for export in exports],
        folders,
        list(again),
        [text for text in lines if "Directory" not in text],
        interesting,
    ]


@case
def specs_refused(tf: Any) -> Any:
    train, evaluate, exporter = tf.estimator.TrainSpec, tf.estimator.EvalSpec, tf.estimator.LatestExporter
    estimator = tf.estimator.Estimator(line(tf), "model")
    best = tf.estimator.BestExporter
    calls = [
        lambda: train(1),
        lambda: train(batch(tf), max_steps=0),
        lambda: train(batch(tf), hooks=[1]),
        lambda: train(batch(tf), saving_listeners=[1]),
        lambda: evaluate(1),
        lambda: evaluate(batch(tf), steps=0),
        lambda: evaluate(batch(tf), name=1),
        lambda: evaluate(batch(tf), hooks=[1]),
        lambda: evaluate(batch(tf), exporters=1),
        lambda: evaluate(batch(tf), exporters=[1]),
        lambda: evaluate(batch(tf), exporters=[exporter("a", None), exporter("a", None)]),
        lambda: evaluate(batch(tf), exporters=exporter("", None)),
        lambda: evaluate(batch(tf), exporters=exporter(3, None)),
        lambda: evaluate(batch(tf), start_delay_secs=-1),
        lambda: evaluate(batch(tf), throttle_secs=-1),
        lambda: exporter("a", None, exports_to_keep=0),
        lambda: best(exports_to_keep=0),
        lambda: best(compare_fn=None),
        lambda: best(compare_fn=lambda best_eval_result: True),
        lambda: best(compare_fn=lambda best_eval_result, current_eval_result, other: True),
        lambda: tf.estimator.train_and_evaluate(1, train(batch(tf)), evaluate(batch(tf))),
        lambda: tf.estimator.train_and_evaluate(estimator, 1, evaluate(batch(tf))),
        lambda: tf.estimator.train_and_evaluate(estimator, train(batch(tf)), 1),
    ]
    made = evaluate(batch(tf), exporters=exporter("a", None))
    return [[failure(call) for call in calls], list(train(len)[1:]), list(evaluate(len)[1:]), len(made.exporters), best().name, list(made._fields)]


@case
def best_exports(tf: Any) -> Any:
    with tf.Graph().as_default():
        raw = tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None, 2], name="x")})
    estimator = tf.estimator.Estimator(line(tf), "model").train(batch(tf), steps=1)
    path = estimator.latest_checkpoint()
    exporter = tf.estimator.BestExporter("best", raw)
    found = []
    for result in ({"loss": 3.0}, {"loss": 4.0}, {"loss": 2.0}):
        found.append(exporter.export(estimator, "out", path, result, False) is not None)
    estimator.evaluate(batch(tf), steps=1)
    tf.summary.FileWriterCache.clear()
    after = tf.estimator.BestExporter("best", raw)
    found.append(after.export(estimator, "out2", path, {"loss": 1e9}, False) is not None)
    found.append(after.export(estimator, "out2", path, {"loss": 1e8}, False) is not None)
    errors = [
        failure(lambda: exporter.export(estimator, "out", path, {}, False)),
        failure(lambda: exporter.export(estimator, "out", path, {"a": 1}, False)),
    ]
    final = tf.estimator.FinalExporter("final", raw)
    return [
        found,
        errors,
        len(os.listdir("out")),
        final.export(estimator, "o", path, {}, False),
        final.export(estimator, "o", path, {}, True) is not None,
    ]


@case
def warm_starts(tf: Any) -> Any:
    old = tf.estimator.Estimator(line(tf), "old").train(batch(tf), steps=3)
    with tf.Graph().as_default():
        raw = tf.estimator.export.build_raw_serving_input_receiver_fn({"x": tf.placeholder(tf.float32, [None, 2], name="x")})
    exported = os.fsdecode(old.export_saved_model("out", raw))
    settings = tf.estimator.WarmStartSettings

    def other(features: Any, labels: Any, mode: str) -> Any:
        with tf.variable_scope("new"):
            w = tf.get_variable("w", [2, 1], initializer=tf.zeros_initializer())
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer(), trainable=False)
        y = tf.matmul(features["x"], w) + b
        loss = tf.reduce_mean(tf.square(y - labels))
        step = tf.train.GradientDescentOptimizer(0.0).minimize(loss, global_step=tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=step, predictions={"y": y})

    found = []
    for number, (model_fn, given) in enumerate([
        (line(tf), "old"),
        (line(tf), exported),
        (line(tf), old.latest_checkpoint()),
        (line(tf), settings("old", vars_to_warm_start="b")),
        (line(tf), settings("old", vars_to_warm_start=["w"])),
        (other, settings("old", var_name_to_prev_var_name={"new/w": "w"})),
        (other, settings("old", ["new/w", "b"], None, {"new/w": "w"})),
        (other, settings("old", vars_to_warm_start=["b"])),
        (other, settings("old")),
        (other, settings("old", var_name_to_prev_var_name={"new/w": "w", "c": "w"})),
        (line(tf), settings("old", vars_to_warm_start=3)),
        (line(tf), settings("old", vars_to_warm_start=[3])),
        (line(tf), "nothing"),
    ]):  # fmt: skip
        estimator = tf.estimator.Estimator(model_fn, f"m{number}", warm_start_from=given)
        try:
            first = next(estimator.predict(batch(tf)))["y"]
            estimator.train(batch(tf), steps=1)
            names = estimator.get_variable_names()
            found.append([rounded(first), [[name, rounded(estimator.get_variable_value(name))] for name in names]])
        except Exception as error:
            found.append({"error": [kind.__name__ for kind in type(error).__mro__]})
    errors = [failure(lambda: settings("")), failure(lambda: tf.estimator.Estimator(line(tf), "m", warm_start_from=1))]
    made = settings("a")
    unsaved = tf.estimator.Estimator(line(tf), "unsaved", warm_start_from="old")
    return [found, errors, list(made), list(made._fields), failure(lambda: unsaved.export_saved_model("late", raw))]


@case
def array_inputs(tf: Any) -> Any:
    make = tf.estimator.inputs.numpy_input_fn
    x = np.arange(12, dtype=np.float32).reshape(6, 2)
    y = np.arange(6, dtype=np.int32)
    found = []
    for features, labels, options in (
        (x, None, {"batch_size": 4}),
        (x, y, {"batch_size": 4, "num_epochs": 2}),
        ({"b": x, "a": y}, None, {"batch_size": 4}),
        ({"b": x, "a": y}, y, {"batch_size": 4}),
        ({"b": x, "a": y}, {"d": y, "c": x}, {"batch_size": 4}),
        (x, y, {"batch_size": 4, "num_epochs": None}),
        (x, y, {"batch_size": 10, "num_epochs": 3}),
        (np.array(["a", "b", "c"]), None, {"batch_size": 2}),
    ):
        with tf.Graph().as_default() as graph:
            tensors = make(features, labels, shuffle=False, **options)()
            batches = []
            try:
                with tf.train.MonitoredSession() as session:
                    while not session.should_stop() and len(batches) < 4:
                        batches.append(session.run(tensors))
            finally:
                kept = [[node.name, node.op] for node in graph.as_graph_def().node]
            found.append([described(tensors), described(batches), [node for node in kept if not re.search("report|init|save|concat", node[0])]])
    with tf.Graph().as_default(), tf.train.MonitoredSession() as session:
        pass
    with tf.Graph().as_default():
        tensors = make(x, y, batch_size=6, shuffle=True)()
        with tf.train.MonitoredSession() as session:
            found.append(sorted(session.run(tensors)[1].tolist()))
    calls = [
        lambda: make(x),
        lambda: make(x, shuffle=1),
        lambda: make([1], shuffle=False)(),
        lambda: make({}, shuffle=False)(),
        lambda: make(x[:0], shuffle=False)(),
        lambda: make(x, {}, shuffle=False)(),
        lambda: make({"a": x}, {"a": y}, shuffle=False)(),
        lambda: make(x, y[:2], shuffle=False)(),
    ]
    return [found, [failure(call) for call in calls]]


def described(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: described(each) for key, each in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [described(each) for each in value]
    if hasattr(value, "op"):
        return [value.name, value.dtype.name, value.shape.as_list()]
    return [str(value.dtype).replace("<U1", "object"), [each if isinstance(each, (int, float)) else str(each) for each in value.reshape(-1).tolist()]]


@case
def convolutional_network(tf: Any) -> Any:
    """The tutorials' network, with seeds, so that dropout and first values are TensorFlow's own."""

    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        is_training = mode == tf.estimator.ModeKeys.TRAIN
        image = tf.reshape(features["x"], [-1, 6, 6, 1])
        hidden = tf.layers.max_pooling2d(tf.layers.conv2d(image, 4, [3, 3], padding="same", activation=tf.nn.relu), [2, 2], 2)
        dense = tf.layers.dense(tf.layers.flatten(hidden), 8, activation=tf.nn.relu)
        logits = tf.layers.dense(tf.layers.dropout(dense, 0.4, training=is_training), 3)
        predictions = {"classes": tf.argmax(logits, axis=1), "probabilities": tf.nn.softmax(logits, name="softmax_tensor")}
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions)
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        train_op = tf.train.AdamOptimizer(0.01).minimize(loss, tf.train.get_global_step())
        metrics = {"accuracy": tf.metrics.accuracy(labels, predictions["classes"])}
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)

    x = np.random.RandomState(0).rand(40, 36).astype(np.float32)
    y = x[:, :3].argmax(1).astype(np.int32)
    make = tf.estimator.inputs.numpy_input_fn
    estimator = tf.estimator.Estimator(model_fn, config=tf.estimator.RunConfig("model", tf_random_seed=7, save_checkpoints_steps=10))
    estimator.train(make({"x": x}, y, 10, None, shuffle=False), steps=15)
    estimator.train(make({"x": x}, y, 10, None, shuffle=False), steps=5)
    found = estimator.evaluate(make({"x": x}, y, shuffle=False))
    predicted = list(estimator.predict(make({"x": x[:4]}, shuffle=False)))
    return [
        {key: round(float(value), 3) for key, value in sorted(found.items())},
        [[int(each["classes"]), *(round(float(number), 3) for number in each["probabilities"])] for each in predicted],
        estimator.get_variable_names(),
        sorted(name for name in os.listdir("model") if name.endswith(".index")),
    ]


@case
def datasets(tf: Any) -> Any:
    def both() -> Any:
        pairs = ({"x": np.arange(10, dtype=np.float32).reshape(5, 2)}, np.ones([5, 1], np.float32))
        return tf.data.Dataset.from_tensor_slices(pairs).repeat(2).batch(3)

    def features() -> Any:
        return tf.data.Dataset.from_tensor_slices(np.arange(10, dtype=np.float32).reshape(5, 2)).batch(2)

    events: list[str] = []
    estimator = tf.estimator.Estimator(line(tf), "model")
    estimator.train(both, hooks=[recorder(tf, "given", events)])
    found = estimator.evaluate(both)
    trained = int(estimator.get_variable_value("global_step"))
    predicted = [rounded(each["y"]) for each in estimator.predict(features)]
    return [trained, len(events), {key: rounded(value) for key, value in sorted(found.items())}, predicted]


@case
def diverging(tf: Any) -> Any:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        loss = tf.log(w - 1.0)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=tf.assign_add(tf.train.get_global_step(), 1))

    estimator = tf.estimator.Estimator(model_fn, "model")
    with logged(tf) as lines:
        found = failure(lambda: estimator.train(batch(tf), steps=3))
    empty = tf.estimator.Estimator(line(tf), "empty")
    with logged(tf) as other:
        empty.train(arrays(tf), steps=30)
    return [found, lines, other[-2:], sorted(name for name in os.listdir("empty") if name.endswith(".index"))]


@case
def refused_calls(tf: Any) -> Any:
    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
        y = features["x"] * tf.get_variable("w", [1])
        if mode == tf.estimator.ModeKeys.PREDICT:
            return tf.estimator.EstimatorSpec(mode, predictions={"a": y, "b": tf.zeros([1, 2])})
        return tf.estimator.EstimatorSpec(mode, loss=tf.reduce_sum(y), eval_metric_ops={name: tf.metrics.mean(1.0) for name in params})

    estimator = tf.estimator.Estimator(line(tf), "model").train(batch(tf), steps=1)
    make = lambda *names: tf.estimator.Estimator(model_fn, "other", params=list(names))  # noqa: E731
    calls = [
        lambda: estimator.get_variable_value("none"),
        lambda: estimator.evaluate(batch(tf), steps=1, checkpoint_path="nothing"),
        lambda: next(estimator.predict(batch(tf), checkpoint_path="nothing")),
        lambda: next(make().predict(batch(tf))),
        lambda: make("loss").evaluate(batch(tf), steps=1),
        lambda: make("global_step").evaluate(batch(tf), steps=1),
        lambda: estimator.train(3, steps=1),
        lambda: estimator.train(lambda other: 3, steps=1),
        lambda: estimator.export_saved_model("out", lambda: 3),
        lambda: estimator.export_saved_model("out", lambda: 3, experimental_mode="other"),
    ]
    return [failure(call) for call in calls]


@case
def overridden(tf: Any) -> Any:
    class Other(tf.estimator.Estimator):  # type: ignore[misc]
        def train(self) -> None:
            pass

    class Fine(tf.estimator.Estimator):  # type: ignore[misc]
        def more(self) -> int:
            return 3

        def latest_checkpoint(self) -> None:
            return None

    made = Fine(line(tf), "model")
    return [
        failure(lambda: Other(line(tf), "m")),
        made.more(),
        made.eval_dir(),
        made.eval_dir("x"),
        list(made.params),
        failure(lambda: made.model_fn(1)),
    ]
