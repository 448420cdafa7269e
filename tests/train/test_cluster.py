"""ClusterSpec says what TensorFlow 2.21's says of the same clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gpersist.compat.v1 as tf

_SPEC = tf.train.ClusterSpec({"worker": ["a:1", "b:2"], "ps": ["c:3"]})
_SPARSE = tf.train.ClusterSpec({"worker": {3: "b:1", 1: "a:1"}})


def test_what_it_says() -> None:
    assert repr(_SPEC) == "ClusterSpec({'ps': ['c:3'], 'worker': ['a:1', 'b:2']})"
    assert (_SPEC.jobs, _SPEC.num_tasks("worker"), _SPEC.task_indices("worker")) == (["worker", "ps"], 2, [0, 1])
    assert (_SPEC.task_address("worker", 1), _SPEC.job_tasks("worker")) == ("b:2", ["a:1", "b:2"])
    assert _SPEC.as_dict() == {"worker": ["a:1", "b:2"], "ps": ["c:3"]}
    assert repr(_SPARSE) == "ClusterSpec({'worker': {1: 'a:1', 3: 'b:1'}})"
    assert _SPARSE.job_tasks("worker") == [None, "a:1", None, "b:1"]
    assert not tf.train.ClusterSpec({})


def test_its_message() -> None:
    message = _SPEC.as_cluster_def()
    assert [(job.name, dict(job.tasks)) for job in message.job] == [("ps", {0: "c:3"}), ("worker", {0: "a:1", 1: "b:2"})]
    assert tf.train.ClusterSpec(message) == tf.train.ClusterSpec(_SPEC) == _SPEC != _SPARSE
    assert _SPEC.as_dict() != _SPEC


@pytest.mark.parametrize(
    ("error", "match", "act"),
    [
        (ValueError, "No such job in cluster: 'x'", lambda: _SPEC.num_tasks("x")),
        (ValueError, "No task with index 5 in job 'worker'", lambda: _SPEC.task_address("worker", 5)),
        (TypeError, "`cluster` must be a dictionary", lambda: tf.train.ClusterSpec(5)),
        (TypeError, "The tasks for job 'w' must be a list or a dictionary", lambda: tf.train.ClusterSpec({"w": "abc"})),
        (TypeError, "Task address 5 must be bytes or unicode", lambda: tf.train.ClusterSpec({"w": [5]})),
        (ValueError, "invalid literal for int", lambda: tf.train.ClusterSpec({"w": {"x": "a"}})),
        (TypeError, "'<' not supported", lambda: tf.train.ClusterSpec({"w": ["a"], 3: ["b"]})),
    ],
)
def test_what_it_refuses(error: type[Exception], match: str, act: Callable[[], Any]) -> None:
    with pytest.raises(error, match=match):
        act()
