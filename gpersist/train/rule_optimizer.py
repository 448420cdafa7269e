"""What optimizers whose step is one of the operations of `gpersist.ops.training` have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from gpersist.dtypes import DType
from gpersist.graph import Tensor, apply_op, convert_to_tensor, get_op_type
from gpersist.ops.casting import cast
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.train.optimizer import Optimizer


class RuleOptimizer(Optimizer):
    """An optimizer whose step is one of the operations of `gpersist.ops.training`.

    Attributes:
        _rule: the operation's name, without `Apply` and the like.
        _slot_inputs: the slot of each of its inputs that is one.
        _setting_names: the names of settings' constants that are not called as the operation's input is.
    """

    _rule: str
    _slot_inputs: ClassVar[dict[str, str]] = {}
    _setting_names: ClassVar[dict[str, str]] = {}

    def __init__(self, use_locking: bool, name: str, **settings: Any) -> None:
        super().__init__(use_locking, name)
        self._settings = settings
        self._tensors: dict[str, Any] = {}
        self._flags: dict[str, Any] = {}

    def _prepare(self) -> None:
        self._tensors = {
            name: convert_to_tensor(self._call_if_callable(value), name=self._setting_names.get(name, name)) for name, value in self._settings.items()
        }

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        return self._step("Apply", var, grad)

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        return self._step("ResourceApply", handle, grad)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        return self._step("SparseApply", var, grad.values, grad.indices)

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        return self._step("ResourceSparseApply", handle, grad, indices)

    def _step(self, kind: str, var: Any, grad: Tensor, indices: Tensor | None = None) -> Any:
        """The operation, its inputs in the order of its signature."""
        op_type = kind + self._rule
        dtype = var.dtype.base_dtype
        is_resource = kind.startswith("Resource")
        given = {"var": var, "grad": grad, "delta": grad, "indices": indices} | self._others(var, dtype)
        given |= {name: self.get_slot(var, slot) for name, slot in self._slot_inputs.items()}
        inputs: list[Any] = []
        for arg in get_op_type(op_type).signature().inputs:
            if arg.name in self._tensors:
                inputs.append(as_type(self._tensors[arg.name], dtype))
            else:
                is_variable = arg.name == "var" or arg.name in self._slot_inputs
                inputs.append(given[arg.name].handle if is_resource and is_variable else given[arg.name])
        return apply_op(op_type, *inputs, use_locking=self._use_locking, **self._flags)

    def _others(self, var: Any, dtype: Any) -> dict[str, Any]:
        """Inputs that are neither slots nor settings."""
        return {}


def as_type(value: Any, dtype: DType) -> Any:
    """A tensor of a type; a resource variable that is of it already, as it is."""
    return value if isinstance(value, ResourceVariable) and value.dtype is dtype else cast(value, dtype)


def check_positive(name: str, value: float) -> None:
    """Holds that a setting is above zero.

    Raises:
        ValueError: it is not.
    """
    if value <= 0:
        raise ValueError(f"{name} must be positive: {value}")
