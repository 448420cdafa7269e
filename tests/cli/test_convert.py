from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest

import gpersist
from gpersist import protos
from gpersist.cli import main
from tests.cli.test_terminal import in_terminal, plain


def test_each_way(run, prefix, tmp_path):
    done = run("convert", prefix, tmp_path / "a.npz")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"{prefix} (V2 checkpoint) -> {tmp_path}/a.npz (npz): 4 tensors, ") and done.out.endswith(" s\n")
    assert run("convert", tmp_path / "a.npz", tmp_path / "b", "--to", "v1").out.startswith(f"{tmp_path}/a.npz (npz) -> {tmp_path}/b (V1 checkpoint)")
    assert run("convert", tmp_path / "b", tmp_path / "c").status == 0
    assert run("diff", prefix, tmp_path / "c").status == 0


def test_names_and_devices(run, prefix, tmp_path):
    done = run("convert", prefix, tmp_path / "a", "--rename", r"^dense/(.*)=layer/\1", "--rename", "^words$=", "--devices", "*/bias=/gpu:7")
    assert done.out.splitlines()[:3] == ["dense/bias -> layer/bias", "dense/kernel -> layer/kernel", "left out: words"]
    with gpersist.open(tmp_path / "a") as reader:
        assert [reader.device(f"layer/{name}") for name in ("bias", "kernel")] == ["/device:GPU:7", "/device:GPU:0"]
    assert run("convert", prefix, tmp_path / "a", "--clear-devices").status == 0
    assert not any("GPU" in device for device in gpersist.open(tmp_path / "a").devices.values())
    assert run("convert", prefix, tmp_path / "a", "--devices", "/gpu:0").status == 0
    assert set(gpersist.open(tmp_path / "a").devices.values()) == {"/device:GPU:0"}


def test_what_is_damaged_is_left_out_and_named(run, prefix, tmp_path):
    with open(prefix + ".data-00000-of-00001", "r+b") as data:
        data.seek(gpersist.open(prefix)["dense/kernel"].entry.offset)
        data.write(b"\xff")
    done = run("convert", prefix, tmp_path / "a")
    assert done.status == 1 and done.err.endswith("\n--skip-damaged writes the tensors that are whole\n")
    done = run("convert", prefix, tmp_path / "a", "--skip-damaged", "--rename", "^words$=")
    assert done.status == 0 and done.out.splitlines()[:2] == ["left out: words", "damaged, left out: dense/kernel"]
    found = run("convert", prefix, tmp_path / "a", "--skip-damaged", "--json").json
    assert found["num_tensors"] == 3 and found["left_out"] == list(found["damaged"]) == ["dense/kernel"]
    with gpersist.open(tmp_path / "a") as reader:
        assert list(reader) == ["dense/bias", "step", "words"] and reader.device("dense/bias") == "/device:GPU:1"
    with open(prefix + ".data-00000-of-00001", "wb"):
        done = run("convert", prefix, tmp_path / "b", "--skip-damaged")
    assert done.status == 1 and "none of the 4 tensors of" in done.err and "is whole" in done.err


def test_a_meta_that_is_damaged_is_left_out(run, prefix, tmp_path):
    with open(prefix + ".meta", "wb") as meta:
        meta.write(b"\x0a\xff")
    assert run("convert", prefix, tmp_path / "a").status == 1
    done = run("convert", prefix, tmp_path / "a", "--skip-damaged")
    assert done.status == 0 and done.err.endswith("; the graph is left out\n") and run("diff", prefix, tmp_path / "a").status == 0
    assert run("convert", tmp_path / "a", tmp_path / "b.npz").status == 0
    done = run("convert", tmp_path / "b.npz", tmp_path / "c", "--skip-damaged")
    assert done.status == 2 and "no checksum for each tensor" in done.err


def test_a_graph_becomes_another_graph(run, tmp_path):
    graph = protos.GraphDef()
    for name, inputs in (("x", []), ("y", ["x"]), ("z", ["y"])):
        graph.node.add(name=name, op="Identity" if inputs else "Placeholder", input=inputs, device="/gpu:1")
    graph.library.function.add().node_def.add(name="inner", op="NoOp", device="/gpu:1")
    (tmp_path / "a.pb").write_bytes(graph.SerializeToString())
    done = run("convert", tmp_path / "a.pb", tmp_path / "b.pb", "--clear-devices", "--outputs", "y")
    assert done.status == 0 and "(graph): 2 nodes" in done.out
    made = protos.GraphDef.FromString((tmp_path / "b.pb").read_bytes())
    assert [(node.name, node.device) for node in made.node] == [("x", ""), ("y", "")]
    assert run("convert", tmp_path / "a.pb", tmp_path / "c.pbtxt", "--clear-devices").status == 0
    assert run("convert", tmp_path / "c.pbtxt", tmp_path / "a.pb").status == 0
    made = protos.GraphDef.FromString((tmp_path / "a.pb").read_bytes())
    assert [node.name for node in made.node] == ["x", "y", "z"] and "gpu" not in str(made)


def test_what_makes_no_other_graph(run, tmp_path):
    (tmp_path / "a.pb").write_bytes(b"")
    done = run("convert", tmp_path / "a.pb", tmp_path / "b.pb", "--clear-devices")
    assert done.status == 1 and "has no nodes" in done.err
    assert run("convert", tmp_path / "a.pb", tmp_path / "b.pb", "--inputs", "x").status == 2
    assert not (tmp_path / "b.pb").exists()


def test_types(run, prefix, tmp_path):
    done = run("convert", prefix, tmp_path / "a", "--dtype", "dense/*=float64", "--dtype", "float32")
    assert "cast: 2 to float64" in done.out
    refused = run("convert", prefix, tmp_path / "a", "--dtype", "float16")
    assert "may be rounded, or overflow" in refused.err and "--lossy has it done" in refused.err
    assert run("convert", prefix, tmp_path / "a", "--dtype", "float16", "--lossy").out.startswith("cast: ")
    assert refused.status == 2


def test_json(run, prefix, tmp_path):
    found = run("convert", prefix, tmp_path / "a", "--rename", "step=global_step", "--json").json
    assert found.pop("duration_s") > 0
    assert found == {
        "source": prefix, "target": str(tmp_path / "a"), "source_format": "v2", "format": "v2", "num_tensors": 4,
        "total_bytes": 24 + 6 + 8 + 11, "renamed": {"step": "global_step"}, "cast": {}, "left_out": [], "damaged": {},
    }  # fmt: skip


def test_errors(run, prefix, tmp_path):
    done = run("convert", prefix, tmp_path / "new" / "a", "--rename", "dense/.*=x")
    assert done.status == 2 and "'x', of 'dense/bias' and 'dense/kernel'" in done.err and not (tmp_path / "new").exists()
    done = run("convert", prefix, tmp_path / "a.safetensors")
    assert done.status == 2 and "'words': it has no string" in done.err
    assert run("convert", tmp_path / "nothing", tmp_path / "a").status == 2
    with open(prefix + ".data-00000-of-00001", "r+b") as data:
        data.write(b"\xff")
    assert run("convert", prefix, tmp_path / "a").status == 1
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize(
    "arguments", [["--rename", "x"], ["--rename", "(=x"], ["--devices", "/gpu:x"], ["--clear-devices", "--devices", "/gpu:0"], ["--to", "v3"]]
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["convert", "a", "b", *arguments])
    assert stopped.value.code == 2 and "error: " in capsys.readouterr().err


def test_in_a_terminal(tmp_path):
    gpersist.save(tmp_path / "a", {"x\x1b[7m": np.zeros(72 << 20, np.uint8)}, durable=False)
    status, text = in_terminal(100, "convert", tmp_path / "a", tmp_path / "b.safetensors", "--rename", "x=y")
    assert status == 0 and "converting" in text and "━" in text and "\x1b[2K" in text
    assert "x\\x1b[7m -> y\\x1b[7m" in text and "\x1b[7m" not in text
    assert "1 tensor, 72.0 MiB in" in plain(text)[-1] and plain(text)[-1].endswith("GB/s")


@pytest.mark.parametrize("command", ["convert", "freeze"])
def test_help_fits_a_terminal(command):
    status, text = in_terminal(80, command, "--help")
    assert status == 0 and max(map(len, plain(text))) <= 80


@pytest.mark.parametrize("name", ["a.h5", "a.pt", "a.keras"])
def test_formats_that_are_not_written_are_no_prefixes(run, prefix, tmp_path, name):
    done = run("convert", prefix, tmp_path / name)
    assert done.status == 2 and f"gpersist writes no {os.path.splitext(name)[1]} files" in done.err
    assert run("convert", prefix, tmp_path / name, "--to", "v2").status == 0


def test_a_meta_alone_is_no_frozen_graph(run, prefix, tmp_path):
    meta = tmp_path / "alone.meta"
    meta.write_bytes(pathlib.Path(prefix + ".meta").read_bytes())
    done = run("convert", meta, tmp_path / "g.pb")
    assert done.status == 2 and "copy the checkpoint's .index and data beside it" in done.err
    assert "gpersist freeze" in run("convert", prefix + ".meta", tmp_path / "g.pb").err
