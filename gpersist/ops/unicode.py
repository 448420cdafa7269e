"""Text as numbers of Unicode characters and back, from one encoding to another, and n-grams of texts."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, sample
from gpersist.ops.kernels import as_array
from gpersist.ops.ragged_rows import check_splits
from gpersist.ops.texts import TextOpType, each, text_vector
from gpersist.shapes import TensorShape

__all__ = ["unicode_transcode"]

_REPLACEMENT = 0xFFFD
_FIRST_PRINTABLE = 0x20


def unicode_transcode(
    input: Any,
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = _REPLACEMENT,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Tensor:
    """Texts in another encoding (`tf.strings.unicode_transcode`).

    Args:
        input: texts.
        input_encoding: a name that Python knows; wrong ones fail at run time.
        output_encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".
        errors: of what is no text: "replace", "ignore", or "strict", which is an error.
        replacement_char: the character that takes its place.
        replace_control_characters: whether characters below 32 are such, too.
        name: of the node.
    """
    return apply(
        "UnicodeTranscode",
        input,
        input_encoding=input_encoding,
        output_encoding=output_encoding,
        errors=errors,
        replacement_char=replacement_char,
        replace_control_characters=replace_control_characters,
        name=name,
    )


_CODECS = {"utf-16": "utf-16-be", "utf-32": "utf-32-be"}
"""What ICU takes names for: with no mark, the first byte is the highest one."""


def _codec(encoding: bytes) -> str:
    name = encoding.decode("ascii", "replace")
    try:
        return _CODECS.get(found := codecs.lookup(name).name, found)
    except LookupError:
        raise InvalidArgumentError(f"Could not create converter for input encoding: {name}") from None


def _pieces(text: bytes, codec: str) -> Iterator[tuple[str | None, int, int]]:
    """The parts of a text: characters, or None for what is none, each with its first byte and the one behind its last."""
    start = 0
    while start < len(text):
        try:
            yield text[start:].decode(codec), start, len(text)
            return
        except UnicodeDecodeError as error:
            if error.start:
                yield text[start : start + error.start].decode(codec), start, start + error.start
            place = start + error.start  # to ICU, no byte of windows-1252 is nothing
            yield chr(text[place]) if codec == "cp1252" else None, place, start + max(error.end, error.start + 1)
            start += max(error.end, error.start + 1)


def _width(char: str, codec: str) -> int:
    return 1 if codec == "cp1252" else len(char.encode(codec, "surrogatepass"))


def _characters(text: bytes, codec: str, errors: bytes, replacement: int, replaces_controls: bool) -> tuple[list[int], list[int]]:
    """The numbers of a text's characters, and the byte at which each begins."""
    found: list[int] = []
    starts: list[int] = []
    for piece, start, _ in _pieces(text, codec):
        if piece is None:
            if errors == b"strict":
                raise InvalidArgumentError("Invalid formatting on input string")
            if errors == b"replace":
                found.append(replacement)
                starts.append(start)
            continue
        for char in piece:
            number = ord(char)
            if replaces_controls and number < _FIRST_PRINTABLE:
                if errors == b"strict":
                    raise InvalidArgumentError("Invalid formatting on input string")
                if errors == b"ignore":
                    start += _width(char, codec)
                    continue
                number = replacement
            found.append(number)
            starts.append(start)
            start += _width(char, codec)
    return found, starts


_DECODE_ATTRS = (
    "input_encoding: string, errors: {'strict', 'replace', 'ignore'} = 'replace', replacement_char: int = 65533, "
    "replace_control_characters: bool = false, Tsplits: {int32, int64} = int64"
)


class UnicodeDecode(OpType):
    """The numbers of texts' characters."""

    inputs = "input: string"
    outputs = "row_splits: Tsplits, char_values: int32"
    attrs = _DECODE_ATTRS
    is_host_only = True
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("string[3]", input_encoding="UTF-8"),
        sample(text_vector("zß水".encode(), b"\xffa\x01", b""), input_encoding="UTF-8", replace_control_characters=True, Tsplits="int32"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape = op._inputs[0].shape
        count = 0 if shape.rank and 0 in shape.as_list() else shape.num_elements()
        return [TensorShape([None if count is None else count + 1]), *[TensorShape([None])] * (len(op.output_types) - 1)]

    @staticmethod
    def run(
        xp: Any,
        value: Any,
        *,
        input_encoding: bytes,
        errors: bytes,
        replacement_char: int,
        replace_control_characters: bool,
        Tsplits: DType,  # noqa: N803  # TensorFlow's
    ) -> tuple[Any, ...]:
        return _decoded(value, input_encoding, errors, replacement_char, replace_control_characters, Tsplits)[:2]


def _check_replacement(number: int) -> None:
    if not 0 <= number <= 0x10FFFF:
        raise InvalidArgumentError(f"replacement_char out of unicode codepoint range: {number}")


def _decoded(value: Any, encoding: bytes, errors: bytes, replacement: int, replaces_controls: bool, splits: DType) -> tuple[Any, Any, Any]:
    _check_replacement(replacement)
    codec = _codec(encoding)
    found = [_characters(text, codec, errors, replacement, replaces_controls) for text in as_array(np, value).reshape(-1).tolist()]
    ends = np.cumsum([0] + [len(numbers) for numbers, _ in found]).astype(splits.numpy)
    numbers = np.array([number for part, _ in found for number in part], np.int32)
    return ends, numbers, np.array([start for _, part in found for start in part], np.int64)


class UnicodeDecodeWithOffsets(UnicodeDecode):
    """The numbers of texts' characters, and the byte at which each begins."""

    outputs = "row_splits: Tsplits, char_values: int32, char_to_byte_starts: int64"

    @staticmethod
    def run(
        xp: Any,
        value: Any,
        *,
        input_encoding: bytes,
        errors: bytes,
        replacement_char: int,
        replace_control_characters: bool,
        Tsplits: DType,  # noqa: N803  # TensorFlow's
    ) -> tuple[Any, ...]:
        return _decoded(value, input_encoding, errors, replacement_char, replace_control_characters, Tsplits)


_OUTPUT_CODECS = {b"UTF-8": "utf-8", b"UTF-16-BE": "utf-16-be", b"UTF-32-BE": "utf-32-be"}


def _encoded(chars: Iterable[str], codec: str) -> bytes:
    """Characters in an encoding; half a pair, which a replacement may be, is no character in UTF-8."""
    text = "".join(chars)
    if codec != "utf-8":
        return text.encode(codec, "surrogatepass")
    return text.encode() if text.isascii() else "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).encode()


class UnicodeEncode(OpType):
    """Texts of the numbers of their characters."""

    inputs = "input_values: int32, input_splits: Tsplits"
    outputs = "output: string"
    attrs = (
        "errors: {'ignore', 'replace', 'strict'} = 'replace', output_encoding: {'UTF-8', 'UTF-16-BE', 'UTF-32-BE'}, replacement_char: int = 65533, "
        "Tsplits: {int32, int64} = int64"
    )
    is_host_only = True
    samples = tuple(
        sample("int32: [122, 223, 27700, -1]", "int64: [0, 2, 2, 4]", output_encoding=encoding) for encoding in ("UTF-8", "UTF-16-BE", "UTF-32-BE")
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(1)
        count = op._inputs[1].shape.with_rank(1).as_list()[0]
        return [TensorShape([None if count is None else count - 1])]

    @staticmethod
    def run(xp: Any, values: Any, splits: Any, *, errors: bytes, output_encoding: bytes, replacement_char: int) -> Any:
        _check_replacement(replacement_char)
        check_splits(splits, len(values), "splits")
        codec = _OUTPUT_CODECS[output_encoding]
        texts = []
        for start, end in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True):
            chars = []
            for number in values[start:end].tolist():
                if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
                    if errors == b"strict":
                        raise InvalidArgumentError("Code point is out of range for Unicode, or a noncharacter.")
                    if errors == b"ignore":
                        continue
                    number = replacement_char
                chars.append(chr(number))
            texts.append(_encoded(chars, codec))
        return text_vector(*texts)


class UnicodeTranscode(TextOpType):
    """Texts in another encoding."""

    attrs = (
        "input_encoding: string, output_encoding: {'UTF-8', 'UTF-16-BE', 'UTF-32-BE'}, errors: {'strict', 'replace', 'ignore'} = 'replace', "
        "replacement_char: int = 65533, replace_control_characters: bool = false"
    )
    samples = (
        sample("string[2,3]", input_encoding="UTF-8", output_encoding="UTF-16-BE"),
        sample(text_vector(b"\xffa\x01"), input_encoding="UTF-8", output_encoding="UTF-8"),
    )

    @staticmethod
    def run(
        xp: Any,
        value: Any,
        *,
        input_encoding: bytes,
        output_encoding: bytes,
        errors: bytes,
        replacement_char: int,
        replace_control_characters: bool,
    ) -> Any:
        _check_replacement(replacement_char)
        codec, output_codec = _codec(input_encoding), _OUTPUT_CODECS[output_encoding]

        def transcoded(text: bytes) -> bytes:
            numbers, _ = _characters(text, codec, errors, replacement_char, replace_control_characters)
            return _encoded(map(chr, numbers), output_codec)

        return each(transcoded, value)


class StringNGrams(OpType):
    """Runs of texts that follow each other in a row, joined."""

    inputs = "data: string, data_splits: Tsplits"
    outputs = "ngrams: string, ngrams_splits: Tsplits"
    attrs = (
        "separator: string, ngram_widths: list(int) >= 0, left_pad: string, right_pad: string, pad_width: int, preserve_short_sequences: bool, "
        "Tsplits: {int32, int64} = int64"
    )
    is_host_only = True
    samples = tuple(
        sample(
            "string[6]",
            "int64: [0, 1, 1, 6]",
            separator=" ",
            ngram_widths=[2, 3],
            left_pad="<",
            right_pad=">",
            pad_width=width,
            preserve_short_sequences=keeps,
        )
        for width, keeps in ((0, False), (-1, False), (1, True))
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(1)
        return [TensorShape([None]), op._inputs[1].shape.with_rank(1)]

    @staticmethod
    def run(
        xp: Any,
        data: Any,
        splits: Any,
        *,
        separator: bytes,
        ngram_widths: list[int],
        left_pad: bytes,
        right_pad: bytes,
        pad_width: int,
        preserve_short_sequences: bool,
    ) -> tuple[Any, Any]:
        if any(width <= 0 for width in ngram_widths):
            raise InvalidArgumentError(f"ngram_widths must contain positive values, not {ngram_widths}")
        if splits.size:
            check_splits(splits, len(data), "data_splits")
        if not splits.size or not data.size:
            return np.full(data.shape, b"", object), splits
        found: list[bytes] = []
        ends = [0]
        for start, end in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True):
            row, before = data[start:end].tolist(), len(found)
            for width in ngram_widths:
                pads = width - 1 if pad_width < 0 else min(pad_width, width - 1)
                padded = [left_pad] * pads + row + [right_pad] * pads
                found += [separator.join(padded[at : at + width]) for at in range(len(padded) - width + 1)]
            if preserve_short_sequences and len(found) == before and row:
                if pad_width < 0:
                    raise InvalidArgumentError(f"Pad width should be >= 0 when preserve_short_sequences is True, got {pad_width}")
                found.append(separator.join([left_pad] * pad_width + row + [right_pad] * pad_width))
            ends.append(len(found))
        return text_vector(*found), np.array(ends, splits.dtype)
