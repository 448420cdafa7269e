"""gpersist.load: where arrays come back to, into what, and all that may be wrong with it, told at once and before a byte is changed."""

from __future__ import annotations

import importlib.util
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gpersist
from gpersist import files
from gpersist.bundle import Entry, TensorSlice, encode_index, encode_slice_key
from gpersist.checkpoint.tree import flatten
from gpersist.devices import device_of, use_virtual
from gpersist.dtypes import from_name
from gpersist.errors import (
    CheckpointNotFoundError,
    DataLossError,
    DeviceMemoryError,
    DeviceNotFoundError,
    InvalidArgumentError,
    MismatchError,
)

from .strict_device import StrictDevice

GOLDEN = Path(__file__).parents[1] / "golden"
F4 = np.dtype(np.float32)


def golden_values() -> Any:
    spec = importlib.util.spec_from_file_location("golden_values", GOLDEN / "bundle" / "values.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values() -> dict[str, Any]:
    random = np.random.default_rng(5)
    return {
        "w": random.random((40, 30)).astype(np.float32),
        "half": random.random(7).astype(ml_dtypes.bfloat16),
        "large": random.random((700, 300)),
        "step": np.array(7),
        "text": np.array([[b"a"], [b"bc"]], object),
        "none": np.zeros((0, 3), np.int8),
    }


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    gpersist.save(tmp_path / "x", values(), durable=False)
    return tmp_path / "x"


def like_values() -> dict[str, Any]:
    return {name: np.full(array.shape, b"" if array.dtype == object else 0, array.dtype) for name, array in values().items()}


def check(found: dict[str, Any], names: Any = None) -> None:
    expected = values()
    for name in names or expected:
        assert found[name].dtype == expected[name].dtype
        assert np.array_equal(found[name], expected[name]), name


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# ---- what is wanted


def test_all_come_in_the_order_of_their_names(saved: Path) -> None:
    found = gpersist.load(saved)
    assert list(found) == sorted(values())
    check(found)


def test_some_come_in_the_order_asked_for(saved: Path) -> None:
    assert list(gpersist.load(saved, ["w", "half", "w", "step"])) == ["w", "half", "step"]
    assert list(gpersist.load(saved, (name for name in ("text", "none")))) == ["text", "none"]
    assert list(gpersist.load(saved, "step")) == ["step"]
    assert gpersist.load(saved, []) == {}


def test_a_checkpoint_that_is_saved_again_meanwhile_is_read_again(saved: Path) -> None:
    class Meanwhile(files.PosixFiles):
        is_done = False

        def open_read(self, path: str) -> int:
            if ".data-" in path and not self.is_done:
                self.is_done = True
                gpersist.save(saved, {"w": np.full(3, 9), "v": np.zeros(2)}, durable=False)
            return super().open_read(path)

    with files.substituted(Meanwhile()):
        found = gpersist.load(saved, (name for name in ["w"]))
    assert found["w"].tolist() == [9, 9, 9]


def test_missing_names_are_told_at_once_with_near_ones(saved: Path) -> None:
    with pytest.raises(MismatchError, match=r"(?s)in 3 cases.*'lrage'.*did you mean 'large'.*'nothing'.*5: not"):
        gpersist.load(saved, ["w", "lrage", "nothing", 5])  # type: ignore[list-item]
    assert list(gpersist.load(saved, ["w", "lrage"], partial=True)) == ["w"]


def test_new_arrays_are_the_callers_own(saved: Path) -> None:
    found = gpersist.load(saved)
    for array in found.values():
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert array.flags.aligned


# ---- into


def targets_of(kind: str, devices: Any) -> dict[str, Any]:
    """Arrays of the values' shapes and dtypes to restore into."""
    targets = like_values()
    for name, array in targets.items():
        if kind == "fortran":
            targets[name] = np.array(array, order="F")
        elif kind == "strided":
            targets[name] = np.full(tuple(2 * size for size in array.shape), array.flat[0] if array.size else 0, array.dtype)[
                (*(slice(None, None, 2) for _ in array.shape), ...)
            ]
        elif kind == "reversed":
            targets[name] = array[(*(slice(None, None, -1) for _ in array.shape), ...)]
        elif kind == "big_endian":
            targets[name] = array if array.dtype == object else array.astype(array.dtype.newbyteorder(">"))
        elif kind == "subclass":
            targets[name] = array.view(type("Sub", (np.ndarray,), {}))
        elif kind.startswith("virtual") and array.dtype != object:
            shape = tuple(2 * size for size in array.shape) if "strided" in kind else array.shape
            targets[name] = devices[len(name) % 2].empty(shape, array.dtype)
            if "strided" in kind:
                targets[name] = targets[name][(*(slice(None, None, 2) for _ in array.shape), ...)]
    return targets


KINDS = ["plain", "fortran", "strided", "reversed", "big_endian", "subclass", "virtual", "virtual strided"]


@pytest.mark.parametrize("options", [{}, {"threads": 1, "ring_bytes": 8192}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_lazy", [False, True])
def test_into_arrays_of_every_kind(saved: Path, kind: str, options: dict[str, Any], is_lazy: bool) -> None:
    with use_virtual(2, is_lazy=is_lazy) as devices:
        targets = targets_of(kind, devices)
        arrays = dict(targets)
        assert gpersist.load(saved, into=targets, **options) is targets
        assert all(targets[name] is arrays[name] for name in arrays)
        expected = values()
        for name, array in targets.items():
            assert np.array_equal(np.array(array), expected[name]), name


@pytest.mark.parametrize("step", [1, 2])
def test_into_arrays_that_are_still_being_written_to(saved: Path, step: int) -> None:
    with StrictDevice() as device:
        whole, zeros = (device.empty((700, 300 * step), np.dtype(np.float64)) for _ in range(2))
        target = whole[:, ::step]
        whole[...] = zeros[...] = 0
        device.current.copy_array(whole, zeros)
        gpersist.load(saved, into={"large": target})
        assert np.array_equal(np.array(target), values()["large"])  # whatever stream is used next
        device.record_current().synchronize()
        assert np.array_equal(np.array(target), values()["large"])


def test_neighbours_of_a_view_are_left_alone(saved: Path) -> None:
    wide = np.full((40, 90), 7, np.float32)
    gpersist.load(saved, into={"w": wide[:, 30:60]})
    assert np.array_equal(wide[:, 30:60], values()["w"])
    assert (wide[:, :30] == 7).all()
    assert (wide[:, 60:] == 7).all()


def test_into_trees(tmp_path: Path) -> None:
    tree = {"net": OrderedDict(w=np.ones((2, 2)), b=[np.ones(2), np.ones(3)]), "step": np.array(3)}
    gpersist.save(tmp_path / "x", tree, durable=False)
    target = {"net": OrderedDict(w=np.zeros((2, 2)), b=[np.zeros(2), np.zeros(3)]), "step": np.array(0)}
    assert gpersist.load(tmp_path / "x", into=target) is target
    assert all(np.array_equal(array, flatten(tree)[name]) for name, array in flatten(target).items())


def test_into_some_of_them(saved: Path) -> None:
    targets = like_values()
    gpersist.load(saved, ["w", "step"], into=targets)
    check(targets, ["w", "step"])
    assert not targets["large"].any()
    with pytest.raises(InvalidArgumentError, match="names has 'W', for which into= or like= has no leaf"):
        gpersist.load(saved, ["W"], into={"w": targets["w"]})


def test_into_torch_tensors(saved: Path) -> None:
    torch = pytest.importorskip("torch")
    expected = values()
    targets = {
        "w": torch.zeros((30, 40)).T,
        "half": torch.zeros(7, dtype=torch.bfloat16),
        "large": torch.zeros((700, 300), dtype=torch.float64, requires_grad=True),
        "step": torch.zeros((), dtype=torch.int64),
    }
    gpersist.load(saved, into=targets)
    for name, tensor in targets.items():
        assert tensor.detach().to(torch.float64).tolist() == expected[name].astype(np.float64).tolist()


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flags.writeable = False
    return array


def test_all_that_does_not_fit_is_told_in_one_error_before_a_byte_is_changed(saved: Path) -> None:
    with use_virtual(1) as (device,):
        good = np.zeros((40, 30), np.float32)
        targets = {
            "w": good,
            "half": np.zeros(8, ml_dtypes.bfloat16),
            "large": read_only(np.zeros((700, 300))),
            "step": None,
            "text": np.zeros((2, 1), "S5"),
            "none": device.empty((0, 3), np.dtype(np.uint8)),
            "other": np.zeros(2),
        }
        with pytest.raises(MismatchError) as caught:
            gpersist.load(saved, into=targets)
        assert str(caught.value).splitlines() == [
            f"{str(saved)!r} does not hold what is asked for, in 6 cases:",
            "  'other': not in the checkpoint",
            "  'half': shape [7] in the checkpoint, [8] asked for",
            "  'large': the array to restore into is read-only",
            "  'step': a value of type NoneType cannot be restored into; give an array, or use like=",
            "  'text': strings are restored into an array of dtype object, |S5 would cut them",
            "  'none': dtype int8 in the checkpoint, uint8 asked for",
            "load(..., partial=True) passes over them",
        ]
        assert not good.any()


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        (np.zeros((40, 30), np.longdouble), "cannot hold dtype"),
        (np.zeros((40, 30), "M8[s]"), "cannot hold dtype"),
        (np.float32(1), "shape"),
        (1, "shape"),
        (None, "cannot be restored into"),
        (np.broadcast_to(np.float32(0), (40, 30)), "read-only"),
        (np.ma.zeros((40, 30), np.float32), "masked array"),
        ("text", "cannot be restored into"),
    ],
    ids=repr,
)
def test_leaves_that_cannot_be_restored_into(saved: Path, leaf: Any, message: str) -> None:
    with pytest.raises(MismatchError, match=f"'w': .*{message}"):
        gpersist.load(saved, into={"w": leaf})


def test_numbers_are_replaced_where_they_stand(tmp_path: Path) -> None:
    tree = {"a": [1, 2.5, {"b": np.float32(3)}], "c": True, "w": np.ones(2), "d": ({"e": 1j},)}
    gpersist.save(tmp_path / "x", tree)
    into = {"a": [0, 0.0, {"b": np.float32(0)}], "c": False, "w": np.zeros(2), "d": ({"e": 0j},)}
    array = into["w"]
    assert gpersist.load(tmp_path / "x", into=into) is into
    assert into["a"] == tree["a"] and into["c"] is True and into["d"] == tree["d"]
    assert type(into["a"][2]["b"]) is np.float32 and type(into["a"][0]) is int
    assert into["w"] is array and array.sum() == 2
    gpersist.save(tmp_path / "y", {"t": (5, 6)})
    with pytest.raises(MismatchError, match="in 2 cases:\n  't/0': a number in a tuple cannot be restored into"):
        gpersist.load(tmp_path / "y", into={"t": (0, 0)})
    assert gpersist.load(tmp_path / "y", into={"t": (0, 0)}, partial=True) == {"t": (0, 0)}


def test_a_long_list_of_mismatches_is_cut(saved: Path) -> None:
    with pytest.raises(MismatchError, match=r"in 500 cases") as caught:
        gpersist.load(saved, into={f"v{n}": np.zeros(1) for n in range(500)})
    assert len(str(caught.value)) < 2000
    assert "and 490 more" in str(caught.value)


def test_partial_passes_over_what_does_not_fit(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    targets = {"w": np.zeros((40, 30), np.float32), "step": np.zeros(3), "other": np.ones(2), "text": "left"}
    assert gpersist.load(saved, into=targets, partial=True) is targets
    assert np.array_equal(targets["w"], values()["w"])
    assert (targets["step"].tolist(), targets["other"].tolist(), targets["text"]) == ([0, 0, 0], [1, 1], "left")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "passed over 3 tensors" in record.getMessage()


# ---- like


def test_like_gives_its_structure(saved: Path) -> None:
    found = gpersist.load(saved, like=OrderedDict(step=None, w=np.zeros((40, 30), np.float32), text="anything"))
    assert type(found) is OrderedDict
    assert list(found) == ["step", "w", "text"]
    check(found, ["step", "w", "text"])


def test_like_is_held_against_shapes_and_dtypes(saved: Path) -> None:
    with pytest.raises(MismatchError, match=r"(?s)in 3 cases.*'v'.*'w': shape.*'half': dtype"):
        gpersist.load(saved, like={"w": np.zeros(3, np.float32), "half": np.zeros(7), "v": None})
    found = gpersist.load(saved, like={"w": np.zeros(3, np.float32), "step": None, "v": 5}, partial=True)
    assert (found["w"].shape, found["step"].item(), found["v"]) == ((3,), 7, 5)
    assert gpersist.load(saved, like={"step": np.int64(0)})["step"] == 7
    with pytest.raises(MismatchError, match="'step': dtype int64 in the checkpoint, float32 asked for"):
        gpersist.load(saved, like={"step": np.float32(0)})


def test_into_and_like_exclude_each_other(saved: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="not both"):
        gpersist.load(saved, into={}, like={})


# ---- placement


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    with use_virtual(4) as devices:
        arrays: dict[str, Any] = {f"w{n}": devices[n].empty((1000,), F4) for n in range(4)}
        for n in range(4):
            arrays[f"w{n}"][...] = n
        gpersist.save(tmp_path / "x", arrays | {"host": np.ones(3), "text": "s"}, durable=False)
    return tmp_path / "x"


def places(found: dict[str, Any]) -> dict[str, str]:
    return {name: device_of(array).name.removeprefix("/device:") for name, array in found.items()}


RECORDED = {"host": "CPU:0", "text": "CPU:0", "w0": "GPU:0", "w1": "GPU:1", "w2": "GPU:2", "w3": "GPU:3"}
ON_HOST = dict.fromkeys(RECORDED, "CPU:0")


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("recorded", RECORDED),
        ("strict", RECORDED),
        ("host", ON_HOST),
        ("/device:CPU:0", ON_HOST),
        ("/gpu:2", {**dict.fromkeys(RECORDED, "GPU:2"), "text": "CPU:0"}),
        (gpersist.DeviceSpec(device_type="GPU", device_index=3), {**dict.fromkeys(RECORDED, "GPU:3"), "text": "CPU:0"}),
        ({"w[01]": "/gpu:3", "host": "/gpu:1"}, RECORDED | {"w0": "GPU:3", "w1": "GPU:3", "host": "GPU:1"}),
        ("single", {**dict.fromkeys(RECORDED, "GPU:0"), "text": "CPU:0"}),
        ("sequential", {**dict.fromkeys(RECORDED, "GPU:0"), "text": "CPU:0"}),
        (lambda name, shape, dtype, recorded: recorded.replace("GPU:3", "GPU:0") if shape == (1000,) else "host", RECORDED | {"w3": "GPU:0"}),
        (lambda name, shape, dtype, recorded: None, RECORDED),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("is_lazy", [False, True])
def test_placement_of_every_kind(placed: Path, placement: Any, expected: dict[str, str], is_lazy: bool) -> None:
    with use_virtual(4, is_lazy=is_lazy):
        found = gpersist.load(placed, placement=placement)
        assert places(found) == expected
        for n in range(4):
            assert np.array(found[f"w{n}"]).tolist() == [n] * 1000


def test_balanced_spreads_the_bytes(placed: Path) -> None:
    with use_virtual(2):
        found = places(gpersist.load(placed, [f"w{n}" for n in range(4)], placement="balanced"))
        assert sorted(found.values()) == ["GPU:0", "GPU:0", "GPU:1", "GPU:1"]


def test_cleared_devices_are_the_default_one(placed: Path) -> None:
    with use_virtual(4):
        assert places(gpersist.load(placed, clear_devices=True)) == {**dict.fromkeys(RECORDED, "GPU:0"), "text": "CPU:0"}
    assert places(gpersist.load(placed, clear_devices=True)) == ON_HOST


def test_devices_that_are_not_there_are_told_once(placed: Path, caplog: pytest.LogCaptureFixture) -> None:
    with use_virtual(2):
        assert places(gpersist.load(placed)) == RECORDED | {"w2": "GPU:0", "w3": "GPU:1"}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "2 of 5 tensors" in record.getMessage()
    caplog.clear()
    assert places(gpersist.load(placed)) == ON_HOST
    (record,) = caplog.records
    assert "4 of 5 tensors" in record.getMessage()


@pytest.mark.parametrize("placement", ["strict", "/gpu:7", {"w3": "/gpu:7"}, lambda *_: "/gpu:7"], ids=range(4))
def test_devices_that_must_be_there(placed: Path, placement: Any) -> None:
    with use_virtual(2) as devices:
        free = [device.memory().free_bytes for device in devices]
        with pytest.raises(DeviceNotFoundError):
            gpersist.load(placed, placement=placement)
        assert [device.memory().free_bytes for device in devices] == pytest.approx(free, rel=0.2)


@pytest.mark.parametrize("placement", ["everywhere", 5, {"w0": 5}, lambda *_: 5], ids=range(4))
def test_placements_that_are_none(placed: Path, placement: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        gpersist.load(placed, placement=placement)


def test_devices_without_room_are_told_before_anything_is_allocated(placed: Path) -> None:
    with use_virtual(4, 3999) as devices:
        with pytest.raises(DeviceMemoryError) as caught:
            gpersist.load(placed)
        assert all(f"/device:GPU:{n}" in str(caught.value) for n in range(4))
        assert {device.memory().free_bytes for device in devices} == {3999}
        assert places(gpersist.load(placed, placement="host")) == ON_HOST


# ---- .meta


def test_without_a_meta_the_default_device_takes_all(placed: Path, caplog: pytest.LogCaptureFixture) -> None:
    placed.with_name("x.meta").unlink()
    with use_virtual(4):
        assert places(gpersist.load(placed)) == {**dict.fromkeys(RECORDED, "GPU:0"), "text": "CPU:0"}
    assert caplog.records == []


@pytest.mark.parametrize("content", [b"\xff" * 40, b"\n\x80"])
def test_a_damaged_meta(placed: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    placed.with_name("x.meta").write_bytes(content)
    with use_virtual(4):
        assert places(gpersist.load(placed)) == {**dict.fromkeys(RECORDED, "GPU:0"), "text": "CPU:0"}
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert "x.meta" in record.getMessage()
        with pytest.raises(DataLossError, match=r"x\.meta"):
            gpersist.load(placed, placement="strict")
        gpersist.load(placed, placement="host")
        gpersist.load(placed, clear_devices=True)


# ---- damage


def test_damage_is_told_with_tensor_file_and_byte(saved: Path) -> None:
    with gpersist.open(saved) as checkpoint:
        offset = checkpoint["large"].entry.offset
    flip(saved.with_name("x.data-00000-of-00001"), offset + 700_000)
    with pytest.raises(DataLossError, match=rf"tensor 'large' in '.*x\.data-00000-of-00001' at byte {offset}: crc32c expected 0x.*, found 0x"):
        gpersist.load(saved)
    found = gpersist.load(saved, ["w", "half", "step", "text", "none"])
    check(found, found)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_noticed_whatever_it_is_read_into(saved: Path, kind: str) -> None:
    with gpersist.open(saved) as checkpoint:
        offset = checkpoint["w"].entry.offset
    flip(saved.with_name("x.data-00000-of-00001"), offset + 1)
    with use_virtual(2) as devices, pytest.raises(DataLossError, match="tensor 'w'"):
        gpersist.load(saved, into=targets_of(kind, devices))


def test_damaged_strings(saved: Path) -> None:
    with gpersist.open(saved) as checkpoint:
        offset = checkpoint["text"].entry.offset
    flip(saved.with_name("x.data-00000-of-00001"), offset + 8)
    with pytest.raises(DataLossError, match=r"tensor 'text' in .* at byte"):
        gpersist.load(saved)


def test_a_short_file_is_told_before_anything_is_allocated_or_written(saved: Path) -> None:
    data = saved.with_name("x.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-40])
    targets = like_values()
    with pytest.raises(DataLossError, match="the file is truncated"):
        gpersist.load(saved, into=targets)
    assert not any(array.any() for name, array in targets.items() if name != "text")


def test_a_shape_that_is_a_lie_allocates_nothing(tmp_path: Path) -> None:
    size = 1 << 50
    (tmp_path / "x.index").write_bytes(encode_index([(b"w", Entry(from_name("int8"), (size,), 0, 0, size, 1))], 1))
    (tmp_path / "x.data-00000-of-00001").write_bytes(b"\0" * 100)
    with pytest.raises(DataLossError, match="tensor 'w' needs bytes 0 to"):
        gpersist.load(tmp_path / "x")


def test_missing_data_files_matter_only_to_who_needs_them(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "x", {"a": np.zeros(9), "b": np.ones(9), "s": "text"}, shards={"a": 0, "b": 1, "s": 2}, durable=False)
    (tmp_path / "x.data-00000-of-00003").unlink()
    assert gpersist.load(tmp_path / "x", ["b", "s"])["b"].tolist() == [1] * 9
    with pytest.raises(CheckpointNotFoundError, match="data-00000-of-00003"):
        gpersist.load(tmp_path / "x")
    (tmp_path / "x.data-00002-of-00003").unlink()
    with pytest.raises(CheckpointNotFoundError, match="data-00002-of-00003"):
        gpersist.load(tmp_path / "x", ["b", "s"])


def test_types_that_no_array_holds_may_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.data-00000-of-00001").write_bytes(b"\0" * 8)
    entries = [(b"handle", Entry(from_name("resource"), (), 0, 0, 0, 0)), (b"w", Entry(from_name("int8"), (0,), 0, 0, 0, 2726488792))]
    (tmp_path / "x.index").write_bytes(encode_index(entries, 1))
    with pytest.raises(InvalidArgumentError, match=r"tensor 'handle' is of dtype resource.*names="):
        gpersist.load(tmp_path / "x")
    with pytest.raises(MismatchError, match="'handle': dtype resource in the checkpoint, float64 asked for"):
        gpersist.load(tmp_path / "x", into={"handle": np.zeros(())})
    assert list(gpersist.load(tmp_path / "x", ["w"])) == ["w"]


# ---- partitioned tensors

WHOLE = np.arange(4000, dtype=np.int32).reshape(40, 100)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("kind", ["new", "plain", "fortran", "virtual", "virtual fortran"])
@pytest.mark.parametrize("cuts", [["0,13:-", "13,27:-"], ["-:0,7", "-:7,93"], ["0,20:0,50", "0,20:50,50", "20,20:0,50", "20,20:50,50"]])
def test_partitioned_tensors_come_back_whole(tmp_path: Path, cuts: list[str], kind: str, shards: int) -> None:
    parts = [(text, WHOLE[TensorSlice.parse(text).region((40, 100))]) for text in cuts]
    gpersist.save(tmp_path / "x", {"p": gpersist.PartitionedArray((40, 100), parts), "w": np.ones(3)}, shards=shards, durable=False)
    with use_virtual(1) as (device,):
        if kind == "new":
            found = gpersist.load(tmp_path / "x", placement="host")["p"]
        else:
            found = (
                device.empty((100, 40), WHOLE.dtype).T if "virtual f" in kind else np.zeros((40, 100), WHOLE.dtype, "F" if kind == "fortran" else "C")
            )
            if kind == "virtual":
                found = device.empty((40, 100), WHOLE.dtype)
            gpersist.load(tmp_path / "x", into={"p": found})
        assert np.array_equal(np.array(found), WHOLE)


def test_partitioned_strings(tmp_path: Path) -> None:
    whole = np.array([[b"a", b"b"], [b"c", b"d" * 300]], object)
    gpersist.save(tmp_path / "x", {"p": gpersist.PartitionedArray((2, 2), [("-:0,1", whole[:, :1]), ("-:1,1", whole[:, 1:])])}, durable=False)
    assert gpersist.load(tmp_path / "x")["p"].tolist() == whole.tolist()
    target = np.full((2, 4), b"", object)
    gpersist.load(tmp_path / "x", into={"p": target[:, ::2]})
    assert target[:, ::2].tolist() == whole.tolist()
    assert target[:, 1::2].tolist() == [[b"", b""]] * 2


def test_parts_with_gaps_are_whole_files_but_no_whole_tensor(tmp_path: Path) -> None:
    parts = [("0,1:-", WHOLE[:1]), ("20,20:-", WHOLE[20:])]
    gpersist.save(tmp_path / "x", {"p": gpersist.PartitionedArray((40, 100), parts), "w": np.ones(3)}, durable=False)
    assert gpersist.verify(str(tmp_path / "x")).num_tensors == 2
    with pytest.raises(DataLossError, match="1900 of 4000 elements are in no slice"):
        gpersist.load(tmp_path / "x")
    with gpersist.open(tmp_path / "x") as checkpoint:
        assert checkpoint.shapes == {"p": (40, 100), "w": (3,)}
        assert checkpoint["p"].size_bytes == 21 * 100 * 4
        assert np.array_equal(checkpoint["p"][25:30, 7], WHOLE[25:30, 7])
        with pytest.raises(DataLossError, match="are in no slice"):
            checkpoint["p"][0:2]


def test_a_scalar_in_slices(tmp_path: Path) -> None:
    """Nobody writes that, but a file may say so."""
    part = TensorSlice(())
    entries = [
        (encode_slice_key("s", part), Entry(from_name("int8"), (), 0, 0, 1, 0x1E9D4F3F)),
        (b"s", Entry(from_name("int8"), (), 0, 0, 0, 0, (part,))),
    ]
    (tmp_path / "x.index").write_bytes(encode_index(entries, 1))
    (tmp_path / "x.data-00000-of-00001").write_bytes(b"\5")
    with pytest.raises(DataLossError, match=r"crc32c expected 0x1e9d4f3f, found 0x") as caught:
        gpersist.load(tmp_path / "x")
    found = int(str(caught.value).split("found ")[1][:10], 16)
    entries[0] = (entries[0][0], Entry(from_name("int8"), (), 0, 0, 1, found))
    (tmp_path / "x.index").write_bytes(encode_index(entries, 1))
    assert gpersist.load(tmp_path / "x")["s"] == 5


# ---- what TensorFlow wrote


@pytest.mark.parametrize("name", ["partitioned_v2", "partitioned_v1", "sharded_v1"])
def test_partitioned_variables_of_tensorflow(name: str) -> None:
    expected = golden_values().PARTITIONED
    found = gpersist.load(GOLDEN / "bundle" / name)
    assert list(found) == sorted(expected)
    assert all(np.array_equal(found[name], array) and found[name].dtype == array.dtype for name, array in expected.items())
    with use_virtual(2):
        on_device = gpersist.load(GOLDEN / "bundle" / name, placement="balanced")
        assert all(np.array_equal(np.array(on_device[name]), array) for name, array in expected.items())
    targets = {name: np.asfortranarray(np.zeros_like(array)) for name, array in expected.items()}
    gpersist.load(GOLDEN / "bundle" / name, into=targets)
    assert all(np.array_equal(targets[name], array) for name, array in expected.items())


def test_strings_of_tensorflow() -> None:
    expected = golden_values().STRINGS
    found = gpersist.load(GOLDEN / "bundle" / "strings_v2")
    assert {name: array.tolist() for name, array in found.items()} == {name: array.tolist() for name, array in expected.items()}


def test_every_dtype_of_tensorflow() -> None:
    expected = golden_values().DTYPES
    found = gpersist.load(GOLDEN / "bundle" / "dtypes_v1")
    assert sorted(found) == sorted(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tolist() == array.tolist() if array.dtype == object else found[name].tobytes() == array.tobytes()
