"""The way back through while loops: for each loop that is passed another one, which counts the iterations down.

What the backward loop needs of the forward one's values is pushed on stacks there and popped here. `gpersist.ops.gradients` walks the graph; it asks
`LoopGradients` where it has to be within a backward loop, and what stands for gradients that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from gpersist.dtypes import resource
from gpersist.graph import Operation, Tensor, apply, apply_op, constant_value, get_default_graph
from gpersist.ops.arithmetic import add, maximum, subtract
from gpersist.ops.comparison import greater_equal
from gpersist.ops.constants import constant
from gpersist.ops.control_flow_context import CondContext, loop_of, merge, output_context, switch_of
from gpersist.ops.filling import zeros, zeros_like
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.joining import concat
from gpersist.ops.passing import identity
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.while_context import WhileContext, enter, exit_, next_iteration
from gpersist.shapes import TensorShape

__all__: list[str] = []

_SWITCHES = ("Switch", "RefSwitch")
_EXITS = ("Exit", "RefExit")


class LoopGradient:
    """A loop and the loop that is its gradient.

    Args:
        forward_context: the loop.
        outer: the same for the loop around it, if the gradient passes that, too.

    Attributes:
        forward_index: what the forward loop's counter is in the next iteration.
        grad_context: the backward loop.
        grad_index: what the backward loop's counter is in the next iteration.
        history: by name of a tensor of the forward loop, what stands for it in the backward one.
        switches: by Switch of the forward loop, the Merge of its variable's gradient.
        exits: of the forward loop.
        pending_exits: how many of them are not yet done with.
        unused_exits, deferred_exits: those without a gradient; those that wait for the others.
    """

    def __init__(self, forward_context: WhileContext, outer: LoopGradient | None) -> None:
        self.outer = outer
        self.forward_context = forward_context
        self.history: dict[str, Tensor] = {}
        self.switches: dict[Operation, Tensor] = {}
        self.exits = list(forward_context.loop_exits)
        self.pending_exits = len(self.exits)
        self.unused_exits: list[Tensor] = []
        self.deferred_exits: list[Tensor] = []
        self._forward_sync: Operation | None = None
        self._grad_sync: Operation | None = None
        around = forward_context.outer_context if outer is None else outer.forward_context
        with around.entered() if around is not None else nullcontext():
            count, self.forward_index = _count_forward(forward_context, outer)
        if outer is None:
            with around.entered() if around is not None else nullcontext():
                self.grad_context = self._new_context()
                self.grad_index = self._count_back(count)
            return
        outer.forward_context.add_name(count.name)
        kept = outer.push(count)
        with outer.grad_context.entered():
            self.grad_context = self._new_context()
            self.grad_index = self._count_back(outer.pop(kept, count))

    def _new_context(self) -> WhileContext:
        of = self.forward_context
        return WhileContext(of.maximum_iterations, of.parallel_iterations, of.back_prop, of.swap_memory, of.name, grad_state=self)

    def _count_back(self, count: Tensor) -> Tensor:
        """A variable of the backward loop that counts down, and the loop's condition; gives its next value."""
        context = self.grad_context
        one = constant(1, name="b_count")
        with context.entered():
            context.add_name(count.name)
            entered = enter(count, context, name="b_count")
            context.loop_enters.append(entered)
            merged = context.pivot_for_pred = merge([entered, entered])
            context.pivot = apply("LoopCond", greater_equal(merged, one), name="b_count")
            left, again = apply_op("Switch", merged, context.pivot).outputs
            index = context.pivot_for_body = subtract(again, one)
            following: Tensor = next_iteration(index)
            merged.op._update_input(1, following)
            last = exit_(left, name="b_count")
            context.loop_exits.append(last)
            if self.outer is not None:
                self.outer.grad_sync._add_control_input(last.op)
            context.exit_result([last])
        return following

    @property
    def forward_sync(self) -> Operation:
        """What the forward loop's next iteration waits for."""
        if self._forward_sync is None:
            self._forward_sync = _trigger("f_sync", self.forward_context, self.forward_index)
        return self._forward_sync

    @property
    def grad_sync(self) -> Operation:
        """What the backward loop's next iteration waits for."""
        if self._grad_sync is None:
            self._grad_sync = _trigger("b_sync", self.grad_context, self.grad_index)
            if self.grad_context.outer_context is not None:
                self.grad_context.outer_context.add_inner_op(self._grad_sync)
        return self._grad_sync

    def push(self, value: Tensor, *, is_dead_branch: bool = False) -> Tensor:
        """A stack on which the forward loop pushes a value in each iteration.

        Args:
            value: of the loop, or of a branch in it.
            is_dead_branch: whether it is pushed where the branch is not taken.
        """
        graph = self.forward_index.graph
        current = graph._get_control_flow_context()
        with graph.control_dependencies(None):
            with current.entered() if current is not None else nullcontext(), graph.colocate_with(value):
                stack = apply("StackV2", constant(-1, "int32"), elem_type=value.dtype.base_dtype, name="f_acc")
            entered = self.forward_context.add_value(stack)
            context = output_context(value.op)
            if context is self.forward_context:
                with self.forward_context.entered():
                    pushed = self._pushed(entered, value)
                self.forward_index.op._add_control_input(pushed.op)
            else:
                if not isinstance(context, CondContext):
                    raise TypeError(f"value_ctxt is not a CondContext: {context}")
                around = context.outer_context if is_dead_branch else context
                assert around is not None  # it is in the loop
                with around.entered():
                    pushed = self._pushed(entered, value)
                pushed.op._set_control_flow_context(context)
                self.forward_sync._add_control_input(pushed.op)
            pushed.op._add_control_input(self.forward_index.op.inputs[0].op)
        return stack

    def _pushed(self, stack: Tensor, value: Tensor) -> Tensor:
        return apply("StackPushV2", stack, value, swap_memory=self.forward_context.swap_memory)

    def pop(self, stack: Tensor, value: Tensor, *, is_dead_branch: bool = False) -> Tensor:
        """What the backward loop pops in each iteration of what the forward loop has pushed.

        Args:
            stack: as `push` has made it.
            value: that was pushed.
            is_dead_branch: as in `push`.
        """
        branch: CondContext | None = None
        context = value.op._get_control_flow_context()
        outermost = stack.op._get_control_flow_context()
        while context is not None and context is not outermost:
            if isinstance(context, CondContext):
                branch = context
                break
            context = context.outer_context
        with stack.graph.control_dependencies(None), self.grad_context.entered():
            if branch is not None:
                pred: Tensor | None = None
                state: LoopGradient | None = self
                while pred is None and state is not None:
                    pred, state = state.history.get(branch.pred.name), state.outer
                side = 1 - branch.branch if is_dead_branch else branch.branch
                stack = switch_of(stack, branch.pred if pred is None else pred)[side]
            popped = apply("StackPopV2", stack, elem_type=value.dtype.base_dtype)
            popped.set_shape(value.shape)
        if self.grad_context.parallel_iterations > 1:
            self.grad_sync._add_control_input(popped.op)
        return popped

    def real_value(self, value: Tensor) -> Tensor:
        """What stands in the backward loop for a tensor of the forward one: the same, if it is a constant there, else what is popped from a stack."""
        found = self.history.get(value.name)
        if found is None:
            found = self.history[value.name] = self._real_value(value)
        return found

    def _real_value(self, value: Tensor) -> Tensor:
        state: LoopGradient = self
        while True:
            entered = _constant_enter(value)
            if entered is None:
                break
            value = entered.inputs[0]
            if state.outer is None:
                return self.grad_context.add_value(value)
            state = state.outer
        if value.op.type == "Const":
            return constant(constant_value(value), value.dtype)
        with self.grad_context.left():
            stack = state.push(value)
        found = state.pop(stack, value)
        return found if state is self else self.grad_context.add_value(found)

    def sum_of(self, op: Operation, grad: Any) -> Any:
        """The sum of the gradients of what is the same in all iterations, over these.

        Args:
            op: the Enter.
            grad: of its output, in an iteration: a tensor or IndexedSlices.
        """
        return self._sum_of_slices(op, grad) if isinstance(grad, IndexedSlices) else self._sum_of_tensor(op, grad)

    def _sum_of_tensor(self, op: Operation, grad: Tensor) -> Tensor:
        context = self.grad_context
        around = context.outer_context
        with context.left():
            if grad.shape.is_fully_defined() or not self._keeps_shapes():
                with around.entered() if around is not None else nullcontext():
                    if grad.shape.is_fully_defined():
                        start = constant(0, grad.dtype, shape=grad.shape, name="b_acc")
                    else:
                        start = zeros(shape_of(op.inputs[0], optimize=False), grad.dtype)
            else:
                start = self._zeros_around(op.inputs[0], grad)
        context.add_name(start.name)
        entered = enter(start, context, name="b_acc")
        context.loop_enters.append(entered)
        merged = merge([entered, entered], name="b_acc")
        left, again = apply_op("Switch", merged, context.pivot).outputs
        merged.op._update_input(1, next_iteration(add(again, grad)))
        result: Tensor = exit_(left, name="b_acc")
        context.loop_exits.append(result)
        context.exit_result([result])
        return result

    def _keeps_shapes(self) -> bool:
        """Whether the backward loop is directly in another one, which gets shapes from stacks."""
        around = self.grad_context.outer_context
        return isinstance(around, WhileContext) and around.grad_state is not None

    def _zeros_around(self, value: Tensor, grad: Tensor) -> Tensor:
        assert self.outer is not None and self.forward_context.outer_context is not None
        with self.forward_context.outer_context.entered():
            shape = shape_of(value, optimize=False)
        stack = self.outer.push(shape)
        with self.outer.grad_context.entered():
            return zeros(self.outer.pop(stack, shape), grad.dtype)

    def _sum_of_slices(self, op: Operation, grad: IndexedSlices) -> IndexedSlices:
        context = self.grad_context
        around = context.outer_context
        with context.left(), around.entered() if around is not None else nullcontext():
            values_shape = grad.values.shape
            if values_shape.is_fully_defined():
                values = constant(0, grad.values.dtype, shape=TensorShape([1]).concatenate(values_shape[1:]), name="b_acc")
            else:
                source = op.inputs[0]
                rest = shape_of(source, optimize=False)[1:] if source.dtype.numpy is not None else _variable(source).attr("shape").as_list()[1:]
                values = zeros(concat([[1], rest], 0), grad.values.dtype)
            starts = [constant([0], grad.indices.dtype), values]
            if grad.dense_shape is not None:
                if grad.dense_shape.shape.is_fully_defined():
                    starts.append(constant(0, grad.dense_shape.dtype, shape=grad.dense_shape.shape))
                else:
                    shape = shape_of(op.inputs[0], out_type=grad.dense_shape.dtype, optimize=False)
                    starts.append(zeros_like(shape, optimize=False))
        for tensor in (values, starts[0], *starts[2:]):
            context.add_name(tensor.name)
        entered = [enter(tensor, context, keeps_shape=False, name="b_acc") for tensor in starts]
        entered[0].set_shape([None])
        if values.shape.rank is not None:
            entered[1].set_shape(TensorShape([None]).concatenate(values.shape[1:]))
        context.loop_enters.extend(entered)
        merged = [merge([tensor, tensor], name="b_acc") for tensor in entered]
        sides = [apply_op("Switch", tensor, context.pivot).outputs for tensor in merged]
        following = [concat([side[1], part], 0) for side, part in zip(sides, (grad.indices, grad.values), strict=False)]
        if grad.dense_shape is not None:
            following.append(maximum(grad.dense_shape, sides[2][1]))
        handed = [next_iteration(tensor) for tensor in following]
        for tensor, value in zip(merged, handed, strict=True):
            tensor.op._update_input(1, value)
        results = [exit_(side[0], name="b_acc") for side in sides]
        context.loop_exits.extend(results)
        context.exit_result(results)
        return IndexedSlices(results[1], results[0], *results[2:])


class LoopGradients:
    """The loops that gradients pass, in one call of `tf.gradients`."""

    def __init__(self) -> None:
        self._of: dict[WhileContext, LoopGradient] = {}

    def add(self, op: Operation) -> list[Operation]:
        """Makes the backward loop of the loop that an Exit is of, if it isn't there; gives all Exits of the loop."""
        context = loop_of(op)
        if context is None:
            raise ValueError(
                f"no gradient of the while loop that '{op.name}' ends: a GraphDef does not say what is in the loop; import a MetaGraphDef, which does"
            )
        if context in self._of:
            return []
        around = context.outer_context.while_context() if context.outer_context is not None else None
        made = self._of[context] = LoopGradient(context, self._of.get(around) if around is not None else None)
        return [tensor.op for tensor in made.exits]

    def find(self, op: Operation, *, is_before: bool) -> LoopGradient | None:
        """That of the loop that an operation is in; of an Exit, before its gradient is built, that of the loop around."""
        context = output_context(op) if is_before else op._get_control_flow_context()
        loop: Any = None if context is None else context.while_context()
        return None if loop is None else self._of.get(loop)

    @contextmanager
    def within(self, op: Operation, *, is_before: bool) -> Iterator[None]:
        """In the backward loop of the loop that an operation is in."""
        found = self.find(op, is_before=is_before)
        with found.grad_context.entered() if found is not None else nullcontext():
            yield

    def unused_exits(self, pending: dict[Operation, int], starts: set[Operation]) -> list[Tensor]:
        """Exits that no gradient will reach, of loops where that is so of all others, too; counts what waits for them."""
        found: list[Tensor] = []
        for state in self._of.values():
            for tensor in state.exits:
                if not pending.get(tensor.op):
                    state.pending_exits -= 1
                    if tensor.op not in starts:
                        state.unused_exits.append(tensor)
                    if not state.pending_exits:
                        found += state.unused_exits
            for tensor in state.forward_context.loop_enters:
                if not pending.get(tensor.op):
                    pending[tensor.op] = 1
        return found

    def is_ready_early(self, op: Operation) -> bool:
        """Whether it is where a loop's variable goes on or leaves: its gradient is begun with what leaves, and completed with what goes on."""
        return is_loop_switch(op)

    def exits_after(self, tensor: Tensor, has_gradient: Callable[[Operation], bool]) -> tuple[list[Operation], list[Tensor]]:
        """Once the last Exit of a loop is ready: those with gradients, and those that get zeros first."""
        state = self.find(tensor.op, is_before=False)
        assert state is not None  # the Exit was added
        state.deferred_exits.append(tensor)
        state.pending_exits -= 1
        if state.pending_exits:
            return [], []
        following = [found.op for found in state.deferred_exits if has_gradient(found.op)]
        state.unused_exits += [found for found in state.deferred_exits if not has_gradient(found.op)]
        if following:
            return following, state.unused_exits
        return [found.op for found in state.unused_exits], []

    def check(self, op: Operation) -> None:
        """Holds that gradients are not asked for within the loop whose variables they would pass."""
        context = op._get_control_flow_context()
        if op.type in _SWITCHES and isinstance(context, WhileContext) and context is get_default_graph()._get_control_flow_context():
            raise ValueError(
                f"Cannot compute gradient inside while loop with respect to op '{op.name}'. We do not support taking the gradient wrt or through the "
                "initial value of a loop variable. Gradients can be computed through loop invariants or wrt the input parameters to the loop body."
            )

    def zeros_for_exit(self, tensor: Tensor) -> Tensor:
        """What stands for the gradient of an Exit that has none."""
        context = loop_of(tensor.op)
        around = context.outer_context
        loop = around.while_context() if around is not None else None
        outer = self._of.get(loop) if loop is not None else None
        if outer is None:
            return zeros(tensor.shape, tensor.dtype) if tensor.shape.is_fully_defined() else zeros_like(tensor, optimize=False)
        if tensor.shape.is_fully_defined():
            with outer.grad_context.entered():
                return zeros(tensor.shape, tensor.dtype)
        with around.entered():
            shape = shape_of(tensor, optimize=False)
        stack = outer.push(shape)
        with outer.grad_context.entered():
            return zeros(outer.pop(stack, shape), tensor.dtype)

    def zeros(self, op: Operation, index: int) -> Tensor | None:
        """What stands for the gradient of an output that has none; None for a variable of a loop, whose gradient is yet to come."""
        context = op._get_control_flow_context()
        if op.type in _SWITCHES and isinstance(context, WhileContext) and not is_branch_switch(op):
            return None
        loop = loop_of(op)
        state = self._of.get(loop) if loop is not None else None
        if state is None:
            return zeros_of(op, index)
        tensor = op.outputs[index]
        is_dead = op.type in _SWITCHES
        if tensor.shape.is_fully_defined():
            if tensor.dtype.numpy is None:
                result = zeros(apply("VariableShape", tensor), _variable(tensor).attr("dtype"))
            else:
                result = constant(0, tensor.dtype, shape=tensor.shape)
            return switch_of(result, state.history[context.pred.name])[1 - context.branch] if is_dead else result
        if is_dead:
            with context.outer_context.entered():
                other = switch_of(op.inputs[0], context.pred)[1 - context.branch]
                shape = shape_of(other, optimize=False)
            other.op._set_control_flow_context(context)
            shape.op._set_control_flow_context(context)
        else:
            with context.entered():
                shape = shape_of(tensor, optimize=False)
        with state.grad_context.left():
            stack = state.push(shape, is_dead_branch=is_dead)
        return zeros(state.pop(stack, shape, is_dead_branch=is_dead), tensor.dtype)

    def finish(self) -> None:
        """Gives variables whose gradient nothing hands on zeros in each following iteration."""
        for state in self._of.values():
            for merged in state.switches.values():
                if merged.op.inputs[0] is not merged.op.inputs[1]:
                    continue
                entered = merged.op.inputs[0]
                context = state.grad_context
                if entered.shape.is_fully_defined():
                    with context.entered():
                        following = next_iteration(constant(0, entered.dtype, shape=entered.shape))
                else:
                    around = context.outer_context
                    with around.entered() if around is not None else nullcontext():
                        nothing = zeros(shape_of(entered.op.inputs[0], optimize=False))
                    with context.entered():
                        following = next_iteration(nothing)
                merged.op._update_input(1, following)


def is_branch_switch(op: Operation) -> bool:
    """Whether a Switch hands a value to a branch, not to a loop's body."""
    for tensor in op.outputs:
        for consumer in tensor.consumers():
            context = consumer._get_control_flow_context()
            if consumer.type in ("Enter", "RefEnter") and context is not None:
                context = context.outer_context
            if not isinstance(context, CondContext):
                return False
    return True


def is_loop_switch(op: Operation) -> bool:
    """Whether a Switch is where a loop's variable goes on or leaves."""
    return op.type in _SWITCHES and isinstance(op._get_control_flow_context(), WhileContext) and not is_branch_switch(op)


def zeros_of(op: Operation, index: int) -> Tensor | None:
    """What stands for the gradient of an output that has none, outside of loops."""
    tensor = op.outputs[index]
    if op.type in _SWITCHES and isinstance(op._get_control_flow_context(), CondContext):
        context = op._get_control_flow_context()
        other = apply_op("Switch", op.inputs[0], context.pred).outputs[1 - context.branch]
        pivot = identity(other)
        graph = get_default_graph()
        if tensor.dtype.numpy is None:
            with graph.control_dependencies([pivot]):
                return zeros(apply("VariableShape", other), _variable(other).attr("dtype"))
        shape = shape_of(other, optimize=False)
        with graph.control_dependencies([pivot]):
            return zeros(shape, tensor.dtype)
    if tensor.dtype.base_dtype is resource:
        return None
    return apply("ZerosLike", tensor, name="zeros_like")


def _count_forward(context: WhileContext, outer: LoopGradient | None) -> tuple[Tensor, Tensor]:
    """A variable of a loop that counts its iterations: what it comes to, and its next value."""
    start = constant(0, name="f_count")
    if outer is not None:
        start.op._add_control_input(outer.forward_index.op.inputs[0].op)
    with context.entered():
        context.add_name(start.name)
        entered = enter(start, context, name="f_count")
        context.loop_enters.append(entered)
        merged = merge([entered, entered])
        left, again = apply_op("Switch", merged, context.pivot).outputs
        following: Tensor = next_iteration(add(again, 1))
        merged.op._update_input(1, following)
        total: Tensor = exit_(left, name="f_count")
        context.loop_exits.append(total)
        context.exit_result([total])
    return total, following


def _trigger(name: str, context: WhileContext, index: Tensor) -> Operation:
    with get_default_graph().control_dependencies(None):
        made = apply_op("ControlTrigger", name=name)
    made._set_control_flow_context(context)
    index.op._add_control_input(made)
    return made


def _constant_enter(tensor: Tensor) -> Operation | None:
    """The Enter that a tensor comes from, if it is the same in all iterations."""
    op = tensor.op
    while op.type in ("Switch", "RefSwitch", "Identity", "RefIdentity"):
        op = op.inputs[0].op
    return op if op.type in ("Enter", "RefEnter") and op.attr("is_constant") else None


def _variable(handle: Tensor) -> Operation:
    """The operation that makes the variable that a handle is of."""
    op = handle.op
    while op.inputs:
        op = op.inputs[0].op
    return op
