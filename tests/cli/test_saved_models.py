"""SavedModels on the command line: the devices are those of their graphs, by tags."""

from __future__ import annotations

import shutil

import pytest

import gpersist
import gpersist.compat.v1 as tf


@pytest.fixture
def export(tmp_path):
    """A SavedModel with a graph for training on GPUs 1 and 2, and one for serving on GPU 0; their variables are the same."""
    builder = tf.saved_model.builder.SavedModelBuilder(str(tmp_path / "export"))
    for tags, devices in ((["train", "gpu"], ("/gpu:1", "/gpu:2")), (["serve"], ("/gpu:0", ""))):
        with tf.Graph().as_default(), tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            for name, device in zip("ab", devices, strict=True):
                with tf.device(device):
                    tf.get_variable(name, [3])
            session.run(tf.global_variables_initializer())
            if "train" in tags:
                builder.add_meta_graph_and_variables(session, tags)
            else:
                builder.add_meta_graph(tags)
    builder.save()
    return tmp_path / "export"


def recorded(done):
    return {tensor["name"]: tensor["device"] for tensor in done.json["tensors"]}


def test_devices(run, export):
    assert recorded(run("show", export, "--json")) == {"a": "/device:GPU:0", "b": None}
    for path in (export, export / "variables", export / "variables" / "variables.index"):
        assert recorded(run("show", path, "--json", "--tag-set", "gpu,train")) == {"a": "/device:GPU:1", "b": "/device:GPU:2"}
    out = run("show", export).out
    assert "  devices as in the SavedModel's graph 'serve'; --tag-set chooses another: train,gpu\n  no device recorded: 1 tensor, 12 B\n" in out


def test_places(run, export):
    options = ["--tag-set", "train,gpu", "--virtual", "3", "--json", "--map", "/gpu:2=/gpu:0"]
    found = run("place", export, *options).json["tensors"]
    assert [(tensor["recorded"], tensor["device"]) for tensor in found] == [("/device:GPU:1", "/device:GPU:1"), ("/device:GPU:2", "/device:GPU:0")]
    with gpersist.use_virtual_devices(3), gpersist.saved_model.load(export, ["train", "gpu"], device_map={"/gpu:2": "/gpu:0"}) as model:
        assert [model.session.device_of(variable).name for variable in model.variables] == ["/device:GPU:1", "/device:GPU:0"]


def test_a_folder_of_exports_names_them(run, export, tmp_path):
    for number in (99, 100):
        shutil.copytree(export, tmp_path / "all" / str(number))
    for arguments in (["show"], ["place"], ["verify"], ["freeze"]):
        done = run(*arguments, tmp_path / "all", *["x.pb"] * (arguments == ["freeze"]))
        assert done.status == 2 and f"its folders '100', '99' are SavedModels: name one, such as the last, '{tmp_path}/all/100'" in done.err
    assert f"such as the last, '{tmp_path}/all/100'" in run("graph", tmp_path / "all").err


def test_tags_that_are_not_there(run, export, prefix):
    done = run("show", export, "--tag-set", "tpu")
    assert done.status == 2 and done.err.endswith("has no graph with the tags 'tpu'; those of its graphs: train,gpu; serve\n")
    done = run("place", prefix, "--tag-set", "serve")
    assert done.status == 2 and "--tag-set chooses a graph of a SavedModel" in done.err


def test_a_graph_that_is_damaged_costs_the_devices(run, export):
    graph = export / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-2])
    done = run("show", export, "--json")
    assert done.status == 0 and "the devices recorded there are not known" in done.err and recorded(done) == {"a": None, "b": None}
    assert run("show", export, "--tag-set", "serve").status == 1


def test_signatures(run, tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        info = tf.saved_model.utils.build_tensor_info
        rows = {"sparse": info(tf.sparse_placeholder(tf.int64, name="s")), "ragged": info(tf.ragged.placeholder(tf.int64, 1, name="r")), "x": info(x)}
        signature = tf.saved_model.signature_def_utils.build_signature_def(rows, {"y": info(tf.nn.relu(x, name="y"))}, "any/method")
        builder = tf.saved_model.builder.SavedModelBuilder(str(tmp_path / "m"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"one": signature})
        builder.add_meta_graph(["train"])
        builder.save()
    done = run("show", tmp_path / "m", "--signatures")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert (done.status, done.err) == (0, "")
    assert lines[0] == "graph 'serve': one signature" and lines[2] == "one any/method" and "graph 'train': no signatures" in lines
    assert {"input x float32 [?, 2] x:0", "output y float32 [?, 2] y:0", "input ragged.1 int64 [?] r/row_splits_0:0"} <= set(lines)
    assert "input sparse.indices int64 unknown s/indices:0" in lines
    found = run("show", tmp_path / "m", "--signatures", "--json", "--tag-set", "serve").json["graphs"]
    assert [graph["tags"] for graph in found] == [["serve"]]
    assert found[0]["signatures"]["one"]["outputs"] == {"y": {"tensor": "y:0", "dtype": "float32", "shape": [-1, 2]}}
    assert run("show", tmp_path / "m", "--signatures", "--tag-set", "x").status == 2


def test_what_has_no_signatures(run, tmp_path):
    (tmp_path / "a.pb").write_bytes(tf.GraphDef(node=[tf.NodeDef(name="a", op="NoOp")]).SerializeToString())
    done = run("show", tmp_path / "a.pb", "--signatures")
    assert done.status == 2 and "is no SavedModel" in done.err
