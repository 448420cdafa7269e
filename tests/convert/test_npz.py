"""npz files: NumPy's, and hostile ones."""

from __future__ import annotations

import io
import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpersist
from gpersist.convert import convert
from gpersist.convert.npz import NpzFile
from gpersist.errors import DataLossError, GPersistError, NotACheckpointError, ResourceExhaustedError, UnimplementedError
from tests.convert.conftest import same

ARRAYS = {
    "a/b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)),
    "big": np.arange(5, dtype=">f8"),
    "scalar": np.array(True),
    "empty": np.zeros((0, 2), np.uint8),
    "text": np.array([["é", "ab"]]),
    "bytes": np.array([b"x", b"yz"]),
    "long": np.arange(1 << 18, dtype=np.int64),
    "é": np.array([1j], np.complex128),
}
EXPECTED = ARRAYS | {
    "big": ARRAYS["big"].astype("<f8"),
    "text": np.array([["é".encode(), b"ab"]], object),
    "bytes": np.array([b"x", b"yz"], object),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("target", ["b", "b.safetensors", "b.npz"])
def test_numpys_files(tmp_path, save, target):
    arrays = {name: array for name, array in ARRAYS.items() if target != "b.safetensors" or name not in ("text", "bytes", "é")}
    save(tmp_path / "a.npz", **arrays)
    convert(tmp_path / "a.npz", tmp_path / target, durable=False)
    convert(tmp_path / target, tmp_path / "c", durable=False)
    assert same(tmp_path / "c", {name: EXPECTED[name] for name in arrays})


def test_numpy_reads_ours(tmp_path):
    gpersist.save(tmp_path / "a", EXPECTED, durable=False)
    convert(tmp_path / "a", tmp_path / "b.npz", durable=False)
    with np.load(tmp_path / "b.npz") as found:
        assert sorted(found.files) == sorted(EXPECTED)
        for name, array in EXPECTED.items():
            assert found[name].tolist() == array.tolist()
            assert found[name].dtype == array.dtype or array.dtype == object
    with zipfile.ZipFile(tmp_path / "b.npz") as archive:
        assert archive.testzip() is None
    first = (tmp_path / "b.npz").read_bytes()
    convert(tmp_path / "a", tmp_path / "b.npz", durable=False)
    assert (tmp_path / "b.npz").read_bytes() == first


def test_names_that_it_cannot_have(tmp_path):
    for name in ("\udcff", "a\0b", "x" * 70_000):
        gpersist.save(tmp_path / "a", {name: 1}, durable=False)
        with pytest.raises(UnimplementedError, match="npz cannot hold 1 of the 1 tensors"):
            convert(tmp_path / "a", tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([{}], object), "would run whatever code is in them"),
        (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
        (np.zeros(2, [("a", "i4"), ("b", "O")]), "would run whatever code is in them"),
        (np.zeros(2, [("a", "i4"), ("b", "f4")]), "cannot hold dtype"),
        (np.zeros(2, "V3"), "cannot hold dtype"),
    ],
)
def test_what_tensorflow_has_no_type_for(tmp_path, array, said):
    np.savez(tmp_path / "a.npz", good=np.zeros(2), bad=array)
    with pytest.raises(UnimplementedError, match=rf"member 'bad.npy'.*{said}"):
        convert(tmp_path / "a.npz", tmp_path / "b")
    assert os.listdir(tmp_path) == ["a.npz"]


def npy(array=None, header=None, version=1):
    if array is not None:
        stream = io.BytesIO()
        np.save(stream, array)
        return stream.getvalue()
    content = header if isinstance(header, bytes) else repr(header).encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(content).to_bytes(2 if version == 1 else 4, "little") + content


def archive(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, content in members:
            file.writestr(name, content)


GOOD = {"descr": "<f4", "fortran_order": False, "shape": (2,)}

HOSTILE_MEMBERS = {
    "empty": b"",
    "another magic": b"\x93NUMPX\1\0",
    "version": npy(header=GOOD, version=9) + bytes(8),
    "header past the end": b"\x93NUMPY\1\0\xff\xff{}",
    "a long header": b"\x93NUMPY\2\0\xff\xff\xff\xff{}",
    "code": npy(header=b"__import__('os').system('true')"),
    "no dict": npy(header=b"[1]"),
    "nested": npy(header=b"(" * 5000),
    "no shape": npy(header={"descr": "<f4", "fortran_order": False}),
    "a negative shape": npy(header=GOOD | {"shape": (-2,)}),
    "a shape of floats": npy(header=GOOD | {"shape": (2.0,)}),
    "a huge shape": npy(header=GOOD | {"shape": (2**62, 2**62)}),
    "more than there is": npy(header=GOOD | {"shape": (2**40,)}) + bytes(8),
    "less than there is": npy(header=GOOD | {"shape": (1,)}) + bytes(8),
    "no dtype": npy(header=GOOD | {"descr": "rubbish"}) + bytes(8),
    "a dtype of another type": npy(header=GOOD | {"descr": 3}) + bytes(8),
    "no order": npy(header=GOOD | {"fortran_order": 1}) + bytes(8),
}


@pytest.mark.parametrize("name", HOSTILE_MEMBERS)
def test_hostile_members(tmp_path, name):
    archive(tmp_path / "a.npz", [("x.npy", HOSTILE_MEMBERS[name])])
    with pytest.raises(DataLossError, match=r"a\.npz': member 'x\.npy'"):
        convert(tmp_path / "a.npz", tmp_path / "b")
    assert os.listdir(tmp_path) == ["a.npz"]


def test_hostile_archives(tmp_path):
    path = tmp_path / "a.npz"

    def refused(error, said):
        with pytest.raises(error, match=said):
            convert(path, tmp_path / "b")
        assert os.listdir(tmp_path) == ["a.npz"]

    path.write_bytes(b"")
    refused(NotACheckpointError, "empty")
    path.write_bytes(b"PK\3\4" + bytes(100))
    refused(DataLossError, "damaged or cut short")
    archive(path, [("archive/data.pkl", b"x")])
    refused(NotACheckpointError, "PyTorch")
    archive(path, [("a.npy", npy(np.zeros(2))), ("readme.txt", b"x")])
    refused(UnimplementedError, "no array")
    archive(path, [(".npy", npy(np.zeros(2)))])
    refused(UnimplementedError, "no array")
    archive(path, [("a.npy", npy(np.zeros(2)))], compression=zipfile.ZIP_LZMA)
    refused(UnimplementedError, "compressed in another way")
    with pytest.warns(UserWarning):
        archive(path, [("a.npy", npy(np.zeros(2))), ("a.npy", npy(np.zeros(2)))])
    refused(DataLossError, "twice")
    archive(path, [("a.npy", npy(np.zeros(2)))])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    refused(UnimplementedError, "encrypted")


def test_names_go_nowhere(tmp_path):
    """What a member is called is a tensor's name, and no path."""
    archive(tmp_path / "a.npz", [("../../x.npy", npy(np.float32([1]))), ("/etc/y.npy", npy(np.float32([2])))])
    convert(tmp_path / "a.npz", tmp_path / "in" / "b", durable=False)
    assert same(tmp_path / "in" / "b", {"../../x": np.float32([1]), "/etc/y": np.float32([2])})
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "in"]


def test_a_bomb_takes_no_memory(tmp_path):
    """A member that says it holds more than deflation can make of its bytes; one that is as large as it says, in an order that takes memory."""
    path = tmp_path / "a.npz"
    archive(path, [("a.npy", npy(np.zeros(1000)))], compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2") + 24
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataLossError, match="more than its"):
        convert(path, tmp_path / "b")
    np.savez_compressed(path, x=np.zeros((3000, 4000), order="F"))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ResourceExhaustedError, match="would take 96000000 of memory"):
        convert(path, tmp_path / "b")
    assert os.listdir(tmp_path) == ["a.npz"]


def test_members_that_share_bytes(tmp_path):
    path = tmp_path / "a.npz"
    archive(path, [("a.npy", npy(np.zeros(9))), ("b.npy", npy(np.zeros(9)))])
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2", content.index(b"PK\1\2") + 1) + 42  # where the second one says that it begins
    content[at : at + 4] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(DataLossError):
        convert(path, tmp_path / "b")


@pytest.mark.parametrize("comment", [b"x", b"[]", b'{"device": 3}', b'{"device": "/gpu:x"}', b'{"dtype": 3}', b"[" * 60_000])
def test_comments_of_others(tmp_path, comment):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo("x.npy")
        info.comment = comment
        file.writestr(info, npy(np.float32([1])))
    convert(path, tmp_path / "b", durable=False)
    assert gpersist.open(tmp_path / "b").device("x") in ("", "/device:CPU:0")


@pytest.mark.parametrize("noted", ["float32", "string", "nothing", "int4", "resource"])
def test_comments_that_lie(tmp_path, noted):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo("x.npy")
        info.comment = json.dumps({"dtype": noted}).encode()
        file.writestr(info, npy(np.float32([1])))
    with pytest.raises(DataLossError):
        convert(path, tmp_path / "b")


def test_damage_is_found_where_the_checksum_is(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(1000))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[4000] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    for target in ("b", "b.safetensors", "c.npz"):
        with pytest.raises(DataLossError, match="Bad CRC-32"):
            convert(tmp_path / "a.npz", tmp_path / target, durable=False)
    assert os.listdir(tmp_path) == ["a.npz"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_byte_may_be_wrong(tmp_path, data):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.arange(20, dtype=np.float32), y=np.array([b"ab"]))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), at, at + 1]))])
    try:
        with NpzFile(str(path)) as file:
            for tensor in file.tensors:
                np.asarray(tensor.content()) if tensor.content else tensor.strings()
    except GPersistError:
        pass
