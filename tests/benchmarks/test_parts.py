"""What the figures rest on: contents that are checked, ratios, verdicts, the kind of machine."""

import importlib.util

import numpy as np
import pytest

from benchmarks import goals, machine
from benchmarks.contenders import find
from benchmarks.rounds import Measured, Missing, Worker
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import workload


@pytest.mark.parametrize("name", ["one", "layers", "small", "scalars", "large"])
def test_a_workload_finds_out_values_that_are_not_its_own(name):
    chosen = workload(name, quick=True)
    arrays = chosen.make()
    chosen.check(arrays)
    last = list(arrays)[-1]
    arrays[last].reshape(-1)[-1] += 1
    with pytest.raises(AssertionError, match=last):
        chosen.check(arrays)


def test_the_sizes_are_those_of_the_goals():
    assert workload("one").total_bytes == 1 << 30
    assert (len(workload("layers").shapes), round(workload("layers").total_bytes / 1e6)) == (150, 498)
    sizes = [4 * shape[0] for shape in workload("small").shapes.values()]
    assert len(sizes) == 5000 and min(sizes) >= 1 << 10 and max(sizes) <= 64 << 10
    assert list(workload("scalars").shapes.values()) == [()] * 20_000


def test_a_stopwatch_sees_memory_that_is_gone_again_and_not_what_was_asked_for():
    stopwatch = Stopwatch()
    stopwatch.new_bytes = 64 << 20
    with stopwatch:
        np.ones(96 << 20, np.uint8)
    assert 24 << 20 < stopwatch.peak_bytes < 40 << 20
    assert stopwatch.wall_s > 0


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    slow, fast = (Measured([{"wall_s": time} for time in times]) for times in ([2.0, 30.0, 3.0], [1.0, 10.0, 2.0]))
    assert slow.ratio(fast) == 2.0
    assert slow.median() == 3.0 and slow.best() == 2.0


def test_goals_are_met_missed_or_not_measured():
    measured = {"gpersist: save first": 1.0, "gpersist: save repeated": 0.6, "gpersist: load into": 0.5, "SaveV2: save": 1.0}
    taken = {name: Measured([{"wall_s": time}]) for name, time in measured.items()}
    verdicts = goals.judge("scalars", taken, {"gpersist: save first": 97 << 20, "gpersist: load into": 1 << 20, "SaveV2: save": 1 << 30})
    assert [(verdict.text, verdict.word) for verdict in verdicts] == [
        ("save first at most 1.5 × SaveV2: save", "met"),
        ("save repeated at most 0.5 × SaveV2: save", "missed"),
        ("load into at most 0.67 × SaveV2: load", "not measured"),
        ("save first: peak extra memory at most 96 MiB", "missed"),
        ("load into: peak extra memory at most 96 MiB", "met"),
    ]


def test_every_goal_is_about_an_action_that_there_is(tmp_path):
    actions = {
        f"{name}: {action}"
        for name in ("raw", "gpersist")
        for named in find(name)(workload("layers", quick=True), tmp_path).actions().values()
        for action in named
    } | {"SaveV2: save", "SaveV2: load"}
    assert {f"gpersist: {goal.action}" for goal in goals.GOALS} | {goal.against for goal in goals.GOALS} <= actions


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is not None, reason="TensorFlow is installed here")
def test_a_contender_whose_library_is_missing_says_which(tmp_path):
    with pytest.raises(Missing, match="tensorflow"):
        Worker("Saver", "layers", tmp_path, quick=True)


def test_a_worker_that_fails_is_told_with_what_it_said(tmp_path):
    with Worker("raw", "layers", tmp_path, quick=True) as worker, pytest.raises(RuntimeError, match="KeyError: 'no such phase'"):
        worker.ask("no such phase", "write")


def test_a_kind_of_machine_makes_a_file_name():
    assert machine.slug("Intel(R) Xeon(R) Processor @ 2.70GHz, 2 cores") == "intel-xeon-processor-2-70ghz-2-cores"
    assert machine.slug("NVIDIA H200") == "nvidia-h200"
