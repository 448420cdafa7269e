"""gpersist.checkpoint.locate: what a person types, and what there is."""

from __future__ import annotations

import gzip
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import gpersist
from gpersist.checkpoint.locate import locate, v1_files
from gpersist.errors import (
    CheckpointNotFoundError,
    DataLossError,
    GPersistError,
    InvalidArgumentError,
    NotACheckpointError,
    UnimplementedError,
)

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for step in (1, 2):
        gpersist.save(tmp_path / f"ckpt-{step}", {"w": np.full(3, step)}, durable=False)
    return tmp_path


def write_state(folder: Path, path: str) -> None:
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{path}"\n')


@pytest.mark.parametrize(
    "typed", ["ckpt-2", "ckpt-2.index", "ckpt-2.meta", "ckpt-2.data-00000-of-00001", "ckpt-2.", "ckpt-2.data", "ckpt-2.data-0000"]
)
def test_a_prefix_and_each_of_its_files(folder: Path, typed: str) -> None:
    assert locate(folder / typed) == locate(str(folder / typed)) == str(folder / "ckpt-2")


def test_a_folder_means_what_its_state_file_names(folder: Path) -> None:
    write_state(folder, "ckpt-1")
    assert locate(folder) == locate(str(folder) + "/") == locate(folder / "checkpoint") == str(folder / "ckpt-1")


def test_a_folder_that_was_moved_means_its_own(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    write_state(folder, str(folder / "ckpt-1"))
    moved = shutil.copytree(folder, tmp_path_factory.mktemp("elsewhere") / "moved")
    assert locate(moved) == str(moved / "ckpt-1")
    for path in moved.glob("ckpt-1.*"):
        path.unlink()
    assert locate(moved) == str(folder / "ckpt-1")


def test_a_state_file_of_v1_checkpoints(folder: Path) -> None:
    for name in ("one_v1", "many_v1-00000-of-00002", "many_v1-00001-of-00002"):
        gpersist.save_v1(folder / name, {name: np.zeros(2)}, durable=False)
    for name in ("one_v1", "many_v1"):
        write_state(folder, name)
        assert locate(folder) == str(folder / name)


@pytest.mark.parametrize("path", [".", "..", "checkpoint", "./", "/", "../", "../..", "a\\0b", "*", "nothing", "/nowhere/nothing", "../etc/x"])
def test_a_state_file_that_leads_nowhere_leads_to_no_other_folder(folder: Path, path: str) -> None:
    """Nor into a circle."""
    inner = folder / "inner"
    inner.mkdir()
    gpersist.save(inner / "only", {"w": np.zeros(1)}, durable=False)
    write_state(inner, path)
    if "\\0" in path:
        with pytest.raises(GPersistError):
            locate(inner)
    else:
        assert locate(inner) == str(inner / "only")


def test_a_folder_of_one_checkpoint_needs_no_state_file(folder: Path) -> None:
    with pytest.raises(CheckpointNotFoundError, match=r"holds 2 checkpoints and no state file.*'ckpt-1', 'ckpt-2'"):
        locate(folder)
    for path in folder.glob("ckpt-1.*"):
        path.unlink()
    assert locate(folder) == str(folder / "ckpt-2")


def test_a_saved_models_folder_means_its_variables(tmp_path: Path) -> None:
    gpersist.save(tmp_path / "variables" / "variables", {"w": 1}, durable=False)
    assert locate(tmp_path) == str(tmp_path / "variables" / "variables")


def test_a_saved_model_without_variables_is_told(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(CheckpointNotFoundError, match=r"its saved_model\.pb is a SavedModel without variables"):
        locate(tmp_path)


def test_relative_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert locate("ckpt-1") == "ckpt-1"
    assert locate("ckpt-1.index") == "ckpt-1"
    write_state(folder, "ckpt-2")
    assert locate(".") == str(Path("ckpt-2")) or locate(".") == "./ckpt-2"
    assert gpersist.load(".")["w"].tolist() == [2, 2, 2]
    assert gpersist.load("checkpoint")["w"].tolist() == [2, 2, 2]


def test_prefixes_that_look_like_files(tmp_path: Path) -> None:
    for name in ("a.index", "a.meta", "a.data-00000-of-00001", "a"):
        gpersist.save(tmp_path / name, {"w": name}, durable=False)
    for name in ("a.index", "a.meta", "a.data-00000-of-00001", "a"):
        assert gpersist.load(tmp_path / name)["w"] == name.encode()


def test_v1_files(tmp_path: Path) -> None:
    assert locate(GOLDEN / "bundle" / "partitioned_v1") == str(GOLDEN / "bundle" / "partitioned_v1")
    assert locate(GOLDEN / "bundle" / "sharded_v1") == str(GOLDEN / "bundle" / "sharded_v1")
    assert v1_files(str(GOLDEN / "bundle" / "sharded_v1")) == [str(GOLDEN / "bundle" / f"sharded_v1-0000{n}-of-00002") for n in (0, 1)]
    assert v1_files(str(tmp_path / "nowhere" / "x")) == []
    assert locate(GOLDEN / "checkpoints" / "saver_v1" / "model-7.meta") == str(GOLDEN / "checkpoints" / "saver_v1" / "model-7")


# ---- what is not there


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("ckpt-3", r"no '.*ckpt-3.index'; in that folder are 'ckpt-1', 'ckpt-2'"),
        ("ckpt-3.index", "no .*ckpt-3.index"),
        ("nowhere/ckpt", "the folder '.*nowhere' does not exist"),
        ("empty/ckpt", "no checkpoint is in that folder"),
        ("empty", "holds no checkpoint: no '.*index' is in it"),
        ("lost", "its data files are there, '.*lost.index' is not: the save did not end, or files were lost"),
        ("lost.data-00000-of-00001", "is a part of a checkpoint, but '.*lost.index', which tells what is in it, is missing"),
        ("lost.meta", "is a part of a checkpoint, .* gpersist graph and gpersist place take a .meta alone"),
        ("", "there is no checkpoint ''"),
    ],
)
def test_what_is_missing_is_told_with_what_is_near(folder: Path, typed: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    for suffix in (".data-00000-of-00001", ".meta"):
        (folder / f"lost{suffix}").write_bytes(b"x")
    with pytest.raises(CheckpointNotFoundError, match=message):
        locate(typed)


def test_none_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        locate(None)  # type: ignore[arg-type]
    with pytest.raises(GPersistError):
        locate("a\0b")


def test_many_neighbours_are_not_all_told(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"c{number:02}.index").write_bytes(b"")
    with pytest.raises(CheckpointNotFoundError, match="'c29' and 25 more"):
        locate(tmp_path / "x")


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", "x")
    (tmp_path / "model.gz").write_bytes(gzip.compress(b"x" * 100))
    (tmp_path / "page").write_text("<!DOCTYPE html><html></html>")
    (tmp_path / "nothing").write_bytes(b"")
    (tmp_path / "text").write_text("some text")
    told = {}
    for name in ("model.pt", "model.gz", "page", "nothing", "text"):
        with pytest.raises(NotACheckpointError, match=name) as caught:
            gpersist.load(tmp_path / name)
        told[name] = str(caught.value)
    assert [word in told[name] for name, word in [("model.pt", "zip"), ("model.gz", "gzip"), ("page", "HTML"), ("nothing", "empty")]] == [True] * 4


def test_an_index_under_another_name_is_no_v1_file(folder: Path) -> None:
    (folder / "renamed").write_bytes((folder / "ckpt-1.index").read_bytes())
    with pytest.raises(NotACheckpointError, match="no V1 checkpoint"):
        gpersist.load(folder / "renamed")


def test_a_state_file_of_windows_means_what_is_beside_it(folder: Path) -> None:
    write_state(folder, r"C:\\runs\\ckpt-1")
    assert locate(folder) == str(folder / "ckpt-1")


def test_a_state_file_that_names_what_is_gone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_state(folder, "ckpt-3")
    with pytest.raises(CheckpointNotFoundError, match=r"its own names 'ckpt-3', which is not there\); name one of them: 'ckpt-1', 'ckpt-2'"):
        locate(folder)
    (folder / "ckpt-1.index").unlink()
    assert locate(folder) == str(folder / "ckpt-2")
    assert "names 'ckpt-3', which is not there; 'ckpt-2' is taken" in caplog.text


@pytest.mark.parametrize("depth", [1, 2])
def test_a_checkpoint_further_down_is_named(tmp_path: Path, depth: int) -> None:
    """As archives are unpacked: a folder in a folder."""
    inner = tmp_path.joinpath("outer", *["inner"] * depth)
    gpersist.save(inner / "ckpt-1", {"w": 1}, durable=False)
    with pytest.raises(CheckpointNotFoundError, match=f"in '{inner}' is one: give that folder"):
        locate(tmp_path / "outer")


def test_what_a_folder_without_a_checkpoint_has(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(b"x")
    with pytest.raises(CheckpointNotFoundError, match=r"no '.*index' is in it; in it are 'model.zip'"):
        locate(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(CheckpointNotFoundError, match=r"a SavedModel without variables, .* or were not copied with it"):
        locate(tmp_path)


def test_what_a_part_of_a_checkpoint_lacks(tmp_path: Path) -> None:
    told = {}
    for name in ("w.tar.gz", "w.meta", "w.data-00000-of-00001"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(CheckpointNotFoundError) as caught:
            locate(tmp_path)
        told[name] = str(caught.value)
    assert told["w.tar.gz"].endswith("; unpack 'w.tar.gz'")
    assert told["w.meta"].endswith("; 'w.meta' is a graph without values: look at it with gpersist graph")
    assert told["w.data-00000-of-00001"].endswith("; 'w.index', which tells what is in 'w.data-00000-of-00001', is missing: copy it too")


def test_a_v1_file_without_a_state_file_is_to_be_named(tmp_path: Path) -> None:
    gpersist.save_v1(tmp_path / "model.ckpt", {"w": np.ones(2)})
    with pytest.raises(CheckpointNotFoundError, match=r"in it are 'model\.ckpt'; '.*model\.ckpt' is one in TensorFlow's first format: name it"):
        locate(tmp_path)


def test_folders_of_several_runs_are_named(tmp_path: Path) -> None:
    for run in ("a", "b"):
        gpersist.save(tmp_path / run / "ckpt-1", {"w": 1}, durable=False)
    with pytest.raises(CheckpointNotFoundError, match=r"in '.*a', '.*b' are some: give one of these folders"):
        locate(tmp_path)
    with pytest.raises(CheckpointNotFoundError, match=r"no checkpoint is in that folder; did you mean 'runs1'\?"):
        (tmp_path / "a").rename(tmp_path / "runs1")
        locate(tmp_path / "runs2")


@pytest.mark.parametrize("text", ['model_checkpoint_path: "C:\\Users\\x"', "<!DOCTYPE html>", "", "\ufeffmodel_checkpoint_path: 'ckpt-2'"])
def test_a_damaged_state_file_leaves_its_checkpoints_to_be_named(folder: Path, text: str) -> None:
    (folder / "checkpoint").write_text(text)
    with pytest.raises(DataLossError, match=r"or name a checkpoint of the folder: 'ckpt-1', 'ckpt-2'") as caught:
        locate(folder)
    assert ("is an HTML page" in str(caught.value)) == text.startswith("<")


def test_a_link_to_nothing_is_told(folder: Path) -> None:
    (folder / "link.index").symlink_to("gone/ckpt-1.index")
    with pytest.raises(CheckpointNotFoundError, match=r"'.*link\.index' is a link to 'gone/ckpt-1\.index', which is not there"):
        locate(folder / "link")


@pytest.mark.parametrize("path", ["gs://bucket/ckpt-1", "s3://bucket/ckpt-1", "file:///tmp/ckpt-1"])
def test_other_file_systems_are_refused_by_every_door(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would become folders such as `gs:` here, and whoever saved would think that it went there."""
    monkeypatch.chdir(tmp_path)
    told = rf"File system scheme '{path.split(':')[0]}' not implemented \(file: '{path[:9]}"
    array = {"w": np.ones(2)}
    with gpersist.CheckpointManager(os.path.dirname(path)) as manager:
        for call in (
            lambda: gpersist.save(path, array),
            lambda: gpersist.save_async(path, array).result(),
            lambda: gpersist.save_v1(path, array),
            lambda: manager.save(1, array),
            lambda: gpersist.load(path),
        ):
            with pytest.raises(UnimplementedError, match=told):
                call()
    assert list(tmp_path.iterdir()) == []
