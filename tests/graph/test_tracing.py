"""What `RunMetadata` tells of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gpersist.compat.v1 as tf


def traced(fetches: Any, feeds: Any = None, level: int = 3, config: Any = None) -> tuple[Any, dict[str, list[Any]]]:
    """What a run gives, and what was told of each node, by its name."""
    found = tf.RunMetadata()
    with tf.Session(config=config) as session:
        session.run(tf.global_variables_initializer())
        values = session.run(fetches, feeds, options=tf.RunOptions(trace_level=level), run_metadata=found)
    nodes: dict[str, list[Any]] = {}
    for device in found.step_stats.dev_stats:
        for node in device.node_stats:
            nodes.setdefault(node.node_name, []).append((device.device, node))
    return values, nodes


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default():
        yield


def test_tells_times_types_and_inputs() -> None:
    x = tf.placeholder(tf.float32, [2, 3], name="x")
    tf.split(x, [1, 2], 1, name="parts")
    v = tf.Variable([1.0, 2.0, 3.0], name="v")
    tf.multiply(x, v, name="y")
    _, nodes = traced(["y:0", "parts:1"], {x: [[1.0, 2.0, 3.0]] * 2})
    ((device, y),) = nodes["y"]
    assert device == "/job:localhost/replica:0/task:0/device:CPU:0"
    assert y.timeline_label == "y = Mul(x, v/read)"
    assert y.all_start_micros > 0 and y.all_start_nanos // 1000 == y.all_start_micros
    assert 0 < y.op_end_rel_nanos <= 1000 * y.op_end_rel_micros and y.all_end_rel_micros == y.op_end_rel_micros
    (output,) = y.output
    described = output.tensor_description
    assert (described.dtype, [dim.size for dim in described.shape.dim], described.allocation_description.requested_bytes) == (1, [2, 3], 24)
    ((_, parts),) = nodes["parts"]
    assert [(output.slot, [dim.size for dim in output.tensor_description.shape.dim]) for output in parts.output] == [(0, [2, 1]), (1, [2, 2])]


def test_tells_each_iteration_and_only_the_branch_that_is_taken() -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    loop = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.multiply(a, x, name="times")), [0, x])[1]
    branch = tf.cond(x > 1.0, lambda: tf.add(x, 3.0, name="more"), lambda: tf.subtract(x, 3.0, name="less"))
    values, nodes = traced([loop, branch], {x: 2.0})
    assert values == [16.0, 5.0]
    assert len(nodes["while/times"]) == 3
    assert "cond/more" in nodes and "cond/less" not in nodes


@pytest.mark.parametrize(("level", "count"), [(0, 0), (1, 1), (2, 1), (3, 1)])
def test_any_level_but_none_traces(level: int, count: int) -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    assert len(traced(tf.square(x, name="y"), {x: [1.0, 2.0]}, level)[1].get("y", [])) == count


def test_the_message_is_of_its_run_alone() -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    y, z = tf.square(x, name="y"), tf.exp(x, name="z")
    found, options = tf.RunMetadata(), tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session() as session:
        for fetch in (y, z):
            session.run(fetch, {x: [1.0, 2.0]}, options=options, run_metadata=found)
        assert [node.node_name for node in found.step_stats.dev_stats[0].node_stats] == ["z"]
        session.run(y, {x: [1.0, 2.0]}, run_metadata=found)
    assert not found.step_stats.dev_stats


def test_what_is_written_over_elsewhere_is_the_same_when_traced() -> None:
    x = tf.placeholder(tf.float32, [1000], name="x")
    y = tf.sqrt(tf.exp(x * 2.0) + 1.0)
    with tf.Session() as session:
        plain = session.run(y, {x: range(1000)})
    assert traced(y, {x: range(1000)})[0].tolist() == plain.tolist()


def test_profiler_hook(tmp_path: Any) -> None:
    step = tf.train.get_or_create_global_step()
    v = tf.Variable([1.0, 2.0], name="v", use_resource=True)
    with tf.control_dependencies([v.assign_add([1.0, 1.0])]):
        train = tf.assign_add(step, 1)
    hooks = [tf.train.ProfilerHook(save_steps=2, output_dir=str(tmp_path), show_memory=True), tf.train.StopAtStepHook(5)]
    with tf.train.MonitoredSession(hooks=hooks) as session:
        while not session.should_stop():
            session.run(train)
    tf.summary.FileWriterCache.clear()
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["timeline-2.json", "timeline-4.json"]
    events = json.loads((tmp_path / "timeline-4.json").read_text())["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X", "s", "t", "C"}
    assert "AssignAddVariableOp" in {event["name"] for event in events if event["ph"] == "X"}
    (path,) = tmp_path.glob("events*")
    tagged = [event.tagged_run_metadata for event in tf.train.summary_iterator(str(path)) if event.HasField("tagged_run_metadata")]
    assert [each.tag for each in tagged] == ["step_2", "step_4"]
    assert tf.RunMetadata.FromString(tagged[0].run_metadata).step_stats.dev_stats
