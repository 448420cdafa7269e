"""docker/train.py as a real process, preempted as a container is."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gpersist

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts the program on one folder of checkpoints; its heartbeat is `tmp_path / "heartbeat"`."""
    monkeypatch.setenv("HEARTBEAT_FILE", str(tmp_path / "heartbeat"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    running = []

    def start(*arguments, folder="run"):
        command = [sys.executable, str(ROOT / "docker/train.py"), str(tmp_path / folder), *map(str, arguments)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return running[-1]

    yield start
    for program in running:
        program.kill()
        program.wait()
        program.stdout.close()


def read_until(program, beginning):
    """Reads lines up to one that begins so."""
    for line in program.stdout:
        if line.startswith(beginning):
            return line
    raise AssertionError(f"no line {beginning!r} came; exit status {program.wait()}")


def losses(text):
    return dict(re.findall(r"^step (\d+): loss (\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_next_start_resumes(start, tmp_path, number):
    first = start("--steps", 10**6, "--save-every", 3)
    read_until(first, "step 10:")
    first.send_signal(number)
    rest = first.communicate(timeout=60)[0]
    assert first.returncode == 0, rest
    step = int(re.search(rf"^{number.name}: saved step (\d+) in \d+ ms$", rest, re.MULTILINE)[1])
    assert gpersist.CheckpointManager(tmp_path / "run").latest() == str(tmp_path / f"run/ckpt-{step}")
    assert (tmp_path / "heartbeat").exists()

    last = -(-(step + 1) // 10) * 10
    resumed = start("--steps", last)
    text = resumed.communicate(timeout=60)[0]
    assert resumed.returncode == 0, text
    assert f"resumed from step {step}\n" in text and f"done: saved step {last} in " in text
    straight = start("--steps", last, folder="straight").communicate(timeout=60)[0]
    assert losses(text)[str(last)] == losses(straight)[str(last)]


def test_what_is_trained_already_says_so(start):
    assert start("--steps", 5).wait(timeout=60) == 0
    again = start("--steps", 5)
    text = again.communicate(timeout=60)[0]
    assert again.returncode == 0 and text.endswith("resumed from step 5\nnothing to do: 5 steps are trained\n")


def test_every_zero_steps_is_declined(start):
    program = start("--save-every", 0)
    text = program.communicate(timeout=60)[0]
    assert program.returncode == 2 and text.endswith("--save-every is 0; expected at least 1\n")


def test_a_signal_before_the_first_step_is_kept_until_there_is_one(start):
    program = start("--steps", 10**6)
    read_until(program, "training on ")
    program.send_signal(signal.SIGTERM)  # which may come when there has been one, on a busy machine
    text = program.communicate(timeout=60)[0]
    assert program.returncode == 0 and re.search(r"^SIGTERM: saved step \d+ in ", text, re.MULTILINE), text


def test_after_sigkill_the_save_before_stands(start):
    killed = start("--steps", 10**6, "--save-every", 4)
    read_until(killed, "step 10:")
    killed.kill()
    killed.communicate()
    text = start("--steps", 20).communicate(timeout=60)[0]
    assert int(re.search(r"^resumed from step (\d+)$", text, re.MULTILINE)[1]) % 4 == 0
    assert "done: saved step 20" in text


def test_what_is_done_stays_done(start):
    start("--steps", 2).communicate(timeout=60)
    again = start("--steps", 2)
    text = again.communicate(timeout=60)[0]
    assert again.returncode == 0 and text.endswith("resumed from step 2\nnothing to do: 2 steps are trained\n")


def test_a_model_of_virtual_gpus_resumes_on_the_cpu(start, monkeypatch):
    monkeypatch.setenv("GPERSIST_VIRTUAL_DEVICES", "4")
    text = start("--steps", 2).communicate(timeout=60)[0]
    assert text.startswith("training on /device:GPU:0 (virtual), /device:GPU:1 (virtual), /device:GPU:2 (virtual)\n")
    monkeypatch.delenv("GPERSIST_VIRTUAL_DEVICES")
    assert "resumed from step 2\n" in start("--steps", 3).communicate(timeout=60)[0]


@pytest.mark.parametrize("number", [0, 1])
def test_the_documented_programs_save_at_sigterm(number, tmp_path, monkeypatch):
    """docs/containers.md's two, which are to train on and on here."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HEARTBEAT_FILE", str(tmp_path / "heartbeat"))
    block = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/containers.md").read_text(), re.MULTILINE | re.DOTALL)[number]
    with subprocess.Popen([sys.executable, "-c", block.replace("100", "10**9")], cwd=tmp_path) as program:
        deadline = time.monotonic() + 60
        while not (tmp_path / "heartbeat").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        program.terminate()
        assert program.wait(timeout=60) == 0
    newest = gpersist.load(str(tmp_path / "run"))
    assert int(newest["global_step" if number else "step"]) > 0
