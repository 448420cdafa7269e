"""Functions that take tensors where they took resource variables: what branches and bodies of loops call once variables are constants.

A function is copied for each set of arguments that become tensors. In the copy, who reads such an argument becomes what reads a tensor, and what
calls another function with it calls a copy of that.
"""

from __future__ import annotations

from collections.abc import Mapping

from gpersist import protos
from gpersist.errors import InvalidArgumentError, NotFoundError
from gpersist.graph.inlining import CALLS

FIRST_ARGUMENT = {
    **dict.fromkeys((*CALLS, "StatelessWhile", "While"), 0),
    **dict.fromkeys(("Case", "If", "StatelessCase", "StatelessIf"), 1),
}
"""Operations that call functions, and which of their inputs is the functions' first argument."""

_TYPES = {"StatelessWhile": "T", "While": "T"}
_FUNCTIONS = ("f", "cond", "body", "then_branch", "else_branch", "branches")
_SAME = ("Identity",)


class FrozenFunctions:
    """The copies for one graph.

    Args:
        graph_def: to whose library they are added.
    """

    def __init__(self, graph_def: protos.GraphDef) -> None:
        self._library = graph_def.library
        self._by_name = {each.signature.name: each for each in graph_def.library.function}
        self._copies: dict[tuple[str, tuple[tuple[int, int], ...]], str] = {}

    def calls(self, node: protos.NodeDef) -> bool:
        """Whether a node calls functions with its inputs."""
        return node.op in FIRST_ARGUMENT or node.op in self._by_name

    def pass_on(self, node: protos.NodeDef, dtypes: Mapping[int, int]) -> None:
        """Has a node that calls functions take tensors, in place.

        Args:
            node: the node.
            dtypes: of its inputs that have become tensors, by position.

        Raises:
            InvalidArgumentError: a function does with a variable what cannot be done with a constant.
            NotFoundError: the library lacks a function.
        """
        first = FIRST_ARGUMENT.get(node.op, 0)
        arguments = {index - first: dtype for index, dtype in dtypes.items()}
        if node.op in self._by_name:
            node.op = self.copy(node.op, arguments)
            return
        types = node.attr[_TYPES.get(node.op, "Tin")].list.type
        for index, dtype in arguments.items():
            types[index] = dtype
        for key in _FUNCTIONS:
            if key in node.attr:
                value = node.attr[key]
                for function in [value.func] if value.WhichOneof("value") == "func" else value.list.func:
                    function.name = self.copy(function.name, arguments)

    def copy(self, name: str, arguments: Mapping[int, int]) -> str:
        """The name of a function's copy whose arguments at these positions are tensors of these dtypes."""
        key = (name, tuple(sorted(arguments.items())))
        if key not in self._copies:
            source = self._by_name.get(name)
            if source is None:
                raise NotFoundError(f"no function {name!r} in the graph's library, which has {len(self._by_name)}")
            made_name = f"{name}_frozen"
            while made_name in self._by_name:
                made_name += "_"
            self._copies[key] = made_name
            made = self._library.function.add()
            made.CopyFrom(source)
            made.signature.name = made_name
            self._by_name[made_name] = made
            self._freeze(made, arguments)
        return self._copies[key]

    def _freeze(self, function: protos.FunctionDef, arguments: Mapping[int, int]) -> None:
        """Has a function take tensors, in place."""
        tensors: dict[str, int] = {}  # edges that are tensors now, where they were resources
        for index, dtype in arguments.items():
            arg = function.signature.input_arg[index]
            arg.type = dtype
            arg.ClearField("handle_data")
            function.arg_attr.pop(index, None)
            tensors[arg.name] = dtype
        renamed: dict[str, str] = {}
        waiting = list(function.node_def)
        while waiting:  # nodes may stand in any order; each round finds more of them, or is the last one
            later = []
            for node in waiting:
                taken = {index: tensors[_edge(text)] for index, text in enumerate(node.input) if _edge(text) in tensors}
                if taken:
                    self._change(function, node, taken, tensors, renamed)
                else:
                    later.append(node)
            if len(later) == len(waiting):
                break
            waiting = later
        for node in function.node_def:
            node.input[:] = [renamed.get(text, text) for text in node.input]
        for arg in function.signature.output_arg:
            edge = function.ret[arg.name]
            if _edge(edge) in tensors:
                arg.type = tensors[_edge(edge)]
                arg.ClearField("handle_data")
            function.ret[arg.name] = renamed.get(edge, edge)

    def _change(
        self, function: protos.FunctionDef, node: protos.NodeDef, taken: Mapping[int, int], tensors: dict[str, int], renamed: dict[str, str]
    ) -> None:
        """Has a node of a function take tensors, in place."""
        if node.op in _SAME:
            node.attr["T"].type = taken[0]
            node.attr.pop("_output_shapes", None)
            tensors[f"{node.name}:output:0"] = taken[0]
        elif self.calls(node):
            self.pass_on(node, taken)
            if node.op in _TYPES:
                tensors.update({f"{node.name}:output:{index}": dtype for index, dtype in taken.items()})
        elif not become_reader(node):
            raise InvalidArgumentError(
                f"a variable that is to be a constant goes into {node.name!r} ({node.op}) of function {function.signature.name!r}, which does more "
                "than read it: leave it out with variable_names_blacklist, or choose outputs that do not change it"
            )
        elif node.op == "Identity":  # was ReadVariableOp
            renamed[f"{node.name}:value:0"] = renamed[f"{node.name}:value"] = f"{node.name}:output:0"
        elif node.op == "GatherV2":
            axis = function.node_def.add(name=f"{node.name}/axis", op="Const")
            zero_axis(axis, node)
            node.input[2:] = [f"{axis.name}:output:0", *node.input[2:]]


def become_reader(node: protos.NodeDef) -> bool:
    """Makes what reads a resource variable what reads a tensor, in place, with the same inputs; whether that can be.

    A GatherV2 lacks its third input then, the axis.

    Raises:
        ValueError: ResourceGather with `batch_dims`.
    """
    if node.op not in ("ReadVariableOp", "ResourceGather", "ResourceGatherNd"):
        return False  # before attributes are asked for: that would make those that are not there
    dtype, indices = node.attr["dtype"], node.attr["Tindices"]
    if node.op == "ReadVariableOp":
        _become(node, "Identity", T=dtype)
    elif node.op == "ResourceGather":
        if node.attr["batch_dims"].i:
            raise ValueError(f"batch_dims must be 0 for freeze_graph, but got node({node.name}).attr('batch_dims') = {node.attr['batch_dims'].i}.")
        _become(node, "GatherV2", Tparams=dtype, Tindices=indices, Taxis=indices)
    else:
        _become(node, "GatherNd", Tparams=dtype, Tindices=indices)
    return True


def zero_axis(axis: protos.NodeDef, gather: protos.NodeDef) -> None:
    """Makes a node the axis 0 of a GatherV2."""
    indices = gather.attr["Tindices"]
    axis.attr["dtype"].CopyFrom(indices)
    axis.attr["value"].tensor.dtype = indices.type
    axis.attr["value"].tensor.tensor_shape.SetInParent()
    getattr(axis.attr["value"].tensor, "int_val" if indices.type == protos.DataType.Value("DT_INT32") else "int64_val").append(0)


def _become(node: protos.NodeDef, op: str, **attrs: protos.AttrValue) -> None:
    kept = {name: protos.AttrValue() for name in attrs}
    for name, value in attrs.items():
        kept[name].CopyFrom(value)
    if "_class" in node.attr:
        kept["_class"] = protos.AttrValue()
        kept["_class"].CopyFrom(node.attr["_class"])
    made = protos.NodeDef(name=node.name, op=op, input=node.input, attr=kept)
    node.CopyFrom(made)


def _edge(text: str) -> str:
    """An edge of a function in its full form: an argument's name, or `node:output:index`."""
    name, _, place = text.partition(":")
    if not place or place.isdecimal():
        return name
    return text if ":" in place else f"{text}:0"
