"""Branches and loops that are being built: what is made in one gets what it takes from outside through a Switch, or an Enter.

A graph has at most one current context (`Graph._get_control_flow_context`); it hands each new operation to its `add_op`. Contexts go into the
collections `cond_context` and `while_context` of a MetaGraphDef, so that gradients can be built of imported graphs, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gpersist import protos
from gpersist.graph import Graph, GraphKeys, Operation, Tensor, apply_op, convert_to_tensor, get_default_graph, prepend_name_scope, strip_name_scope
from gpersist.graph import register_proto_function as _register
from gpersist.ops.indexed_slices import IndexedSlices, convert_to_tensor_or_indexed_slices
from gpersist.ops.sequences import range as range_
from gpersist.ops.shaping import shape as shape_of

__all__ = ["CondContext", "ControlFlowContext"]


class ControlFlowContext:
    """A branch or a loop.

    Attributes:
        name: unique in the graph.
        outer_context: the one that this one is in, or None.
        nested: those that are directly in this one.
        grad_state: of the loop that this one is in, if that is one of a gradient; see `gpersist.ops.loop_gradients`.
        back_prop: whether gradients may be asked for of the loop that this one is in.
        pivot: what everything in it waits for; of a loop, the condition.
    """

    name: str
    grad_state: Any = None
    back_prop = False
    pivot: Any = None
    encoded: bytes | None = None

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.outer_context: ControlFlowContext | None = graph._get_control_flow_context()
        self.nested: list[ControlFlowContext] = []
        self._entered_from: list[ControlFlowContext | None] = []
        self._values: set[str] = set()  # names of tensors that are there within it
        self._external: dict[str, Tensor] = {}  # by name of a tensor outside, what stands for it within
        if self.outer_context is not None:
            self.outer_context.nested.append(self)

    # ---- building

    def enter(self) -> None:
        """Makes it the graph's current one."""
        graph = get_default_graph()
        self._entered_from.append(graph._get_control_flow_context())
        graph._set_control_flow_context(self)

    def exit(self) -> None:
        """Makes the one before `enter` the current one again."""
        get_default_graph()._set_control_flow_context(self._entered_from.pop())

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Is the current one for the duration of a `with`."""
        self.enter()
        try:
            yield
        finally:
            self.exit()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Is not the current one for the duration of a `with` within `entered`."""
        self.exit()
        try:
            yield
        finally:
            self.enter()

    def add_value(self, value: Tensor) -> Tensor:
        """What stands for a tensor within."""
        raise NotImplementedError

    def add_op(self, op: Operation) -> None:
        """Makes an operation, which the graph has just got, part of it."""
        self.add_op_within(op)

    def add_op_within(self, op: Operation) -> None:
        """The same, whatever gradient is being built."""
        raise NotImplementedError

    def add_inner_op(self, op: Operation) -> None:
        """Tells it of an operation in a context within."""
        if self.outer_context is not None:
            self.outer_context.add_inner_op(op)

    def add_name(self, name: str) -> None:
        """Counts a tensor as one that is there within."""
        self._values.add(name)

    def exit_result(self, results: Iterable[Tensor]) -> None:
        """Counts its results as tensors of the one around it."""
        if self.outer_context is not None:
            for tensor in results:
                self.outer_context.add_name(tensor.name)

    def control_pivot(self) -> Tensor | None:
        """What an operation without inputs waits for."""
        return None

    def while_context(self) -> ControlFlowContext | None:
        """The innermost loop that it is, or is in."""
        return self.outer_context.while_context() if self.outer_context is not None else None

    def is_within(self, context: ControlFlowContext | None) -> bool:
        """Whether it is another one, or in it."""
        return self is context or (context is None if self.outer_context is None else self.outer_context.is_within(context))

    def check_use(self, source: Operation, op: Operation) -> None:
        """Holds that an operation may take what one in this context gives.

        Raises:
            ValueError: it is in a loop that the other one is not in.
        """
        ours = output_context(source)
        theirs = op._get_control_flow_context()
        if ours is None or ours is theirs or op.type in _ENTERS:
            return
        loop, their_loop = ours.while_context(), theirs.while_context() if theirs is not None else None
        if their_loop is None:
            if loop is None or op.type in _SWITCHES:
                return
            raise ValueError(
                f"Cannot use '{source.name}' as input to '{op.name}' because '{source.name}' is in a while loop. See info log for more details."
            )
        if loop is None or their_loop.is_within(loop) or _is_of_gradient(loop, their_loop, ours):
            return
        raise ValueError(
            f"Cannot use '{source.name}' as input to '{op.name}' because they are in different while loops. See info log for more details."
        )

    def _remove_external_control_edges(self, op: Operation) -> list[Operation]:
        """Takes the control inputs from outside the loop away, and gives them."""
        loop = self.while_context()
        if loop is None:
            return []
        external = []
        for source in op.control_inputs:
            context = output_context(source)
            if context is None or context.while_context() is not loop:
                external.append(source)
        if external:
            internal = [source for source in op.control_inputs if source not in external]
            op._remove_all_control_inputs()
            op._add_control_inputs(internal)
        return external

    # ---- messages

    def to_proto(self, export_scope: str | None = None) -> Any:
        """Its message; None outside of the scope that is exported."""
        raise NotImplementedError

    def _values_def(self, export_scope: str | None) -> protos.ValuesDef:
        message = protos.ValuesDef(values=[strip_name_scope(name, export_scope) for name in sorted(self._values)])
        for name, tensor in self._external.items():
            message.external_values[strip_name_scope(name, export_scope)] = strip_name_scope(tensor.name, export_scope)
        return message

    def _read_values(self, message: protos.ValuesDef, import_scope: str | None) -> None:
        self._values = {prepend_name_scope(name, import_scope) for name in message.values}
        for name, inner in message.external_values.items():
            self._external[prepend_name_scope(name, import_scope)] = self._element(inner, import_scope)
        for name in sorted({name.partition(":")[0] for name in self._values - set(self._external)}):
            self.graph.as_graph_element(name)._set_control_flow_context(self)

    def _element(self, name: str, import_scope: str | None) -> Any:
        return self.graph.as_graph_element(prepend_name_scope(name, import_scope))

    def _write_nested(self, messages: Any) -> None:
        for context in self.nested:
            message = context.to_proto()
            messages.add(**{"cond_ctxt" if isinstance(context, CondContext) else "while_ctxt": message})

    def _read_nested(self, messages: Iterable[protos.ControlFlowContextDef], import_scope: str | None) -> None:
        with self.entered():
            for message in messages:
                kind = message.WhichOneof("ctxt")
                if kind is not None:
                    READERS[kind](getattr(message, kind), import_scope)

    def __str__(self) -> str:
        return self.name


class CondContext(ControlFlowContext):
    """One of the two branches of `tf.cond`.

    Args:
        pred: the condition.
        pivot: what is there if this branch is taken.
        branch: 1 for the one that is taken if the condition is true, else 0.
    """

    def __init__(self, pred: Tensor, pivot: Tensor, branch: int, name: str = "cond_text") -> None:
        graph = get_default_graph()
        self.name = graph.unique_name(name)
        super().__init__(graph)
        self.pred = pred
        self.pivot = pivot
        self.branch = branch
        self._values |= {pred.name, pivot.name}
        self._external[pred.name] = pred
        pivot.op._set_control_flow_context(self)

    @property
    def grad_state(self) -> Any:
        """Of the loop that it is in."""
        loop = self.while_context()
        return None if loop is None else loop.grad_state

    @property
    def back_prop(self) -> bool:  # type: ignore[override]
        """Whether gradients may be asked for of the loop that it is in."""
        loop = self.while_context()
        return loop is not None and loop.back_prop

    def control_pivot(self) -> Tensor:
        pivot: Tensor = self.pivot
        return pivot

    def add_value(self, value: Tensor) -> Tensor:
        if value.name in self._values:
            return self._external.get(value.name, value)
        self._values.add(value.name)
        result: Tensor = self._from_outside(value)
        with get_default_graph().control_dependencies(None):
            result = switch_of(result, self.pred)[self.branch]
            if self.outer_context is not None:
                self.outer_context.add_inner_op(result.op)
        result.graph.prevent_fetching(result.op)
        result.op._set_control_flow_context(self)
        self._add_names_up([result.name])
        self._external[value.name] = result
        return result

    def add_result(self, value: Tensor) -> Tensor:
        """A result of the branch as a tensor that is there only if the branch is taken."""
        if value.name in self._values:
            return self._external.get(value.name, value)
        self._values.add(value.name)
        result: Tensor = switch_of(self._from_outside(value), self.pred)[self.branch]
        self._external[value.name] = result
        return result

    def _from_outside(self, value: Tensor) -> Tensor:
        if self.outer_context is None:
            return value
        result = self.outer_context.add_value(value)
        self._values.add(result.name)
        self._external[result.name] = result
        return result

    def add_op_within(self, op: Operation) -> None:
        if not op._inputs:
            self._remove_external_control_edges(op)
            if not any(_is_op_within(source, self) for source in op._control_inputs):
                op._add_control_input(self.pivot.op)
        else:
            for index, tensor in enumerate(op._inputs):
                if op.type != "Merge" or tensor.op.type != "NextIteration":  # the back edge of a loop that is being imported
                    _replace(op, index, self.add_value(tensor))
            self._remove_external_control_edges(op)
            if is_function_call(op):
                op._add_control_input(self.pivot.op)
        self._add_names_up([tensor.name for tensor in op._outputs])
        if self.outer_context is not None or op.type not in _EXITS:
            op.graph.prevent_fetching(op)
        if self.outer_context is not None:
            self.outer_context.add_inner_op(op)

    def _add_names_up(self, names: Iterable[str]) -> None:
        context: ControlFlowContext | None = self
        while context is not None:
            context._values.update(names)
            context = context.outer_context

    def to_proto(self, export_scope: str | None = None) -> protos.CondContextDef | None:
        if export_scope and not self.name.startswith(export_scope):
            return None
        names = [strip_name_scope(name, export_scope) for name in (self.name, self.pred.name, self.pivot.name)]
        message = protos.CondContextDef(context_name=names[0], pred_name=names[1], pivot_name=names[2], branch=self.branch)
        message.values_def.CopyFrom(self._values_def(export_scope))
        self._write_nested(message.nested_contexts)
        return message

    @classmethod
    def from_proto(cls, context_def: protos.CondContextDef, import_scope: str | None = None) -> CondContext:
        """The branch of a message, whose operations are in the default graph."""
        made = cls.__new__(cls)
        ControlFlowContext.__init__(made, get_default_graph())
        made.name = prepend_name_scope(context_def.context_name, import_scope)
        made.pred = made._element(context_def.pred_name, import_scope)
        made.pivot = made._element(context_def.pivot_name, import_scope)
        made.branch = context_def.branch
        made._read_values(context_def.values_def, import_scope)
        made._read_nested(context_def.nested_contexts, import_scope)
        return made


READERS: dict[str, Any] = {"cond_ctxt": CondContext.from_proto}
"""By field of ControlFlowContextDef, what makes a context of its message."""

_ENTERS = ("Enter", "RefEnter")
_EXITS = ("Exit", "RefExit")
_SWITCHES = ("Switch", "RefSwitch")


def output_context(op: Operation) -> ControlFlowContext | None:
    """The context in which an operation's outputs are: of an Exit, the one around the loop."""
    context: ControlFlowContext | None = op._get_control_flow_context()
    return context.outer_context if context is not None and op.type in _EXITS else context


def loop_of(op: Operation) -> Any:
    """The innermost loop that an operation is in, as its context; None for none."""
    context: ControlFlowContext | None = op._get_control_flow_context()
    return None if context is None else context.while_context()


def is_function_call(op: Operation) -> bool:
    """Whether an operation's type is the name of a function of the graph."""
    return op.op_type is None and any(each.signature.name == op.type for each in op.graph._library.function)


def switch_of(data: Any, pred: Tensor, name: str = "Switch") -> list[Any]:
    """Data as it is if a condition is false, and if it is true: two tensors, or IndexedSlices, one of which is dead."""
    value = convert_to_tensor_or_indexed_slices(data, name="data")
    graph = get_default_graph()
    with graph.colocate_with(value, ignore_existing=True):
        if isinstance(value, IndexedSlices):
            with graph.name_scope(name):
                sides = [apply_op("Switch", part, pred).outputs for part in (value.values, value.indices, value.dense_shape) if part is not None]
            return [IndexedSlices(*parts) for parts in zip(*sides, strict=True)]
        return apply_op("RefSwitch" if value.dtype.is_ref else "Switch", value, pred, name=name).outputs


def merge(inputs: Iterable[Any], name: str | None = None) -> Any:
    """The one of some tensors, or of some IndexedSlices, that is not dead."""
    values = [value if isinstance(value, IndexedSlices) else convert_to_tensor(value, as_ref=True) for value in inputs]
    if any(isinstance(value, IndexedSlices) for value in values):
        with get_default_graph().name_scope(name or "Merge"):
            slices = [value if isinstance(value, IndexedSlices) else as_indexed_slices(value) for value in values]
            merged = [
                apply_op("Merge", list(parts)).outputs[0]
                for parts in zip(*((each.values, each.indices, each.dense_shape) for each in slices), strict=True)
                if all(part is not None for part in parts)
            ]
        return IndexedSlices(*merged)
    return apply_op("RefMerge" if all(value.dtype.is_ref for value in values) else "Merge", values, name=name or "Merge").outputs[0]


def as_indexed_slices(tensor: Tensor) -> IndexedSlices:
    """A tensor as the slices that are all of its rows."""
    shape = shape_of(tensor, optimize=False)
    return IndexedSlices(tensor, range_(0, shape[0]), shape)


def _replace(op: Operation, index: int, tensor: Tensor) -> None:
    if tensor is not op._inputs[index]:
        op._update_input(index, tensor)


def _is_op_within(op: Operation, context: ControlFlowContext) -> bool:
    found: ControlFlowContext | None = op._get_control_flow_context()
    return found is not None and found.is_within(context)


def _is_of_gradient(loop: ControlFlowContext, their_loop: ControlFlowContext, ours: ControlFlowContext) -> bool:
    """Whether one of two loops is the gradient of the other, or of one around it."""
    forward = None if their_loop.grad_state is None else their_loop.grad_state.forward_context
    if forward is not None and (forward.is_within(loop) or forward is loop.outer_context):
        return True
    if loop.grad_state is None:
        return False
    of_loop = loop.grad_state.forward_context
    return of_loop is their_loop or (
        ours.grad_state is not None and of_loop.grad_state is not None and of_loop.grad_state.forward_context is their_loop
    )


_register(GraphKeys.COND_CONTEXT, "CondContextDef", CondContext.to_proto, CondContext.from_proto)
