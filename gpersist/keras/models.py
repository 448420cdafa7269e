"""`keras.models.load_model`, for programs that go on with a model's tensors and its session."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from gpersist.errors import UnimplementedError
from gpersist.keras.backend import get_session
from gpersist.keras.model import KerasModel, load_keras_model

__all__ = ["load_model"]


def load_model(filepath: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> KerasModel:
    """Builds a model in the default graph, and gives it its weights in `backend.get_session()` (`keras.models.load_model`).

    Args:
        filepath: an HDF5 file of Keras 2 or 3.
        custom_objects: none are taken.
        compile: for Keras's sake: what a model was trained with is not read.

    Raises:
        UnimplementedError: there are custom objects.
        GPersistError: see `load_keras_model`.
    """
    del compile
    if custom_objects:
        raise UnimplementedError(f"load_model takes no custom_objects; given were {', '.join(map(repr, custom_objects))}")
    model = load_keras_model(filepath)
    model.load_weights(get_session())
    return model
