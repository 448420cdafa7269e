"""Losses scaled so that small gradients don't vanish in half precision: `tf.train.experimental`."""

from __future__ import annotations

import abc
import logging
from collections.abc import Iterable
from typing import Any

from gpersist.graph import Operation, Tensor, convert_to_tensor
from gpersist.ops import nest
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.control import group, no_op
from gpersist.ops.control_flow import cond
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.reductions import reduce_all
from gpersist.ops.unary import is_finite
from gpersist.ops.variable import Variable
from gpersist.train.optimizer import GradAndVar, Optimizer

__all__ = [
    "DynamicLossScale",
    "FixedLossScale",
    "LossScale",
    "MixedPrecisionLossScaleOptimizer",
    "disable_mixed_precision_graph_rewrite",
    "enable_mixed_precision_graph_rewrite",
]

_LOG = logging.getLogger("gpersist")


class LossScale(abc.ABC):
    """What a loss is multiplied by (`tf.train.experimental.LossScale`)."""

    @abc.abstractmethod
    def __call__(self) -> Tensor:
        """The factor, a float32 scalar."""

    @abc.abstractmethod
    def update(self, grads: Any) -> tuple[Operation, Any]:
        """What changes the factor after a step of some gradients, and whether these shall be applied: a bool, or a tensor of one."""

    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """The arguments that it was made with."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossScale:
        """Made anew from what `get_config` gives."""
        return cls(**config)

    def variables(self) -> list[Variable]:
        """What it keeps between steps."""
        return []


class FixedLossScale(LossScale):
    """Always the same factor (`tf.train.experimental.FixedLossScale`).

    Raises:
        ValueError: `loss_scale_value` is no number, or below 1.
    """

    def __init__(self, loss_scale_value: float) -> None:
        if not isinstance(loss_scale_value, (int, float)):
            raise ValueError("loss_scale_value must be a Python int or float.")
        if loss_scale_value < 1:
            raise ValueError("loss_scale_value must be at least 1.")
        self._value = float(loss_scale_value)

    def __call__(self) -> Tensor:
        """The factor, a float32 scalar."""
        return convert_to_tensor(self._value)

    def update(self, grads: Any) -> tuple[Operation, Any]:
        """Nothing; they are applied whatever they are."""
        return no_op(), True

    def get_config(self) -> dict[str, Any]:
        """The arguments that it was made with."""
        return {"loss_scale_value": self._value}

    def __repr__(self) -> str:
        return f"FixedLossScale({self._value})"


class DynamicLossScale(LossScale):
    """A factor that grows while gradients are finite, and shrinks where one isn't (`tf.train.experimental.DynamicLossScale`).

    Args:
        initial_loss_scale: the first factor.
        increment_period: after so many steps of finite gradients in a row it grows.
        multiplier: by which it grows, and shrinks, though never below 1.
    """

    def __init__(self, initial_loss_scale: float = 2**15, increment_period: int = 2000, multiplier: float = 2.0) -> None:
        self._initial, self._period, self._multiplier = float(initial_loss_scale), int(increment_period), float(multiplier)
        kept: dict[str, Any] = {"trainable": False, "use_resource": True}
        self._current = Variable(self._initial, name="current_loss_scale", dtype="float32", **kept)
        self._good_steps = Variable(0, name="good_steps", dtype="int64", **kept)

    @property
    def initial_loss_scale(self) -> float:
        """The first factor."""
        return self._initial

    @property
    def increment_period(self) -> int:
        """After how many steps it grows."""
        return self._period

    @property
    def multiplier(self) -> float:
        """By which it grows and shrinks."""
        return self._multiplier

    def __call__(self) -> Tensor:
        """The factor, a float32 scalar."""
        return convert_to_tensor(self._current)

    def update(self, grads: Any) -> tuple[Operation, Any]:
        """Growth or shrinking; the gradients are to be applied if all are finite."""
        values = [grad.values if isinstance(grad, IndexedSlices) else grad for grad in nest.flatten(grads) if grad is not None]
        are_finite = reduce_all([reduce_all(is_finite(value)) for value in values])
        return cond(are_finite, self._after_good_step, self._after_bad_step), are_finite

    def get_config(self) -> dict[str, Any]:
        """The arguments that it was made with."""
        return {"initial_loss_scale": self._initial, "increment_period": self._period, "multiplier": self._multiplier}

    def variables(self) -> list[Variable]:
        """The factor, and the number of good steps since it changed."""
        return [self._current, self._good_steps]

    def __repr__(self) -> str:
        return f"DynamicLossScale(initial_loss_scale={self._initial}, increment_period={self._period}, multiplier={self._multiplier})"

    def _after_good_step(self) -> Any:
        return cond(self._good_steps + 1 >= self._period, self._grow, lambda: self._good_steps.assign_add(1).op)

    def _grow(self) -> Any:
        grown = self._current * self._multiplier
        changed = cond(is_finite(grown), lambda: self._current.assign(grown).op, no_op)
        return group(changed, self._good_steps.assign(0))

    def _after_bad_step(self) -> Any:
        shrunk = maximum(self._current / self._multiplier, 1)
        return group(self._good_steps.assign(0), self._current.assign(shrunk))


class MixedPrecisionLossScaleOptimizer(Optimizer):
    """An optimizer around another one, which scales the loss, and the gradients back (`tf.train.experimental.MixedPrecisionLossScaleOptimizer`).

    Args:
        opt: the optimizer.
        loss_scale: a `LossScale`, a number for a fixed one, or "dynamic".

    Raises:
        ValueError: either is something else.
    """

    def __init__(self, opt: Optimizer, loss_scale: Any) -> None:
        if not isinstance(opt, Optimizer):
            raise ValueError(f'"opt" must be an instance of Optimizer, but got: {type(opt)}')
        super().__init__(opt._use_locking, opt.get_name())
        self._optimizer = opt
        self._loss_scale = _loss_scale(loss_scale)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[GradAndVar]:
        """Adds the gradients of a loss, computed of the scaled one; arguments as in `Optimizer.compute_gradients`."""
        factor = self._loss_scale()
        loss = loss() if callable(loss) else loss
        scaled = loss * cast(factor, loss.dtype)
        pairs = self._optimizer.compute_gradients(scaled, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss)
        inverse = 1 / self._loss_scale()
        return [(None if grad is None else _times(grad, inverse), var) for grad, var in pairs]

    def apply_gradients(self, grads_and_vars: Iterable[GradAndVar], global_step: Any = None, name: str | None = None) -> Operation:
        """Adds an operation that changes variables by their gradients; with a dynamic scale only if all of these are finite."""
        if not isinstance(self._loss_scale, DynamicLossScale):
            return self._optimizer.apply_gradients(grads_and_vars, global_step, name)
        pairs = tuple(grads_and_vars)
        changed, are_finite = self._loss_scale.update([grad for grad, _ in pairs])
        whole = self.get_name() if name is None else name
        applied = cond(are_finite, lambda: self._optimizer.apply_gradients(pairs, global_step, f"{whole}-wrapped"), no_op)
        return group(applied, changed, name=whole)

    def variables(self) -> list[Any]:
        """The optimizer's, and those of the scale."""
        return [*self._optimizer.variables(), *self._loss_scale.variables()]


def enable_mixed_precision_graph_rewrite(opt: Any, loss_scale: Any = "dynamic") -> MixedPrecisionLossScaleOptimizer:
    """The optimizer with its loss scaled (`tf.train.experimental.enable_mixed_precision_graph_rewrite`); no operation runs in another type.

    Raises:
        ValueError: it is no optimizer, or scales its loss already.
    """
    if isinstance(opt, MixedPrecisionLossScaleOptimizer):
        raise ValueError(
            '"opt" must not already be an instance of a MixedPrecisionLossScaleOptimizer. `enable_mixed_precision_graph_rewrite` will automatically '
            "wrap the optimizer with a MixedPrecisionLossScaleOptimizer."
        )
    if not isinstance(opt, Optimizer):
        raise ValueError(f'"opt" must be an instance of a tf.train.Optimizer or a tf.keras.optimizers.Optimizer, but got: {opt}')
    _LOG.warning("graphs are not rewritten to half precision: the loss is scaled, and everything runs in the types that the graph says")
    return MixedPrecisionLossScaleOptimizer(opt, loss_scale)


def disable_mixed_precision_graph_rewrite() -> None:
    """Does nothing: see `enable_mixed_precision_graph_rewrite`."""


def _loss_scale(value: Any) -> LossScale:
    if isinstance(value, (int, float)):
        return FixedLossScale(value)
    if isinstance(value, LossScale):
        return value
    if value is None:
        raise ValueError("loss_scale cannot be None")
    if value == "dynamic":
        return DynamicLossScale()
    raise ValueError(f"Could not interpret loss scale identifier: {value}")


def _times(grad: Any, factor: Tensor) -> Any:
    if isinstance(grad, IndexedSlices):
        return IndexedSlices(grad.values * factor, grad.indices, grad.dense_shape)
    return grad * factor
