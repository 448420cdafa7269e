"""Real checkpoints, mutated by hypothesis: whatever is raised is ours, and whatever is loaded is right."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpersist
from gpersist import CheckpointManager, GPersistError, PartitionedArray, files
from gpersist.table import TableReader, build_table

from .intercepted import InterceptedFiles

WHOLE = np.arange(20, dtype=np.float32).reshape(4, 5)
ARRAYS: dict[str, Any] = {
    "a": WHOLE,
    "b/empty": np.zeros((2, 0), np.int8),
    "b/parts": PartitionedArray((4, 5), [("0,2:-", WHOLE[:2]), ("2,2:-", WHOLE[2:])]),
    "c/step": np.int64(4711),
    "d/words": np.array(["one", "", "three"]),
}
EXPECTED = {name: WHOLE if isinstance(array, PartitionedArray) else np.asarray(array) for name, array in ARRAYS.items()} | {
    "d/words": np.array([b"one", b"", b"three"], object)
}
SUFFIXES = (".index", ".data-00000-of-00002", ".data-00001-of-00002", ".meta")

Mutation = tuple[str, int, int, bytes]
"""(what, where, how much, with what)."""
KINDS = st.sampled_from(["overwrite", "insert", "remove", "copy", "cut"])
MUTATIONS = st.lists(st.tuples(KINDS, st.integers(0, 2000), st.integers(0, 200), st.binary(min_size=1, max_size=12)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a checkpoint, by suffix; and its state file."""
    folder = tmp_path_factory.mktemp("original")
    with CheckpointManager(folder) as manager:
        manager.save(1, ARRAYS, shards=2)
    return {suffix: (folder / f"ckpt-1{suffix}").read_bytes() for suffix in SUFFIXES} | {"checkpoint": (folder / "checkpoint").read_bytes()}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.CRITICAL, "gpersist"), files.substituted(InterceptedFiles()):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutated") / "run"


def mutated(data: bytes, mutations: list[Mutation]) -> bytes:
    out = bytearray(data)
    for what, at, size, content in mutations:
        at %= len(out) + 1
        if what == "overwrite":
            out[at : at + len(content)] = content
        elif what == "insert":
            out[at:at] = content
        elif what == "remove":
            del out[at : at + size]
        elif what == "copy":
            out[at:at] = out[size : size + 40]
        else:
            del out[at:]
    return bytes(out)


def write(folder: Path, contents: dict[str, bytes]) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for suffix, content in contents.items():
        (folder / (suffix if suffix == "checkpoint" else f"ckpt-1{suffix}")).write_bytes(content)
    return str(folder / "ckpt-1")


def check_values(found: dict[str, Any]) -> None:
    assert set(found) == set(EXPECTED)
    for name, expected in EXPECTED.items():
        assert found[name].dtype == expected.dtype and np.array_equal(found[name], expected), name


def read_in_every_way(prefix: str) -> list[dict[str, Any]]:
    """What could be read; nothing but errors of ours may come in between."""
    found: list[dict[str, Any]] = []
    try:
        found.append(gpersist.load(prefix, placement=lambda *_: None))
    except GPersistError:
        pass
    try:
        gpersist.verify(prefix)
    except GPersistError:
        pass
    try:
        with gpersist.open(prefix) as checkpoint:
            found.append({name: checkpoint[name].read() for name in checkpoint})
            for name in checkpoint:
                checkpoint[name][...]
                checkpoint[name].size_bytes  # noqa: B018
    except GPersistError:
        pass
    return found


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SUFFIXES), MUTATIONS)
def test_a_mutated_file(original: dict[str, bytes], folder: Path, suffix: str, mutations: list[Mutation]) -> None:
    prefix = write(folder, original | {suffix: mutated(original[suffix], mutations)})
    for found in read_in_every_way(prefix):
        check_values(found)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 9), MUTATIONS, st.booleans())
def test_an_index_whose_checksums_hold(original: dict[str, bytes], folder: Path, number: int, mutations: list[Mutation], in_key: bool) -> None:
    """What is in an entry may then be anything; nothing can tell that it is not what was saved, so only errors are looked at."""
    items = list(TableReader.from_bytes(original[".index"], "original").items())
    key, value = items[number % len(items)]
    items[number % len(items)] = (mutated(key, mutations), value) if in_key else (key, mutated(value, mutations))
    read_in_every_way(write(folder, original | {".index": build_table(sorted(dict(items).items()))[0]}))


@settings(max_examples=80, deadline=None)
@given(MUTATIONS)
def test_a_mutated_state_file(original: dict[str, bytes], folder: Path, mutations: list[Mutation]) -> None:
    """The checkpoint is found by its name, and outlives the next saves or goes as retention wants it; nothing else is touched."""
    write(folder, original | {"checkpoint": mutated(original["checkpoint"], mutations)})
    manager = CheckpointManager(folder, max_to_keep=2)
    check_values(manager.restore())
    with manager:
        for step in (2, 3):
            manager.save(step, {"a": WHOLE})
    assert set(manager.all_steps()) in ({2, 3}, {1, 2, 3})
    assert manager.latest() == str(folder / "ckpt-3")
