import runpy
from pathlib import Path

import numpy as np
import pytest

from gpersist.bundle.slices import TensorSlice
from gpersist.bundle.v1_reader import V1Reader
from gpersist.bundle.v1_writer import V1Writer
from gpersist.errors import AlreadyExistsError, InvalidArgumentError, UnimplementedError
from gpersist.protos import SavedTensorSlices
from gpersist.table import TableReader

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"
VALUES = runpy.run_path(str(GOLDEN / "values.py"))


def written(add):
    pieces = []
    writer = V1Writer(pieces.append)
    add(writer)
    writer.finish()
    return b"".join(pieces)


def test_bytes_are_tensorflows_for_every_dtype():
    def add(writer):
        for name in sorted(VALUES["DTYPES"]):
            writer.add(name, VALUES["DTYPES"][name])

    assert written(add) == (GOLDEN / "dtypes_v1").read_bytes()


@pytest.mark.parametrize(
    ("file", "names"),
    [("partitioned_v1", ["columns", "rows", "whole"]), ("sharded_v1-00000-of-00002", ["columns", "rows"]), ("sharded_v1-00001-of-00002", ["whole"])],
)
def test_bytes_are_savers(file, names):
    parts = {"columns": ["0,3:0,4", "0,3:4,3"], "rows": ["0,4:0,4", "4,3:0,4", "7,3:0,4"], "whole": ["-"]}

    def add(writer):
        for name in names:
            whole = VALUES["PARTITIONED"][name]
            for text in parts[name]:
                part = TensorSlice.parse(text)
                writer.add_slice(name, whole.shape, part, whole[part.region(whole.shape)])

    assert written(add) == (GOLDEN / file).read_bytes()


def test_bytes_are_tensorflows_for_slices_in_the_order_that_it_chose():
    golden = (GOLDEN / "slices_v1").read_bytes()
    table = TableReader.from_bytes(golden, "slices_v1")
    reader = V1Reader({"slices_v1": table})

    def add(writer):
        for meta in SavedTensorSlices.FromString(table.get(b"")).meta.tensor:
            for part in reader.entry(meta.name).slices:
                writer.add_slice(meta.name, reader.entry(meta.name).shape, part, reader.read(meta.name, part))

    assert written(add) == golden


def test_any_layout_and_byte_order_is_written_alike():
    array = np.arange(6, dtype=np.float64).reshape(2, 3)
    expected = written(lambda writer: writer.add("x", array))
    for same in (array.astype(">f8"), np.asfortranarray(array), np.repeat(array, 2, axis=1)[:, ::2]):
        assert written(lambda writer, same=same: writer.add("x", same)) == expected
    swapped = array.astype(np.int32)
    assert written(lambda writer: writer.add("x", swapped.astype(">i4"))) == written(lambda writer: writer.add("x", swapped))


def test_empty_checkpoint():
    data = written(lambda writer: None)
    assert V1Reader({"x": TableReader.from_bytes(data, "x")}).names() == []


@pytest.mark.parametrize(
    ("name", "shape", "text", "array", "error", "says"),
    [
        ("x", (4,), "0,2", np.zeros(3, np.float32), InvalidArgumentError, r"slice '0,2' of shape \[4\] does not fit an array of shape \[3\]"),
        ("x", (4,), "3,2", np.zeros(2, np.float32), InvalidArgumentError, "out of bounds"),
        ("x", (4,), "-:-", np.zeros(4, np.float32), InvalidArgumentError, "2 dimensions"),
        ("old", (5,), "2,2", np.zeros(2, np.float32), InvalidArgumentError, r"is of float32\[5\], the slices added before are of float32\[4\]"),
        ("old", (4,), "2,2", np.zeros(2, np.int32), InvalidArgumentError, r"is of int32\[4\]"),
        ("old", (4,), "0,2", np.zeros(2, np.float32), AlreadyExistsError, "slice '0,2' was added before"),
        ("x", (2,), "-", np.zeros(2, np.uint32), UnimplementedError, "cannot hold uint32"),
        ("x", (2,), "-", np.zeros(2, np.longdouble), UnimplementedError, "cannot hold dtype"),
        ("x", (2,), "-", np.array([b"a", 1], object), InvalidArgumentError, r"element \[1\] is of type int"),
        ("\udcff", (2,), "-", np.zeros(2, np.float32), InvalidArgumentError, "must be UTF-8"),
        ("x", (2**29,), "-", np.broadcast_to(np.float32(0), 2**29), InvalidArgumentError, "at most 2147483648 bytes a slice"),
        ("x", (2, -1), "-:-", np.zeros(2, np.float32), InvalidArgumentError, "negative"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(name, shape, text, array, error, says):
    def before(writer):
        writer.add_slice("old", (4,), TensorSlice.parse("0,2"), np.ones(2, np.float32))

    def refused(writer):
        before(writer)
        with pytest.raises(error, match=says):
            writer.add_slice(name, shape, TensorSlice.parse(text), array)

    assert written(refused) == written(before)
