"""Checkpoints of four GPUs, ours and one of a TensorFlow 1 graph, restored on four devices, on fewer, and elsewhere: virtual ones, and CUDA's."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import gpersist
from gpersist.checkpoint import restore
from gpersist.devices import VirtualDevice, cuda, device_of, devices, registry, use_virtual
from gpersist.errors import DeviceMemoryError, DeviceNotFoundError

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "four_gpus"
IS_EMULATED = "CUDASIM_LIBRARY" in os.environ
COUNT = 4


@pytest.fixture(params=["virtual", pytest.param("cuda", marks=pytest.mark.cuda)])
def machine(request, monkeypatch):
    """A function of a number: a `with` in which there are so many GPUs."""
    if request.param == "virtual":
        return use_virtual
    found = list(cuda.devices())
    if len(found) < COUNT:
        pytest.skip(f"{len(found)} CUDA devices; four are needed")

    def machine(count):
        monkeypatch.setattr(registry, "_virtual", [])
        monkeypatch.setattr(registry, "_cuda", found[:count])
        return contextlib.nullcontext()

    return machine


def fours(number):
    """The variables of one tower, by name."""
    weights = np.arange(100 * number, 100 * number + 12, dtype=np.float32).reshape(3, 4)
    bias = np.full(4, number, np.float32)
    values = {"weights": weights, "bias": bias, "weights/Momentum": np.zeros_like(weights), "bias/Momentum": np.zeros_like(bias)}
    return {f"tower_{number}/{name}": value for name, value in values.items()}


VALUES = {name: value for number in range(COUNT) for name, value in fours(number).items()} | {"global_step": np.int64(0)}
HOMES = json.loads((GOLDEN / "devices.json").read_text())["devices"]


@pytest.fixture(params=["ours", "tensorflow"])
def prefix(request, machine, tmp_path):
    """A checkpoint of `VALUES`; ours is saved from arrays on the devices."""
    if request.param == "tensorflow":
        return GOLDEN / "model"
    with machine(COUNT):
        home = {device.name: device for device in devices()}
        arrays = {}
        for name, value in VALUES.items():
            arrays[name] = home[HOMES[name]].empty(np.shape(value), value.dtype)
            fill(arrays[name], value)
        gpersist.save(tmp_path / "ours", arrays, durable=False)
    return tmp_path / "ours"


def fill(target, value):
    if hasattr(target, "get"):
        target.set(np.asarray(value))
    else:
        target[...] = value


def places(arrays):
    return {name: device_of(array).name for name, array in arrays.items()}


def check_values(arrays):
    assert arrays.keys() == VALUES.keys()
    for name, array in arrays.items():
        found = array.get() if hasattr(array, "get") else np.asarray(array)
        assert (found.dtype, found.shape, found.tolist()) == (VALUES[name].dtype, np.shape(VALUES[name]), VALUES[name].tolist()), name


def loaded(prefix, **options):
    """Where things are once they are restored, and right."""
    arrays = gpersist.load(prefix, **options)
    check_values(arrays)
    return places(arrays)


@pytest.mark.parametrize("placement", ["recorded", "strict"])
def test_four_devices_get_what_the_nodes_say(machine, prefix, placement, caplog):
    with machine(COUNT):
        assert loaded(prefix, placement=placement) == HOMES
    assert not caplog.records


def test_strict_on_one_device_lists_nodes_wanted_available_and_ways_out(machine, prefix, monkeypatch):
    with machine(1):
        monkeypatch.setattr(restore, "allocate", None)  # called, it would raise something else
        with pytest.raises(DeviceNotFoundError) as caught:
            gpersist.load(prefix, placement="strict")
    text = str(caught.value)
    assert "12 of 17 tensors" in text
    for number in (1, 2, 3):
        assert f"'/device:GPU:{number}' (there is no such device here; 4 tensors: 'tower_{number}/bias', " in text
    assert "'/device:GPU:0' (" not in text
    assert "available: /device:CPU:0, /device:GPU:0" in text
    for way in ("clear_devices=True", "placement={", "'balanced'", "placement='recorded'"):
        assert way in text


def test_recorded_on_one_device_takes_the_next_best_and_says_so_once(machine, prefix, caplog):
    with machine(1):
        assert loaded(prefix) == {name: "/device:CPU:0" if name == "global_step" else "/device:GPU:0" for name in VALUES}
    (record,) = caplog.records
    assert "12 of 17 tensors" in record.getMessage()


@pytest.mark.parametrize("count", [1, COUNT])
@pytest.mark.parametrize("placement", ["recorded", "strict"])
def test_cleared_devices_leave_the_first_gpu(machine, prefix, count, placement, caplog):
    with machine(count):
        assert set(loaded(prefix, placement=placement, clear_devices=True).values()) == {"/device:GPU:0"}
    assert not caplog.records


def test_a_map_overrides_nodes(machine, prefix):
    device_map = {"*/Momentum": "host", "tower_0/*": "/gpu:3", "tower_3/weights": "/device:GPU:1"}
    expected = HOMES | dict.fromkeys(fours(0), "/device:GPU:3") | {"tower_3/weights": "/device:GPU:1"}
    expected |= {name: "/device:CPU:0" for name in VALUES if name.endswith("/Momentum")}
    with machine(COUNT):
        assert loaded(prefix, placement=device_map) == expected
    with machine(2), pytest.raises(DeviceNotFoundError, match=r"placement of 'tower_0/\*': device '/device:GPU:3' is not here"):
        gpersist.load(prefix, placement=device_map)


def test_a_map_of_everything_needs_no_node(machine, prefix, caplog):
    with machine(1):
        assert set(loaded(prefix, placement={"*": "/gpu:0"}).values()) == {"/device:GPU:0"}
    assert not caplog.records


@pytest.mark.parametrize(("placement", "where"), [("single", "GPU:0"), ("sequential", "GPU:0"), ("host", "CPU:0"), ("/gpu:2", "GPU:2")])
def test_one_place_for_all(machine, prefix, placement, where, caplog):
    with machine(COUNT):
        assert set(loaded(prefix, placement=placement).values()) == {f"/device:{where}"}
    assert not caplog.records


def test_balanced(machine, prefix):
    with machine(COUNT):
        found = loaded(prefix, placement="balanced")
    sizes = [sum(VALUES[name].nbytes for name, device in found.items() if device == f"/device:GPU:{number}") for number in range(COUNT)]
    assert sum(sizes) == sum(value.nbytes for value in VALUES.values())
    assert max(sizes) - min(sizes) <= 48


def test_sequential_fills_one_device_after_the_other():
    with use_virtual(COUNT, memory_bytes=150):
        found = loaded(GOLDEN / "model", placement="sequential")
    assert list(dict.fromkeys(found.values())) == [f"/device:GPU:{number}" for number in range(COUNT)]
    order = sorted(VALUES)
    assert [found[name] for name in order] == sorted(found.values())


@pytest.mark.parametrize("options", [{}, {"placement": "strict"}, {"clear_devices": True}, {"placement": "balanced"}, {"placement": {"*": "/gpu:1"}}])
def test_memory_is_planned_before_a_byte_moves(monkeypatch, options):
    def touched(*_, **__):
        raise AssertionError("allocated, or read")

    monkeypatch.setattr(VirtualDevice, "empty", touched)
    monkeypatch.setattr(restore, "receive", touched)
    with use_virtual(COUNT, memory_bytes=100), pytest.raises(DeviceMemoryError) as caught:
        gpersist.load(GOLDEN / "model", **options)
    text = str(caught.value)
    assert "(virtual) has 100 B free (100 bytes) and would need " in text
    assert "the largest 'tower_" in text and "placement='balanced'" in text
    assert text.count("would need") == (1 if "clear_devices" in options or isinstance(options.get("placement"), dict) else COUNT)


@pytest.mark.cuda
@pytest.mark.skipif(not IS_EMULATED, reason="a real machine has the GPUs that it has")
def test_again_on_four_emulated_gpus():
    """The emulated runtime has two devices unless told otherwise, once a process."""
    if len(list(cuda.devices())) >= COUNT:
        pytest.skip("there are four; the tests above have run")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "cuda", "-k", "not again", __file__],
        env=os.environ | {"CUDASIM_DEVICES": str(COUNT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout and " passed" in done.stdout
