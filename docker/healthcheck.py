"""Whether the training in this container goes on: its heartbeat is fresh, and the GPUs answer.

Exit status: 0 healthy, 1 not; one line on stdout says why. From the environment:

    HEARTBEAT_FILE       the file that the training program touches at each step (/tmp/heartbeat)
    HEARTBEAT_MAX_AGE_S  the longest that a step, or a save that training waits for, may take (120)
    GPUS_NEEDED          how many GPUs must answer NVML; 0 asks none (0)
    NVML_TIMEOUT_S       how long they may take: a driver that hangs gives no error (5)
"""

import math
import os
import sys
import threading
import time
from pathlib import Path
from typing import TypeVar

_Number = TypeVar("_Number", int, float)


class Unhealthy(Exception):
    """What is wrong."""


def check_heartbeat(path: Path, max_age_s: float) -> str:
    """Says how old the heartbeat is.

    Raises:
        Unhealthy: it is older than that, or newer than now by as much, or not there.
    """
    try:
        age_s = time.time() - path.stat().st_mtime
    except OSError as error:
        raise Unhealthy(f"no heartbeat: {error.strerror}: {path}; the training program touches it at each step") from error
    if age_s < -max_age_s:
        raise Unhealthy(f"heartbeat {path} is {-age_s:.0f} s ahead of the clock, which was set back, or is another machine's: touch it again")
    if age_s > max_age_s:
        raise Unhealthy(f"heartbeat {path} is {age_s:.0f} s old; at most {max_age_s:g} s (HEARTBEAT_MAX_AGE_S)")
    return f"heartbeat {age_s:.0f} s old"


def check_gpus(needed: int) -> str:
    """Asks each GPU for its memory.

    Raises:
        Unhealthy: one doesn't answer, or there are too few.
    """
    try:
        import pynvml as nvml
    except ImportError as error:
        raise Unhealthy("GPUs cannot be asked: nvidia-ml-py is not installed") from error
    number = None
    used = []
    try:
        nvml.nvmlInit()
        for number in range(nvml.nvmlDeviceGetCount()):
            gpu = nvml.nvmlDeviceGetHandleByIndex(number)
            try:
                used.append(f"{nvml.nvmlDeviceGetMemoryInfo(gpu).used >> 20} MiB")
            except (nvml.NVMLError_NoPermission, nvml.NVMLError_NotSupported):  # a slice of a GPU, or one that shares its memory with the CPU
                used.append("?")
    except nvml.NVMLError as error:
        raise Unhealthy(f"{'NVML' if number is None else f'GPU {number}'}: {error}") from error
    if len(used) < needed:
        raise Unhealthy(f"GPUs that answer: {len(used)}; needed: {needed} (GPUS_NEEDED); was the container started with --gpus?")
    return f"GPUs that answer: {len(used)}, memory in use: {', '.join(used)}"


def check_gpus_within(timeout_s: float, needed: int) -> str:
    """The same, by a thread that may hang.

    Raises:
        Unhealthy: also when it does.
    """
    answers: list[str | Exception] = []

    def ask() -> None:
        try:
            answers.append(check_gpus(needed))
        except Exception as error:
            answers.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not answers:
        raise Unhealthy(f"NVML has not answered for {timeout_s:g} s (NVML_TIMEOUT_S): the driver hangs")
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]


def number(name: str, otherwise: str, kind: type[_Number]) -> _Number:
    """A number of the environment; empty is as if it were not set.

    Raises:
        Unhealthy: it is none.
    """
    text = os.environ.get(name) or otherwise
    try:
        found = kind(text)
    except ValueError as error:
        raise Unhealthy(f"{name} is {text!r}; expected a number, as {otherwise}") from error
    if math.isnan(found):  # no age is above it
        raise Unhealthy(f"{name} is {text!r}; expected a number, as {otherwise}")
    return found


def main() -> int:
    """Checks, says what came of it, and returns the exit status."""
    try:
        facts = [check_heartbeat(Path(os.environ.get("HEARTBEAT_FILE") or "/tmp/heartbeat"), number("HEARTBEAT_MAX_AGE_S", "120", float))]
        if needed := number("GPUS_NEEDED", "0", int):
            facts.append(check_gpus_within(number("NVML_TIMEOUT_S", "5", float), needed))
    except Exception as error:  # whatever it is: 1 is all that Docker lets a health check say
        print("unhealthy:", error if isinstance(error, Unhealthy) else repr(error))
        return 1
    print("healthy:", "; ".join(facts))
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a thread that hangs in the driver is not waited for
