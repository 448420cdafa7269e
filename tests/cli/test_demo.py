from __future__ import annotations

import os
import resource
import subprocess
import sys

import numpy as np
import pytest

import gpersist
from gpersist.cli import demo, training


@pytest.fixture(autouse=True)
def virtual(monkeypatch):
    """No GPU, so that the demo is the same everywhere."""
    monkeypatch.setattr(demo, "devices", lambda: [gpersist.devices()[0]])


def test_the_whole_of_it(run, tmp_path):
    folder = tmp_path / "new" / "run"
    done = run("demo", "--steps", 8, "--devices", 3, "--dir", folder, "--json")
    assert (done.status, done.err) == (0, "")
    found = done.json
    assert [(device["name"], device["backend"]) for device in found["devices"]] == [(f"/device:GPU:{number}", "virtual") for number in range(3)]
    killed = found["killed"]
    assert (killed["step"], killed["signal"]) == (5, "SIGKILL") and 0 < killed["written_bytes"] <= killed["total_bytes"]
    left = {entry["name"]: entry["temporary"] for entry in killed["files"]}
    assert "ckpt-5.index" not in left and "ckpt-4.index" in left
    assert [name.startswith(".ckpt-5.") for name, temporary in left.items() if temporary] == [True]
    assert (found["resumed"]["step"], found["resumed"]["prefix"]) == (4, str(folder / "ckpt-4"))
    assert found["trained_twice"]["max_loss_difference"] == 0
    assert [(save["step"], save["kept"]) for save in found["saves"]] == [(step, step > 5) for step in range(1, 9)]
    assert {row["device"]: row["tensors"] for row in found["placement"]} == {
        "/device:CPU:0": 1,
        **{f"/device:GPU:{number}": 4 for number in range(3)},
    }
    assert found["verified"]["prefix"] == str(folder / "ckpt-8") and np.isfinite(found["final_loss"])
    assert not [name for name in os.listdir(folder) if name.startswith(".")]
    assert gpersist.verify(str(folder / "ckpt-8")).num_tensors == 13
    again = run("demo", "--dir", folder)
    assert again.status == 2 and "is not empty" in again.err


def test_what_it_tells(run):
    done = run("demo", "--steps", 6)
    assert (done.status, done.err) == (0, "")
    assert "no CUDA device is used: training on 2 virtual devices" in done.out
    assert "  <- unfinished" in done.out and "run 2 resumed from ckpt-3, the newest whole one" in done.out
    assert "verified ckpt-6: whole, 13 tensors" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_at_its_usual_length(run):
    before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = run("demo", "--json")
    assert done.status == 0
    assert done.json["resumed"]["step"] == 150 and done.json["final_loss"] < 1.5
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s < 60  # however busy the machine


def test_a_program_that_dies_otherwise_is_told(run, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    done = run("demo", "--steps", 6)
    assert done.status == 2 and "was to be killed, but ended with status 1" in done.err


def test_more_devices_than_there_are(run, monkeypatch):
    monkeypatch.setattr(demo, "devices", lambda: [None, None])
    done = run("demo", "--devices", 2)
    assert done.status == 2 and "GPERSIST_VIRTUAL_DEVICES=2" in done.err


def test_the_program_resumes_from_what_is_whole(tmp_path):
    def train(steps):
        command = [sys.executable, "-m", "gpersist.cli.training", tmp_path, f"--steps={steps}", "--save-every=1"]
        environment = {**os.environ, "GPERSIST_VIRTUAL_DEVICES": "1", "OPENBLAS_NUM_THREADS": "1"}  # as `gpersist demo` has it
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert train(2).returncode == 0
    with open(tmp_path / "ckpt-2.data-00000-of-00001", "r+b") as data:
        data.truncate(1000)
    done = train(3)
    assert f'"prefix": "{tmp_path}/ckpt-1", "step": 1' in done.stdout
    assert done.stderr.startswith(f"'{tmp_path}/ckpt-2' is passed over: ") and done.stderr.count("\n") == 1
    for path in tmp_path.glob("*.data-*"):
        path.write_bytes(b"")
    done = train(3)
    assert done.returncode and "none of the 3 checkpoints" in done.stderr


def test_the_model_learns_and_its_layers_are_spread(monkeypatch):
    monkeypatch.setattr(training, "HIDDEN", 32)
    with gpersist.use_virtual_devices(2) as devices:
        model = training.Model(devices)
        losses = [model.train() for _ in range(60)]
        assert model.arrays["global_step"] == 60
        assert [model.arrays[f"dense_{number}/kernel"].device for number in range(3)] == [devices[0], devices[1], devices[0]]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) / 2


def test_one_step_is_that_of_calculus(monkeypatch):
    """The update of a weight is the slope of the loss, by finite differences."""
    monkeypatch.setattr(training, "HIDDEN", 8)
    monkeypatch.setattr(training, "MOMENTUM", 0.0)

    def loss_with(shift):
        model = training.Model(devices)
        model.arrays["dense_1/kernel"][2, 3] += shift
        return model.train(), model.arrays["dense_1/kernel"][2, 3]

    with gpersist.use_virtual_devices(2) as devices:
        before = training.Model(devices).arrays["dense_1/kernel"][2, 3]
        slope = (loss_with(0.01)[0] - loss_with(-0.01)[0]) / 0.02
        after = loss_with(0)[1]
    assert before - after == pytest.approx(training.LEARNING_RATE * slope, rel=0.05, abs=1e-5)
