"""safetensors files: those of the package `safetensors`, byte for byte, and hostile ones."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpersist
from gpersist.convert import convert
from gpersist.convert.safetensors import MAX_HEADER_BYTES, SafetensorsFile, write_safetensors
from gpersist.errors import CheckpointNotFoundError, DataLossError, InvalidArgumentError, NotACheckpointError, UnimplementedError
from tests.convert.conftest import same

GOLDEN = Path(__file__).parent.parent / "golden" / "convert"


def golden():
    found = importlib.util.spec_from_file_location("write_safetensors", GOLDEN / "write_safetensors.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_packages_file_is_read(tmp_path):
    convert(GOLDEN / "package.safetensors", tmp_path / "a", durable=False)
    assert same(tmp_path / "a", golden().arrays())


def test_ours_has_the_same_bytes(tmp_path):
    gpersist.save(tmp_path / "a", golden().arrays(), durable=False)
    from gpersist.convert.checkpoints import CheckpointFile

    with CheckpointFile(tmp_path / "a") as file:
        tensors = [dataclasses.replace(tensor, device="") for tensor in file.tensors]
        write_safetensors(str(tmp_path / "b"), tensors, golden().METADATA, in_order=False, durable=False, on_progress=None)
    assert (tmp_path / "b").read_bytes() == (GOLDEN / "package.safetensors").read_bytes()


def test_the_package_reads_ours(tmp_path):
    package = pytest.importorskip("safetensors.numpy")
    arrays = {name: array for name, array in golden().arrays().items() if "float8" not in name}
    gpersist.save(tmp_path / "a", arrays, durable=False)
    convert(tmp_path / "a", tmp_path / "b.safetensors", durable=False)
    found = package.load_file(tmp_path / "b.safetensors")
    assert {name: array.tobytes() for name, array in found.items()} == {name: np.asarray(array).tobytes() for name, array in arrays.items()}


def file_of(header, data=b"", length=None):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(content) if length is None else length).to_bytes(8, "little") + content + data


ROW = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

HOSTILE = {
    "empty": (b"", NotACheckpointError),
    "short": (b"\2\0\0\0\0\0\0\0", NotACheckpointError),
    "no brace": (file_of(b"[1, 2, 3]"), NotACheckpointError),
    "header past the end": (file_of(b"{}", length=3), DataLossError),
    "huge header": (file_of(b"{}" + b" " * 20, length=2**64 - 1), DataLossError),
    "over the limit": (file_of(b"{}" + b" " * 20, length=MAX_HEADER_BYTES + 1), DataLossError),
    "no JSON": (file_of(b'{"a":}'), DataLossError),
    "no UTF-8": (file_of(b'{"\xff": 1}'), DataLossError),
    "deep": (file_of(b'{"a":' + b"[" * 100_000), DataLossError),
    "NaN": (file_of(b'{"a": NaN}'), DataLossError),
    "long number": (file_of(b'{"a":' + b"9" * 10_000 + b"}"), DataLossError),
    "trailing": (file_of(b"{} x"), DataLossError),
    "twice": (file_of(b'{"a":%b,"a":%b}' % ((json.dumps(ROW).encode(),) * 2), bytes(8)), DataLossError),
    "twice within": (file_of(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)), DataLossError),
    "no row": (file_of({"a": []}), DataLossError),
    "no dtype": (file_of({"a": {"shape": [2], "data_offsets": [0, 8]}}, bytes(8)), DataLossError),
    "dtype of another type": (file_of({"a": ROW | {"dtype": 1}}, bytes(8)), DataLossError),
    "negative size": (file_of({"a": ROW | {"shape": [-2, -1]}}, bytes(8)), DataLossError),
    "a float as size": (file_of({"a": ROW | {"shape": [2.0]}}, bytes(8)), DataLossError),
    "true as size": (file_of({"a": ROW | {"shape": [True, 2]}}, bytes(8)), DataLossError),
    "overflow": (file_of({"a": ROW | {"shape": [2**62, 2**62]}}, bytes(8)), DataLossError),
    "wrong size": (file_of({"a": ROW | {"shape": [3]}}, bytes(8)), DataLossError),
    "ends before it begins": (file_of({"a": ROW | {"data_offsets": [8, 0]}}, bytes(8)), DataLossError),
    "one offset": (file_of({"a": ROW | {"data_offsets": [8]}}, bytes(8)), DataLossError),
    "overlap": (file_of({"a": ROW, "b": ROW | {"data_offsets": [4, 12]}}, bytes(12)), DataLossError),
    "hole": (file_of({"a": ROW, "b": ROW | {"data_offsets": [12, 20]}}, bytes(20)), DataLossError),
    "past the end": (file_of({"a": ROW}, bytes(7)), DataLossError),
    "left over": (file_of({"a": ROW}, bytes(9)), DataLossError),
    "metadata": (file_of({"__metadata__": {"a": 1}, "a": ROW}, bytes(8)), DataLossError),
    "metadata as a list": (file_of({"__metadata__": [], "a": ROW}, bytes(8)), DataLossError),
    "unknown dtype": (file_of({"a": ROW | {"dtype": "F8_E8M0", "shape": [8]}}, bytes(8)), UnimplementedError),
    "no name": (file_of({"": ROW}, bytes(8)), UnimplementedError),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    content, error = HOSTILE[name]
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(error, match=r"a\.safetensors"):
        convert(path, tmp_path / "b")
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_what_is_odd_but_right(tmp_path):
    path = tmp_path / "a.safetensors"
    rows = {"b": ROW | {"data_offsets": [8, 16]}, "none": {"dtype": "I64", "shape": [3, 0], "data_offsets": [8, 8]}, "a": ROW | {"more": 1}}
    path.write_bytes(file_of(json.dumps(rows).encode() + b"   ", np.arange(4, dtype=np.float32).tobytes()))
    convert(path, tmp_path / "b", durable=False)
    expected = {"a": np.array([0, 1], np.float32), "b": np.array([2, 3], np.float32), "none": np.zeros((3, 0), np.int64)}
    assert same(tmp_path / "b", expected)
    path.write_bytes(file_of(b"{}"))
    assert convert(path, tmp_path / "none", durable=False).num_tensors == 0
    path.write_bytes(file_of({"__metadata__": {"gpersist.devices": '{"/gpu:0": 3, "x": ["a"]}'}, "a": ROW}, bytes(8)))
    assert SafetensorsFile(str(path)).tensors[0].device == ""


def test_names_that_it_cannot_have(tmp_path):
    for name, said in {"__metadata__": "means something else", "\udcff": "UTF-8"}.items():
        gpersist.save(tmp_path / "a", {name: 1}, durable=False)
        with pytest.raises(UnimplementedError, match=said):
            convert(tmp_path / "a", tmp_path / "b.safetensors")


def test_a_header_that_is_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr("gpersist.convert.safetensors.MAX_HEADER_BYTES", 50)
    gpersist.save(tmp_path / "a", {"x": 1, "y": 2}, durable=False)
    with pytest.raises(InvalidArgumentError, match="write several files"):
        convert(tmp_path / "a", tmp_path / "b.safetensors")


def test_there_is_none(tmp_path):
    with pytest.raises(CheckpointNotFoundError):
        SafetensorsFile(str(tmp_path / "x"))


@functools.cache
def whole():
    return (GOLDEN / "package.safetensors").read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_byte_may_be_wrong(tmp_path, data):
    """A header's byte: an error of ours, or another file that makes sense. Never anything else."""
    content = bytearray(whole())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.safetensors"
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), at, at + 1]))])
    try:
        with SafetensorsFile(str(path)) as file:
            for tensor in file.tensors:
                np.asarray(tensor.content())
    except (DataLossError, UnimplementedError):
        pass
