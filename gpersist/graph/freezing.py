"""Variables as constants: `tf.graph_util.convert_variables_to_constants`, what `freeze_graph` does.

A reference variable's node becomes a Const of its value. So does a resource variable's, whereupon those who read it become what reads a tensor:
ReadVariableOp becomes Identity, ResourceGather becomes GatherV2. Where a resource variable goes into a function, calls are replaced by the functions'
nodes first, as TensorFlow 2 does it (`convert_variables_to_constants_v2`); branches and loops call copies of their functions that take tensors.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gpersist import protos
from gpersist.dtypes import from_enum
from gpersist.errors import InvalidArgumentError
from gpersist.graph.frozen_functions import FrozenFunctions, become_reader, zero_axis
from gpersist.graph.functions import called_by
from gpersist.graph.graph import Graph
from gpersist.graph.graph_def import MAX_BYTES
from gpersist.graph.graph_util import extract_sub_graph
from gpersist.graph.inlining import inline_calls, without_idle_controls
from gpersist.graph.tensor_proto import make_tensor_proto

_LOG = logging.getLogger("gpersist")

_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")
_PASS_ON = ("Enter", "Exit", "Identity", "Merge", "NextIteration", "Switch")
_WITHOUT_REFERENCES = {f"Ref{op}": op for op in _PASS_ON}


def convert_variables_to_constants(
    sess: Any,
    input_graph_def: protos.GraphDef,
    output_node_names: Iterable[str],
    variable_names_whitelist: Collection[str] | None = None,
    variable_names_blacklist: Collection[str] | None = None,
) -> protos.GraphDef:
    """The part of a graph that some nodes need, with variables as constants of the values that they have in a session.

    Args:
        sess: the session.
        input_graph_def: the graph; it is not changed.
        output_node_names: names of the nodes.
        variable_names_whitelist: names of the variables that become constants; all by default.
        variable_names_blacklist: names of variables that don't.

    Raises:
        TypeError, AssertionError: see `extract_sub_graph`.
        ValueError: it would be larger than 2 GB, which is found before any value is fetched.
        FailedPreconditionError: a variable has no value.
        InvalidArgumentError: a function that is called with a resource variable changes it.
    """
    output_node_names = output_node_names if isinstance(output_node_names, str) else list(output_node_names)
    graph_def = extract_sub_graph(input_graph_def, output_node_names)
    whole = {
        node.name
        for node in variable_nodes(graph_def)
        if (variable_names_whitelist is None or node.name in variable_names_whitelist)
        and (variable_names_blacklist is None or node.name not in variable_names_blacklist)
    }
    inlined = with_calls_inlined(graph_def, output_node_names, whole)
    is_inlined, graph_def = inlined is not graph_def, inlined
    chosen = [node for node in variable_nodes(graph_def) if node.name in whole]
    fetches = {node.name: _fetch_name(node, sess.graph) for node in chosen}
    check_frozen_size(graph_def, {name: _size_bytes(name if fetch is None else fetch, sess.graph) for name, fetch in fetches.items()})
    values = sess.run({name: fetch for name, fetch in fetches.items() if fetch is not None}) if fetches else {}
    values |= {name: _held_value(sess, name) for name, fetch in fetches.items() if fetch is None}
    variables_to_constants(graph_def, {name: values[name] for name in fetches}, is_strict=is_inlined)
    return needed_part(graph_def, output_node_names) if is_inlined else graph_def


def variable_nodes(graph_def: protos.GraphDef) -> list[protos.NodeDef]:
    """The nodes that are variables."""
    return [node for node in graph_def.node if node.op in _VARIABLES]


def variables_to_constants(graph_def: protos.GraphDef, values: Mapping[str, Any], *, is_strict: bool = False) -> None:
    """Makes variables of a message constants, in place; how many is logged, as TensorFlow does.

    Args:
        graph_def: the graph.
        values: of the variables, by the names of their nodes.
        is_strict: whether to look for operations that do more than read a resource variable, which TensorFlow's `freeze_graph` leaves as they are.

    Raises:
        InvalidArgumentError: a function that is called with a resource variable changes it; or an operation does, and `is_strict` is given.
    """
    uses: dict[str, list[protos.NodeDef]] = defaultdict(list)
    for node in graph_def.node:
        for text in node.input:
            if not text.startswith("^"):
                uses[text.partition(":")[0]].append(node)
    _LOG.info("Froze %d variables.", len(values))
    handles = {node.name for node in graph_def.node if node.op == "VarHandleOp"}
    functions = FrozenFunctions(graph_def)
    called: dict[str, dict[int, int]] = defaultdict(dict)
    for node in variable_nodes(graph_def):
        if node.name in values:
            dtype = node.attr["dtype"].type
            value = make_tensor_proto(values[node.name], from_enum(dtype, "dtype"))
            _become(node, "Const", dtype=protos.AttrValue(type=dtype), value=protos.AttrValue(tensor=value))
            _pass_on(graph_def, node.name, uses, dtype, functions, called, is_strict and node.name in handles)
    if called:
        for node in graph_def.node:
            if node.name in called:
                functions.pass_on(node, called[node.name])
    _LOG.info("Converted %d variables to const ops.", len(values))


def with_calls_inlined(
    graph_def: protos.GraphDef, output_node_names: Collection[str], chosen: Collection[str] | None = None, *, always: bool = False
) -> protos.GraphDef:
    """The part of a graph that some nodes need, its calls of functions replaced by the functions' nodes, if a variable goes into one.

    Args:
        graph_def: the graph; it is not changed.
        output_node_names: names of the nodes.
        chosen: names of the variables that count; all by default.
        always: whether to do so if no variable goes into any, too.
    """
    functions = FrozenFunctions(graph_def)
    sources = {node.name for node in graph_def.node if node.op == "VarHandleOp" and (chosen is None or node.name in chosen)}
    while True:
        passing = {node.name for node in graph_def.node if node.op in _PASS_ON and any(text.partition(":")[0] in sources for text in node.input)}
        if passing <= sources:
            break
        sources |= passing
    if not always and not any(functions.calls(node) and any(text.partition(":")[0] in sources for text in node.input) for node in graph_def.node):
        return graph_def
    return extract_sub_graph(inline_calls(graph_def, output_node_names), output_node_names)


def needed_part(graph_def: protos.GraphDef, output_node_names: Collection[str]) -> protos.GraphDef:
    """What some nodes need of a graph that was inlined and frozen: neither nodes to wait for that do nothing, nor functions that nobody calls."""
    without_idle_controls(graph_def)
    result = extract_sub_graph(graph_def, output_node_names)
    keep_called_functions(result)
    return result


def keep_called_functions(graph_def: protos.GraphDef) -> None:
    """Drops the functions that nothing in a graph calls, in place."""
    by_name = {each.signature.name: each for each in graph_def.library.function}
    gradients = {each.function_name: each.gradient_func for each in graph_def.library.gradient}
    kept: set[str] = set()
    waiting = [name for node in graph_def.node for name in called_by(node)]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in kept:
            kept.add(name)
            waiting += [called for node in by_name[name].node_def for called in called_by(node)]
            waiting.append(gradients.get(name, name))
    if len(kept) < len(by_name):
        functions = [each for each in graph_def.library.function if each.signature.name in kept]
        library = protos.FunctionDefLibrary(function=functions)
        library.gradient.extend(each for each in graph_def.library.gradient if each.function_name in kept)
        graph_def.library.CopyFrom(library)


def _pass_on(
    graph_def: protos.GraphDef,
    name: str,
    uses: Mapping[str, list[protos.NodeDef]],
    dtype: int,
    functions: FrozenFunctions,
    called: dict[str, dict[int, int]],
    is_strict: bool,
) -> None:
    """Makes those who take a variable take a tensor; notes which inputs of calls have become tensors."""
    waiting = [(name, node) for node in uses.get(name, ())]
    seen: set[str] = set()
    while waiting:
        source, node = waiting.pop()
        if become_reader(node):
            node.input[:] = node.input[: 1 if node.op == "Identity" else 2]
            if node.op == "GatherV2":
                axis = protos.NodeDef(name=f"{node.name}/axis", op="Const")
                zero_axis(axis, node)
                node.input.append(axis.name)
                graph_def.node.append(axis)
        elif functions.calls(node):
            called[node.name].update({index: dtype for index, text in enumerate(node.input) if text.partition(":")[0] == source})
        elif node.op in _PASS_ON or node.op in _WITHOUT_REFERENCES:
            node.op = _WITHOUT_REFERENCES.get(node.op, node.op)
            node.attr["T"].type = dtype
            node.attr.pop("_output_shapes", None)
            if node.name not in seen:
                seen.add(node.name)
                waiting += [(node.name, taker) for taker in uses.get(node.name, ())]
        elif is_strict and node.op not in ("GatherNd", "GatherV2", "IdentityN"):
            raise InvalidArgumentError(
                f"variable {name!r}, which is to be a constant, goes into {node.name!r} ({node.op}), which does more than read it: leave it out with "
                "variable_names_blacklist, or choose outputs that do not change it"
            )


def _become(node: protos.NodeDef, op: str, **attrs: Any) -> None:
    """Makes a node another one of the same name, which takes nothing."""
    made = protos.NodeDef(name=node.name, op=op, attr=attrs)
    node.CopyFrom(made)


def _fetch_name(node: protos.NodeDef, graph: Graph) -> str | None:
    """The name of a tensor that gives a variable's value; None, if only functions read it."""
    if node.op != "VarHandleOp":
        return f"{node.name}:0"
    readers = [op for op in graph.get_tensor_by_name(f"{node.name}:0").consumers() if op.type == "ReadVariableOp"]
    return readers[0].outputs[0].name if readers else None


def _held_value(sess: Any, name: str) -> Any:
    """What a session holds for a resource variable."""
    (buffer,) = sess.buffers_of([sess.graph.get_operation_by_name(name)])
    array = buffer.read()
    return array if buffer.device.is_host else array.get()


def _size_bytes(name: str, graph: Graph) -> int:
    if ":" not in name:
        handle = graph.get_operation_by_name(name)
        return (handle.get_attr("shape").num_elements() or 0) * (0 if handle.attr("dtype").is_string else handle.attr("dtype").size)
    tensor = graph.get_tensor_by_name(name)
    return (tensor.shape.num_elements() or 0) * (0 if tensor.dtype.base_dtype.is_string else tensor.dtype.base_dtype.size)


def check_frozen_size(graph_def: protos.GraphDef, variables: Mapping[str, int]) -> None:
    """Holds, before any value is read, that a graph will not be too large for one message.

    Args:
        graph_def: the graph.
        variables: bytes of those that will be constants, by the names of their nodes.

    Raises:
        InvalidArgumentError: it would be larger than 2 GB; names the largest constants.
    """
    sizes = dict(variables)
    sizes.update((node.name, node.ByteSize()) for node in graph_def.node if node.op == "Const")
    total = sum(sizes.values())
    if total > MAX_BYTES:
        largest = ", ".join(f"{name!r} with {sizes[name]} bytes" for name in sorted(sizes, key=lambda name: -sizes[name])[:3])
        raise InvalidArgumentError(
            f"GraphDef cannot be larger than 2GB: the frozen one would have {total} bytes. Its largest constants are {largest}: leave some out with "
            "variable_names_blacklist, and save them as a checkpoint"
        )
