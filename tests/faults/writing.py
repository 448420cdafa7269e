"""A process that saves again and again, until it is told to stop; run by `test_processes`.

    python -m tests.faults.writing KIND TARGET WRITER STOP

Kinds: "prefix" saves to the prefix TARGET, with one to three shards; "folder" saves steps to the folder TARGET with a manager that keeps one, each
writer under a name of its own; "deletion" saves to the prefix and deletes what it saved. STOP is a file whose appearance ends it. Prints how often it
has saved.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np

import gpersist
from gpersist import CheckpointManager
from gpersist.checkpoint.retention import delete_checkpoint


def arrays(writer: int, number: int) -> dict[str, Any]:
    """Values by which a reader sees whether all of them are of one save."""
    value = number * 10 + writer
    return {
        "first": np.full(1000, value, np.int64),
        "middle": np.array([b"%d" % value] * 5, object),
        "some": np.full(50 + value % 7, value, np.float32),
        "value": np.int64(value),
        "z/last": np.full((30, 30), value, np.int32),
    }


def check(found: dict[str, Any]) -> int:
    """The value of one save, which everything in a checkpoint has."""
    value = int(found["value"])
    for name, array in arrays(value % 10, value // 10).items():
        assert np.array_equal(found[name], array) and found[name].shape == np.shape(array), (name, value)
    return value


ENOUGH = 4
"""Saves that each writer makes at least, however late it was started."""


def main(kind: str, target: str, writer: int, stop: str) -> None:
    number = 0
    while number < ENOUGH or not os.path.exists(stop):
        number += 1
        if kind == "folder":
            with CheckpointManager(target, max_to_keep=1, prefix="ab"[writer], durable=False) as manager:
                manager.save(number * 10 + writer, arrays(writer, number))
        else:
            gpersist.save(target, arrays(writer, number), shards=1 + number % 3, durable=False)
        if kind == "deletion":
            time.sleep(0.01)
            with gpersist.files.active().locked(os.path.dirname(target)):
                delete_checkpoint(target, durable=False)
    print(number)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
