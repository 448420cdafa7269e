"""gpersist.save: what is written, by whichever route, and what is refused before any file is there."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpersist
from gpersist import files
from gpersist.bundle import is_temporary
from gpersist.checkpoint.tree import flatten
from gpersist.devices import device_of, use_virtual
from gpersist.dtypes import all_dtypes
from gpersist.errors import GPersistError, InvalidArgumentError, UnimplementedError

NUMBERS = [dtype.numpy for dtype in all_dtypes() if dtype.numpy is not None and not dtype.is_string]


def save(prefix: Any, arrays: Any, **options: Any) -> gpersist.SaveResult:
    return gpersist.save(prefix, arrays, **{"durable": False, **options})


def content(prefix: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in prefix.parent.iterdir() if path.name.startswith(prefix.name + ".")}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype == object:
        return bool(one.shape == other.shape and one.tolist() == other.tolist())
    return bool((one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()))


# ---- round trips

ARRAY = st.one_of(
    st.sampled_from(NUMBERS).flatmap(
        lambda dtype: hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5).map(
            lambda shape: (np.arange(int(np.prod(shape)) * dtype.itemsize, dtype=np.uint8) % 2).view(dtype).reshape(shape)
        )
    ),
    hnp.arrays(object, hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4), elements=st.binary(max_size=200)),
)
NAME = st.text(min_size=1, max_size=6).filter(lambda name: name[0] != "\0")


@settings(max_examples=60)
@given(st.dictionaries(NAME, ARRAY, max_size=6), st.sampled_from([1, 8, 64, 4096]), st.integers(1, 4), st.booleans(), st.booleans())
def test_what_is_saved_comes_back(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any], alignment: int, shards: int, asynchronous: bool, on_devices: bool
) -> None:
    prefix = tmp_path_factory.mktemp("trip") / "x"
    with use_virtual(2) as devices:
        given = dict(arrays)
        for number, (name, array) in enumerate(arrays.items()):
            if on_devices and array.dtype != object:
                given[name] = devices[number % 2].empty(array.shape, array.dtype)
                given[name][...] = array
        options = {"durable": False, "alignment_bytes": alignment, "shards": shards}
        result = gpersist.save_async(prefix, given, **options).result() if asynchronous else gpersist.save(prefix, given, **options)
        found = gpersist.load(prefix)
        assert sorted(found) == sorted(arrays)
        assert all(same(found[name], array) for name, array in arrays.items())
        assert {name: device_of(found[name]) for name in arrays} == {name: device_of(array) for name, array in given.items()}
        assert gpersist.verify(str(prefix)).num_tensors == result.num_tensors == len(arrays)


def arrays_of_all_sizes() -> dict[str, Any]:
    """Some split into several extents, many that share one, some without bytes."""
    random = np.random.default_rng(7)
    arrays: dict[str, Any] = {f"small/{n:03}": random.random(n % 23).astype(np.float32) for n in range(300)}
    arrays["large"] = random.integers(0, 255, (1300, 1001), np.uint8)
    arrays["wide"] = random.random((300, 601))[:, 1::2]
    arrays["fortran"] = np.asfortranarray(random.random((333, 555)))
    arrays["big_endian"] = random.random(70_001).astype(">f8")
    arrays["half"] = random.random(1001).astype(ml_dtypes.bfloat16)
    arrays["complex"] = random.random((2, 99)).astype(np.complex64)
    arrays["text"] = np.array([b"a", b"", b"c" * 3000], object)
    arrays["scalar"] = 7
    return arrays


ROUTES: dict[str, dict[str, Any]] = {
    "one thread": {"threads": 1},
    "four threads": {"threads": 4},
    "durable": {"durable": True},
    "direct": {"direct_io": True},
    "direct, tiny ring": {"direct_io": True, "ring_bytes": 8192, "threads": 3},
    "asynchronous": {},
    "virtual": {},
    "virtual, tiny ring": {"ring_bytes": 8192},
    "virtual, asynchronous": {},
    "virtual, direct": {"direct_io": True, "ring_bytes": 1 << 16},
    "lazy virtual, asynchronous": {"threads": 2},
}


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("alignment", [1, 64])
def test_every_route_writes_the_same_bytes(tmp_path: Path, alignment: int, shards: int) -> None:
    arrays = arrays_of_all_sizes()
    options: dict[str, Any] = {"durable": False, "alignment_bytes": alignment, "shards": shards, "devices": dict.fromkeys(arrays, "/device:CPU:0")}
    gpersist.save(tmp_path / "host" / "x", arrays, **options)
    expected = content(tmp_path / "host" / "x")
    assert len(expected) == shards + 2
    for route, more in ROUTES.items():
        prefix = tmp_path / route / "x"
        with use_virtual(3, is_lazy="lazy" in route) as devices:
            given = dict(arrays)
            if "virtual" in route:
                for device, name in zip(itertools.cycle(devices), arrays, strict=False):
                    if name.startswith(("small", "large", "half", "complex")):
                        given[name] = device.empty(arrays[name].shape, arrays[name].dtype)
                        given[name][...] = arrays[name]
            if "asynchronous" in route:
                gpersist.save_async(prefix, given, **{**options, **more}).result()
            else:
                gpersist.save(prefix, given, **{**options, **more})
        assert content(prefix) == expected, route


def test_aligned_tensors_can_be_mapped(tmp_path: Path) -> None:
    arrays = {name: array for name, array in arrays_of_all_sizes().items() if name != "text"}
    save(tmp_path / "x", arrays, alignment_bytes=4096)
    with gpersist.open(tmp_path / "x") as checkpoint:
        for name, array in arrays.items():
            entry = checkpoint[name].entry
            assert entry.offset % 4096 == 0
            assert same(checkpoint[name].map(), np.asarray(array, checkpoint[name].dtype.numpy))


def test_trees_are_flattened(tmp_path: Path) -> None:
    tree = {"net": [np.zeros(2), {"b": np.ones(3)}], "step": 4, 5: "five"}
    save(tmp_path / "x", tree)
    assert list(gpersist.load(tmp_path / "x")) == ["5", "net/0", "net/1/b", "step"]
    assert list(flatten(tree)) == ["net/0", "net/1/b", "step", "5"]


@pytest.mark.parametrize("name", ["é", " ", "/", "//a", "a b", "_a", ".", "../../x", "a\n", "x" * 5000, "\udcff\udcfe", "🌊", "a\0b", "a:0"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    save(tmp_path / "x", {name: np.arange(3), "plain": 1})
    assert gpersist.load(tmp_path / "x")[name].tolist() == [0, 1, 2]
    assert len(names(tmp_path)) == 3


def test_saving_nothing(tmp_path: Path) -> None:
    result = save(tmp_path / "x", {})
    assert (result.num_tensors, result.total_bytes, result.num_shards) == (0, 0, 1)
    assert gpersist.load(tmp_path / "x") == {}
    gpersist.save_async(tmp_path / "y", {}).result()
    assert gpersist.load(tmp_path / "y") == {}


# ---- saving again


def test_saving_again_and_again_leaves_one_checkpoint(tmp_path: Path) -> None:
    counts = []
    for step in range(6):
        save(tmp_path / "x", {"w": np.full(1000, step)}, shards=1 if step < 4 else 2)
        (*data, index, meta) = names(tmp_path)
        assert (index, meta) == ("x.index", "x.meta")
        counts.append([name[-1] for name in data])
        assert gpersist.load(tmp_path / "x")["w"][7] == step
    assert counts == [["1"], ["2"], ["1"], ["2"], ["1"], ["2"]]  # one file, named after one shard or two by turns: a single tensor is not cut


def test_saving_fewer_shards_over_more(tmp_path: Path) -> None:
    save(tmp_path / "x", {"a": np.zeros(9), "b": np.zeros(9), "c": np.zeros(9)}, shards=3)
    save(tmp_path / "x", {"a": np.ones(9)}, shards={"a": 0})
    assert names(tmp_path) == ["x.data-00000-of-00001", "x.index", "x.meta"]
    assert gpersist.load(tmp_path / "x")["a"].tolist() == [1] * 9


# ---- results and options


def test_what_a_result_says(tmp_path: Path) -> None:
    arrays = {
        "a": np.zeros((3, 5), np.float32),
        "b": np.zeros(0),
        "s": "four",
        "p": gpersist.PartitionedArray((2,), [("0,1", np.ones(1))]),
    }
    result = save(tmp_path / "x", arrays, shards=2)
    assert os.fspath(result) == result.prefix == str(tmp_path / "x")
    assert (result.num_tensors, result.total_bytes, result.num_shards) == (4, 60 + 0 + 9 + 8, 2)
    assert 0 < result.blocked_s == result.duration_s < 60
    later = gpersist.save_async(tmp_path / "y", arrays).result()
    assert 0 < later.blocked_s < later.duration_s


@pytest.mark.parametrize("options", [{}, {"direct_io": True}, {"threads": 1}, {"shards": 3}, {"alignment_bytes": 4096}], ids=str)
def test_progress_sums_to_the_total(tmp_path: Path, options: dict[str, Any]) -> None:
    told: list[int] = []
    arrays = arrays_of_all_sizes()
    result = save(tmp_path / "x", arrays, on_progress=told.append, **options)
    assert sum(told) == result.total_bytes
    told.clear()
    gpersist.load(tmp_path / "x", on_progress=told.append)
    assert sum(told) == result.total_bytes
    told.clear()
    gpersist.verify(str(tmp_path / "x"), on_progress=told.append)
    assert sum(told) == result.total_bytes


def test_a_progress_that_raises_stops_the_save(tmp_path: Path) -> None:
    def refuse(size_bytes: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save(tmp_path / "x", {"a": np.zeros(9)}, on_progress=refuse)
    assert names(tmp_path) == []


def test_no_meta_if_not_wanted(tmp_path: Path) -> None:
    save(tmp_path / "x", {"a": 1}, write_meta=False)
    assert names(tmp_path) == ["x.data-00000-of-00001", "x.index"]


def test_devices_recorded_are_those_given_or_where_arrays_live(tmp_path: Path) -> None:
    with use_virtual(2) as devices:
        arrays = {"a": devices[1].empty((2,), np.dtype(np.float32)), "b": 1.0, "c": 2.0, "d": 3.0, "s": "text"}
        given = {"b": "/job:worker/task:3/gpu:7", "c": devices[0], "d": gpersist.DeviceSpec(device_type="GPU", device_index=5)}
        save(tmp_path / "x", arrays, devices=given)
        with gpersist.open(tmp_path / "x") as checkpoint:
            assert checkpoint.devices == {
                "a": "/device:GPU:1", "b": "/job:worker/task:3/gpu:7", "c": "/device:GPU:0", "d": "/device:GPU:5", "s": "/device:CPU:0",
            }  # fmt: skip


# ---- refused, before there is a file

BAD: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    ({"x": None}, {}, InvalidArgumentError, "tensor 'x'"),
    ({"x": object()}, {}, InvalidArgumentError, "tensor 'x'"),
    ({"": 1}, {}, InvalidArgumentError, "tensor name"),
    ({"a/b": 1, "a": {"b": 2}}, {}, InvalidArgumentError, "both come to the name"),
    (np.zeros(3), {}, InvalidArgumentError, "expected a dict"),
    (None, {}, InvalidArgumentError, "expected a dict"),
    ({"x": np.zeros(2, "M8[s]")}, {}, UnimplementedError, "tensor 'x'"),
    ({"x": np.array([1, "a"], object)}, {}, InvalidArgumentError, "tensor 'x'"),
    ({"x": "\ud800"}, {}, GPersistError, "tensor 'x'"),
    ({"x": gpersist.PartitionedArray((4,), [("0,5", np.zeros(5))])}, {}, InvalidArgumentError, "tensor 'x'"),
    ({"x": 1}, {"alignment_bytes": 3}, InvalidArgumentError, "power of two"),
    ({"x": 1}, {"shards": 0}, InvalidArgumentError, "shards"),
    ({"x": 1}, {"shards": {}}, InvalidArgumentError, "'x'"),
    ({"x": 1}, {"shards": {"x": "first"}}, InvalidArgumentError, "'first'"),
    ({"x": 1}, {"devices": {"X": "/gpu:0"}}, InvalidArgumentError, "did you mean 'x'|not among"),
    ({"x": 1}, {"devices": {"x": "gpu zero"}}, InvalidArgumentError, "gpu zero"),
    ({"x": 1}, {"devices": {"x": 3}}, InvalidArgumentError, "device string"),
    ({"x": 1}, {"ring_bytes": 8191}, InvalidArgumentError, "ring_bytes"),
    ({"x": 1}, {"ring_bytes": "1"}, InvalidArgumentError, "ring_bytes"),
    ({"x": 1}, {"threads": 0}, InvalidArgumentError, "threads"),
    ({"x": 1}, {"threads": "2"}, InvalidArgumentError, "threads"),
    ({"x": 1}, {"unheard_of": 1}, TypeError, "unheard_of"),
]


@pytest.mark.parametrize("call", [gpersist.save, gpersist.save_async])
@pytest.mark.parametrize(("arrays", "options", "kind", "message"), BAD, ids=[f"{number}-{row[3]}" for number, row in enumerate(BAD)])
def test_what_makes_no_sense_is_told_before_there_is_a_file(
    tmp_path: Path, call: Any, arrays: Any, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        call(tmp_path / "new" / "x", arrays, **options)
    assert names(tmp_path) == []


@pytest.mark.parametrize("prefix", [None, "", 5, "dir/", "a\0b", ".", ".."])
def test_prefixes_that_are_none(prefix: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgumentError, match="prefix"):
        gpersist.save(prefix, {"x": 1})
    assert names(tmp_path) == []


def test_a_save_that_fails_leaves_nothing_and_keeps_no_array(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Full(files.PosixFiles):
        def pwritev(self, *arguments: Any) -> None:
            raise gpersist.OutOfSpaceError("cannot write: no space")

    with use_virtual(1, 8 << 20) as (device,):
        array = device.empty((1 << 20,), np.dtype(np.uint8))
        array[...] = 1
        free = device.memory().free_bytes
        with files.substituted(Full()):
            handle = gpersist.save_async(tmp_path / "x", {"w": array, "v": array[::2]})
            with pytest.raises(gpersist.OutOfSpaceError, match="while saving tensor") as caught:
                handle.result()
        assert caught.value is handle.exception()
        assert names(tmp_path) == []
        assert device.memory().free_bytes == free  # the error is still held, the copies are not
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# ---- memory

MEASURE = """
import json, sys
import numpy as np
import gpersist
from gpersist.devices import use_virtual

def peak_kib(field):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field))

kind, prefix = sys.argv[1:]
size = 300 << 20
with use_virtual(1) as (device,):
    if kind == "virtual":
        arrays = {"w": device.empty((size // 4,), np.dtype(np.float32))}
        arrays["w"][...] = 1
    elif kind == "scattered":
        arrays = {"w": np.ones((size // 4096, 1024), np.float32).T, "s": np.ones(0)}
    else:
        arrays = {f"w{n}": np.ones(size // 16, np.float32) for n in range(4)}
    gpersist.save(prefix + "-warm", {"w": np.ones(9)}, durable=False)
    found = {}
    for what in ("save", "load"):
        open("/proc/self/clear_refs", "w").write("5")
        before = peak_kib("VmRSS")
        if what == "save":
            gpersist.save(prefix, arrays, durable=False, **json.loads(sys.stdin.read()))
        else:
            gpersist.load(prefix, into=arrays)
        found[what] = (peak_kib("VmHWM") - before) / 1024
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("kind", "options"),
    [("contiguous", {}), ("virtual", {}), ("scattered", {}), ("contiguous", {"direct_io": True})],
    ids=["contiguous", "virtual", "scattered", "direct"],
)
def test_memory_beside_the_arrays_is_the_ring_and_little_more(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind, str(tmp_path / "x")],
        input=json.dumps(options), capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found_mib = json.loads(done.stdout)
    ring_mib = 64 if kind == "virtual" or options else 0
    assert found_mib["save"] < ring_mib + 32
    assert found_mib["load"] < (64 if kind == "virtual" else 0) + 32


def test_nothing_under_way_is_left(tmp_path: Path) -> None:
    save(tmp_path / "x", {"a": 1})
    assert not [name for name in names(tmp_path) if is_temporary(name)]
