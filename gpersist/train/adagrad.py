"""Adagrad and its kin: steps over the root of the sum of squared gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gpersist.graph import get_default_graph
from gpersist.ops.constants import constant
from gpersist.ops.initializers import constant_initializer
from gpersist.ops.passing import identity
from gpersist.train.rule_optimizer import RuleOptimizer, check_positive


class AdagradOptimizer(RuleOptimizer):
    """Steps over the root of the sum of squared gradients (`tf.train.AdagradOptimizer`).

    Args:
        learning_rate: a number, a tensor, or a function that gives one.
        initial_accumulator_value: where the sum begins; positive.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.

    Raises:
        ValueError: the initial value is not positive.
    """

    _rule = "Adagrad"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accumulator"}
    _setting_names: ClassVar[dict[str, str]] = {"lr": "learning_rate"}

    def __init__(self, learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False, name: str = "Adagrad") -> None:
        check_positive("initial_accumulator_value", initial_accumulator_value)
        super().__init__(use_locking, name, lr=learning_rate)
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            initializer = constant_initializer(self._initial_accumulator_value, dtype=dtype)
            self._get_or_make_slot_with_initializer(var, initializer, var.shape, dtype, "accumulator", self._name)


class AdagradDAOptimizer(RuleOptimizer):
    """Adagrad by dual averaging (`tf.train.AdagradDAOptimizer`), for sparse linear models.

    Args:
        learning_rate: a number or a tensor.
        global_step: the step, an int64 variable or tensor.
        initial_gradient_squared_accumulator_value: where the sum of squares begins; positive.
        l1_regularization_strength: weight of the absolute norm.
        l2_regularization_strength: weight of the squared norm.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.

    Raises:
        ValueError: the initial value is not positive.
    """

    _rule = "AdagradDA"
    _slot_inputs: ClassVar[dict[str, str]] = {
        "gradient_accumulator": "gradient_accumulator",
        "gradient_squared_accumulator": "gradient_squared_accumulator",
    }
    _setting_names: ClassVar[dict[str, str]] = {"lr": "learning_rate"}

    def __init__(
        self,
        learning_rate: Any,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ) -> None:
        check_positive("initial_gradient_squared_accumulator_value", initial_gradient_squared_accumulator_value)
        super().__init__(use_locking, name, lr=learning_rate)
        self._initial = initial_gradient_squared_accumulator_value
        self._strengths = l1_regularization_strength, l2_regularization_strength
        self._global_step = global_step
        self._next_step: Any = None

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for var in var_list:
            with var.graph.colocate_with(var):
                zero, first = (constant(value, var.dtype.base_dtype, var.shape) for value in (0.0, self._initial))
            self._get_or_make_slot(var, zero, "gradient_accumulator", self._name)
            self._get_or_make_slot(var, first, "gradient_squared_accumulator", self._name)

    def _prepare(self) -> None:
        super()._prepare()
        self._tensors["l1"], self._tensors["l2"] = self._strengths
        with get_default_graph().colocate_with(self._tensors["lr"]):
            self._next_step = identity(self._global_step) + 1

    def _others(self, var: Any, dtype: Any) -> dict[str, Any]:
        with get_default_graph().device(var.device):
            step = identity(self._next_step)
        return {"global_step": step}


class ProximalAdagradOptimizer(RuleOptimizer):
    """Adagrad, then a step towards zero (`tf.train.ProximalAdagradOptimizer`).

    Args:
        learning_rate: a number or a tensor.
        initial_accumulator_value: where the sum of squares begins; positive.
        l1_regularization_strength: weight of the absolute norm.
        l2_regularization_strength: weight of the squared norm.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.

    Raises:
        ValueError: the initial value is not positive.
    """

    _rule = "ProximalAdagrad"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accumulator"}
    _setting_names: ClassVar[dict[str, str]] = {"lr": "learning_rate", "l1": "l1_regularization_strength", "l2": "l2_regularization_strength"}

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ) -> None:
        check_positive("initial_accumulator_value", initial_accumulator_value)
        super().__init__(use_locking, name, lr=learning_rate, l1=l1_regularization_strength, l2=l2_regularization_strength)
        self._initial_accumulator_value = initial_accumulator_value

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for var in var_list:
            with var.graph.colocate_with(var):
                first = constant(self._initial_accumulator_value, var.dtype.base_dtype, var.shape)
            self._get_or_make_slot(var, first, "accumulator", self._name)
