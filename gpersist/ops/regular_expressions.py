"""Text matched and replaced by regular expressions, in RE2's syntax, which is translated into Python's."""

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
    template = _ESCAPE.sub(lambda found: "\\\\" if found[1] == "\\" else f"\\g<{found[1]}>", _decoded(rewrite))
    if any(int(group) > compiled.groups for group in re.findall(r"\\g<(\d+)>", template)):
        return scalar(value)  # RE2 then replaces nothing
    return each(lambda text: _rewritten(compiled, template, _decoded(text), replace_global).encode("utf-8", "surrogateescape"), value)


def _rewritten(compiled: re.Pattern[str], template: str, text: str, replace_global: bool) -> str:
    parts: list[str] = []
    end = 0
    is_first = True
    for found in compiled.finditer(text):
        if not is_first and found.start() == found.end() == end:
            continue  # RE2 takes no empty match right behind another one
        parts += [text[end : found.start()], found.expand(template)]
        end, is_first = found.end(), False
        if not replace_global:
            break
    return "".join([*parts, text[end:]])


def _matched(value: Any, pattern: bytes) -> Any:
    compiled = _compiled(pattern)
    return each(lambda text: compiled.fullmatch(_decoded(text)) is not None, value, np.bool_)


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


_ESCAPE = re.compile(r"\\(\\|\d)")

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}

_TOKEN = re.compile(r"\\Q(?P<literal>.*?)(?:\\E|$)|\\z|\\.|\[:(?P<class>\w+):\]|\$|\[\^?\]?|\]", re.DOTALL)


@functools.lru_cache(maxsize=128)
def _compiled(pattern: bytes) -> re.Pattern[str]:
    text = _decoded(pattern)
    is_multiline = re.search(r"\(\?\w*m", text) is not None
    inside = False

    def translated(found: re.Match[str]) -> str:
        nonlocal inside
        token = found[0]
        if found["literal"] is not None:
            return re.escape(found["literal"])
        if found["class"] is not None:
            return _CLASSES.get(found["class"], token) if inside else token
        if token == "\\z":
            return "\\Z"
        if token == "$" and not inside and not is_multiline:
            return "\\Z"  # Python's matches before a last line feed, too
        if token.startswith("[") and not inside:
            inside = True
        elif token.startswith("["):
            return token.replace("[", "\\[", 1)
        elif token == "]":
            inside = False
        return token

    try:
        return re.compile(_TOKEN.sub(translated, text), re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidArgumentError(f"Invalid pattern: {text}, error: {error}") from None
