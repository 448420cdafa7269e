"""The figures that are shown are those of benchmarks/results; tests/docs sees to it that the pages have them."""

import json
from pathlib import Path

import pytest

from benchmarks import readme


def test_every_machine_has_a_table() -> None:
    count = len(list(readme.RESULTS.glob("*.json")))
    of_graphs = len(list(readme.RESULTS.glob("graph-*.json")))
    assert readme.figures().count("interleaved rounds:") == readme.goals().count("interleaved rounds:") == count - of_graphs
    assert readme.graphs().count("interleaved rounds:") == of_graphs


def test_a_missed_goal_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goals = [{"goal": "a, s, at most 2", "limit": 2.0, "found": 1.234}, {"goal": "b, of TensorFlow, at most 2", "limit": 2.0, "found": 2.5}]
    results = {"cpu": "X", "cores": 2, "date": "2026-11-22", "rounds": 5, "goals": goals}
    (tmp_path / "graph-x.json").write_text(json.dumps(results))
    monkeypatch.setattr(readme, "RESULTS", tmp_path)
    assert readme.graphs().splitlines()[-2:] == ["| a, s | 1.23 | 2 |  |", "| b, of TensorFlow | 2.5 | 2 | missed |"]
    assert readme.figures() == ""


def test_only_what_was_found_is_shown() -> None:
    found = {f"{goal['found']:.2f}" for path in readme.RESULTS.glob("*.json") for goal in json.loads(path.read_text())["goals"] if goal["found"]}
    shown = [cell.strip() for line in readme.figures().splitlines() if line.startswith("| ") for cell in line.split("|")[2:-1]]
    figures = [cell for cell in shown if cell[:1].isdigit()]
    assert figures and set(figures) <= found
