"""The figures that are shown are those of benchmarks/results; tests/docs sees to it that the pages have them."""

import json

from benchmarks import readme


def test_every_machine_has_a_table() -> None:
    count = len(list(readme.RESULTS.glob("*.json")))
    assert readme.figures().count("interleaved rounds:") == readme.goals().count("interleaved rounds:") == count


def test_only_what_was_found_is_shown() -> None:
    found = {f"{goal['found']:.2f}" for path in readme.RESULTS.glob("*.json") for goal in json.loads(path.read_text())["goals"] if goal["found"]}
    shown = [cell.strip() for line in readme.figures().splitlines() if line.startswith("| ") for cell in line.split("|")[2:-1]]
    figures = [cell for cell in shown if cell[:1].isdigit()]
    assert figures and set(figures) <= found
