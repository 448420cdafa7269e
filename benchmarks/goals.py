"""What the project promises of its speed, and whether it was kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from benchmarks.rounds import Measured

RING_BYTES = 64 << 20
MAX_EXTRA_BYTES = RING_BYTES + (32 << 20)


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound on a ratio.

    Attributes:
        workload: where it holds.
        action: gpersist's.
        against: the other's, as `"contender: action"`.
        limit: the ratio that action's time to the other's may have at most.
    """

    workload: str
    action: str
    against: str
    limit: float

    @property
    def text(self) -> str:
        return f"{self.action} at most {self.limit:.2g} × {self.against}"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A goal, or a bound on memory, held against what was measured; `found` is None where the other was not there."""

    workload: str
    text: str
    found: float | None
    limit: float

    @property
    def word(self) -> str:
        return "not measured" if self.found is None else "met" if self.found <= self.limit else "missed"


def _goals() -> list[Goal]:
    goals = []
    for name in ("one", "layers"):
        goals += [Goal(name, "save first", "raw: write", 1.2), Goal(name, "save first", "SaveV2: save", 1 / 2)]
        goals += [Goal(name, "load into", "raw: read", 1.4), Goal(name, "load into", "SaveV2: load", 1 / 3)]
    goals += [Goal("small", "save first", "SaveV2: save", 1 / 1.5), Goal("small", "load into", "SaveV2: load", 1 / 3)]
    goals += [Goal("scalars", "save first", "SaveV2: save", 1.5), Goal("scalars", "save repeated", "SaveV2: save", 0.5)]
    goals += [Goal("scalars", "load into", "SaveV2: load", 1 / 1.5)]
    for name in ("one", "layers", "small"):  # 80 KB of scalars are no bytes to speak of: a memcpy or fsync of them says nothing of a save
        goals += [Goal(name, "save_async", "raw: memcpy", 1.2), Goal(name, "save durable", "raw: write + fsync", 0.9)]
    return goals


GOALS = _goals()


def judge(workload: str, measured: Mapping[str, Measured], extra_bytes: Mapping[str, float]) -> list[Verdict]:
    """Verdicts on a workload.

    Args:
        workload: its name.
        measured: by `"contender: action"`.
        extra_bytes: peak memory above the arrays, likewise.
    """
    verdicts = []
    for goal in GOALS:
        if goal.workload == workload:
            ours, theirs = measured[f"gpersist: {goal.action}"], measured.get(goal.against)
            verdicts.append(Verdict(workload, goal.text, ours.ratio(theirs) if theirs else None, goal.limit))
    for name, found in extra_bytes.items():
        if name.startswith("gpersist:"):
            text = f"{name.removeprefix('gpersist: ')}: peak extra memory at most {MAX_EXTRA_BYTES >> 20} MiB"
            verdicts.append(Verdict(workload, text, found / MAX_EXTRA_BYTES, 1.0))
    return verdicts
