"""A SavedModel is in its place whole, or not at all: errors and deaths at every file call, links, folders that fill meanwhile."""

from __future__ import annotations

import errno
import gc
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist import files
from gpersist.errors import AlreadyExistsError, GPersistError, InvalidArgumentError
from gpersist.saved_model.builder import SavedModelBuilder
from gpersist.saved_model.export_folder import ExportFolder
from tests.faults.intercepted import FailingFiles, InterceptedFiles

_DIED = 77


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    tf.reset_default_graph()
    yield
    tf.reset_default_graph()


@pytest.fixture
def _quick_collections() -> Any:
    """Only what is made from here on is looked at: all modules hold a lot by now."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def sess() -> Any:
    Path("vocab.txt").write_text("a b")
    v = tf.Variable([1.0, 2.0], name="v")
    tf.identity(v, name="out")
    tf.constant("vocab.txt", name="vocabulary")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        yield session


def export(sess: Any, folder: str = "out/m") -> None:
    builder = SavedModelBuilder(folder)
    tf.get_default_graph().clear_collection("saved_model_assets")
    saver = export.__dict__.setdefault(tf.get_default_graph(), None) or tf.train.Saver(sharded=True)  # one, or the graph grows each time
    export.__dict__[tf.get_default_graph()] = saver
    builder.add_meta_graph_and_variables(sess, ["serve"], assets_collection=[sess.graph.get_tensor_by_name("vocabulary:0")], saver=saver)
    builder.add_extra_asset("vocab.txt", "about/it.txt")
    builder.save()


def load(folder: str = "out/m") -> None:
    with tf.Graph().as_default(), tf.Session() as other:
        tf.saved_model.loader.load(other, ["serve"], folder)
        assert other.run("out:0").tolist() == [1.0, 2.0]
    assert Path(folder, "assets/vocab.txt").read_text() == Path(folder, "assets.extra/about/it.txt").read_text() == "a b"
    assert sorted(os.listdir(folder)) == ["assets", "assets.extra", "saved_model.pb", "variables"]


@pytest.mark.parametrize("is_there", [False, True])
def test_exports(sess: Any, is_there: bool) -> None:
    if is_there:
        os.makedirs("out/m")
    export(sess)
    load()
    assert os.listdir("out") == ["m"]


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.usefixtures("_quick_collections")
def test_an_error_at_every_call(sess: Any, is_there: bool) -> None:
    at = 0
    while True:
        at += 1
        folder = f"out{at}/m"
        if is_there:
            os.makedirs(folder)
        failing = FailingFiles(at, errno.EIO, for_good=False)
        with suppress(GPersistError), files.substituted(failing):
            export(sess, folder)
        gc.collect()
        if os.path.exists(f"{folder}/saved_model.pb"):
            load(folder)  # nothing has failed, or only the last fsync
        else:
            assert not is_there or os.listdir(folder) == []
            assert not os.path.isdir(f"out{at}") or os.listdir(f"out{at}") == ["m"] * is_there
        if failing.failed is None:
            break
    load(folder)
    assert at > 30


class _DyingFiles(InterceptedFiles):
    def __init__(self, at: int) -> None:
        self.left = at

    def around(self, call: str, do: Any, arguments: tuple[Any, ...]) -> Any:
        self.left -= 1
        if not self.left:
            os._exit(_DIED)
        return do()


@pytest.mark.slow
@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_killed_at_every_call(sess: Any, is_there: bool) -> None:
    export(sess, "warm/m")
    at = 0
    status = _DIED
    while status == _DIED:
        at += 1
        folder = f"out{at}/m"
        if is_there:
            os.makedirs(folder)
        child = os.fork()
        if not child:
            try:
                with files.substituted(_DyingFiles(at)):
                    export(sess, folder)
                os._exit(0)
            except BaseException:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if os.path.exists(f"{folder}/saved_model.pb"):
            load(folder)
        elif not os.path.isdir(folder) or not [name for name in os.listdir(folder) if not name.startswith(".")]:
            export(sess, folder)  # takes what the dead one has left away
            load(folder)
            assert os.listdir(f"out{at}") == ["m"]
    assert status == 0
    assert at > 30


def test_nothing_is_there_before_it_is_saved(sess: Any) -> None:
    builder = SavedModelBuilder("out/m")
    assert not os.path.exists("out")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    assert not os.path.exists("out/m")
    builder.save()
    assert os.listdir("out") == ["m"]


def test_an_export_that_is_given_up_leaves_nothing(sess: Any) -> None:
    builder = SavedModelBuilder("out/m")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    assert len(os.listdir("out")) == 1
    del builder
    gc.collect()
    assert os.listdir("out") == []


def test_an_export_on_the_way_is_nobodys_litter(sess: Any) -> None:
    builder = SavedModelBuilder("out/m")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    export(sess)
    with pytest.raises(AlreadyExistsError, match=r"saved_model\.pb, variables"):
        builder.save()
    load()


class _WatchedFiles(files.PosixFiles):
    """Begins another export to the same folder before each call; it has to wait, or leaves the one under way alone."""

    def __init__(self) -> None:
        self.others: list[threading.Thread] = []

    def _begin_another(self) -> None:
        def begin() -> None:
            with suppress(AssertionError):  # the folder isn't empty
                ExportFolder("out/m")

        self.others.append(threading.Thread(target=begin))
        self.others[-1].start()
        self.others[-1].join(0.1)

    def create(self, path: str, *, direct: bool = False) -> int:
        if path.endswith(".lock"):
            self._begin_another()
        return super().create(path, direct=direct)

    def rename(self, source: str, target: str) -> None:
        if source.endswith("/variables"):
            self._begin_another()
        super().rename(source, target)


def test_another_export_begins_meanwhile(sess: Any) -> None:
    """While one begins, and while it moves into its place, its folder has no lock of its own that tells that its maker is alive."""
    os.makedirs("out/m")
    watched = _WatchedFiles()
    with files.substituted(watched):
        export(sess)
    for other in watched.others:
        other.join()
    assert len(watched.others) == 2
    load()


def test_files_that_came_meanwhile_stay(sess: Any) -> None:
    builder = SavedModelBuilder("out/m")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    os.mkdir("out/m")
    Path("out/m/labels.txt").write_text("x")
    builder.save()
    assert sorted(os.listdir("out/m")) == ["labels.txt", "saved_model.pb", "variables"]


def test_into_the_working_directory_and_through_a_link(sess: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkdir("real")
    Path("link").symlink_to("real")
    SavedModelBuilder("link").add_meta_graph_and_variables(sess, ["serve"])
    builder = SavedModelBuilder("link")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    builder.save()
    assert os.path.islink("link") and os.path.exists("real/saved_model.pb")
    os.mkdir("here")
    monkeypatch.chdir("here")
    builder = SavedModelBuilder(".")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    builder.save()
    assert sorted(os.listdir(".")) == ["saved_model.pb", "variables"]


def test_more_after_it_was_saved(sess: Any) -> None:
    builder = SavedModelBuilder("out/m")
    builder.add_meta_graph_and_variables(sess, ["serve"])
    builder.save()
    builder.add_meta_graph(["more"], assets_collection=[sess.graph.get_tensor_by_name("vocabulary:0")])
    builder.save()
    with tf.Graph().as_default(), tf.Session() as other:
        tf.saved_model.loader.load(other, ["more"], "out/m")
    assert os.listdir("out/m/assets") == ["vocab.txt"]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..", ".", "", "a/", "link/x", "x\0y"])
def test_names_that_lead_out(name: str) -> None:
    Path("source").write_text("s")
    folder = ExportFolder("out/m")
    Path(folder.make_folder("inner"), "link").symlink_to("..")
    with pytest.raises(InvalidArgumentError):
        folder.add_file("source", "inner", name)
    assert sorted(os.listdir(".")) == ["out", "source"]


def test_an_asset_that_is_a_folder(sess: Any) -> None:
    os.makedirs("dir/sub")
    builder = SavedModelBuilder("out/m")
    with pytest.raises(InvalidArgumentError):
        builder.add_meta_graph_and_variables(sess, ["serve"], assets_collection=[tf.constant("dir/sub")])
    with pytest.raises(InvalidArgumentError):
        builder.add_meta_graph_and_variables(sess, ["serve"], assets_collection=[tf.constant("dir/..")])
    assert not tf.get_collection("saved_model_assets")
