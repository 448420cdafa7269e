from __future__ import annotations

import os
import pathlib

import pytest

import gpersist

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "bundle"


def _data(prefix):
    return pathlib.Path(prefix + ".data-00000-of-00001")


def _flip(prefix, name):
    """Flips a bit of a tensor; returns its offset."""
    data = bytearray(_data(prefix).read_bytes())
    offset = gpersist.open(prefix)[name].entry.offset
    data[offset + 1] ^= 4
    _data(prefix).write_bytes(data)
    return offset


def test_whole(run, prefix):
    done = run("verify", prefix)
    assert done.status == 0 and not done.err
    assert done.out.startswith(f"{prefix}: whole, read in ") and done.out.endswith("; 4 tensors, 49 B\n")


def test_damaged(run, prefix):
    offset = _flip(prefix, "dense/kernel")
    done = run("verify", prefix)
    assert done.status == 1 and not done.out
    assert done.err.startswith("gpersist: damaged: tensor 'dense/kernel' in ") and f"data-00000-of-00001' at byte {offset}: crc32c" in done.err


def test_truncated_or_missing_data(run, prefix):
    whole = _data(prefix).read_bytes()
    _data(prefix).write_bytes(whole[:-1])
    for arguments in ([prefix], [prefix, "--quick"]):
        assert run("verify", *arguments).status == 1
    _data(prefix).unlink()
    done = run("verify", prefix)
    assert done.status == 1 and "incomplete" in done.err


def test_quick_reads_no_values(run, prefix):
    _flip(prefix, "dense/kernel")
    done = run("verify", "--quick", prefix)
    assert done.status == 0 and "index and sizes fit" in done.out


def test_nothing_there(run, tmp_path, prefix):
    done = run("verify", tmp_path / "nothing", prefix)
    assert done.status == 2 and "whole" in done.out and "there is no checkpoint" in done.err


def test_damage_counts_more_than_absence(run, tmp_path, prefix):
    _flip(prefix, "step")
    assert run("verify", tmp_path / "nothing", prefix).status == 1


@pytest.fixture
def folder(tmp_path):
    for number, step in enumerate((100, 9)):  # by age, not by name
        path = str(tmp_path / f"ckpt-{step}")
        gpersist.save(path, {"a": step}, durable=False)
        os.utime(path + ".index", ns=(number * 10**9, number * 10**9))
    (tmp_path / ".ckpt-7.000000000000.tmp-index").write_bytes(b"")
    return tmp_path


def test_all_of_a_folder(run, folder):
    _flip(str(folder / "ckpt-9"), "a")
    found = run("verify", folder, "--all", "--json")
    assert found.status == 1 and found.json["whole"] is False
    assert [(os.path.basename(report["prefix"]), report["status"]) for report in found.json["checkpoints"]] == [
        ("ckpt-100", "whole"),
        ("ckpt-9", "damaged"),
    ]


def test_a_folder_means_its_newest(run, tmp_path):
    with gpersist.CheckpointManager(tmp_path, durable=False) as manager:
        manager.save(1, {"a": 1})
        manager.save(2, {"a": 2})
    assert f"{tmp_path}/ckpt-2: whole" in run("verify", tmp_path).out


def test_all_of_an_empty_folder(run, tmp_path):
    done = run("verify", tmp_path, "--all")
    assert done.status == 2 and "holds no checkpoint" in done.err


def test_json(run, prefix):
    done = run("verify", prefix, "--json")
    (report,) = done.json["checkpoints"]
    assert done.json["whole"] is True and report.pop("duration_s") > 0
    assert report == {"prefix": prefix, "status": "whole", "num_tensors": 4, "total_bytes": 49, "error": None}


def test_v1(run, tmp_path):
    done = run("verify", GOLDEN / "dtypes_v1", GOLDEN / "sharded_v1")
    assert done.status == 0 and "20 tensors" in done.out
    data = bytearray((GOLDEN / "dtypes_v1").read_bytes())
    data[100] ^= 1
    (tmp_path / "v1").write_bytes(data)
    done = run("verify", tmp_path / "v1")
    assert done.status == 1 and "damaged" in done.err


def test_a_file_of_another_kind(run):
    done = run("verify", __file__)
    assert done.status == 2 and "text" in done.err
