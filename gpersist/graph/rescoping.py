"""Names that move between graphs: taken out of the scope that is exported, put into the scope that is imported into."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message


def strip_name_scope(name: Any, export_scope: str | None) -> Any:
    """A name without a scope before it; `^` and `loc:@` stay. What is no text, and what is not in the scope, is given back as it is."""
    if not export_scope or not isinstance(name, (str, bytes)):
        return name
    return re.sub(rf"(\^|loc:@|^){re.escape(export_scope.removesuffix('/'))}/+(.*)", r"\1\2", _text(name), count=1)


def prepend_name_scope(name: Any, import_scope: str | None) -> Any:
    """A name with a scope before it, behind `^` and `loc:@`. What is no text is given back as it is."""
    if not import_scope or not isinstance(name, (str, bytes)):
        return name
    text = _text(name)
    start = 1 if text.startswith("^") else 5 if text.startswith("loc:@") else 0
    return f"{text[:start]}{import_scope.removesuffix('/')}/{text[start:]}"


def renamed(message: Message, rename: Callable[[str], str]) -> Any:
    """A copy of a message in which each text that is not empty, those in messages within too, is renamed; keys of maps as well."""
    copy = type(message)()
    copy.CopyFrom(message)
    _rename_within(copy, rename)
    return copy


def _rename_within(message: Any, rename: Callable[[str], str]) -> None:
    for field, value in message.ListFields():
        is_text = field.type == FieldDescriptor.TYPE_STRING
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            items = {rename(key): rename(item) if isinstance(item, str) else item for key, item in value.items()}
            value.clear()
            value.update(items)
        elif is_text and isinstance(value, str):
            setattr(message, field.name, rename(value))
        elif is_text:
            value[:] = [rename(item) for item in value]
        elif isinstance(value, Message):
            _rename_within(value, rename)
        elif field.message_type is not None:
            for item in value:
                _rename_within(item, rename)


def _text(name: str | bytes) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else name
