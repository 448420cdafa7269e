"""Graphs, sessions and the Saver beside TensorFlow's own: `python -m benchmarks.graph`, or `make graph-bench`.

Each task runs in a process of its own, gpersist's and TensorFlow's in turn, round by round; the tasks stand in graph_tasks.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.table import Table

from benchmarks import machine, report

ROOT = Path(__file__).parents[1]


class Goal(NamedTuple):
    """What is aimed at: the time of an action at most so many times that of another, or so many seconds."""

    task: str
    action: str
    limit: float
    of: str | None
    """`tensorflow` for its same action, another action of gpersist, or None for seconds."""


GOALS = [
    Goal("import", "import", 0.4, None),
    Goal("build", "both", 1.0, "tensorflow"),
    Goal("build 20,000", "both", 20.0, None),
    Goal("run", "100 operations", 3.0, "tensorflow"),
    Goal("save", "Saver.save", 1.1, "gpersist.save"),
    Goal("save", "held by blocking=False", 0.005, None),
    Goal("cnn", "training step", 2.0, "tensorflow"),
]
TASKS = ("import", "build", "run", "gradients", "save", "cnn", "build 20,000")
WITHOUT_TENSORFLOW = {"build 20,000"}
"""What takes TensorFlow minutes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks.graph", description="Graphs, sessions and the Saver beside TensorFlow's own.")
    parser.add_argument("--task", action="append", choices=TASKS, help="only this one; may be given again")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--output", type=Path, help="where to keep the results (default: benchmarks/results/graph-<machine>.json, if all is measured)"
    )
    arguments = parser.parse_args(argv)
    tensorflow = os.environ.get("GPERSIST_TF_PYTHON")
    results: dict[str, Any] = {**machine.describe(Path(tempfile.gettempdir())), "rounds": arguments.rounds, "tasks": {}}
    for task in arguments.task or TASKS:
        taken: dict[str, dict[str, list[float]]] = {"gpersist": {}, "tensorflow": {}}
        for _ in range(1 if task in WITHOUT_TENSORFLOW else arguments.rounds):
            for who, interpreter in (("gpersist", sys.executable), ("tensorflow", tensorflow)):
                if interpreter and not (who == "tensorflow" and task in WITHOUT_TENSORFLOW):
                    for action, seconds in _run(task, who, interpreter).items():
                        taken[who].setdefault(action, []).append(seconds)
        results["tasks"][task] = {who: {action: median(times) for action, times in actions.items()} for who, actions in taken.items()}
    results["goals"] = judged(results["tasks"])
    out = report.console()
    out.print(_table(results["tasks"]))
    for goal in results["goals"]:
        out.print(f"{goal['goal']}: {goal['found']:.3g} ({'met' if goal['found'] <= goal['limit'] else 'MISSED'})", highlight=False)
    if arguments.output or not arguments.task:
        kind = machine.slug(f"graph-{results['cpu']}-{results['cores']}-cores")
        report.write(arguments.output or report.RESULTS / f"{kind}.json", results)
    return 0


def judged(tasks: dict[str, Any]) -> list[dict[str, Any]]:
    """What was found of each goal, of those that were measured."""
    found = []
    for goal in GOALS:
        own = tasks.get(goal.task, {}).get("gpersist", {})
        other = tasks.get(goal.task, {}).get("tensorflow", {})
        base = 1.0 if goal.of is None else other.get(goal.action) if goal.of == "tensorflow" else own.get(goal.of)
        if goal.action not in own or base is None:
            continue
        against = "s" if goal.of is None else f"of {'TensorFlow' if goal.of == 'tensorflow' else goal.of}"
        what = goal.task if goal.action in ("both", "import") else f"{goal.task}: {goal.action}"
        found.append({"goal": f"{what}, {against}, at most {goal.limit:g}", "limit": goal.limit, "found": own[goal.action] / base})
    return found


def _run(task: str, who: str, interpreter: str) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": ""}
    command = [interpreter, str(ROOT / "benchmarks" / "graph_tasks.py"), task, who]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{task} of {who} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _table(tasks: dict[str, Any]) -> Table:
    table = Table(title="medians", title_justify="left")
    for heading in ("task", "action", "gpersist", "TensorFlow", "ratio"):
        table.add_column(heading, justify="left" if heading in ("task", "action") else "right", no_wrap=True)
    for task, by in tasks.items():
        for action, seconds in by["gpersist"].items():
            other = by["tensorflow"].get(action)
            table.add_row(task, action, _shown(seconds), "" if other is None else _shown(other), "" if other is None else f"{seconds / other:.2f}")
        table.add_section()
    return table


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


if __name__ == "__main__":
    sys.exit(main())
