"""How quantised numbers of two ranges meet: the range of a product, numbers of one range in another, each to the bit as TensorFlow's kernels have it.

There are two ways in TensorFlow from a number to a real and back: one number at a time in double precision, and whole arrays in single precision
(`first_to_float`, `float_to_first` in `gpersist.ops.quantization`); they differ in the last bits. (`tensorflow/core/kernels/quantization_utils.h`.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation
from gpersist.ops.kernels import shown
from gpersist.ops.quantization import Kind, away, first_to_float, float_to_first, quantized

KINDS = "{qint8, quint8, qint32, qint16, quint16}"


def check_scalar_shapes(op: Operation, start: int, stop: int | None = None) -> None:
    """Holds the limits among a node's inputs to be scalars.

    Raises:
        ValueError: one is known to be something else.
    """
    for tensor in op._inputs[start:stop]:
        tensor.shape.with_rank(0)


class _Front:
    """A node without its last inputs and outputs, and with attributes that it hasn't got."""

    def __init__(self, op: Operation, count: int, extra: dict[str, Any]) -> None:
        self._inputs, self._op, self._extra = op._inputs[:count], op, extra
        self.type, self.output_types = op.type.removeprefix("Quantized"), op.output_types[:1]

    def attr(self, name: str) -> Any:
        return self._extra[name] if name in self._extra else self._op.attr(name)

    def has_attr(self, name: str) -> bool:
        return name in self._extra or self._op.has_attr(name)


def front(op: Operation, count: int, **extra: Any) -> Any:
    """A node with so many of its inputs alone, and these attributes beside its own: for the shape function of a plainer operation."""
    return _Front(op, count, extra)


def limits(**values: Any) -> list[np.float32]:
    """The one number of each.

    Raises:
        InvalidArgumentError: one has more or less.
    """
    for name, value in values.items():
        if np.size(value) != 1:
            raise InvalidArgumentError(f"{name} must be a scalar, but got shape {shown(np.shape(value))}")
    return [np.float32(np.reshape(value, ())) for value in values.values()]


def _step(low: Any, high: Any, kind: Kind) -> tuple[float, int]:
    """The reals of a range, as double precision has them, and how many numbers share them."""
    count = kind.high - kind.low + 1
    return float(np.float32(high - low)) * (count / (count - 1.0)), count


def unclamped(values: Any, low: Any, high: Any, kind: Kind) -> Any:
    """The numbers of reals, float32, in a range, also those beyond what the type holds: int64."""
    if low == high:
        return np.full(np.shape(values), kind.low, np.int64)
    span, count = _step(low, high, kind)
    scale = count / span
    return (away(np.asarray(values, np.float64) * scale) - away(np.float64(low) * scale)).astype(np.int64) + kind.low


def to_number(values: Any, low: Any, high: Any, kind: Kind) -> Any:
    """The same, cut to what the type holds."""
    return np.clip(unclamped(values, low, high, kind), kind.low, kind.high)


def to_real(numbers: Any, low: Any, high: Any, kind: Kind) -> Any:
    """What numbers of a range stand for, each in double precision: float32."""
    if low == high:
        return np.full(np.shape(numbers), low, np.float32)
    span, count = _step(low, high, kind)
    scale = span / count
    start = float(away(np.asarray(low / np.float32(scale), np.float32))) * float(np.float32(scale))
    return (start + (np.asarray(numbers, np.float64) - kind.low) * scale).astype(np.float32)


def product_range(low_a: Any, high_a: Any, kind_a: Kind, low_b: Any, high_b: Any, kind_b: Kind, kind: Kind) -> list[np.float32]:
    """The range of products of numbers of two ranges."""
    steps = [np.float32(high - low) / np.float32(of.high - of.low) for low, high, of in ((low_a, high_a, kind_a), (low_b, high_b, kind_b))]
    step = steps[0] * steps[1]
    return [step * np.float32(kind.low), step * np.float32(kind.high)]


def requantized(numbers: Any, low: Any, high: Any, kind: Kind, new_low: Any, new_high: Any, new_kind: Kind) -> Any:
    """Numbers of a range as a quantised array of another one: 32 bits to 8 in fixed point, all others in float32."""
    if kind.low == -(1 << 31) and (new_kind.low, new_kind.high) == (0, 255):
        return quantized(_in_fixed_point(numbers, low, high, new_low, new_high), new_kind)
    with np.errstate(all="ignore"):
        return float_to_first(first_to_float(numbers, low, high, kind), new_low, new_high, new_kind)


def _in_fixed_point(numbers: Any, low: np.float32, high: np.float32, new_low: np.float32, new_high: np.float32) -> Any:
    """With 16 bits behind the point."""
    span, new_span = np.float32(high - low), np.float32(new_high - new_low)
    scale = offset = start = 0
    if new_span and math.isfinite(new_span) and math.isfinite(span):
        middle = float(np.float32((float(np.float32(low + high))) / 2.0))
        scale = int(255.0 * 65536 * float(span) / float(new_span))
        offset = int(float(np.float32(np.float32(middle) * np.float32(255.0 / float(new_span))) * np.float32(65536)))
        start = int(65536 * (float(new_low) * 255.0) / float(new_span))
    return ((numbers.astype(np.int64) * scale >> 32) + (offset - start + 32768)) >> 16
