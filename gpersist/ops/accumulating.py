"""Values combined at places some of which are named several times: NumPy's `ufunc.at`, of all types on every device."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array

__all__: list[str] = []

_EXACT = frozenset({"int32", "int64", "uint32", "uint64", "float32", "float64"})
_OF_DEVICES = {"add": _EXACT | {"float16"}, "maximum": _EXACT, "minimum": _EXACT}
"""What CuPy's atomic functions take; there are no others."""


def combine_at(xp: Any, how: str, target: Array, places: Any, values: Any) -> None:
    """Combines values with those at `places` of an array, in place and one by one.

    Args:
        xp: the module of the arrays.
        how: the name of a ufunc: "add", "maximum", ...
        target: what is changed.
        places: an index of its first dimensions.
        values: for each place, of the type of `target`; or a scalar.
    """
    if xp is not np and how == "subtract":
        how, values = "add", -xp.asarray(values)
    if xp is np or target.dtype.name in _OF_DEVICES.get(how, ()):
        getattr(xp, how).at(target, places, values)
    elif how not in _OF_DEVICES:  # a product: rare enough for the host
        found = target.get()
        getattr(np, how).at(found, _on_host(places), _on_host(values))
        target[...] = xp.asarray(found)
    elif target.dtype.kind == "c":
        parts = [target.real.copy(), target.imag.copy()]
        for part, value in zip(parts, (values.real, values.imag), strict=True):
            combine_at(xp, how, part, places, value)
        target[...] = parts[0] + 1j * parts[1]
    else:  # a narrow type; integers wrap around as those of its width do
        wide = np.dtype({"u": np.uint32, "i": np.int32, "b": np.int32}.get(target.dtype.kind, np.float32))
        found = target.astype(wide)
        combine_at(xp, how, found, places, xp.asarray(values).astype(wide))
        target[...] = found.astype(target.dtype)


def _on_host(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_on_host(part) for part in value)
    return value.get() if hasattr(value, "get") else value
