"""Small programs with summaries, event files, hooks and monitored sessions against TensorFlow 1's face, each giving something that JSON can hold.

`write_monitoring.py` runs them with real TensorFlow and keeps the answers in `monitoring.json`; tests/train/test_monitoring.py has gpersist's.
A case is a function that gets the module `tf`. The graph is new for each, the current folder empty.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np

NEWER_ATTRS = {"_has_manual_control_dependencies", "debug_name", "allowed_devices", "validate_shape", "bad_indices_policy", "experimental_debug_info"}

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def attempt(do: Any) -> Any:
    """What a call gives, or the class of its error; of Python's own errors the text, too."""
    try:
        return do()
    except Exception as error:
        own = type(error).__module__ == "builtins" and "NoneType" not in str(error)
        return {
            "error": [found.__name__ for found in type(error).__mro__],
            "message": re.sub(r"<\S+ object at 0x[0-9a-f]+>", "<object>", str(error)) if own else None,
        }


def logged(tf: Any, do: Any) -> list[str]:
    """What is logged while a function runs, times left out."""
    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(f"{record.levelname} {record.getMessage()}")  # type: ignore[method-assign]
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        do()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return [re.sub(r"\(\d+\.\d+ sec\)|/sec: .*", "TIME", text) for text in found if "deprecated" not in text and "It seems that" not in text]


def nodes(tf: Any) -> list[Any]:
    found = []
    for node in tf.get_default_graph().as_graph_def().node:
        attrs = {key: " ".join(str(value).split()) for key, value in node.attr.items() if key not in NEWER_ATTRS}
        found.append([node.name, node.op, list(node.input), node.device, attrs])
    return found


def collections(tf: Any) -> dict[str, list[str]]:
    graph = tf.get_default_graph()
    return {key: [str(getattr(item, "name", type(item).__name__)) for item in graph.get_collection(key)] for key in graph.get_all_collection_keys()}


def events(tf: Any, folder: str) -> list[Any]:
    """What the event files of a folder hold, without times, and without graphs' bytes."""
    found = []
    tf.summary.FileWriterCache.clear()
    for path in sorted(str(path) for path in Path(folder).glob("events*")):
        for event in tf.train.summary_iterator(path):
            what = event.WhichOneof("what")
            shown = " ".join(str(getattr(event, what)).split()) if what in ("summary", "session_log", "file_version") else ""
            found.append([event.step, what, "" if "/sec" in shown else shown])
    return found


def text_of(serialized: Any) -> str:
    return base64.b64encode(serialized).decode()


def summary_bytes(tf: Any, *made: Any, feed: Any = None) -> Any:
    with tf.Session() as session:
        return [attempt(lambda one=one: text_of(session.run(one, feed))) for one in made]


# ---- summaries


@case
def scalar_summaries(tf: Any) -> Any:
    scalar, raw = tf.summary.scalar, tf.raw_ops.ScalarSummary
    made = [scalar("a b", tf.constant(1.5)), scalar("x", tf.constant(3, tf.int64), family="fam"), raw(tags=["a", "b"], values=[1.0, 2.0])]
    made += [raw(tags=[["a", "b"]], values=[[1.0, 2.0]]), raw(tags="a", values=float("nan")), raw(tags="a", values=tf.constant(1e300, tf.float64))]
    made += [raw(tags="a", values=tf.constant(2**40 + 1, tf.int64)), raw(tags="", values=0.0), raw(tags="h", values=tf.constant(0.1, tf.float16))]
    made += [raw(tags=np.array([], object), values=np.array([], np.float32)), raw(tags=["a", "b"], values=[1.0]), raw(tags=["a"], values=1.0)]
    return summary_bytes(tf, *made)


@case
def histogram_summaries(tf: Any) -> Any:
    raw = tf.raw_ops.HistogramSummary
    generator = np.random.RandomState(4)
    values: list[Any] = [[1.0, 2.0, 2.5, -3.0], [0.0], [], [1e-20, 1e20, -1e300], [1e-12, -1e-12, 1.1e-12], generator.randn(1000), [1.7e308] * 3]
    made = [raw(tag="h", values=tf.constant(value, tf.float64)) for value in values]
    made += [raw(tag="h", values=tf.constant(generator.randn(7, 3), dtype)) for dtype in (tf.float32, tf.float16, tf.bfloat16)]
    made += [raw(tag="h", values=tf.constant([[1, 200], [3, 4]], dtype)) for dtype in (tf.uint8, tf.int64, tf.uint16)]
    made += [
        raw(tag="h", values=[1.0, float("nan")]),
        raw(tag="h", values=[float("inf")]),
        raw(tag=["h"], values=[1.0]),
        tf.summary.histogram("n", 3.0),
    ]
    return summary_bytes(tf, *made)


@case
def image_summaries(tf: Any) -> Any:
    raw = tf.raw_ops.ImageSummary
    generator = np.random.RandomState(5)
    images: list[Any] = [np.arange(24, dtype=np.uint8).reshape(1, 4, 2, 3), np.arange(80, dtype=np.uint8).reshape(5, 4, 4, 1)]
    images += [generator.randint(0, 256, (1, 17, 33, 4)).astype(np.uint8), np.zeros((1, 2, 2, 1), np.float32), np.zeros((0, 2, 2, 1), np.float32)]
    images += [generator.randn(2, 19, 7, 3).astype(np.float32), generator.rand(1, 40, 30, 3), np.full((1, 2, 2, 1), np.nan), np.zeros((1, 0, 2, 1))]
    images += [np.array([0.0, 1, np.nan, 2, np.inf, -1], np.float32).reshape(1, 2, 1, 3), np.array([0.0, 1, 2, 5], np.float16).reshape(1, 1, 4, 1)]
    images += [np.add.outer(np.arange(150), np.arange(90)).astype(np.uint8)[None, :, :, None], np.zeros((1, 2, 2, 2)), np.zeros((2, 2, 1))]
    made = [raw(tag="im", tensor=image) for image in images]
    made += [raw(tag="im", tensor=images[1], max_images=1), raw(tag=["im"], tensor=images[0]), tf.summary.image("my im", images[1], max_outputs=2)]
    made += [raw(tag="im", tensor=images[7], bad_color=tf.make_tensor_proto(color, dtype)) for color, dtype in (([9], tf.uint8), ([[1]], tf.uint8))]
    made += [raw(tag="im", tensor=images[9], bad_color=tf.make_tensor_proto([1, 2], tf.uint8))]
    return summary_bytes(tf, *made)


@case
def audio_summaries(tf: Any) -> Any:
    raw = tf.raw_ops.AudioSummaryV2
    sound = np.linspace(-1.2, 1.2, 10).reshape(1, 5, 2).astype(np.float32)
    made = [tf.summary.audio("au", sound, 16000), tf.summary.audio("au", np.zeros((2, 4), np.float32), 8000.0, family="f")]
    made += [raw(tag="a", tensor=np.zeros((5, 2, 1), np.float32), sample_rate=44100.7, max_outputs=1), raw(tag="a", tensor=sound, sample_rate=0.5)]
    made += [
        raw(tag="a", tensor=[[np.nan, np.inf]], sample_rate=1.0),
        raw(tag="a", tensor=sound, sample_rate=0.0),
        raw(tag="a", tensor=sound[0, 0], sample_rate=1.0),
    ]
    made += [
        raw(tag="a", tensor=sound, sample_rate=[1.0]),
        raw(tag="a", tensor=sound, sample_rate=[1.0, 2.0]),
        raw(tag=["a"], tensor=sound, sample_rate=1.0),
    ]
    return summary_bytes(tf, *made)


@case
def tensor_summaries(tf: Any) -> Any:
    made = [tf.summary.tensor_summary("t", tf.constant([1.0, 2.0]), display_name="shown"), tf.summary.text("tx", tf.constant([["a", "b"]]))]
    made += [
        tf.summary.tensor_summary("t", tf.constant(np.array([1, 0], dtype.as_numpy_dtype)))
        for dtype in (tf.bool, tf.uint8, tf.complex64, tf.float16, tf.int64)
    ]
    made += [tf.summary.tensor_summary("s", 1.5, summary_description="d"), tf.summary.tensor_summary("f", np.zeros((0, 2)), family="fam")]
    made += [tf.raw_ops.TensorSummary(tensor=[1, 2], description="{}", labels=["a"], display_name="n")]
    made += [tf.raw_ops.TensorSummaryV2(tag=["a"], tensor=1, serialized_summary_metadata="")]
    return [summary_bytes(tf, *made), attempt(lambda: tf.summary.text("x", tf.constant(1.0)) and None)]


@case
def merged_summaries(tf: Any) -> Any:
    raw = tf.raw_ops.MergeSummary
    one, two = tf.summary.scalar("m1", 1.0), tf.summary.scalar("m2", 2.0)
    made = [tf.summary.merge([one, two]), raw(inputs=[one, one]), raw(inputs=["garbage"]), raw(inputs=[np.array([b"", b""], object)])]
    return [summary_bytes(tf, *made), attempt(lambda: tf.summary.merge([])), tf.summary.merge_all("nothing")]


@case
def summary_nodes(tf: Any) -> Any:
    def build() -> None:
        for name in ("loss one", "loss one", "/lead", "a:b"):
            tf.summary.scalar(name, tf.constant(1.0))
        tf.summary.scalar("f", 1.0, family="fam")
        tf.summary.histogram(None, [1.0])
        with tf.name_scope("sc"):
            tf.summary.scalar("in", 1.0, collections=["mine"])
            tf.summary.image("im", np.zeros((1, 2, 2, 1), np.float32))
            tf.summary.audio("au", np.zeros((1, 2, 2), np.float32), 8000)
            tf.summary.histogram("h", [1])
        tf.summary.text("tx", tf.constant("a"))
        tf.summary.tensor_summary("ts", tf.constant(1.0), family="my fam")
        merged = tf.summary.merge_all()
        tf.summary.merge_all(scope="sc", name="only")
        tf.summary.merge([merged], collections=["c"], name="my merge")

    return [logged(tf, build), nodes(tf), collections(tf)]


@case
def summaries_that_cannot_be(tf: Any) -> Any:
    return [
        attempt(lambda: tf.summary.scalar(None, 1.0)),
        attempt(lambda: tf.summary.scalar("s", "text")),
        attempt(lambda: tf.summary.image("s", np.zeros((1, 2, 2, 1), np.float32), max_outputs=0)),
        attempt(lambda: tf.summary.scalar("", 1.0).name),
        attempt(lambda: tf.summary.get_summary_description(tf.NodeDef(op="NoOp"))),
        attempt(
            lambda: str(
                tf.summary.get_summary_description(tf.NodeDef(op="TensorSummary", attr={"description": tf.AttrValue(s=b'{"typeHint": "x"}')}))
            )
        ),
    ]


# ---- files


@case
def record_files(tf: Any) -> Any:
    module = tf.python_io
    writer = module.TFRecordWriter("a")
    writer.write(b"abc")
    writer.write(b"")
    writer.flush()
    sizes = [os.path.getsize("a")]
    writer.close()
    writer.close()
    with open("a", "rb") as file:
        data = file.read()
    changed = {
        "short": data[:-2],
        "head": data[:5],
        "content": data[:13] + b"z" + data[14:],
        "size": b"\4" + data[1:],
        "crc": data[:9] + b"\0" + data[10:],
    }
    changed |= {"second": data[:19] + data[:7], "empty": b""}

    def read(path: str, options: Any = None) -> Any:
        found: list[Any] = []

        def all_of() -> None:
            for record in module.tf_record_iterator(path, options):
                found.append(len(record))

        return [attempt(all_of), found]

    for name, content in changed.items():
        with open(name, "wb") as file:
            file.write(content)
    answers: list[Any] = [sizes, text_of(data), {name: read(name) for name in changed}, attempt(lambda: writer.write(b"x")), attempt(writer.flush)]
    for number, kind in enumerate([None, "", "GZIP", "ZLIB", 1, 2, module.TFRecordOptions("ZLIB", compression_level=1)]):
        with module.TFRecordWriter(f"c{number}", kind) as writer:
            writer.write(b"hello" * 100)
            writer.write(b"x")
        with open(f"c{number}", "rb") as file:
            raw = file.read()
        answers.append([text_of(raw[:9] + raw[10:] if raw[:2] == b"\x1f\x8b" else raw), read(f"c{number}", kind)])  # gzip names an operating system
    answers += [read("c2", ""), read("a", "GZIP"), read("nowhere"), attempt(lambda: module.TFRecordWriter("no/where"))]
    answers += [attempt(lambda: module.TFRecordWriter("b", "BZ")), attempt(lambda: module.TFRecordOptions(7))]
    options = module.TFRecordOptions
    answers += [options.get_compression_type_string(kind) for kind in (None, "ZLIB", 2, 0, options(1))]
    return answers


@case
def event_files(tf: Any) -> Any:
    constant = tf.constant(1.0, name="a")
    summary = tf.summary.scalar("s", constant)
    graph = tf.get_default_graph()
    with tf.Session() as session:
        value, text = session.run([summary, tf.summary.text("tx", tf.constant("a"))])
    writer = tf.summary.FileWriter("logs", graph, filename_suffix=".sfx")
    errors = []

    def write() -> None:
        writer.add_summary(value, 7)
        writer.add_summary(value)
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="q", simple_value=2)]), np.int64(3))
        writer.add_summary(text, 1)
        writer.add_summary(text, 2)
        writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), 1)
        writer.add_graph(graph.as_graph_def())
        writer.add_graph(None, graph_def=graph.as_graph_def())
        writer.add_meta_graph(tf.train.export_meta_graph())
        writer.add_run_metadata(tf.RunMetadata(), "tag", 2)
        writer.add_event(tf.Event(wall_time=5, step=9))
        errors.extend(
            [
                attempt(lambda: writer.add_graph(None)),
                attempt(lambda: writer.add_graph(graph, graph_def=graph)),
                attempt(lambda: writer.add_meta_graph(3)),
                attempt(lambda: writer.add_run_metadata(tf.RunMetadata(), "tag")),
                attempt(lambda: writer.add_summary("text")),
            ]
        )

    logs = logged(tf, write)
    writer.flush()
    writer.close()
    writer.close()
    names = [re.sub(r"\d{10}\..*\.sfx", "N.sfx", name) for name in os.listdir("logs")]
    cached = tf.summary.FileWriterCache.get("logs2")
    same = tf.summary.FileWriterCache.get("logs2") is cached
    tf.summary.FileWriterCache.clear()
    with open("file", "w"):
        pass
    return [logs, errors, names, events(tf, "logs"), same, events(tf, "logs2"), writer.get_logdir(), attempt(lambda: tf.summary.FileWriter("file"))]


# ---- hooks


@case
def timers(tf: Any) -> Any:
    timer = tf.train.SecondOrStepTimer(every_steps=3)
    found: list[Any] = [timer.last_triggered_step(), timer.should_trigger_for_step(5), list(timer.update_last_triggered_step(5))]
    found += [[timer.should_trigger_for_step(step) for step in (5, 6, 7, 8, 9)], timer.update_last_triggered_step(9)[1], timer.last_triggered_step()]
    timer.reset()
    found += [timer.should_trigger_for_step(9), timer.last_triggered_step()]
    now = tf.train.SecondOrStepTimer(every_secs=0.0)
    now.update_last_triggered_step(1)
    found += [now.should_trigger_for_step(1), now.should_trigger_for_step(2)]
    return [*found, attempt(lambda: tf.train.SecondOrStepTimer()), attempt(lambda: tf.train.SecondOrStepTimer(1, 2))]


@case
def hook_arguments(tf: Any) -> Any:
    train = tf.train
    made = [
        lambda: train.StopAtStepHook(),
        lambda: train.StopAtStepHook(1, 2),
        lambda: train.LoggingTensorHook(["a"]),
        lambda: train.LoggingTensorHook(["a"], every_n_iter=1, every_n_secs=1),
        lambda: train.LoggingTensorHook(["a"], every_n_iter=0),
        lambda: train.StepCounterHook(every_n_steps=1, every_n_secs=1),
        lambda: train.SummarySaverHook(save_steps=1),
        lambda: train.SummarySaverHook(summary_op=1, scaffold=1, save_steps=1),
        lambda: train.SummarySaverHook(summary_op=1),
        lambda: train.CheckpointSaverHook("d", save_steps=1, saver=1, scaffold=1),
        lambda: train.CheckpointSaverHook("d"),
        lambda: train.CheckpointSaverHook("d", 1, 2),
        lambda: train.StopAtStepHook(1).begin(),
        lambda: train.StepCounterHook().begin(),
        lambda: train.CheckpointSaverHook("d", save_steps=1).begin(),
        lambda: train.GlobalStepWaiterHook(1).begin(),
        lambda: train.SummarySaverHook(summary_op=1, save_steps=1).begin(),
        lambda: train.LoggingTensorHook(["nothing"], every_n_iter=1).begin(),
        lambda: train.SessionRunArgs(1) == train.SessionRunArgs(fetches=1, feed_dict=None, options=None),
        lambda: list(train.SessionRunArgs._fields) + list(train.SessionRunValues._fields),
        lambda: train.SessionManager(ready_for_local_init_op=1),
        lambda: train.Scaffold(copy_from_scaffold=1),
        lambda: str(train.NanLossDuringTrainingError()),
        lambda: issubclass(train.NanLossDuringTrainingError, RuntimeError),
    ]
    return [attempt(make) if not isinstance(attempt(make), (train.SessionRunHook,)) else "made" for make in made]


def linear_model(tf: Any) -> Any:
    """A global step, a variable, and an operation that changes both, the step last."""
    step = tf.train.get_or_create_global_step()
    v = tf.Variable(1.0, name="v")
    with tf.control_dependencies([v.assign_add(2.0)]):
        return v, tf.assign_add(step, 1, name="train")


@case
def order_of_calls(tf: Any) -> Any:
    calls: list[Any] = []

    class Recorder(tf.train.SessionRunHook):  # type: ignore[misc]
        def __init__(self, name: str, fetches: Any = None, feeds: Any = None) -> None:
            self.name, self.fetches, self.feeds = name, fetches, feeds

        def begin(self) -> None:
            calls.append([self.name, "begin", tf.get_default_graph().finalized])

        def after_create_session(self, session: Any, coord: Any) -> None:
            calls.append([self.name, "after_create_session", type(session).__name__, type(coord).__name__, tf.get_default_graph().finalized])

        def before_run(self, run_context: Any) -> Any:
            original = run_context.original_args
            calls.append([self.name, "before_run", original.feed_dict is None, run_context.stop_requested, type(run_context.session).__name__])
            return None if self.fetches is None else tf.train.SessionRunArgs(self.fetches(), self.feeds and self.feeds())

        def after_run(self, run_context: Any, run_values: Any) -> None:
            results = run_values.results
            calls.append([self.name, "after_run", None if results is None else np.asarray(results).tolist(), type(run_values.options).__name__])

        def end(self, session: Any) -> None:
            calls.append([self.name, "end", type(session).__name__])

    c = tf.constant(4.0)
    p = tf.placeholder_with_default(1.0, [])
    _, train = linear_model(tf)
    hooks = [Recorder("a"), Recorder("b", lambda: c), Recorder("c", lambda: [p, p], lambda: {p: 3.0})]
    found: list[Any] = []
    with tf.train.MonitoredSession(hooks=hooks) as session:
        found += [session.run(p).tolist(), int(session.run(train)), session.should_stop(), session.graph is tf.get_default_graph()]
        found.append(attempt(lambda: session.run(c, {p: 5.0})))
        found.append(session.run_step_fn(lambda step_context: float(step_context.session.run(c)) + float(step_context.run_with_hooks(c))))
        found.append(attempt(lambda: session.run_step_fn(lambda x: x)))
    found += [tf.get_default_graph().finalized, attempt(lambda: session.run(c)), session.should_stop(), session.graph]
    calls.append("error")
    try:
        with tf.train.MonitoredSession(hooks=[Recorder("d")]) as session:
            raise KeyError("mine")
    except KeyError as error:
        found.append(str(error))
    for kind in (StopIteration, lambda: tf.errors.OutOfRangeError(None, None, "end")):
        with tf.train.MonitoredSession(hooks=[Recorder("e")]) as session:
            raise kind()
    with tf.train.SingularMonitoredSession() as session:
        found += [float(session.run(c)), type(session.raw_session()).__name__]
    found.append(attempt(session.close))
    return [found, calls]


@case
def conflicting_feeds(tf: Any) -> Any:
    p = tf.placeholder(tf.float32, [], name="p")
    hooks = [tf.train.FeedFnHook(lambda: {p: 1.0}), tf.train.FeedFnHook(lambda: {p: 2.0})]
    found = []
    for chosen in (hooks[:1], hooks):
        with tf.train.MonitoredSession(hooks=chosen) as session:
            found += [attempt(lambda: float(session.run(p))), attempt(lambda: float(session.run(p, {p: 3.0}))["x"])]
    return found


@case
def stop_at_step(tf: Any) -> Any:
    _, train = linear_model(tf)
    found: list[Any] = []
    for arguments in ({"num_steps": 3}, {"last_step": 2}, {"last_step": 0}):
        with tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(**arguments)]) as session:
            count = 0
            while not session.should_stop():
                session.run(train)
                count += 1
            found += [count, attempt(lambda: session.run(train))]
    return found


def tensors_logged(tf: Any, **arguments: Any) -> list[str]:
    v, train = linear_model(tf)
    two = tf.unstack(tf.constant([1, 2]), name="two")
    del two
    tensors = arguments.pop("tensors", None) or {"b": v.value(), "a": "v/read"}

    def run() -> None:
        hook = tf.train.LoggingTensorHook(tensors() if callable(tensors) else tensors, **arguments)
        with tf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(5):
                session.run(train)

    return logged(tf, run)


@case
def logging_every_2(tf: Any) -> Any:
    return tensors_logged(tf, every_n_iter=2, tensors=["global_step:0"])


@case
def logging_at_end(tf: Any) -> Any:
    return tensors_logged(tf, at_end=True)


@case
def logging_both(tf: Any) -> Any:
    return tensors_logged(tf, at_end=True, every_n_iter=4, tensors=["v/read", "global_step/read"])[-1:]


@case
def logging_formatted(tf: Any) -> Any:
    return tensors_logged(
        tf, every_n_secs=1000, tensors=["two:1"], formatter=lambda values: f"values {sorted(values.items())!r}".replace("np.int32(2)", "2")
    )


@case
def logging_ambiguous(tf: Any) -> Any:
    return [attempt(lambda: tensors_logged(tf, every_n_iter=1, tensors=["two"])), attempt(lambda: tensors_logged(tf, every_n_iter=1, tensors=[3.0]))]


@case
def logging_arrays(tf: Any) -> Any:
    c = tf.constant([1e-7, 1.0, 12345.678], name="c")
    del c
    return tensors_logged(tf, every_n_iter=10, tensors={"c": "c", "n": "c:0"})


@case
def nan_losses(tf: Any) -> Any:
    p = tf.placeholder(tf.float32, [])
    found: list[Any] = []

    def run(fails: bool) -> None:
        with tf.train.MonitoredSession(hooks=[tf.train.NanTensorHook(p, fails)]) as session:
            session.run(p, {p: 1.0})
            found.append(session.should_stop())
            session.run(p, {p: float("nan")})
            found.append(session.should_stop())

    return [logged(tf, lambda: found.append(attempt(lambda: run(True)))), logged(tf, lambda: run(False)), found]


@case
def standing_still(tf: Any) -> Any:
    linear_model(tf)
    c = tf.constant(1.0)
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    tf.get_logger().addHandler(handler)
    with tf.train.MonitoredSession(hooks=[tf.train.StepCounterHook(every_n_steps=2)]) as session:
        for _ in range(8):
            session.run(c)
    tf.get_logger().removeHandler(handler)
    return [text for text in found if "It seems" in text]


@case
def step_counter(tf: Any) -> Any:
    _, train = linear_model(tf)

    def run() -> None:
        with tf.train.MonitoredSession(hooks=[tf.train.StepCounterHook(every_n_steps=2, output_dir="out")]) as session:
            for _ in range(5):
                session.run(train)

    return [logged(tf, run), events(tf, "out")]


@case
def final_ops(tf: Any) -> Any:
    v, train = linear_model(tf)
    p = tf.placeholder(tf.float32, [])
    hook, nothing = tf.train.FinalOpsHook({"v": v, "p": p}, {p: 7.0}), tf.train.FinalOpsHook(None)
    before = hook.final_ops_values
    with tf.train.MonitoredSession(hooks=[hook, nothing]) as session:
        session.run(train)
    return [before, {key: float(value) for key, value in hook.final_ops_values.items()}, nothing.final_ops_values]


@case
def waiting_for_a_step(tf: Any) -> Any:
    _, train = linear_model(tf)

    def run() -> None:
        for hook in (tf.train.GlobalStepWaiterHook(0), tf.train.GlobalStepWaiterHook(-1)):
            with tf.train.MonitoredSession(hooks=[hook]) as session:
                session.run(train)

    return logged(tf, run)


@case
def summary_saver(tf: Any) -> Any:
    v, train = linear_model(tf)
    one = tf.summary.scalar("one", v)
    several = [tf.summary.scalar("two", 2.0), tf.summary.scalar("three", 3.0)]
    for name, op, steps in (("a", one, 2), ("b", several, 3)):
        with tf.train.MonitoredSession(hooks=[tf.train.SummarySaverHook(save_steps=steps, output_dir=name, summary_op=op)]) as session:
            for _ in range(6):
                session.run(train)
    return [[entry[1:] if name == "b" else entry[1:2] for entry in events(tf, name)] for name in "ab"]  # steps are read while they change


@case
def checkpoint_saver(tf: Any) -> Any:
    calls: list[Any] = []

    class Listener(tf.train.CheckpointSaverListener):  # type: ignore[misc]
        def begin(self) -> None:
            calls.append("begin")

        def before_save(self, session: Any, global_step_value: Any) -> None:
            calls.append(["before", int(global_step_value), type(session).__name__])

        def after_save(self, session: Any, global_step_value: Any) -> Any:
            calls.append(["after", int(global_step_value), tf.train.latest_checkpoint("ckpt")])
            return global_step_value >= 7

        def end(self, session: Any, global_step_value: Any) -> None:
            calls.append(["end", int(global_step_value)])

        def __str__(self) -> str:
            return "the listener"

    _, train = linear_model(tf)
    saver = tf.train.Saver(max_to_keep=2)
    steps = []

    def run() -> None:
        hook = tf.train.CheckpointSaverHook("ckpt", save_steps=3, saver=saver, checkpoint_basename="model", listeners=[Listener()])
        with tf.train.MonitoredSession(hooks=[hook]) as session:
            for _ in range(20):
                if session.should_stop():
                    break
                steps.append(int(session.run(train)))

    logs = logged(tf, run)
    with open("ckpt/checkpoint") as file:
        state = file.read()
    names = sorted(name for name in os.listdir("ckpt") if not name.startswith("events"))
    return [logs, calls, steps, names, state, events(tf, "ckpt")]


@case
def training_session(tf: Any) -> Any:
    """Trains, saves, and resumes twice, once after an error."""
    v, train = linear_model(tf)
    tf.summary.scalar("v", tf.constant(3.0))
    found: list[Any] = []

    def run(count: int, fails: bool = False) -> None:
        with tf.train.MonitoredTrainingSession(
            checkpoint_dir="dir",
            hooks=[tf.train.StopAtStepHook(num_steps=count)],
            save_checkpoint_steps=2,
            save_summaries_steps=2,
            log_step_count_steps=2,
        ) as session:
            found.append([int(session.run("global_step:0")), float(session.run(v))])
            while not session.should_stop():
                session.run(train)
                if fails and session.run("global_step:0") > 6:
                    raise KeyError("failure")

    logs = [logged(tf, lambda: run(5)), logged(tf, lambda: attempt(lambda: run(9, fails=True))), logged(tf, lambda: run(2))]
    logs = [[line for line in lines if "/sec" not in line and "TIME" not in line] for lines in logs]
    reader = tf.train.load_checkpoint("dir")
    names = sorted(re.sub("of-.*", "of-N", name) for name in os.listdir("dir") if not name.startswith("events"))  # a second save takes another number
    with open("dir/graph.pbtxt") as file:
        has_shapes = "_output_shapes" in file.read()
    return [found, logs, names, sorted(reader.get_variable_to_shape_map()), float(reader.get_tensor("v")), has_shapes]


@case
def training_session_without_files(tf: Any) -> Any:
    _, train = linear_model(tf)

    def run() -> None:
        with tf.train.MonitoredTrainingSession(hooks=[tf.train.StopAtStepHook(last_step=2)]) as session:
            while not session.should_stop():
                session.run(train)

    return [logged(tf, run), os.listdir(".")]


@case
def training_session_choices(tf: Any) -> Any:
    linear_model(tf)
    found = []
    choices: list[dict[str, Any]] = [
        {"save_checkpoint_secs": None},
        {"save_checkpoint_steps": 0, "save_checkpoint_secs": 0},
        {"summary_dir": "other"},
    ]
    choices += [{"save_summaries_steps": None, "save_summaries_secs": None}, {"log_step_count_steps": None}, {"save_graph_def": False}]
    choices += [{"save_checkpoint_secs": 10, "save_checkpoint_steps": 10}]
    for number, arguments in enumerate(choices):

        def run(folder: str = f"dir{number}", arguments: dict[str, Any] = arguments) -> None:
            with tf.train.MonitoredTrainingSession(checkpoint_dir=folder, **arguments) as session:
                session.run("train")

        failure = attempt(run)
        tf.summary.FileWriterCache.clear()
        folders = {name: sorted(re.sub("^events.*", "events", item) for item in os.listdir(name)) for name in sorted(os.listdir("."))}
        found.append([failure, folders])
    return found


# ---- scaffolds


def scaffold(tf: Any, **arguments: Any) -> Any:
    made = tf.train.Scaffold(**arguments)
    logs = logged(tf, made.finalize)
    names = ("init_op", "ready_op", "ready_for_local_init_op", "local_init_op", "summary_op", "init_feed_dict", "local_init_feed_dict")
    parts = {name: getattr(getattr(made, name), "name", None) for name in names}
    return [logs, parts, str(made.saver.saver_def), tf.get_default_graph().finalized, nodes(tf), collections(tf)]


@case
def scaffold_of_variables(tf: Any) -> Any:
    linear_model(tf)
    tf.Variable(2.0, collections=["local_variables"], name="w")
    tf.summary.scalar("s", 1.0)
    return scaffold(tf)


@case
def scaffold_of_resources(tf: Any) -> Any:
    tf.Variable(2.0, name="r", use_resource=True)
    return scaffold(tf)


@case
def scaffold_of_nothing(tf: Any) -> Any:
    made = tf.train.Scaffold().finalize()
    return [made.saver.saver_def is None, made.summary_op, nodes(tf), collections(tf)]


@case
def scaffold_of_own_parts(tf: Any) -> Any:
    tf.Variable(1.0, name="v")
    tf.add_to_collection(tf.GraphKeys.SUMMARY_OP, tf.constant(b"summary"))
    calls: list[Any] = []
    first = tf.train.Scaffold(
        init_op=tf.no_op(name="mine"), local_init_op=tf.no_op(name="local"), init_fn=lambda made, session: calls.append(type(made).__name__)
    )
    second = tf.train.Scaffold(copy_from_scaffold=first, init_feed_dict={}, ready_op=tf.constant([], tf.string))
    second.finalize()
    second.init_fn(None)
    return [second.init_op.name, second.local_init_op.name, second.summary_op.name, calls, nodes(tf), collections(tf)]


@case
def scaffold_of_too_much(tf: Any) -> Any:
    tf.add_to_collection("savers", 1)
    tf.add_to_collection("savers", 2)
    return [attempt(lambda: tf.train.Scaffold().finalize())]


# ---- session managers


@case
def session_managers(tf: Any) -> Any:
    v = tf.Variable(1.0, name="v")
    ready = tf.report_uninitialized_variables()
    init = tf.global_variables_initializer()
    saver = tf.train.Saver()
    manager = tf.train.SessionManager(ready_op=ready)
    found: list[Any] = [attempt(lambda: manager.prepare_session(""))]
    found.append(attempt(lambda: manager.prepare_session("", init_op=tf.get_default_graph().get_operation_by_name("v/read"))))
    with manager.prepare_session("", init_op=init) as session:
        found.append(float(session.run(v)))
        session.run(v.assign(5.0))
        os.mkdir("d")
        saver.save(session, "d/m", global_step=3)
    with manager.prepare_session("", init_op=init, saver=saver, checkpoint_dir="d") as session:
        found += [float(session.run(v)), saver.last_checkpoints]
    with manager.prepare_session("", saver=saver, checkpoint_filename_with_path="d/m-3") as session:
        found.append(float(session.run(v)))
    found.append(attempt(lambda: manager.prepare_session("", saver=saver, checkpoint_filename_with_path="d/m-3", checkpoint_dir="d")))

    def recover() -> None:
        found.append([manager.recover_session("", saver, "d")[1], manager.recover_session("", saver, "nowhere")[1]])

    found.append(logged(tf, recover))
    found.append(attempt(lambda: tf.train.SessionManager(ready_op=ready, recovery_wait_secs=0.01).wait_for_session("", max_wait_secs=0)))
    local = tf.train.SessionManager(ready_op=ready, local_init_op=tf.no_op(name="l"), ready_for_local_init_op=ready)
    found.append(attempt(lambda: local.prepare_session("", init_fn=lambda session: None) and None)["error"])
    found.append(logged(tf, lambda: local.prepare_session("", init_op=init)))
    return found


# ---- coordinators


@case
def coordinators(tf: Any) -> Any:
    coord = tf.train.Coordinator()
    found: list[Any] = [coord.should_stop(), coord.wait_for_stop(0.001), coord.joined]
    looped: list[int] = []

    def count() -> None:
        looped.append(1)
        if len(looped) == 3:
            coord.request_stop()

    tf.train.LooperThread.loop(coord, 0.001, target=count)
    coord.join()
    found += [len(looped), coord.should_stop(), coord.joined]
    coord.clear_stop()
    found += [coord.should_stop(), coord.joined]

    def fail() -> None:
        raise ValueError("mine")

    def run() -> None:
        tf.train.LooperThread.loop(coord, None, target=fail)
        found.append(attempt(coord.join))

    logs = logged(tf, run)
    found += [attempt(coord.raise_requested_exception), logs]
    clean = tf.train.Coordinator()
    with clean.stop_on_exception():
        raise tf.errors.OutOfRangeError(None, None, "end")
    clean.join()
    found += [clean.should_stop(), attempt(lambda: clean.request_stop(KeyError("late"))) is None]
    slow = tf.train.Coordinator()
    thread = tf.train.LooperThread(slow, 0.5)
    thread.name = "slow"
    may_end = threading.Event()
    thread.run_loop = lambda: may_end.wait(100)
    thread.start()
    slow.request_stop()
    found += [
        attempt(lambda: slow.join(stop_grace_period_secs=0.01)),
        attempt(lambda: tf.train.LooperThread(3, 1)),
        attempt(lambda: tf.train.LooperThread(slow, 1, args=[1])),
    ]
    may_end.set()
    thread.join()
    return found
