"""Weights as 8-bit integers (`post_training_quantize`): constants that products take, of 1024 elements and more.

A weight is `scale * q`, q from -127 to 127: a scale for each channel of the output, or one alone. What a product takes beside stays float, and its
kernel quantises that as it runs.
"""

from __future__ import annotations

import numpy as np

from gpersist.dtypes import float32, int8
from gpersist.lite.model import Model, Operator, Value

MIN_ELEMENTS = 1024

_PLACES: dict[str, tuple[int, int | None, int]] = {
    "CONV_2D": (1, 0, 5),
    "DEPTHWISE_CONV_2D": (1, 3, 6),
    "FULLY_CONNECTED": (1, 0, 12),
    "TRANSPOSE_CONV": (1, 0, 2),
    "BATCH_MATMUL": (1, None, 4),
    "GATHER": (0, None, 2),
}
"""For each operator: which input is quantised, the axis whose elements have a scale each (None: one scale), and the operator's version then."""

_SMALLEST = 5e-7
"""Weights that are all smaller than this have its scale."""


def quantize(model: Model) -> None:
    """Quantises a model's weights, in place."""
    done: dict[tuple[Value, int | None], Value] = {}
    kept: list[Operator] = []
    for operator in model.operators:
        kept.append(operator)
        place, axis, version = _PLACES.get(operator.kind, (0, None, 0))
        weights = operator.inputs[place] if version else None
        if weights is None or weights.array is None or weights.dtype is not float32 or weights.array.size < MIN_ELEMENTS:
            continue
        if (weights, axis) not in done:
            done[weights, axis] = quantized(weights, axis)
        operator.inputs[place] = done[weights, axis]
        operator.version = max(operator.version, version)
        if "asymmetric_quantize_inputs" in operator.options:
            operator.options["asymmetric_quantize_inputs"] = True
        if operator.kind == "GATHER":
            kept.append(_dequantized(operator))
    model.operators = kept


def quantized(weights: Value, axis: int | None) -> Value:
    """A constant as integers.

    Args:
        weights: of float32.
        axis: the one whose elements have a scale each; None for one scale.
    """
    array = weights.array
    assert array is not None
    others = tuple(other for other in range(array.ndim) if other != axis)
    largest = np.maximum(np.abs(array).max(others, keepdims=True), np.float32(_SMALLEST))
    scales = (largest / 127).astype(np.float32)
    numbers = np.clip(np.round(array / scales), -127, 127).astype(np.int8)
    return Value(weights.name, int8, weights.shape, numbers, scales.reshape(-1), axis or 0)


def _dequantized(gather: Operator) -> Operator:
    result, weights = gather.outputs[0], gather.inputs[0]
    assert weights is not None
    part = Value(f"{result.name}/quantized", int8, result.shape, scales=weights.scales)
    gather.outputs = [part]
    return Operator("DEQUANTIZE", [part], [result], {}, gather.node, gather.op, version=2)
