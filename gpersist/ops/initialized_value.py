"""A variable's value, or its first one while it has none: so that one variable's initial value can follow from another's, in whatever order they are
initialised.

    v/IsVariableInitialized -> cond/Switch, cond/pred_id -> cond/read/Switch (v), cond/Switch_1 (v/initial_value) -> cond/Merge
"""

from __future__ import annotations

from typing import Any

from gpersist.graph import Graph, GraphKeys, Operation, Tensor

__all__ = ["initialized_value"]

_NOT_FOLLOWED = frozenset({"IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If"})
_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})


def initialized_value(variable: Any) -> Any:
    """A variable's value if it has one, else its initial value (`tf.Variable.initialized_value`)."""
    graph: Graph = variable.graph
    with graph.as_default(), graph.control_dependencies(None):
        return value_or_initial(variable)


def value_or_initial(variable: Any) -> Any:
    """The same, within the scopes of the caller."""
    from gpersist.ops.control_flow import cond  # which is made of what variables are made of

    return cond(variable.is_initialized(), variable.read_value, lambda: variable.initial_value)


def safe_initial_value(graph: Graph, initial_value: Tensor, name: str) -> Tensor:
    """An initial value in which every variable that it depends on is read by `initialized_value`; as it is, where it depends on none.

    Args:
        graph: that it is in.
        initial_value: what a variable is made with.
        name: the variable's, which the names of copied nodes end in.
    """
    return _Copied(graph, name).tensor(initial_value)


class _Copied:
    """Nodes copied where something that they depend on is replaced."""

    def __init__(self, graph: Graph, name: str) -> None:
        self._graph = graph
        self._name = name.replace(":", "_")
        self._done: dict[Operation, Operation] = {}

    def tensor(self, tensor: Tensor) -> Tensor:
        """The tensor, or the same output of a copy."""
        for op in self._behind(tensor.op):
            if op not in self._done:
                self._done[op] = self._copy(op)
        return self._done[tensor.op].outputs[tensor.value_index]

    def _behind(self, op: Operation) -> list[Operation]:
        """What an operation follows from and itself, each behind what it takes."""
        found: dict[Operation, None] = {}
        entered: set[Operation] = set()
        waiting = [op]
        while waiting:
            next_op = waiting[-1]
            if next_op in entered:
                waiting.pop()
                found[next_op] = None
                continue
            entered.add(next_op)
            if next_op.type not in _NOT_FOLLOWED:
                waiting += [tensor.op for tensor in reversed(next_op.inputs) if tensor.op not in entered]
        return list(found)

    def _copy(self, op: Operation) -> Operation:
        if op.type in _NOT_FOLLOWED:
            return op
        if op.type in _VARIABLES:
            variable = self._variable_of(op)
            return op if variable is None or variable.initial_value is None else initialized_value(variable).op
        inputs = [self._done[tensor.op].outputs[tensor.value_index] for tensor in op.inputs]
        if all(new is old for new, old in zip(inputs, op.inputs, strict=True)):
            return op
        with self._graph.control_dependencies(None), self._graph.name_scope(None):
            op_type = "Switch" if op.type == "RefSwitch" else op.type  # what was a reference is a value now
            return self._graph.create_op(op_type, inputs, name=f"{op.name}_{self._name}", attrs=op._attrs)

    def _variable_of(self, op: Operation) -> Any:
        for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
            for variable in self._graph.get_collection(key):
                if getattr(variable, "op", None) is op:
                    return variable
        return None
