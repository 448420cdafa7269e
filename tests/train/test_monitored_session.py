"""What monitored sessions do besides what TensorFlow's do: they save in the background, and lose nothing by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist.errors import AbortedError, FileError, NotFoundError
from gpersist.files import PosixFiles, substituted


@pytest.fixture(autouse=True)
def _new_graph() -> Iterator[None]:
    tf.reset_default_graph()
    yield
    tf.summary.FileWriterCache.clear()
    tf.reset_default_graph()


class _HeldFiles(PosixFiles):
    """Lets no checkpoint be committed before it is told to, or fails to."""

    def __init__(self) -> None:
        self.may_commit = threading.Event()
        self.error: Exception | None = None

    def rename(self, source: str, target: str) -> None:
        if target.endswith(".index"):
            assert self.may_commit.wait(100)
            if self.error is not None:
                raise self.error
        super().rename(source, target)


def _train_op() -> Any:
    return tf.train.get_or_create_global_step().assign_add(1)


def test_a_save_does_not_hold_up_training(tmp_path: Path) -> None:
    train, files = _train_op(), _HeldFiles()
    with substituted(files), tf.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), save_checkpoint_steps=100) as session:
        assert [session.run(train) for _ in range(3)] == [1, 2, 3]
        assert tf.train.latest_checkpoint(str(tmp_path)) is None
        files.may_commit.set()
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-3")


def test_closing_after_an_error_waits_for_the_save(tmp_path: Path) -> None:
    train, files = _train_op(), _HeldFiles()
    timer = threading.Timer(0.2, files.may_commit.set)
    new = tf.train.MonitoredTrainingSession
    with substituted(files), pytest.raises(KeyError), new(checkpoint_dir=str(tmp_path), save_checkpoint_steps=100) as session:
        session.run(train)
        timer.start()
        raise KeyError
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-0")


def test_what_failed_in_the_background_is_raised_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train, files = _train_op(), _HeldFiles()
    files.error = FileError("the disk is gone")
    files.may_commit.set()
    new = tf.train.MonitoredTrainingSession
    with substituted(files), pytest.raises(FileError, match="the disk"), new(checkpoint_dir=str(tmp_path), save_checkpoint_steps=100) as session:
        session.run(train)
    assert any("saving" in record.message.lower() and record.levelname == "ERROR" for record in caplog.records)


def test_a_lost_session_is_made_anew_from_the_newest_checkpoint(tmp_path: Path) -> None:
    train = _train_op()

    class _Loses(tf.train.SessionRunHook):  # type: ignore[misc]
        created = 0

        def after_create_session(self, session: Any, coord: Any) -> None:
            self.created += 1

        def after_run(self, run_context: Any, run_values: Any) -> None:
            if self.created == 1 and run_context.session.run("global_step:0") == 5:
                raise AbortedError("the worker is gone")

    hook = _Loses()
    with tf.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path), hooks=[hook], save_checkpoint_steps=2) as session:
        steps = [int(session.run(train)) for _ in range(6)]
    assert hook.created == 2
    assert steps[:4] == [1, 2, 3, 4] and steps[4] in (4, 5, 6) and steps[5] == steps[4] + 1  # saved at 3 and 5


def test_a_missing_checkpoint_file_is_told(tmp_path: Path) -> None:
    _train_op()
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-7"\n')
    with pytest.raises((ValueError, NotFoundError), match=r"model\.ckpt-7"):
        tf.train.MonitoredTrainingSession(checkpoint_dir=str(tmp_path))


def test_a_moved_folder_is_told_and_put_right(tmp_path: Path) -> None:
    tf.train.get_or_create_global_step()
    old, new = str(tmp_path / "old"), str(tmp_path / "new")
    with tf.train.MonitoredTrainingSession(checkpoint_dir=old, save_checkpoint_steps=1):
        pass
    Path(old).rename(new)
    tf.train.update_checkpoint_state(new, f"{old}/model.ckpt-0")  # as TensorFlow writes it: absolute
    with pytest.raises(ValueError, match="not a valid checkpoint") as caught:
        tf.train.MonitoredTrainingSession(checkpoint_dir=new)
    assert f"tf.train.update_checkpoint_state({new!r}, '{new}/model.ckpt-0')" in caught.value.__notes__[-1]
    tf.train.update_checkpoint_state(new, f"{new}/model.ckpt-0")
    with tf.train.MonitoredTrainingSession(checkpoint_dir=new) as session:
        assert session.run(tf.train.get_global_step()) == 0


def test_a_saver_of_another_class_saves_as_it_can(tmp_path: Path) -> None:
    train, saved = _train_op(), []

    class _Saver:
        saver_def = None

        def save(self, session: Any, path: str, global_step: int, write_meta_graph: bool) -> str:
            saved.append(int(global_step))
            return path

    hook = tf.train.CheckpointSaverHook(str(tmp_path), save_steps=2, saver=_Saver())
    with tf.train.MonitoredSession(hooks=[hook]) as session:
        for _ in range(4):
            session.run(train)
    assert saved[0] == 0 and saved[-1] == 4
