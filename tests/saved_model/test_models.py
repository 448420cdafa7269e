"""SavedModels that other projects published, among them TensorFlow Serving's half_plus_two for GPUs, give what TensorFlow gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.devices import use_virtual
from gpersist.errors import InvalidArgumentError
from gpersist.saved_model.loader import SavedModelLoader

OF_1 = ["serving_half_plus_two_gpu", "serving_counter", "mlnet_mnist_lr", "mlnet_string_test", "zoltar_iris"]
OF_2 = ["serving_half_plus_two_tf2", "scisharp_lstm_sequential", "tfrust_regression_sm", "tfjs_multi_signatures"]
_CONFIG = tf.ConfigProto(allow_soft_placement=True)


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    tf.reset_default_graph()
    yield
    tf.reset_default_graph()


def _check(folder: Path, run: dict[str, Any], sess: Any, meta: Any) -> None:
    inputs, outputs = np.load(folder / "inputs.npz"), np.load(folder / "outputs.npz")
    sess.run(run["init"])
    for number, step in enumerate(run["steps"]):
        signature = meta.signature_def[step["signature"]]
        feeds = {signature.inputs[name].name: inputs[f"{run['id']}/{key}"] for name, key in step["feeds"].items()}
        for repeat in range(step.get("repeat", 1)):
            found = sess.run({key: signature.outputs[name].name for key, name in step["fetches"].items()}, feeds)
            for key, value in found.items():
                wanted = outputs[f"{run['id']}/{number}/{repeat}/{key}"]
                if wanted.dtype.kind == "f":
                    np.testing.assert_allclose(value, wanted, rtol=run["rtol"], atol=run["atol"], err_msg=key)
                else:
                    np.testing.assert_array_equal(np.asarray(value).astype(wanted.dtype), wanted, err_msg=key)


def _runs(folder: Path) -> Any:
    return json.loads((folder / "case.json").read_text())["runs"]


def _tags(folder: Path) -> list[str]:
    return list(SavedModelLoader(folder / "model").saved_model.meta_graphs[0].meta_info_def.tags)


@pytest.mark.parametrize("name", OF_1 + OF_2)
def test_runs_as_with_tensorflow(name: str, models: Path) -> None:
    folder = models / name
    for run in _runs(folder):
        with tf.Graph().as_default(), tf.Session(config=_CONFIG) as sess:
            _check(folder, run, sess, tf.saved_model.loader.load(sess, _tags(folder), folder / "model"))


def test_devices_cleared(models: Path) -> None:
    folder = models / "serving_half_plus_two_gpu"
    for run in _runs(folder):
        with tf.Graph().as_default(), tf.Session() as sess:
            _check(folder, run, sess, tf.saved_model.loader.load(sess, _tags(folder), folder / "model", clear_devices=True))


def test_a_device_that_is_not_there(models: Path) -> None:
    folder = models / "serving_half_plus_two_gpu"
    with tf.Session() as sess, pytest.raises(InvalidArgumentError, match="GPU:0"):
        tf.saved_model.loader.load(sess, _tags(folder), folder / "model")


def test_variables_where_their_nodes_say(models: Path) -> None:
    folder = models / "serving_half_plus_two_gpu"
    with use_virtual(2), tf.Session(config=_CONFIG) as sess:
        meta = tf.saved_model.loader.load(sess, _tags(folder), folder / "model")
        assert {str(sess.device_of(variable).spec) for variable in tf.global_variables()} == {"/device:GPU:0"}
        _check(folder, _runs(folder)[0], sess, meta)


def test_variables_where_the_caller_says(models: Path) -> None:
    folder = models / "serving_half_plus_two_gpu"
    with use_virtual(2), tf.Session() as sess:
        meta = tf.saved_model.loader.load(sess, _tags(folder), folder / "model", device_map="/gpu:1", clear_devices=True)
        assert {str(sess.device_of(variable).spec) for variable in tf.global_variables()} == {"/device:GPU:1"}
        _check(folder, _runs(folder)[0], sess, meta)
