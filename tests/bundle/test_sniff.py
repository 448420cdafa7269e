"""gpersist.bundle.sniff against files that their own writers made."""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist.bundle.sniff import HEAD_BYTES, describe


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.ckpt.index"))
    return out.getvalue()


def _zip(first: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(first, b"content")
    return out.getvalue()


def _npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(3))
    return out.getvalue()


def _npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, weights=np.zeros(3))
    return out.getvalue()


KINDS = {
    "npy": (_npy(), "numpy.load"),
    "npz": (_npz(), "numpy.load"),
    "torch": (_zip("archive/data.pkl"), "torch.load"),
    "keras": (_zip("metadata.json"), "keras.models.load_model"),
    "zip": (_zip("readme.txt"), "a zip archive"),
    "pickle": (pickle.dumps({"w": [1.0]}), "never does"),
    "torch before 1.6": (pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2), "PyTorch checkpoint of the old kind"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "h5py"),
    "gzip": (gzip.compress(b"x"), "gunzip"),
    "bzip2": (bz2.compress(b"x"), "bunzip2"),
    "xz": (lzma.compress(b"x"), "unxz"),
    "zstd": (b"\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00", "unzstd"),
    "tar": (_tar(), "tar -xf"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
    "safetensors": (struct.pack("<Q", 20) + b'{"w":{"dtype":"F32"}}', "safetensors"),
    "html": (b"\n<!DOCTYPE html><html><head><title>Sign in", "HTML page"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied', "object store"),
    "saved model": (b"\x08\x01\x12\x80\x01\x0a", "variables/variables"),
    "onnx": (b"\x08\x08\x12\x07pytorch", "onnx.load"),
    "frozen graph": (b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder", "GraphDef"),
    "events": (b"\x18" + bytes(11) + b"\x09\x00\x00\x80\x8c\xc4\xf5\xd9A\x1a\x0dbrain.Event:2", "TensorBoard"),
    "state file": (b'model_checkpoint_path: "ckpt-1"\n', "give its folder"),
    "json": (b'{"weight_map": {}}', "JSON: its first line is '{\"weight_map\": {}}'"),
    "text": ("Fehler: größer\nzweite".encode(), "text: its first line is 'Fehler: größer'"),
    "a graph as text": (b'node {\n  name: "x"\n', "text: a graph in protobuf's format for it"),
    "a MetaGraphDef as text": (b"meta_info_def {\n", "under a name in .meta"),
    "text with a terminal's control codes": ("a\u009b31mred".encode(), r"a\x9b31mred"),
    "long text": (b"a" * 500, "aaa...'"),
    "empty": (b"", "0 bytes"),
    "zeros": (bytes(4096), "zero bytes"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_named(kind: str) -> None:
    content, words = KINDS[kind]
    said = describe(content[:HEAD_BYTES], len(content))
    assert said is not None
    assert words in said


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x80\x3f" * 128,  # float32 ones, a data file
        struct.pack("<Q", 10**12) + b"{",  # a safetensors header longer than its file
        b"\x00\x05\x19dense/kernel\x08\x01\x12",  # a table's first block
        b"\x0a\x04\x0a\x05xy",  # a GraphDef cut within its first name
        b"\x80\x09",
        b"plain at first \xff",
        b"\xff\xfe\xfa\xfb" * 20,
        b"   \n",
    ],
)
def test_other_bytes_are_no_known_kind(head: bytes) -> None:
    assert describe(head, len(head)) is None


def test_text_cut_within_a_character_is_text() -> None:
    head = ("x" + "é" * 400).encode()[:HEAD_BYTES]
    assert (describe(head, 801) or "").startswith("text")


@given(st.binary(max_size=300), st.integers(0, 2**63))
@settings(max_examples=200)
def test_never_raises_and_stays_short(head: bytes, size_bytes: int) -> None:
    said = describe(head, size_bytes)
    assert said is None or (len(said) < 400 and said.isprintable())
