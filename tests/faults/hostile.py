"""Hostile checkpoints, and a process that reads them under a limit of memory; run by `test_hostile`.

    python -m tests.faults.hostile FOLDER

Each is read in a fork that may take 64 MiB more than there are now, in every way there is to read. Prints a line of JSON for each of them and each
way: name, way, what came of it, and the seconds of the processor that it took.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import resource
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import gpersist
from gpersist import GPersistError
from gpersist.bundle import encode_slice_key
from gpersist.bundle.slices import TensorSlice
from gpersist.protos import BundleEntryProto, BundleHeaderProto, MetaGraphDef, SavedTensorSlices
from gpersist.table import build_table, crc32c, encode_varint, mask

MAX_EXTRA_BYTES = 64 << 20
HUGE = 1 << 40
FOOTER_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
DATA = np.arange(16, dtype=np.float32).tobytes()

Entries = dict[bytes, bytes]
Build = Callable[[str], None]
"""Makes a checkpoint under a prefix."""

CASES: dict[str, Build] = {}


def case(name: str) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        CASES[name] = build
        return build

    return add


# ---- pieces


def entry(shape: Any = (16,), *, dtype: int = 1, size: int = 64, offset: int = 0, shard: int = 0, crc: int | None = None, slices: Any = ()) -> bytes:
    proto = BundleEntryProto(dtype=dtype, size=size, offset=offset, shard_id=shard, crc32c=mask(crc32c(DATA)) if crc is None else crc)
    for dim in shape:
        proto.shape.dim.add(size=dim)
    for part in slices:
        proto.slices.append(TensorSlice.parse(part).to_proto())
    return proto.SerializeToString()


def header(num_shards: int = 1) -> bytes:
    proto = BundleHeaderProto(num_shards=num_shards)
    proto.version.producer = 1
    return proto.SerializeToString()


def write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def bundle(prefix: str, entries: Entries, *, head: bytes | None = None, data: bytes = DATA, data_bytes: int | None = None) -> None:
    """An index of these entries, and one data file, which has zeros up to `data_bytes` that the disk does not hold."""
    items = sorted({b"": header() if head is None else head, **entries}.items())
    write(prefix + ".index", build_table(items)[0])
    write(prefix + ".data-00000-of-00001", data)
    if data_bytes:
        os.truncate(prefix + ".data-00000-of-00001", data_bytes)


def entries_case(name: str, entries: Entries, **more: Any) -> None:
    CASES[name] = lambda prefix: bundle(prefix, entries, **more)


def good(prefix: str) -> None:
    gpersist.save(prefix, {"a": np.arange(16, dtype=np.float32)}, durable=False)


def good_with(name: str, suffix: str, replace: Callable[[str], None]) -> None:
    """A good checkpoint of which one file is replaced."""

    def build(prefix: str) -> None:
        good(prefix)
        path = os.path.join(os.path.dirname(prefix), "checkpoint") if suffix == "checkpoint" else prefix + suffix
        if os.path.lexists(path):
            os.remove(path)
        replace(path)

    CASES[name] = build


def block(contents: bytes, compression: int = 0) -> bytes:
    return contents + bytes([compression]) + struct.pack("<I", mask(crc32c(contents + bytes([compression]))))


def handle(offset: int, size: int) -> bytes:
    return encode_varint(offset) + encode_varint(size)


def footer(index: bytes) -> bytes:
    return (handle(0, 8) + index).ljust(40, b"\0") + FOOTER_MAGIC


def sparse(path: str, size: int, end: bytes = b"") -> None:
    write(path, b"")
    os.truncate(path, size - len(end))
    with open(path, "ab") as file:
        file.write(end)


# ---- entries

entries_case("a shape whose product overflows", {b"a": entry((1 << 32, 1 << 32))})
entries_case("a shape whose product overflows before a zero", {b"a": entry((1 << 62, 1 << 62, 0), size=0)})
entries_case("a shape whose bytes overflow", {b"a": entry((1 << 62,), dtype=2)})
entries_case("a negative dimension", {b"a": entry((-16,))})
entries_case("300 dimensions", {b"a": entry((1,) * 300)})
entries_case("100,000 dimensions", {b"a": entry((1,) * 100_000)})
entries_case("a negative size", {b"a": entry(size=-64)})
entries_case("a negative offset", {b"a": entry(offset=-8)})
entries_case("a range that overflows", {b"a": entry(offset=(1 << 63) - 8)})
entries_case("a range beyond the file", {b"a": entry(offset=1)})
entries_case("a tensor that the file is too short for", {b"a": entry((HUGE,), size=4 * HUGE)})
entries_case("a tensor that only a file of holes is long enough for", {b"a": entry((HUGE,), size=4 * HUGE)}, data_bytes=4 * HUGE)
entries_case("a wrong tensor in a file of holes", {b"a": entry()}, data=b"", data_bytes=4 * HUGE)
entries_case("a size that is not the shape's", {b"a": entry((17,))})
entries_case("tensors that overlap", {b"a": entry(), b"b": entry((8,), size=32, offset=16)})
entries_case("20,000 tensors in one range", {b"%06d" % number: entry() for number in range(20_000)})
entries_case("20,000 tensors without values", {b"%06d" % number: b"" for number in range(20_000)})
entries_case("a dtype that there is not", {b"a": entry(dtype=999)})
entries_case("a resource", {b"a": entry(dtype=20)})
entries_case("a shard that there is not", {b"a": entry(shard=1)})
entries_case("a negative shard", {b"a": entry(shard=-1)})
entries_case("an entry that is no message", {b"a": b"\xff\xff\xff"})
entries_case("a negative number of shards", {b"a": entry()}, head=header(-1))
entries_case("very many shards", {b"a": entry(shard=(1 << 31) - 1)}, head=header((1 << 31) - 1))
entries_case("a header that is no message", {b"a": entry()}, head=b"\x0a\xff")
entries_case("a name with a NUL that is no slice's", {b"a\0b": entry((17,))})
entries_case("very many strings", {b"a": entry((HUGE,), dtype=7)})
entries_case("very many strings in a file of holes", {b"a": entry((HUGE,), dtype=7, size=4 * HUGE)}, data_bytes=4 * HUGE)
entries_case("a string of very many bytes", {b"a": entry((1,), dtype=7)}, data=encode_varint((1 << 63) - 1).ljust(64, b"\0"))
entries_case("strings' lengths that do not end", {b"a": entry((4,), dtype=7)}, data=b"\xff" * 64)

# ---- slices

PART = encode_slice_key("a", TensorSlice.parse("0,16"))
entries_case("a slice that is missing", {b"a": entry((32,), size=0, slices=["0,16", "16,16"]), PART: entry()})
entries_case("slices that do not make up the whole", {b"a": entry((HUGE,), size=0, slices=["0,16"]), PART: entry()})
entries_case("slices outside of the whole", {b"a": entry((8,), size=0, slices=["0,16"]), PART: entry()})
entries_case("a slice of another dtype", {b"a": entry((16,), size=0, slices=["0,16"]), PART: entry(dtype=3)})
entries_case("a slice of slices", {b"a": entry((16,), size=0, slices=["0,16"]), PART: entry(slices=["0,16"])})
entries_case("a slice of another rank", {b"a": entry((4, 4), size=0, slices=["0,16"]), PART: entry()})
entries_case("5,000 times the same slice", {b"a": entry((16,), size=0, slices=["0,16"] * 5000), PART: entry()})
entries_case("5,000 times the same empty slice", {b"a": entry((16, 0), size=0, slices=["0,16:-"] * 5000)})
CORNERS = [":".join(f"{number >> axis & 1},1" for axis in range(9)) for number in range(512)]
entries_case(
    "512 slices along 9 axes",
    {b"a": entry((2,) * 8 + (3,), size=0, slices=CORNERS)}
    | {encode_slice_key("a", TensorSlice.parse(part)): entry((1,) * 9, size=4, offset=4 * number) for number, part in enumerate(CORNERS)},
    data=bytes(4 * len(CORNERS)),
)

# ---- tables


@case("an index block beyond the file")
def _(prefix: str) -> None:
    write(prefix + ".index", bytes(100) + footer(handle(1 << 62, 1 << 62)))


@case("an index block as long as a file of holes")
def _(prefix: str) -> None:
    sparse(prefix + ".index", 1 << 33, footer(handle(0, (1 << 33) - 60)))


@case("an index of holes")
def _(prefix: str) -> None:
    sparse(prefix + ".index", 1 << 33)


@case("data blocks beyond the file")
def _(prefix: str) -> None:
    contents = b"\0\1\x14" + b"z" + handle(1 << 62, 1 << 62).ljust(20, b"\0") + struct.pack("<II", 0, 1)
    write(prefix + ".index", block(contents) + footer(handle(0, len(contents))))


@case("a data block in the index block")
def _(prefix: str) -> None:
    value = handle(0, 20)
    contents = bytes([0, 1, len(value)]) + b"z" + value + struct.pack("<II", 0, 1)
    write(prefix + ".index", block(contents) + footer(handle(0, len(contents))))


@case("2**32 - 1 restarts")
def _(prefix: str) -> None:
    contents = struct.pack("<II", 0, (1 << 32) - 1)
    write(prefix + ".index", block(contents) + footer(handle(0, len(contents))))


@case("a key of 2**32 - 1 bytes")
def _(prefix: str) -> None:
    contents = b"\0" + encode_varint((1 << 32) - 1) + b"\0" + struct.pack("<II", 0, 1)
    write(prefix + ".index", block(contents) + footer(handle(0, len(contents))))


@case("a snappy block that promises a lot")
def _(prefix: str) -> None:
    contents = encode_varint((1 << 32) - 1) + b"\0"
    write(prefix + ".index", block(contents, 1) + footer(handle(0, len(contents))))


@case("a snappy block of long copies")
def _(prefix: str) -> None:
    contents = encode_varint(8 << 20) + b"\x04\0\0" + b"\xfe\x01\0" * (8 << 14)
    write(prefix + ".index", block(contents, 1) + footer(handle(0, len(contents))))


@case("an index of another kind")
def _(prefix: str) -> None:
    write(prefix + ".index", b"PK\x03\x04" + bytes(1000))


@case("an empty index")
def _(prefix: str) -> None:
    write(prefix + ".index", b"")


@case("a table without a header")
def _(prefix: str) -> None:
    write(prefix + ".index", build_table([(b"a", entry())])[0])


# ---- V1


def v1(prefix: str, shape: tuple[int, ...], part: str, dtype: int = 1) -> None:
    meta = SavedTensorSlices()
    tensor = meta.meta.tensor.add(name="a", type=dtype)
    for dim in shape:
        tensor.shape.dim.add(size=dim)
    tensor.slice.append(TensorSlice.parse(part).to_proto())
    data = SavedTensorSlices()
    data.data.name = "a"
    data.data.data.float_val.extend([1.0] * 16)
    items = [(b"", meta.SerializeToString()), (encode_slice_key("a", TensorSlice.parse(part)), data.SerializeToString())]
    write(prefix, build_table(items)[0])


CASES["V1: a tensor that the file is too short for"] = lambda prefix: v1(prefix, (HUGE,), "-")
CASES["V1: a tensor that the file is a little too short for"] = lambda prefix: v1(prefix, (1 << 26,), "-")
CASES["V1: a shape whose product overflows"] = lambda prefix: v1(prefix, (1 << 32, 1 << 32), "-:-")
CASES["V1: a shape whose bytes overflow"] = lambda prefix: v1(prefix, (1 << 62,), "-")
CASES["V1: slices that do not make up the whole"] = lambda prefix: v1(prefix, (HUGE,), "0,16")
CASES["V1: very many strings"] = lambda prefix: v1(prefix, (HUGE,), "-", 7)
CASES["V1: a negative dimension"] = lambda prefix: v1(prefix, (-1,), "-")
CASES["V1: a dtype that there is not"] = lambda prefix: v1(prefix, (16,), "-", 999)
CASES["V1: an index block as long as a file of holes"] = lambda prefix: sparse(prefix, 1 << 33, footer(handle(0, (1 << 33) - 60)))

# ---- other things in place of files

OTHERS: dict[str, Callable[[str], None]] = {
    "FIFO": os.mkfifo,
    "folder": os.mkdir,
    "link to itself": lambda path: Path(path).symlink_to(os.path.basename(path)),
    "link to nothing": lambda path: Path(path).symlink_to("nothing"),
    "link to an endless device": lambda path: Path(path).symlink_to("/dev/zero"),
    "link to a terminal": lambda path: Path(path).symlink_to("/dev/ptmx"),
}
for what, make in OTHERS.items():
    good_with(f"the index is a {what}", ".index", make)
    good_with(f"the data is a {what}", ".data-00000-of-00001", make)

# ---- harmless: the values are right all the same, or an error says what is wrong

HARMLESS = len(CASES)


def nested(depth: int) -> bytes:
    """Bytes of a MetaGraphDef with messages in messages, more than any parser's stack is deep."""
    content = b""
    for _ in range(depth):
        content = b"\x0a" + encode_varint(len(content)) + content  # AttrValue.list.func.attr.value and so on: field 1 is a message in most
    return b"\x12" + encode_varint(len(content)) + content


def cyclic(path: str) -> None:
    meta = MetaGraphDef()
    for number in range(2000):
        node = meta.graph_def.node.add(name=f"n{number}", op="VariableV2")
        node.attr["_class"].list.s.append(b"loc:@n%d" % ((number + 1) % 2000))
    node = meta.graph_def.node.add(name="a", op="Identity", input=["a:0"])
    saver = meta.graph_def.node.add(name="save/SaveV2", op="SaveV2", input=["f", "names", "s", *["a:0"] * 1000])
    names = meta.graph_def.node.add(name="names", op="Const")
    names.attr["value"].tensor.string_val.extend([b"a"] * 1000)
    saver.input.append("save/SaveV2")
    write(path, meta.SerializeToString())


good_with("a .meta of deep messages", ".meta", lambda path: write(path, nested(5000)))
good_with("a .meta of cycles", ".meta", cyclic)
good_with("a .meta of 200,000 empty nodes", ".meta", lambda path: write(path, b"\x12" + encode_varint(400_000) + b"\x0a\0" * 200_000))
good_with("a .meta of noise", ".meta", lambda path: write(path, bytes(range(256)) * 100))
good_with("a .meta of holes", ".meta", lambda path: sparse(path, 2 << 30))
for what, make in OTHERS.items():
    good_with(f"the .meta is a {what}", ".meta", make)
    good_with(f"the state file is a {what}", "checkpoint", make)

STATES = {
    "names a file elsewhere": b'model_checkpoint_path: "../../etc/passwd"',
    "names an absolute path": b'model_checkpoint_path: "/etc/passwd"',
    "names a pattern": b'model_checkpoint_path: "*"\nall_model_checkpoint_paths: "[a-z]*"',
    "names its own folder": b'model_checkpoint_path: "."',
    "names the folder above": b'model_checkpoint_path: ".."',
    "names a folder": b'model_checkpoint_path: "./"',
    "names itself": b'model_checkpoint_path: "checkpoint"',
    "names nothing": b'model_checkpoint_path: ""',
    "holds a NUL": b'model_checkpoint_path: "c\\000kpt"',
    "names something very long": b'model_checkpoint_path: "' + b"a/" * 20_000 + b'"',
    "is very long": b'all_model_checkpoint_paths: "a"\n' * 40_000,
    "is too long": b'all_model_checkpoint_paths: "a"\n' * 400_000,
    "is deep": b"a {" * 50_000,
    "is noise": bytes(range(256)) * 10,
}
for what, content in STATES.items():
    good_with(f"a state file that {what}", "checkpoint", lambda path, content=content: write(path, content))  # type: ignore[misc]

HARMLESS_CASES = list(CASES)[HARMLESS:]


# ---- reading


def read_all(prefix: str) -> None:
    with gpersist.open(prefix) as checkpoint:
        for name in checkpoint.names()[:3]:
            stored = checkpoint[name]
            stored.read()


def read_slices(prefix: str) -> None:
    with gpersist.open(prefix) as checkpoint:
        for name in checkpoint.names()[:3]:
            stored = checkpoint[name]
            if stored.ndim and stored.shape[0]:
                assert stored[-1:].shape[0] == 1
            stored.read()


def manage(prefix: str) -> None:
    manager = gpersist.CheckpointManager(os.path.dirname(prefix))
    manager.latest()
    manager.restore()
    manager.save(7, {"a": np.zeros(1)}, durable=False)


WAYS: dict[str, Callable[[str], Any]] = {
    "load": lambda prefix: gpersist.load(prefix),
    "load as recorded": lambda prefix: gpersist.load(prefix, placement=lambda *_: None),
    "load the folder": lambda prefix: gpersist.load(os.path.dirname(prefix)),
    "verify": lambda prefix: gpersist.verify(prefix),
    "open": read_all,
    "slices": read_slices,
    "manager": manage,
}

ENDLESS = ("a tensor that only a file of holes is long enough for", "very many strings in a file of holes")
"""Verifying them takes as long as reading what they hold."""

RIGHT = {("20,000 tensors in one range", "open"), ("20,000 tensors in one range", "slices"), ("a resource", "verify")} | {
    ("slices that do not make up the whole", "verify")
}
"""Whose checksums hold where one looks."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of reading a case: "ok", the name of an error of ours, or what must not be; and what it took."""

    name: str
    way: str
    result: str
    seconds: float


def attempt(name: str, way: str, prefix: str) -> Outcome:
    started = time.process_time()
    try:
        WAYS[way](prefix)
        result = "ok"
    except GPersistError as error:
        result = type(error).__name__
        assert len(str(error)) < 5000, f"an error of {len(str(error))} characters"
    return Outcome(name, way, result, time.process_time() - started)


def attempt_limited(name: str, prefix: str) -> None:
    """In a fork, with little memory and little time."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps([name, "any", f"died: {status}", 0.0]), flush=True)
        return
    try:
        with open("/proc/self/statm") as statm:
            size = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MAX_EXTRA_BYTES, size + MAX_EXTRA_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        for way in ways(name):
            try:
                outcome = attempt(name, way, prefix)
            except BaseException as error:
                outcome = Outcome(name, way, f"{type(error).__name__}: {str(error)[:300]}", 0.0)
            print(json.dumps(dataclasses.astuple(outcome)), flush=True)
    finally:
        os._exit(0)


def ways(name: str) -> list[str]:
    return [way for way in WAYS if not (name in ENDLESS and way in ("verify", "manager"))]


def main(folder: str) -> None:
    logging.getLogger("gpersist").addHandler(logging.NullHandler())
    gpersist.save(os.path.join(folder, "warm"), {"a": np.zeros(3), "s": np.array(["x"])}, durable=False)
    for way in WAYS:  # what is imported late, is imported now
        attempt("warm", way, os.path.join(folder, "warm"))
    for number, (name, build) in enumerate(CASES.items()):
        prefix = os.path.join(folder, str(number), "run", "ckpt-1")
        os.makedirs(os.path.dirname(prefix))
        build(prefix)
        attempt_limited(name, prefix)


if __name__ == "__main__":
    main(sys.argv[1])
