"""The modules of `gpersist.compat.v1`: names that are looked up when they are asked for, so that importing the face costs next to nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gpersist.bundle import nearest
from gpersist.ops.ragged_dispatch import dispatching

__all__ = ["lazily"]

_INSTEAD = {
    "tf.keras": "gpersist.keras reads the models that Keras saved as HDF5 (`gpersist convert model.h5 out.pb`), tf.layers builds layers, and "
    "gpersist.saved_model.load takes what Keras exported as a SavedModel",
    "tf.nn.rnn_cell.EmbeddingWrapper": "TensorFlow 1.0 moved it to tf.contrib; tf.nn.embedding_lookup of a cell's inputs does the same",
    "tf.nn.rnn_cell.InputProjectionWrapper": "TensorFlow 1.0 moved it to tf.contrib; tf.layers.dense of a cell's inputs does the same",
    "tf.nn.rnn_cell.OutputProjectionWrapper": "TensorFlow 1.0 moved it to tf.contrib; tf.layers.dense of a cell's outputs does the same",
    "tf.nn.seq2seq": "TensorFlow 1.0 moved it to tf.contrib; docs/tensorflow1.md says what takes the place of much of that",
    "tf.contrib": "TensorFlow has none either since 2.0; docs/tensorflow1.md says what takes the place of much of it",
}
"""What programs look for most that is not there."""

_RENAMED = {
    "audio_summary": "summary.audio", "batch_cholesky": "cholesky", "batch_cholesky_solve": "cholesky_solve", "batch_fft": "fft",
    "batch_fft2d": "fft2d", "batch_fft3d": "fft3d", "batch_ifft": "ifft", "batch_ifft2d": "ifft2d", "batch_ifft3d": "ifft3d",
    "batch_matmul": "matmul", "batch_matrix_band_part": "matrix_band_part", "batch_matrix_determinant": "matrix_determinant",
    "batch_matrix_diag": "matrix_diag", "batch_matrix_diag_part": "matrix_diag_part", "batch_matrix_inverse": "matrix_inverse",
    "batch_matrix_set_diag": "matrix_set_diag", "batch_matrix_solve": "matrix_solve", "batch_matrix_solve_ls": "matrix_solve_ls",
    "batch_matrix_transpose": "matrix_transpose", "batch_matrix_triangular_solve": "matrix_triangular_solve",
    "batch_self_adjoint_eig": "self_adjoint_eig", "batch_self_adjoint_eigvals": "self_adjoint_eigvals", "batch_svd": "svd",
    "complex_abs": "abs", "concat_v2": "concat", "histogram_summary": "summary.histogram",
    "image.per_image_whitening": "image.per_image_standardization", "image_summary": "summary.image", "inv": "reciprocal",
    "listdiff": "setdiff1d", "merge_all_summaries": "summary.merge_all", "merge_summary": "summary.merge", "mul": "multiply", "neg": "negative",
    "nn.bidirectional_rnn": "nn.static_bidirectional_rnn", "nn.deconv2d": "nn.conv2d_transpose", "nn.rnn": "nn.static_rnn",
    "nn.state_saving_rnn": "nn.static_state_saving_rnn", "pack": "stack", "scalar_summary": "summary.scalar", "select": "where",
    "sub": "subtract", "tensor_summary": "summary.tensor_summary", "train.SummaryWriter": "summary.FileWriter", "unpack": "unstack",
}  # fmt: skip
"""Names of TensorFlow 0.x, and what they are called since 1.0."""


def lazily(module: str, shown: str, inner: str, places: Mapping[str, str]) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """The `__all__`, the `__getattr__` and the `__dir__` of a module. Safe for threads.

    Args:
        module: its name.
        shown: as the user calls it: `tf.train`.
        inner: the modules in it, with spaces between them.
        places: for each module that has some of its names, these; `name=attribute` for one that is called otherwise there.
    """
    own = sys.modules[module]
    found = dict.fromkeys(inner.split(), ("", ""))
    for place, names in places.items():
        for text in names.split():
            name, _, attribute = text.partition("=")
            found[name] = place, attribute or name

    def getattribute(name: str) -> Any:
        if name not in found:
            if new := _RENAMED.get(f"{shown}.{name}".partition(".")[2]):
                raise AttributeError(f"{shown}.{name} was renamed tf.{new} in TensorFlow 1.0")
            what = f"{shown}.{name}: gpersist has no such name"
            if instead := _INSTEAD.get(f"{shown}.{name}"):
                raise AttributeError(f"{what}; {instead}")
            near = "" if name.startswith("_") else nearest(name, sorted(found))
            raise AttributeError(f"{what}{near.removesuffix('?')}; dir({shown}) lists its names, docs/tensorflow1.md what else to use")
        importlib.import_module("gpersist.ops")  # says what operations there are, before anything is built or registered
        place, attribute = found[name]
        if place:
            value = dispatching(getattr(importlib.import_module(place), attribute), place, attribute)
        else:
            value = importlib.import_module(f"{module}.{name}")
        setattr(own, name, value)
        return value

    return sorted(found), getattribute, lambda: sorted({*vars(own), *found})
