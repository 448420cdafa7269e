"""Workers, and rounds of measurements in which they take turns.

The machine's speed drifts by more than contenders differ, so all of them are asked once a round, one after the other, and a ratio is the median of
the ratios within a round. The first round warms up and is not counted.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]

Sample = dict[str, float]


class Missing(Exception):
    """An interpreter has not what a contender needs."""


class Worker:
    """A contender's process. A context manager."""

    def __init__(self, contender: str, workload: str, folder: Path, *, quick: bool, interpreters: Iterable[str] = (sys.executable,)) -> None:
        """Starts it, in the first interpreter that has what it needs.

        Raises:
            Missing: none has.
            RuntimeError: it ended otherwise.
        """
        self.contender = contender
        reason = "no interpreter is named for it"
        for interpreter in interpreters:
            command = [interpreter, "-m", "benchmarks.worker", contender, workload, str(folder / contender), *(["--quick"] if quick else [])]
            self._errors = tempfile.TemporaryFile()
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environment, cwd=ROOT, text=True
            )
            hello = self._receive()
            if "missing" not in hello:
                self.version: str = hello["version"]
                self.actions: dict[str, list[str]] = hello["actions"]
                return
            reason = hello["missing"]
            self.close()
        raise Missing(reason)

    def ask(self, phase: str, action: str) -> Sample:
        """Has one action done and measured."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"phase": phase, "action": action}) + "\n")
        self._process.stdin.flush()
        return self._receive()

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace")[-4000:]
            raise RuntimeError(f"the worker of {self.contender} ended with status {self._process.returncode}:\n{said}")
        message: dict[str, Any] = json.loads(line)
        return message


@dataclasses.dataclass(frozen=True)
class Measured:
    """The samples of one action, a round each.

    Attributes:
        samples: in the order of rounds.
    """

    samples: list[Sample]

    def median(self, figure: str = "wall_s") -> float:
        return statistics.median(sample[figure] for sample in self.samples)

    def scaled(self, factor: float) -> Measured:
        """Times of a workload that is `factor` times as large."""
        return Measured([{**sample, "wall_s": sample["wall_s"] * factor} for sample in self.samples])

    def best(self) -> float:
        return min(sample["wall_s"] for sample in self.samples)

    def ratio(self, other: Measured) -> float:
        """Median over rounds of this action's time by the other's."""
        return statistics.median(mine["wall_s"] / theirs["wall_s"] for mine, theirs in zip(self.samples, other.samples, strict=True))


def measure(workers: Sequence[Worker], phase: str, rounds: int) -> dict[str, Measured]:
    """Measures a phase's actions of all workers, by `"contender: action"`."""
    todo = [(worker, action) for worker in workers for action in worker.actions.get(phase, [])]
    for worker, action in todo:
        worker.ask(phase, action)
    os.sync()  # what loads have stored is written now, and not while others are measured
    samples: dict[str, list[Sample]] = {f"{worker.contender}: {action}": [] for worker, action in todo}
    for _ in range(rounds):
        for worker, action in todo:
            samples[f"{worker.contender}: {action}"].append(worker.ask(phase, action))
    return {name: Measured(taken) for name, taken in samples.items()}
