from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.devices import DeviceSpec
from gpersist.errors import InvalidArgumentError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/devices/specs.json").read_text("ascii"))
SPECS = {row["text"]: row for row in GOLDEN["specs"]}

# What one of TensorFlow's readers takes and we refuse on purpose: numbers that are no plain digits or too large, no name, two types.
REFUSED = {
    *("/task:-1", "/task:+1", "/task: 1", "/task:1_0", "/task:\u0661", "/task:99999999999999999999"),
    *("/gpu:0\n", "/gpu:0 ", "/gpu:+1", "/gpu:1_0", "/gpu:\u0663", "/gpu:99999999999999999999", "/gpu:2147483648", "/gpu:0\x00"),
    *("/job:", "/gpu:0/cpu:0", "/cpu:0/cpu:0", "/device:GPU:0/device:GPU:1", "/device:GPU:0/gpu:0"),
    *(job + device for job in ("", "/job:worker", "/job:localhost", "/job:*") for device in ("/device::0", "/device:GPU:-1")),
}

# What neither takes as a whole, though each part is taken by one of them.
MIXED = {"/task:*/Cpu:0", "/task:*/cpu", "/task:*/gPu:1", "/task:*/gpu"}


def parts(spec: DeviceSpec) -> list[Any]:
    return [spec.job, spec.replica, spec.task, spec.device_type, spec.device_index]


@pytest.mark.parametrize("text", SPECS)
def test_reads_what_either_of_tensorflows_readers_takes(text: str) -> None:
    row = SPECS[text]
    python_takes, runtime_takes = "fields" in row, row["runtime"] != "malformed"
    if text in REFUSED or not (python_takes or runtime_takes or text in MIXED):
        with pytest.raises(InvalidArgumentError, match="device string"):
            DeviceSpec.from_string(text)
        return
    spec = DeviceSpec.from_string(text)
    if python_takes:
        assert parts(spec) == row["fields"]
        assert spec.to_string() == row["string"]
    if runtime_takes:  # mostly it gets to see what Python writes: "/device:cpu:0" in capitals, for one
        seen = SPECS.get(row.get("string"), row)
        local = [DeviceSpec(device_type="CPU", device_index=index) for index in (0, 1)]
        assert any(device.matches(spec) for device in local) == (seen["runtime"] == "placed")


@pytest.mark.parametrize(("outer", "inner", "merged"), GOLDEN["merges"])
def test_merges_as_tensorflow(outer: str, inner: str, merged: str) -> None:
    first, second = DeviceSpec.from_string(outer), DeviceSpec.from_string(inner)
    assert first.make_merged_spec(second).to_string() == merged
    assert (first.to_string(), second.to_string()) == (
        DeviceSpec.from_string(outer).to_string(),
        DeviceSpec.from_string(inner).to_string(),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/gpu:x", r"'/gpu:x': device_index must be a number, found 'x'"),
        ("/job:worker/task:one/gpu:0", r"task must be a number, found 'one'"),
        ("/job:/gpu:0", r"job must be a name, found ''"),
        ("/nonsense:0", r"part 'nonsense:0' is none of job, replica"),
        ("gpu0", r"part 'gpu0' is none of .*; did you mean 'gpu:0'\?"),
        ("/gpu:0/cpu:1", r"two device types, 'GPU' and 'CPU'; leave one"),
        ("/gpu:" + "9" * 5000, r"device_index must be at most 2147483647"),
    ],
)
def test_errors_quote_the_part_at_fault(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DeviceSpec.from_string(text)


def test_none_and_empty_text_name_every_device() -> None:
    assert DeviceSpec.from_string(None) == DeviceSpec.from_string("") == DeviceSpec()


def test_the_constructor_reads_what_tensorflows_does() -> None:
    spec = DeviceSpec(job=0, replica="1", task=2, device_type="gpu", device_index="3")  # type: ignore[arg-type]
    assert parts(spec) == ["0", 1, 2, "GPU", 3]
    assert str(spec) == "/job:0/replica:1/task:2/device:GPU:3"
    for wrong in ({"device_index": -1}, {"task": 1.5}, {"job": ""}, {"device_type": ""}, {"replica": True}):
        with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
            DeviceSpec(**wrong)  # type: ignore[arg-type]


def test_is_a_value() -> None:
    spec = DeviceSpec.from_string("/job:worker/gpu:1")
    assert spec == DeviceSpec.from_string("/device:GPU:1/job:worker")
    assert len({spec, spec.replace(), spec.parse_from_string("/job:worker/GPU:1")}) == 1
    assert spec.replace(job=None, device_index=None).to_string() == "/device:GPU:*"
    with pytest.raises(AttributeError):
        spec.job = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("device", "wanted", "matches"),
    [
        ("/device:GPU:1", "/gpu:1", True),
        ("/device:GPU:1", "/gpu:0", False),
        ("/device:GPU:1", "/gpu:*", True),
        ("/device:GPU:1", "/device:XLA_GPU:1", False),
        ("/device:GPU:1", "/job:localhost/replica:0/task:0/device:GPU:1", True),
        ("/device:GPU:1", "/job:worker/gpu:1", False),
        ("/device:GPU:1", "/job:*/replica:*/task:*/device:*", True),
        ("/job:worker/task:1/device:GPU:1", "/job:worker/gpu:1", True),
        ("/job:worker/task:1/device:GPU:1", "/job:worker/task:0/gpu:1", False),
        ("/device:CPU:0", "", True),
    ],
)
def test_matches(device: str, wanted: str, matches: bool) -> None:
    assert DeviceSpec.from_string(device).matches(DeviceSpec.from_string(wanted)) is matches


numbers = st.none() | st.integers(0, 2**31 - 1)
names = st.none() | st.text(st.characters(exclude_characters="/:"), min_size=1, max_size=8)
specs = st.builds(DeviceSpec, names, numbers, numbers, names, st.none()) | st.builds(DeviceSpec, names, numbers, numbers, st.just("GPU"), numbers)


@given(specs, specs)
def test_text_says_all_there_is(first: DeviceSpec, second: DeviceSpec) -> None:
    assert DeviceSpec.from_string(first.to_string()) == first
    merged = first.make_merged_spec(second)
    assert merged.make_merged_spec(second) == merged
    assert DeviceSpec().make_merged_spec(first) == first == first.make_merged_spec(DeviceSpec())


@given(st.text(max_size=30) | st.text("/:*0gpudevicjobtaskGPU", max_size=20))
def test_any_text_gives_a_spec_or_our_error(text: str) -> None:
    try:
        spec = DeviceSpec.from_string(text)
    except InvalidArgumentError:
        return
    assert DeviceSpec.from_string(spec.to_string()) == spec
