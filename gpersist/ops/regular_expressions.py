"""Text matched and replaced by regular expressions: RE2's, whose time is in proportion to the text whatever the pattern."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, Tensor, apply, sample
from gpersist.ops import shape_functions
from gpersist.ops.kernels import check_scalars
from gpersist.ops.texts import TextOpType, each, scalar
from gpersist.shapes import TensorShape

__all__ = ["regex_full_match", "regex_replace"]


class RegexReplace(TextOpType):
    """Text with what a pattern matches replaced."""

    inputs = "input: string, pattern: string, rewrite: string"
    attrs = "replace_global: bool = true"
    samples = (sample("string[2]", b"t(e)", b"\\1!"), sample("string[]", b"t", b"s", replace_global=False))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalars(op)
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Any, pattern: Any, rewrite: Any, *, replace_global: bool) -> Any:
        check_scalars(pattern=pattern, rewrite=rewrite)
        return _replaced(value, scalar(pattern)[()], scalar(rewrite)[()], replace_global)


class StaticRegexReplace(TextOpType):
    """Text with what a pattern matches replaced."""

    attrs = "pattern: string, rewrite: string, replace_global: bool = true"
    samples = (sample("string[2]", pattern="t(e)", rewrite="\\1!"), sample("string[]", pattern="t", rewrite="s", replace_global=False))

    @staticmethod
    def run(xp: Any, value: Any, *, pattern: bytes, rewrite: bytes, replace_global: bool) -> Any:
        return _replaced(value, pattern, rewrite, replace_global)


class RegexFullMatch(TextOpType):
    """Whether a pattern matches a text as a whole."""

    inputs = "input: string, pattern: string"
    outputs = "output: bool"
    samples = (sample("string[2]", b"text .*"),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _check_scalars(op)
        return [op._inputs[0].shape]

    @staticmethod
    def run(xp: Any, value: Any, pattern: Any) -> Any:
        check_scalars(pattern=pattern)
        return _matched(value, scalar(pattern)[()])


class StaticRegexFullMatch(TextOpType):
    """Whether a pattern matches a text as a whole."""

    outputs = "output: bool"
    attrs = "pattern: string"
    samples = (sample("string[2]", pattern="text .*"),)
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Any, *, pattern: bytes) -> Any:
        return _matched(value, pattern)


def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Tensor:  # TensorFlow's name
    r"""Text with what a pattern matches replaced (`tf.regex_replace`).

    Args:
        input: text.
        pattern: in RE2's syntax; text, or a tensor.
        rewrite: what it is replaced by: `\1` for what the first group has matched, `\0` for all; text, or a tensor.
        replace_global: whether each match is replaced, or only the first.
        name: of the node.
    """
    if isinstance(pattern, (bytes, str)) and isinstance(rewrite, (bytes, str)):
        return apply("StaticRegexReplace", input, pattern=pattern, rewrite=rewrite, replace_global=replace_global, name=name)
    return apply("RegexReplace", input, pattern, rewrite, replace_global=replace_global, name=name)


def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """Whether a pattern matches a text as a whole (`tf.strings.regex_full_match`)."""
    if isinstance(pattern, (bytes, str)):
        return apply("StaticRegexFullMatch", input, pattern=pattern, name=name)
    return apply("RegexFullMatch", input, pattern, name=name)


def _check_scalars(op: Operation) -> None:
    for tensor in op._inputs[1:]:
        if tensor.shape.rank not in (None, 0):
            raise ValueError(f"Shape must be rank 0 but is rank {tensor.shape.rank}")


def _replaced(value: Any, pattern: bytes, rewrite: bytes, replace_global: bool) -> Any:
    compiled = _compiled(pattern)
    pieces = _pieces(rewrite)
    if any(isinstance(piece, int) and piece > compiled.groups for piece in pieces):
        return scalar(value)  # RE2 then replaces nothing
    if not replace_global and pieces[-1:] == [None]:
        return scalar(value)  # likewise
    return each(lambda text: _rewritten(compiled, pieces, text, replace_global), value)


def _pieces(rewrite: bytes) -> list[bytes | int | None]:
    """A text of a replacement: plain parts, groups; None where it is not to be understood, and ends."""
    found: list[bytes | int | None] = []
    position = 0
    for escape in _ESCAPE.finditer(rewrite):
        found.append(rewrite[position : escape.start()])
        position, mark = escape.end(), escape[1]
        if not (mark.isdigit() or mark == b"\\"):
            return [*found, None]
        found.append(int(mark) if mark.isdigit() else mark)
    return [*found, rewrite[position:]]


_ESCAPE = re.compile(rb"\\(.|$)", re.DOTALL)


def _rewritten(compiled: Any, pieces: list[bytes | int | None], text: bytes, replace_global: bool) -> bytes:
    parts: list[bytes] = []
    start, last_end = 0, -1
    while start <= len(text):
        found = compiled.search(text, start)
        if found is None:
            break
        parts.append(text[start : found.start()])
        start = found.end()
        if found.start() == start == last_end:  # RE2 takes no empty match right behind another one
            parts.append(text[start : start + _rune_length(text, start)])
            start += _rune_length(text, start)
            continue
        parts += [piece if isinstance(piece, bytes) else found[piece] or b"" for piece in pieces if piece is not None]
        last_end = start
        if not replace_global:
            break
    return b"".join([*parts, text[start:]])


def _rune_length(text: bytes, start: int) -> int:
    """The length of a character of UTF-8 in bytes; 1 of what is none."""
    first = text[start] if start < len(text) else 0
    length = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    try:
        text[start : start + length].decode()
    except UnicodeDecodeError:
        return 1
    return length


def _matched(value: Any, pattern: bytes) -> Any:
    compiled = _compiled(pattern)
    return each(lambda text: compiled.fullmatch(text) is not None, value, np.bool_)


@functools.lru_cache(maxsize=128)
def _compiled(pattern: bytes) -> Any:
    import re2  # takes a while, and few graphs have expressions

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise InvalidArgumentError(f"Invalid pattern: {pattern.decode(errors='replace')}, error: {_text(error)}") from None


def _text(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
