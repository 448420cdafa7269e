"""Moving averages of variables, kept in slots of their own: `v/ExponentialMovingAverage`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.dtypes import bfloat16, float16, float32, float64
from gpersist.graph import GraphKeys, Operation, Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.arithmetic import minimum, pow
from gpersist.ops.casting import cast
from gpersist.ops.control import group
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initialized_value import initialized_value
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.variable import Variable
from gpersist.ops.variable_lists import global_variables, moving_average_variables, trainable_variables
from gpersist.ops.variable_scope import get_variable_scope, variable_scope
from gpersist.ops.variables import assign, assign_sub
from gpersist.train import slot_creator

__all__ = ["ExponentialMovingAverage", "assign_moving_average"]

_AVERAGED = (bfloat16, float16, float32, float64)


def assign_moving_average(variable: Any, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None) -> Any:
    """Moves a variable towards a value: `variable -= (1 - decay) * (variable - value)`.

    Args:
        variable: the average.
        value: a tensor, or a variable, of its shape.
        decay: how much of the average stays, a number or a tensor.
        zero_debias: whether the average began at zero, which is then taken out; adds the variables `biased` and `local_step`.
        name: of the operation.

    Returns:
        What gives the new average.
    """
    with name_scope(name, "AssignMovingAvg", [variable, value, decay]) as scope:
        rate = convert_to_tensor(1.0 - decay, name="decay")
        if rate.dtype.base_dtype is not variable.dtype.base_dtype:
            rate = cast(rate, variable.dtype.base_dtype)
        if zero_debias:
            return _assign_unbiased(variable, value, rate)
        return assign_sub(variable, (variable - value) * rate, name=scope)


def _assign_unbiased(variable: Any, value: Any, rate: Tensor) -> Any:
    graph = get_default_graph()
    with variable_scope(variable.name.partition(":")[0], values=[variable, value, rate]), graph.colocate_with(variable):
        shape, dtype = variable.shape, variable.dtype
        biased = get_variable(_unused("biased"), initializer=zeros_initializer(), shape=shape, dtype=dtype, trainable=False)
        step = get_variable(_unused("local_step"), shape=[], dtype=dtype, initializer=zeros_initializer(), trainable=False)
    moved = assign_sub(biased, (biased - value) * rate)
    count = step.assign_add(1)
    factor = 1 - pow(1.0 - rate, count)
    return assign(variable, moved / factor, name=f"{graph.get_name_scope()}/")


def _unused(name: str) -> str:
    """A name that no variable of the current variable scope has."""
    scope = get_variable_scope()
    if scope.reuse:
        return name
    taken = {variable.op.name for variable in scope.global_variables()}
    number, found = 0, name
    while f"{scope.name}/{found}" in taken:
        number += 1
        found = f"{name}_{number}"
    return found


class ExponentialMovingAverage:
    """Averages of variables that forget exponentially (`tf.train.ExponentialMovingAverage`).

    Args:
        decay: how much of an average stays with each update, a number, a tensor or a variable.
        num_updates: a count of updates, with which the decay begins lower: at most `(1 + n) / (10 + n)`.
        zero_debias: whether averages of tensors, which begin at zero, have that taken out.
        name: of the averages behind their variables', and of the scope of the updates.
    """

    def __init__(self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage") -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Any] = {}

    @property
    def name(self) -> str:
        """What its averages are called behind their variables' names."""
        return self._name

    def apply(self, var_list: Sequence[Any] | None = None) -> Operation:
        """Makes averages of variables, where there are none yet, and an operation that updates them.

        An average begins with its variable's initial value, one of a tensor with zero.

        Args:
            var_list: variables and tensors; all trainable variables by default.

        Raises:
            TypeError: one is no real number.
        """
        found = trainable_variables() if var_list is None else list(var_list)
        unbiased: set[Any] = set()
        graph = get_default_graph()
        for var in found:
            if var.dtype.base_dtype not in _AVERAGED:
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if var in self._averages:
                continue
            with graph.control_dependencies(None):
                average = self._create(var)
            self._averages[var] = average
            if not isinstance(var, Variable) and self._zero_debias:
                unbiased.add(average)
        with name_scope(self._name) as scope:
            decay = convert_to_tensor(self._decay, float32, name="decay")
            if self._num_updates is not None:
                count = cast(self._num_updates, float32, name="num_updates")
                decay = minimum(decay, (1.0 + count) / (10.0 + count))
            updates = [assign_moving_average(self._averages[var], var, decay, self._averages[var] in unbiased) for var in found]
            return group(*updates, name=scope)

    def _create(self, var: Any) -> Any:
        if not isinstance(var, Variable):
            is_variable = var.op.type in ("Variable", "VariableV2", "VarHandleOp")
            return slot_creator.create_zeros_slot(var, self._name, colocate_with_primary=is_variable)
        with var.graph.device(var.device):
            first = initialized_value(var)
        average = slot_creator.create_slot(var, first, self._name)
        var.graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, var)
        return average

    def average(self, var: Any) -> Any:
        """The variable that holds the average of another; None if there is none."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name of the variable that holds the average of another, or would hold it."""
        if var in self._averages:
            return str(self._averages[var].name).partition(":")[0]
        return get_default_graph().unique_name(f"{var.name.partition(':')[0]}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Sequence[Any] | None = None) -> dict[str, Any]:
        """What a Saver needs to put averages in the place of their variables: variables by the name that they are saved under.

        Args:
            moving_avg_variables: those that get their averages; by default all trainable ones, and those that have one.
        """
        averaged = trainable_variables() + moving_average_variables() if moving_avg_variables is None else list(moving_avg_variables)
        found = {self.average_name(var): var for var in dict.fromkeys(averaged)}
        names = {var.name for var in averaged}
        for var in dict.fromkeys(global_variables()):
            if var.name not in names:
                found.setdefault(var.op.name, var)
        return found
