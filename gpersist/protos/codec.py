"""Bytes and text to messages and back, with errors of gpersist's own. What is read may be hostile."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from gpersist.errors import DataLossError

_M = TypeVar("_M", bound=Message)

# protobuf is C on most machines, and Python on the rest, where bad UTF-8 is a ValueError and deep nesting may be a RecursionError.
_DECODE_ERRORS = (DecodeError, ValueError, RecursionError)


def _plain(reason: object) -> str:
    """A reason of protobuf's, short and printable though it may quote the file."""
    return str(reason)[:200].encode("unicode_escape").decode("ascii")


def parse(message_class: type[_M], data: bytes | bytearray | memoryview, what: str) -> _M:
    """Reads a message from its bytes. Fields that the schema lacks are kept, and written again.

    Memory: up to 60 times the bytes read, where a hostile file is all empty submessages (measured with protobuf 7.36); callers bound `data`.

    Args:
        message_class: a class of `gpersist.protos`.
        data: all of the message's bytes.
        what: where they come from, for the error: "'x.meta'".

    Raises:
        DataLossError: these bytes are no such message: damaged, cut short, or nested deeper than protobuf's limit of 100.
    """
    try:
        return message_class.FromString(data)  # type: ignore[arg-type]  # every buffer is taken, typeshed's `bytes` notwithstanding
    except _DECODE_ERRORS as error:
        raise DataLossError(
            f"{what}: expected a serialised {message_class.DESCRIPTOR.full_name}, found {len(data)} bytes that are none ({_plain(error)}); "
            "the file is damaged, cut short or of another kind: use another copy"
        ) from error


def parse_text(message_class: type[_M], text: str | bytes, what: str) -> _M:
    """Reads a message from protobuf's text format, of a field that is there twice the last value; `google.protobuf.Any` may hold the message itself.

    Args:
        message_class: a class of `gpersist.protos`.
        text: the whole text; bytes are UTF-8.
        what: where it comes from, for the error: "'checkpoint'".

    Raises:
        DataLossError: the text is malformed, or names a field, type or enum value that the schema lacks; says line and column.
    """
    from google.protobuf import text_format  # takes longer to import than the rest of this package

    from gpersist.protos.pool import POOL

    name = message_class.DESCRIPTOR.full_name
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return text_format.Merge(text, message_class(), descriptor_pool=POOL)
    except text_format.ParseError as error:
        where = f", line {error.GetLine()}, column {error.GetColumn()}" if error.GetLine() is not None else ""
        reason = str(error).partition(" : ")[2] or str(error)
        raise DataLossError(f"{what}{where}: expected a {name} as text: {_plain(reason)}; mend that line, or use another copy") from error
    except _DECODE_ERRORS as error:
        raise DataLossError(f"{what}: expected a {name} as text, found something else ({_plain(error)}); use another copy") from error


def to_text(message: Message) -> str:
    """Writes a message in protobuf's text format, as TensorFlow's `.pbtxt` files and its file `checkpoint` have it.

    Each `google.protobuf.Any` whose type the schema knows is written as the message in it. Fields that the schema lacks are left out.

    Raises:
        DataLossError: the bytes in a `google.protobuf.Any` are not what its `type_url` says.
    """
    from google.protobuf import text_format

    from gpersist.protos.pool import POOL

    try:
        return text_format.MessageToString(message, descriptor_pool=POOL)
    except _DECODE_ERRORS as error:
        raise DataLossError(
            f"{message.DESCRIPTOR.full_name}: a google.protobuf.Any in it holds bytes that are not of its type ({_plain(error)}); "
            "the message is damaged: read it again from another copy"
        ) from error
