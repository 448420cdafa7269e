"""Prints real TensorFlow's schema, one fact a line, sorted: `python ask_tensorflow.py NAME.proto...` with an interpreter that has TensorFlow.

Stands alone, because that interpreter has no gpersist; the tests use `describe` for gpersist's own files.
"""

import importlib
import sys

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto

TYPES = {number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()}
UNPACKABLE = {FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP}


def describe(file):
    """Every fact of a FileDescriptorProto that bytes or text depend on, as lines "name = fact"."""
    syntax = file.syntax or "proto2"
    yield f"{file.name} = {syntax}, package {file.package}, imports {' '.join(sorted(file.dependency))}".rstrip()
    for enum in file.enum_type:
        yield from _enum(enum, file.package)
    for message in file.message_type:
        yield from _message(message, file.package, syntax)


def _enum(enum: EnumDescriptorProto, scope):
    name = f"{scope}.{enum.name}"
    yield f"{name} = enum{_reserved(enum, 1)}"
    yield from (f"{name}.{value.name} = {value.number}" for value in enum.value)


def _message(message: DescriptorProto, scope, syntax):
    name = f"{scope}.{message.name}"
    yield f"{name} = {'map entry' if message.options.map_entry else 'message'}{_reserved(message, 0)}"
    for field in message.field:
        yield f"{name}.{field.name} = {' '.join(_field(field, message, syntax))}"
    for enum in message.enum_type:
        yield from _enum(enum, name)
    for nested in message.nested_type:
        yield from _message(nested, name, syntax)


def _field(field: FieldDescriptorProto, message, syntax):
    repeated = field.label == FieldDescriptorProto.LABEL_REPEATED
    yield str(field.number)
    if repeated:
        yield "repeated"
    elif field.label == FieldDescriptorProto.LABEL_REQUIRED:
        yield "required"
    yield field.type_name.removeprefix(".") or TYPES[field.type]
    if repeated and field.type not in UNPACKABLE and (field.options.packed or (syntax == "proto3" and not field.options.HasField("packed"))):
        yield "packed"
    if field.HasField("oneof_index"):
        yield f"oneof {message.oneof_decl[field.oneof_index].name}"
    if field.HasField("default_value"):
        yield f"default {field.default_value}"
    if field.options.deprecated:
        yield "deprecated"


def _reserved(item, inclusive):
    ranges = [f"{r.start} to {r.end - 1 + inclusive}" for r in item.reserved_range]
    return "".join(f", reserved {what}" for what in (*ranges, *item.reserved_name))


def main(names):
    for name in names:
        if name.startswith("tensorflow/"):  # a file of XLA's comes with those that import it
            importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    files = [FileDescriptorProto.FromString(descriptor_pool.Default().FindFileByName(name).serialized_pb) for name in names]
    print(*sorted(line for file in files for line in describe(file)), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
