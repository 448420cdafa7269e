"""Collections of a graph as `CollectionDef` messages, and back.

A collection whose name has a proto function is a list of serialised messages (variables, savers); any other is, by its first item, a list of bytes,
of ints, of floats, of `google.protobuf.Any`, or of the names of nodes and tensors.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf import any_pb2
from google.protobuf.message import Message

from gpersist import protos
from gpersist.graph.graph import Graph
from gpersist.graph.graph_keys import GraphKeys
from gpersist.graph.rescoping import prepend_name_scope, renamed, strip_name_scope

_LOG = logging.getLogger("gpersist")

UNBOUND_PREFIX = "$unbound_inputs_"
"""What stands before the name of an input that is not exported with those who take it."""


class _ProtoFunctions(NamedTuple):
    message: Any
    to_proto: Callable[..., Any] | None
    from_proto: Callable[..., Any] | None

    @property
    def proto_type(self) -> Any:
        """The class of the messages."""
        return getattr(protos, self.message) if isinstance(self.message, str) else self.message


_REGISTERED: dict[str, _ProtoFunctions] = {}


def register_proto_function(
    collection_name: str,
    proto_type: Any = None,
    to_proto: Callable[..., Any] | None = None,
    from_proto: Callable[..., Any] | None = None,
) -> None:
    """Says how the items of a collection become messages and are made from them again (`tf.register_proto_function`).

    Args:
        collection_name: of the collection.
        proto_type: the class of the messages; for one of ours its name will do, which reads no schema yet.
        to_proto: gets an item and `export_scope=`; gives the message, or None for an item that is not in the scope.
        from_proto: gets a message and `import_scope=`; gives the item.

    Raises:
        TypeError: a function that is none.
        KeyError: the collection has functions already.
    """
    for label, function in (("to_proto", to_proto), ("from_proto", from_proto)):
        if function and not callable(function):
            raise TypeError(f"{label} must be callable. Received type: {type(function)}.")
    if collection_name in _REGISTERED:
        raise KeyError(f"proto functions of the collection {collection_name!r} are registered already")
    _REGISTERED[collection_name] = _ProtoFunctions(proto_type, to_proto, from_proto)


def get_collection_proto_type(collection_name: str) -> Any:
    """The class of the messages of a collection; None without any."""
    found = _functions(collection_name)
    return found.proto_type if found else None


def get_to_proto_function(collection_name: str) -> Callable[..., Any] | None:
    """The function that makes messages of a collection's items; None without any."""
    found = _functions(collection_name)
    return found.to_proto if found else None


def get_from_proto_function(collection_name: str) -> Callable[..., Any] | None:
    """The function that makes a collection's items of messages; None without any."""
    found = _functions(collection_name)
    return found.from_proto if found else None


class NamesDef:
    """An item of a collection that gpersist has no class for: its message, with names that are those of the graph it is in.

    Attributes:
        message: the message.
        encoded: the bytes that it was read from, if its names are as they were there: maps in it have an order that is no other's.
    """

    def __init__(self, message: Any) -> None:
        self.message = message
        self.encoded: bytes | None = None

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The message; None outside of the scope that is exported."""
        first = next((value for field, value in self.message.ListFields() if isinstance(value, str)), "")
        if export_scope and not first.startswith(export_scope):
            return None
        return renamed(self.message, lambda name: strip_name_scope(name, export_scope)) if export_scope else self.message

    @classmethod
    def from_proto(cls, message: Any, import_scope: str | None = None) -> NamesDef:
        """The item of a message."""
        return cls(renamed(message, lambda name: prepend_name_scope(name, import_scope)) if import_scope else message)


_FALLBACKS = {
    key: _ProtoFunctions(message, NamesDef.to_proto, NamesDef.from_proto)
    for key, message in (
        (GraphKeys.COND_CONTEXT, "CondContextDef"),
        (GraphKeys.WHILE_CONTEXT, "WhileContextDef"),
        (GraphKeys.QUEUE_RUNNERS, "QueueRunnerDef"),
    )
}
"""For collections of messages that nobody has registered functions for."""


def _functions(collection_name: Any) -> _ProtoFunctions | None:
    name = collection_name.decode() if isinstance(collection_name, bytes) else collection_name
    return _REGISTERED.get(name) or _FALLBACKS.get(name)


def includes(item: Any, export_scope: str | None, exclude_nodes: Collection[Any] | None) -> bool:
    """Whether a node, or an item of a collection, is exported; what has no name always is."""
    name = item if isinstance(item, str) else getattr(item, "name", None)
    if not isinstance(name, str):
        return True
    if exclude_nodes and (name in exclude_nodes or (item.__hash__ is not None and item in exclude_nodes)):
        return False
    return name.startswith((UNBOUND_PREFIX, export_scope or ""))


def add_collection_def(
    meta_graph_def: protos.MetaGraphDef,
    key: Any,
    graph: Graph,
    export_scope: str | None = None,
    exclude_nodes: Collection[Any] | None = None,
    override_contents: Iterable[Any] | None = None,
) -> None:
    """Adds a collection of a graph to a message; one that no message can hold is left out, with a warning.

    Args:
        meta_graph_def: the message that is added to.
        key: the collection's name.
        graph: whose collection.
        export_scope: the scope that is exported and taken away from names.
        exclude_nodes: names of items that are left out.
        override_contents: items in the place of the collection's.
    """
    if not isinstance(key, (str, bytes)):
        _LOG.warning("Only collections with string type keys will be serialized. This key has %s", type(key))
        return
    items = [item for item in override_contents or graph.get_collection(key) if includes(item, export_scope, exclude_nodes)]
    if not items:
        return
    try:
        found = _encoded(items, _functions(key), export_scope)
    except Exception as error:  # whatever a caller's item or function raises: the rest of the graph is exported all the same
        _LOG.warning(
            "Issue encountered when serializing %s.\nType is unsupported, or the types of the items don't match field type in CollectionDef. "
            "Note this is a warning and probably safe to ignore.\n%s",
            key,
            error,
        )
        return
    meta_graph_def.collection_def[key if isinstance(key, str) else key.decode()].CopyFrom(found)


def _encoded(items: list[Any], functions: _ProtoFunctions | None, export_scope: str | None) -> protos.CollectionDef:
    found = protos.CollectionDef()
    if functions is not None and functions.to_proto is not None:
        for item in items:
            message = functions.to_proto(item, export_scope=export_scope)
            if message is not None:
                if message.DESCRIPTOR.full_name != functions.proto_type.DESCRIPTOR.full_name:
                    raise TypeError(f"expected a {functions.proto_type.__name__}, found a {type(message).__name__}")
                kept = None if export_scope else getattr(item, "encoded", None)
                if kept is None or functions.proto_type.FromString(kept) != message:
                    kept = message.SerializeToString()
                found.bytes_list.value.append(kept)
        return found
    first = items[0]
    if isinstance(first, (str, bytes)):
        found.bytes_list.value.extend([item.encode() if isinstance(item, str) else item for item in items])
    elif isinstance(first, int):
        found.int64_list.value.extend(items)
    elif isinstance(first, float):
        found.float_list.value.extend(items)
    elif _is_any(first):
        for item in items:
            found.any_list.value.add().MergeFromString(item.SerializeToString())
    else:
        names = [item.name for item in items]
        found.node_list.value.extend([strip_name_scope(name, export_scope) for name in names if name.startswith(export_scope or "")])
    return found


def restore_collections(
    graph: Graph,
    meta_graph_def: protos.MetaGraphDef,
    import_scope: str,
    restores: Callable[[str], bool],
) -> None:
    """Adds the collections of a message to the graph that its nodes were imported into, which is the default one.

    Args:
        graph: where to.
        meta_graph_def: the message.
        import_scope: what the names in it were prefixed with.
        restores: whether a collection of this name is restored.
    """
    keeps_trainable = _is_since_1_9(meta_graph_def.meta_info_def.tensorflow_version)
    collections: Mapping[str, protos.CollectionDef] = meta_graph_def.collection_def
    made: dict[bytes, Any] = {}  # one variable object for all collections that it is in
    for key in sorted(collections, key=lambda key: (key != GraphKeys.TRAINABLE_VARIABLES, key)):
        if not restores(key):
            continue
        kind = collections[key].WhichOneof("kind")
        if kind is None:
            _LOG.error("Cannot identify data type for collection %s. Skipping.", key)
            continue
        values = getattr(collections[key], kind).value
        functions = _functions(key)
        if functions is not None and functions.from_proto is not None and kind == "bytes_list":
            for value in values:
                item = made.get(value) if key in GraphKeys._VARIABLE_COLLECTIONS else None
                if item is None:
                    message = protos.parse(functions.proto_type, value, f"collection {key!r}")
                    if key in GraphKeys._VARIABLE_COLLECTIONS and not keeps_trainable:
                        message.trainable = key == GraphKeys.TRAINABLE_VARIABLES
                    item = functions.from_proto(message, import_scope=import_scope)
                    if key in GraphKeys._VARIABLE_COLLECTIONS:
                        made[value] = item
                    elif hasattr(item, "encoded") and not import_scope:
                        item.encoded = value
                graph.add_to_collection(key, item)
            continue
        if key in (GraphKeys.LOCAL_VARIABLES, GraphKeys.MODEL_VARIABLES, GraphKeys.METRIC_VARIABLES):
            _LOG.warning(
                "The saved meta_graph is possibly from an older release:\n'%s' collection should be of type 'byte_list', but instead is of type "
                "'%s'.",
                key,
                kind,
            )
        for value in values:
            graph.add_to_collection(key, _decoded(graph, kind, value, import_scope))


def _decoded(graph: Graph, kind: str, value: Any, import_scope: str) -> Any:
    if kind == "node_list":
        return graph.as_graph_element(prepend_name_scope(value, import_scope))
    if kind == "any_list":
        return any_pb2.Any.FromString(value.SerializeToString())
    if kind == "bytes_list":
        try:
            return prepend_name_scope(value, import_scope)
        except UnicodeDecodeError:  # bytes that are no name
            return value
    return value


def _is_any(value: Any) -> bool:
    return isinstance(value, Message) and value.DESCRIPTOR.full_name == "google.protobuf.Any"


def _is_since_1_9(version: str) -> bool:
    """Whether a TensorFlow of this version writes which variables are trainable; its word for those that leave it out, `0.12.head` too."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return not version or (found is not None and (int(found[1]), int(found[2])) >= (1, 9))
