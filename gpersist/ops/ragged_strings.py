"""Texts taken apart into ragged tensors, and put together (`tf.strings.split`, `tf.strings.ngrams`, `tf.strings.unicode_decode`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.joining import concat, stack
from gpersist.ops.ragged_tensor import RaggedTensor, rows_of
from gpersist.ops.shaping import expand_dims, reshape, shape_of
from gpersist.ops.sparse_tensor import SparseTensor

__all__ = [
    "ngrams",
    "string_bytes_split",
    "strings_split",
    "unicode_decode",
    "unicode_decode_with_offsets",
    "unicode_encode",
    "unicode_split",
    "unicode_split_with_offsets",
]


def strings_split(
    input: Any = None, sep: Any = None, maxsplit: int = -1, result_type: str = "SparseTensor", source: Any = None, name: str | None = None
) -> Any:
    """Texts taken apart at a separator, or at runs of white space (`tf.strings.split`).

    Args:
        input: texts of any shape; for a sparse result of one axis at most.
        sep: the separator; white space by default.
        maxsplit: how often at most; -1 for any number.
        result_type: "SparseTensor" or "RaggedTensor".
        source: another name of `input`.
        name: of the scope.

    Raises:
        ValueError: another `result_type`, texts given twice or not at all, or too many axes.
    """
    if source is not None:
        if input is not None:
            raise ValueError("Cannot specify both 'input' and 'source'.")
        input = source
    if input is None:
        raise ValueError("Must specify an input argument to tf.strings.split()")
    with name_scope(name, "StringSplit", [input]):
        texts = convert_to_tensor(input, "string", "input")
        if result_type == "SparseTensor" and texts.shape.rank == 0:
            texts = expand_dims(texts, 0)
        if result_type == "SparseTensor":
            if texts.shape.rank != 1:
                raise ValueError(f"input must be a vector for a SparseTensor, and is of rank {texts.shape.rank}: ask for a 'RaggedTensor'")
            return SparseTensor(*apply_op("StringSplitV2", texts, _mark(sep), maxsplit=maxsplit).outputs)
        if result_type != "RaggedTensor":
            raise ValueError("result_type must be 'RaggedTensor' or 'SparseTensor'.")
        return _split(texts, sep, maxsplit)


def _mark(sep: Any) -> Tensor:
    return convert_to_tensor("" if sep is None else sep, "string")


def _split(texts: Any, sep: Any, maxsplit: int) -> Any:
    with name_scope(None, "StringSplit", [texts]):
        if isinstance(texts, RaggedTensor):
            return texts.with_flat_values(_split(texts.flat_values, sep, maxsplit))
        count = texts.shape.rank
        if count is None:
            raise ValueError("input must have a known rank.")
        if count == 0:
            return _split(stack([texts]), sep, maxsplit)[0]
        if count == 1:
            return rows_of(apply_op("StringSplitV2", texts, _mark(sep), maxsplit=maxsplit).outputs)
        return _split(RaggedTensor.from_tensor(texts, ragged_rank=count - 1), sep, maxsplit)


def string_bytes_split(input: Any, name: str | None = None) -> Any:
    """Each text as its bytes (`tf.strings.bytes_split`), with one ragged axis more.

    Raises:
        ValueError: the number of axes is not known.
    """
    with name_scope(name, "StringsByteSplit", []):
        texts = input if isinstance(input, RaggedTensor) else convert_to_tensor(input, name="input")
        if isinstance(texts, RaggedTensor):
            return texts.with_flat_values(string_bytes_split(texts.flat_values))
        count = texts.shape.rank
        if count is None:
            raise ValueError("input must have a statically-known rank.")
        if count == 0:
            return string_bytes_split(stack([texts]))[0]
        if count == 1:
            return rows_of(apply_op("StringSplit", texts, "", skip_empty=False).outputs)
        return string_bytes_split(RaggedTensor.from_tensor(texts, ragged_rank=count - 1))


def ngrams(
    data: Any,
    ngram_width: Any,
    separator: str = " ",
    pad_values: Any = None,
    padding_width: int | None = None,
    preserve_short_sequences: bool = False,
    name: str | None = None,
) -> Any:
    """Runs of texts that follow each other in a row, joined (`tf.strings.ngrams`): ragged if `data` is, else dense.

    Args:
        data: texts; rows are along the last axis.
        ngram_width: how many texts make a run; a list for runs of several widths.
        separator: what stands between texts.
        pad_values: what rows are filled up with on both sides: a text, or a pair of them; None for nothing.
        padding_width: how many of these there are at most; one less than the width by default.
        preserve_short_sequences: whether rows too short for a run give one nevertheless.
        name: of the scope.

    Raises:
        ValueError: a width below 1, or padding without values.
        TypeError: values that are no texts.
    """
    with name_scope(name, "StringNGrams", []):
        left, right = ("", "") if pad_values is None else (pad_values, pad_values) if isinstance(pad_values, (str, bytes)) else tuple(pad_values)
        for pad in (left, right):
            if not isinstance(pad, (str, bytes)):
                raise TypeError("pad_values must be a string, tuple of strings, or None.")
        if padding_width is not None and padding_width < 1:
            raise ValueError(f"padding_width must be greater than 0; got {padding_width}")
        if padding_width is not None and pad_values is None:
            raise ValueError("pad_values must be provided if padding_width is set.")
        widths = [ngram_width] if isinstance(ngram_width, (int, np.integer)) else list(ngram_width)
        if any(width < 1 for width in widths):
            raise ValueError(f"All ngram_widths must be greater than 0. Got {ngram_width}")
        if padding_width is None:
            padding_width = -1 if pad_values is not None else 0
        is_dense, whole = not isinstance(data, RaggedTensor), None
        rows: Any = data
        if is_dense:
            rows = convert_to_tensor(data, "string", "data")
            count = rows.shape.rank
            if count is None:
                raise ValueError("Rank of data must be known.")
            if count == 0:
                raise ValueError("Data must have rank>0")
            whole = concat([shape_of(rows)[:-1], [-1]], 0)
            if count == 1:
                rows = RaggedTensor.from_row_starts(rows, [0], validate=False)
                inner_width = None if padding_width < 1 else padding_width
                return ngrams(rows, ngram_width, separator, pad_values, inner_width, preserve_short_sequences)[0]
            rows = RaggedTensor.from_tensor(rows, ragged_rank=count - 1)
        innermost = rows
        while isinstance(innermost.values, RaggedTensor):
            innermost = innermost.values
        op = apply_op(
            "StringNGrams",
            innermost.values,
            innermost.row_splits,
            separator=separator,
            ngram_widths=widths,
            left_pad=left,
            right_pad=right,
            pad_width=padding_width,
            preserve_short_sequences=preserve_short_sequences,
        )
        if whole is not None:
            return reshape(op.outputs[0], whole)
        return _with_innermost(rows, RaggedTensor(*op.outputs))


def _with_innermost(rows: RaggedTensor, new: RaggedTensor) -> RaggedTensor:
    return rows.with_values(_with_innermost(rows.values, new)) if isinstance(rows.values, RaggedTensor) else new


def unicode_decode(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """The numbers of texts' characters (`tf.strings.unicode_decode`), with one ragged axis more."""
    with name_scope(name, "UnicodeDecode", []):
        return _decoded(input, input_encoding, errors, replacement_char, replace_control_characters, False)


def unicode_decode_with_offsets(
    input: Any,
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> tuple[Any, Any]:
    """The numbers of texts' characters, and the byte at which each begins (`tf.strings.unicode_decode_with_offsets`)."""
    with name_scope(name, "UnicodeDecodeWithOffsets", []):
        found: tuple[Any, Any] = _decoded(input, input_encoding, errors, replacement_char, replace_control_characters, True)
        return found


def unicode_split(input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None) -> Any:
    """Texts as their characters, each a text (`tf.strings.unicode_split`), with one ragged axis more."""
    with name_scope(name, "UnicodeSplit", []):
        numbers = _decoded(input, input_encoding, errors, replacement_char, False, False)
        return _encoded_each(numbers, input_encoding, errors, replacement_char)


def unicode_split_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None
) -> tuple[Any, Any]:
    """Texts as their characters, each a text, and the byte at which each begins (`tf.strings.unicode_split_with_offsets`)."""
    with name_scope(name, "UnicodeSplitWithOffsets", []):
        numbers, starts = _decoded(input, input_encoding, errors, replacement_char, False, True)
        return _encoded_each(numbers, input_encoding, errors, replacement_char), starts


def _encoded_each(numbers: Any, encoding: str, errors: str, replacement: int) -> Any:
    flat = numbers.flat_values if isinstance(numbers, RaggedTensor) else numbers
    with name_scope(None, "RaggedExpandDims", []):
        each = expand_dims(flat, -1)
    found = unicode_encode(each, encoding, errors, replacement)
    return numbers.with_flat_values(found) if isinstance(numbers, RaggedTensor) else found


def _decoded(value: Any, encoding: str, errors: str, replacement: int, replaces_controls: bool, has_offsets: bool) -> Any:
    texts = value if isinstance(value, RaggedTensor) else convert_to_tensor(value, name="input")
    count = texts.shape.rank
    if count is None:
        raise ValueError("Rank of `input` must be statically known.")
    if count > 1 and not isinstance(texts, RaggedTensor):
        texts = RaggedTensor.from_tensor(texts, ragged_rank=count - 1)
    flat = reshape(texts.flat_values if isinstance(texts, RaggedTensor) else texts, [-1])
    outputs = apply_op(
        "UnicodeDecodeWithOffsets" if has_offsets else "UnicodeDecode",
        flat,
        input_encoding=encoding,
        errors=errors,
        replacement_char=replacement,
        replace_control_characters=replaces_controls,
    ).outputs
    found = []
    for values in outputs[1:]:
        rows: Any = values if count == 0 else RaggedTensor(values, outputs[0])
        found.append(texts.with_flat_values(rows) if isinstance(texts, RaggedTensor) else rows)
    return tuple(found) if has_offsets else found[0]


def unicode_encode(input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None) -> Any:
    """Texts of the numbers of their characters (`tf.strings.unicode_encode`), with one axis less.

    Raises:
        ValueError: a scalar, or a rank that is not known.
    """
    with name_scope(name, "UnicodeEncode", []):
        numbers = input if isinstance(input, RaggedTensor) else convert_to_tensor(input)
        count = numbers.shape.rank
        if count is None:
            raise ValueError("Rank of `input_tensor` must be statically known.")
        if isinstance(numbers, RaggedTensor):
            if isinstance(numbers.values, RaggedTensor):
                return numbers.with_values(unicode_encode(numbers.values, output_encoding, errors, replacement_char))
            if (numbers.values.shape.rank or 1) > 1:
                inner = RaggedTensor.from_tensor(numbers.values, ragged_rank=numbers.values.shape.rank - 1)
                return unicode_encode(numbers.with_values(inner), output_encoding, errors, replacement_char)
            attrs: dict[str, Any] = {"output_encoding": output_encoding, "errors": errors, "replacement_char": replacement_char}
            return apply("UnicodeEncode", numbers.values, numbers.row_splits, **attrs)
        if count == 0:
            raise ValueError("input_tensor's rank must be at least 1.")
        if count == 1:
            rows = RaggedTensor(numbers, stack([0, shape_of(numbers)[0]]))
            return reshape(unicode_encode(rows, output_encoding, errors, replacement_char), np.zeros(0, np.int32))
        if count == 2:
            rows = RaggedTensor.from_tensor(numbers)
            return unicode_encode(rows, output_encoding, errors, replacement_char)
        flat = reshape(numbers, concat([[-1], shape_of(numbers)[-1:]], 0))
        found = unicode_encode(RaggedTensor.from_tensor(flat), output_encoding, errors, replacement_char)
        return reshape(found, shape_of(numbers)[:-1])
