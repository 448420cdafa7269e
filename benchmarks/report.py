"""Tables for people, and results for the next one to compare with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.goals import Verdict
from benchmarks.rounds import Measured
from benchmarks.workloads import Workload

RESULTS = Path(__file__).parent / "results"
_UNITS = {"save": "raw: write", "load": "raw: read", "durable": "raw: write + fsync", "async": "raw: memcpy"}


def console() -> Console:
    """A terminal, or plain text of a width that tables fit in."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=130)


def table_of(workload: Workload, phases: Mapping[str, Mapping[str, Measured]], extra_bytes: Mapping[str, float]) -> Table:
    """A workload's times and their ratios to the raw calls."""
    table = Table(title=f"{workload.title}, {workload.total_bytes / 1e6:,.1f} MB", title_justify="left")
    for heading in ("", "median", "best", "GB/s", "× raw", "CPU", "extra MiB"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for phase, measured in phases.items():
        unit = measured.get(_UNITS[phase])
        for name, taken in measured.items():
            extra = extra_bytes.get(name)
            table.add_row(
                name,
                _time(taken.median()),
                _time(taken.best()),
                f"{workload.total_bytes / taken.median() / 1e9:.2f}",
                f"{taken.ratio(unit):.2f}" if unit else "",
                _time(taken.median("cpu_s")),
                "" if extra is None else f"{extra / 2**20:.0f}",
            )
        table.add_section()
    return table


def table_of_goals(verdicts: Sequence[Verdict]) -> Table:
    """Goals, by workload, with what was found."""
    table = Table(title="goals", title_justify="left")
    for heading in ("workload", "goal", "found", ""):
        table.add_column(heading, justify="right" if heading == "found" else "left")
    for verdict in verdicts:
        colour = {"met": "green", "missed": "red", "not measured": "dim"}[verdict.word]
        table.add_row(verdict.workload, verdict.text, "" if verdict.found is None else f"{verdict.found:.2f}", f"[{colour}]{verdict.word}[/]")
    return table


def as_json(workload: Workload, phases: Mapping[str, Mapping[str, Measured]], extra_bytes: Mapping[str, float]) -> dict[str, Any]:
    """A workload's figures, to be kept."""
    rows = {
        name: {
            "median_s": _short(taken.median()),
            "best_s": _short(taken.best()),
            "cpu_s": _short(taken.median("cpu_s")),
            **({"of_raw": _short(taken.ratio(measured[_UNITS[phase]]))} if _UNITS[phase] in measured else {}),
            **({"peak_extra_bytes": int(extra_bytes[name])} if name in extra_bytes else {}),
        }
        for phase, measured in phases.items()
        for name, taken in measured.items()
    }
    return {"title": workload.title, "tensors": len(workload.shapes), "bytes": workload.total_bytes, "measured": rows}


def verdicts_as_json(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts, to be kept."""
    return [
        {
            "workload": verdict.workload,
            "goal": verdict.text,
            "found": None if verdict.found is None else _short(verdict.found),
            "limit": _short(verdict.limit),
            "verdict": verdict.word,
        }
        for verdict in verdicts
    ]


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Writes results where they are kept."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
