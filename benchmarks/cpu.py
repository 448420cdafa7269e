"""On host memory: `python -m benchmarks.cpu`, or `make bench`. How to read what it prints stands in README.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import goals, machine, report
from benchmarks.rounds import Measured, Missing, Worker, measure
from benchmarks.workloads import Workload, workload

WORKLOADS = ("one", "layers", "small", "scalars")
OWN = ("raw", "gpersist")
PEERS = ("SaveV2", "Saver", "safetensors", "torch")
PHASES = ("save", "load", "durable", "async")
_MEMORY_PHASES = ("save", "load")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; returns the exit status."""
    arguments = _parse(argv)
    out = report.console()
    interpreters = _interpreters()
    verdicts: list[goals.Verdict] = []
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gpersist-bench-", dir=arguments.folder) as top:
        results: dict[str, Any] = {**machine.describe(Path(top)), "rounds": arguments.rounds, "versions": versions, "workloads": {}}
        for name in arguments.workload or WORKLOADS:
            chosen = workload(name, quick=arguments.quick)
            folder = Path(top) / name
            folder.mkdir()
            phases, missing = _times(chosen, folder, interpreters, arguments, versions)
            extra = _memory(chosen, folder, interpreters, arguments, peers=name == "one" and not arguments.quick)
            measured = {key: taken for phase in phases.values() for key, taken in phase.items()}
            verdicts += [] if arguments.quick else goals.judge(name, measured, extra)
            out.print(report.table_of(chosen, phases, extra))
            for line in missing:
                out.print(f"[dim]left out: {line}[/]", highlight=False)
            results["workloads"][name] = report.as_json(chosen, phases, extra)
    if arguments.quick:
        out.print("quick: the goals are about other sizes")
    else:
        out.print(report.table_of_goals(verdicts))
        results["goals"] = report.verdicts_as_json(verdicts)
    if arguments.output or not arguments.quick:
        kind = machine.slug(f"{results['cpu']}-{results['cores']}-cores")
        report.write(arguments.output or report.RESULTS / f"{kind}.json", results)
    return 1 if arguments.check and any(verdict.word == "missed" for verdict in verdicts) else 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.cpu", description="gpersist against raw system calls and its peers, on host memory.")
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="only this one; may be given again")
    parser.add_argument("--rounds", type=int, default=7, help="how often each action is measured (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all of it runs; keeps no results")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--folder", type=Path, help="where to save; on the disk that is meant (default: the system's folder for temporary files)")
    parser.add_argument("--output", type=Path, help="where to keep the results (default: benchmarks/results/<machine>.json)")
    return parser.parse_args(argv)


def _interpreters() -> dict[str, list[str]]:
    """Where each contender may run, the best first."""
    tensorflow = [path for path in [os.environ.get("GPERSIST_TF_PYTHON")] if path]
    peers = [path for path in [os.environ.get("GPERSIST_PEERS_PYTHON")] if path]
    own = {"raw": [sys.executable], "gpersist": [sys.executable], "SaveV2": tensorflow, "Saver": tensorflow}
    return {name: own.get(name, [*peers, sys.executable]) for name in (*OWN, *PEERS)}


def _times(
    chosen: Workload, folder: Path, interpreters: dict[str, list[str]], arguments: argparse.Namespace, versions: dict[str, str]
) -> tuple[dict[str, dict[str, Measured]], list[str]]:
    """Measured actions by phase; and who was left out, and why."""
    missing = []
    with ExitStack() as stack:
        workers = []
        for contender in (*OWN, *PEERS):
            try:
                worker = stack.enter_context(Worker(contender, chosen.name, folder, quick=arguments.quick, interpreters=interpreters[contender]))
            except Missing as reason:
                if contender in OWN:
                    raise
                missing.append(f"{contender}: {reason}")
                continue
            workers.append(worker)
            versions[contender] = worker.version
        return {phase: measure(workers, phase, arguments.rounds) for phase in PHASES}, missing


def _memory(chosen: Workload, folder: Path, interpreters: dict[str, list[str]], arguments: argparse.Namespace, *, peers: bool) -> dict[str, float]:
    """Peak memory above the arrays of each save and load, by `"contender: action"`: the first thing that a new process does."""
    extra = {}
    for contender in ("gpersist", *PEERS) if peers else ("gpersist",):
        todo: list[tuple[str, str]] | None = None
        while todo is None or todo:
            try:
                worker = Worker(contender, chosen.name, folder, quick=arguments.quick, interpreters=interpreters[contender])
            except Missing:
                if contender in OWN:
                    raise
                break
            with worker:
                if todo is None:
                    todo = [(phase, action) for phase in _MEMORY_PHASES for action in worker.actions[phase]]
                phase, action = todo.pop(0)
                extra[f"{contender}: {action}"] = worker.ask(phase, action)["peak_bytes"]
    return extra


if __name__ == "__main__":
    sys.exit(main())
