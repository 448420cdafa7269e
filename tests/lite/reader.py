"""Reads TFLite files by the schema's tables, and tells of them what tests/golden/lite/write_lite.py tells of TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np
from flatbuffers import encode, number_types
from flatbuffers.table import Table

from gpersist.lite.flatbuffer import fields_of
from gpersist.lite.schema import LARGEST_SMALL_CODE, OPERATORS, OPTIONS, TYPES

FLAGS = {
    "bool": number_types.BoolFlags,
    "byte": number_types.Int8Flags,
    "ubyte": number_types.Uint8Flags,
    "int": number_types.Int32Flags,
    "uint": number_types.Uint32Flags,
    "long": number_types.Int64Flags,
    "float": number_types.Float32Flags,
}


def read(content: bytes) -> dict[str, Any]:
    """The file's root table."""
    assert content[4:8] == b"TFL3"
    return table("Model", Table(bytearray(content), encode.Get(number_types.UOffsetTFlags.packer_type, content, 0)))


def table(name: str, found: Table) -> dict[str, Any]:
    """A table's fields, those that are there."""
    fields: dict[str, Any] = {}
    for slot, (field, kind) in enumerate(fields_of(name)):
        offset = found.Offset(4 + 2 * slot)
        if not offset:
            continue
        place = found.Pos + offset
        if kind in FLAGS:
            fields[field] = found.Get(FLAGS[kind], place)
        elif kind == "string":
            fields[field] = found.String(place).decode()
        elif kind == "union":
            options = next(option for option, code in OPTIONS.items() if code == fields["builtin_options_type"])
            fields[field] = table(options, Table(found.Bytes, found.Indirect(place)))
        elif kind.startswith("["):
            fields[field] = vector(kind[1:-1], found, offset)
        else:
            fields[field] = table(kind, Table(found.Bytes, found.Indirect(place)))
    return fields


def vector(kind: str, found: Table, offset: int) -> Any:
    start, count = found.Vector(offset), found.VectorLen(offset)
    if kind == "ubyte":
        assert start % 16 == 0
        return bytes(found.Bytes[start : start + count])
    if kind in FLAGS:
        return [found.Get(FLAGS[kind], start + FLAGS[kind].bytewidth * index) for index in range(count)]
    return [table(kind, Table(found.Bytes, found.Indirect(start + 4 * index))) for index in range(count)]


def described(content: bytes) -> dict[str, Any]:
    model = read(content)
    (graph,) = model["subgraphs"]
    tensors = graph["tensors"]
    names = {code: name for name, (code, _) in OPERATORS.items()}
    types = {code: name.upper() for name, code in TYPES.items()}
    assert len({tensor["name"] for tensor in tensors}) == len(tensors)

    def tensor(index: int) -> Any:
        if index < 0:
            return None
        found = tensors[index]
        parts: list[Any] = [types[found["type"]], found["shape"], *([found["shape_signature"]] if "shape_signature" in found else [])]
        if "quantization" in found:
            parts.append(f"{len(found['quantization']['scale'])} scales of axis {found['quantization']['quantized_dimension']}")
        return parts

    operators = []
    for operator in graph["operators"]:
        code = model["operator_codes"][operator["opcode_index"]]
        assert code["deprecated_builtin_code"] == min(code["builtin_code"], LARGEST_SMALL_CODE)
        operators.append(
            {
                "op": names[code["builtin_code"]],
                "version": code["version"],
                "options": {camel(name): value for name, value in operator.get("builtin_options", {}).items() if value},
                "takes": [tensor(index) for index in operator["inputs"]],
                "gives": [tensor(index) for index in operator["outputs"]],
            }
        )
    inputs, outputs = ([tensors[index]["name"] for index in graph[end]] for end in ("inputs", "outputs"))
    return {"inputs": inputs, "outputs": outputs, "operators": operators}


def constants(content: bytes) -> dict[str, np.ndarray]:
    """The arrays in a file, by the names of their tensors."""
    model = read(content)
    types = {code: name for name, code in TYPES.items()}
    return {
        tensor["name"]: np.frombuffer(model["buffers"][tensor["buffer"]].get("data", b""), types[tensor["type"]]).reshape(tensor["shape"])
        for tensor in model["subgraphs"][0]["tensors"]
        if tensor["buffer"]
    }


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
