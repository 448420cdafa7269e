"""Messages of `schema.TABLES` as a FlatBuffer.

file   := u32 offset of the root table, 4 bytes of identifier, tables and vectors, written from the end to the start
table  := i32 offset of its vtable, its fields; those that are not inline are offsets, so what they point to is written before the table
vector := u32 length, elements; the contents of tensors begin at multiples of 16
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.lite.schema import IDENTIFIER, TABLES

_SCALARS = {"bool": "Bool", "byte": "Int8", "ubyte": "Uint8", "int": "Int32", "uint": "Uint32", "long": "Int64", "float": "Float32"}
_NUMPY = {"int": "<i4", "long": "<i8", "float": "<f4"}
_CONTENT_ALIGNMENT = 16
_MAX_BYTES = 2**31 - 1
_SPARE_BYTES = 1 << 16


def encode(table: str, fields: Mapping[str, Any], content_bytes: int) -> bytes:
    """The file of a root table.

    Args:
        table: its name in the schema.
        fields: their values by name, those that are None left out: numbers, texts, arrays or lists of numbers, bytes-like contents, and for tables
            dicts again; a union is a pair of its table's name and a dict.
        content_bytes: what all contents take, so that the buffer need not grow.

    Raises:
        UnimplementedError: the package `flatbuffers` is not installed.
        InvalidArgumentError: the file would be larger than 2 GB, or a number does not fit into its field.
    """
    try:
        import flatbuffers
    except ImportError as error:
        raise UnimplementedError("writing TFLite needs the package flatbuffers: pip install 'gpersist[lite]'") from error
    if content_bytes > _MAX_BYTES - _SPARE_BYTES:
        raise InvalidArgumentError(f"the TFLite file would be larger than 2 GB: its constants have {content_bytes} bytes; see post_training_quantize")
    builder = flatbuffers.Builder(content_bytes + _SPARE_BYTES)
    try:
        builder.Finish(_table(builder, table, fields), IDENTIFIER)
    except (OverflowError, TypeError) as error:
        raise InvalidArgumentError(f"a size or an attribute of the graph does not fit into TFLite's 32 bits: {error}") from error
    return bytes(builder.Output())


@functools.cache
def fields_of(table: str) -> list[tuple[str, str]]:
    """Names and types of a table's fields, by slot."""
    return [(name, kind) for name, _, kind in (text.partition(":") for text in TABLES[table].split())]


def _table(builder: Any, table: str, fields: Mapping[str, Any]) -> int:
    slots = fields_of(table)
    given = {name: value for name, value in fields.items() if value is not None}
    assert given.keys() <= {name for name, _ in slots}, (table, given)
    offsets = {name: _offset(builder, kind, given[name]) for name, kind in slots if name in given and kind not in _SCALARS}
    builder.StartObject(len(slots))
    for slot, (name, kind) in enumerate(slots):
        if name not in given:
            continue
        if kind in _SCALARS:
            getattr(builder, f"Prepend{_SCALARS[kind]}")(given[name])
        else:
            builder.PrependUOffsetTRelative(offsets[name])
        builder.Slot(slot)
    found: int = builder.EndObject()
    return found


def _offset(builder: Any, kind: str, value: Any) -> int:
    found: int
    if kind == "string":
        found = builder.CreateString(value)
    elif kind == "union":
        found = _table(builder, *value)
    elif kind == "[ubyte]":
        found = _content(builder, memoryview(value).cast("B"))
    elif kind.startswith("["):
        inner = kind[1:-1]
        found = builder.CreateNumpyVector(np.asarray(value, _NUMPY[inner])) if inner in _NUMPY else _tables(builder, inner, value)
    else:
        found = _table(builder, kind, value)
    return found


def _tables(builder: Any, table: str, items: Sequence[Mapping[str, Any]]) -> int:
    offsets = [_table(builder, table, item) for item in items]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    found: int = builder.EndVector()
    return found


def _content(builder: Any, content: memoryview) -> int:
    builder.StartVector(1, len(content), _CONTENT_ALIGNMENT)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    found: int = builder.EndVector()
    return found
