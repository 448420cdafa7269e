"""SymbolicGradient: the gradient of a function of the graph's library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType, resource
from gpersist.graph import Context, Graph, Operation, SessionOpType, Tensor, apply, convert_to_tensor, find_op_type, import_graph_def, is_trainable
from gpersist.ops.constants import placeholder
from gpersist.ops.filling import zeros
from gpersist.ops.gradients import gradients
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []


class SymbolicGradient(SessionOpType):
    """The gradient of a function's arguments, from these and the gradients of its results."""

    inputs = "input: Tin"
    outputs = "output: Tout"
    attrs = "Tin: list(type) >= 1, Tout: list(type) >= 1, f: func"
    takes_any_device = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        if len(op._inputs) < len(op.output_types):
            raise ValueError("len(inputs) < len(outputs)")
        return [unknown_shape() if tensor.dtype is resource else tensor.shape for tensor in op._inputs[: len(op.output_types)]]

    @staticmethod
    def run(ctx: Context, values: Sequence[Any], *, f: protos.NameAttrList) -> list[Any]:
        functions = ctx.session.functions
        own = {each.function_name: each.gradient_func for each in ctx.op.graph._library.gradient}
        if f.name in own:
            function = protos.NameAttrList(name=own[f.name])
            for name, value in f.attr.items():
                function.attr[name].CopyFrom(value)
            found = functions.call(function, values)
        else:
            types = [ctx.op.attr("Tin"), ctx.op.attr("Tout")]
            key = ("gradient", f.name, f.SerializeToString(deterministic=True), *map(tuple, types))
            found = functions.call_made(key, lambda: _gradient(ctx, f, *types), values)
        return [ctx.move(value) if hasattr(value, "dtype") else value for value in found]


def _gradient(ctx: Context, f: protos.NameAttrList, takes: list[DType], gives: list[DType]) -> Any:
    """The graph of a function's gradient, with a placeholder for each argument."""
    count = len(gives)
    is_operation = find_op_type(f.name) is not None
    graph, inputs, outputs, also = _operation(f, takes[:count]) if is_operation else ctx.session.functions.body(f, count)
    with graph.as_default():
        received = [placeholder(dtype) for dtype in takes[count:]]
        ends = [pair for pair in zip(outputs, received, strict=True) if is_trainable(pair[0].dtype)]
        starts = [tensor for tensor in inputs if is_trainable(tensor.dtype)]
        found = gradients([end for end, _ in ends], starts, [grad for _, grad in ends]) if starts and ends else [None] * len(starts)
        by_input = dict(zip(starts, found, strict=True))
        results = [_filled(tensor, by_input.get(tensor), dtype) for tensor, dtype in zip(inputs, gives, strict=True)]
    return graph, [*inputs, *received], results, also


def _filled(tensor: Tensor, grad: Any, dtype: DType) -> Tensor:
    if grad is not None:
        return convert_to_tensor(grad)
    return zeros(apply("VariableShape", tensor), dtype) if tensor.dtype is resource else apply("ZerosLike", tensor)


def _operation(f: protos.NameAttrList, types: list[DType]) -> tuple[Graph, list[Tensor], list[Tensor], list[Operation]]:
    """An operation, as a function that does nothing else."""
    message = protos.GraphDef()
    for index, dtype in enumerate(types):
        node = message.node.add(name=f"x_{index}", op="Placeholder")
        node.attr["dtype"].type = dtype.enum
        node.attr["shape"].shape.unknown_rank = True
    node = message.node.add(name="y", op=f.name, input=[each.name for each in message.node])
    for name, value in f.attr.items():
        node.attr[name].CopyFrom(value)
    graph = Graph()
    with graph.as_default():
        import_graph_def(message, name="")
    inputs = [graph.get_tensor_by_name(f"x_{index}:0") for index in range(len(types))]
    return graph, inputs, list(graph.get_operation_by_name("y").outputs), []
