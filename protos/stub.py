"""The type stub of gpersist.protos, from its descriptors.

Message classes are made at run time, so a type checker sees them only in a stub. It is written from the same descriptors instead of being `Any`:
a misspelt field of a GraphDef is then an error of `mypy`, not of a restore.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet

_HEAD = """\
# Written by protos/build.py: change protos/**/*.proto and run it again.
from collections.abc import Iterable, Mapping
from typing import ClassVar

from google.protobuf.any_pb2 import Any
from google.protobuf.internal.containers import MessageMap, RepeatedCompositeFieldContainer, RepeatedScalarFieldContainer, ScalarMap
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue

from gpersist.protos.codec import parse as parse
from gpersist.protos.codec import parse_text as parse_text
from gpersist.protos.codec import to_text as to_text

__all__ = ["parse", "parse_text", "to_text"]
"""

_Field = FieldDescriptorProto
_SCALARS = {_Field.TYPE_STRING: "str", _Field.TYPE_BYTES: "bytes", _Field.TYPE_BOOL: "bool", _Field.TYPE_FLOAT: "float", _Field.TYPE_DOUBLE: "float"}
_PACKAGES = (".google.protobuf.", ".tensorflow.error.", ".tensorflow.serving.", ".tensorflow.")


def stub(files: FileDescriptorSet) -> str:
    """The whole stub; types in the order of the set, formatted as `ruff format` does."""
    lines = [_HEAD.rstrip("\n")]
    for file in files.file:
        for enum in file.enum_type:
            values = (f"    {value.name}: int" for value in enum.value)
            lines += ["", f"class _{enum.name}(EnumTypeWrapper):", *values, "", f"{enum.name}: _{enum.name}"]
        for message in file.message_type:
            lines += ["", *_message(message, f".{file.package}.{message.name}")]
    return "\n".join(lines) + "\n"


def _message(message: DescriptorProto, full_name: str) -> Iterator[str]:
    entries = {f"{full_name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    yield f"class {message.name}(Message):"
    for nested in message.nested_type:
        if not nested.options.map_entry:
            yield from _indented(_message(nested, f"{full_name}.{nested.name}"))
            yield ""
    for enum in message.enum_type:
        yield from _indented(_nested_enum(enum))
    fields = [_Typed(field, entries.get(field.type_name)) for field in message.field]
    yield from (f"    {field.name}: {field.type}" for field in fields if field.settable)
    for field in fields:
        if not field.settable:
            yield "    @property"
            yield f"    def {field.name}(self) -> {field.type}: ..."
    if fields:
        yield "    def __init__("
        yield "        self,"
        yield "        *,"
        yield from (f"        {field.name}: {field.argument} | None = ...," for field in fields)
        yield "    ) -> None: ..."
    else:
        yield "    def __init__(self) -> None: ..."


def _nested_enum(enum: EnumDescriptorProto) -> Iterator[str]:
    yield f"{enum.name}: ClassVar[EnumTypeWrapper]"
    yield from (f"{value.name}: ClassVar[int]" for value in enum.value)


class _Typed:
    """A field's Python types: as an attribute, and as an argument of the constructor."""

    def __init__(self, field: FieldDescriptorProto, map_entry: DescriptorProto | None) -> None:
        self.name = field.name
        element, is_message = _element(field), field.type == _Field.TYPE_MESSAGE
        self.settable = not is_message and field.label != _Field.LABEL_REPEATED
        if map_entry is not None:
            key, value = map_entry.field
            kind = "MessageMap" if value.type == _Field.TYPE_MESSAGE else "ScalarMap"
            self.type = f"{kind}[{_element(key)}, {_element(value)}]"
            self.argument = f"Mapping[{_element(key)}, {_element(value)}]"
        elif field.label == _Field.LABEL_REPEATED:
            kind = "RepeatedCompositeFieldContainer" if is_message else "RepeatedScalarFieldContainer"
            self.type = f"{kind}[{element}]"
            self.argument = f"Iterable[{element}]"
        else:
            self.type = self.argument = element


def _element(field: FieldDescriptorProto) -> str:
    """The type of one value; enums and every integer are `int`."""
    if field.type != _Field.TYPE_MESSAGE:
        return _SCALARS.get(field.type, "int")
    return next(field.type_name.removeprefix(package) for package in _PACKAGES if field.type_name.startswith(package))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" if line else line for line in lines)
