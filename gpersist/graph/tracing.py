"""Traces of runs: when each operation ran, where, and what it gave (`RunOptions.trace_level`, `RunMetadata.step_stats`).

A traced run does one operation after the other: on a CUDA device each is waited for, so that its time is its own. What the plan has settled before
the run, constants and what follows from them, is not in it; of a function that an operation calls there is the call alone.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

from gpersist import protos
from gpersist.devices import Device
from gpersist.dtypes import as_dtype
from gpersist.graph.operation import Operation
from gpersist.graph.placer import full_name
from gpersist.graph.plan import Loop, Part, Plan, Step


class Trace:
    """What one run does.

    Args:
        device_of: tells where an operation runs.
    """

    def __init__(self, device_of: Callable[[Operation], Device]) -> None:
        self._device_of = device_of
        self._found: dict[str, list[protos.NodeExecStats]] = {}

    def plan(self, plan: Plan) -> Plan:
        """The same plan, telling this trace what it does."""
        return dataclasses.replace(plan, parts=self._parts(plan.parts))

    def stats(self) -> protos.StepStats:
        """What was told."""
        return protos.StepStats(dev_stats=[protos.DeviceStepStats(device=device, node_stats=nodes) for device, nodes in self._found.items()])

    def _parts(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(
            part._replace(steps=self._loop(part.steps) if isinstance(part.steps, Loop) else tuple(map(self._step, part.steps))) for part in parts
        )

    def _loop(self, loop: Loop) -> Loop:
        return loop._replace(condition=self._parts(loop.condition), body=self._parts(loop.body), leaving=self._parts(loop.leaving))

    def _step(self, step: Step) -> Step:
        if step.controls is None:  # it only moves what the operation takes
            return step
        op, device = step.op, self._device_of(step.op)
        nodes = self._found.setdefault(full_name(device), [])
        label = f"{op.name} = {op.type}({', '.join(tensor.name.removesuffix(':0') for tensor in op._inputs)})"

        def kernel(*inputs: Any) -> Any:
            _wait_for(device)
            start_ns, ticks = time.time_ns(), time.perf_counter_ns()
            results = step.kernel(*inputs)
            _wait_for(device)
            taken_ns = time.perf_counter_ns() - ticks
            node = protos.NodeExecStats(node_name=op.name, timeline_label=label, thread_id=threading.get_native_id())
            node.all_start_micros, node.all_start_nanos = start_ns // 1000, start_ns
            node.op_end_rel_micros = node.all_end_rel_micros = -(-taken_ns // 1000)
            node.op_end_rel_nanos = node.all_end_rel_nanos = taken_ns
            node.scheduled_micros, node.scheduled_nanos = start_ns // 1000, start_ns
            for slot, value in enumerate([results] if isinstance(step.outputs, int) else results or ()):
                _describe(node, slot, value)
            nodes.append(node)
            return results

        return step._replace(kernel=kernel)


def _wait_for(device: Device) -> None:
    if not device.is_host:
        device.record_current().synchronize()


def _describe(node: protos.NodeExecStats, slot: int, value: Any) -> None:
    """Adds an output to what is told of a node: its type, shape and bytes, if it is an array."""
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return
    described = node.output.add(slot=slot).tensor_description
    described.dtype = as_dtype("string" if value.dtype == object else value.dtype).enum
    described.shape.SetInParent()
    for size in value.shape:
        described.shape.dim.add(size=size)
    if value.dtype != object:
        described.allocation_description.requested_bytes = value.nbytes
