from __future__ import annotations

import os
import pathlib
import shutil

import pytest

import gpersist
import gpersist.compat.v1 as tf

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "bundle"


def _data(prefix):
    return pathlib.Path(f"{prefix}.data-00000-of-00001")


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


def test_all_that_is_damaged_is_named(run, prefix):
    _flip(prefix, "dense/kernel")
    _flip(prefix, "words")
    done = run("verify", prefix)
    lines = done.err.splitlines()
    assert done.status == 1 and lines[0] == f"gpersist: damaged: {prefix!r}: 2 of 4 tensors"
    assert lines[1].startswith("  tensor 'dense/kernel' in ") and lines[2].startswith("  tensor 'words' in ")
    assert lines[-1] == f"  gpersist convert {prefix} NEW --skip-damaged writes the 2 that are whole"
    (report,) = run("verify", prefix, "--json").json["checkpoints"]
    assert list(report["damaged"]) == ["dense/kernel", "words"] and "crc32c expected" in report["damaged"]["dense/kernel"]


def test_what_all_lack_is_said_once(run, prefix):
    _data(prefix).unlink()
    lines = run("verify", prefix).err.splitlines()
    assert len(lines) == 3 and lines[1].endswith(": the checkpoint is incomplete (4 tensors: 'dense/bias', 'dense/kernel', 'step', ...)")
    assert lines[2] == "  copy it from where the checkpoint was made, or restore an older one"


def test_not_more_than_some_are_named(run, tmp_path):
    gpersist.save(tmp_path / "c", {f"a{number:02}": number for number in range(30)}, durable=False)
    _data(tmp_path / "c").write_bytes(b"")
    lines = run("verify", tmp_path / "c").err.splitlines()
    assert "'a19'" in lines[20] and lines[21] == "  and 10 tensors more" and len(lines) == 23


def test_a_meta_that_is_cut(run, prefix):
    meta = pathlib.Path(prefix + ".meta")
    meta.write_bytes(meta.read_bytes()[:-3])
    done = run("verify", prefix)
    assert done.status == 1 and "expected a serialised tensorflow.MetaGraphDef" in done.err
    meta.write_bytes(b"")
    assert "ckpt-7.meta' is empty (0 bytes)" in run("verify", prefix, "--quick").err


@pytest.fixture
def export(tmp_path):
    """A SavedModel."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None], name="x")
        y = tf.multiply(x, tf.get_variable("factor", initializer=2.0), name="y")
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, str(tmp_path / "export"), {"x": x}, {"y": y})
    return tmp_path / "export"


def test_a_saved_model(run, export):
    graph = export / "saved_model.pb"
    assert f"{export}/variables/variables: whole" in run("verify", export).out
    done = run("verify", graph)
    assert done.status == 0 and done.out.startswith(f"{graph}: a graph, whole; ")
    graph.write_bytes(graph.read_bytes()[:-9])
    for path in (export, export / "variables", graph):
        done = run("verify", path)
        assert done.status == 1 and "expected a serialised tensorflow.SavedModel" in done.err
    shutil.rmtree(export / "variables")
    assert run("verify", export).status == 1


def test_a_graph_that_is_empty(run, tmp_path):
    (tmp_path / "x.pb").write_bytes(b"")
    for arguments in (["verify"], ["graph"], ["show", "--ops"]):
        done = run(*arguments, tmp_path / "x.pb")
        assert done.status == 1 and "x.pb' is empty (0 bytes)" in done.err


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
    assert report == {
        "prefix": prefix, "status": "whole", "num_tensors": 4, "total_bytes": 49, "num_nodes": None, "error": None, "damaged": {},
    }  # fmt: skip


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


def test_a_damaged_state_file_is_damage_for_show_too(run, prefix):
    (pathlib.Path(prefix).parent / "checkpoint").write_text("<html>")
    for command in ("show", "verify"):
        done = run(command, pathlib.Path(prefix).parent)
        assert (done.status, "or name a checkpoint of the folder: 'ckpt-7'" in done.err) == (1, True), done
