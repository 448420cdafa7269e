"""`replica_device_setter`: a device function that spreads variables over parameter servers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.devices import DeviceSpec
from gpersist.graph import Operation

__all__ = ["replica_device_setter"]

_VARIABLES = frozenset(
    [
        "Variable",
        "VariableV2",
        "AutoReloadVariable",
        "VarHandleOp",
        "MutableHashTable",
        "MutableHashTableV2",
        "MutableHashTableOfTensors",
        "MutableHashTableOfTensorsV2",
        "MutableDenseHashTable",
        "MutableDenseHashTableV2",
        "BoostedTreesEnsembleResourceHandleOp",
    ]
)


def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Sequence[str] | None = None,
    ps_strategy: Callable[[Operation], int] | None = None,
) -> Callable[[Operation], str] | None:
    """A function for `tf.device` that puts variables on parameter servers and all else on the worker (`tf.train.replica_device_setter`).

    Args:
        ps_tasks: number of parameter servers; with none there is no function.
        ps_device: where variables go; the task is added.
        worker_device: where all else goes.
        merge_devices: whether a device that an operation has already is merged with this one; else it is left as it is.
        cluster: a dict of jobs, or something whose `as_dict()` is one; the number of tasks is then that of the job of `ps_device`.
        ps_ops: types of operations that go to parameter servers; by default those of variables and tables.
        ps_strategy: gives the task of an operation; by default each in turn.

    Raises:
        TypeError: `ps_strategy` is no function, or `cluster` no cluster.
    """
    servers = DeviceSpec.from_string(ps_device)
    if cluster is not None:
        jobs = cluster.as_dict() if hasattr(cluster, "as_dict") else cluster
        if not isinstance(jobs, Mapping):
            raise TypeError(f"`cluster` must be a dictionary or a cluster specification, found {cluster!r}")
        ps_tasks = len(jobs.get(servers.job or "", ()))
    if not ps_tasks:
        return None
    if ps_strategy is not None and not callable(ps_strategy):
        raise TypeError("ps_strategy must be callable")
    counter = itertools.cycle(range(ps_tasks))
    types = _VARIABLES if ps_ops is None else frozenset(ps_ops)
    worker = DeviceSpec.from_string(worker_device)

    def choose(op: Operation) -> str:
        if op.device and not merge_devices:
            return op.device
        own = DeviceSpec.from_string(op.device)
        outer = worker
        if op.type in types and ps_device:
            outer = servers
            if servers.job and own.job in (None, "", servers.job):
                outer = servers.replace(task=next(counter) if ps_strategy is None else ps_strategy(op))
        return outer.make_merged_spec(own).to_string()

    return choose
