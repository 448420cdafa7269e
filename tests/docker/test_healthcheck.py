"""docker/healthcheck.py as a real process, with a clock that stands still and a stand-in for nvidia-ml-py."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "docker/healthcheck.py"

NOW = 2_000_000_000.0
CLOCK = f"import time; time.time = lambda: {NOW}"

NVML = """
import time

class NVMLError(Exception): pass
class NVMLError_NoPermission(NVMLError): pass
class NVMLError_NotSupported(NVMLError): pass
class Memory: used = 5 << 20

def nvmlInit(): {init}
def nvmlDeviceGetCount(): return 2
def nvmlDeviceGetHandleByIndex(number):
    if number == 1: {second}
    return number
def nvmlDeviceGetMemoryInfo(gpu):
    if gpu == 1: {second_memory}
    return Memory()
"""


@pytest.fixture
def check(tmp_path):
    """Runs the program with a heartbeat of some age; gives its exit status and what it said."""

    def check(age_s=1.0, nvml=None, **environment):
        heartbeat = tmp_path / "heartbeat"
        if age_s is not None:
            heartbeat.touch()
            os.utime(heartbeat, (NOW - age_s,) * 2)
        (tmp_path / "sitecustomize.py").write_text(CLOCK)
        if nvml is not None:
            (tmp_path / "pynvml.py").write_text(nvml)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "HEARTBEAT_FILE": str(heartbeat), **environment}
        ended = subprocess.run([sys.executable, str(PROGRAM)], env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.stderr == ""
        return ended.returncode, ended.stdout

    return check


def nvml(init="pass", second="pass", second_memory="pass"):
    return NVML.format(init=init, second=second, second_memory=second_memory)


@pytest.mark.parametrize(("age_s", "told"), [(0, 0), (7.25, 7), (119.75, 120), (120, 120), (-3, -3)])  # of a clock that was set back
def test_fresh(check, age_s, told):
    assert check(age_s=age_s) == (0, f"healthy: heartbeat {told} s old\n")


def test_stale(check, tmp_path):
    stale = f"unhealthy: heartbeat {tmp_path}/heartbeat is"
    assert check(age_s=120.25) == (1, f"{stale} 120 s old; at most 120 s (HEARTBEAT_MAX_AGE_S)\n")
    assert check(age_s=200) == (1, f"{stale} 200 s old; at most 120 s (HEARTBEAT_MAX_AGE_S)\n")
    assert check(age_s=200, HEARTBEAT_MAX_AGE_S="0.5") == (1, f"{stale} 200 s old; at most 0.5 s (HEARTBEAT_MAX_AGE_S)\n")
    assert check(age_s=200, HEARTBEAT_MAX_AGE_S="600") == (0, "healthy: heartbeat 200 s old\n")


def test_a_heartbeat_from_the_future_goes_stale_too(check, tmp_path):
    assert check(age_s=-120)[0] == 0
    status, said = check(age_s=-86400)
    assert (status, said.partition(",")[0]) == (1, f"unhealthy: heartbeat {tmp_path}/heartbeat is 86400 s ahead of the clock")


def test_missing(check):
    status, said = check(age_s=None)
    assert status == 1 and said.startswith("unhealthy: no heartbeat: No such file or directory: ")


@pytest.mark.parametrize(
    ("name", "value"), [("HEARTBEAT_MAX_AGE_S", "2m"), ("HEARTBEAT_MAX_AGE_S", "nan"), ("GPUS_NEEDED", "all"), ("NVML_TIMEOUT_S", "5s")]
)
def test_a_variable_that_is_no_number_is_named(check, name, value):
    status, said = check(**{"GPUS_NEEDED": "1", name: value})
    assert status == 1 and said.startswith(f"unhealthy: {name} is '{value}'; expected a number, as ")


def test_empty_variables_are_as_if_not_set(check):
    assert check(HEARTBEAT_MAX_AGE_S="", GPUS_NEEDED="", NVML_TIMEOUT_S="")[0] == 0
    assert "/tmp/heartbeat" in check(HEARTBEAT_FILE="", HEARTBEAT_MAX_AGE_S="-1")[1]


def test_without_gpus_nvml_is_not_asked(check):
    assert check(nvml="raise SystemExit('imported')")[0] == 0


def test_gpus_that_answer(check):
    status, said = check(nvml=nvml(), GPUS_NEEDED="2")
    assert (status, said) == (0, "healthy: heartbeat 1 s old; GPUs that answer: 2, memory in use: 5 MiB, 5 MiB\n")


@pytest.mark.parametrize("error", ["NoPermission", "NotSupported"])
def test_a_gpu_that_may_not_tell_its_memory_answers(check, error):
    status, said = check(nvml=nvml(second_memory=f"raise NVMLError_{error}"), GPUS_NEEDED="2")
    assert status == 0 and said.endswith("memory in use: 5 MiB, ?\n")


def test_too_few_gpus(check):
    status, said = check(nvml=nvml(), GPUS_NEEDED="3")
    assert (status, said) == (1, "unhealthy: GPUs that answer: 2; needed: 3 (GPUS_NEEDED); was the container started with --gpus?\n")


def test_a_gpu_that_is_lost(check):
    lost = "raise NVMLError('GPU is lost')"
    assert check(nvml=nvml(second=lost), GPUS_NEEDED="1") == (1, "unhealthy: GPU 1: GPU is lost\n")
    assert check(nvml=nvml(second_memory=lost), GPUS_NEEDED="1") == (1, "unhealthy: GPU 1: GPU is lost\n")


def test_no_driver(check):
    absent = nvml(init="raise NVMLError('NVML Shared Library Not Found')")
    assert check(nvml=absent, GPUS_NEEDED="1") == (1, "unhealthy: NVML: NVML Shared Library Not Found\n")


def test_no_nvml(check):
    assert check(nvml="raise ImportError", GPUS_NEEDED="1") == (1, "unhealthy: GPUs cannot be asked: nvidia-ml-py is not installed\n")


def test_nvml_that_fails_in_a_way_of_its_own(check):
    assert check(nvml=nvml(init="raise OSError('bad ELF')"), GPUS_NEEDED="1") == (1, "unhealthy: OSError('bad ELF')\n")


def test_a_driver_that_hangs(check):
    started = time.monotonic()
    status, said = check(nvml=nvml(init="time.sleep(50)"), GPUS_NEEDED="1", NVML_TIMEOUT_S="0.2")
    assert (status, said) == (1, "unhealthy: NVML has not answered for 0.2 s (NVML_TIMEOUT_S): the driver hangs\n")
    assert time.monotonic() - started < 25


def test_nonsense_in_the_environment(check):
    status, said = check(HEARTBEAT_MAX_AGE_S="soon")
    assert status == 1 and said == "unhealthy: HEARTBEAT_MAX_AGE_S is 'soon'; expected a number, as 120\n"


def test_the_real_nvml_has_the_names_that_are_asked():
    pynvml = pytest.importorskip("pynvml")
    for name in ("nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetMemoryInfo", "NVMLError"):
        assert hasattr(pynvml, name)
    assert issubclass(pynvml.NVMLError_NoPermission, pynvml.NVMLError) and issubclass(pynvml.NVMLError_NotSupported, pynvml.NVMLError)
