from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flatbuffers")

import gpersist.compat.v1 as tf
from gpersist import protos
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.lite import to_tflite
from tests.lite.reader import constants, described, read

Converter = tf.lite.TFLiteConverter


@pytest.fixture
def graph():
    """y = relu(x w), frozen beside it and as a SavedModel; and others."""
    with tf.Graph().as_default() as found, tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.Variable(np.arange(12, dtype=np.float32).reshape(3, 4), name="w")
        tf.nn.relu(tf.matmul(x, w, name="y"), name="z")
        session.run(tf.global_variables_initializer())
        yield found


@pytest.fixture
def files(graph, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = tf.get_default_session()
    frozen = tf.graph_util.convert_variables_to_constants(session, session.graph_def, ["z"])
    (tmp_path / "f.pb").write_bytes(frozen.SerializeToString())
    (tmp_path / "f.pbtxt").write_text(str(frozen))
    (tmp_path / "u.pb").write_bytes(session.graph_def.SerializeToString())
    (tmp_path / "bad.pb").write_bytes(b"hello world")
    tensor = graph.get_tensor_by_name
    tf.saved_model.simple_save(session, "saved", {"inp": tensor("x:0")}, {"out": tensor("z:0"), "mid": tensor("y:0")})
    tf.train.Saver().save(session, "ckpt/m")
    return tmp_path


def operators(content):
    return [operator["op"] for operator in described(content)["operators"]]


def from_session(inputs, outputs, **attributes):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        converter = Converter.from_session(session, inputs, outputs)
        for name, value in attributes.items():
            setattr(converter, name, value)
        return converter.convert()


def test_doors_give_the_same(graph, files):
    session = tf.get_default_session()
    wanted = Converter.from_session(session, [graph.get_tensor_by_name("x:0")], [graph.get_tensor_by_name("z:0")]).convert()
    assert wanted == Converter.from_frozen_graph("f.pb", ["x"], ["z"]).convert()
    assert wanted == Converter.from_frozen_graph("f.pbtxt", ["x"], ["z"]).convert()
    assert wanted == Converter.from_saved_model("saved", output_arrays=["z"]).convert()
    assert wanted[4:8] == b"TFL3"
    assert read(wanted)["version"] == 3
    found = described(wanted)
    assert (found["inputs"], found["outputs"], operators(wanted)) == (["x"], ["z"], ["FULLY_CONNECTED"])
    (weights,) = constants(wanted).values()
    assert weights.tolist() == np.arange(12).reshape(3, 4).T.tolist()


def test_old_names(graph, files):
    session = tf.get_default_session()
    inputs, outputs = [graph.get_tensor_by_name("x:0")], [graph.get_tensor_by_name("z:0")]
    wanted = Converter.from_session(session, inputs, outputs).convert()
    assert tf.lite.TocoConverter.from_session(session, inputs, outputs).convert() == wanted
    assert tf.lite.toco_convert(protos.GraphDef.FromString((files / "f.pb").read_bytes()), inputs, outputs) == wanted


def test_keras(tmp_path):
    path = Path(__file__).parents[1] / "golden" / "keras" / "tf_keras" / "cnn.h5"
    converter = Converter.from_keras_model_file(path)
    content = converter.convert()
    assert "FULLY_CONNECTED" in operators(content)
    assert to_tflite(path, tmp_path / "k.tflite").inputs == tuple(converter.get_input_arrays())
    assert (tmp_path / "k.tflite").read_bytes() == content
    with pytest.raises(UnimplementedError, match="custom_objects"):
        Converter.from_keras_model_file(path, custom_objects={"Mine": object})


def test_flatbuffers_is_another_package(files, monkeypatch):
    converter = Converter.from_frozen_graph("f.pb", ["x"], ["z"])
    monkeypatch.setitem(sys.modules, "flatbuffers", None)
    with pytest.raises(UnimplementedError, match=r"gpersist\[lite\]"):
        converter.convert()


def test_equal_constants_are_there_once():
    with tf.Graph().as_default():
        x, weights = tf.placeholder(tf.float32, [2, 64]), tf.constant(np.random.rand(64, 64).astype(np.float32))
        content = from_session([x], [tf.matmul(x, weights) * 2.0, tf.matmul(tf.nn.relu(x), weights) * 2.0])
    assert len(content) < 64 * 64 * 4 * 1.2


def test_the_interpreter_is_another_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(UnimplementedError, match="ai-edge-litert"):
        tf.lite.Interpreter(model_content=b"")


def test_variables_are_as_at_the_call(graph):
    session = tf.get_default_session()
    converter = Converter.from_session(session, [graph.get_tensor_by_name("x:0")], [graph.get_tensor_by_name("z:0")])
    before = converter.convert()
    session.run(tf.assign(graph.get_tensor_by_name("w:0"), np.zeros((3, 4), np.float32)))
    assert converter.convert() == before


def test_saved_model(files):
    assert described(Converter.from_saved_model("saved").convert())["outputs"] == ["y", "z"]  # by name
    converter = Converter.from_saved_model("saved", ["y"], {"y": [5, 4]}, ["z"])
    assert converter.get_input_arrays() == ["y"]
    assert described(converter.convert())["operators"][0]["takes"] == [["FLOAT32", [5, 4]]]
    with pytest.raises(ValueError, match=r"^No 'no' in the SavedModel's SignatureDefs\. Possible values are 'serving_default'\.$"):
        Converter.from_saved_model("saved", signature_key="no")
    with pytest.raises(RuntimeError, match="could not be found in SavedModel"):
        Converter.from_saved_model("saved", tag_set={"no"})
    with pytest.raises(OSError, match="none"):
        Converter.from_saved_model("none")


def test_input_shapes(files):
    converter = Converter.from_frozen_graph("f.pb", ["x"], ["z"], {"x": [5, 3]})
    assert described(converter.convert())["operators"][0]["gives"] == [["FLOAT32", [5, 4]]]
    for shapes, text in (
        ({"x": [5, 4]}, "The shape of tensor 'x' cannot be changed from"),
        ({"q": [5, 4]}, "Invalid tensor 'q' found in tensor shapes map."),
    ):
        with pytest.raises(ValueError) as caught:
            Converter.from_frozen_graph("f.pb", ["x"], ["z"], shapes)
        assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("path", "inputs", "outputs", "error", "text"),
    [
        ("none.pb", ["x"], ["z"], OSError, "File 'none.pb' does not exist."),
        ("bad.pb", ["x"], ["z"], OSError, "Unable to parse input file 'bad.pb'."),
        ("u.pb", ["x"], ["z"], ValueError, "Please freeze the graph using freeze_graph.py."),
        ("f.pb", ["x:0"], ["z"], ValueError, "Invalid tensors 'x:0' were found."),
        ("f.pb", ["x"], ["zz", "q"], ValueError, "Invalid tensors 'zz,q' were found."),
        ("f.pb", None, ["z"], TypeError, "'NoneType' object is not iterable"),
    ],
)
def test_bad_frozen_graphs(path, inputs, outputs, error, text, files):
    with pytest.raises(error) as caught:
        Converter.from_frozen_graph(path, inputs, outputs)
    assert str(caught.value) == text


def test_arrays_with_shapes(files):
    graph_def = protos.GraphDef.FromString((files / "f.pb").read_bytes())
    converter = Converter(graph_def, None, None, [("x", [2, 3])], ["z"])
    assert converter.get_input_arrays() == ["x"]
    assert described(converter.convert())["operators"][0]["takes"][0] == ["FLOAT32", [2, 3]]
    with pytest.raises(ValueError, match="both input_arrays_with_shape and output_arrays must be defined"):
        Converter(graph_def, None, None).convert()


def test_optimizations(files):
    converter = Converter.from_frozen_graph("f.pb", ["x"], ["z"])
    assert (converter.post_training_quantize, converter.optimizations) == (False, set())
    converter.post_training_quantize = True
    assert (converter.post_training_quantize, converter.optimizations) == (True, [tf.lite.Optimize.DEFAULT])
    converter.post_training_quantize = False
    assert converter.optimizations == []
    assert str(tf.lite.Optimize.OPTIMIZE_FOR_SIZE) == "OPTIMIZE_FOR_SIZE"
    assert tf.lite.constants.TFLITE == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("representative_dataset", lambda: iter([])),
        ("output_format", tf.lite.constants.GRAPHVIZ_DOT),
        ("inference_type", tf.lite.constants.QUANTIZED_UINT8),
        ("target_ops", {tf.lite.OpsSet.SELECT_TF_OPS}),
        ("target_spec", tf.lite.TargetSpec(supported_types=[tf.float16])),
    ],
)
def test_what_is_not_there_is_refused(name, value, files):
    converter = Converter.from_frozen_graph("f.pb", ["x"], ["z"])
    setattr(converter, name, value)
    with pytest.raises(UnimplementedError, match=r"representative|output_format|inference|supported"):
        converter.convert()


def test_quantized_weights():
    with tf.Graph().as_default():
        weights = np.random.RandomState(1).uniform(-1, 1, (32, 32)).astype(np.float32)
        weights[:, 3] = 0
        x = tf.placeholder(tf.float32, [1, 32])
        content = from_session([x], [tf.matmul(x, weights)], optimizations=[tf.lite.Optimize.OPTIMIZE_FOR_SIZE])
    (tensor,) = (tensor for tensor in read(content)["subgraphs"][0]["tensors"] if "quantization" in tensor)
    scales = np.float32(tensor["quantization"]["scale"])
    assert tensor["quantization"]["zero_point"] == [0] * 32
    assert np.allclose(scales, np.maximum(np.abs(weights).max(0), 5e-7) / 127)
    (numbers,) = constants(content).values()
    assert numbers.dtype == np.int8 and np.abs(numbers).max() == 127
    assert np.abs(numbers * scales[:, None] - weights.T).max() <= scales.max() * 0.5001


def test_unsupported_nodes_are_all_told(graph):
    x = tf.placeholder(tf.float32, [2, 2], name="m")
    found = sum(tf.erf(x, name=f"e{index}") for index in range(5)) + tf.matrix_inverse(x, name="i") + tf.cast(tf.cast(x, tf.float64) + 1, tf.float32)
    with pytest.raises(UnimplementedError) as caught:
        from_session([], [found])
    assert str(caught.value) == (
        "8 nodes of the graph have no TFLite operators:\n"
        "  AddV2: 1 ('add_6'): of float64\n"
        "  Erf: 5 ('e0', 'e1', 'e2' and 2 more): there is none\n"
        "  MatrixInverse: 1 ('i'): there is none\n"
        "  Placeholder: 1 ('m'): it is not among the inputs\n"
        "give inputs and outputs between which there are none of these"
    )
    with pytest.raises(UnimplementedError, match=r"Conv2D: 1 \('Conv2D'\): of data_format NCHW"):
        image = tf.placeholder(tf.float32, [1, 2, 5, 5])
        from_session([image], [tf.nn.conv2d(image, np.ones((3, 3, 2, 2), np.float32), strides=[1] * 4, padding="SAME", data_format="NCHW")])


def test_only_what_outputs_need_is_converted(graph):
    x = tf.placeholder(tf.float32, [2], name="m")
    y = tf.nn.relu(tf.erf(x), name="r")
    assert operators(from_session([graph.get_tensor_by_name("Erf:0")], [y])) == ["RELU"]


DROPOUTS = {
    "now": lambda x: tf.nn.dropout(x, rate=0.5),
    "a rate that is fed": lambda x: tf.nn.dropout(x, rate=1 - tf.placeholder_with_default(1.0, [])),
    "before 2.9": lambda x: (x * (1 / (1 - 0.5))) * tf.cast(tf.random_uniform([2, 4]) >= 0.5, tf.float32),
    "before 1.13": lambda x: tf.div(x, 0.5) * tf.floor(0.5 + tf.random_uniform([2, 4])),
    "within limits": lambda x: tf.div(x, 0.5) * tf.floor(0.5 + tf.random_uniform([2, 4], 0.0, 1.0)),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_is_gone(name):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, 4])
        y = tf.tanh(DROPOUTS[name](tf.nn.relu(x)))
        assert operators(from_session([x], [y])) == ["RELU", "TANH"]


def test_branches_not_taken_are_gone():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [2, 4])
        training = tf.placeholder_with_default(False, [])
        y = tf.cond(training, lambda: tf.erf(x), lambda: tf.nn.relu(x))
        assert operators(from_session([x], [tf.tanh(y)])) == ["RELU", "TANH"]
        with pytest.raises(UnimplementedError, match=r"Switch: 2 .*its predicate is not constant"):
            from_session([x, training], [tf.tanh(y)])


def test_loops_are_refused():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [])
        y = tf.while_loop(lambda v: v < 10.0, lambda v: v * 2.0, [x])
        with pytest.raises(UnimplementedError, match=r"NextIteration|Merge|Enter"):
            from_session([x], [y])


def test_batch_norm_of_training_is_refused():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [1, 2, 2, 3])
        ones = np.ones(3, np.float32)
        y = tf.nn.fused_batch_norm(x, ones, ones)[0]
        with pytest.raises(UnimplementedError, match="with is_training"):
            from_session([x], [y])
        statistics = tf.nn.fused_batch_norm(x, ones, ones, ones, ones, is_training=False)[1]
        with pytest.raises(UnimplementedError, match="output: 1"):
            from_session([x], [statistics])


def test_large_constants_are_refused_before_they_are_made():
    message = protos.GraphDef()
    node = message.node.add(name="c", op="Const")
    node.attr["dtype"].type = 1
    node.attr["value"].tensor.dtype = 1
    node.attr["value"].tensor.tensor_shape.dim.add(size=1 << 40)
    node.attr["value"].tensor.float_val.append(1.0)
    placeholder = message.node.add(name="x", op="Placeholder")
    placeholder.attr["dtype"].type = 1
    total = message.node.add(name="y", op="AddV2", input=["c", "x"])
    total.attr["T"].type = 1
    with pytest.raises(InvalidArgumentError, match="larger than 2 GB"):
        Converter(message, None, None, [("x", None)], ["y"]).convert()


def test_sizes_that_do_not_fit_are_refused():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [1 << 20])
        with pytest.raises(InvalidArgumentError, match="32 bits"):
            from_session([x], [tf.tile(x, [1 << 20])])


def test_what_grows_is_left_to_the_interpreter():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [])
        content = from_session([x], [tf.fill([1 << 13, 1 << 13], 1.0) + x])
    assert operators(content) == ["FILL", "ADD"]
    assert len(content) < 10000


def test_unknown_rank():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32)
        content = from_session([x], [tf.nn.relu(x) * 2.0])
    assert described(content)["operators"][0]["takes"] == [["FLOAT32", []]]


def test_same_bytes_every_time(graph):
    session = tf.get_default_session()
    converter = Converter.from_session(session, [graph.get_tensor_by_name("x:0")], [graph.get_tensor_by_name("z:0")])
    assert converter.convert() == converter.convert()


def test_files(files):
    wanted = Converter.from_frozen_graph("f.pb", ["x"], ["z"]).convert()
    for number, source in enumerate(("f.pb", "f.pbtxt", "ckpt", "ckpt/m")):
        done = to_tflite(source, f"{number}.tflite", ["z"])
        assert (done.inputs, done.outputs, done.size_bytes) == (("x",), ("z",), len(wanted))
        assert (files / f"{number}.tflite").read_bytes() == wanted
    assert to_tflite("saved", "s.tflite").outputs == ("y", "z")
    before = sorted(os.listdir())
    for source, outputs, error in (("u.pb", ["z"], InvalidArgumentError), ("f.pb", [], InvalidArgumentError), ("f.pb", ["q"], LookupError)):
        with pytest.raises(error):
            to_tflite(source, "n.tflite", outputs)
    assert sorted(os.listdir()) == before
