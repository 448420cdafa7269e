"""`<prefix>.meta`: where each array lived, as a MetaGraphDef that TensorFlow imports.

    meta       := 0a varint(n) info  12 varint(n) graph  [22 varint(n) variables]        info: `_info`, the same in every file
    graph      := (0a varint(n) node)*  22 varint(n) versions
    node       := 0a varint(n) name  12 0a "VariableV2"  [22 varint(n) device]  2a varint(n) dtype  2a varint(n) shape  [2a varint(n) true_name]
    variables  := 0a 09 "variables"  12 varint(n) 12 varint(n) (0a varint(n) variable)*
    variable   := 0a varint(n) name ":0"  12 varint(n) name  1a varint(n) name ":0"  38 01

An array is one `VariableV2` node with device, dtype and shape (attributes at their defaults are stripped), and a VariableDef in the collection
"variables" whose initializer is the variable itself, for the values are in the checkpoint: `tf.compat.v1.train.import_meta_graph` makes a Saver of
them, and it restores. Two kinds of arrays have a node but stay out of the collection, so that this Saver works for all others:

- A name that TensorFlow takes for no node ("a b", "_a", "é") becomes `renamed/a_b`; the true one is in the node's attribute `_gpersist_name`,
  which TensorFlow keeps and ignores. A Saver that someone builds over such a variable looks for `renamed/a_b`, unless told the true name.
- TensorFlow (asked: 2.21) has no kernel that assigns qint16, float8, float4, int4 and int2 to a variable.

Nodes are cut from templates, for there may be many thousands; a property test holds that equal to protobuf's own encoding.
Source: TensorFlow `meta_graph.proto`, `graph.proto`, `variable.proto`; `saver.py` (`import_meta_graph`), `node_def_util.cc` (names).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import string
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from gpersist.bundle import HEAD_BYTES, TensorSlice, parse_shape_and_slice, stand_in
from gpersist.dtypes import DType, from_enum, from_name
from gpersist.errors import DataLossError, InvalidArgumentError
from gpersist.protos import GraphDef, MetaGraphDef, NodeDef, parse
from gpersist.shapes import Shape, element_count
from gpersist.table import encode_varint

_TRUE_NAME = "_gpersist_name"
_FIRST_LETTERS = frozenset(string.ascii_letters + string.digits + ".")
_LETTERS = (string.ascii_letters + string.digits + "._/>-").encode()
_NODE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_./>-]*")
_NOT_LETTER = re.compile(r"[^A-Za-z0-9_./>-]")
_NO_ASSIGN = "qint16 float8_e5m2 float8_e4m3fn float8_e4m3fnuz float8_e4m3b11fnuz float8_e5m2fnuz float4_e2m1fn int4 uint4 int2 uint2"
_NOT_ASSIGNED = frozenset(from_name(name).enum for name in _NO_ASSIGN.split())

_VARIABLE_OPS = frozenset({"VariableV2", "Variable", "VarHandleOp", "AutoReloadVariable"})
_FIRST_TENSOR = {"SaveV2": 3, "SaveSlices": 3, "Save": 2}  # the inputs before it: prefix, names, and shapes and slices
_PASS_ON = frozenset({"Identity", "RefIdentity", "ReadVariableOp"})


_TEXT = re.compile(rb"\s*(meta_info_def|graph_def)\s*\{")
"""How a MetaGraphDef begins that was exported as text."""


def encode_meta(names: Sequence[str], dtypes: Sequence[DType], shapes: Sequence[Shape], devices: Sequence[str]) -> bytes:
    """Writes a MetaGraphDef with one variable node an array.

    Args:
        names: the arrays' names in the checkpoint, each of them once; text that came from bytes by "surrogateescape" goes back to them.
        dtypes: element type of each.
        shapes: shape of each; for a partitioned array, that of the full one.
        devices: where each lived, `/device:GPU:0`; empty where nobody says.

    Returns:
        What to write to `<prefix>.meta`; the same bytes for the same arguments.
    """
    nodes: list[bytes] = []
    variables: list[bytes] = []
    for name, node_name, dtype, shape, device in zip(names, _node_names(names), dtypes, shapes, devices, strict=True):
        encoded = node_name.encode("ascii")
        if name is node_name:
            node, variable = _templates(len(encoded), dtype.enum, shape, device)
            nodes.append(node % encoded)
            if variable:
                variables.append(variable % (encoded, encoded, encoded))
        else:
            nodes.append(_node_template(len(encoded), dtype.enum, shape, device, name) % encoded)
    nodes.append(_versions())
    size_bytes = sum(map(len, variables))
    collection = _open(b"\x22", size_bytes, _field(b"\x0a", b"variables") + _open(b"\x12", size_bytes, _open(b"\x12", size_bytes)))
    return b"".join([_info(), _open(b"\x12", sum(map(len, nodes))), *nodes, *([collection, *variables] if variables else [])])


def decode_devices(meta: bytes, where: str) -> dict[str, str]:
    """Reads from any `.meta` where its variables lived; the bytes may be hostile.

    Args:
        meta: the whole file, of gpersist or of any version of TensorFlow.
        where: the file's name, for the error: "'x.meta'".

    Returns:
        The device string, as it is written there, of each variable by its name in the checkpoint: the name under which a Saver of that file
        stores it, else that of its node, else a resource variable's `shared_name`. Empty where the file says nothing; where a variable is only
        colocated with another node, that node's; of a partitioned variable, that of the part which is saved first.

    Raises:
        DataLossError: the bytes are no MetaGraphDef.
    """
    variables = _read(meta, where)
    shared = {text: variables.devices[node.name] for node in variables.handles if (text := _text(node.attr["shared_name"].s))}
    named = variables.devices
    if variables.true_names:
        named = {variables.true_names.get(name, name): device for name, device in named.items()}
    return shared | named | {name: variables.devices[saved.node] for name, saved in (variables.others | variables.own).items()}


def decode_part_devices(meta: bytes, where: str) -> dict[str, dict[TensorSlice, str]]:
    """Reads from any `.meta` where the parts of partitioned variables lived, by name in the checkpoint; see `decode_devices`.

    Raises:
        DataLossError: the bytes are no MetaGraphDef.
    """
    variables = _read(meta, where)
    found: dict[str, dict[TensorSlice, str]] = {}
    for name, saved in variables.parts:
        with contextlib.suppress(InvalidArgumentError):  # a slice that makes no sense is none that a checkpoint has
            found.setdefault(name, {}).setdefault(TensorSlice.parse(saved.shape_and_slice.rpartition(" ")[2]), variables.devices[saved.node])
    return found


class VariableInfo(NamedTuple):
    """A variable of a graph.

    Attributes:
        dtype: element type.
        shape: of a partitioned variable, that of the full one; None where the graph does not know it before it runs.
        device: where it lived, as `decode_devices` tells it.
    """

    dtype: DType
    shape: Shape | None
    device: str


def decode_variables(meta: bytes, where: str) -> dict[str, VariableInfo]:
    """Reads from any `.meta` the variables that its checkpoint has, with no checkpoint at hand; the bytes may be hostile.

    Args:
        meta: the whole file, of gpersist or of any version of TensorFlow.
        where: the file's name, for the error: "'x.meta'".

    Returns:
        By name in the checkpoint, in the order of the names' bytes: what the file's own Saver saves; where it has none, what other Savers in it save;
        where there is none at all, every variable. What a Saver saves that is no variable (a lookup table, say) is left out.

    Raises:
        DataLossError: the bytes are no MetaGraphDef, or a variable's dtype or shape makes no sense.
    """
    variables = _read(meta, where)
    nodes = {node.name: node for node in variables.graph.node if node.op in _VARIABLE_OPS}
    saved = variables.own or variables.others or {variables.true_names.get(name, name): _Saved(name, "") for name in nodes}
    found = {}
    for name in sorted(saved, key=lambda name: name.encode("utf-8", "surrogateescape")):
        node, shape_and_slice = saved[name]
        try:
            found[name] = VariableInfo(*_kind(nodes[node], shape_and_slice), variables.devices[node])
        except InvalidArgumentError as error:
            raise DataLossError(f"variable {name!r} in {where}: {error.message}; the file is damaged: use another copy") from error
    return found


class SavedAs(NamedTuple):
    """What a variable's node is in the checkpoint.

    Attributes:
        name: of the tensor.
        part: which part of it, as `"10 2 0,5:0,2"`; empty for the whole.
    """

    name: str
    part: str


def saved_as(meta: MetaGraphDef) -> dict[str, SavedAs]:
    """Under which names the Savers of a MetaGraphDef save the variables of its graph, by the names of their nodes.

    A variable that more than one of them saves has the name that the MetaGraphDef's own Saver gives it; one that none saves, its node's.
    """
    graph = meta.graph_def
    variables = {node.name: _own_name(node) for node in graph.node if node.op in _VARIABLE_OPS}
    found = {name: SavedAs(own, "") for name, own in variables.items()}
    scope = meta.saver_def.filename_tensor_name.rpartition("/")[0] + "/"
    told = list(_saved([node for node in graph.node if node.op in _FIRST_TENSOR], variables, graph))
    told.sort(key=lambda row: not row[0].startswith(scope))
    for _, name, saved in reversed(told):  # the first one stays
        found[saved.node] = SavedAs(name, saved.shape_and_slice)
    return found


def _own_name(node: NodeDef) -> str:
    if _TRUE_NAME in node.attr:
        return _text(node.attr[_TRUE_NAME].s)
    return (_text(node.attr["shared_name"].s) if node.op == "VarHandleOp" else "") or node.name


class _Saved(NamedTuple):
    """What a save operation saves: a variable's node, and which part of what it is; empty for the whole."""

    node: str
    shape_and_slice: str


class _Variables(NamedTuple):
    """The variables of a graph.

    Attributes:
        graph: all of it.
        devices: of each, by the name of its node; colocation is followed.
        handles: nodes of those that are resource variables.
        true_names: of those that gpersist has renamed.
        own: what the file's own Saver saves, by name in the checkpoint.
        others: the same of all other Savers together.
        parts: (name, part) of all parts that are saved, the own Saver's first.
    """

    graph: GraphDef
    devices: dict[str, str]
    handles: list[NodeDef]
    true_names: dict[str, str]
    own: dict[str, _Saved]
    others: dict[str, _Saved]
    parts: list[tuple[str, _Saved]]


def _read(meta: bytes, where: str) -> _Variables:
    if kind := stand_in(bytes(meta[:HEAD_BYTES])):
        raise DataLossError(f"{where} is {kind}")
    if _TEXT.match(meta):
        raise DataLossError(
            f"{where} is protobuf's text format, which import_meta_graph and gpersist graph read, but not what looks for devices; "
            "export it again without as_text"
        )
    proto = parse(MetaGraphDef, meta, where)
    graph = proto.graph_def
    devices: dict[str, str] = {}
    handles: list[NodeDef] = []
    savers: list[NodeDef] = []
    for node in graph.node:
        op = node.op
        if op in _VARIABLE_OPS:
            devices[node.name] = node.device
            if op == "VarHandleOp":
                handles.append(node)
        elif op in _FIRST_TENSOR:
            savers.append(node)
    if "" in devices.values() and b"loc:@" in meta:
        devices |= _colocated([name for name, device in devices.items() if not device], graph)
    own: dict[str, _Saved] = {}
    others: dict[str, _Saved] = {}
    parts: tuple[list[tuple[str, _Saved]], list[tuple[str, _Saved]]] = ([], [])
    if savers:
        scope = proto.saver_def.filename_tensor_name.rpartition("/")[0] + "/"
        for saver, saved_as, saved in _saved(savers, devices, graph):
            is_own = saver.startswith(scope)
            (own if is_own else others).setdefault(saved_as, saved)
            if saved.shape_and_slice:
                parts[not is_own].append((saved_as, saved))
    true_names = {}
    if _TRUE_NAME.encode() in meta:
        true_names = {node.name: _text(node.attr[_TRUE_NAME].s) for node in graph.node if _TRUE_NAME in node.attr}
    return _Variables(graph, devices, handles, true_names, own, others, parts[0] + parts[1])


def _kind(node: NodeDef, shape_and_slice: str) -> tuple[DType, Shape | None]:
    """Element type and shape of a variable; the saved part tells the shape of the whole.

    Raises:
        InvalidArgumentError: there is no such type, or no such shape.
    """
    dtype = from_enum(node.attr["dtype"].type)
    if shape_and_slice:
        return dtype, parse_shape_and_slice(shape_and_slice)[0]
    if "shape" not in node.attr:
        return dtype, None
    proto = node.attr["shape"].shape
    shape = tuple(dim.size for dim in proto.dim)
    if proto.unknown_rank or -1 in shape:
        return dtype, None
    element_count(shape)
    return dtype, shape


def _node_names(names: Sequence[str]) -> Sequence[str]:
    """The very same strings where TensorFlow takes them as names of nodes, unique others where it does not."""
    text = "".join(names)
    if text.isascii() and not text.encode().translate(None, _LETTERS) and {name[:1] for name in names}.issubset(_FIRST_LETTERS):
        return names
    taken = set(names)
    counts: dict[str, int] = {}
    found = []
    for name in names:
        node_name = name
        if not _NODE_NAME.fullmatch(name):
            wanted = node_name = "renamed/" + _NOT_LETTER.sub("_", name)
            while node_name in taken:
                counts[wanted] = counts.get(wanted, 0) + 1
                node_name = f"{wanted}_{counts[wanted]}"
            taken.add(node_name)
        found.append(node_name)
    return found


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + encode_varint(len(content)) + content


def _open(tag: bytes, size_bytes: int, content: bytes = b"") -> bytes:
    """The start of a field: its tag, its length, and the content that `size_bytes` more bytes will follow."""
    return tag + encode_varint(len(content) + size_bytes) + content


@functools.lru_cache(maxsize=8192)
def _templates(name_bytes: int, enum: int, shape: Shape, device: str) -> tuple[bytes, bytes]:
    """`node` and `variable` with %b for a name of so many bytes, once and three times; `variable` is empty where TensorFlow cannot restore it."""
    name, tensor = encode_varint(name_bytes), encode_varint(name_bytes + 2)
    variable = _template(b"\x0a" + tensor, b":0\x12" + name, b"\x1a" + tensor, b":0\x38\x01", name_bytes=name_bytes)
    return _node_template(name_bytes, enum, shape, device), b"" if enum in _NOT_ASSIGNED else variable


def _node_template(name_bytes: int, enum: int, shape: Shape, device: str, true_name: str | None = None) -> bytes:
    tail = b"\x12\x0aVariableV2"
    if device:
        tail += _field(b"\x22", device.encode())
    tail += _attribute(b"dtype", b"\x30" + encode_varint(enum))
    tail += _attribute(b"shape", _field(b"\x3a", b"".join(_field(b"\x12", b"\x08" + encode_varint(size)) for size in shape)))
    if true_name is not None:
        tail += _attribute(_TRUE_NAME.encode(), _field(b"\x12", true_name.encode("utf-8", "surrogateescape")))
    return _template(b"\x0a" + encode_varint(name_bytes), tail, name_bytes=name_bytes)


def _template(*parts: bytes, name_bytes: int) -> bytes:
    """A repeated field 1 made of the parts and of a name, %b, between each two of them."""
    size_bytes = sum(map(len, parts)) + (len(parts) - 1) * name_bytes
    return b"%b".join(part.replace(b"%", b"%%") for part in (b"\x0a" + encode_varint(size_bytes) + parts[0], *parts[1:]))


def _attribute(key: bytes, value: bytes) -> bytes:
    return _field(b"\x2a", _field(b"\x0a", key) + _field(b"\x12", value))


@functools.cache
def _info() -> bytes:
    """What stands before the graph: who wrote the file, and the one operation in it."""
    meta = MetaGraphDef()
    info = meta.meta_info_def
    info.tensorflow_version = "1.15.0"  # whose form this is
    info.tensorflow_git_version = "gpersist"
    info.stripped_default_attrs = True
    variable = info.stripped_op_list.op.add(name="VariableV2", is_stateful=True)
    variable.output_arg.add(name="ref", type_attr="dtype", is_ref=True)
    variable.attr.add(name="shape", type="shape")
    variable.attr.add(name="dtype", type="type")
    for name in ("container", "shared_name"):
        variable.attr.add(name=name, type="string").default_value.s = b""
    return meta.SerializeToString(deterministic=True)


@functools.cache
def _versions() -> bytes:
    graph = GraphDef()
    graph.versions.producer = 134  # TensorFlow 1.15
    return graph.SerializeToString(deterministic=True)


def _colocated(unplaced: Iterable[str], graph: GraphDef) -> dict[str, str]:
    """The device of the node that each is colocated with, or with which that one is, and so on."""
    nodes = {node.name: node for node in graph.node}

    def next_node(name: str) -> str | None:
        node = nodes.get(name)
        if node is None or node.device:
            return None
        groups = (_text(group) for group in node.attr["_class"].list.s) if "_class" in node.attr else ()
        return next((group[5:] for group in groups if group.startswith("loc:@") and group[5:] != name), None)

    ends: dict[str, str] = {}
    return {name: nodes[end].device for name in unplaced if (end := _last(name, next_node, ends)) in nodes}


def _saved(savers: Iterable[NodeDef], variables: Collection[str], graph: GraphDef) -> Iterator[tuple[str, str, _Saved]]:
    """(operation, name in the checkpoint, what it is) of each variable that save operations save."""
    nodes = {node.name: node for node in graph.node}

    def next_node(name: str) -> str | None:
        node = nodes.get(name)
        return node.input[0].partition(":")[0] if node is not None and node.op in _PASS_ON and node.input else None

    def texts(saver: NodeDef, position: int) -> Sequence[bytes]:
        constant = nodes.get(saver.input[position].partition(":")[0]) if len(saver.input) > position else None
        return constant.attr["value"].tensor.string_val if constant is not None and constant.op == "Const" else ()

    ends: dict[str, str] = {}
    for saver in savers:
        first = _FIRST_TENSOR[saver.op]
        parts = itertools.chain(texts(saver, 2) if first > 2 else (), itertools.repeat(b""))
        for name, tensor, part in zip(texts(saver, 1), saver.input[first:], parts, strict=False):
            variable = _last(tensor.partition(":")[0], next_node, ends)
            if variable in variables:
                yield saver.name, _text(name), _Saved(variable, _text(part))


def _last(name: str, next_node: Callable[[str], str | None], ends: dict[str, str]) -> str:
    """Follows `next_node` to the node without a next one, or round a cycle; `ends` keeps the answers, so that all walks together are linear."""
    path = []
    following: str | None = name
    while following is not None and following not in ends:
        name = ends[following] = following
        path.append(name)
        following = next_node(name)
    end = name if following is None else ends[following]
    ends.update(dict.fromkeys(path, end))
    return end


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
