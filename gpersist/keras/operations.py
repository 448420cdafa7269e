"""Operations among a model's layers: what `x + 1` is in a file, and the masks that Keras 3 computes.

Keras 3 has them under their own classes, with a config that has no "trainable"; Keras 2 as the layer class TFOpLambda, with TensorFlow's name of the
function. Their arguments stand where they are called, tensors and numbers alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor, convert_to_tensor
from gpersist.keras.activations import activated, activation
from gpersist.keras.layer import Flow, Layer
from gpersist.ops import arithmetic, comparison, division, filling, joining, reductions, shaping, unary
from gpersist.ops.argmax import argmax
from gpersist.ops.arranging import reverse, tile, transpose
from gpersist.ops.casting import cast
from gpersist.ops.clip import clip_by_value, l2_normalize
from gpersist.ops.math import rsqrt
from gpersist.ops.matmul import matmul
from gpersist.ops.softmax import softmax
from gpersist.ops.splitting import split


def _plain(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of tensors and numbers alone; a number has the type of the tensors, as Keras has it."""

    def computed(_: Any, *values: Any) -> Tensor:
        dtype = next((value.dtype for value in values if isinstance(value, Tensor)), None)
        if dtype is not None and dtype.is_floating:
            values = tuple(convert_to_tensor(value, dtype) if isinstance(value, (int, float)) else value for value in values)
        return function(*values)

    return computed


def _reduced(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda config, x: function(x, config.get("axis"), keepdims=bool(config.get("keepdims", False)))


def _listed(values: Sequence[Any], axis: Any) -> tuple[list[Any], Any]:
    """The tensors that become one, and the axis; Keras 2 has the tensors beside each other, Keras 3 in a list."""
    if isinstance(values[0], list):
        return values[0], values[1] if len(values) > 1 else axis
    return list(values), axis


def _argmax(config: Mapping[str, Any], x: Tensor, axis: Any) -> Tensor:
    found = argmax(x, config.get("axis", axis), output_type=config.get("output_type", "int64" if "function" in config else "int32"))
    return shaping.expand_dims(found, config["axis"]) if config.get("keepdims") else found


def _split(config: Mapping[str, Any], x: Tensor, parts: Any, axis: Any) -> list[Tensor]:
    found = config.get("num_or_size_splits", config.get("indices_or_sections", parts))
    axis = config.get("axis", axis)
    if isinstance(found, list) and "indices_or_sections" in config:
        ends = [*found, x.shape.as_list()[axis]]
        found = [end - start for start, end in zip([0, *found], ends, strict=True)]
    return split(x, found, axis)


def _key(value: Any) -> Any:
    """What stands between the brackets of a tensor, as files have it."""
    if isinstance(value, list):
        return tuple(_key(part) for part in value)
    if isinstance(value, Mapping):
        inner = value.get("config") if value.get("class_name") == "__slice__" else value
        if value.get("class_name") == "__ellipsis__" or value.get("type") == "ellipsis":
            return ...
        if not isinstance(inner, Mapping):
            raise UnimplementedError(f"takes the part {value!r}, which is not read")
        return slice(inner.get("start"), inner.get("stop"), inner.get("step"))
    return value


OPERATIONS: dict[str, Callable[..., Any]] = {
    "Absolute": _plain(unary.abs),
    "Add": _plain(arithmetic.add),
    "Argmax": lambda config, x, axis=None: _argmax(config, x, axis),
    "Clip": lambda config, x, *bounds: clip_by_value(x, *(bounds or (config["x_min"], config["x_max"]))),
    "GetItem": lambda config, x, key=None: x[_key(config.get("slice_spec", key))],
    "Normalize": lambda config, x, axis=None: l2_normalize(x, config.get("axis", axis)),
    "Reshape": lambda config, x, shape=None: shaping.reshape(x, config.get("newshape", config.get("shape", shape))),
    "Rsqrt": _plain(rsqrt),
    "Split": lambda config, x, parts=None, axis=0: _split(config, x, parts, axis),
    "Tile": lambda config, x, times=None: tile(x, config.get("repeats", config.get("multiples", times))),
    "All": _reduced(reductions.reduce_all),
    "Any": _reduced(reductions.reduce_any),
    "Cast": lambda config, x, dtype=None: cast(x, config.get("dtype") or dtype),
    "Concatenate": lambda config, *values: joining.concat(*_listed(values, config.get("axis", -1))),
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
    "Stack": lambda config, *values: joining.stack(*_listed(values, config.get("axis", 0))),
    "Subtract": _plain(arithmetic.subtract),
    "Sum": _reduced(reductions.reduce_sum),
    "Transpose": lambda config, x: transpose(x, config.get("axes", config.get("perm"))),
    "TrueDivide": _plain(division.divide),
    "ZerosLike": lambda config, x: filling.zeros_like(x, config.get("dtype")),
}
"""By Keras 3's classes; each gets the config and the arguments."""

ACTIVATIONS = {"Elu": "elu", "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Silu": "silu", "Softplus": "softplus", "Tanh": "tanh"}
"""Those that are activations too."""

_FUNCTIONS = {
    "__operators__.add": "Add",
    "__operators__.getitem": "GetItem",
    "cast": "Cast",
    "clip_by_value": "Clip",
    "compat.v1.squeeze": "Squeeze",
    "compat.v1.transpose": "Transpose",
    "concat": "Concatenate",
    "expand_dims": "ExpandDims",
    "linalg.matmul": "Matmul",
    "math.abs": "Absolute",
    "math.add": "Add",
    "math.argmax": "Argmax",
    "math.exp": "Exp",
    "math.l2_normalize": "Normalize",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
    "math.multiply": "Multiply",
    "math.negative": "Negative",
    "math.not_equal": "NotEqual",
    "math.pow": "Power",
    "math.reduce_max": "Max",
    "math.reduce_mean": "Mean",
    "math.reduce_sum": "Sum",
    "math.rsqrt": "Rsqrt",
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
    "reshape": "Reshape",
    "split": "Split",
    "squeeze": "Squeeze",
    "stack": "Stack",
    "tile": "Tile",
    "transpose": "Transpose",
}
"""Keras 2's: the class of each of TensorFlow's functions."""

_VALUES = ("y", "b", "clip_value_min", "clip_value_max")
"""Names of arguments that are tensors or numbers."""

_LAMBDAS = ("TFOpLambda", "SlicingOpLambda")
"""The classes of Keras 2's."""


def is_operation(spec: Mapping[str, Any]) -> bool:
    """Whether a layer's class and config are those of an operation."""
    config, kind = spec.get("config"), spec.get("class_name")
    if kind in _LAMBDAS:
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
        super().__init__({key: value for key, value in config.items() if kind in _LAMBDAS or key != "dtype"}, building)
        self.config = config
        self._kind = _FUNCTIONS[config["function"]] if kind in _LAMBDAS else kind

    def operate(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Flow]:
        """Its output, for the arguments of a call."""
        with self.entered():
            found = self._operate(arguments, named)
            return [Flow(part) for part in (found if isinstance(found, list) else [found])]

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
            config["function"] = self.config["function"]
            config.pop("dtype", None)
        return function({**config, **named}, *values)
