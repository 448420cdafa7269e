"""The interpreter gives of converted models what a session gives of their graphs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist.lite import TFLiteConverter
from tests.golden.lite.cases import CASES, QUANTIZED
from tests.interop.lite_models import MODELS
from tests.lite.converting import converted

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]  # the first test waits for all models to be written, and run

WITHOUT = {"erf"}
"""Cases that TFLite has no operators for."""

BATCHED = ["matmul_bias_relu", "conv2d_bias_add_relu6", "global_pool", "reshape_batch", "reshape_dynamic", "fill", "dense_3d", "squeeze_batch",
           "squeeze_unknown", "expand_dims_batch", "expand_dims_unknown", "slice_batch", "slice_step_axis", "slice_new_axis_batch", "max_unknown",
           "zeros_like", "einsum_batch", "einsum_dense", "conv2d_transpose_batch", "atrous_batch", "resize_by_shape", "reshape_long", "slice_dynamic",
           "strided_slice_dynamic", "mean_batch", "concat_batch", "one_hot_batch", "stack_batch", "tile_batch", "pad_batch", "softmax_batch",
           "l2_batch", "attention", "heads", "rows", "broadcast_batch", "top_k_batch", "gather_batch"]  # fmt: skip
"""Cases with dimensions that are not known: they are run with three elements along those, too."""

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network(quantized: bool) -> tuple[bytes, list[np.ndarray], list[np.ndarray]]:
    """The seeds' network, its dropout gone."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float32, [None, 32, 32, 3], name="x")
        logits = example("cnn").define_model(x)
        outputs = [logits, tf.nn.softmax(logits), tf.argmax(logits, 1)]
        session.run(tf.global_variables_initializer())
        converter = TFLiteConverter.from_session(session, [x], outputs)
        converter.post_training_quantize = quantized
        images = np.random.RandomState(0).rand(3, 32, 32, 3).astype(np.float32)
        dropped = next(op for op in graph.get_operations() if op.type == "SelectV2").outputs[0]
        kept = session.run("fc1/Relu:0", {x: images})
        return converter.convert(), [images], session.run(outputs, {x: images, dropped: kept})


def model(name: str) -> tuple[bytes, list[np.ndarray], list[np.ndarray]]:
    """A model of layers, and a batch of three."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        x, y = MODELS[name]()
        session.run(tf.global_variables_initializer())
        values = np.random.RandomState(0).rand(3, *x.shape.as_list()[1:]).astype(np.float32)
        return TFLiteConverter.from_session(session, [x], [y]).convert(), [values], session.run([y], {x: values})


def line() -> tuple[bytes, list[np.ndarray], list[np.ndarray]]:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None], name="x")
        y = tf.Variable(3.0) * x + tf.Variable(2.0)
        session.run(tf.global_variables_initializer())
        values = np.arange(4, dtype=np.float32)
        return TFLiteConverter.from_session(session, [x], [y]).convert(), [values], session.run([y], {x: values})


@pytest.fixture(scope="module")
def outputs(tensorflow: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the interpreter gives, and what sessions give, by the names of models."""
    folder = tmp_path_factory.mktemp("lite")
    models = {f"case_{name}": converted(make, name) for name, make in CASES.items() if name not in WITHOUT}
    models |= {f"batch_{name}": converted(CASES[name], name, unknown=3) for name in BATCHED}
    models |= {f"quantized_{name}": converted(make, name, quantized=True) for name, make in QUANTIZED.items()}
    models |= {f"model_{name}": model(name) for name in MODELS}
    models |= {"case_network": network(False), "quantized_network": network(True), "case_line": line()}
    for name, (content, inputs, _) in models.items():
        (folder / f"{name}.tflite").write_bytes(content)
        np.savez(folder / f"{name}.in.npz", **{f"arg_{index}": array for index, array in enumerate(inputs)})
    tensorflow("lite_runs.py", folder)

    def found(name: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
        error = folder / f"{name}.error"
        assert not error.exists(), error.read_text()
        with np.load(folder / f"{name}.out.npz") as file:
            return [file[key] for key in file.files], [np.asarray(array) for array in models[name][2]]

    return found


NAMES = [f"case_{name}" for name in CASES if name not in WITHOUT]
NAMES += [f"batch_{name}" for name in BATCHED]
NAMES += [f"model_{name}" for name in MODELS]
NAMES += ["case_network", "case_line"]


@pytest.mark.parametrize("name", NAMES)
def test_values(name: str, outputs: Any) -> None:
    theirs, ours = outputs(name)
    assert len(theirs) == len(ours)
    for there, here in zip(theirs, ours, strict=True):
        assert (there.shape, there.dtype) == (here.shape, here.dtype)
        np.testing.assert_allclose(there, here, 1e-5, 1e-5)


@pytest.mark.parametrize("name", [*(f"quantized_{name}" for name in QUANTIZED), "quantized_network"])
def test_quantized(name: str, outputs: Any) -> None:
    theirs, ours = outputs(name)
    for there, here in zip(theirs, ours, strict=True):
        assert (there.shape, there.dtype) == (here.shape, here.dtype)
        np.testing.assert_allclose(there, here, atol=0.03 * max(1, np.abs(here).max()))
