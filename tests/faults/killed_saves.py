"""Kills a save at file calls in turn, with SIGKILL in a process of its own; run by `test_kills`.

    python -m tests.faults.killed_saves FOLDER (changes | all) SCENARIO...

"changes": after each call that changes something; "all": before and after every call.

A save runs in a fork of this process, which has one thread. What it leaves is looked at here, and prints as a line of JSON for each scenario.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys

from gpersist import files

from .checkpoints import SCENARIOS, Scenario, check_tidy, run
from .intercepted import CALLS, CHANGES, DyingFiles, InterceptedFiles


def dies(scenario: Scenario, folder: str, dying: DyingFiles) -> bool:
    """Does the scenario's save in a child; tells whether that was killed."""
    child = os.fork()
    if not child:
        try:
            with files.substituted(dying):
                scenario.save(folder, scenario.before + 1)
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def kill_in_turn(scenario: Scenario, scratch: str, calls: str) -> dict[str, int]:
    """The numbers of kills after which the old checkpoint and the new one were found."""
    new = scenario.before + 1
    outcomes = {"old": 0, "new": 0}
    template = os.path.join(scratch, "template")
    run(scenario, template)
    for after in (True,) if calls == "changes" else (False, True):
        at, killed = 0, True
        while killed:
            at += 1
            # The save that comes next is another one, or the same one again, as of a program that was started again.
            for following in (new, new + 1):
                folder = os.path.join(scratch, f"{at}-{after}-{following}")
                shutil.copytree(template, folder)
                killed = dies(scenario, folder, DyingFiles(at, only=CHANGES if calls == "changes" else CALLS, after=after))
                found = scenario.found(folder)
                assert found in (scenario.old, [*scenario.old, new], [*scenario.old, new][-2:], [new]), (at, after, found)
                assert killed or new in found
                outcomes["new" if new in found else "old"] += 1
                scenario.save(folder, following)
                found = scenario.found(folder)
                assert found[-1] == following
                check_tidy(folder, found)
    return outcomes


def main(folder: str, calls: str, wanted: list[str]) -> None:
    with files.substituted(InterceptedFiles()):
        for number, scenario in enumerate(SCENARIOS):
            if str(scenario) in wanted:
                os.mkdir(os.path.join(folder, str(number)))
                print(json.dumps([str(scenario), kill_in_turn(scenario, os.path.join(folder, str(number)), calls)]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
