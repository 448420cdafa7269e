"""The values in the golden files of this folder: told once, for the script that wrote them and for the tests that read them."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

PARTITIONED: dict[str, Array] = {
    "rows": np.arange(40, dtype=np.float32).reshape(10, 4) / 8,
    "columns": np.arange(21, dtype=np.int64).reshape(3, 7) - 9,
    "whole": np.array([1.5, -2.5], np.float64),
}
"""What Saver wrote: `rows` in 3 parts along axis 0, `columns` in 2 along axis 1, `whole` in one."""

STRINGS: dict[str, Array] = {
    "scalar": np.array(b"one", object),
    "scalar_empty": np.array(b"", object),
    "matrix": np.array([[b"a", b"", b"\x00\xff"], ["ж".encode(), b"bb", b"c" * 127]], object),
    "long": np.array([b"d" * 128, b"e" * 300, b"", b"f" * 20000], object),
    "none": np.empty((0, 3), object),
}

SLICED: list[tuple[bytes, str, Array]] = [
    (b"cross", "4 6 0,2:0,3", np.arange(6, dtype=np.int16).reshape(2, 3)),
    (b"cross", "4 6 0,2:3,3", np.arange(6, 12, dtype=np.int16).reshape(2, 3)),
    (b"cross", "4 6 2,2:-", np.arange(12, 24, dtype=np.int16).reshape(2, 6)),
    (b"huge", "9223372036854775807 0,1", np.array([1], np.int8)),
    (b"huge", "9223372036854775807 63,1", np.array([2], np.int8)),
    (b"huge", "9223372036854775807 64,1", np.array([3], np.int8)),
    (b"huge", "9223372036854775807 8191,65", np.arange(65, dtype=np.int8)),
    (b"huge", "9223372036854775807 1048576,1", np.array([4], np.int8)),
    (b"huge", "9223372036854775807 134217728,1", np.array([5], np.int8)),
    (b"huge", "9223372036854775807 17179869184,1", np.array([6], np.int8)),
    (b"huge", "9223372036854775807 2199023255552,1", np.array([7], np.int8)),
    (b"huge", "9223372036854775807 281474976710656,1", np.array([8], np.int8)),
    (b"huge", "9223372036854775807 36028797018963968,1", np.array([9], np.int8)),
    (b"huge", "9223372036854775807 4611686018427387904,1", np.array([10], np.int8)),
    (b"huge", "9223372036854775807 9223372036854775806,1", np.array([11], np.int8)),
    (b"na\x00me", "3 1,2", np.array([12, 13], np.uint8)),
    ("имя/ÿ".encode(), "3 1,2", np.array([14, 15], np.uint8)),
]
"""Slices as SaveV2 and SaveSlices take them: name, shape_and_slice, values. The starts of `huge` need keys of every width."""

SLICED_V2_ONLY: list[tuple[bytes, str, Array]] = [(b"\xff\x00\xff", "3 1,2", np.array([16, 17], np.uint8))]
"""A name that is no UTF-8: a V1 file, whose names are protobuf strings, cannot hold it."""


def _quantized(name: str, values: Array) -> Array:
    return values.view([(name, values.dtype)])


DTYPES: dict[str, Array] = {
    "float32": np.array([0.5, -0.0, np.inf, 3e38], np.float32),
    "float32_nans": np.array([0x7F800001, 0x7FC12345, 0xFFC00000], np.uint32).view(np.float32),
    "float64": np.array([[0.1], [-1e308]], np.float64),
    "int32": np.array([0, -1, 2**31 - 1, -(2**31), 127, 128], np.int32),
    "uint8": np.array([0, 127, 128, 255], np.uint8),
    "int16": np.array([0, -1, 2**15 - 1, -(2**15)], np.int16),
    "int8": np.array([0, -1, 127, -128], np.int8),
    "string": np.array([[b"", b"\x00"], [b"x" * 127, b"y" * 128]], object),
    "complex64": np.array([1 - 2j, 3 + 0.5j], np.complex64),
    "int64": np.array([0, -1, 2**63 - 1, -(2**63), 2**35], np.int64),
    "bool": np.array([True, False, True], np.bool_),
    "qint8": _quantized("qint8", np.array([-128, 0, 127], np.int8)),
    "quint8": _quantized("quint8", np.array([0, 128, 255], np.uint8)),
    "qint32": _quantized("qint32", np.array([-5, 5, 2**31 - 1], np.int32)),
    "uint16": np.array([0, 1, 2**16 - 1], np.uint16),
    "complex128": np.array([1 - 2j, 1e300j], np.complex128),
    "float16": np.array([1.5, -0.0, np.nan, 65504], np.float16),
    "scalar": np.array(42, np.int32),
    "zero_sized": np.zeros((0, 3), np.float32),
    "zero_scalar_string": np.array(b"", object),
}
"""Every dtype that TensorFlow's V1 writer takes."""

TEXTS: dict[str, tuple[int, ...]] = {
    text: shape
    for shape, texts in {
        (4, 6): [
            "4 6 -:-", "4 6 0,2:-", "4 6 -:5,1", "4 6 0,4:0,6", "4 6 2,2:1,3",
            "4 6 -", "4 6 -:-:-", "4 6 0,5:-", "4 6 4,1:-", "4 6 0,0:-", "4 6 -1,2:-", "4 6 1,-1:-",
            "4 6 :-:-:", "4 6 -::-", "4 6 ,0,2,:-", "4 6 0,,2:-", "4 6 0;2:-", "4 6 1,2,3:-", "4 6 +1,2:-", "4 6 0x1,2:-", "4 6 1.0,2:-",
            "4 6 1,\t2:-", "4 6 \t1,2:-", "4 6", "4 6 ", " 4 6 -:-", "4  6 -:-", "4 6 -:- ", "4, 6 -:-", "+4 6 -:-", "04 6 00,02:-",
            "6 4 -:-", "-4 6 -:-", "4 -6 -:-", "4 6 1,9223372036854775807:-", "4 6 9223372036854775808,1:-",
            "4 6 -:--", "4 6 all", "x 6 -:-", "4\t6 -:-",
        ],
        (3,): ["3 -", "3 0,3", "3 2,1", "3 3,1", "3", "-", "3 0,3:", "3 ", "3 0 ,3"],
        (0, 2): ["0 2 -:-", "0 2 -:1,1", "0 2 0,1:-"],
        (): ["", " ", "-", " -", "1 -", "  "],
    }.items()
    for text in texts
}  # fmt: skip
"""shape_and_slice texts, and the shape of the tensor that RestoreSlice was asked for."""
