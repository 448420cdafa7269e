"""The gradients of the operations that branches and loops are made of: branches become branches, loops the loops of `gpersist.ops.loop_gradients`."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Operation, Tensor, apply_op, get_default_graph, get_op_type
from gpersist.ops import control, loops  # noqa: F401  # registers the operations
from gpersist.ops.comparison import equal
from gpersist.ops.control_flow_context import CondContext, merge, output_context, switch_of
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.while_context import WhileContext, add_back_edge, enter, exit_

__all__: list[str] = []


def _current() -> Any:
    return get_default_graph()._get_control_flow_context()


def _of_switch(op: Operation, *grads: Any) -> list[Any]:
    context = op._get_control_flow_context()
    if isinstance(context, WhileContext):
        switches = _current().grad_state.switches
        merged = switches.get(op)
        if merged is not None:
            if grads[1] is not None:
                add_back_edge(merged, grads[1], checks_shape=False)
            return [None, None]
        if grads[0] is None:
            return [None, None]
        switches[op] = merge([grads[0], grads[0]], name="b_switch")
        return [switches[op], None]
    if isinstance(context, CondContext):
        if grads[1 - context.branch] is not None:
            return [merge(grads, name="cond_grad"), None]
        if op.inputs[0].dtype.numpy is None:
            return [merge([grads[context.branch]] * 2, name="cond_resource_grad"), None]
        return [None, None]
    if_false = apply_op("Switch", grads[0], op.inputs[1]).outputs[0]
    if_true = apply_op("Switch", grads[1], op.inputs[1]).outputs[1]
    return [merge([if_false, if_true]), None]


def _of_merge(op: Operation, grad: Any, _: Any) -> list[Any]:
    context = output_context(op.inputs[0].op)
    current = _current()
    if isinstance(context, WhileContext):
        return switch_of(grad, current.pivot)
    if isinstance(context, CondContext):
        pred = context.pred
        state = None if current is None else current.grad_state
        if state is not None:
            kept = state.history.get(pred.name)
            if kept is None:
                with state.grad_context.left():
                    stack = state.push(pred)
                kept = state.history[pred.name] = state.pop(stack, pred)
            pred = kept
        return switch_of(grad, pred, name="cond_grad")
    taken = [equal(op.outputs[1], index) for index in range(len(op.inputs))]
    return [switch_of(grad, is_taken)[1] for is_taken in taken]


def _of_exit(op: Operation, grad: Any) -> Any:
    current = _current()
    if not current.back_prop:
        return None
    if op._get_control_flow_context().grad_state is not None:
        raise TypeError("Second-order gradient for while loops not supported.")
    for tensor in (grad.values, grad.indices, grad.dense_shape) if isinstance(grad, IndexedSlices) else (grad,):
        if tensor is not None:
            current.add_name(tensor.name)
    with current.entered():
        result = enter(grad, current, name="b_exit")
        current.loop_enters.append(result)
    return result


def _of_enter(op: Operation, grad: Any) -> Any:
    current = _current()
    if current is None or not current.back_prop or current.grad_state is None:
        return grad
    if op.attr("is_constant"):
        return current.grad_state.sum_of(op, grad)
    result = exit_(grad)
    current.loop_exits.append(result)
    current.exit_result([result])
    return result


def _of_next_iteration(op: Operation, grad: Tensor) -> Tensor:
    return grad


def _of_condition(op: Operation, grad: Any) -> None:
    return None


_FUNCTIONS: dict[str, Any] = {
    "Switch": _of_switch,
    "Merge": _of_merge,
    "Exit": _of_exit,
    "Enter": _of_enter,
    "NextIteration": _of_next_iteration,
}
for _name, _function in _FUNCTIONS.items():
    for _prefix in ("", "Ref"):
        get_op_type(f"{_prefix}{_name}").gradient = staticmethod(_function)
get_op_type("LoopCond").gradient = staticmethod(_of_condition)
