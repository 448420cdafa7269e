"""Writes the README's figures from `benchmarks/results`, and nothing that is not there: `python -m benchmarks.readme [--check]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- figures: python -m benchmarks.readme -->\n", "<!-- end of figures -->\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrites the section; with --check, only says (by status 1) that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if README.md is stale")
    is_check = parser.parse_args(argv).check
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    fresh = before + BEGIN + figures() + END + after
    if is_check:
        return int(fresh != text)
    README.write_text(fresh)
    return 0


def figures() -> str:
    """A table for each file of results, in the order of their names."""
    return "".join(_table(json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json")))


def _table(results: dict[str, Any]) -> str:
    machine = results.get("device") or f"{results['cpu']}, {results['cores']} cores"
    lines = [f"\n{machine}, {results['date']}, medians of {results['rounds']} interleaved rounds; what is found, and what is aimed at:\n\n"]
    lines += ["| | found | goal |\n", "|---|---|---|\n"]
    titles = {name: workload["title"] for name, workload in results["workloads"].items()}
    for goal in results["goals"]:
        if "memory" not in goal["goal"] and goal["found"] is not None:
            what, _, limit = goal["goal"].rpartition(" at most ")
            lines.append(f"| {titles[goal['workload']]}: {what} | {goal['found']:.2f} | {limit} |\n")
    return "".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
