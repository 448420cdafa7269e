"""A graph with all that belongs to it as one message, `MetaGraphDef`: nodes, OpDefs, collections, saver. Messages only: files are `gpersist.train`'s.

What is exported with `export_scope` is a part of the graph, with the scope taken away from its names; inputs from outside are named with
`$unbound_inputs_` before them, and whoever imports it has to say what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from gpersist import protos
from gpersist.graph import defaults
from gpersist.graph.collection_def import UNBOUND_PREFIX, add_collection_def, get_from_proto_function, includes, restore_collections
from gpersist.graph.graph import Graph
from gpersist.graph.graph_def import export
from gpersist.graph.graph_keys import GraphKeys
from gpersist.graph.importing import add_nodes
from gpersist.graph.messages import own
from gpersist.graph.rescoping import strip_name_scope
from gpersist.graph.stripped_op_list import op_defs, strip_graph_default_valued_attrs, stripped_op_list_for_graph

TENSORFLOW_VERSION = "1.15.0"
"""Whose form the messages have."""

TENSORFLOW_GIT_VERSION = "gpersist"

_SAVE_AND_RESTORE_OPS = frozenset(
    prefix + op + suffix
    for op in ("Save", "Restore")
    for prefix, suffix in (("", "V2"), ("", ""), ("", "Slice"), ("Legacy", ""), ("Legacy", "Slice"))
)


def create_meta_graph_def(
    meta_info_def: protos.MetaGraphDef.MetaInfoDef | None = None,
    graph_def: protos.GraphDef | None = None,
    saver_def: protos.SaverDef | None = None,
    collection_list: Sequence[Any] | None = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: Collection[Any] | None = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> protos.MetaGraphDef:
    """The message of a graph (`meta_graph.create_meta_graph_def`).

    Args:
        meta_info_def: tags, version and the like; the version of TensorFlow in it is put in, and the OpDefs unless there are some.
        graph_def: the nodes; those of `graph`, with their shapes, by default.
        saver_def: the saver.
        collection_list: names of the collections; all by default.
        graph: whose collections; the default graph's by default.
        export_scope: a scope that is taken away from names in collections, which keep only what is in it.
        exclude_nodes: names of nodes that are left out of collections.
        clear_extraneous_savers: whether the collection of savers has no other than `saver_def`'s.
        strip_default_attrs: whether attributes that have their default values are left out.

    Raises:
        TypeError: an argument of another kind.
    """
    if graph is not None and not isinstance(graph, Graph):
        raise TypeError(f"graph must be of type Graph. Received type: {type(graph)}.")
    info = own(protos.MetaGraphDef.MetaInfoDef, meta_info_def, "meta_info_def") if meta_info_def else None
    given = own(protos.GraphDef, graph_def, "graph_def") if graph_def else None
    saver = own(protos.SaverDef, saver_def, "saver_def") if saver_def else None
    graph = graph or defaults.get_default_graph()
    meta = protos.MetaGraphDef(meta_info_def=info)
    meta.meta_info_def.tensorflow_version = TENSORFLOW_VERSION
    meta.meta_info_def.tensorflow_git_version = TENSORFLOW_GIT_VERSION
    meta.graph_def.CopyFrom(graph.as_graph_def(add_shapes=True) if given is None else given)
    find = op_defs(graph._imported_op_defs)
    if not meta.meta_info_def.stripped_op_list.op:
        meta.meta_info_def.stripped_op_list.CopyFrom(stripped_op_list_for_graph(meta.graph_def, find))
    if strip_default_attrs:
        strip_graph_default_valued_attrs(meta, find)
    if saver is not None:
        meta.saver_def.CopyFrom(saver)
    for key in graph.get_all_collection_keys() if collection_list is None else collection_list:
        if clear_extraneous_savers and key == GraphKeys.SAVERS:
            from_proto = get_from_proto_function(key)
            if saver is None or from_proto is None:
                continue
            add_collection_def(meta, key, graph, export_scope, exclude_nodes, override_contents=[from_proto(saver)])
        else:
            add_collection_def(meta, key, graph, export_scope, exclude_nodes)
    return meta


def export_scoped_meta_graph(
    graph_def: protos.GraphDef | None = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    clear_devices: bool = False,
    saver_def: protos.SaverDef | None = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    meta_info_def: protos.MetaGraphDef.MetaInfoDef | None = None,
    collection_list: Sequence[Any] | None = None,
) -> tuple[protos.MetaGraphDef, dict[str, Any]]:
    """The message of a graph, or of a scope of it (`meta_graph.export_scoped_meta_graph`).

    Args:
        graph_def: the nodes; the graph's by default.
        graph: to be exported; the default graph by default.
        export_scope: the scope; the whole graph by default.
        unbound_inputs_col_name: the collection that names inputs from outside of the scope; None for none.
        clear_devices: whether nodes have no devices.
        saver_def: the saver.
        clear_extraneous_savers: whether nodes of other savers are left out, and they themselves.
        strip_default_attrs: whether attributes that have their default values are left out.
        meta_info_def: see `create_meta_graph_def`.
        collection_list: names of the collections; all by default.

    Returns:
        The message, and the global variables in the scope, by name without it.

    Raises:
        TypeError: an argument of another kind.
        ValueError: it would be larger than 2 GB.
    """
    graph = graph or defaults.get_default_graph()
    excluded: set[str] = set()
    unbound: list[str] = []
    if export_scope or clear_extraneous_savers or clear_devices:
        if graph_def:
            nodes = protos.GraphDef()
            nodes.CopyFrom(own(protos.GraphDef, graph_def, "graph_def"))
        else:
            nodes = export(graph, add_shapes=True, sorts_controls=False)
        if clear_extraneous_savers:
            excluded = _extraneous_saver_nodes(nodes, saver_def)
        part = protos.GraphDef(versions=nodes.versions)
        for node in nodes.node:
            if includes(node.name, export_scope, excluded):
                if export_scope:
                    _unscope(node, export_scope, unbound)
                if clear_devices:
                    node.device = ""
                part.node.append(node)
        if graph_def is not None or nodes.HasField("library"):
            part.library.CopyFrom(nodes.library)
        graph_def = part
        if unbound_inputs_col_name:
            graph.clear_collection(unbound_inputs_col_name)
            for name in unbound:
                graph.add_to_collection(unbound_inputs_col_name, name)
    variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, export_scope)
    found = {strip_name_scope(variable.name, export_scope): variable for variable in variables if includes(variable, export_scope, excluded)}
    meta = create_meta_graph_def(
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        graph=graph,
        export_scope=export_scope,
        exclude_nodes=excluded,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
    )
    return meta, found


def import_scoped_meta_graph(
    meta_graph_def: protos.MetaGraphDef,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Mapping[str | bytes, Any] | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
    return_elements: Sequence[str] | None = None,
) -> tuple[dict[str, Any], list[Any] | None]:
    """Adds the nodes and collections of a message to a graph (`meta_graph.import_scoped_meta_graph_with_return_elements`).

    Args:
        meta_graph_def: the message; it is not changed.
        clear_devices: whether nodes lose their devices.
        graph: where to; the default graph by default.
        import_scope: a prefix for all names, made unique.
        input_map: tensors that take the place of the message's; all inputs that it leaves open have to be here.
        unbound_inputs_col_name: the collection that names those.
        restore_collections_predicate: gets a collection's name, and says whether it is restored.
        return_elements: names of operations and tensors.

    Returns:
        The graph's global variables in the scope, by name without it; and the operations and tensors of `return_elements`.

    Raises:
        TypeError: no message.
        ValueError: inputs that are left open, or nodes that don't go together. Nothing is added then.
        KeyError: a collection names what is not in the graph.
    """
    meta = own(protos.MetaGraphDef, meta_graph_def, "meta_graph_def")
    if unbound_inputs_col_name and unbound_inputs_col_name in meta.collection_def:
        _check_bound([value.decode() for value in meta.collection_def[unbound_inputs_col_name].bytes_list.value], input_map or {})
    graph = graph or defaults.get_default_graph()
    with graph.as_default():
        nodes = protos.GraphDef()
        nodes.CopyFrom(meta.graph_def)
        for node in nodes.node if clear_devices else ():
            node.device = ""
        scope = graph.unique_name(import_scope or "", mark_as_used=False)
        info = meta.meta_info_def
        returned = add_nodes(
            nodes,
            name=import_scope or scope,
            input_map=input_map,
            producer_op_list=info.stripped_op_list if info.HasField("stripped_op_list") else None,
            return_elements=return_elements,
            keeps_new_attrs=True,
        )
        restore_collections(graph, meta, scope, lambda key: key != unbound_inputs_col_name and restore_collections_predicate(key))
        variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope)
    return {strip_name_scope(variable.name, scope): variable for variable in variables}, returned


def _check_bound(unbound: Sequence[str], input_map: Mapping[Any, Any]) -> None:
    if unbound and sorted(unbound) != sorted(input_map):
        raise ValueError(f"Graph contains unbound inputs: {','.join(unbound)}. Must provide these inputs through input_map.")


def _unscope(node: protos.NodeDef, export_scope: str, unbound: list[str]) -> None:
    """Takes a scope away from all names in a node; inputs from outside are marked, and added to `unbound`."""
    for index, text in enumerate(node.input):
        if text.lstrip("^").startswith(export_scope):
            node.input[index] = strip_name_scope(text, export_scope)
        else:
            mark = "^" if text.startswith("^") else ""
            node.input[index] = f"{mark}{UNBOUND_PREFIX}{text[len(mark) :]}"
            unbound.append(node.input[index])
    node.name = strip_name_scope(node.name, export_scope)
    if "_class" in node.attr:
        groups = [group for group in node.attr["_class"].list.s if group.decode().partition("@")[2].startswith(export_scope)]
        node.attr["_class"].Clear()
        node.attr["_class"].list.s.extend([strip_name_scope(group, export_scope).encode() for group in groups])
    if node.op in ("Enter", "RefEnter") and "frame_name" in node.attr and node.attr["frame_name"].s.decode().startswith(export_scope):
        node.attr["frame_name"].s = strip_name_scope(node.attr["frame_name"].s, export_scope).encode()


def _extraneous_saver_nodes(graph_def: protos.GraphDef, saver_def: protos.SaverDef | None) -> set[str]:
    """The names of the nodes in the scopes of other savers than one; a saver's nodes have a scope of their own."""
    savers = {node.name for node in graph_def.node if node.op in _SAVE_AND_RESTORE_OPS}
    scopes = {_scope_of(name) for name in savers} - savers
    kept = {_scope_of(name) for name in (saver_def.save_tensor_name, saver_def.restore_op_name)} if saver_def is not None else set()
    prefixes = tuple(scope + "/" for scope in scopes - kept)
    return {node.name for node in graph_def.node if node.name.startswith(prefixes)} if prefixes else set()


def _scope_of(name: str) -> str:
    return name.removeprefix("^").rpartition("/")[0]
