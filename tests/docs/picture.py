"""The README's picture of a placement: `gpersist place` of a model whose graph was recorded on eight GPUs, for three that are elsewhere."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

import gpersist.compat.v1 as tf
from gpersist.cli import main

_WIDTH, _BLOCKS, _LAYERS, _VOCABULARY = 5120, 6, 5, 102400


def placement() -> str:
    """The drawing, as SVG. It takes the `.meta` alone: no tensor is made."""
    with tempfile.TemporaryDirectory() as folder:
        meta, svg = Path(folder, "language-model.meta"), Path(folder, "plan.svg")
        with tf.Graph().as_default() as graph:
            _model()
            tf.train.export_meta_graph(str(meta), graph=graph)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main(["place", str(meta), "--devices", "2x16GiB,1x24GiB", "--svg", str(svg)])
        return svg.read_text("utf-8")


def _model() -> None:
    with tf.device("/device:GPU:0"):
        tf.get_variable("embedding", [_VOCABULARY, _WIDTH])
    for block in range(_BLOCKS):
        with tf.device(f"/device:GPU:{block + 1}"), tf.variable_scope(f"block_{block}"):
            for layer in range(_LAYERS):
                tf.get_variable(f"layer_{layer}/qkv", [_WIDTH, 3 * _WIDTH])
                tf.get_variable(f"layer_{layer}/out", [_WIDTH, _WIDTH])
                tf.get_variable(f"layer_{layer}/up", [_WIDTH, 4 * _WIDTH])
                tf.get_variable(f"layer_{layer}/down", [4 * _WIDTH, _WIDTH])
    with tf.device("/device:GPU:7"):
        tf.get_variable("head", [_WIDTH, _VOCABULARY])
