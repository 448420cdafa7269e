"""Programs with supervisors and synchronised replicas, as those of cases.py.

    python supervising.py     # with an interpreter that has TensorFlow 2.21: writes supervising.json

tests/train/test_supervising.py has gpersist's answers.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cases import attempt, collections, events, nodes  # type: ignore[import-not-found]  # noqa: E402

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def _model(tf: Any, use_resource: bool = False) -> Any:
    weights = tf.get_variable("w", [2], initializer=tf.ones_initializer(), use_resource=use_resource)
    step = tf.train.get_or_create_global_step()
    loss = tf.reduce_sum(weights * weights)
    tf.summary.scalar("loss", loss)
    return weights, tf.train.GradientDescentOptimizer(0.25).minimize(loss, global_step=step)


def _nodes(tf: Any) -> list[Any]:
    """The nodes; TensorFlow 2 puts FIFO queues on a CPU."""
    return [
        [name, op, inputs, device.replace("/device:CPU:*", "") if op == "FIFOQueueV2" else device, attrs]
        for name, op, inputs, device, attrs in nodes(tf)
    ]


def _files(folder: str = "log") -> list[str]:
    """Their names, without times and numbers of shards."""
    return sorted(name.split(".tfevents")[0].split("-of-")[0] for name in os.listdir(folder))


@case
def nodes_that_it_adds(tf: Any) -> Any:
    _model(tf)
    tf.get_variable("local", [], collections=[tf.GraphKeys.LOCAL_VARIABLES])
    tf.train.Supervisor()
    return [nodes(tf), collections(tf), tf.get_default_graph().finalized]


@case
def what_it_finds(tf: Any) -> Any:
    found = []
    for empty in (True, False):
        with tf.Graph().as_default() as graph:
            if not empty:
                _model(tf)
                tf.add_to_collection(tf.GraphKeys.INIT_OP, tf.no_op(name="mine"))
                tf.add_to_collection(tf.GraphKeys.INIT_OP, tf.no_op(name="other"))
                tf.add_to_collection(tf.GraphKeys.READY_FOR_LOCAL_INIT_OP, tf.constant([b"x"], name="for_local"))
            sv = tf.train.Supervisor(logdir="log" if not empty else None, checkpoint_basename="m", save_model_secs=7)
            names = [getattr(part, "name", part if part is None else type(part).__name__) for part in
                     (sv.ready_op, sv.ready_for_local_init_op, sv.init_op, sv.saver, sv.summary_op, sv.global_step)]  # fmt: skip
            found.append([names, sv.is_chief, sv.init_feed_dict, sv.save_summaries_secs, sv.save_model_secs, sv.save_path, sv.coord.should_stop()])
            found.append([type(sv.session_manager).__name__, type(sv.summary_writer).__name__, graph.finalized])
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        _model(tf)
        sv = tf.train.Supervisor(logdir="log", is_chief=False)
        found.append([sv.save_path, sv.summary_writer, sv.save_model_secs, sv.save_summaries_secs, sv.is_chief])
        found.append(attempt(lambda: sv.start_standard_services(None)))
        found.append(attempt(lambda: sv.summary_computed(None, b"")))
    with tf.Graph().as_default():
        tf.get_variable("v", [], use_resource=False)
        found.append(attempt(lambda: tf.train.Supervisor(is_chief=False))["error"][0])
    with tf.Graph().as_default():
        _model(tf)
        sv = tf.train.Supervisor(ready_op=None, init_op=None, local_init_op=None, summary_op=None, saver=None, global_step=None)
        found.append([sv.ready_op, sv.init_op, sv.summary_op, sv.saver, sv.global_step])
        found.append(attempt(sv.prepare_or_wait_for_session))
        found.append(attempt(lambda: sv.managed_session().__enter__()))
    for step in (tf.float32, tf.int32):
        with tf.Graph().as_default():
            tf.Variable(0, name="global_step", dtype=step)
            found.append(getattr(tf.train.Supervisor().global_step, "name", None))
    return found


@case
def trains_and_goes_on(tf: Any) -> Any:
    found = []
    for run in range(2):
        with tf.Graph().as_default():
            weights, train = _model(tf, use_resource=bool(run))
            sv = tf.train.Supervisor(logdir="log", save_model_secs=0 if run else 600, save_summaries_secs=600)
            with sv.managed_session() as sess:
                found.append([type(sess).__name__, sess.run(weights).tolist(), int(sess.run(sv.global_step))])
                while not os.path.exists("log/checkpoint"):
                    time.sleep(0.01)
                for _ in range(2):
                    sess.run(train)
                sv.saver.save(sess, sv.save_path, global_step=sv.global_step)
                found.append([sess.run(weights).tolist(), sv.should_stop()])
            found.append([sv.should_stop(), attempt(lambda sess=sess, weights=weights: sess.run(weights))["error"][0]])
            found.append([name for name in _files() if not name.startswith("events")])
            found.append([os.path.basename(tf.train.latest_checkpoint("log")), Path("log/checkpoint").read_text()])
        time.sleep(1.1)
    shown = events(tf, "log")
    for event in shown:
        if event[1] == "session_log" and event[2].startswith("status: CHECKPOINT"):
            event[0] = None  # training may have gone on when it is written
    found.append(sorted([event for event in shown if event[1] != "summary"], key=str))
    text = Path("log/graph.pbtxt").read_text()
    graph_def = tf.GraphDef()
    from google.protobuf import text_format

    text_format.Parse(text, graph_def)
    found.append([node.name for node in graph_def.node])
    found.append(["_output_shapes" in node.attr for node in graph_def.node])
    return found


@case
def errors_within(tf: Any) -> Any:
    _, train = _model(tf)
    sv = tf.train.Supervisor(stop_grace_secs=60)
    found = []
    for error in (ValueError("mine"), tf.errors.OutOfRangeError(None, None, "end"), tf.errors.AbortedError(None, None, "lost"), StopIteration(3)):

        def run(error: Any = error) -> Any:
            with sv.managed_session() as sess:
                sess.run(train)
                raise error

        found.append([attempt(run), sv.should_stop()])

    def in_a_thread() -> None:
        with sv.managed_session():
            sv.loop(None, lambda: {}["missing"])
            sv.wait_for_stop()

    found.append(attempt(in_a_thread))
    looped: list[Any] = []
    with sv.managed_session():
        thread = sv.loop(0.01, looped.append, (1,))
        while len(looped) < 3:
            time.sleep(0.01)
        found.append([type(thread).__name__, sv.should_stop()])
        sv.request_stop()
        found.append(sv.should_stop())

    def too_late() -> None:
        with sv.stop_on_exception():
            raise KeyError("late")

    found.append(attempt(too_late))
    return found


@case
def loop_of_steps(tf: Any) -> Any:
    _, train = _model(tf)
    sv = tf.train.Supervisor()
    calls: list[Any] = []

    def step(sess: Any, stop: int, also: Any = None) -> None:
        calls.append([stop, also, int(sess.run(sv.global_step))])
        sess.run(train)
        if len(calls) == 2:
            raise tf.errors.AbortedError(None, None, "lost")
        if len(calls) == stop:
            sv.request_stop()

    tf.train.basic_train_loop(sv, step, args=[4], kwargs={"also": 5})
    first = list(calls)

    def fails(sess: Any) -> None:
        raise ZeroDivisionError("by zero")

    return [first, attempt(lambda: tf.train.basic_train_loop(sv, fails))]


@case
def summaries_of_its_own(tf: Any) -> Any:
    _, train = _model(tf)
    merged = tf.summary.merge_all()
    sv = tf.train.Supervisor(logdir="log", summary_op=None, save_model_secs=0, save_summaries_secs=0)
    with sv.managed_session() as sess:
        threads = sv.start_standard_services(sess)
        for _ in range(3):
            sess.run(train)
            sv.summary_computed(sess, sess.run(merged))
        sv.summary_computed(sess, sess.run(merged), global_step=77)
    found = events(tf, "log")
    return [len(threads), found, _files(), attempt(lambda: tf.train.Supervisor(logdir="log"))]


@case
def queue_runners(tf: Any) -> Any:
    queue = tf.FIFOQueue(10, [tf.int32], shapes=[[]])
    count = tf.get_variable("count", [], tf.int32, initializer=tf.zeros_initializer())
    limited = tf.train.limit_epochs(tf.constant([3]), num_epochs=4)
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(limited[0])]))
    taken = queue.dequeue()
    add = count.assign_add(taken)
    sv = tf.train.Supervisor(logdir="log", save_model_secs=0)
    found = []
    with sv.managed_session() as sess:
        while not sv.should_stop():
            found.append(int(sess.run(add)))
    with sv.managed_session(start_standard_services=False) as sess:
        threads = sv.start_queue_runners(sess)
        found.append([type(thread).__name__ for thread in threads])
        found.append(int(sess.run(add)))
    return found


def _synchronized(tf: Any, sparse: bool = False, use_resource: bool = False, averages: bool = False, aggregate: int = 1, total: Any = None) -> Any:
    weights = tf.get_variable("w", [3, 2], initializer=tf.ones_initializer(), use_resource=use_resource)
    other = tf.get_variable("unused", [2])
    step = tf.train.get_or_create_global_step()
    loss = tf.reduce_sum(tf.gather(weights, [0, 2, 0]) if sparse else weights * weights)
    average = tf.train.ExponentialMovingAverage(0.5) if averages else None
    optimizer = tf.train.SyncReplicasOptimizer(
        tf.train.MomentumOptimizer(0.25, 0.5), aggregate, total, variable_averages=average, variables_to_average=[weights] if averages else None
    )
    pairs = optimizer.compute_gradients(loss, [weights, other])
    return weights, optimizer, optimizer.apply_gradients(pairs, global_step=step)


@case
def nodes_of_synchronized_replicas(tf: Any) -> Any:
    found = []
    for options in ({}, {"sparse": True}, {"use_resource": True}, {"averages": True, "aggregate": 3, "total": 2}):
        with tf.Graph().as_default():
            weights, optimizer, train = _synchronized(tf, **options)
            hook = optimizer.make_session_run_hook(True)
            hook.begin()
            made = [getattr(train, "name", str(train)), optimizer.chief_init_op.name, optimizer.ready_for_local_init_op.name,
                    getattr(optimizer.local_step_init_op, "name", None), optimizer.get_chief_queue_runner().name,
                    [var.name for var in optimizer.variables()], optimizer.get_slot_names(), optimizer.get_slot(weights, "momentum").name,
                    optimizer.get_name()]  # fmt: skip
            found.append([made, _nodes(tf), collections(tf)])
    return found


@case
def one_replica_trains(tf: Any) -> Any:
    found = []
    for options in ({}, {"sparse": True}, {"use_resource": True}, {"averages": True}):
        with tf.Graph().as_default():
            weights, optimizer, train = _synchronized(tf, **options)
            hook = optimizer.make_session_run_hook(True, num_tokens=0)
            with tf.train.MonitoredTrainingSession(hooks=[hook], stop_grace_period_secs=1) as sess:
                for _ in range(3):
                    found.append(int(sess.run(train)))
                found.append(sess.run(weights).tolist())
                found.append(int(sess.run(tf.train.get_global_step())))
    return found


@case
def two_replicas_train(tf: Any) -> Any:
    weights, optimizer, train = _synchronized(tf, aggregate=2)
    hook = optimizer.make_session_run_hook(True, num_tokens=0)
    with tf.train.MonitoredTrainingSession(hooks=[hook], stop_grace_period_secs=1) as sess:
        for _ in range(3):
            threads = [threading.Thread(target=sess.run, args=(train,)) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return [sess.run(weights).tolist(), int(sess.run(tf.train.get_global_step()))]


@case
def misuse_of_synchronized_replicas(tf: Any) -> Any:
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), 5, 3)
    value = tf.get_variable("v", [2], use_resource=False)
    found = [
        attempt(optimizer.get_chief_queue_runner),
        attempt(optimizer.get_init_tokens_op),
        attempt(lambda: optimizer.make_session_run_hook(True).begin()),
        attempt(lambda: optimizer.apply_gradients([])),
        attempt(lambda: optimizer.apply_gradients([(value, value)])),
        attempt(lambda: optimizer.apply_gradients([(3.0, value)], global_step=tf.train.get_or_create_global_step())),
    ]
    other = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), 5, 3)
    other.apply_gradients([(tf.ones([2]), value)], global_step=tf.train.get_or_create_global_step())
    found += [attempt(lambda: other.get_init_tokens_op(1)), other.get_init_tokens_op(2).name, other.get_init_tokens_op().name]
    return found


def main() -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    answers = {}
    for name, run in CASES.items():
        tf.reset_default_graph()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                answers[name] = json.loads(json.dumps(run(tf)))
            except Exception as error:
                print(f"case {name}: {error!r}")
            tf.summary.FileWriterCache.clear()
            os.chdir("/")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    (HERE / "supervising.json").write_text(f'{{"tensorflow": {json.dumps(tf.__version__)}, "answers": {{\n{lines}\n}}}}\n')
    print(len(answers), "of", len(CASES), "cases")


if __name__ == "__main__":
    main()
