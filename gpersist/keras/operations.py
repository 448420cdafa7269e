"""Operations among a model's layers: what `x + 1` is in a file, and the masks that Keras 3 computes.

Keras 3 has them under their own classes, with a config that has no "trainable"; Keras 2 as the layer class TFOpLambda, with TensorFlow's name of the
function. Their arguments stand where they are called, tensors and numbers alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor
from gpersist.keras.activations import activated, activation
from gpersist.keras.layer import Flow, Layer
from gpersist.ops import arithmetic, comparison, division, filling, joining, reductions, shaping, unary
from gpersist.ops.arranging import reverse, transpose
from gpersist.ops.casting import cast
from gpersist.ops.matmul import matmul
from gpersist.ops.softmax import softmax


def _plain(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of tensors and numbers alone."""
    return lambda _, *values: function(*values)


def _reduced(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda config, x: function(x, config.get("axis"), keepdims=bool(config.get("keepdims", False)))


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "Absolute": _plain(unary.abs),
    "Add": _plain(arithmetic.add),
    "All": _reduced(reductions.reduce_all),
    "Any": _reduced(reductions.reduce_any),
    "Cast": lambda config, x, dtype=None: cast(x, config.get("dtype") or dtype),
    "Concatenate": lambda config, values, axis=None: joining.concat(values, config.get("axis", -1 if axis is None else axis)),
    "Divide": _plain(division.divide),
    "Equal": _plain(comparison.equal),
    "Exp": _plain(unary.exp),
    "ExpandDims": lambda config, x, axis=None: shaping.expand_dims(x, config.get("axis", axis)),
    "Flip": lambda config, x: reverse(x, [config["axis"]]),
    "Greater": _plain(comparison.greater),
    "GreaterEqual": _plain(comparison.greater_equal),
    "Less": _plain(comparison.less),
    "LessEqual": _plain(comparison.less_equal),
    "LogicalAnd": _plain(comparison.logical_and),
    "LogicalNot": _plain(comparison.logical_not),
    "LogicalOr": _plain(comparison.logical_or),
    "Matmul": _plain(matmul),
    "Max": _reduced(reductions.reduce_max),
    "Maximum": _plain(arithmetic.maximum),
    "Mean": _reduced(reductions.reduce_mean),
    "Min": _reduced(reductions.reduce_min),
    "Minimum": _plain(arithmetic.minimum),
    "Multiply": _plain(arithmetic.multiply),
    "Negative": _plain(unary.negative),
    "NotEqual": _plain(comparison.not_equal),
    "OnesLike": lambda config, x: filling.ones_like(x, config.get("dtype")),
    "Power": _plain(arithmetic.pow),
    "Softmax": lambda config, x: softmax(x, axis=config.get("axis", -1)),
    "Sqrt": _plain(unary.sqrt),
    "Square": _plain(unary.square),
    "Squeeze": lambda config, x: shaping.squeeze(x, config.get("axis")),
    "Stack": lambda config, values: joining.stack(values, config.get("axis", 0)),
    "Subtract": _plain(arithmetic.subtract),
    "Sum": _reduced(reductions.reduce_sum),
    "Transpose": lambda config, x: transpose(x, config.get("axes")),
    "TrueDivide": _plain(division.divide),
    "ZerosLike": lambda config, x: filling.zeros_like(x, config.get("dtype")),
}
"""By Keras 3's classes; each gets the config and the arguments."""

ACTIVATIONS = {"Elu": "elu", "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Silu": "silu", "Softplus": "softplus", "Tanh": "tanh"}
"""Those that are activations too."""

_FUNCTIONS = {
    "__operators__.add": "Add",
    "cast": "Cast",
    "concat": "Concatenate",
    "expand_dims": "ExpandDims",
    "linalg.matmul": "Matmul",
    "math.abs": "Absolute",
    "math.add": "Add",
    "math.exp": "Exp",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
    "math.multiply": "Multiply",
    "math.negative": "Negative",
    "math.not_equal": "NotEqual",
    "math.pow": "Power",
    "math.reduce_max": "Max",
    "math.reduce_mean": "Mean",
    "math.reduce_sum": "Sum",
    "math.sigmoid": "Sigmoid",
    "math.sqrt": "Sqrt",
    "math.square": "Square",
    "math.subtract": "Subtract",
    "math.tanh": "Tanh",
    "math.truediv": "TrueDivide",
    "nn.relu": "Relu",
    "nn.sigmoid": "Sigmoid",
    "nn.softmax": "Softmax",
    "nn.tanh": "Tanh",
    "stack": "Stack",
}
"""Keras 2's: the class of each of TensorFlow's functions."""

_VALUES = ("y", "b")
"""Names of arguments that are tensors or numbers."""


def is_operation(spec: Mapping[str, Any]) -> bool:
    """Whether a layer's class and config are those of an operation."""
    config, kind = spec.get("config"), spec.get("class_name")
    if kind == "TFOpLambda":
        return isinstance(config, Mapping) and config.get("function") in _FUNCTIONS
    return kind in {*OPERATIONS, *ACTIVATIONS} and isinstance(config, Mapping) and "trainable" not in config and "dtype_policy" not in config


class Operation(Layer, abstract=True):
    """An operation.

    Args:
        kind: its class in Keras 3; TFOpLambda for Keras 2's.
        config: its config.
        building: of the model.
    """

    def __init__(self, kind: str, config: Mapping[str, Any], building: Any) -> None:
        super().__init__({key: value for key, value in config.items() if kind == "TFOpLambda" or key != "dtype"}, building)
        self.config = config
        self._kind = _FUNCTIONS[config["function"]] if kind == "TFOpLambda" else kind

    def operate(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Flow]:
        """Its output, for the arguments of a call."""
        with self.entered():
            return [Flow(self._operate(arguments, named))]

    def _operate(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        named = {key: value for key, value in named.items() if key != "name" and value is not None}
        values = [*arguments, *(named.pop(key) for key in _VALUES if key in named)]
        if self._kind in ACTIVATIONS:
            return activated(values[0], activation(ACTIVATIONS[self._kind], self.building))
        function = OPERATIONS.get(str(self._kind))
        if function is None:
            raise UnimplementedError(f"is the function {self.config.get('function')!r}, which is not read")
        config = {key: value for key, value in self.config.items() if key not in ("name", "function", "trainable") and value is not None}
        if "function" in self.config:
            config.pop("dtype", None)
        return function({**config, **named}, *values)
