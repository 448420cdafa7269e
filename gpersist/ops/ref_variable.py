"""Reference variables, which TensorFlow 1 makes unless told otherwise.

A reference variable `v` is four nodes: `v` (VariableV2), `v/initial_value`, `v/Assign`, `v/read` (Identity).
"""

from __future__ import annotations

from typing import Any

from gpersist.graph import Graph, Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops import variables
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.initialized_value import safe_initial_value
from gpersist.ops.state import count_up_to
from gpersist.ops.variable import Variable, register_kind
from gpersist.shapes import TensorShape, as_shape

__all__ = ["RefVariable"]


class RefVariable(Variable):
    """A reference variable."""

    def _build(self, graph: Graph, initial_value: Any, dtype: Any, validate_shape: bool, caching_device: Any, name: str | None, shape: Any) -> None:
        is_function = callable(initial_value)
        with name_scope(name, "Variable", [] if is_function else [initial_value]) as scope:
            if is_function:
                group = b"loc:@" + scope[:-1].encode()
                with graph._attr_scope({"_class": [group]}), graph.name_scope("Initializer"), graph.device(None):
                    initial = convert_to_tensor(initial_value(), dtype, "initial_value")
                own_group = [group]
            else:
                own_group = None
                initial = convert_to_tensor(initial_value, dtype, "initial_value")
            if validate_shape and not initial.shape.is_fully_defined():
                raise ValueError(f"initial_value must have a shape specified: {initial}")
            known = as_shape(shape) if shape is not None else initial.shape if validate_shape else TensorShape(None)
            self._initial = initial
            with graph._attr_scope({"_class": own_group}):
                self._variable = variables.variable_op_v2(known, initial.dtype, name=scope)
            safe = safe_initial_value(graph, initial, scope[:-1])
            with graph.colocate_with(self._variable.op):
                self._initializer_op = variables.assign(self._variable, safe, validate_shape=validate_shape).op
            with graph.device(caching_device) if caching_device is not None else graph.colocate_with(self._variable.op):
                self._snapshot = apply("Identity", self._variable, name="read")

    def read_value(self) -> Tensor:
        """Its value as a tensor, read when that tensor is computed."""
        return apply("Identity", self._variable, name="read")

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether it has a value, as a tensor."""
        return apply("IsVariableInitialized", self._variable, name=name)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that gives it a value; the result is the reference, or with `read_value=False` the operation."""
        return _result(variables.assign(self._variable, value, use_locking=use_locking, name=name), read_value)

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that adds to it; see `assign`."""
        return _result(variables.assign_add(self._variable, delta, use_locking=use_locking, name=name), read_value)

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Makes an operation that subtracts from it; see `assign`."""
        return _result(variables.assign_sub(self._variable, delta, use_locking=use_locking, name=name), read_value)

    def _ref(self) -> Tensor:
        return self._variable

    def count_up_to(self, limit: int) -> Tensor:
        """Its value, which is one more afterwards; raises OutOfRangeError when run at the limit."""
        return count_up_to(self._variable, limit)

    def _scatter_rows(self, kind: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Tensor:
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"sparse_delta is not IndexedSlices: {sparse_delta}")
        return apply(f"Scatter{kind}", self._variable, sparse_delta.indices, sparse_delta.values, use_locking=use_locking, name=name)

    def _scatter_elements(self, kind: str, indices: Any, updates: Any, name: str | None) -> Tensor:
        return apply(f"ScatterNd{kind}", self._variable, indices, updates, use_locking=True, name=name)


def _result(tensor: Tensor, read_value: bool) -> Any:
    return tensor if read_value else tensor.op


register_kind("reference", RefVariable)
