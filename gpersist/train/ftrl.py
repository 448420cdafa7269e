"""FTRL: follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gpersist.graph import Tensor, convert_to_tensor
from gpersist.ops.arithmetic import maximum
from gpersist.ops.filling import ones
from gpersist.train.rule_optimizer import RuleOptimizer


class FtrlOptimizer(RuleOptimizer):
    """Follow the regularized leader (`tf.train.FtrlOptimizer`).

    Args:
        learning_rate: a number or a tensor.
        learning_rate_power: how the rate falls with the sum of squares; not above zero.
        initial_accumulator_value: where the sum of squares begins.
        l1_regularization_strength: weight of the absolute norm.
        l2_regularization_strength: weight of the squared norm.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.
        accum_name: the slot's name, instead of the optimizer's.
        linear_name: the slot's name, instead of the optimizer's.
        l2_shrinkage_regularization_strength: weight of the variable's magnitude in the loss.
        beta: added to the root of the sum of squares.

    Raises:
        ValueError: a setting below zero, or a power above it.
    """

    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accum", "linear": "linear"}

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float | None = None,
    ) -> None:
        super().__init__(use_locking, name)
        limits = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for setting, value in limits.items():
            if value < 0:
                raise ValueError(f"{setting} {value:f} needs to be positive or zero")
        if learning_rate_power > 0:
            raise ValueError(f"learning_rate_power {learning_rate_power:f} needs to be negative or zero")
        self._learning_rate = learning_rate
        self._learning_rate_power = learning_rate_power
        self._initial_accumulator_value = initial_accumulator_value
        self._l1, self._l2, self._l2_shrinkage = l1_regularization_strength, l2_regularization_strength, l2_shrinkage_regularization_strength
        self._accum_name, self._linear_name = accum_name, linear_name
        self._beta = beta or 0.0
        self._rule = "FtrlV2" if l2_shrinkage_regularization_strength > 0 else "Ftrl"

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        def initializer(shape: Any, dtype: Any = "float32", partition_info: Any = None) -> Tensor:
            return ones(shape, dtype) * self._initial_accumulator_value

        for var in var_list:
            self._get_or_make_slot_with_initializer(var, initializer, var.shape, var.dtype, "accum", self._accum_name or self._name)
            self._zeros_slot(var, "linear", self._linear_name or self._name)

    def _prepare(self) -> None:
        self._tensors = {
            "lr": convert_to_tensor(self._learning_rate, name="learning_rate"),
            "l1": convert_to_tensor(self._l1, name="l1_regularization_strength"),
            "l2": self._l2 + self._beta / (2.0 * maximum(self._learning_rate, 1e-36)),
        }
        convert_to_tensor(self._beta, name="beta")
        self._tensors["l2_shrinkage"] = convert_to_tensor(self._l2_shrinkage, name="l2_shrinkage_regularization_strength")
        self._tensors["lr_power"] = convert_to_tensor(self._learning_rate_power, name="learning_rate_power")
