"""gpersist.checkpoint.retention against TensorFlow's Saver under a clock of ours (tests/golden/checkpoint)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gpersist import files
from gpersist.checkpoint.retention import Record, RetentionPolicy, delete_checkpoint
from gpersist.errors import InvalidArgumentError

RUNS = json.loads((Path(__file__).parents[1] / "golden/checkpoint/retention.json").read_text())


@pytest.mark.parametrize("run", RUNS, ids=range(len(RUNS)))
def test_keeps_what_the_saver_keeps(run: dict[str, Any]) -> None:
    policy = RetentionPolicy(run["max_to_keep"], run["hours"])
    queue: list[Record] = []
    there: set[int] = set()
    last_preserved = run["start"]
    for (step, moment), after in zip(run["saves"], run["after"], strict=True):
        queue = [record for record in queue if record.prefix != str(step)] + [Record(str(step), moment)]
        there.add(step)
        decision = policy.decide(queue, moment, last_preserved)
        queue, last_preserved = list(decision.keep), decision.last_preserved
        there -= {int(record.prefix) for record in decision.delete}
        assert sorted(there) == after["there"]
        assert [int(record.prefix) for record in queue] == (after["queue"] or sorted(there))  # the Saver forgets what it keeps for ever


def test_fewer_to_keep_than_before() -> None:
    queue = [Record(str(i), 3600.0 * i) for i in range(6)]
    decision = RetentionPolicy(2, 2.5).decide(queue, 3600.0 * 6, 0.0)
    assert [record.prefix for record in decision.delete] == ["0", "1", "2"]
    assert [record.prefix for record in decision.preserved] == ["3"]
    assert [record.prefix for record in decision.keep] == ["4", "5"]
    assert decision.last_preserved == 9000.0


def test_clock_set_back() -> None:
    """Times of the future neither preserve everything nor hold preservation up until then."""
    queue = [Record(str(i), 1e9) for i in range(3)]
    decision = RetentionPolicy(1, 1.0).decide(queue, now=7200.0, last_preserved=1e9)
    assert decision.preserved == ()
    assert decision.last_preserved == 7200.0


@pytest.mark.parametrize(
    ("queue", "damaged", "deleted", "preserved"),
    [
        ("1234", "34", "", ""),  # fewer than three whole ones: nothing goes
        ("12345", "34", "", ""),
        ("123456", "34", "", "1"),
        ("2345", "2", "2", ""),  # three whole ones are newer
        ("234567", "34", "34", "2"),
        ("3456", "", "", "3"),
    ],
)
def test_what_is_damaged_takes_no_place_and_is_not_kept_for_good(queue: str, damaged: str, deleted: str, preserved: str) -> None:
    decision = RetentionPolicy(3, keep_every_n_hours=1e-9).decide([Record(name, float(name)) for name in queue], 10.0, 0.0, damaged)
    assert "".join(record.prefix for record in decision.delete) == deleted
    assert "".join(record.prefix for record in decision.preserved) == preserved


@pytest.mark.parametrize("arguments", [(-1,), ("3",), (1.5,), (5, 0), (5, -1.0), (5, float("nan")), (5, "2")])
def test_refused_policies(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidArgumentError):
        RetentionPolicy(*arguments)


OF_CKPT_1 = ["ckpt-1.data-00000-of-00002", "ckpt-1.data-00001-of-00002", "ckpt-1.data-00000-of-00001", "ckpt-1.index", "ckpt-1.meta"]
OTHERS = [
    "ckpt-11.index",
    "ckpt-11.data-00000-of-00001",
    "xckpt-1.data-00000-of-00001",
    "ckpt-1",
    "ckpt-1.data-0000-of-0001",
    "ckpt-1.data-٠٠٠٠٠-of-٠٠٠٠١",
    "ckpt-1.data-00000-of-00001.bak",
    "ckpt-1.data-00000-of-00001\n",
    "ckpt-1.index.bak",
    ".ckpt-1.0123456789ab.tmp-data-00000-of-00001",
    "notes.txt",
]


def test_deletes_exactly_one_checkpoints_files(tmp_path: Path) -> None:
    for name in OF_CKPT_1 + OTHERS:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/ckpt-1.index").write_bytes(b"x")
    delete_checkpoint(str(tmp_path / "ckpt-1"))
    assert sorted(os.listdir(tmp_path)) == sorted([*OTHERS, "below"])
    delete_checkpoint(str(tmp_path / "ckpt-1"))  # gone already
    assert (tmp_path / "below/ckpt-1.index").exists()


@pytest.mark.parametrize("prefix", ["*", "ckpt-?", "ckpt-[1]", "ckpt"])
def test_patterns_are_names(prefix: str, tmp_path: Path) -> None:
    for name in OF_CKPT_1:
        (tmp_path / name).write_bytes(b"x")
    delete_checkpoint(str(tmp_path / prefix))
    assert len(os.listdir(tmp_path)) == len(OF_CKPT_1)


def test_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    folder = tmp_path / "run"
    folder.mkdir()
    for name in OF_CKPT_1:
        (kept / name).write_bytes(b"x")
        (folder / name).symlink_to(kept / name)
    delete_checkpoint(str(folder / "ckpt-1"))
    assert os.listdir(folder) == []
    assert len(os.listdir(kept)) == len(OF_CKPT_1)


def test_index_goes_first_and_for_good(tmp_path: Path) -> None:
    calls = []

    class Noting(files.PosixFiles):
        def remove(self, path: str) -> None:
            calls.append(os.path.basename(path))
            super().remove(path)

        def fsync_folder(self, folder: str) -> None:
            calls.append("fsync_folder")

    for name in OF_CKPT_1:
        (tmp_path / name).write_bytes(b"x")
    with files.substituted(Noting()):
        delete_checkpoint(str(tmp_path / "ckpt-1"))
    assert calls[:2] == ["ckpt-1.index", "fsync_folder"]
    assert calls[-1] == "ckpt-1.meta"
    assert len(calls) == len(OF_CKPT_1) + 1
