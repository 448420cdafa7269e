"""The context of `tf.while_loop`: what is in the loop, and what takes values into it and out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpersist import protos
from gpersist.graph import GraphKeys, Operation, Tensor, apply, convert_to_tensor, get_default_graph, prepend_name_scope, strip_name_scope
from gpersist.graph import register_proto_function as _register
from gpersist.ops.control_flow_context import READERS, ControlFlowContext, is_function_call, merge, output_context, switch_of
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.passing import identity
from gpersist.shapes import TensorShape

__all__ = ["WhileContext"]


class WhileContext(ControlFlowContext):
    """A while loop.

    Args:
        maximum_iterations: a tensor, or None for no bound.
        parallel_iterations: how many iterations TensorFlow may run at once; here it is one after the other.
        back_prop: whether gradients may be asked for.
        swap_memory: whether TensorFlow may move what gradients need to the host.
        name: made unique.
        grad_state: of a loop that is a gradient, what ties it to the loop that it is the gradient of.

    Attributes:
        pivot: the condition.
        loop_enters: tensors of Enter operations of its variables.
        loop_exits: tensors of its Exit operations.
    """

    def __init__(
        self,
        maximum_iterations: Tensor | None = None,
        parallel_iterations: int = 10,
        back_prop: bool = True,
        swap_memory: bool = False,
        name: str = "while_context",
        grad_state: Any = None,
    ) -> None:
        super().__init__(get_default_graph())
        if not isinstance(parallel_iterations, int) or parallel_iterations <= 0:
            raise ValueError(f"'parallel_iterations' must be a positive integer: {parallel_iterations}")
        self.name = self.graph.unique_name(name)
        self.maximum_iterations = maximum_iterations
        self.parallel_iterations = parallel_iterations
        self.back_prop = back_prop
        self.swap_memory = swap_memory
        self.grad_state = grad_state
        self.pivot_for_pred: Tensor | None = None
        self.pivot_for_body: Tensor | None = None
        self.loop_enters: list[Any] = []
        self.loop_exits: list[Any] = []

    def while_context(self) -> WhileContext:
        return self

    def control_pivot(self) -> Tensor | None:
        return self.pivot_for_pred if self.pivot_for_body is None else self.pivot_for_body

    # ---- what is in it

    def add_value(self, value: Tensor) -> Tensor:
        if value.name in self._values or value.op._get_control_flow_context() is self:
            return self._external.get(value.name, value)
        self._values.add(value.name)
        of_forward = self._of_forward_loop(value)
        if of_forward is not None:
            self._external[value.name] = of_forward
            return of_forward
        result = value if self.outer_context is None else self.outer_context.add_value(value)
        graph = get_default_graph()
        with graph.control_dependencies(None):
            entered: Tensor = enter(result, self, is_constant=True)
            graph.prevent_feeding(entered)
            if self.outer_context is not None:
                self.outer_context.add_inner_op(entered.op)
        self._fix_control_inputs([entered])
        self._values.add(entered.name)
        self._external[value.name] = entered
        return entered

    def _of_forward_loop(self, value: Tensor) -> Tensor | None:
        """What a loop that is a gradient gets for a tensor of the loop that it is the gradient of; None for any other tensor."""
        current = get_default_graph()._get_control_flow_context()
        loop = None if current is None else current.while_context()
        if loop is None or loop.grad_state is None:
            return None
        context = output_context(value.op)
        if context is None or context.while_context() is not loop.grad_state.forward_context:
            return None
        found: Tensor = loop.grad_state.real_value(value)
        return found

    def add_op(self, op: Operation) -> None:
        if op.type in ("Shape", "Size", "Rank"):
            current = get_default_graph()._get_control_flow_context()
            loop = None if current is None else current.while_context()
            source = op._inputs[0].op._get_control_flow_context()
            if loop is not None and loop.grad_state is not None and source is not None and source.while_context() is loop.grad_state.forward_context:
                op._set_control_flow_context(source)  # the shape is kept for the gradient instead of the value
                source.add_op_within(op)
                return
        self.add_op_within(op)

    def add_op_within(self, op: Operation) -> None:
        pivot = self.control_pivot()
        if op.type in ("PartitionedCall", "StatefulPartitionedCall") and pivot is not None:
            op._add_control_input(pivot.op)
        if not op._inputs:
            external = self._remove_external_control_edges(op)
            if not op._control_inputs and pivot is not None:
                op._add_control_input(pivot.op)
        else:
            for index, tensor in enumerate(op._inputs):
                real = self.add_value(tensor)
                if real is not tensor:
                    op._update_input(index, real)
            external = self._remove_external_control_edges(op)
            pivot = self.control_pivot()
            if not op._control_inputs and pivot is not None and (is_function_call(op) or all(_is_constant_enter(tensor.op) for tensor in op._inputs)):
                op._add_control_input(pivot.op)
        self._values.update(tensor.name for tensor in op._outputs)
        if external:
            with op.graph.control_dependencies(None), self.entered():
                op._add_control_inputs([identity(source.outputs[0]).op for source in external if source.outputs])
        if self.outer_context is not None or op.type not in ("Exit", "RefExit"):
            op.graph.prevent_fetching(op)
            for tensor in op._outputs:
                op.graph.prevent_feeding(tensor)
        if self.outer_context is not None:
            self.outer_context.add_inner_op(op)

    def _fix_control_inputs(self, enters: Sequence[Tensor]) -> None:
        """Puts Enter operations into the loop, waiting for what is in effect where it is built, unless that is in other branches."""
        graph = get_default_graph()
        for tensor in enters:
            waits_for = graph._scoped_control_inputs({tensor.op._inputs[0].op}) if graph._control_stack else []
            tensor.op._set_control_flow_context(self)
            tensor.op._add_control_inputs([op for op in waits_for if self._is_around(output_context(op))])
            graph._record_op_seen_by_control_dependencies(tensor.op)

    def _is_around(self, context: ControlFlowContext | None) -> bool:
        """Whether a context is around this one, with no loop between."""
        outer = self.outer_context
        outer_loop = None if outer is None else outer.while_context()
        while outer is not context:
            if outer is None or outer is outer_loop:
                return False
            outer = outer.outer_context
        return True

    # ---- building it

    def build(
        self,
        pred: Callable[[list[Tensor]], Any],
        body: Callable[[list[Tensor]], list[Any]],
        variables: Sequence[Tensor],
        shapes: Sequence[TensorShape],
    ) -> list[Tensor]:
        """Builds the loop.

        Args:
            pred: makes the condition of the variables.
            body: makes the variables of the next iteration.
            variables: at the start.
            shapes: what each of them always has.

        Returns:
            The variables at the end.

        Raises:
            ValueError: a variable that starts or goes on with another shape than told.
        """
        self._values = {tensor.name for tensor in variables}
        real = variables if self.outer_context is None else [self.outer_context.add_value(tensor) for tensor in variables]
        self.loop_enters = self._enters(real, shapes)
        merges = [merge([tensor, tensor]) for tensor in self.loop_enters]
        self.pivot_for_pred = merges[0]
        self.pivot = apply("LoopCond", convert_to_tensor(pred(merges)), name="LoopCond")
        switches = [switch_of(tensor, self.pivot) for tensor in merges]
        entered = [apply("RefIdentity", sides[1]) if sides[1].dtype.is_ref else identity(sides[1]) for sides in switches]
        self.pivot_for_body = entered[0]
        results = [convert_to_tensor(value) for value in body(entered)]
        if len(results) != len(merges):
            raise ValueError(
                f"Number of inputs and outputs of 'body' must match 'loop_vars'. Got {len(merges)} for the number of inputs/outputs, and "
                f"{len(results)} for 'loop_vars'."
            )
        for merged, value in zip(merges, results, strict=True):
            add_back_edge(merged, value)
        self.loop_exits = [exit_(sides[0]) for sides in switches]
        self.exit_result(self.loop_exits)
        return self.loop_exits

    def _enters(self, variables: Sequence[Tensor], shapes: Sequence[TensorShape]) -> list[Tensor]:
        graph = get_default_graph()
        found: list[Tensor] = []
        with graph.control_dependencies(None):
            for variable, shape in zip(variables, shapes, strict=True):
                tensor = enter(variable, self, keeps_shape=False)
                if not _is_at_most(variable.shape, shape):
                    raise ValueError(
                        f"The shape invariant specified for {variable.name} is not compatible with the initial shape of the loop variable. It enters "
                        f"the loop with shape {variable.shape}, but the specified shape invariant is {shape}."
                    )
                tensor.set_shape(shape)
                graph.prevent_feeding(tensor)
                if self.outer_context is not None:
                    self.outer_context.add_inner_op(tensor.op)
                found.append(tensor)
        outer, pivot = self.outer_context, None
        while outer is not None and pivot is None:
            pivot = outer.control_pivot()
            outer = outer.outer_context
        if pivot is not None:
            for tensor in found:
                if _is_constant_enter(tensor.op._inputs[0].op):
                    tensor.op._add_control_input(pivot.op)
        self._fix_control_inputs(found)
        self._values = {tensor.name for tensor in found}
        return found

    # ---- messages

    def to_proto(self, export_scope: str | None = None) -> protos.WhileContextDef | None:
        if export_scope and not self.name.startswith(export_scope):
            return None

        def named(tensor: Any) -> str:
            return "" if tensor is None else strip_name_scope(tensor.name, export_scope)

        message = protos.WhileContextDef(
            context_name=strip_name_scope(self.name, export_scope),
            parallel_iterations=self.parallel_iterations,
            maximum_iterations_name=named(self.maximum_iterations),
            back_prop=self.back_prop,
            swap_memory=self.swap_memory,
            pivot_for_pred_name=named(self.pivot_for_pred),
            pivot_for_body_name=named(self.pivot_for_body),
            pivot_name=named(self.pivot),
            loop_exit_names=[named(tensor) for tensor in self.loop_exits],
            loop_enter_names=[named(tensor) for tensor in self.loop_enters],
        )
        message.values_def.CopyFrom(self._values_def(export_scope))
        self._write_nested(message.nested_contexts)
        return message

    @classmethod
    def from_proto(cls, context_def: protos.WhileContextDef, import_scope: str | None = None) -> WhileContext:
        """The loop of a message, whose operations are in the default graph."""
        made = cls.__new__(cls)
        ControlFlowContext.__init__(made, get_default_graph())
        made.name = prepend_name_scope(context_def.context_name, import_scope)
        bound = context_def.maximum_iterations_name
        made.maximum_iterations = made._element(bound, import_scope) if bound else None
        made.parallel_iterations = context_def.parallel_iterations
        made.back_prop = context_def.back_prop
        made.swap_memory = context_def.swap_memory
        made.pivot_for_pred = made._element(context_def.pivot_for_pred_name, import_scope)
        made.pivot_for_body = made._element(context_def.pivot_for_body_name, import_scope)
        made.pivot = made._element(context_def.pivot_name, import_scope)
        made.loop_exits = [made._element(name, import_scope) for name in context_def.loop_exit_names]
        made.loop_enters = [made._element(name, import_scope) for name in context_def.loop_enter_names]
        made._read_values(context_def.values_def, import_scope)
        if import_scope:
            for name in made._values:
                op = made.graph.as_graph_element(name).op
                if op.type in ("Enter", "RefEnter"):
                    op._set_attr("frame_name", made.name.encode())
        made._read_nested(context_def.nested_contexts, import_scope)
        return made


READERS["while_ctxt"] = WhileContext.from_proto


def enter(value: Any, loop: WhileContext, *, is_constant: bool = False, keeps_shape: bool = True, name: str | None = None) -> Any:
    """Takes a tensor, or IndexedSlices, into a loop."""
    if isinstance(value, IndexedSlices):
        parts = (value.values, value.indices, value.dense_shape)
        return IndexedSlices(*[enter(part, loop, is_constant=is_constant, keeps_shape=keeps_shape, name=name) for part in parts if part is not None])
    attrs = {"frame_name": loop.name, "is_constant": is_constant, "parallel_iterations": loop.parallel_iterations}
    tensor = apply("RefEnter" if value.dtype.is_ref else "Enter", value, name=name, **attrs)
    if keeps_shape:
        tensor.set_shape(value.shape)
    return tensor


def exit_(value: Any, name: str | None = None) -> Any:
    """Takes a tensor out of a loop."""
    return apply("RefExit" if value.dtype.is_ref else "Exit", value, name=name)


def next_iteration(value: Any) -> Any:
    """Hands a tensor, or IndexedSlices, on to the next iteration."""
    if isinstance(value, IndexedSlices):
        return IndexedSlices(*[next_iteration(part) for part in (value.values, value.indices, value.dense_shape) if part is not None])
    return apply("RefNextIteration" if value.dtype.is_ref else "NextIteration", value)


def add_back_edge(merged: Any, value: Any, *, checks_shape: bool = True) -> None:
    """Makes a value what a variable of a loop is in the next iteration.

    Raises:
        ValueError: its shape is not one that the variable may have.
    """
    following = next_iteration(value)
    if isinstance(merged, IndexedSlices):
        pairs = zip((merged.values, merged.indices, merged.dense_shape), (following.values, following.indices, following.dense_shape), strict=True)
        for part, next_part in pairs:
            if part is not None:
                part.op._update_input(1, next_part)
        return
    if checks_shape and not _is_at_most(following.shape, merged.shape):
        source = merged.op._inputs[0].op._inputs[0]
        raise ValueError(
            f"Input tensor '{source.name}' enters the loop with shape {source.shape}, but has shape {following.shape} after one iteration. To allow "
            "the shape to vary across iterations, use the `shape_invariants` argument of tf.while_loop to specify a less-specific shape."
        )
    merged.op._update_input(1, following)


def _is_at_most(shape: TensorShape, bound: TensorShape) -> bool:
    """Whether all that a shape can be is what another one can be."""
    if bound.sizes is None:
        return True
    if shape.rank != bound.rank or shape.sizes is None:
        return False
    return all(most is None or size == most for size, most in zip(shape.sizes, bound.sizes, strict=True))


def _is_constant_enter(op: Operation) -> bool:
    return op.type in ("Enter", "RefEnter") and bool(op.attr("is_constant"))


_register(GraphKeys.WHILE_CONTEXT, "WhileContextDef", WhileContext.to_proto, WhileContext.from_proto)
