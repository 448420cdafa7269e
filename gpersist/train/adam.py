"""Adam: adaptive moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from gpersist.graph import Tensor, apply, apply_op, get_default_graph
from gpersist.ops.casting import cast
from gpersist.ops.control import group
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.variables import assign, assign_sub
from gpersist.train.rule_optimizer import RuleOptimizer, as_type


class AdamOptimizer(RuleOptimizer):
    """Adaptive moments (`tf.train.AdamOptimizer`). Slots `m` and `v`; variables `beta1_power` and `beta2_power`.

    Args:
        learning_rate: a number, a tensor, or a function that gives one.
        beta1: how much of the mean gradient is left after a step; likewise.
        beta2: the same, of the mean squared gradient.
        epsilon: added to the root of the mean square.
        use_locking: see `Optimizer`.
        name: see `Optimizer`.
    """

    _rule = "Adam"
    _slot_inputs: ClassVar[dict[str, str]] = {"m": "m", "v": "v"}
    _setting_names: ClassVar[dict[str, str]] = {"lr": "learning_rate"}

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(use_locking, name, lr=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        first = min(var_list, key=lambda var: str(var.name))
        self._create_non_slot_variable(self._settings["beta1"], "beta1_power", first)
        self._create_non_slot_variable(self._settings["beta2"], "beta2_power", first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        graph = get_default_graph()
        return self._get_non_slot_variable("beta1_power", graph), self._get_non_slot_variable("beta2_power", graph)

    def _others(self, var: Any, dtype: Any) -> dict[str, Any]:
        beta1_power, beta2_power = self._get_beta_accumulators()
        return {"beta1_power": as_type(beta1_power, dtype), "beta2_power": as_type(beta2_power, dtype)}

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        def scatter_add(slot: Any, indices: Tensor, values: Tensor) -> Tensor:
            return apply("ScatterAdd", slot, indices, values, use_locking=self._use_locking)

        return self._apply_rows(grad.values, var, grad.indices, scatter_add)

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        def scatter_add(slot: Any, indices: Tensor, values: Tensor) -> Tensor:
            with get_default_graph().control_dependencies([apply_op("ResourceScatterAdd", slot.handle, indices, values)]):
                value: Tensor = slot.value()
            return value

        return self._apply_rows(grad, handle, indices, scatter_add)

    def _apply_rows(self, grad: Tensor, var: Any, indices: Tensor, scatter_add: Callable[[Any, Tensor, Tensor], Tensor]) -> Any:
        """All rows decay, and all of the variable moves; only some have a gradient. TensorFlow has no fused operation for this."""
        dtype, graph, locking = var.dtype.base_dtype, get_default_graph(), self._use_locking
        powers = self._others(var, dtype)
        lr, beta1, beta2, epsilon = (cast(self._tensors[name], dtype) for name in ("lr", "beta1", "beta2", "epsilon"))
        rate = lr * apply("Sqrt", 1 - powers["beta2_power"]) / (1 - powers["beta1_power"])
        moments: list[Tensor] = []
        for name, beta in (("m", beta1), ("v", beta2)):
            slot = self.get_slot(var, name)
            scaled = (grad if name == "m" else grad * grad) * (1 - beta)
            with graph.control_dependencies([assign(slot, slot * beta, use_locking=locking)]):
                moments.append(scatter_add(slot, indices, scaled))
        m, v = moments
        root = apply("Sqrt", v)
        return group(assign_sub(var, rate * m / (root + epsilon), use_locking=locking), m, v)

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Any:
        graph = get_default_graph()
        with graph.control_dependencies(update_ops):
            beta1_power, beta2_power = self._get_beta_accumulators()
            with graph.colocate_with(beta1_power):
                powers = [
                    power.assign(power * self._tensors[name], use_locking=self._use_locking)
                    for power, name in ((beta1_power, "beta1"), (beta2_power, "beta2"))
                ]
        return group(*update_ops, *powers, name=name_scope)
