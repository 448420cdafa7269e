from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpersist import files
from gpersist.bundle import data_path, encode_slice_key
from gpersist.bundle.entries import Entry, EntryColumns, encode_entry, encode_header
from gpersist.bundle.index import Index, IndexImage, encode_index, nearest, read_index, read_num_shards
from gpersist.bundle.slices import TensorSlice
from gpersist.dtypes import from_name
from gpersist.errors import CheckpointNotFoundError, DataLossError, FileError, NotACheckpointError, TensorNotFoundError, UnimplementedError
from gpersist.files import PosixFiles
from gpersist.protos import BundleHeaderProto
from gpersist.table import build_table, crc32c, mask

GOLDEN = Path(__file__).parents[1] / "golden"
FOLDERS = GOLDEN / "bundle", GOLDEN / "checkpoints"
INDEXES = sorted(path.relative_to(GOLDEN).as_posix().removesuffix(".index") for folder in FOLDERS for path in folder.rglob("*.index"))
FLOAT = from_name("float32")
ROWS = TensorSlice.parse("0,2:-"), TensorSlice.parse("2,2:-")


def write(tmp_path: Path, items: list[tuple[bytes, bytes]], header: bytes | None = None) -> str:
    prefix = str(tmp_path / "ckpt")
    Path(prefix + ".index").write_bytes(build_table([(b"", encode_header(1) if header is None else header), *sorted(items)])[0])
    return prefix


def partitioned(tmp_path: Path, parts: list[tuple[TensorSlice, Entry]], shape: tuple[int, ...] = (4, 3)) -> str:
    full = Entry(FLOAT, shape, 0, 0, 0, 0, tuple(part for part, _ in parts))
    items = {encode_slice_key("w", part): encode_entry(entry) for part, entry in parts}
    return write(tmp_path, [*items.items(), (b"w", encode_entry(full))])


# ---- real ones


def test_there_are_golden_indexes() -> None:
    assert len(INDEXES) >= 12


@pytest.mark.parametrize("name", INDEXES)
def test_every_entry_fits_tensorflows_data_files(name: str) -> None:
    """Each range read as the index has it has the crc that the index has; a string tensor's crc is not that of its bytes."""
    prefix = str(GOLDEN / name)
    index = read_index(prefix)
    assert read_num_shards(prefix) == index.num_shards >= 1
    ranges = index.ranges(whole=False)  # some were saved in part
    assert set(ranges.names) == set(index) == set(ranges.tensors)
    checked = 0
    for row, tensor in enumerate(ranges.names):
        entry = ranges.columns.entry(row)
        with open(data_path(prefix, entry.shard, index.num_shards), "rb") as file:
            file.seek(entry.offset)
            stored = file.read(entry.size_bytes)
        assert len(stored) == entry.size_bytes
        dtype, shape = ranges.tensors[tensor]
        assert (entry.dtype, entry.shape) == (dtype, ranges.parts[row].shape_in(shape) if row in ranges.parts else shape)
        if not entry.dtype.is_string:
            assert mask(crc32c(stored)) == entry.crc
            checked += 1
    assert checked or name.endswith("strings") or "strings_v2" in name


@pytest.mark.parametrize("name", INDEXES)
def test_written_again_it_is_tensorflows_file(name: str) -> None:
    prefix = str(GOLDEN / name)
    index = read_index(prefix)
    rows: dict[bytes, Entry] = {}
    for tensor in index:
        entry = index.entry(tensor)
        rows[tensor.encode("utf-8", "surrogateescape")] = entry
        rows |= {encode_slice_key(tensor, part): index.slice_entry(tensor, part) for part in entry.slices}
    assert encode_index(sorted(rows.items()), index.num_shards) == Path(prefix + ".index").read_bytes()


@pytest.mark.parametrize("name", INDEXES)
def test_ranges_of_some_are_those_of_each(name: str) -> None:
    index = read_index(str(GOLDEN / name))
    for tensor in index:
        ranges = index.ranges([tensor], whole=False)
        entry = index.entry(tensor)
        assert ranges.tensors == {tensor: (entry.dtype, entry.shape)}
        found = [(ranges.parts.get(row), ranges.columns.entry(row)) for row in range(len(ranges.names))]
        assert found == ([(part, index.slice_entry(tensor, part)) for part in entry.slices] or [(None, entry)])


def test_an_index_of_many_blocks(tmp_path: Path) -> None:
    rows = [(f"layer/{number:06}".encode(), Entry(FLOAT, (number,), number % 3, number * 64, number * 4, number + 1)) for number in range(20_000)]
    prefix = str(tmp_path / "ckpt")
    Path(prefix + ".index").write_bytes(encode_index(rows, 3))
    index = read_index(prefix)
    assert len(index) == 20_000
    ranges = index.ranges()
    assert [ranges.columns.entry(number) for number in (0, 1, 19_999)] == [rows[number][1] for number in (0, 1, 19_999)]
    assert not ranges.parts


# ---- an index whose checksums change


@st.composite
def columns_and_crcs(draw) -> tuple[list[bytes], EntryColumns, np.ndarray, int]:
    keys = sorted({name.encode() for name in draw(st.lists(st.text(st.characters(codec="ascii"), min_size=1, max_size=8), max_size=40))} - {b"\0"})
    crcs = st.integers(1, 2**32 - 1)
    rows = [Entry(FLOAT, (draw(st.integers(0, 300)),), draw(st.integers(0, 2)), draw(st.integers(0, 2**40)), 4, draw(crcs)) for _ in keys]
    new = crcs if draw(st.booleans()) else crcs | st.just(0)
    changed = [draw(new) for _ in keys]
    return keys, EntryColumns.of(rows), np.array(changed, np.uint32), draw(st.integers(1, 300))


@settings(max_examples=60)
@given(columns_and_crcs())
def test_patched_is_built_anew(drawn) -> None:
    keys, columns, crcs, num_shards = drawn
    image = IndexImage(keys, columns, num_shards)
    assert image.table == encode_index([(key, columns.entry(number)) for number, key in enumerate(keys)], num_shards)
    patched = image.with_crcs(crcs)
    columns.crcs = crcs.astype(np.int64)
    anew = IndexImage(keys, columns, num_shards).table
    if crcs.all():
        assert patched == anew
    else:
        assert patched is None  # a crc of 0 is left out, so the layout is another


def test_patched_over_many_blocks() -> None:
    keys = [f"{number:06}".encode() for number in range(20_000)]
    columns = EntryColumns.of([Entry(FLOAT, (), 0, 0, 4, 1)] * len(keys))
    crcs = np.random.default_rng(1).integers(1, 2**32, len(keys), np.uint32)
    patched = IndexImage(keys, columns, 1).with_crcs(crcs)
    columns.crcs = crcs.astype(np.int64)
    assert patched == IndexImage(keys, columns, 1).table


# ---- what is asked for


def test_a_mapping_of_names(tmp_path: Path) -> None:
    entry = encode_entry(Entry(FLOAT, (), 0, 0, 4, 1))
    index = read_index(write(tmp_path, [(b"a", entry), (b"\xff", entry), ("ж".encode(), entry)]))
    assert list(index) == ["a", "ж", "\udcff"]
    assert "a" in index
    assert "b" not in index
    assert None not in index
    assert len(index) == 3
    assert index.entry("\udcff").size_bytes == 4


@pytest.mark.parametrize("ask", [lambda index: index.entry("dense/kernal"), lambda index: index.ranges(["dense/bias", "dense/kernal"])])
def test_a_missing_tensor_is_told_with_its_neighbours(ask, tmp_path: Path) -> None:
    entry = encode_entry(Entry(FLOAT, (), 0, 0, 4, 1))
    index = read_index(write(tmp_path, [(b"dense/kernel", entry), (b"dense/bias", entry)]))
    with pytest.raises(TensorNotFoundError, match=r"no tensor 'dense/kernal' in '.*ckpt'; did you mean 'dense/kernel'") as caught:
        ask(index)
    assert isinstance(caught.value, KeyError)


def test_nearest() -> None:
    assert nearest("zzz", ["a", "b"]) == ""
    assert nearest("weight", ["weights", "wait", "x"]) == "; did you mean 'weights', 'wait'?"


def test_an_empty_bundle(tmp_path: Path) -> None:
    index = read_index(write(tmp_path, []))
    assert list(index) == []
    ranges = index.ranges()
    assert (ranges.names, ranges.parts, len(ranges.columns.sizes)) == ([], {}, 0)


# ---- partitioned tensors


def test_slices_are_rows_of_their_own(tmp_path: Path) -> None:
    parts = [(part, Entry(FLOAT, (2, 3), number, 24 * number, 24, number + 1)) for number, part in enumerate(ROWS)]
    full, ordinary = Entry(FLOAT, (4, 3), 0, 0, 0, 0, ROWS), Entry(FLOAT, (), 0, 0, 4, 9)
    rows = [(b"w", full), (b"z", ordinary), *((encode_slice_key("w", part), entry) for part, entry in parts)]
    ranges = read_index(write(tmp_path, [(key, encode_entry(entry)) for key, entry in rows], encode_header(2))).ranges()
    assert ranges.names == ["w", "w", "z"]
    assert ranges.parts == dict(enumerate(ROWS))
    assert [ranges.columns.entry(row) for row in range(3)] == [*(entry for _, entry in parts), ordinary]
    assert ranges.tensors == {"w": (FLOAT, (4, 3)), "z": (FLOAT, ())}


GOOD = Entry(FLOAT, (2, 3), 0, 0, 24, 1)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (Entry(from_name("int32"), (2, 3), 0, 0, 24, 1), r"stored as int32\[2, 3\], which does not fit"),
        (Entry(FLOAT, (3, 2), 0, 0, 24, 1), r"stored as float32\[3, 2\], which does not fit"),
        (Entry(FLOAT, (2, 3), 0, 0, 0, 1, ROWS), "out of bounds"),
        (Entry(FLOAT, (4, 3), 0, 0, 0, 1, ROWS), "does not fit"),
        (Entry(FLOAT, (2, 3), 0, 0, 20, 1), "takes 24 bytes, the entry tells of 20"),
        (Entry(FLOAT, (2, 3), 1, 0, 24, 1), "shard 1 of 1"),
    ],
)
def test_slices_that_do_not_fit(second: Entry, message: str, tmp_path: Path) -> None:
    index = read_index(partitioned(tmp_path, [(ROWS[0], GOOD), (ROWS[1], second)]))
    with pytest.raises(DataLossError, match=f"slice 2,2:- of 'w' in '.*ckpt.index'.*{message}"):
        index.ranges()


def test_a_slice_that_is_not_there(tmp_path: Path) -> None:
    full = Entry(FLOAT, (4, 3), 0, 0, 0, 0, ROWS)
    index = read_index(write(tmp_path, [(encode_slice_key("w", ROWS[0]), encode_entry(GOOD)), (b"w", encode_entry(full))]))
    with pytest.raises(DataLossError, match=r"slice 2,2:- of 'w' in '.*ckpt.index' is missing, though the tensor's entry names it"):
        index.ranges()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["0,2:-"], "6 of 12 elements are in no slice"),
        (["0,2:-", "1,3:-"], "slices overlap"),
        (["0,2:-", "0,2:-", "2,2:-"], "slices overlap"),
    ],
)
def test_slices_that_do_not_make_up_the_tensor(texts: list[str], message: str, tmp_path: Path) -> None:
    """What no slice covers would come back as memory that nobody wrote."""
    parts = [TensorSlice.parse(text) for text in texts]
    rows = [(part, Entry(FLOAT, part.shape_in((4, 3)), 0, 0, 4 * int(np.prod(part.shape_in((4, 3)))), 1)) for part in parts]
    index = read_index(partitioned(tmp_path, rows))
    with pytest.raises(DataLossError, match=f"'w' in '.*ckpt.index'.*{message}"):
        index.ranges(["w"])
    assert list(index.ranges(["w"], whole=False).parts.values()) == parts


def test_a_slice_beyond_the_tensor(tmp_path: Path) -> None:
    beyond = TensorSlice.parse("2,3:-")
    index = read_index(partitioned(tmp_path, [(ROWS[0], GOOD), (beyond, Entry(FLOAT, (3, 3), 0, 0, 36, 1))]))
    for ask in (lambda: index.entry("w"), lambda: index.slice_entry("w", beyond), index.ranges):
        with pytest.raises(DataLossError, match="is out of bounds of shape"):
            ask()


def test_thousands_of_slices_take_no_square_of_it(tmp_path: Path) -> None:
    parts = [TensorSlice(((number, 1),)) for number in range(3000)]
    index = read_index(partitioned(tmp_path, [(part, Entry(FLOAT, (1,), 0, 4 * n, 4, 1)) for n, part in enumerate(parts)], (3000,)))
    started = time.process_time()
    assert len(index.ranges().parts) == 3000
    assert time.process_time() - started < 8  # with every slice looking at all of them: half a minute; 0.2 s it is


# ---- what may be wrong


def test_a_shard_out_of_range(tmp_path: Path) -> None:
    prefix = write(
        tmp_path, [(b"a", encode_entry(Entry(FLOAT, (), 2, 0, 4, 1))), (b"b", encode_entry(Entry(FLOAT, (), 1, 0, 4, 1)))], encode_header(2)
    )
    index = read_index(prefix)
    assert index.entry("b").shard == 1
    for ask in (lambda: index.entry("a"), index.ranges):
        with pytest.raises(DataLossError, match=r"'a' in '.*ckpt.index': shard 2 of 2; the index is damaged"):
            ask()


def test_an_entry_that_makes_no_sense_is_told_when_asked_for(tmp_path: Path) -> None:
    prefix = write(
        tmp_path, [(b"a", b"\xff"), (b"b", encode_entry(Entry(FLOAT, (), 0, 0, 4, 1))), (b"c", encode_entry(Entry(FLOAT, (), 0, 0, 5, 1)))]
    )
    index = read_index(prefix)
    assert index.ranges(["b"]).columns.sizes.tolist() == [4]
    with pytest.raises(DataLossError, match=r"the entry of 'a' in '.*ckpt.index'"):
        index.ranges()
    with pytest.raises(DataLossError, match=r"'c' in '.*ckpt.index': float32\[\] takes 4 bytes, the entry tells of 5"):
        index.ranges(["c"])


def test_no_such_file(tmp_path: Path) -> None:
    for read in (read_index, read_num_shards):
        with pytest.raises(CheckpointNotFoundError, match=r"ckpt\.index"):
            read(str(tmp_path / "ckpt"))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"PK\x03\x04" + bytes(100), "zip|PyTorch"), (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"), (b"\x00" * 48, "ckpt.index")],
)
def test_files_of_other_kinds(content: bytes, message: str, tmp_path: Path) -> None:
    prefix = str(tmp_path / "ckpt")
    Path(prefix + ".index").write_bytes(content)
    with pytest.raises(NotACheckpointError, match=message) as caught:
        read_index(prefix)
    assert "ckpt.index" in caught.value.message
    with pytest.raises(NotACheckpointError):
        read_num_shards(prefix)


def test_a_table_that_is_no_index(tmp_path: Path) -> None:
    prefix = str(tmp_path / "ckpt")
    Path(prefix + ".index").write_bytes(build_table([(b"a", b"1")])[0])
    with pytest.raises(DataLossError, match="first key is b'a'; expected the header's"):
        read_index(prefix)
    with pytest.raises(DataLossError, match="has no header"):
        read_num_shards(prefix)
    Path(prefix + ".index").write_bytes(build_table([])[0])
    with pytest.raises(DataLossError, match="first key is None"):
        read_index(prefix)
    with pytest.raises(DataLossError, match="has no header"):
        read_num_shards(prefix)


@pytest.mark.parametrize("read", [read_index, read_num_shards])
def test_headers_that_are_refused(read, tmp_path: Path) -> None:
    big = BundleHeaderProto(num_shards=1, endianness=BundleHeaderProto.BIG).SerializeToString()
    with pytest.raises(UnimplementedError, match=r"ckpt\.index' was written on a big-endian machine"):
        read(write(tmp_path, [], big))
    with pytest.raises(DataLossError, match=r"the header of '.*ckpt\.index'"):
        read(write(tmp_path, [], b"\xff"))


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    prefix = write(tmp_path, [(b"a", encode_entry(Entry(FLOAT, (), 0, 0, 4, 1)))])
    whole = Path(prefix + ".index").read_bytes()
    for size in range(len(whole)):
        Path(prefix + ".index").write_bytes(whole[:size])
        for read in (read_index, read_num_shards):
            with pytest.raises((DataLossError, NotACheckpointError), match=r"ckpt\.index"):
                read(prefix)


def test_the_number_of_shards_is_read_without_the_rest(tmp_path: Path) -> None:
    read_bytes = 0

    class Counting(PosixFiles):
        def preadv(self, fd, buffers, size_bytes, offset, path):
            nonlocal read_bytes
            read_bytes += size_bytes
            return super().preadv(fd, buffers, size_bytes, offset, path)

    entry = encode_entry(Entry(FLOAT, (), 0, 0, 4, 1))
    prefix = write(tmp_path, [(f"{number:0200}".encode(), entry) for number in range(20_000)], encode_header(3))
    with files.substituted(Counting()):
        assert read_num_shards(prefix) == 3
    assert read_bytes < os.path.getsize(prefix + ".index") / 2


def test_descriptors_are_closed_whatever_happens(tmp_path: Path) -> None:
    class Failing(PosixFiles):
        def size(self, fd, path):
            raise FileError("no")

    prefix = write(tmp_path, [])
    before = len(os.listdir("/proc/self/fd"))
    with files.substituted(Failing()):
        for read in (read_index, read_num_shards):
            with pytest.raises(FileError):
                read(prefix)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_index_is_a_plain_file(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "ckpt.index")
    with pytest.raises(Exception, match=os.strerror(errno.EISDIR)):
        read_index(str(tmp_path / "ckpt"))


def test_it_is_safe_to_keep(tmp_path: Path) -> None:
    """Nothing of the file stays open: it may be replaced while the index is in use."""
    prefix = write(tmp_path, [(b"a", encode_entry(Entry(FLOAT, (), 0, 0, 4, 1)))])
    index = read_index(prefix)
    os.unlink(prefix + ".index")
    assert isinstance(index, Index)
    assert index.entry("a").size_bytes == 4
