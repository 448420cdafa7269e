"""gpersist.open: a lazy mapping of what a checkpoint holds."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpersist
from gpersist import files
from gpersist.checkpoint import reader as reader_module
from gpersist.devices import use_virtual
from gpersist.devices.virtual import VirtualDevice
from gpersist.errors import (
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    OutOfRangeError,
    TensorNotFoundError,
    UnimplementedError,
)

GOLDEN = Path(__file__).parents[1] / "golden"
W = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)


def parts_of(array: np.ndarray[Any, Any], *texts: str) -> gpersist.PartitionedArray:
    return gpersist.PartitionedArray(array.shape, [(text, array[gpersist.TensorSlice.parse(text).region(array.shape)]) for text in texts])


ARRAYS: dict[str, Any] = {
    "w": W,
    "half": W.astype(ml_dtypes.bfloat16),
    "scalar": np.array(2.5),
    "none": np.zeros((3, 0, 2), np.int16),
    "text": np.array([[b"a", b"bb"], [b"", b"c" * 200]], object),
    "one text": np.array(b"single", object),
    "rows": parts_of(W, "0,1:-:-", "1,3:-:-"),
    "blocks": parts_of(W, "0,2:0,3:-", "0,2:3,2:-", "2,2:-:0,5", "2,2:-:5,1"),
}
WHOLES = ARRAYS | {"rows": W, "blocks": W}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reader") / "x"
    gpersist.save(path, ARRAYS, durable=False, shards=2)
    return path


@pytest.fixture
def checkpoint(prefix: Path) -> Iterator[gpersist.CheckpointReader]:
    with gpersist.open(prefix) as checkpoint:
        yield checkpoint


# ---- a mapping


def test_it_is_a_mapping(checkpoint: gpersist.CheckpointReader, prefix: Path) -> None:
    assert isinstance(checkpoint, Mapping)
    assert list(checkpoint) == checkpoint.names() == list(checkpoint.keys()) == sorted(ARRAYS)
    assert len(checkpoint) == len(ARRAYS)
    assert "w" in checkpoint
    assert all(name not in checkpoint for name in ("W", 5, None))
    assert checkpoint.get("W") is None
    assert [stored.name for stored in checkpoint.values()] == sorted(ARRAYS)
    assert repr(checkpoint) == f"<CheckpointReader of {str(prefix)!r}: 8 tensors>"


@pytest.mark.parametrize(("name", "message"), [("texts", "did you mean 'text'"), (5, "no tensor 5")])
def test_what_is_not_there(checkpoint: gpersist.CheckpointReader, name: Any, message: str) -> None:
    with pytest.raises(TensorNotFoundError, match=message):
        checkpoint[name]


def test_what_is_known_without_reading(checkpoint: gpersist.CheckpointReader) -> None:
    assert checkpoint.shapes == {name: WHOLES[name].shape for name in sorted(ARRAYS)}
    assert {name: dtype.numpy for name, dtype in checkpoint.dtypes.items()} == {name: WHOLES[name].dtype for name in ARRAYS}
    blocks, scalar = checkpoint["blocks"], checkpoint["scalar"]
    assert [str(part) for part in blocks.slices] == ["0,2:0,3:-", "0,2:3,2:-", "2,2:-:0,5", "2,2:-:5,1"]
    assert (blocks.size_bytes, blocks.ndim, len(blocks), blocks.shape) == (W.nbytes, 3, 4, W.shape)
    assert (scalar.size_bytes, scalar.ndim, scalar.slices) == (8, 0, ())
    assert repr(blocks) == "<StoredTensor 'blocks': float32[4, 5, 6]>"
    with pytest.raises(TypeError, match="scalar"):
        len(scalar)


def test_no_data_file_is_opened_before_it_is_needed(prefix: Path) -> None:
    opened: list[str] = []

    class Watched(files.PosixFiles):
        def open_read(self, path: str) -> int:
            opened.append(path.rpartition("/")[2])
            return super().open_read(path)

    with files.substituted(Watched()), gpersist.open(prefix) as checkpoint:
        assert checkpoint["blocks"].size_bytes + len(checkpoint.shapes) + len(checkpoint.dtypes)
        assert set(opened) == {"x.index"}
        checkpoint["half"][0]
        assert set(opened) == {"x.index", "x.data-00000-of-00002"}
        assert checkpoint.devices["w"] == "/device:CPU:0"
        assert set(opened) == {"x.index", "x.data-00000-of-00002", "x.meta"}


def test_no_device_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with use_virtual(2) as devices:
        array = devices[1].empty((3, 4), np.dtype(np.float32))
        array[...] = 4
        gpersist.save(tmp_path / "x", {"w": array}, durable=False)

        def refuse(*arguments: Any) -> Any:
            raise AssertionError("a device was touched")

        for method in ("empty", "pinned", "stream", "memory", "record_current"):
            monkeypatch.setattr(VirtualDevice, method, refuse)
        with gpersist.open(tmp_path / "x") as checkpoint:
            stored = checkpoint["w"]
            assert type(stored.read()) is type(stored[1:]) is type(stored.map()) is np.ndarray
            assert stored.device == checkpoint.device("w") == "/device:GPU:1"
            assert checkpoint.device("nothing") == ""


def test_devices_without_a_meta(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "x", {"w": W}, durable=False, write_meta=False)
    with gpersist.open(tmp_path / "x") as checkpoint:
        assert checkpoint.devices == {"w": ""}


def test_devices_of_a_damaged_meta(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "x", {"w": W}, durable=False)
    (tmp_path / "x.meta").write_bytes(b"\xff" * 9)
    with gpersist.open(tmp_path / "x") as checkpoint:
        assert np.array_equal(checkpoint["w"], W)
        with pytest.raises(DataLossError, match=r"x\.meta"):
            checkpoint["w"].device  # noqa: B018


# ---- reading


@pytest.mark.parametrize("name", ARRAYS)
def test_the_whole(checkpoint: gpersist.CheckpointReader, name: str) -> None:
    expected = WHOLES[name]
    for found in (checkpoint[name].read(), np.asarray(checkpoint[name]), checkpoint[name][...]):
        assert (type(found), found.dtype, found.shape) == (np.ndarray, expected.dtype, expected.shape)
        assert found.tolist() == expected.tolist()


def test_conversion_to_an_array(checkpoint: gpersist.CheckpointReader) -> None:
    assert np.asarray(checkpoint["w"], np.float64).dtype == np.float64
    assert not np.asarray(checkpoint["w"], copy=False).flags.writeable
    with pytest.raises(ValueError, match="would have to be copied"):
        np.asarray(checkpoint["w"], np.float64, copy=False)
    assert np.sum(checkpoint["w"]) == W.sum()


def test_iteration_gives_rows(checkpoint: gpersist.CheckpointReader) -> None:
    assert [row.tolist() for row in checkpoint["blocks"]] == W.tolist()
    assert list(checkpoint["none"])[2].shape == (0, 2)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(ARRAYS)), st.data())
def test_every_basic_index_gives_what_numpy_gives(checkpoint: gpersist.CheckpointReader, name: str, data: st.DataObject) -> None:
    array = WHOLES[name]
    index = data.draw(hnp.basic_indices(array.shape, allow_newaxis=False))
    expected, found = array[index], checkpoint[name][index]
    assert type(found) is type(expected)
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).tolist() == np.asarray(expected).tolist()
    assert getattr(found, "dtype", None) == getattr(expected, "dtype", None)


@pytest.mark.parametrize("index", [4, -5, (0, 5), (..., 6)], ids=repr)
def test_indices_out_of_range(checkpoint: gpersist.CheckpointReader, index: Any) -> None:
    with pytest.raises(IndexError):
        W[index]
    with pytest.raises(OutOfRangeError, match=r"tensor 'w'.* is out of range for a dimension of"):
        checkpoint["w"][index]


@pytest.mark.parametrize(
    "index",
    [
        None,
        True,
        np.True_,
        1.5,
        "a",
        [0, 1],
        np.array([0, 1]),
        (0, [1]),
        slice("a", None),
        slice(0, 4, 0),
        (..., ...),
        (0, 0, 0, 0),
        (0, 0, 0, ..., 0),
    ],
    ids=repr,
)
def test_indices_that_are_not_basic(checkpoint: gpersist.CheckpointReader, index: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="tensor 'w': index"):
        checkpoint["w"][index]


@pytest.mark.parametrize("name", ["w", "rows", "blocks", "half"])
@pytest.mark.parametrize("text", ["-:-:-", "1,2:-:-", "0,2:2,2:4,2", "3,1:4,1:5,1", "1,2:1,3:1,4"])
def test_slices_in_tensorflows_words(checkpoint: gpersist.CheckpointReader, name: str, text: str) -> None:
    part = gpersist.TensorSlice.parse(text)
    expected = WHOLES[name][part.region(W.shape)]
    for found in (checkpoint[name].read_slice(text), checkpoint[name].read_slice(part)):
        assert np.array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_slices_of_text_and_scalars(checkpoint: gpersist.CheckpointReader) -> None:
    assert checkpoint["text"].read_slice("1,1:-").tolist() == [[b"", b"c" * 200]]
    found = checkpoint["one text"].read_slice("")
    assert (found.dtype, found.shape, found.item()) == (np.dtype(object), (), b"single")
    assert checkpoint["scalar"].read_slice("").tolist() == 2.5
    assert checkpoint["one text"][()] == b"single"


@pytest.mark.parametrize("text", ["0,5:-:-", "-:-", "x:-:-"])
def test_slices_that_do_not_fit(checkpoint: gpersist.CheckpointReader, text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        checkpoint["w"].read_slice(text)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple), st.data())
def test_slices_across_differing_slicings(tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...], data: st.DataObject) -> None:
    whole = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    cuts = [sorted({0, size, data.draw(st.integers(0, size))}) for size in shape]
    grid = np.array(np.meshgrid(*[range(len(cut) - 1) for cut in cuts], indexing="ij")).reshape(len(shape), -1).T
    texts = [":".join(f"{cut[at]},{cut[at + 1] - cut[at]}" for cut, at in zip(cuts, cell, strict=True)) for cell in grid.tolist()]
    folder = tmp_path_factory.mktemp("slicing")
    gpersist.save(folder / "x", {"p": parts_of(whole, *data.draw(st.permutations(texts)))}, durable=False, write_meta=False)
    wanted = []
    for size in shape:
        start = data.draw(st.integers(0, size - 1))
        wanted.append((start, data.draw(st.integers(1, size - start))))
    part = gpersist.TensorSlice(tuple(wanted))
    with gpersist.open(folder / "x") as checkpoint:
        assert np.array_equal(checkpoint["p"].read_slice(part), whole[part.region(shape)])


@pytest.mark.parametrize("block", [64, 1 << 10, 1 << 22])
@pytest.mark.parametrize("run", [1, 200, 1 << 16])
def test_every_way_to_read_a_region_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, run: int) -> None:
    """Runs of bytes, rows of some at a time, and rows that are larger than a block."""
    whole = np.arange(7 * 11 * 13, dtype=np.int32).reshape(7, 11, 13)
    gpersist.save(tmp_path / "x", {"w": whole, "p": parts_of(whole, "-:-:0,6", "-:-:6,7")}, durable=False)
    monkeypatch.setattr(reader_module, "_BLOCK_BYTES", block)
    monkeypatch.setattr(reader_module, "_LONG_RUN_BYTES", run)
    with gpersist.open(tmp_path / "x") as checkpoint:
        for index in [
            (slice(2, 5), slice(3, 7), slice(4, 9)),
            (slice(None), 3),
            (..., 5),
            (1, slice(2, 4)),
            (slice(1, 6), slice(None), slice(0, 12)),
        ]:
            for name in ("w", "p"):
                assert np.array_equal(checkpoint[name][index], whole[index])


def test_columns_that_are_put_together_take_few_calls(tmp_path: Path) -> None:
    whole = np.zeros((5000, 4), np.float32)
    gpersist.save(tmp_path / "x", {"p": parts_of(whole, "-:0,1", "-:1,3")}, durable=False)
    calls: list[int] = []

    class Counted(files.PosixFiles):
        def preadv(self, *arguments: Any) -> int:
            calls.append(1)
            return super().preadv(*arguments)

    with files.substituted(Counted()), gpersist.open(tmp_path / "x") as checkpoint:
        calls.clear()
        checkpoint["p"][1:4999]
        assert len(calls) < 10


# ---- mapped


def test_maps_are_the_file(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "x", {"w": W, "half": W.astype(ml_dtypes.bfloat16), "none": np.zeros((0, 2)), "step": np.int64(7)}, durable=False)
    checkpoint = gpersist.open(tmp_path / "x")
    mapped = {name: stored.map() for name, stored in checkpoint.items()}
    checkpoint.close()
    for array in mapped.values():
        assert not array.flags.writeable
        assert array.flags.aligned
    gpersist.save(tmp_path / "x", {"w": W + 1}, durable=False)  # what was mapped stays what it was
    assert np.array_equal(mapped["w"], W)
    assert np.array_equal(mapped["half"], W.astype(ml_dtypes.bfloat16))
    assert (mapped["none"].shape, mapped["none"].dtype, mapped["step"].item()) == ((0, 2), np.float64, 7)


def test_what_cannot_be_mapped(tmp_path: Path, checkpoint: gpersist.CheckpointReader) -> None:
    gpersist.save(tmp_path / "x", {"a": np.int8(1), "b": W}, durable=False, alignment_bytes=1)
    with gpersist.open(tmp_path / "x") as packed:
        assert packed["a"].map() == 1
        with pytest.raises(InvalidArgumentError, match="tensor 'b' cannot be mapped: it begins at byte 1, which is not aligned"):
            packed["b"].map()
    with pytest.raises(InvalidArgumentError, match="tensor 'rows' cannot be mapped: it is stored in slices"):
        checkpoint["rows"].map()
    with pytest.raises(UnimplementedError, match="tensor 'text'"):
        checkpoint["text"].map()


# ---- damage, and the end


def test_rows_that_a_cut_file_has_are_read(tmp_path: Path) -> None:
    rows = np.arange(3_000_000, dtype=np.float32).reshape(-1, 3)
    gpersist.save(tmp_path / "x", {"rows": rows, "one row": rows.reshape(1, -1)})
    data = tmp_path / "x.data-00000-of-00001"
    os.truncate(data, data.stat().st_size * 4 // 5 + 5)  # "one row" comes first
    with gpersist.open(tmp_path / "x") as checkpoint:
        stored = checkpoint["rows"]
        have = (data.stat().st_size - stored.entry.offset) // 4
        assert have % 3 > 0, "the cut is within a row"
        assert np.array_equal(stored[: have // 3], rows[: have // 3])
        assert np.array_equal(stored[100 : have // 3 + 1, :1], rows[100 : have // 3 + 1, :1])
        assert np.array_equal(stored.read_slice(f"0,{have // 3}:-"), rows[: have // 3])
        assert np.array_equal(np.memmap(stored.path, np.float32, "r", stored.entry.offset, (have // 3, 3)), rows[: have // 3])
        for key in (slice(have // 3 + 1), have // 3 + 1, slice(-1, None)):
            with pytest.raises(DataLossError, match="the file is truncated"):
                stored[key]
        with pytest.raises(DataLossError, match="the file is truncated"):
            stored.map()
    os.truncate(data, 5000)
    with gpersist.open(tmp_path / "x") as checkpoint:
        assert np.array_equal(checkpoint["one row"][0, 10:1000], rows.reshape(-1)[10:1000])
        with pytest.raises(DataLossError, match="the file is truncated"):
            checkpoint["one row"][0, 10:1300]


@pytest.mark.parametrize("value", [np.ones(3), b"some text", np.array([b"a", b"b" * 20], object)], ids=["numbers", "text", "texts"])
def test_small_tensors_of_a_file_that_is_a_pointer_to_it(tmp_path: Path, value: Any) -> None:
    gpersist.save(tmp_path / "x", {"small": value})
    data = tmp_path / "x.data-00000-of-00001"
    data.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 100\n")
    expected = r"tensor 'small' is in '.*x.data-00000-of-00001', which is a Git-LFS pointer"
    with pytest.raises(DataLossError, match=expected):
        gpersist.load(tmp_path / "x")
    with pytest.raises(DataLossError, match=expected):
        gpersist.verify(tmp_path / "x")
    with gpersist.open(tmp_path / "x") as checkpoint, pytest.raises(DataLossError, match=expected):
        checkpoint["small"].read()


def test_damage_is_noticed_where_there_is_a_checksum(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "x", {"w": W, "s": "text"}, durable=False)
    data = tmp_path / "x.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    with gpersist.open(tmp_path / "x") as checkpoint:
        for name in ("w", "s"):
            content[checkpoint[name].entry.offset + 5] ^= 1
        data.write_bytes(content)
        for name in ("w", "s"):
            with pytest.raises(DataLossError, match=f"tensor '{name}'"):
                checkpoint[name].read()
    data.write_bytes(content[:100])
    with gpersist.open(tmp_path / "x") as checkpoint:
        for read in (checkpoint["w"].read, checkpoint["w"].map, lambda: checkpoint["w"][2:3]):
            with pytest.raises(DataLossError, match="the file is truncated"):
                read()


@pytest.mark.parametrize("path", ["x", "bundle/sharded_v1"])
def test_a_closed_reader_reads_nothing(prefix: Path, path: str) -> None:
    checkpoint = gpersist.open(prefix if path == "x" else GOLDEN / path)
    stored = next(stored for stored in checkpoint.values() if stored.shape)
    stored.read()
    checkpoint.close()
    checkpoint.close()
    for read in (stored.read, lambda: stored[0:1]):
        with pytest.raises(FailedPreconditionError, match="is closed"):
            read()
    assert len(checkpoint) == len(list(checkpoint))


def test_threads_may_share_a_reader(checkpoint: gpersist.CheckpointReader) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                for name in ("w", "blocks", "rows"):
                    assert np.array_equal(checkpoint[name].read(), W)
                    assert np.array_equal(checkpoint[name][1:3, 2], W[1:3, 2])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# ---- what TensorFlow wrote


def golden_values() -> Any:
    spec = importlib.util.spec_from_file_location("golden_values", GOLDEN / "bundle" / "values.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["partitioned_v2", "partitioned_v1", "sharded_v1"])
def test_partitioned_variables_of_tensorflow(name: str) -> None:
    with gpersist.open(GOLDEN / "bundle" / name) as checkpoint:
        for tensor, expected in golden_values().PARTITIONED.items():
            stored = checkpoint[tensor]
            assert np.array_equal(stored.read(), expected)
            assert np.array_equal(stored[1:3], expected[1:3])
            assert np.array_equal(stored[::-1, 1] if expected.ndim > 1 else stored[::-1], expected[::-1, 1] if expected.ndim > 1 else expected[::-1])


@pytest.mark.parametrize("name", ["slices_v2", "slices_v1"])
def test_slices_of_tensorflow(name: str) -> None:
    """Among them a tensor of 2**63 - 1 elements, most of which nobody stored."""
    with gpersist.open(GOLDEN / "bundle" / name) as checkpoint:
        for tensor, text, expected in golden_values().SLICED:
            found = checkpoint[tensor.decode("utf-8", "surrogateescape")].read_slice(text.rpartition(" ")[2])
            assert np.array_equal(found, expected)
        assert checkpoint["huge"][8191 + 3] == 3
        assert checkpoint["cross"][1:3, 2:5].tolist() == checkpoint["cross"].read()[1:3, 2:5].tolist()
        with pytest.raises(DataLossError, match="are in no slice"):
            checkpoint["huge"][0:9]


def test_a_v1_checkpoint(checkpoint: gpersist.CheckpointReader) -> None:
    with gpersist.open(GOLDEN / "bundle" / "dtypes_v1") as v1:
        expected = golden_values().DTYPES
        assert v1.shapes == {name: expected[name].shape for name in sorted(expected)}
        assert v1["string"][1].tolist() == expected["string"][1].tolist()
        assert v1["int32"].size_bytes == expected["int32"].nbytes
        assert v1["scalar"][()] == 42
        with pytest.raises(UnimplementedError, match="V1"):
            v1["int32"].map()
