"""gpersist.checkpoint.state: the bytes that TensorFlow writes (tests/golden/checkpoint), and whatever else may stand in such a file."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpersist import files
from gpersist.checkpoint.state import MAX_STATE_BYTES, CheckpointState, follow, latest_checkpoint, read_state, resolve, write_state
from gpersist.errors import DataLossError, FileError, GPersistError, InvalidArgumentError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/checkpoint/state.json").read_text(encoding="utf-8"))


def _write(folder: Path, text: str | bytes) -> None:
    (folder / "checkpoint").write_bytes(text.encode() if isinstance(text, str) else text)


def _plant(prefix: Path) -> str:
    prefix.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{prefix}.index").write_bytes(b"")
    return str(prefix)


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_written_as_by_tensorflow(case: dict[str, Any], tmp_path: Path) -> None:
    write_state(
        str(tmp_path),
        str(tmp_path / case["latest"]),
        [str(tmp_path / path) for path in case["all"]],
        case["timestamps"],
        case["last_preserved"],
        relative=case["relative"],
    )
    text = (tmp_path / "checkpoint").read_bytes().decode()
    assert text == case["text"].replace("$FOLDER", str(tmp_path))
    state = read_state(str(tmp_path))
    assert state is not None
    assert os.path.join(tmp_path, state.model_checkpoint_path) == str(tmp_path / case["latest"])
    assert state.all_model_checkpoint_timestamps == tuple(case["timestamps"])
    assert state.last_preserved_timestamp == (case["last_preserved"] or None)
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_relative_folders_and_other_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    _plant(tmp_path / "run/ckpt-1")
    write_state("run", "run/ckpt-1", latest_filename="best")
    assert (tmp_path / "run/best").read_text() == 'model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\n'
    assert latest_checkpoint("run", "best") == "run/ckpt-1"
    assert latest_checkpoint("run") is None
    monkeypatch.chdir(tmp_path / "run")
    assert latest_checkpoint("", "best") == "ckpt-1"
    write_state("", "ckpt-1")
    assert read_state("") == read_state(".") == CheckpointState("ckpt-1", ("ckpt-1",))


def test_prefix_outside_is_written_absolute(tmp_path: Path) -> None:
    write_state(str(tmp_path), str(tmp_path / "..ckpt-1"), [str(tmp_path.parent / "ckpt-0"), str(tmp_path / "..ckpt-1")])
    state = read_state(str(tmp_path))
    assert state is not None
    assert state.all_model_checkpoint_paths == (str(tmp_path.parent / "ckpt-0"), "..ckpt-1")


@pytest.mark.parametrize(
    ("latest", "timestamps", "words"),
    [("ckpt-1", (1.0, 2.0), "2 timestamps for 1"), ("checkpoint", (), "own name"), ("ckpt-\udc80", (), "UTF-8")],
)
def test_refused_to_write(latest: str, timestamps: tuple[float, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        write_state(str(tmp_path), str(tmp_path / latest), (), timestamps)
    assert os.listdir(tmp_path) == []


class _Refusing(files.PosixFiles):
    """Fails at one of its calls, after that many."""

    def __init__(self, call: str) -> None:
        def fail(*_: object, **__: object) -> None:
            raise FileError("no")

        setattr(self, call, fail)


@pytest.mark.parametrize("call", ["pwritev", "fsync", "close", "rename"])
def test_failed_write_leaves_the_old_one(call: str, tmp_path: Path) -> None:
    write_state(str(tmp_path), str(tmp_path / "ckpt-1"))
    before = (tmp_path / "checkpoint").read_bytes()
    with files.substituted(_Refusing(call)), pytest.raises(FileError):
        write_state(str(tmp_path), str(tmp_path / "ckpt-2"))
    assert os.listdir(tmp_path) == ["checkpoint"]
    assert (tmp_path / "checkpoint").read_bytes() == before


def test_synced_before_and_after_the_rename(tmp_path: Path) -> None:
    calls = []

    class Noting(files.PosixFiles):
        def fsync(self, fd: int, path: str) -> None:
            calls.append("fsync")

        def rename(self, source: str, target: str) -> None:
            calls.append("rename")
            super().rename(source, target)

        def fsync_folder(self, folder: str) -> None:
            calls.append("fsync_folder")

    with files.substituted(Noting()):
        write_state(str(tmp_path), str(tmp_path / "ckpt-1"))
        write_state(str(tmp_path), str(tmp_path / "ckpt-2"), durable=False)
    assert calls == ["fsync", "rename", "fsync_folder", "rename"]


def test_edited_by_hand(tmp_path: Path) -> None:
    _write(tmp_path, 'model_checkpoint_path: "a"  # the good one\nall_model_checkpoint_paths: ["a", "b"] all_model_checkpoint_timestamps: 3')
    assert read_state(str(tmp_path)) == CheckpointState("a", ("a", "b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "names no checkpoint"),
        (b"\0" * 100, "checkpoint"),
        (b'model_checkpoint_path: "a"\nmodel_path: "b"', "line 2"),
        (b'model_checkpoint_path: "a"\nall_model_checkpoint_paths: "b', "line 2"),
        (b'model_checkpoint_path: "\xff\xfe"', "checkpoint"),
        (b'model_checkpoint_path: "a" last_preserved_timestamp: nan', "not a finite number"),
        (b'model_checkpoint_path: "a" all_model_checkpoint_paths: "a" all_model_checkpoint_timestamps: inf', "not a finite number"),
        (b"\n" * (MAX_STATE_BYTES + 1), "it is no state file"),
    ],
)
def test_damaged(text: bytes, words: str, tmp_path: Path) -> None:
    _write(tmp_path, text)
    with pytest.raises(DataLossError, match=words) as caught:
        read_state(str(tmp_path))
    assert str(tmp_path / "checkpoint") in str(caught.value)


def test_moved_folder(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    _plant(old / "ckpt-1")
    write_state(str(old), str(old / "ckpt-1"), relative=False)
    assert latest_checkpoint(str(old)) == str(old / "ckpt-1")
    old.rename(new)
    assert latest_checkpoint(str(new)) == str(new / "ckpt-1")
    assert resolve(str(new), str(old / "ckpt-1")) == str(new / "ckpt-1")
    _write(new, f'model_checkpoint_path: "old/{"ckpt-1"}"')
    assert latest_checkpoint(str(new)) == str(new / "ckpt-1")


def test_v1_file_is_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-1").write_bytes(b"")
    assert resolve(str(tmp_path), "model.ckpt-1") == str(tmp_path / "model.ckpt-1")


def test_what_leads_out_is_never_resolved(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    outside = _plant(tmp_path / "elsewhere/ckpt-9")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    inside = _plant(folder / "below/ckpt-1")
    assert resolve(str(folder), "below/ckpt-1") == inside
    assert resolve(str(folder), inside) == inside
    for path in (outside, "../elsewhere/ckpt-9", "link/ckpt-9", "below/../../elsewhere/ckpt-9"):
        assert resolve(str(folder), path) is None
    assert follow(str(folder), outside) == outside  # may be read, as in TensorFlow
    assert follow(str(folder), "../elsewhere/ckpt-9") is None
    assert follow(str(folder), "link/ckpt-9") is None


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/", "ckpt-*", "ckpt-?", "[c]kpt-1", "ckpt-1\n", "ckpt-1\0", "\0", "x" * 300, "x/" * 3000 + "y", "ckpt-1/", "~"]
)
def test_no_names_and_patterns(path: str, tmp_path: Path) -> None:
    _plant(tmp_path / "ckpt-1")
    assert resolve(str(tmp_path), path) is None
    assert follow(str(tmp_path), path) is None


_REAL = GOLDEN[0]["text"].encode()


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_files(data: st.DataObject, tmp_path: Path) -> None:
    text = bytearray(_REAL)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5) | st.sampled_from([b'"', b"\n", b"../", b"nan", b"{", b"\\0"]))
    _write(tmp_path, bytes(text))
    try:
        state = read_state(str(tmp_path))
    except GPersistError as error:
        assert isinstance(error, DataLossError)
    else:
        assert state is not None
        for path in state.all_model_checkpoint_paths:
            assert resolve(str(tmp_path), path) is None
