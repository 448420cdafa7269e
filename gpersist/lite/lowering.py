"""From a frozen graph to a model: node by node, constants folded, identities and dropout gone.

A function for each type of node (`@lowers("Conv2D")`, in the modules beside) says which operators it becomes.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, float32, from_numpy, int32
from gpersist.errors import GPersistError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, SessionOpType, Tensor, constant_value
from gpersist.lite.dropout import before_dropout
from gpersist.lite.model import Model, NdArray, Operator, Value

_PASSING = frozenset(
    ["Identity", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot", "PlaceholderWithDefault", "IdentityN", "EnsureShape", "Print"]
)
_SHAPES = frozenset(["Shape", "ShapeN", "Size", "Rank"])
_PARTS = frozenset(["StridedSlice", "Slice", "Gather", "GatherV2"])
_TYPES = frozenset(["float32", "int32", "int64", "int16", "int8", "uint8", "bool"])
"""Types that the interpreter's operators compute with; some have fewer."""

_MAX_TOLD = 3
_MAX_BYTES = 2**31 - 1
_MAX_FOLDED_ELEMENTS = 1 << 24
"""What does not come from as many elements is left to the interpreter: a file of few bytes must not become a large one."""

Lowered = Value | Sequence[Value]


class Unsupported(Exception):  # never leaves the package
    """A node that no operators say the same as."""


@dataclasses.dataclass
class Node:
    """A node, and what it becomes: the argument of the functions that `lowers` enters.

    Attributes:
        op: the node.
        inputs: its inputs' values.
        operators: those made so far.
    """

    op: Operation
    inputs: list[Value]
    operators: list[Operator]

    def attr(self, name: str) -> Any:
        """An attribute of the node."""
        return self.op.attr(name)

    def result(self, index: int = 0) -> Value:
        """A new value for an output of the node."""
        tensor = self.op.outputs[index]
        return Value(value_name(tensor), tensor.dtype.base_dtype, tensor.shape.sizes)

    def step(self, suffix: str, shape: tuple[int | None, ...] | None, dtype: DType | None = None) -> Value:
        """A new value on the way to the output, of its type by default."""
        return Value(f"{self.op.name}/{suffix}", dtype or self.op.outputs[0].dtype.base_dtype, shape)

    def constant(self, array: Any, suffix: str) -> Value:
        """A new constant."""
        found = np.asarray(array)
        return Value(f"{self.op.name}/{suffix}", from_numpy(found.dtype), found.shape, found)

    def ints(self, numbers: Any, suffix: str) -> Value:
        """A new constant of 32-bit integers: a shape, axes, paddings."""
        return self.constant(np.asarray(numbers, np.int32), suffix)

    def emit(self, kind: str, *inputs: Value | None, gives: Value | None = None, **options: Any) -> Value:
        """Adds an operator of one output, by default the node's."""
        return self.emit_all(kind, inputs, [gives or self.result()], **options)[0]

    def emit_all(self, kind: str, inputs: Sequence[Value | None], gives: list[Value], version: int = 1, **options: Any) -> list[Value]:
        """Adds an operator."""
        self.operators.append(Operator(kind, list(inputs), gives, options, self.op.name, self.op.type, version))
        return gives

    def known(self, index: int) -> NdArray:
        """The value of an input that must be constant."""
        array = self.inputs[index].array
        if array is None:
            raise Unsupported(f"its input {index} ({self.op.inputs[index].name}) is not constant")
        return array

    def as_int32(self, index: int) -> Value:
        """An input of 64-bit integers as one of 32."""
        value = self.inputs[index]
        if value.dtype is int32:
            return value
        if value.array is not None:
            return self.ints(value.array, f"input{index}")
        return self.emit("CAST", value, gives=self.step(f"input{index}", value.shape, int32))

    def must_be_float(self) -> None:
        """Refuses a node whose first input is of another type than float32."""
        if self.inputs[0].dtype is not float32:
            raise Unsupported(f"of {self.inputs[0].dtype.name}")


_LOWERINGS: dict[str, Callable[[Node], Lowered]] = {}


def lowers(*types: str) -> Callable[[Callable[[Node], Lowered]], Callable[[Node], Lowered]]:
    """Enters a function for nodes of these types: it adds operators, and gives the values of the node's outputs.

    It raises `Unsupported` where no operators say the same.
    """

    def enter(function: Callable[[Node], Lowered]) -> Callable[[Node], Lowered]:
        for name in types:
            assert name not in _LOWERINGS, name
            _LOWERINGS[name] = function
        return function

    return enter


def lower(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Model:
    """The model of the part of a graph that goes from some tensors to others; see `check` for what it may lack.

    Args:
        inputs: tensors that will be fed.
        outputs: tensors that are wanted.

    Raises:
        InvalidArgumentError: the constants have more than 2 GB.
    """
    values: dict[Tensor, Value] = {tensor: Value(value_name(tensor), tensor.dtype.base_dtype, tensor.shape.sizes) for tensor in inputs}
    fed = list(values.values())
    operators: list[Operator] = []
    needed = _needed(outputs, set(inputs))
    _check_size(needed)
    for op in outputs[0].graph.get_operations() if outputs else ():
        if op in needed:
            for tensor, value in zip(op.outputs, _lowered(op, values, operators), strict=True):
                values.setdefault(tensor, value)
    wanted = [values[tensor] for tensor in outputs]
    _name_outputs(outputs, wanted, operators)
    model = Model(fed, wanted, operators)
    model.prune()
    return model


def check(model: Model) -> None:
    """Holds that all of a model's operators are some.

    Raises:
        UnimplementedError: tells the types of the nodes that TFLite has no operators for, how many of each, and their names.
    """
    problems: dict[tuple[str, str], list[str]] = {}
    for operator in model.operators:
        problem = operator.problem
        for value in (*operator.inputs, *operator.outputs):
            if problem is None and value is not None and value.dtype.name not in _TYPES and operator.kind != "CAST":
                problem = f"of {value.dtype.name}"
        if problem is not None:
            problems.setdefault((operator.op, problem), []).append(operator.node)
    for value in model.outputs:
        if value.is_dead:
            problems.setdefault(("output", "it is never there"), []).append(value.name)
    for value in model.inputs:
        if value.dtype.name not in _TYPES:
            problems.setdefault(("input", f"of {value.dtype.name}"), []).append(value.name)
    if not problems:
        return
    lines = []
    for (op, problem), nodes in sorted(problems.items()):
        more = f" and {len(nodes) - _MAX_TOLD} more" if len(nodes) > _MAX_TOLD else ""
        lines.append(f"\n  {op}: {len(nodes)} ({', '.join(map(repr, nodes[:_MAX_TOLD]))}{more}): {problem}")
    count = sum(map(len, problems.values()))
    what = "1 node of the graph has" if count == 1 else f"{count} nodes of the graph have"
    raise UnimplementedError(f"{what} no TFLite operators:{''.join(lines)}\ngive inputs and outputs between which there are none of these")


def value_name(tensor: Tensor) -> str:
    """The name that a tensor has in the model."""
    return tensor.name.removesuffix(":0")


def _needed(outputs: Sequence[Tensor], inputs: set[Tensor]) -> set[Operation]:
    found: set[Operation] = set()
    waiting = [tensor.op for tensor in outputs if tensor not in inputs]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [tensor.op for tensor in op.inputs if tensor not in inputs]
    return found


def _lowered(op: Operation, values: dict[Tensor, Value], operators: list[Operator]) -> Sequence[Value]:
    # the back edge of a loop has no value yet: there is no operator for what takes it
    inputs = [values.get(tensor) or Value(tensor.name, tensor.dtype.base_dtype, None) for tensor in op.inputs]
    node = Node(op, inputs, operators)
    if op.type == "Merge":
        return _merged(node)
    if any(value.is_dead for value in inputs):
        return [Value(tensor.name, tensor.dtype, None, is_dead=True) for tensor in op.outputs]
    if op.type in ("Switch", "RefSwitch"):
        return _switched(node)
    source = before_dropout(op)
    if source is not None and source in values:
        return [values[source]]
    folded = _folded(node)
    if folded is not None:
        return folded
    if op.type in _PASSING:
        return inputs[: len(op.outputs)]
    before = len(operators)
    try:
        if op.type not in _LOWERINGS:
            raise Unsupported("there is none" if op.type != "Placeholder" else "it is not among the inputs")
        found = _LOWERINGS[op.type](node)
    except Unsupported as error:
        del operators[before:]
        return _unsupported(node, str(error))
    return [found] if isinstance(found, Value) else found


def _unsupported(node: Node, problem: str) -> list[Value]:
    gives = [node.result(index) for index in range(len(node.op.outputs))]
    node.operators.append(Operator("", [*node.inputs], gives, {}, node.op.name, node.op.type, problem=problem))
    return gives


def _folded(node: Node) -> list[Value] | None:
    """The outputs as constants, if all inputs are, or if they are known shapes."""
    op = node.op
    if op.type in _SHAPES:
        arrays: list[Any] = [constant_value(tensor) for tensor in op.outputs]
        if any(array is None for array in arrays):
            return None
        return [node.constant(array, "value") for array in arrays]
    op_type = op.op_type
    if op_type is None or op.type == "Placeholder" or op_type.is_stateful or issubclass(op_type, SessionOpType):
        return None
    given = [value.array for value in node.inputs]
    known = _known_shape(op)
    if known is not None and given[0] is None:
        given[0] = known
    if any(array is None for array in given) or (given and _grows(node)):
        return None
    attrs = {name: op.attr(name) for name in (*op_type.run_attrs, *op_type.newer_attrs) if op.has_attr(name)}
    try:
        with np.errstate(all="ignore"):
            result = op_type.run(np, *op.grouped(given), **attrs)
    except (GPersistError, ValueError, TypeError, ArithmeticError, IndexError):
        return None
    arrays = [result] if len(op.outputs) == 1 and not isinstance(result, (list, tuple)) else list(result or ())
    if known is not None and any((np.asarray(array) < 0).any() for array in arrays):
        return None
    found = []
    for tensor, array in zip(op.outputs, arrays, strict=True):
        array = np.asarray(array)
        found.append(Value(value_name(tensor), tensor.dtype.base_dtype, array.shape, array))
    return found


def _known_shape(op: Operation) -> NdArray | None:
    """The shape that a node takes a part of, dimensions that are not known -1."""
    if op.type not in _PARTS or op.inputs[0].op.type != "Shape":
        return None
    sizes = op.inputs[0].op.inputs[0].shape.sizes
    return None if sizes is None else np.array([-1 if size is None else size for size in sizes], op.inputs[0].dtype.numpy)


def _grows(node: Node) -> bool:
    sizes = [tensor.shape.num_elements() for tensor in node.op.outputs]
    given = sum(value.array.size for value in node.inputs if value.array is not None)
    return any(size is None or (size > _MAX_FOLDED_ELEMENTS and size > given) for size in sizes)


def _check_size(ops: Iterable[Operation]) -> None:
    """Holds that constants do not take more than a file may have: a short message can stand for a large one."""
    constants = [op.outputs[0] for op in ops if op.type == "Const" and not op.outputs[0].dtype.is_string]
    sizes = {tensor.op.name: (tensor.shape.num_elements() or 0) * tensor.dtype.size for tensor in constants}
    if sum(sizes.values()) > _MAX_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise InvalidArgumentError(
            f"the TFLite file would be larger than 2 GB: the graph's constants have {sum(sizes.values())} bytes, {largest!r} alone {sizes[largest]}"
        )


def _switched(node: Node) -> list[Value]:
    data, predicate = node.inputs
    if predicate.array is None:
        return _unsupported(node, "its predicate is not constant")
    dead = Value(node.op.outputs[0].name, data.dtype, None, is_dead=True)
    return [dead, data] if predicate.array else [data, dead]


def _merged(node: Node) -> list[Value]:
    alive = [index for index, value in enumerate(node.inputs) if not value.is_dead]
    if len(alive) != 1:
        return _unsupported(node, "which of its inputs comes is not known")
    return [node.inputs[alive[0]], node.ints(alive[0], "index")]


def _name_outputs(outputs: Sequence[Tensor], wanted: list[Value], operators: Sequence[Operator]) -> None:
    """Has what an operator gives named as the output that it is, though identities come between; the first of several names stays."""
    given = set(itertools.chain.from_iterable(operator.outputs for operator in operators))
    named: set[Value] = set()
    for tensor, value in zip(outputs, wanted, strict=True):
        if value not in named and (value in given or value.array is not None):
            value.name = value_name(tensor)
            named.add(value)
