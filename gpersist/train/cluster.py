"""ClusterSpec: the names and addresses of the tasks that a program's devices name (`tf.train.ClusterSpec`). Nothing is ever connected to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist import protos

__all__ = ["ClusterSpec"]


class ClusterSpec:
    """The tasks of a cluster.

    Args:
        cluster: for each job a list of addresses, or a dict of them by task; a ClusterDef; or another ClusterSpec.

    Raises:
        TypeError: it is something else.
    """

    __hash__ = None  # type: ignore[assignment]  # as TensorFlow's: it is compared by what it says

    def __init__(self, cluster: Any) -> None:
        self._jobs: dict[str, dict[int, str]]
        if isinstance(cluster, Mapping):
            self._jobs = {job: _tasks(job, tasks) for job, tasks in cluster.items()}
        elif isinstance(cluster, protos.ClusterDef):
            self._jobs = {job.name: dict(job.tasks) for job in cluster.job}
        elif isinstance(cluster, ClusterSpec):
            self._jobs = {job: dict(tasks) for job, tasks in cluster._jobs.items()}
        else:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a `ClusterDef` protocol buffer"
            )
        self.as_cluster_def()  # which holds names and addresses to their types

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self.as_cluster_def() == other.as_cluster_def()

    def __repr__(self) -> str:
        told = ", ".join(f"{job!r}: {tasks!r}" for job, tasks in sorted(self.as_dict().items()))
        return f"ClusterSpec({{{told}}})"

    def as_dict(self) -> dict[str, Any]:
        """For each job a list of addresses; where numbers of tasks are missing, a dict."""
        return {job: list(tasks.values()) if list(tasks) == list(range(len(tasks))) else dict(tasks) for job, tasks in self._sorted().items()}

    def as_cluster_def(self) -> protos.ClusterDef:
        """The message of it."""
        message = protos.ClusterDef()
        for name, tasks in sorted(self._sorted().items()):
            job = message.job.add(name=name)
            for index, address in tasks.items():
                job.tasks[index] = address
        return message

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has. Raises ValueError, if there is no such job."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of a job's tasks. Raises ValueError, if there is no such job."""
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of a task. Raises ValueError, if there is no such job or task."""
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses of a job's tasks by their numbers, None where one is missing. Raises ValueError, if there is no such job."""
        tasks = self._job(job_name)
        return [tasks.get(index) for index in range(max(tasks, default=-1) + 1)]

    def _job(self, name: str) -> dict[int, str]:
        if name not in self._jobs:
            raise ValueError(f"No such job in cluster: {name!r}")
        return self._jobs[name]

    def _sorted(self) -> dict[str, dict[int, str]]:
        return {job: dict(sorted(tasks.items())) for job, tasks in self._jobs.items()}


def _tasks(job: str, tasks: Any) -> dict[int, str]:
    if isinstance(tasks, (list, tuple)):
        found: dict[Any, Any] = dict(enumerate(tasks))
    elif isinstance(tasks, Mapping):
        found = {int(index): address for index, address in tasks.items()}
    else:
        raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")
    for address in found.values():
        if not isinstance(address, (str, bytes)):
            raise TypeError(f"Task address {address!r} must be bytes or unicode")
    return {index: address.decode() if isinstance(address, bytes) else address for index, address in found.items()}
