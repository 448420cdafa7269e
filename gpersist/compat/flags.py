"""`tf.app` and `tf.flags`: those of absl, which TensorFlow takes too. They are there where the package `absl-py` is installed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["app", "flags"]


class _Absl:
    """A module of absl, imported when something of it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if self._name == "app" and attribute == "flags":
            return flags
        try:
            module = importlib.import_module(f"absl.{self._name}")
        except ImportError:
            raise AttributeError(f"tf.{self._name}.{attribute} is absl's: pip install absl-py") from None
        return getattr(module, attribute)


app = _Absl("app")
flags = _Absl("flags")
