"""Optimizer: from a loss to an operation that makes it smaller. What each method does with a gradient is in `gpersist.train.optimizers`.

The nodes and variables that it adds are TensorFlow's, by name, so that a training checkpoint of one is resumed by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gpersist.dtypes import DType, bfloat16, float16, float32, float64
from gpersist.graph import GraphKeys, Operation, Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.control import group, tuple_
from gpersist.ops.gradients import gradients
from gpersist.ops.indexed_slices import IndexedSlices, convert_to_tensor_or_indexed_slices
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.variable import Variable
from gpersist.ops.variable_lists import trainable_variables
from gpersist.ops.variables import assign_add
from gpersist.shapes import TensorShape
from gpersist.train import slot_creator

__all__ = ["Optimizer"]

GradAndVar = tuple[Any, Any]
"""A gradient, or None, and its variable."""


class Optimizer:
    """The base of all optimizers (`tf.train.Optimizer`).

    A method overrides `_apply_dense` and `_apply_sparse`, `_resource_apply_dense` and `_resource_apply_sparse`, and where it needs them
    `_create_slots`, `_prepare` and `_finish`.

    Args:
        use_locking: whether updates lock their variables; here they always do.
        name: of the scope of its nodes, and of its slots.

    Raises:
        ValueError: no name.
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[Any, Any]] = {}
        self._non_slots: dict[tuple[str, Any], Any] = {}

    def get_name(self) -> str:
        """Its name."""
        return self._name

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Operation:
        """Adds what changes variables so that a loss becomes smaller: `compute_gradients`, then `apply_gradients`.

        Raises:
            ValueError: the loss depends on none of the variables; or see there.
        """
        pairs = self.compute_gradients(loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss)
        if all(grad is None for grad, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, between variables "
                f"{[str(var) for _, var in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: int | None = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[GradAndVar]:
        """Adds the gradients of a loss.

        Args:
            loss: a tensor, or a function that gives one.
            var_list: variables in any nest; all trainable ones by default.
            gate_gradients: which gradients wait for each other: none, those of an operation's inputs, or all.
            aggregation_method: see `gpersist.ops.gradients.gradients`.
            colocate_gradients_with_ops: see there.
            grad_loss: the gradient of the loss, instead of ones.

        Returns:
            Each variable behind its gradient: a tensor, IndexedSlices, or None.

        Raises:
            ValueError: no variables, a type that no optimizer takes, or an unknown gate.
            NotImplementedError: something in the list is no variable.
        """
        if callable(loss):
            loss = loss()
        if gate_gradients not in (Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH):
            raise ValueError(f"gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  Not {gate_gradients}")
        self._check_types([loss])
        if grad_loss is not None:
            self._check_types([grad_loss])
        if var_list is None:
            found = trainable_variables() + get_default_graph().get_collection(GraphKeys.TRAINABLE_RESOURCE_VARIABLES)
        else:
            found = _flat(var_list)
        for var in found:
            _check_variable(var)
        if not found:
            raise ValueError("No variables to optimize.")
        grads = gradients(
            loss,
            found,
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == Optimizer.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gate_gradients == Optimizer.GATE_GRAPH:
            grads = tuple_(grads)
        self._check_types([var for grad, var in zip(grads, found, strict=True) if grad is not None and var.dtype.name != "resource"])
        return list(zip(grads, found, strict=True))

    def apply_gradients(self, grads_and_vars: Iterable[GradAndVar], global_step: Any = None, name: str | None = None) -> Operation:
        """Adds an operation that changes variables by their gradients, and enters it in the collection `train_op`.

        Args:
            grads_and_vars: as `compute_gradients` gives them; a gradient may be anything that makes a tensor, or None.
            global_step: a variable that grows by one with each step.
            name: of the operation; by default the optimizer's.

        Raises:
            TypeError: a gradient makes no tensor.
            ValueError: no variables, or no gradients.
        """
        pairs = [(None if grad is None else _gradient(grad), var) for grad, var in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        for _, var in pairs:
            _check_variable(var)
        changed = [(grad, var) for grad, var in pairs if grad is not None]
        if not changed:
            raise ValueError(f"No gradients provided for any variable: {[str(var) for _, var in pairs]}.")
        graph = get_default_graph()
        with graph.control_dependencies(None):
            self._create_slots([var for _, var in changed])
        with name_scope(name, self._name) as scope:
            self._prepare()
            updates: list[Any] = []
            for grad, var in changed:
                with graph.name_scope(f"update_{var.op.name}"), graph.colocate_with(var):
                    updates.append(self._update(grad, var))
            if global_step is None:
                done: Any = self._finish(updates, scope)
            else:
                _ = global_step.dtype  # TensorFlow asks for it here: what is no variable fails as it does there
                with graph.control_dependencies([self._finish(updates, "update")]), graph.colocate_with(global_step):
                    done = _counted(global_step, scope)
        train_op = graph.get_collection_ref(GraphKeys.TRAIN_OP)
        operation: Operation = done.op if isinstance(done, Tensor) else done
        if operation not in train_op:
            train_op.append(operation)
        return operation

    def _update(self, grad: Any, var: Any) -> Any:
        """The operation that changes one variable, its constraint applied."""
        if isinstance(var, Tensor):
            raise NotImplementedError("Trying to update a Tensor ", var)
        is_resource = var.op.type == "VarHandleOp"
        if isinstance(grad, IndexedSlices):
            if var.constraint is not None:
                raise RuntimeError("Cannot use a constraint function on a sparse variable.")
            if is_resource:
                return self._resource_apply_sparse_duplicate_indices(grad.values, var, grad.indices)
            return self._apply_sparse_duplicate_indices(grad, var)
        update = self._resource_apply_dense(grad, var) if is_resource else self._apply_dense(grad, var)
        if var.constraint is None:
            return update
        with get_default_graph().control_dependencies([update]):
            return var.assign(var.constraint(var))

    # ---- slots

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot of a variable, or None."""
        return self._slots.get(name, {}).get(_key(var))

    def get_slot_names(self) -> list[str]:
        """The names of its slots, sorted."""
        return sorted(self._slots)

    def variables(self) -> list[Any]:
        """Its own variables in the default graph, slots and others, by name."""
        graph = get_default_graph()
        found = [var for var in self._non_slots.values() if var.graph is graph]
        found += [slot for slots in self._slots.values() for slot in slots.values() if slot.graph is graph]
        return sorted(found, key=lambda var: str(var.name))

    def _slot_dict(self, slot_name: str) -> dict[Any, Any]:
        return self._slots.setdefault(slot_name, {})

    def _slot(self, var: Any, slot_name: str, make: Callable[[], Any]) -> Any:
        slots, key = self._slot_dict(slot_name), _key(var)
        if key not in slots:
            slots[key] = make()
        return slots[key]

    def _get_or_make_slot(self, var: Any, val: Any, slot_name: str, op_name: str) -> Any:
        """The slot of a variable, made with a first value if it is not there."""
        return self._slot(var, slot_name, lambda: slot_creator.create_slot(var, val, op_name))

    def _get_or_make_slot_with_initializer(self, var: Any, initializer: Any, shape: TensorShape, dtype: Any, slot_name: str, op_name: str) -> Any:
        """The slot of a variable, made with an initializer if it is not there."""
        return self._slot(var, slot_name, lambda: slot_creator.create_slot_with_initializer(var, initializer, shape, dtype, op_name))

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        """The slot of a variable, made of zeros if it is not there."""
        return self._slot(var, slot_name, lambda: slot_creator.create_zeros_slot(var, op_name))

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Any:
        """A variable of its own that belongs to none, made if it is not there."""
        key = (name, colocate_with.graph)
        if key not in self._non_slots:
            with colocate_with.graph.colocate_with(colocate_with):
                self._non_slots[key] = Variable(initial_value, name=name, trainable=False, use_resource=isinstance(colocate_with, ResourceVariable))
        return self._non_slots[key]

    def _get_non_slot_variable(self, name: str, graph: Any = None) -> Any:
        return self._non_slots.get((name, graph))

    # ---- what a method does

    def _valid_dtypes(self) -> set[DType]:
        """The types of losses, variables and gradients."""
        return {float16, bfloat16, float32, float64}

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Makes the slots that some variables need."""

    def _prepare(self) -> None:
        """Makes the tensors that all updates need."""

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        """The operation that changes a reference variable."""
        raise NotImplementedError

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        """The operation that changes a resource variable."""
        raise NotImplementedError

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        """The operation that changes some rows of a reference variable, each named once."""
        raise NotImplementedError

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        """The operation that changes some rows of a resource variable, each named once."""
        raise NotImplementedError

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        """`_apply_sparse`, where a row may be named twice; sums those first."""
        values, indices = _deduplicated(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        """`_resource_apply_sparse`, where a row may be named twice; sums those first."""
        values, unique = _deduplicated(grad, indices)
        return self._resource_apply_sparse(values, handle, unique)

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Any:
        """The operation that has run when all updates have."""
        return group(*update_ops, name=name_scope)

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    def _check_types(self, values: Sequence[Any]) -> None:
        allowed = self._valid_dtypes()
        for value in values:
            if value.dtype.base_dtype not in allowed:
                raise ValueError(
                    f"Invalid type {value.dtype.base_dtype!r} for {value.name}, expected: {sorted(allowed, key=lambda dtype: dtype.enum % 8)}."
                )


def _key(var: Any) -> Any:
    return (var.graph, var.op.name)


def _check_variable(var: Any) -> None:
    if var.op.type != "VarHandleOp" and not isinstance(var, (Variable, Tensor)):
        raise NotImplementedError("Trying to optimize unsupported type ", var)


def _gradient(grad: Any) -> Any:
    try:
        return convert_to_tensor_or_indexed_slices(grad)
    except TypeError:
        raise TypeError(f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {grad}") from None


def _counted(global_step: Any, name: str) -> Any:
    """Adds one to the step."""
    if isinstance(global_step, ResourceVariable):
        one = convert_to_tensor(1, global_step.dtype)
        return apply_op("AssignAddVariableOp", global_step.handle, one, name=name)
    return assign_add(global_step, 1, name=name)


def _deduplicated(values: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Rows summed where they are for the same place, and the places."""
    unique = apply_op("Unique", indices)
    places, positions = unique.outputs
    count = shape_of(places)[0]
    return apply("UnsortedSegmentSum", values, positions, count), places


def _flat(nest: Any) -> list[Any]:
    if isinstance(nest, dict):
        nest = [nest[key] for key in sorted(nest)]
    return [item for part in nest for item in _flat(part)] if isinstance(nest, (list, tuple, set)) else [nest]
