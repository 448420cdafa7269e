"""Keras's activations, by the names that configs have for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gpersist.errors import DataLossError, UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.layer import Building, Function, Layer
from gpersist.ops.activations import elu, leaky_relu, relu, relu6, selu, softplus, softsign
from gpersist.ops.array import identity
from gpersist.ops.casting import cast
from gpersist.ops.clip import clip_by_value
from gpersist.ops.math import erf, exp, sigmoid, tanh
from gpersist.ops.reductions import reduce_max, reduce_sum
from gpersist.ops.softmax import log_softmax, softmax
from gpersist.ops.splitting import split
from gpersist.ops.unary import sqrt


def activation(spec: Any, building: Building) -> Function | None:
    """The function that a config's "activation" names; None if it changes nothing.

    Raises:
        UnimplementedError: it is not known; it is named.
        DataLossError: it is no name.
    """
    if isinstance(spec, Mapping):
        inner = spec.get("config")
        kind = Layer.kinds.get(str(spec.get("class_name")))
        if kind is not None and isinstance(inner, Mapping):
            layer = kind(inner, building)
            if not layer.slots():
                return layer.call
        spec = inner if isinstance(inner, str) else spec.get("class_name")
    if spec is None or spec == "linear":
        return None
    if not isinstance(spec, str):
        raise DataLossError(f"has the activation {spec!r}; expected a name")
    if spec == "hard_sigmoid":
        return _hard_sigmoid if building.major < 3 else _hard_sigmoid_3
    found = _BY_NAME.get(spec)
    if found is None:
        raise UnimplementedError(f"has the activation {spec!r}, which is not known; expected one of {', '.join(sorted(_BY_NAME))}")
    return found


def activated(x: Tensor, function: Function | None) -> Any:
    """A tensor after an activation."""
    return x if function is None else function(x)


def relu_of(x: Tensor, max_value: float | None, negative_slope: float, threshold: float) -> Tensor:
    """Keras's `relu`: `x` above the threshold, at most `max_value`; `negative_slope * (x - threshold)` below."""
    negative = relu(threshold - x) if negative_slope else None
    if threshold:
        x = x * _as_numbers(x > threshold, x)
    elif max_value == 6 and negative is None:
        return relu6(x)
    else:
        x = relu(x)
    if max_value is not None:
        x = clip_by_value(x, 0.0, max_value)
    return x if negative is None else x - negative_slope * negative


def softmax_of(x: Tensor, axis: Any = -1) -> Tensor:
    """Softmax along an axis, or along several together."""
    if isinstance(axis, int):
        return softmax(x, axis=axis)
    if not isinstance(axis, list) or not axis:
        raise DataLossError(f"has axis={axis!r}")
    if len(axis) == 1:
        return softmax(x, axis=axis[0])
    powers = exp(x - reduce_max(x, axis, keepdims=True))
    found: Tensor = powers / reduce_sum(powers, axis, keepdims=True)
    return found


def _as_numbers(bools: Tensor, like: Tensor) -> Tensor:
    return cast(bools, like.dtype)


def _hard_sigmoid(x: Any) -> Any:
    return clip_by_value(x * 0.2 + 0.5, 0.0, 1.0)


def _hard_sigmoid_3(x: Any) -> Any:
    return relu6(x + 3.0) * (1.0 / 6.0)


def _swish(x: Any) -> Any:
    return x * sigmoid(x)


def _gelu(x: Any) -> Any:
    return 0.5 * x * (1.0 + erf(x * math.sqrt(0.5)))


def _glu(x: Any) -> Any:
    value, gate = split(x, 2, axis=-1)
    return value * sigmoid(gate)


def _hard_shrink(x: Any) -> Any:
    return x * _as_numbers(abs(x) > 0.5, x)


def _sparse_plus(x: Any) -> Any:
    middle = clip_by_value(x, -1.0, 1.0) + 1.0
    return middle * middle * 0.25 + relu(x - 1.0)


_BY_NAME: dict[str, Function] = {
    "celu": elu,
    "elu": elu,
    "exponential": exp,
    "gelu": _gelu,
    "glu": _glu,
    "hard_shrink": _hard_shrink,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid_3(x),
    "hard_swish": lambda x: x * _hard_sigmoid_3(x),
    "hard_tanh": lambda x: clip_by_value(x, -1.0, 1.0),
    "identity": identity,
    "leaky_relu": lambda x: leaky_relu(x, alpha=0.2),
    "log_sigmoid": lambda x: -softplus(-x),
    "log_softmax": log_softmax,
    "mish": lambda x: x * tanh(softplus(x)),
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": _swish,
    "soft_shrink": lambda x: relu(x - 0.5) - relu(-x - 0.5),
    "softmax": softmax_of,
    "softplus": softplus,
    "softsign": softsign,
    "sparse_plus": _sparse_plus,
    "squareplus": lambda x: 0.5 * (x + sqrt(x * x + 4.0)),
    "swish": _swish,
    "tanh": tanh,
    "tanh_shrink": lambda x: x - tanh(x),
}
