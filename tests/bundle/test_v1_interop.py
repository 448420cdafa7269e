"""Asks real TensorFlow, in an interpreter of its own: what we write, it reads; what it writes, we read, and write again to the same bytes."""

import json
import os
import runpy
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gpersist.bundle import strings
from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.slices import TensorSlice, parse_shape_and_slice
from gpersist.bundle.v1_reader import V1Reader
from gpersist.bundle.v1_writer import V1Writer
from gpersist.dtypes import from_numpy
from gpersist.protos import BundleEntryProto, SavedTensorSlices
from gpersist.table import TableReader, build_table, mask

PYTHON = os.environ.get("GPERSIST_TF_PYTHON")
GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
VALUES = runpy.run_path(str(GOLDEN / "values.py"))

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not PYTHON, reason="GPERSIST_TF_PYTHON names no interpreter that has tensorflow"),
]

RESTORE = """
import json, sys
import tensorflow as tf
for name, text, dtype in json.loads(sys.argv[2]):
    found = tf.raw_ops.RestoreSlice(file_pattern=sys.argv[1], tensor_name=name, shape_and_slice=text, dt=dtype)
    found = tf.reshape(found, [-1]).numpy()
    print(json.dumps([item.hex() for item in (found.tolist() if dtype == "string" else [found.tobytes()])]))
"""


def tensorflow(*arguments):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([PYTHON, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def restored(path, wanted):
    return tensorflow("-c", RESTORE, path, json.dumps(wanted))


def as_told(array):
    """An array as RESTORE prints it."""
    return [item.hex() for item in (array.ravel().tolist() if array.dtype == object else [array.tobytes()])]


def test_tensorflow_restores_every_dtype_that_we_write(tmp_path):
    with open(tmp_path / "ours", "wb") as file:
        writer = V1Writer(file.write)
        for name, array in VALUES["DTYPES"].items():
            writer.add(name, array)
        writer.finish()
    arrays = VALUES["DTYPES"]
    answers = restored(tmp_path / "ours", [(name, "", from_numpy(array.dtype).name) for name, array in arrays.items()])
    assert dict(zip(arrays, answers, strict=True)) == {name: as_told(array) for name, array in arrays.items()}


def test_tensorflow_puts_our_shards_together(tmp_path):
    whole = np.arange(40, dtype=np.int64).reshape(8, 5)
    for shard, texts in enumerate((["0,3:-", "3,5:0,2"], ["3,5:2,3"])):
        with open(tmp_path / f"ours-{shard:05d}-of-00002", "wb") as file:
            writer = V1Writer(file.write)
            for text in texts:
                part = TensorSlice.parse(text)
                writer.add_slice("x", whole.shape, part, whole[part.region(whole.shape)])
            writer.finish()
    texts = ["", "8 5 2,3:1,4", "8 5 3,5:2,3"]
    answers = restored(tmp_path / "ours-?????-of-00002", [("x", text, "int64") for text in texts])
    for text, answer in zip(texts, answers, strict=True):
        part = parse_shape_and_slice(text)[1] if text else TensorSlice.full(2)
        assert answer == as_told(whole[part.region(whole.shape)])


def test_tensorflow_reads_the_dtypes_that_it_does_not_write(tmp_path):
    part = TensorSlice.full(1)
    meta, entries = SavedTensorSlices(), {}
    meta.meta.versions.producer = 1
    for name, enum, field in (("uint32", 22, "uint32_val"), ("uint64", 23, "uint64_val")):
        tensor = meta.meta.tensor.add(name=name, type=enum)
        tensor.shape.dim.add(size=2)
        tensor.slice.append(part.to_proto())
        message = SavedTensorSlices()
        message.data.name = name
        message.data.slice.CopyFrom(part.to_proto())
        getattr(message.data.data, field).extend([0, 2**31])
        entries[encode_slice_key(name, part)] = message.SerializeToString()
    entries[b""] = meta.SerializeToString()
    (tmp_path / "ours").write_bytes(build_table(sorted(entries.items()))[0])
    answers = restored(tmp_path / "ours", [(name, "", name) for name in ("uint32", "uint64")])
    assert answers == [as_told(np.array([0, 2**31], dtype)) for dtype in (np.uint32, np.uint64)]


def test_golden_files_are_still_what_tensorflow_writes_and_we_write_them_too(tmp_path):
    tensorflow(GOLDEN / "write.py", tmp_path)
    for file in ("dtypes_v1", "partitioned_v1", "sharded_v1-00000-of-00002", "sharded_v1-00001-of-00002", "slices_v1"):
        theirs = (tmp_path / file).read_bytes()
        table = TableReader.from_bytes(theirs, file)
        reader, ours = V1Reader({file: table}), []
        writer = V1Writer(ours.append)
        for meta in SavedTensorSlices.FromString(table.get(b"")).meta.tensor:
            for part in reader.entry(meta.name).slices:
                writer.add_slice(meta.name, reader.entry(meta.name).shape, part, reader.read(meta.name, part))
        writer.finish()
        assert b"".join(ours) == theirs, file
    data = (tmp_path / "strings_v2.data-00000-of-00001").read_bytes()
    index = TableReader.from_bytes((tmp_path / "strings_v2.index").read_bytes(), "index")
    for name, array in VALUES["STRINGS"].items():
        entry = BundleEntryProto.FromString(index.get(name.encode()))
        encoded, crc = strings.encode(array, name)
        assert (encoded, mask(crc)) == (data[entry.offset : entry.offset + entry.size], entry.crc32c)
    assert json.loads((tmp_path / "texts.json").read_text()) == json.loads((GOLDEN / "texts.json").read_text())
