"""Tensors as text, the way TensorFlow's Assert, Print and StringFormat show them (`tensorflow/core/framework/tensor.cc`, SummarizeValue)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.ops.kernels import as_array


def summarize(value: Any, max_entries: int) -> bytes:
    """A tensor's first elements, as Assert and Print show them: `[1 2][3...]...`, without the outermost brackets."""
    array = as_array(np, value)
    limit = _limit(array, max_entries)
    shown = _shown(array.reshape(-1)[:limit])
    parts: list[bytes] = []
    if array.ndim:
        _nested(array.shape, 0, iter(shown), [limit], parts)
    else:
        parts += shown
    if array.size > limit:
        parts.append(b"...")
    return b"".join(parts)


def summarize_ends(value: Any, max_entries: int) -> bytes:
    """A tensor's first and last elements along each axis, as StringFormat shows them: `[0 1 2 ... 7 8 9]`, rows in lines of their own."""
    array = as_array(np, value)
    if not array.ndim and max_entries == 0:
        return b"..."
    flat = _shown(array.reshape(-1))
    if array.dtype.kind == "O":
        flat = [b'"' + text + b'"' for text in flat]
    return _ends(array.shape, flat, _limit(array, max_entries))


def _limit(array: Any, max_entries: int) -> int:
    return int(array.size) if max_entries < 0 else min(max_entries, int(array.size))


def _nested(shape: tuple[int, ...], axis: int, shown: Any, left: list[int], parts: list[bytes]) -> None:
    """Writes the elements of one axis until none is left to be shown."""
    if left[0] <= 0:
        return
    for index in range(shape[axis]):
        if axis == len(shape) - 1:
            if left[0] <= 0:
                if axis:
                    parts.append(b"...")
                return
            parts.append(b" " + next(shown) if index else next(shown))
            left[0] -= 1
        elif left[0] > 0:
            parts.append(b"[")
            _nested(shape, axis + 1, shown, left, parts)
            parts.append(b"]")


def _ends(shape: tuple[int, ...], flat: list[bytes], count: int, axis: int = 0) -> bytes:
    if axis == len(shape):
        return flat[0]
    size, inner = shape[axis], len(flat) // shape[axis] if shape[axis] else 0
    spacing = b" " if axis == len(shape) - 1 else b"\n" * (len(shape) - axis - 1) + b" " * (axis + 1)
    wanted = [*range(min(count, size)), *range(max(count, size - count), size)]
    parts = [_ends(shape, flat[index * inner : (index + 1) * inner], count, axis + 1) for index in wanted]
    if size > 2 * count:
        parts.insert(min(count, size), b"...")
        if not count:
            parts = [b"", *parts]
    return b"[" + spacing.join(parts) + b"]"


def _shown(flat: Any) -> list[bytes]:
    kind = flat.dtype
    if kind.kind == "O":
        return [_escaped(text) for text in flat.tolist()]
    if kind.kind == "c":
        return [b"?"] * len(flat)
    if kind.kind in "biu":
        return [b"%d" % number for number in flat.tolist()]
    digits, exact = (15, 17) if kind == np.float64 else (6, 9)
    width = np.float64 if kind == np.float64 else np.float32
    return [_number(width(number), width, digits, exact) for number in flat.astype(width)]


def _number(number: Any, width: Any, digits: int, exact: int) -> bytes:
    """As few digits as give the same number again, of two choices."""
    value = float(number)
    if not math.isfinite(value):
        return str(value).encode()
    short = f"{value:.{digits}g}"
    return (short if width(float(short)) == number else f"{value:.{exact}g}").encode()


_ESCAPES = {9: b"\\t", 10: b"\\n", 13: b"\\r", 34: b'\\"', 39: b"\\'", 92: b"\\\\"}


def _escaped(text: bytes) -> bytes:
    return b"".join(_ESCAPES.get(code) or (b"\\%03o" % code if code < 32 or code == 127 else bytes([code])) for code in text)
