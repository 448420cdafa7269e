"""Compares models with what Keras told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import gpersist.compat.v1 as tf
from gpersist.keras import load_keras_model


def check_model(path: Path, case: str, told: dict[str, Any], architecture: Any = None) -> None:
    """Whether a file's model gives for `case/in/0` and so on what is `case/out/0` and so on."""
    with tf.Graph().as_default(), tf.Session() as sess:
        model = load_keras_model(path, architecture)
        model.load_weights(sess)
        found = sess.run(list(model.outputs), {tensor: told[f"{case}/in/{index}"] for index, tensor in enumerate(model.inputs)})
    _check(found, case, told)
    for tensor, value in zip(model.outputs, found, strict=True):
        assert tensor.shape.is_compatible_with(value.shape)


def check_frozen(graph_def: Any, inputs: Sequence[str], outputs: Sequence[str], case: str, told: dict[str, Any]) -> None:
    """The same for a graph without variables."""
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(graph_def, name="")
        feeds = {f"{name.partition(':')[0]}:0": told[f"{case}/in/{index}"] for index, name in enumerate(inputs)}
        _check(sess.run([name if ":" in name else f"{name}:0" for name in outputs], feeds), case, told)


def _check(found: Sequence[Any], case: str, told: dict[str, Any]) -> None:
    wanted = [told[name] for name in sorted((name for name in told if name.startswith(f"{case}/out/")), key=lambda name: int(name.split("/")[-1]))]
    assert len(found) == len(wanted) > 0
    for value, want in zip(found, wanted, strict=True):
        assert (value.dtype, value.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(value, want, 2e-3 if want.dtype == np.float16 else 1e-5, 1e-6)
