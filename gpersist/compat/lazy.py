"""The modules of `gpersist.compat.v1`: names that are looked up when they are asked for, so that importing the face costs next to nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gpersist.bundle import nearest

__all__ = ["lazily"]

_INSTEAD = {
    "tf.keras": "gpersist.keras reads the models that Keras saved as HDF5 (`gpersist convert model.h5 out.pb`), tf.layers builds layers, and "
    "gpersist.saved_model.load takes what Keras exported as a SavedModel",
    "tf.contrib": "TensorFlow has none either since 2.0; docs/tensorflow1.md says what takes the place of much of it",
}
"""What programs look for most that is not there."""


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
            what = f"{shown}.{name}: gpersist has no such name"
            if instead := _INSTEAD.get(f"{shown}.{name}"):
                raise AttributeError(f"{what}; {instead}")
            near = "" if name.startswith("_") else nearest(name, sorted(found))
            raise AttributeError(f"{what}{near.removesuffix('?')}; dir({shown}) lists its names, docs/tensorflow1.md what else to use")
        importlib.import_module("gpersist.ops")  # says what operations there are, before anything is built or registered
        place, attribute = found[name]
        value = getattr(importlib.import_module(place), attribute) if place else importlib.import_module(f"{module}.{name}")
        setattr(own, name, value)
        return value

    return sorted(found), getattribute, lambda: sorted({*vars(own), *found})
