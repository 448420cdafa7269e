"""Traces of runs as browsers show them: Chrome's trace event format (chrome://tracing, Perfetto), from `RunMetadata.step_stats`."""

from __future__ import annotations

import json
import re
from typing import Any

_LABEL = re.compile(r"(?P<name>.*) = (?P<op>.*)\((?P<inputs>.*)\)")


class Timeline:
    """What ran when (`tensorflow.python.client.timeline.Timeline`).

    Args:
        step_stats: a `StepStats`.
        graph: for TensorFlow's sake; all that is shown is in the first.
    """

    def __init__(self, step_stats: Any, graph: Any = None) -> None:
        del graph
        self._devices = list(step_stats.dev_stats)

    def generate_chrome_trace_format(self, show_dataflow: bool = True, show_memory: bool = False) -> str:
        """The trace, as JSON.

        Args:
            show_dataflow: whether arrows go from each operation to those that take its outputs.
            show_memory: whether there is a curve of the bytes that outputs hold until the last operation that takes them is done.
        """
        events: list[dict[str, Any]] = []
        made: dict[str, tuple[int, Any]] = {}
        needed_until: dict[str, int] = {}
        arrows = 0
        for pid, device in enumerate(self._devices, 1):
            events.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": f"{device.device} Compute"}})
            for node in device.node_stats:
                made[node.node_name] = pid, node
        for pid, device in enumerate(self._devices, 1):
            for node in device.node_stats:
                op, inputs = _parsed(node)
                arguments = {"name": node.node_name, "op": op} | {f"input{index}": name for index, name in enumerate(inputs)}
                common = {"pid": pid, "tid": 0, "ts": node.all_start_micros}
                events.append({"name": op, "cat": "Op", "ph": "X", "dur": max(node.all_end_rel_micros, 1), "args": arguments} | common)
                for name in inputs:
                    producer = made.get(name.lstrip("^").split(":")[0])
                    if producer is None:
                        continue
                    needed_until[producer[1].node_name] = max(needed_until.get(producer[1].node_name, 0), _end(node))
                    if show_dataflow:
                        arrow = {"name": producer[1].node_name, "cat": "DataFlow", "id": arrows}
                        events.append(arrow | {"ph": "s", "pid": producer[0], "tid": 0, "ts": _end(producer[1])})
                        events.append(arrow | {"ph": "t"} | common)
                        arrows += 1
        if show_memory:
            events += self._memory(needed_until)
        return json.dumps({"traceEvents": events}, indent=4, separators=(",", ": "))

    def _memory(self, needed_until: dict[str, int]) -> list[dict[str, Any]]:
        found = []
        for pid, device in enumerate(self._devices, 1):
            changes: list[tuple[int, int]] = []
            for node in device.node_stats:
                size_bytes = sum(output.tensor_description.allocation_description.requested_bytes for output in node.output)
                changes += [(_end(node), size_bytes), (needed_until.get(node.node_name, _end(node)), -size_bytes)]
            held_bytes = 0
            for micros, change in sorted(changes):
                held_bytes += change
                found.append({"name": "outputs", "cat": "Memory", "ph": "C", "pid": pid, "tid": 0, "ts": micros, "args": {"outputs": held_bytes}})
        return found


def _parsed(node: Any) -> tuple[str, list[str]]:
    """The operation's type, and the names of its inputs."""
    found = _LABEL.fullmatch(node.timeline_label)
    if found is None:
        return node.timeline_label or node.node_name, []
    return found["op"], [name for name in found["inputs"].split(", ") if name]


def _end(node: Any) -> int:
    end: int = node.all_start_micros + node.all_end_rel_micros
    return end
