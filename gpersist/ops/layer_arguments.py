"""Arguments of layers: activations and initializers, which can be named, or told in a configuration, and whether it is for training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gpersist.graph import Tensor, constant_value
from gpersist.ops import initializers
from gpersist.ops.activations import elu, relu, selu, softplus, softsign
from gpersist.ops.control_flow import cond
from gpersist.ops.softmax import softmax
from gpersist.ops.unary import sigmoid, tanh


def linear(x: Any) -> Any:
    """What it is given: the activation of a layer that has none."""
    return x


_ACTIVATIONS = {function.__name__: function for function in (elu, linear, relu, selu, sigmoid, softmax, softplus, softsign, tanh)}


def activation_of(given: Any) -> Any:
    """The function that an argument says: itself, the one of that name, or `linear` for None.

    Raises:
        ValueError: there is none of that name.
    """
    if given is None:
        return linear
    if isinstance(given, str):
        if given not in _ACTIVATIONS:
            raise ValueError(
                f"Unknown activation function: {given!r}; known ones are {', '.join(sorted(_ACTIVATIONS))}, others can be given as functions"
            )
        return _ACTIVATIONS[given]
    return given


def initializer_of(given: Any) -> Any:
    """The initializer that an argument says: itself, one of that name ("zeros", "glorot_uniform"), or the one that `told` told of.

    Raises:
        ValueError: there is none of that name.
    """
    if not isinstance(given, (str, Mapping)):
        return given
    name, config = (given, {}) if isinstance(given, str) else (given["class_name"], given["config"])
    wanted = name.replace("_", "").lower()
    for kind in vars(initializers).values():
        if isinstance(kind, type) and issubclass(kind, initializers.Initializer) and kind.__name__.lower() == wanted:
            return kind.from_config(dict(config))
    raise ValueError(f"Unknown initializer: {name!r}; initializers can also be given as objects")


def told(value: Any) -> Any:
    """An argument as `get_config` tells of it: objects by their class and its arguments, functions by their names."""
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    return value.__name__ if callable(value) else value


def known_training(training: Any) -> bool | None:
    """Whether a layer is called for training, as far as that is known now."""
    if isinstance(training, Tensor):
        value = constant_value(training)
        return None if value is None else bool(value)
    return bool(training)


def in_training(training: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """What a layer computes in training, or otherwise; where a tensor decides, `cond` takes one when it runs."""
    is_training = known_training(training)
    if is_training is not None:
        return then() if is_training else otherwise()
    return cond(training, then, otherwise)
