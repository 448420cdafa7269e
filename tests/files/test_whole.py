"""gpersist.files.whole: names that writers do not take from each other."""

import threading
from pathlib import Path

import pytest

from gpersist import files
from gpersist.errors import AlreadyExistsError, CheckpointNotFoundError


def test_the_first_that_is_free(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in "abc"]
    Path(paths[0]).write_text("another's")
    assert files.create_first(paths) == paths[1]
    assert (Path(paths[0]).read_text(), Path(paths[1]).read_bytes()) == ("another's", b"")
    assert files.create_first(paths) == paths[2]
    with pytest.raises(AlreadyExistsError):
        files.create_first(paths)
    with pytest.raises(CheckpointNotFoundError):
        files.create_first([str(tmp_path / "nowhere" / "a")])


def test_many_at_once_take_one_each(tmp_path: Path) -> None:
    barrier, taken = threading.Barrier(8), []

    def take() -> None:
        barrier.wait()
        taken.append(files.create_first(str(tmp_path / str(number)) for number in range(8)))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 8
