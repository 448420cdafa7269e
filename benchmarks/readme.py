"""What the README and docs/benchmarks.md show of `benchmarks/results`, and nothing that is not there; `make docs` writes it."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.report import RESULTS

_HEADINGS = {
    "save first at most 1.2 × raw: write": "save ÷ write(2)",
    "load into at most 1.4 × raw: read": "load ÷ read(2)",
    "save_async at most 1.2 × raw: memcpy": "save_async ÷ memcpy",
    "save durable at most 0.9 × raw: write + fsync": "durable save ÷ write and fsync",
    "× SaveV2: save": "save ÷ TensorFlow's",
    "× SaveV2: load": "load ÷ TensorFlow's",
}
"""Columns of the short table, by how their goals end; goals that are not here have a column of their own."""


def figures() -> str:
    """A short table for each machine, in the order of their files' names: one line a workload."""
    return "\n\n".join(_table(results) for results in _all_results())


def goals() -> str:
    """A table for each machine of all goals and what was found."""
    return "\n\n".join(_goals(results) for results in _all_results())


def graphs() -> str:
    """A table for each machine of the goals of `benchmarks.graph`, those that are missed too."""
    return "\n\n".join(_graphs(results) for results in _all_results(of_graphs=True))


def _all_results(*, of_graphs: bool = False) -> list[dict[str, Any]]:
    paths = [path for path in sorted(RESULTS.glob("*.json")) if path.name.startswith("graph-") is of_graphs]
    return [json.loads(path.read_text()) for path in paths]


def _told(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [goal for goal in results["goals"] if "memory at most" not in goal["goal"] and goal["found"] is not None]


def _heading(goal: str) -> str:
    return next((heading for end, heading in _HEADINGS.items() if goal.endswith(end)), goal.partition(" at most ")[0])


def _machine(results: dict[str, Any]) -> str:
    machine = results.get("device") or f"{results['cpu']}, {results['cores']} cores"
    return f"{machine}, {results['date']}, medians of {results['rounds']} interleaved rounds"


def _table(results: dict[str, Any]) -> str:
    cells: dict[tuple[str, str], str] = {}
    for goal in _told(results):
        cells.setdefault((goal["workload"], _heading(goal["goal"])), f"{goal['found']:.2f}")  # the first of a kind: `save first`, not `save repeated`
    found = {heading for _, heading in cells}
    columns = [heading for heading in dict.fromkeys(_HEADINGS.values()) if heading in found]
    columns += [heading for heading in dict.fromkeys(heading for _, heading in cells) if heading not in columns]
    lines = [f"{_machine(results)}:", "", f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for name, workload in results["workloads"].items():
        lines.append(f"| {workload['title']} | {' | '.join(cells.get((name, heading), '') for heading in columns)} |")
    return "\n".join(lines)


def _goals(results: dict[str, Any]) -> str:
    titles = {name: workload["title"] for name, workload in results["workloads"].items()}
    lines = [f"{_machine(results)}:", "", "| | found | goal, at most |", "|---|---:|---|"]
    for goal in _told(results):
        what, _, limit = goal["goal"].rpartition(" at most ")
        lines.append(f"| {titles[goal['workload']]}: {what} | {goal['found']:.2f} | {limit} |")
    return "\n".join(lines)


def _graphs(results: dict[str, Any]) -> str:
    lines = [f"{_machine(results)}:", "", "| | found | goal, at most | |", "|---|---:|---:|---|"]
    for goal in results["goals"]:
        what, _, limit = goal["goal"].rpartition(", at most ")
        lines.append(f"| {what} | {goal['found']:.3g} | {limit} | {'' if goal['found'] <= goal['limit'] else 'missed'} |")
    return "\n".join(lines)
