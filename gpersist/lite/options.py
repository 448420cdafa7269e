"""What a converter can be told: `tf.lite.Optimize`, `tf.lite.OpsSet`, `tf.lite.TargetSpec`, `tf.lite.RepresentativeDataset`."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["OpsSet", "Optimize", "RepresentativeDataset", "TargetSpec"]


class Optimize(enum.Enum):
    """What is optimised: each of the first three makes weights 8-bit integers (`tf.lite.Optimize`)."""

    DEFAULT = "DEFAULT"
    OPTIMIZE_FOR_SIZE = "OPTIMIZE_FOR_SIZE"
    OPTIMIZE_FOR_LATENCY = "OPTIMIZE_FOR_LATENCY"
    EXPERIMENTAL_SPARSITY = "EXPERIMENTAL_SPARSITY"

    def __str__(self) -> str:
        return str(self.value)


class OpsSet(enum.Enum):
    """Sets of operators that a model may use (`tf.lite.OpsSet`); there are only the first."""

    TFLITE_BUILTINS = "TFLITE_BUILTINS"
    SELECT_TF_OPS = "SELECT_TF_OPS"
    TFLITE_BUILTINS_INT8 = "TFLITE_BUILTINS_INT8"
    EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
    EXPERIMENTAL_STABLEHLO_OPS = "EXPERIMENTAL_STABLEHLO_OPS"

    def __str__(self) -> str:
        return str(self.value)

    @staticmethod
    def get_options() -> list[str]:
        """The names of all sets."""
        return [str(option) for option in OpsSet]


class TargetSpec:
    """What a model is for (`tf.lite.TargetSpec`).

    Attributes:
        supported_ops: sets of operators; `{OpsSet.TFLITE_BUILTINS}` by default.
        supported_types: types of constants; none by default, which leaves float32.
    """

    def __init__(
        self,
        supported_ops: Iterable[OpsSet] | None = None,
        supported_types: Iterable[Any] | None = None,
        experimental_select_user_tf_ops: Iterable[str] | None = None,
        experimental_supported_backends: Iterable[str] | None = None,
    ) -> None:
        self.supported_ops = {OpsSet.TFLITE_BUILTINS} if supported_ops is None else supported_ops
        self.supported_types = set() if supported_types is None else supported_types
        self.experimental_select_user_tf_ops = set() if experimental_select_user_tf_ops is None else experimental_select_user_tf_ops
        self.experimental_supported_backends = experimental_supported_backends


class RepresentativeDataset:
    """Inputs that integers for activations are chosen by (`tf.lite.RepresentativeDataset`).

    Attributes:
        input_gen: a function that gives an iterator of lists of arrays.
    """

    def __init__(self, input_gen: Callable[[], Any]) -> None:
        self.input_gen = input_gen
