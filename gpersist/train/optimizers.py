"""The optimizers of TensorFlow 1; here those of one formula, the others beside: what each keeps with a variable, and the operation of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gpersist.graph import Tensor, apply, apply_op
from gpersist.ops.casting import cast
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.initializers import ones_initializer
from gpersist.train.adagrad import AdagradDAOptimizer, AdagradOptimizer, ProximalAdagradOptimizer
from gpersist.train.adam import AdamOptimizer
from gpersist.train.ftrl import FtrlOptimizer
from gpersist.train.rule_optimizer import RuleOptimizer

__all__ = [
    "AdadeltaOptimizer",
    "AdagradDAOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "ProximalAdagradOptimizer",
    "ProximalGradientDescentOptimizer",
    "RMSPropOptimizer",
]


class GradientDescentOptimizer(RuleOptimizer):
    """Steps against the gradient (`tf.train.GradientDescentOptimizer`).

    Args:
        learning_rate: a number, a tensor, or a function that gives one.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.
    """

    _rule = "GradientDescent"
    _setting_names: ClassVar[dict[str, str]] = {"alpha": "learning_rate"}

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent") -> None:
        super().__init__(use_locking, name, alpha=learning_rate)

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        delta = grad.values * cast(self._tensors["alpha"], var.dtype.base_dtype)
        return apply("ScatterSub", var, grad.indices, delta, use_locking=self._use_locking)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        delta = -grad * cast(self._tensors["alpha"], grad.dtype.base_dtype)
        return apply_op("ResourceScatterAdd", handle.handle, indices, delta)


class ProximalGradientDescentOptimizer(RuleOptimizer):
    """Steps against the gradient, then towards zero (`tf.train.ProximalGradientDescentOptimizer`).

    Args:
        learning_rate: a number or a tensor.
        l1_regularization_strength: weight of the absolute norm.
        l2_regularization_strength: weight of the squared norm.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.
    """

    _rule = "ProximalGradientDescent"
    _setting_names: ClassVar[dict[str, str]] = {
        "alpha": "learning_rate",
        "l1": "l1_regularization_strength",
        "l2": "l2_regularization_strength",
    }

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ) -> None:
        super().__init__(use_locking, name, alpha=learning_rate, l1=l1_regularization_strength, l2=l2_regularization_strength)


class MomentumOptimizer(RuleOptimizer):
    """Steps against a decaying sum of gradients (`tf.train.MomentumOptimizer`).

    Args:
        learning_rate: a number, a tensor, or a function that gives one.
        momentum: how much of the sum is left after a step; likewise.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.
        use_nesterov: whether the gradient counts as that of where the momentum leads.
    """

    _rule = "Momentum"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "momentum"}
    _setting_names: ClassVar[dict[str, str]] = {"lr": "learning_rate"}

    def __init__(self, learning_rate: Any, momentum: Any, use_locking: bool = False, name: str = "Momentum", use_nesterov: bool = False) -> None:
        super().__init__(use_locking, name, lr=learning_rate, momentum=momentum)
        self._flags = {"use_nesterov": use_nesterov}

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)


class AdadeltaOptimizer(RuleOptimizer):
    """Steps in the ratio of past steps to gradients (`tf.train.AdadeltaOptimizer`).

    Args:
        learning_rate: a number, a tensor, or a function that gives one.
        rho: how much of the mean squares is left after a step; likewise.
        epsilon: added below the roots.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.
    """

    _rule = "Adadelta"
    _slot_inputs: ClassVar[dict[str, str]] = {"accum": "accum", "accum_update": "accum_update"}

    def __init__(self, learning_rate: Any = 0.001, rho: Any = 0.95, epsilon: Any = 1e-8, use_locking: bool = False, name: str = "Adadelta") -> None:
        super().__init__(use_locking, name, lr=learning_rate, rho=rho, epsilon=epsilon)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for var in var_list:
            self._zeros_slot(var, "accum", self._name)
            self._zeros_slot(var, "accum_update", self._name)


class RMSPropOptimizer(RuleOptimizer):
    """Steps over the root mean square of gradients (`tf.train.RMSPropOptimizer`).

    Args:
        learning_rate: a number, a tensor, or a function that gives one.
        decay: how much of the mean square is left after a step; likewise.
        momentum: how much of the last step is repeated; likewise.
        epsilon: added below the root.
        use_locking: see `Optimizer`.
        centered: whether the mean gradient is taken off first.
        name: see `Optimizer`.
    """

    _slot_inputs: ClassVar[dict[str, str]] = {"ms": "rms", "mg": "mg", "mom": "momentum"}
    _setting_names: ClassVar[dict[str, str]] = {"lr": "learning_rate", "rho": "decay"}

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        super().__init__(use_locking, name, lr=learning_rate, rho=decay, momentum=momentum, epsilon=epsilon)
        self._rule = "CenteredRMSProp" if centered else "RMSProp"
        self._centered = centered

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            self._get_or_make_slot_with_initializer(var, ones_initializer(dtype=dtype), var.shape, dtype, "rms", self._name)
            if self._centered:
                self._zeros_slot(var, "mg", self._name)
            self._zeros_slot(var, "momentum", self._name)
