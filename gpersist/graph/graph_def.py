"""A graph as a message: `Graph.as_graph_def`. The way back is `gpersist.graph.importing`.

Nodes are written as bytes and read as one message, in a third of the time that setting their fields takes; most attributes of a graph repeat, and
their bytes are kept.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType
from gpersist.graph import attr_value
from gpersist.shapes import TensorShape
from gpersist.table import encode_varint

if TYPE_CHECKING:
    from gpersist.graph.graph import Graph
    from gpersist.graph.operation import Operation

MAX_BYTES = 2**31 - 1
"""The largest message that protobuf takes."""


def export(graph: Graph, *, from_version: int = 0, add_shapes: bool = False, sorts_controls: bool = True) -> protos.GraphDef:
    """The message of a graph.

    Nodes stand in the order in which they were made.

    Args:
        graph: to be exported.
        from_version: leave out this many of the first operations.
        add_shapes: give each node with outputs an attribute `_output_shapes`.
        sorts_controls: whether control inputs stand in the order of their names, as TensorFlow writes graphs, or as they were added.

    Raises:
        ValueError: it would be larger than 2 GB.
    """
    ops = graph._nodes[from_version:]
    check_size(ops)
    parts: list[bytes] = []
    for op in ops:
        controls = op._control_inputs
        node = encode_node(
            op,
            sorted(controls, key=lambda found: found.name) if sorts_controls and len(controls) > 1 else controls,
            with_shapes=add_shapes and bool(op._outputs) and (op.op_type is not None or not op.has_attr("_output_shapes")),
        )
        parts += (b"\x0a", encode_varint(len(node)), node)
    message = protos.GraphDef(versions=graph.versions)
    encoded = b"".join(parts)
    if len(encoded) > MAX_BYTES:
        raise _too_large(len(encoded), ops)
    message.MergeFromString(encoded)
    if graph._library.function:
        message.library.CopyFrom(graph._library)
    return message


def encode_node(op: Operation, control_inputs: Iterable[Operation], with_shapes: bool = False) -> bytes:
    """The bytes of a node's message.

    Args:
        op: the node.
        control_inputs: its control inputs, in the order in which they are written.
        with_shapes: whether it gets an attribute `_output_shapes`.
    """
    parts = [_text(b"\x0a", op._name), _text(b"\x12", op._type)]
    for tensor in op._inputs:
        name = tensor._op._name
        parts.append(_text(b"\x1a", f"{name}:{tensor._value_index}" if tensor._value_index else name))
    parts += [_text(b"\x1a", f"^{other._name}") for other in control_inputs]
    if op._device:
        parts.append(_text(b"\x22", op._device))
    kinds = op.signature.by_name if op.signature is not None else {}
    for name, value in op._attrs.items():
        if with_shapes and name == "_output_shapes":
            continue
        known = kinds.get(name)
        parts.append(_attribute(name, value, known.kind if known is not None else None))
    if with_shapes:
        parts.append(_shapes_attribute(tuple([tensor._shape for tensor in op._outputs])))
    return b"".join(parts)


def check_size(ops: Iterable[Operation]) -> None:
    """Holds, before any work is done, that the constants of a graph are not too large for one message.

    Raises:
        ValueError: they are larger than 2 GB; names the largest.
    """
    size_bytes = sum(_constant_bytes(op) for op in ops if op._type == "Const")
    if size_bytes > MAX_BYTES:
        raise _too_large(size_bytes, ops)


def _too_large(size_bytes: int, ops: Iterable[Operation]) -> ValueError:
    constants = sorted(((_constant_bytes(op), op._name) for op in ops if op._type == "Const"), reverse=True)[:3]
    largest = ", ".join(f"{name!r} with {count} bytes" for count, name in constants)
    return ValueError(
        f"GraphDef cannot be larger than 2GB: this one would have {size_bytes} bytes. Its largest constants are {largest}: make them variables, or "
        "feed them."
    )


def _constant_bytes(op: Operation) -> int:
    value = op._attrs.get("value")
    if isinstance(value, np.ndarray):
        return value.nbytes if any(value.strides) else value.itemsize
    return value.ByteSize() if isinstance(value, protos.AttrValue) else 0


_IMMUTABLE = (bool, int, bytes, DType, TensorShape)
_LONGEST_KEPT = 64


def _attribute(name: str, value: Any, kind: str | None) -> bytes:
    if isinstance(value, protos.AttrValue):
        return _entry(name, value.SerializeToString())
    if isinstance(value, _IMMUTABLE):
        if not isinstance(value, bytes) or len(value) <= _LONGEST_KEPT:
            return _repeated_attribute(name, value, kind, type(value).__name__)
    elif isinstance(value, list) and value and len(value) <= _LONGEST_KEPT and isinstance(value[0], _IMMUTABLE):
        return _repeated_attribute(name, tuple(value), kind, type(value[0]).__name__)
    return _entry(name, attr_value.encode(value, kind).SerializeToString())


@functools.lru_cache(maxsize=16384)
def _repeated_attribute(name: str, value: Any, kind: str | None, of: str) -> bytes:  # `of`: True and 1 are equal, but not the same
    return _entry(name, attr_value.encode(list(value) if isinstance(value, tuple) else value, kind).SerializeToString())


@functools.lru_cache(maxsize=16384)
def _shapes_attribute(shapes: tuple[TensorShape, ...]) -> bytes:
    found = protos.AttrValue()
    found.list.shape.extend([attr_value.shape_proto(shape) for shape in shapes])
    return _entry("_output_shapes", found.SerializeToString())


def _entry(name: str, value: bytes) -> bytes:
    content = _text(b"\x0a", name) + b"\x12" + encode_varint(len(value)) + value
    return b"\x2a" + encode_varint(len(content)) + content


def _text(tag: bytes, text: str) -> bytes:
    encoded = text.encode()
    return tag + encode_varint(len(encoded)) + encoded
