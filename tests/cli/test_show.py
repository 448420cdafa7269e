from __future__ import annotations

import pathlib
import zipfile

import numpy as np
import pytest

import gpersist

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "bundle"


def test_table(run, prefix):
    done = run("show", prefix)
    assert done.status == 0 and not done.err
    lines = done.out.splitlines()
    assert lines[0].split() == ["tensor", "dtype", "shape", "size", "device", "shard", "crc32c"]
    crc = gpersist.open(prefix)["dense/kernel"].entry.crc
    assert lines[2].split() == ["dense/kernel", "float32", "[2,", "3]", "24", "B", "/device:GPU:0", "0", f"0x{crc:08x}"]
    assert [line.split()[0] for line in lines[1:5]] == ["dense/bias", "dense/kernel", "step", "words"]
    assert f"{prefix} (V2, 1 shard): 4 tensors, 49 B (49 bytes)" in lines
    assert "  /device:GPU:1: 1 tensor, 6 B" in lines


def test_json(run, prefix):
    found = run("show", prefix, "--json").json
    assert list(found) == ["prefix", "format", "num_shards", "num_tensors", "total_bytes", "devices", "short_files", "tensors"]
    assert (found["prefix"], found["format"], found["num_shards"], found["num_tensors"], found["total_bytes"]) == (prefix, "V2", 1, 4, 49)
    assert found["devices"]["/device:GPU:0"] == {"tensors": 1, "bytes": 24}
    entry = gpersist.open(prefix)["dense/kernel"].entry
    stored = {
        "slice": None,
        "file": "ckpt-7.data-00000-of-00001",
        "shard": 0,
        "offset": entry.offset,
        "size_bytes": 24,
        "crc32c": f"0x{entry.crc:08x}",
        "device": "/device:GPU:0",
    }
    assert found["tensors"][1] == {
        "name": "dense/kernel", "dtype": "float32", "shape": [2, 3], "size_bytes": 24, "device": "/device:GPU:0", "stored": [stored],
    }  # fmt: skip


def test_data_files_that_are_cut_or_missing(run, prefix):
    data = pathlib.Path(prefix + ".data-00000-of-00001")
    needed = data.stat().st_size
    data.write_bytes(data.read_bytes()[: needed - 1])
    done = run("show", prefix)
    assert done.status == 1 and len(done.err.splitlines()) == 1 and "words" in done.out
    assert f"'{data.name}' has {needed - 1} of {needed} bytes, without 1 tensor: 'words';" in done.err
    data.unlink()
    done = run("show", prefix, "step", "--json")
    names = ["dense/bias", "dense/kernel", "step", "words"]
    assert done.json["short_files"] == [{"file": data.name, "size_bytes": None, "needed_bytes": needed, "tensors": names}] and done.status == 1
    assert f"'{data.name}' is missing, without 4 tensors: 'dense/bias', 'dense/kernel', 'step', ...;" in run("show", prefix, "--tree").err


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_any_file_of_a_checkpoint_names_it(run, prefix, suffix):
    assert run("show", prefix + suffix, "--json").json["prefix"] == prefix


def test_a_folder_means_its_newest(run, tmp_path):
    with gpersist.CheckpointManager(tmp_path / "run", durable=False) as manager:
        for step in (5, 10):
            manager.save(step, {"a": step})
    for name in ("run", "run/checkpoint"):
        assert run("show", tmp_path / name, "--json").json["prefix"] == str(tmp_path / "run" / "ckpt-10")


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["dense"], ["dense/bias", "dense/kernel"]),
        (["dense/"], ["dense/bias", "dense/kernel"]),
        (["*e*"], ["dense/bias", "dense/kernel", "step"]),
        (["step", "dense/b*"], ["dense/bias", "step"]),
        (["[sw]*"], ["step", "words"]),
    ],
)
def test_patterns(run, prefix, patterns, names):
    found = run("show", prefix, "--json", *patterns).json
    assert [tensor["name"] for tensor in found["tensors"]] == names
    assert found["total_bytes"] == sum(tensor["size_bytes"] for tensor in found["tensors"])


def test_options_may_stand_between_names(run, prefix):
    lines = run("show", prefix, "--sort", "size", "dense", "--table", "step").out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["dense/kernel", "step", "dense/bias"]
    assert "3 tensors of 4" in lines[5]


def test_no_tensor_of_that_name(run, prefix):
    done = run("show", prefix, "dens")
    assert done.status == 2 and "named 'dens'; it holds 4 tensors" in done.err


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["dense/bias", "dense/kernel", "step", "words"]),
        ("size", ["dense/kernel", "words", "step", "dense/bias"]),
        ("device", ["step", "words", "dense/kernel", "dense/bias"]),
    ],
)
def test_sort(run, prefix, sort, names):
    assert [tensor["name"] for tensor in run("show", prefix, "--sort", sort, "--json").json["tensors"]] == names


def test_tree(run, prefix):
    lines = run("show", prefix, "--tree").out.splitlines()
    assert lines[:5] == [
        "├── dense/  (2 tensors, 30 B)",
        "│   ├── bias  float16[3]  6 B  /device:GPU:1",
        "│   └── kernel  float32[2, 3]  24 B  /device:GPU:0",
        "├── step  int64[]  8 B  /device:CPU:0",
        "└── words  string[2]  11 B  /device:CPU:0",
    ]


def test_tree_of_a_name_as_deep_as_can_be(run, tmp_path):
    gpersist.save(tmp_path / "deep", {"/".join("x" * 5000): 1, "x": 2}, durable=False)
    done = run("show", tmp_path / "deep", "--tree")
    assert done.status == 0 and max(map(len, done.out.splitlines())) < 10_200


def test_names_cannot_steer_the_terminal(run, tmp_path):
    name = "evil\x1b[31m\x07/[bold]x[/bold]"
    gpersist.save(tmp_path / "c", {name: 1}, durable=False)
    for form in ("--table", "--tree"):
        out = run("show", tmp_path / "c", form).out
        assert "\x1b" not in out and "\x07" not in out and "\\x1b[31m\\x07/" in out
    assert run("show", tmp_path / "c", "--json").json["tensors"][0]["name"] == name


def test_v1(run):
    found = run("show", GOLDEN / "dtypes_v1", "--json").json
    assert (found["format"], found["num_shards"], found["num_tensors"]) == ("V1", None, 20)
    assert all(tensor["stored"] == [] for tensor in found["tensors"])
    out = run("show", GOLDEN / "dtypes_v1").out
    assert "dtypes_v1 (V1): 20 tensors" in out


def test_parts_on_several_devices(run, tmp_path):
    import gpersist.compat.v1 as tf

    places = iter(("/job:ps/task:0", "/job:ps/task:1"))
    with tf.Graph().as_default():
        with tf.device(lambda op: next(places) if op.type == "VariableV2" else ""):
            tf.get_variable("net/w", [5, 2], partitioner=tf.fixed_size_partitioner(2))
        saver = tf.train.Saver()
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            session.run(tf.global_variables_initializer())
            prefix = saver.save(session, str(tmp_path / "m"))
    done = run("show", prefix)
    assert "2 devices" in done.out.splitlines()[1]
    assert "  /job:ps/task:0: 1 tensor, 24 B" in done.out and "  /job:ps/task:1: 1 tensor, 16 B" in done.out
    (tensor,) = run("show", prefix, "--json").json["tensors"]
    assert [(place["slice"], place["device"]) for place in tensor["stored"]] == [("0,3:0,2", "/job:ps/task:0"), ("3,2:0,2", "/job:ps/task:1")]
    assert tensor["device"] in ("/job:ps/task:0", "/job:ps/task:1")


def test_slices(run):
    done = run("show", GOLDEN / "partitioned_v2")
    assert "3 slices" in done.out
    rows = run("show", GOLDEN / "partitioned_v2", "rows", "--json").json["tensors"][0]
    assert [place["slice"] for place in rows["stored"]] and sum(place["size_bytes"] for place in rows["stored"]) == rows["size_bytes"] == 160


def test_values(run, prefix):
    assert run("show", prefix, "--values", "dense/kernel").out == "dense/kernel  float32[2, 3]\n[[0. 1. 2.]\n [3. 4. 5.]]\n"
    assert run("show", prefix, "--values", "words").out == "words  string[2]\n[b'one' b'\\xff\\xfe']\n"


def test_full_values(run, tmp_path):
    gpersist.save(tmp_path / "c", {"a": np.arange(5000)}, durable=False)
    assert "..." in run("show", tmp_path / "c", "--values", "a").out
    full = run("show", tmp_path / "c", "--values", "a", "--full").out
    assert "..." not in full and " 2500 " in full


def test_values_as_json(run, tmp_path):
    arrays = {
        "f": np.array([[1.5, np.nan], [np.inf, -np.inf]]),
        "c": np.array([1 + 2j]),
        "s": np.array([b"a", b"\xff"], object),
        "i": np.int64(2**62 + 1),
        "empty": np.zeros((2, 0), np.float32),
        "b": np.array([True]),
    }
    gpersist.save(tmp_path / "c", arrays, durable=False)
    values = {name: run("show", tmp_path / "c", "--values", name, "--json").json["values"] for name in arrays}
    assert values == {"f": [[1.5, "nan"], ["inf", "-inf"]], "c": [[1.0, 2.0]], "s": ["a", "\udcff"], "i": 2**62 + 1, "empty": [[], []], "b": [True]}


@pytest.mark.parametrize("name", ["bfloat16", "qint8", "int4", "float8_e5m2"])
def test_values_of_odd_types_as_json(run, tmp_path, name):
    dtype = gpersist.dtypes.from_name(name).numpy
    gpersist.save(tmp_path / "c", {"a": np.array([1, 3], np.int8).astype(dtype)}, durable=False)
    found = run("show", tmp_path / "c", "--values", "a", "--json").json
    assert (found["dtype"], found["values"]) == (name, [1, 3])


def test_values_of_a_name_that_is_near(run, prefix):
    done = run("show", prefix, "--values", "dense/kernle")
    assert done.status == 2 and "did you mean 'dense/kernel'" in done.err


def test_values_that_are_damaged(run, prefix):
    path = prefix + ".data-00000-of-00001"
    data = bytearray(pathlib.Path(path).read_bytes())
    data[gpersist.open(prefix)["dense/kernel"].entry.offset] ^= 1
    pathlib.Path(path).write_bytes(data)
    done = run("show", prefix, "--values", "dense/kernel")
    assert done.status == 1 and "crc32c" in done.err and not done.out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty (0 bytes)"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 64, "an HDF5 file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git-LFS pointer"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\x1f\x8b\x08" + b"\0" * 64, "gzip-compressed"),
    ],
)
@pytest.mark.parametrize("name", ["model.bin", "model.index"])
def test_files_of_other_kinds(run, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    done = run("show", tmp_path / name)
    assert done.status == 2 and words in done.err and name in done.err


def test_a_pytorch_file(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("model/data.pkl", b"x")
    assert "a PyTorch checkpoint" in run("show", tmp_path / "model.pt").err
