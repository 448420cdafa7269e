"""One contender in a process of its own: `python -m benchmarks.worker CONTENDER WORKLOAD FOLDER [--quick]`.

Speaks JSON, a line a message: first what it is, `{"version": ..., "actions": {phase: [name, ...]}}`, or `{"missing": reason}`; then for each
`{"phase": ..., "action": ...}` that comes in on stdin what the stopwatch says. Whatever libraries print goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TextIO

from benchmarks.contenders import find
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import workload


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.worker")
    parser.add_argument("contender")
    parser.add_argument("workload")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    messages = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    chosen = workload(arguments.workload, quick=arguments.quick)
    arguments.folder.mkdir(exist_ok=True)
    try:
        contender = find(arguments.contender)(chosen, arguments.folder)
    except ImportError as error:
        _say(messages, {"missing": str(error)})
        return
    actions = contender.actions()
    _say(messages, {"version": contender.version, "actions": {phase: list(named) for phase, named in actions.items()}})
    checked = set()
    for line in sys.stdin:
        request = json.loads(line)
        stopwatch = Stopwatch()
        loaded = actions[request["phase"]][request["action"]](stopwatch)
        if loaded is not None and request["action"] not in checked:
            chosen.check(loaded)
            checked.add(request["action"])
        del loaded
        _say(messages, stopwatch.sample())


def _say(messages: TextIO, message: object) -> None:
    messages.write(json.dumps(message) + "\n")
    messages.flush()


if __name__ == "__main__":
    main()
