"""The heap keeps what a session frees: the second run of it faults no page in."""

import subprocess
import sys
from pathlib import Path

CODE = """
import resource
import numpy as np
from gpersist.devices import keep_freed_memory

keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1 << 20, np.uint8) for _ in range(64)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
print(first, faults())
"""


def test_what_was_freed_is_used_again() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    first, second = map(int, done.stdout.split())
    assert second <= first / 2
