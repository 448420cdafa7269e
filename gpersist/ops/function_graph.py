"""Functions of Python's as functions of a graph's library: what a function does with placeholders, written as a FunctionDef.

What it takes from the graph around becomes further arguments, as in TensorFlow's FuncGraph.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import Graph, Operation, Tensor, apply, apply_op, encode_node, get_default_graph, known_signature
from gpersist.shapes import TensorShape

__all__: list[str] = []

_numbers = itertools.count(1)

_NOT_ORDERED = frozenset(
    [
        "Multinomial",
        "Placeholder",
        "RandomCrop",
        "RandomGamma",
        "RandomPoisson",
        "RandomPoissonV2",
        "RandomShuffle",
        "RandomStandardNormal",
        "RandomUniform",
        "RandomUniformInt",
        "TruncatedNormal",
        "VarHandleOp",
    ]
)
"""Stateful operations that need not run where nobody looks at what they give."""


class FunctionGraph(Graph):
    """The body of a function in the making.

    Args:
        outer: the graph that it is made in, into whose library it goes.

    Attributes:
        captured: tensors of the graph around, and the placeholders that stand for them, in the order of their first use.
    """

    def __init__(self, outer: Graph) -> None:
        super().__init__()
        self.outer = outer
        self.seed = outer.seed
        self._library = outer._library
        self._own_functions = outer._own_functions
        self.captured: dict[Tensor, Tensor] = {}

    @property
    def building_function(self) -> bool:
        """True: operations made now go here, wherever their inputs are."""
        return True

    def capture(self, tensor: Tensor) -> Tensor:
        """What stands here for a tensor of the graph around; a tensor of this graph stands for itself.

        Raises:
            ValueError: it is of none of these graphs.
        """
        if tensor.graph is self:
            return tensor
        if tensor not in self.captured:
            source = tensor
            if source.graph is not self.outer:
                if not isinstance(self.outer, FunctionGraph):
                    raise ValueError(f"{tensor} must be from the same graph as the function that uses it (graphs are {tensor.graph} and {self}).")
                source = self.outer.capture(tensor)
            with self.as_default(), self.name_scope(None), self.control_dependencies(None):
                found = apply("Placeholder", dtype=source.dtype.base_dtype, shape=source.shape, name=source.op.name.rpartition("/")[2])
            self.captured[tensor] = found
            if source is not tensor:
                self.captured[source] = found
        return self.captured[tensor]

    def source_of(self, placeholder: Tensor) -> Tensor:
        """The tensor of the graph around that a placeholder stands for; itself, if for none."""
        return next((source for source, inner in self.captured.items() if inner is placeholder), placeholder)

    def _add(self, type_name: str, op_type: Any, signature: Any, name: str, inputs: Sequence[Tensor], attrs: dict[str, Any], **how: Any) -> Operation:
        return super()._add(type_name, op_type, signature, name, [self.capture(tensor) for tensor in inputs], attrs, **how)


class Traced(NamedTuple):
    """A function in a library.

    Attributes:
        function: what calls it.
        captured: the tensors around that it takes after its arguments.
        outputs: its results, in its own graph.
        value: what the function of Python's gave.
        is_stateful: whether it has operations that are.
    """

    function: protos.NameAttrList
    captured: list[Tensor]
    outputs: list[Tensor]
    value: Any
    is_stateful: bool


def trace(
    called: str, make: Callable[..., tuple[Any, list[Tensor]]], types: Sequence[DType], shapes: Sequence[TensorShape], *, marks: Sequence[str] = ()
) -> Traced:
    """Makes a function of the default graph's library.

    Args:
        called: its name, to which a number is added.
        make: gets a placeholder for each argument; gives any value, and the results as tensors.
        types: of the arguments.
        shapes: of the arguments.
        marks: attributes of the function that are to be true.
    """
    outer = get_default_graph()
    graph = FunctionGraph(outer)
    with graph.as_default():
        arguments = [
            apply("Placeholder", dtype=dtype, shape=shape, name=f"args_{n}") for n, (dtype, shape) in enumerate(zip(types, shapes, strict=True))
        ]
        value, found = make(*arguments)
        outputs = [apply("Identity", graph.capture(tensor), name="Identity") for tensor in found]
        must_run = [op for op in graph.get_operations() if _must_run(op)]
        if must_run and outputs:
            last = apply_op("NoOp", name="NoOp")
            last._add_control_inputs(must_run)
            for tensor in outputs:
                tensor.op._add_control_input(last)
    outer.__dict__.setdefault("_py_funcs_used_in_graph", []).extend(graph.__dict__.get("_py_funcs_used_in_graph", []))  # lest they go with `graph`
    captured = list({id(inner): source for source, inner in graph.captured.items() if source.graph is outer}.values())
    placeholders = [*arguments, *(graph.captured[tensor] for tensor in captured)]
    name = _new_name(outer, f"__inference_{re.sub('[^A-Za-z0-9_]', '', called)}")
    names = [*(tensor.op.name for tensor in arguments), *(_called(graph.captured[tensor], tensor) for tensor in captured)]
    definition = to_function_def(graph, name, placeholders, outputs, names)
    definition.attr["_construction_context"].s = b"kEagerRuntime"
    function = protos.NameAttrList(name=name)
    for mark in marks:
        definition.attr[mark].b = True
        function.attr[mark].b = True
    enter(outer, definition)
    return Traced(function, captured, outputs, value, definition.signature.is_stateful)


def _must_run(op: Operation) -> bool:
    """Whether an operation is to be run though nobody may look at what it gives; those in branches and loops are not."""
    stateful = op.signature is not None and op.signature.is_stateful
    return stateful and op.type not in _NOT_ORDERED and op._control_flow_context is None


def _new_name(graph: Graph, start: str) -> str:
    taken = {each.signature.name for each in graph._library.function}
    return next(name for name in (f"{start}_{number}" for number in _numbers) if name not in taken)


def enter(graph: Graph, definition: protos.FunctionDef) -> None:
    """Puts a function that the program has made into a graph's library."""
    graph._library.function.append(definition)
    graph._own_functions.add(definition.signature.name)


def _called(inner: Tensor, source: Tensor) -> str:
    """What an argument is called that stands for a tensor of the graph around: by who takes it first, and by its own name."""
    users, name = inner.consumers(), source.op.name.rpartition("/")[2]
    return f"{users[0].name}_{name}" if users else name


def to_function_def(
    graph: Graph,
    name: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    names: Sequence[str] = (),
    ops: Sequence[Operation] | None = None,
) -> protos.FunctionDef:
    """A graph as a function.

    Args:
        graph: the body.
        name: of the function.
        inputs: placeholders, which become the arguments.
        outputs: the results.
        names: what the arguments are to be called; made valid, and unique.
        ops: what the function is made of, without control inputs; by default the whole graph, with them.
    """
    definition = protos.FunctionDef()
    definition.signature.name = name
    edges: dict[Tensor, str] = {}
    taken: set[str] = set()
    for tensor, text in zip(inputs, names, strict=True):
        edges[tensor] = _free(text, taken)
        definition.signature.input_arg.add(name=edges[tensor], type=tensor.dtype.base_dtype.enum)
    skipped = {tensor.op for tensor in inputs}
    nodes = [op for op in (graph.get_operations() if ops is None else ops) if op not in skipped]
    for op in nodes:
        edges.update(zip(op.outputs, _places(graph, op), strict=True))
        if op.signature is not None and op.signature.is_stateful:
            definition.signature.is_stateful = True
    for op in nodes:
        node = definition.node_def.add()
        node.MergeFromString(encode_node(op, []))
        node.input[:] = [edges[tensor] for tensor in op.inputs]
        if ops is None:
            node.input.extend(f"^{other.name}" for other in op.control_inputs if other not in skipped)
    for tensor in outputs:
        text = _free(tensor.op.name, taken)
        definition.signature.output_arg.add(name=text, type=tensor.dtype.base_dtype.enum)
        definition.ret[text] = edges[tensor]
    return definition


def _places(graph: Graph, op: Operation) -> list[str]:
    """How a FunctionDef's nodes refer to each output of an operation."""
    known = known_signature(graph, op.type)
    if known is None:
        return [f"{op.name}:output:{index}" for index in range(len(op.outputs))]
    found = []
    for arg in known.outputs:
        count = len(op.attr(arg.type_list_attr)) if arg.type_list_attr else op.attr(arg.number_attr) if arg.number_attr else 1
        found += [f"{op.name}:{arg.name}:{index}" for index in range(count)]
    return found


def _free(text: str, taken: set[str]) -> str:
    """A name of an argument: small letters, digits and underscores, and not one that is taken."""
    base = re.sub("[^a-z0-9]", "_", text.lower()).lstrip("_0123456789") or "unknown"
    found, number = base, 0
    while found in taken:
        number += 1
        found = f"{base}_{number}"
    taken.add(found)
    return found
