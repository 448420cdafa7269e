"""Gradients of the operations that call functions: calls of new functions in the graph's library.

The gradient of a call is a SymbolicGradient, which computes the function again and goes its way back. A branch's gradient is the branch of the
gradients. A loop is run once more, with what each iteration begins with kept in lists of tensors, from which a second loop takes it on the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType, as_dtype, bool_, float32, int32, resource, variant
from gpersist.graph import Graph, Operation, Tensor, apply, apply_op, is_trainable
from gpersist.ops.constants import constant
from gpersist.ops.filling import zeros

__all__: list[str] = []


def of_call(op: Operation, *grads: Any) -> list[Tensor]:
    """The gradient of a PartitionedCall, or of a node whose type is a function's name."""
    inputs = [*op.inputs, *_all_gradients(op, grads)]
    if op.has_attr("f") and op.op_type is not None:
        function = op.attr("f")
    else:
        function = protos.NameAttrList(name=op.type)
        for name, value in op.node_def.attr.items():
            function.attr[name].CopyFrom(value)
    types = [gradient_type(tensor) for tensor in op.inputs]
    return list(apply_op("SymbolicGradient", inputs, Tout=types, f=function).outputs)


def of_if(op: Operation, *grads: Any) -> list[Tensor | None]:
    """The gradient of an If: that of the branch that was taken."""
    branches = [_branch_gradient(op, op.attr(name), grads) for name in ("then_branch", "else_branch")]
    inputs, types = _branch_inputs(op, grads)
    if not types:
        return [None] * len(op.inputs)
    made = apply_op(op.type, op.inputs[0], inputs, Tout=types, then_branch=branches[0], else_branch=branches[1])
    return _spread(op, made)


def of_case(op: Operation, *grads: Any) -> list[Tensor | None]:
    """The gradient of a Case: that of the branch that was taken."""
    inputs, types = _branch_inputs(op, grads)
    if not types:
        return [None] * len(op.inputs)
    branches = [_branch_gradient(op, branch, grads) for branch in op.attr("branches")]
    return _spread(op, apply_op(op.type, op.inputs[0], inputs, Tout=types, branches=branches))


def of_while(op: Operation, *grads: Any) -> list[Tensor | None]:
    """The gradient of a While."""
    kept = [index for index, tensor in enumerate(op.inputs) if tensor.dtype is not resource]
    flowing = [index for index, tensor in enumerate(op.inputs) if is_trainable(tensor.dtype)]
    if not flowing:
        return [None] * len(op.inputs)
    lists = [apply("EmptyTensorList", constant(-1), -1, element_dtype=op.inputs[index].dtype.base_dtype) for index in kept]
    forward = apply_op(
        op.type, [constant(0), *op.inputs, *lists], cond=_forward_condition(op, len(lists)), body=_forward_body(op, kept), name="forward"
    ).outputs
    count, filled = forward[0], forward[1 + len(op.inputs) :]
    received = _all_gradients(op, grads)
    fixed = [tensor for tensor in op.inputs if tensor.dtype is resource]
    start = [count, *fixed, *(received[index] for index in flowing), *filled]
    backward = apply_op(op.type, start, cond=_backward_condition(op, start), body=_backward_body(op, kept, flowing), name="backward").outputs
    found = dict(zip(flowing, backward[1 + len(fixed) :], strict=False))
    return [found.get(index) for index in range(len(op.inputs))]


def gradient_type(tensor: Tensor) -> DType:
    """The type of a tensor's gradient: its own; of a resource, that of the variable's value."""
    if tensor.dtype is not resource:
        return tensor.dtype.base_dtype
    if tensor.op.type == "VarHandleOp":
        return tensor.op.attr("dtype")  # type: ignore[no-any-return]
    for user in tensor.consumers():
        found = _type_within(user.graph, user.node_def, list(user.inputs).index(tensor), 0)
        if found is not None:
            return found
    return float32


# ---- functions


class _Function:
    """A FunctionDef in the making."""

    def __init__(self, graph: Graph, name: str) -> None:
        taken = {each.signature.name for each in graph._library.function}
        number = 0
        while f"{name}_{number}" in taken:
            number += 1
        self._definition = protos.FunctionDef()
        self._definition.signature.name = f"{name}_{number}"
        self._graph = graph

    def argument(self, dtype: DType) -> str:
        """One more argument; gives what refers to it."""
        name = f"x_{len(self._definition.signature.input_arg)}"
        self._definition.signature.input_arg.add(name=name, type=dtype.enum)
        return name

    def node(self, op: str, inputs: Sequence[str], **attrs: Any) -> str:
        """One more node; gives its name."""
        made = self._definition.node_def.add(name=f"n_{len(self._definition.node_def)}", op=op, input=inputs)
        for name, value in attrs.items():
            attr = made.attr[name]
            if isinstance(value, DType):
                attr.type = value.enum
            elif isinstance(value, list):
                attr.list.SetInParent()
                attr.list.type.extend(each.enum for each in value)
            elif isinstance(value, int):
                attr.i = value
            elif isinstance(value, protos.NameAttrList):
                attr.func.CopyFrom(value)
            else:
                attr.tensor.CopyFrom(value)
        return str(made.name)

    def number(self, value: int) -> str:
        """A constant int32; gives what refers to it."""
        message = protos.TensorProto(dtype=int32.enum, int_val=[value])
        message.tensor_shape.SetInParent()
        return f"{self.node('Const', [], dtype=int32, value=message)}:output:0"

    def result(self, dtype: DType, source: str) -> None:
        """One more result."""
        name = f"y_{len(self._definition.signature.output_arg)}"
        self._definition.signature.output_arg.add(name=name, type=dtype.enum)
        self._definition.ret[name] = source

    def done(self) -> protos.NameAttrList:
        """Puts it into the library; gives what calls it."""
        self._graph._library.function.append(self._definition)
        return protos.NameAttrList(name=self._definition.signature.name)


def _types(tensors: Sequence[Tensor]) -> list[DType]:
    return [tensor.dtype.base_dtype for tensor in tensors]


def _all_gradients(op: Operation, grads: Sequence[Any]) -> list[Any]:
    """A gradient for each output: zeros where there is none."""
    return [_zeros(tensor) if grad is None else grad for tensor, grad in zip(op.outputs, grads, strict=True)]


def _zeros(tensor: Tensor) -> Tensor:
    if tensor.dtype is resource:
        source = next((found for found in tensor.op.inputs if found.dtype is resource), tensor) if tensor.op.inputs else tensor
        index = tensor._value_index
        if tensor.op.type.endswith("While"):
            source = tensor.op.inputs[index]
        return zeros(apply("VariableShape", source), gradient_type(source))
    return apply("ZerosLike", tensor, name="zeros_like")


def _branch_inputs(op: Operation, grads: Sequence[Any]) -> tuple[list[Any], list[DType]]:
    """What the gradients of branches take, and the types of what they give."""
    inputs = [*op.inputs[1:], *_all_gradients(op, grads)]
    return inputs, [gradient_type(tensor) for tensor in op.inputs[1:] if is_trainable(tensor.dtype)]


def _branch_gradient(op: Operation, branch: protos.NameAttrList, grads: Sequence[Any]) -> protos.NameAttrList:
    made = _Function(op.graph, f"{branch.name}_gradient")
    taken = op.inputs[1:]
    types = [*_types(taken), *(gradient_type(tensor) for tensor in op.outputs)]
    results = [gradient_type(tensor) for tensor in taken]
    node = made.node("SymbolicGradient", [made.argument(dtype) for dtype in types], Tin=types, Tout=results, f=branch)
    for index, tensor in enumerate(taken):
        if is_trainable(tensor.dtype):
            made.result(results[index], f"{node}:output:{index}")
    return made.done()


def _spread(op: Operation, made: Operation) -> list[Tensor | None]:
    """For each input of a branching operation its gradient, or None."""
    found = iter(made.outputs)
    return [None, *(next(found) if is_trainable(tensor.dtype) else None for tensor in op.inputs[1:])]


def _forward_condition(op: Operation, lists: int) -> protos.NameAttrList:
    made = _Function(op.graph, f"{op.attr('cond').name}_forward")
    types = _types(op.inputs)
    made.argument(int32)
    values = [made.argument(dtype) for dtype in types]
    for _ in range(lists):
        made.argument(variant)
    made.result(bool_, f"{made.node('StatefulPartitionedCall', values, Tin=types, Tout=[bool_], f=op.attr('cond'))}:output:0")
    return made.done()


def _forward_body(op: Operation, kept: Sequence[int]) -> protos.NameAttrList:
    """One iteration, which puts what it begins with into lists."""
    made = _Function(op.graph, f"{op.attr('body').name}_forward")
    types = _types(op.inputs)
    count = made.argument(int32)
    values = [made.argument(dtype) for dtype in types]
    lists = [made.argument(variant) for _ in kept]
    made.result(int32, f"{made.node('AddV2', [count, made.number(1)], T=int32)}:z:0")
    call = made.node("StatefulPartitionedCall", values, Tin=types, Tout=types, f=op.attr("body"))
    for index, dtype in enumerate(types):
        made.result(dtype, f"{call}:output:{index}")
    for index, handle in zip(kept, lists, strict=True):
        made.result(variant, f"{made.node('TensorListPushBack', [handle, values[index]], element_dtype=types[index])}:output_handle:0")
    return made.done()


def _backward_condition(op: Operation, start: Sequence[Tensor]) -> protos.NameAttrList:
    made = _Function(op.graph, f"{op.attr('cond').name}_backward")
    count, *_ = [made.argument(dtype) for dtype in _types(start)]
    made.result(bool_, f"{made.node('Greater', [count, made.number(0)], T=int32)}:z:0")
    return made.done()


def _backward_body(op: Operation, kept: Sequence[int], flowing: Sequence[int]) -> protos.NameAttrList:
    """The way back through one iteration: from the gradients of what it gave to those of what it began with."""
    made = _Function(op.graph, f"{op.attr('body').name}_backward")
    types = _types(op.inputs)
    outer = [gradient_type(tensor) for tensor in op.inputs]
    count = made.argument(int32)
    values = {index: made.argument(resource) for index, dtype in enumerate(types) if dtype is resource}
    handles = list(values.values())
    grads = {index: made.argument(outer[index]) for index in flowing}
    made.result(int32, f"{made.node('Sub', [count, made.number(1)], T=int32)}:z:0")
    for handle in handles:
        made.result(resource, handle)
    popped = []
    for index in kept:
        node = made.node("TensorListPopBack", [made.argument(variant), made.number(-1)], element_dtype=types[index])
        popped.append(f"{node}:output_handle:0")
        values[index] = f"{node}:tensor:0"
    for index in set(range(len(types))) - set(flowing):
        grads[index] = f"{made.node('ZerosLike', [values[index]], T=types[index])}:y:0"
    inputs = [*(values[index] for index in range(len(types))), *(grads[index] for index in range(len(types)))]
    node = made.node("SymbolicGradient", inputs, Tin=[*types, *outer], Tout=outer, f=op.attr("body"))
    for index in flowing:
        made.result(outer[index], f"{node}:output:{index}")
    for source in popped:
        made.result(variant, source)
    return made.done()


_MAX_DEPTH = 20


def _type_within(graph: Graph, node: protos.NodeDef, index: int, depth: int) -> DType | None:
    """What the variable behind a resource holds, as a node tells that takes it; functions that the node calls are looked into."""
    for name in ("dtype", "Tparams"):
        if node.attr[name].type if name in node.attr else 0:
            return as_dtype(node.attr[name].type)
    if node.op.startswith("Resource") and "T" in node.attr:
        return as_dtype(node.attr["T"].type)
    index -= 1 if node.op in ("If", "StatelessIf", "Case", "StatelessCase") else 0
    functions = [value.func.name for value in node.attr.values() if value.HasField("func")]
    functions += [each.name for value in node.attr.values() for each in value.list.func]
    for definition in graph._library.function if depth < _MAX_DEPTH else ():
        if definition.signature.name in (node.op, *functions) and index < len(definition.signature.input_arg):
            argument = definition.signature.input_arg[index].name
            for inner in definition.node_def:
                if argument in inner.input:
                    found = _type_within(graph, inner, list(inner.input).index(argument), depth + 1)
                    if found is not None:
                        return found
    return None
