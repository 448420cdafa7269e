"""Ragged tensors, Unicode, n-grams."""

from __future__ import annotations

import numpy as np

from families.values import Cases, ints, longs, texts

CASES = Cases()
case = CASES.case
normal = CASES.normal

for a in [
    (ints([2, 5, 8]), ints([3, 5, 12]), ints(1)),
    (np.float32(0), np.float32([1, 2]), np.float32([0.3, -1])),
    (ints(3), ints(0), ints(-1)),
    (ints([0, 0]), ints([5, 5]), ints([2, -2])),
    (ints(0), ints(5), ints(0)),
    (ints([1, 2]), ints([1, 2, 3]), ints(1)),
    (ints([[1]]), ints(2), ints(1)),
    (longs(0), longs([]), longs(1)),
    (np.float64(0.1), np.float64([1, 2]), np.float64(0.1)),
    (longs([10, 5]), longs([0, -7]), longs([-3, -4])),
]:
    case("RaggedRange", list(a))
    case("RaggedRange", list(a), Tsplits="int32")
for p, v, ix, o in [
    ([longs([0, 2, 2, 5])], normal(5), ints([2, 0, 2]), 1),
    ([longs([0, 1, 3]), longs([0, 2, 2, 5])], normal(5, 2), ints([[1, 0], [0, 0]]), 3),
    ([longs([0, 2, 2, 5])], normal(5), ints([]), 1),
    ([longs([0, 2, 2, 5])], normal(5), ints(1), 0),
    ([longs([0, 2, 2, 5])], normal(5), ints([3]), 1),
    ([longs([0, 2, 2, 5])], normal(5), ints([-1]), 1),
    ([longs([0, 2, 1, 5])], normal(5), ints([1]), 1),
    ([longs([0, 2, 9])], normal(5), ints([1]), 1),
    ([ints([0, 2, 2, 5])], texts("a", "b", "c", "d", "e"), longs([2, 1]), 1),
    ([longs([])], normal(0), ints([0]), 1),
    ([longs([0, 1, 3]), longs([0, 2, 2, 5])], normal(5), ints(1), 1),
    ([longs([0, 2, 2, 5])], normal(5), ints([[[0], [1]]]), 3),
]:
    case("RaggedGather", [p, v, ix], OUTPUT_RAGGED_RANK=o)
for p, v in [
    ([longs([0, 2, 2, 5])], normal(5)),
    ([ints([0, 1, 3]), ints([0, 2, 2, 5])], normal(5, 2)),
    ([longs([0])], normal(0)),
    ([longs([0, 0])], normal(0)),
    ([longs([0, 3])], normal(5)),
    ([longs([1, 5])], normal(5)),
    ([longs([0, 3, 2, 5])], normal(5)),
    ([longs([0, 2, 5])], texts("a", "b", "c", "d", "e")),
]:
    case("RaggedTensorToSparse", [p, v])
for sh, v, d, p, t in [
    (longs(-1), normal(5), np.float32(0), [longs([0, 2, 2, 5])], ["ROW_SPLITS"]),
    (longs([4, 2]), normal(5), np.float32(7), [longs([0, 2, 2, 5])], ["ROW_SPLITS"]),
    (longs([-1, 4]), normal(5), np.float32(7), [longs([0, 2, 2, 5])], ["ROW_SPLITS"]),
    (ints([-1, -1, 2]), normal(4, 2), np.float32([1, 2]), [ints(3), ints([0, 0, 2, 2])], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]),
    (longs([-1, -1, -1]), normal(5), np.float32(0), [longs([0, 1, 3]), longs([0, 2, 2, 5])], ["ROW_SPLITS", "ROW_SPLITS"]),
    (longs([2, 2, 2]), normal(5), np.float32(0), [longs([0, 1, 3]), longs([0, 2, 2, 5])], ["ROW_SPLITS", "ROW_SPLITS"]),
    (
        longs([-1, -1, -1]),
        normal(5),
        np.float32(0),
        [longs(2), longs([0, 1, 1]), longs([0, 0, 2, 2, 2])],
        ["FIRST_DIM_SIZE", "VALUE_ROWIDS", "VALUE_ROWIDS"],
    ),
    (longs(3), normal(5), np.float32(0), [longs([0, 2, 2, 5])], ["ROW_SPLITS"]),
    (longs([-1, -1, 3]), normal(5), np.float32(0), [longs([0, 2, 2, 5])], ["ROW_SPLITS"]),
    (longs(-1), normal(5), np.float32([0, 1]), [longs([0, 2, 2, 5])], ["ROW_SPLITS"]),
    (longs(-1), normal(5), np.float32(0), [longs([0, 2, 2, 9])], ["ROW_SPLITS"]),
    (longs(-1), normal(5), np.float32(0), [longs([0, 0, 1, 1, 1])], ["VALUE_ROWIDS"]),
    (longs(-1), normal(5), np.float32(0), [longs([0, 3, 2, 5])], ["ROW_SPLITS"]),
    (longs(-1), normal(5), np.float32(0), [longs([1, 5])], ["ROW_SPLITS"]),
    (longs(-1), texts("a", "b", "c"), np.array(b"", object), [longs([0, 2, 3])], ["ROW_SPLITS"]),
    (longs(-1), normal(0), np.float32(0), [longs([0])], ["ROW_SPLITS"]),
    (longs([-1, 3]), normal(0), np.float32(0), [longs([0, 0])], ["ROW_SPLITS"]),
    (longs(-1), normal(5), np.float32(0), [longs(2), longs([0, 0, 1, 1, 3])], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]),
    (longs(-1), normal(5), np.float32(0), [longs([0, 2, 3])], ["ROW_SPLITS"]),
    (longs(-1), normal(3, 2), np.float32(0), [longs([0, 2, 3])], ["ROW_SPLITS"]),
    (longs([-1, -1, 3]), normal(3, 2), np.float32(0), [longs([0, 2, 3])], ["ROW_SPLITS"]),
    (longs([-1, -1, -1]), normal(3, 2), np.float32([[1, 2]]), [longs([0, 2, 3])], ["ROW_SPLITS"]),
    (longs([0, 0]), normal(3), np.float32(0), [longs([0, 2, 3])], ["ROW_SPLITS"]),
]:
    case("RaggedTensorToTensor", [sh, v, d, p], row_partition_types=t)
T = texts("zß水𝄞", b"\xffa\x01", b"", b"abc\xe6\xb0", b"\xe6\xb0\xb4\xf0\x9f", b"a\xc0\x80b", b"\xed\xa0\x80x", b"\xf8\x88\x80\x80\x80y", "q\ufffdr")
for e in ("replace", "ignore", "strict"):
    for c in (False, True):
        for op in ("UnicodeDecode", "UnicodeDecodeWithOffsets"):
            case(op, [T], input_encoding="UTF-8", errors=e, replace_control_characters=c, replacement_char=65)
            case(op, [T[:1]], input_encoding="UTF-8", errors=e, replace_control_characters=c, Tsplits="int32")
        case("UnicodeTranscode", [T], input_encoding="UTF-8", output_encoding="UTF-16-BE", errors=e, replace_control_characters=c)
        case("UnicodeTranscode", [T], input_encoding="UTF-8", output_encoding="UTF-8", errors=e, replace_control_characters=c, replacement_char=66)
case("UnicodeDecode", [T[:1].reshape(1, 1)], input_encoding="UTF-8")
case("UnicodeDecode", [np.array(b"ab", object)], input_encoding="UTF-8")
case("UnicodeDecode", [texts("äö".encode("latin1"))], input_encoding="ISO-8859-1")
case("UnicodeDecode", [texts("äö𝄞".encode("utf-16-be"))], input_encoding="UTF-16-BE")
case("UnicodeDecode", [texts("äö𝄞".encode("utf-32-be"))], input_encoding="UTF-32-BE")
case("UnicodeDecode", [texts("a")], input_encoding="nonsense")
case("UnicodeTranscode", [texts("äö".encode("latin1"))], input_encoding="latin1", output_encoding="UTF-8")
case("UnicodeDecode", [T[:0]], input_encoding="UTF-8")
case("UnicodeDecode", [texts("日本".encode("shift_jis"))], input_encoding="SHIFT-JIS")
for e in ("replace", "ignore", "strict"):
    for o in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
        case("UnicodeEncode", [ints([122, 223, 27700, 119070]), longs([0, 2, 2, 4])], output_encoding=o, errors=e)
        case("UnicodeEncode", [ints([122, -1, 0x110000, 0xD800, 65]), longs([0, 2, 5])], output_encoding=o, errors=e)
case("UnicodeEncode", [ints([65]), longs([0, 2])], output_encoding="UTF-8")
case("UnicodeEncode", [ints([65]), longs([1])], output_encoding="UTF-8")
case("UnicodeEncode", [ints([65]), longs([])], output_encoding="UTF-8")
case("UnicodeEncode", [ints([65, 66]), longs([0, 2, 1, 2])], output_encoding="UTF-8")
base = {"separator": "|", "ngram_widths": [2, 3], "left_pad": "<", "right_pad": ">", "pad_width": 0, "preserve_short_sequences": False}
D = texts("a", "b", "c", "d", "e", "f")
for k in [
    {},
    {"pad_width": -1},
    {"pad_width": 1},
    {"pad_width": 5},
    {"preserve_short_sequences": True},
    {"preserve_short_sequences": True, "pad_width": 1, "ngram_widths": [7]},
    {"ngram_widths": []},
    {"ngram_widths": [], "preserve_short_sequences": True},
    {"ngram_widths": [1]},
    {"ngram_widths": [0]},
    {"ngram_widths": [3, 1]},
    {"preserve_short_sequences": True, "pad_width": -1, "ngram_widths": [9]},
    {"separator": ""},
]:
    case("StringNGrams", [D, longs([0, 1, 1, 6])], **{**base, **k})
for s in ([0, 1, 7], [1, 6], [0], [], [0, 3, 2, 6], [0, 2, 6]):
    case("StringNGrams", [D, longs(s)], **base)
