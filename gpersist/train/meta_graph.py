"""MetaGraphDef files: `tf.train.export_meta_graph` and `tf.train.import_meta_graph`."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import Message

from gpersist import files, protos
from gpersist.bundle import HEAD_BYTES, describe
from gpersist.errors import CheckpointNotFoundError, DataLossError, FailedPreconditionError, UnreadableFileError
from gpersist.graph import Graph, GraphKeys, export_scoped_meta_graph, get_default_graph, import_scoped_meta_graph, own

__all__ = [
    "export_meta_graph",
    "import_meta_graph",
    "import_meta_graph_with_return_elements",
    "read_message",
    "read_meta_graph_file",
    "write_message",
]

if TYPE_CHECKING:
    from gpersist.train.saver import Saver

_LOG = logging.getLogger("gpersist")

_M = TypeVar("_M", bound=Message)

MAX_META_BYTES = 2 << 30
"""The largest file that is read: protobuf takes no message beyond."""

_SAVED_COLLECTIONS = (GraphKeys.GLOBAL_VARIABLES, GraphKeys.SAVEABLE_OBJECTS)


def export_meta_graph(
    filename: str | os.PathLike[str] | None = None,
    meta_info_def: protos.MetaGraphDef.MetaInfoDef | None = None,
    graph_def: protos.GraphDef | None = None,
    saver_def: protos.SaverDef | None = None,
    collection_list: Sequence[Any] | None = None,
    as_text: bool = False,
    graph: Graph | None = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    unbound_inputs_col_name: str | None = "unbound_inputs",
) -> protos.MetaGraphDef:
    """The message of a graph with all that belongs to it, also written to a file (`tf.train.export_meta_graph`).

    Args:
        filename: the file; its folder is made where missing. None for none.
        meta_info_def: tags, version and the like.
        graph_def: the nodes; those of `graph`, with their shapes, by default.
        saver_def: the saver.
        collection_list: names of the collections; all by default.
        as_text: whether the file is in protobuf's text format.
        graph: to be exported; the default graph by default.
        export_scope: the scope that is exported, and taken away from names; the whole graph by default.
        clear_devices: whether nodes have no devices.
        clear_extraneous_savers: whether nodes of savers other than `saver_def`'s are left out, and they themselves.
        strip_default_attrs: whether attributes that have their default values are left out.
        save_debug_info: whether a file `.debug` is written beside; it is empty, since no traces of where operations were made are kept.
        unbound_inputs_col_name: the collection that names inputs from outside of the scope; None for none.

    Returns:
        The message.

    Raises:
        TypeError: an argument of another kind.
        ValueError: it would be larger than 2 GB.
        GPersistError: the file system said no.
    """
    meta, _ = export_scoped_meta_graph(
        graph_def=graph_def,
        graph=graph,
        export_scope=export_scope,
        unbound_inputs_col_name=unbound_inputs_col_name,
        clear_devices=clear_devices,
        saver_def=saver_def,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        meta_info_def=meta_info_def,
        collection_list=collection_list,
    )
    if filename:
        path = os.fspath(filename)
        write_message(meta, path, as_text)
        if save_debug_info:
            write_message(protos.GraphDebugInfo(), os.path.splitext(path)[0] + ".debug", as_text)
    return meta


def import_meta_graph(
    meta_graph_or_file: protos.MetaGraphDef | str | os.PathLike[str],
    clear_devices: bool = False,
    import_scope: str | None = None,
    *,
    graph: Graph | None = None,
    input_map: Mapping[str | bytes, Any] | None = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
    return_elements: Sequence[str] | None = None,
) -> Saver | None:
    """Adds a graph that was exported to the default graph (`tf.train.import_meta_graph`).

    Args:
        meta_graph_or_file: the message, or its file, binary or text.
        clear_devices: whether nodes lose their devices.
        import_scope: a prefix for all names, made unique.
        graph: where to, instead of the default graph.
        input_map: tensors that take the place of the message's, by name.
        unbound_inputs_col_name: the collection that names inputs which have to be in `input_map`.
        restore_collections_predicate: gets a collection's name, and says whether it is restored.
        return_elements: names of operations and tensors that have to be there; `import_meta_graph_with_return_elements` gives them.

    Returns:
        The saver of the file; where it has none, a new one of all variables; None where there are no variables.

    Raises:
        TypeError: neither a message nor a path.
        OSError: there is no such file, or it holds no such message.
        ValueError: inputs that are left open, or nodes that don't go together. Nothing is added then.
    """
    return import_meta_graph_with_return_elements(
        meta_graph_or_file,
        clear_devices,
        import_scope,
        return_elements,
        graph=graph,
        input_map=input_map,
        unbound_inputs_col_name=unbound_inputs_col_name,
        restore_collections_predicate=restore_collections_predicate,
    )[0]


def import_meta_graph_with_return_elements(
    meta_graph_or_file: protos.MetaGraphDef | str | os.PathLike[str],
    clear_devices: bool = False,
    import_scope: str | None = None,
    return_elements: Sequence[str] | None = None,
    **options: Any,
) -> tuple[Saver | None, list[Any] | None]:
    """`import_meta_graph`, which gives the operations and tensors of `return_elements`, too."""
    meta = _message_of(meta_graph_or_file)
    variables, returned = import_scoped_meta_graph(
        meta, clear_devices=clear_devices, import_scope=import_scope, return_elements=return_elements, **options
    )
    return _saver_of(meta, import_scope, variables), returned


def read_meta_graph_file(filename: str | os.PathLike[str]) -> protos.MetaGraphDef:
    """The message of a file, binary or text.

    Raises:
        TypeError: this is no path.
        CheckpointNotFoundError: there is no such file; an OSError.
        UnreadableFileError: it holds no such message; an OSError.
    """
    return read_message(protos.MetaGraphDef, filename)


def read_message(message_class: type[_M], filename: str | os.PathLike[str]) -> _M:
    """The message of a file, binary or text; see `read_meta_graph_file`."""
    path = _path(filename)
    system = files.active()
    found = system.stat(path)
    if found is None:
        raise CheckpointNotFoundError(f"File does not exist. Received: {path}.")
    if stat.S_ISDIR(found.st_mode):
        raise FailedPreconditionError(f"{path!r} is a folder: expected a file with a {message_class.DESCRIPTOR.name}")
    content = system.read_all(path, MAX_META_BYTES)
    try:
        return protos.parse(message_class, content, repr(path))
    except DataLossError as binary:
        try:
            return protos.parse_text(message_class, content, repr(path))
        except DataLossError as text:
            kind = describe(bytes(content[:HEAD_BYTES]), len(content))
            if kind and not kind.startswith((f"a {message_class.DESCRIPTOR.name}", "text:")):  # these are damaged, and told where
                raise UnreadableFileError(f"Cannot parse file {path}: expected a {message_class.DESCRIPTOR.full_name}, but it is {kind}") from binary
            reason = text if _is_text(content) else binary
            raise UnreadableFileError(
                f"Cannot parse file {path}: {reason.message.removeprefix(f'{path!r}: ').removeprefix(f'{path!r}, ')}"
            ) from reason


def write_message(message: Message, path: str, as_text: bool) -> None:
    """Puts a file with a message in the place of whatever has its name, at once; the same bytes for the same message.

    Raises:
        ValueError: the message is larger than 2 GB.
        GPersistError: the file system said no.
    """
    files.replace(path, protos.to_text(message).encode() if as_text else message.SerializeToString(deterministic=True))


def _saver_of(meta: protos.MetaGraphDef, import_scope: str | None, variables: Mapping[str, Any]) -> Saver | None:
    from gpersist.train.saver import Saver

    if meta.HasField("saver_def"):
        scope = import_scope
        for name, variable in variables.items():
            scope = variable.name.removesuffix(name)
            break
        return Saver(saver_def=meta.saver_def, name=scope)
    default = get_default_graph()
    if any(default.get_collection(key, import_scope) for key in _SAVED_COLLECTIONS):
        return Saver()
    _LOG.info("Saver not created because there are no variables in the graph to restore")
    return None


def _message_of(meta_graph_or_file: Any) -> protos.MetaGraphDef:
    if getattr(getattr(meta_graph_or_file, "DESCRIPTOR", None), "full_name", "") == "tensorflow.MetaGraphDef":
        return own(protos.MetaGraphDef, meta_graph_or_file, "meta_graph_or_file")
    return read_meta_graph_file(meta_graph_or_file)


def _path(filename: Any) -> str:
    if isinstance(filename, bytes):
        return os.fsdecode(filename)
    if not isinstance(filename, (str, os.PathLike)):
        raise TypeError(f"expected the path of a file or a MetaGraphDef, found {filename!r}")
    return os.fspath(filename)


def _is_text(content: bytes) -> bool:
    try:
        return content[:4096].decode("utf-8", "strict").isprintable() or b"{" in content[:4096]
    except UnicodeDecodeError:
        return False
