"""Keras models give what Keras gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.convert import freeze, keras_to_frozen, keras_to_saved_model
from gpersist.keras import backend as K
from gpersist.keras import load_keras_model
from gpersist.keras.models import load_model
from tests.keras.comparing import check_frozen, check_model

pytest.importorskip("h5py")
GOLDEN = Path(__file__).parents[1] / "golden" / "keras"
CASES = [
    pytest.param(package, path.stem, id=f"{package}-{path.stem}")
    for package in ("keras", "tf_keras")
    for path in sorted((GOLDEN / package).glob("*.h5"))
    if path.stem != "weights"
]


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return {package: dict(np.load(GOLDEN / package / f"{package}.npz")) for package in ("keras", "tf_keras")}


@pytest.mark.parametrize(("package", "case"), CASES)
def test_values(package: str, case: str, told: Any) -> None:
    check_model(GOLDEN / package / f"{case}.h5", case, told[package])


@pytest.mark.parametrize(("package", "case"), [("tf_keras", "cnn"), ("keras", "lstm"), ("keras", "several"), ("tf_keras", "gru"), ("keras", "parts")])
def test_frozen(package: str, case: str, told: Any, tmp_path: Path) -> None:
    frozen = keras_to_frozen(GOLDEN / package / f"{case}.h5", tmp_path / "a.pb")
    assert not {node.op for node in frozen.graph_def.node} & {"VarHandleOp", "ReadVariableOp", "AssignVariableOp"}
    read = tf.GraphDef.FromString((tmp_path / "a.pb").read_bytes())
    assert read == frozen.graph_def
    check_frozen(read, frozen.inputs, frozen.outputs, case, told[package])
    keras_to_frozen(GOLDEN / package / f"{case}.h5", tmp_path / "a.pbtxt")
    assert (tmp_path / "a.pbtxt").read_text().startswith("node {")


@pytest.mark.parametrize(("package", "case"), [("tf_keras", "cnn"), ("keras", "lstm"), ("keras", "several")])
def test_saved_model(package: str, case: str, told: Any, tmp_path: Path) -> None:
    folder = str(tmp_path / "export")
    signature = keras_to_saved_model(GOLDEN / package / f"{case}.h5", folder)
    assert signature.method_name == "tensorflow/serving/predict"
    with tf.Session(graph=tf.Graph()) as sess:
        message = tf.saved_model.loader.load(sess, ["serve"], folder)
        assert message.signature_def["serving_default"] == signature
        arrays = told[package]
        feeds = {info.name: arrays[f"{case}/in/{index}"] for index, info in enumerate(signature.inputs[key] for key in _order(signature.inputs))}
        for index, key in enumerate(_order(signature.outputs)):
            np.testing.assert_allclose(sess.run(signature.outputs[key].name, feeds), arrays[f"{case}/out/{index}"], 1e-5, 1e-6)
    frozen = freeze(folder)
    check_frozen(frozen.graph_def, [signature.inputs[key].name for key in _order(signature.inputs)],
                 [signature.outputs[key].name for key in _order(signature.outputs)], case, told[package])  # fmt: skip


def _order(infos: Any) -> list[str]:
    """Of `several`: first and second, one and two."""
    return sorted(infos)


def test_names() -> None:
    """As TensorFlow 1's Keras has them, and as the seeds' programs fetch them."""
    with tf.Graph().as_default() as graph:
        model = load_keras_model(GOLDEN / "tf_keras" / "cnn.h5")
        assert (model.input.name, model.output.name) == ("input_1:0", "dense/Softmax:0")
        assert model.input.shape.as_list() == [None, 8, 7, 3] and model.output.shape.as_list() == [None, 2]
        assert [variable.name for variable in tf.global_variables()] == [
            "conv2d/kernel:0", "conv2d/bias:0", "batch_normalization/gamma:0", "batch_normalization/beta:0", "batch_normalization/moving_mean:0",
            "batch_normalization/moving_variance:0", "conv2d_1/kernel:0", "conv2d_1/bias:0", "dense/kernel:0", "dense/bias:0",
        ]  # fmt: skip
        assert len(tf.trainable_variables()) == 8
        names = [op.name for op in graph.get_operations()]
        for name in ["conv2d/Conv2D", "conv2d/BiasAdd", "conv2d/Relu", "batch_normalization/FusedBatchNormV3", "max_pooling2d/MaxPool",
                     "conv2d_1/Conv2D/ReadVariableOp", "flatten/Reshape", "dropout/Identity", "dense/MatMul"]:  # fmt: skip
            assert name in names


def test_weights_and_architecture_apart(told: Any) -> None:
    text = (GOLDEN / "tf_keras" / "architecture.json").read_text()
    check_model(GOLDEN / "tf_keras" / "weights.h5", "cnn", told["tf_keras"], text)
    check_model(GOLDEN / "tf_keras" / "weights.h5", "cnn", told["tf_keras"], GOLDEN / "tf_keras" / "architecture.json")
    spec = json.loads(text)
    spec["config"]["layers"].insert(2, {"class_name": "Activation", "config": {"name": "none", "activation": "linear"}})
    check_model(GOLDEN / "tf_keras" / "weights.h5", "cnn", told["tf_keras"], json.dumps(spec))


def test_layers_in_the_middle() -> None:
    frozen = keras_to_frozen(GOLDEN / "tf_keras" / "cnn.h5", outputs=["flatten/Reshape:0"])
    assert frozen.outputs == ("flatten/Reshape",) and len(frozen.variables) == 8


def test_the_seeds_program(told: Any, tmp_path: Path) -> None:
    """h5 to pb, as seed 002 has it, with other import lines."""
    K.clear_session()
    K.set_learning_phase(0)
    net_model = load_model(str(GOLDEN / "tf_keras" / "cnn.h5"))
    frozen_graph = _freeze_session(K.get_session(), output_names=[net_model.output.op.name])
    tf.io.write_graph(frozen_graph, str(tmp_path), "vgg.pb", as_text=False)
    read = tf.GraphDef.FromString((tmp_path / "vgg.pb").read_bytes())
    check_frozen(read, [net_model.input.op.name], [net_model.output.op.name], "cnn", told["tf_keras"])
    K.clear_session()


def _freeze_session(session: Any, keep_var_names: Any = None, output_names: Any = None, clear_devices: bool = True) -> Any:
    graph = session.graph
    with graph.as_default():
        freeze_var_names = list({v.op.name for v in tf.global_variables()}.difference(keep_var_names or []))
        output_names = output_names or []
        output_names += [v.op.name for v in tf.global_variables()]
        input_graph_def = graph.as_graph_def()
        if clear_devices:
            for node in input_graph_def.node:
                node.device = ""
        return tf.graph_util.convert_variables_to_constants(session, input_graph_def, output_names, freeze_var_names)
