"""What is saved by both sides, told once: by tests, and by the scripts that TensorFlow's interpreter runs, which has no gpersist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Row(NamedTuple):
    """One tensor, or one slice of a partitioned one, as SaveV2 takes it."""

    name: str
    shape_and_slice: str
    array: Array


class Case(NamedTuple):
    """Tensors that are saved under one prefix, in the order of their names, as a Saver saves them: SaveV2 writes them as they come.

    `shards` has the data file of each, where there is more than one.
    """

    rows: list[Row]
    shards: dict[str, int] | None = None


def case(arrays: dict[str, Array], shards: dict[str, int] | None = None, parts: Sequence[Row] = ()) -> Case:
    return Case(sorted([*(Row(name, "", array) for name, array in arrays.items()), *parts], key=lambda row: row.name), shards)


def partitioned(name: str, whole: Array, *slices: str) -> list[Row]:
    """Rows for parts of an array, which `slices` names in TensorFlow's way, `"0,2:-"`."""
    shape = " ".join(map(str, whole.shape))
    return [Row(name, f"{shape} {text}", whole[region(text)]) for text in slices]


def region(text: str) -> tuple[slice, ...]:
    parts = [part.split(",") for part in text.split(":")]
    return tuple(slice(None) if part == ["-"] else slice(int(part[0]), int(part[0]) + int(part[1])) for part in parts)


def _quantized(name: str, values: list[int], base: Any) -> Array:
    return np.array(values, base).view([(name, base)])


NUMBERS = [np.dtype(code).name for code in "efdFDbhiqBHIQ?"]
SMALL = [
    "float8_e5m2",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2fnuz",
    "int4",
    "uint4",
    "int2",
    "uint2",
    "float4_e2m1fn",
]

DTYPES: dict[str, Array] = {
    **{name: (np.arange(6).reshape(2, 3) % 4).astype(name) for name in NUMBERS},
    **{name: (np.arange(6).reshape(2, 3) % 2).astype(getattr(ml_dtypes, name)) for name in ["bfloat16", *SMALL]},
    "qint8": _quantized("qint8", [-128, 0, 127], np.int8),
    "quint8": _quantized("quint8", [0, 255], np.uint8),
    "qint16": _quantized("qint16", [-(2**15), 7], np.int16),
    "quint16": _quantized("quint16", [2**16 - 1], np.uint16),
    "qint32": _quantized("qint32", [2**31 - 1, -1], np.int32),
    "string": np.array([b"one", b""], object),
    "float32_special": np.array([np.nan, np.inf, -0.0, 1e-45], np.float32),
    "int64_limits": np.array([2**63 - 1, -(2**63)], np.int64),
}

SHAPES: dict[str, Array] = {
    "scalar": np.array(3.5, np.float32),
    "one": np.array([7], np.int64),
    "empty": np.empty(0, np.float32),
    "empty/inside": np.empty((3, 0, 2), np.int8),
    "rank_8": np.arange(24, dtype=np.int16).reshape(1, 2, 1, 3, 1, 4, 1, 1),
    "odd": np.arange(7, dtype=np.uint8),
    "aligned_behind_odd": np.arange(3, dtype=np.float64),
    "larger": np.arange(5_001, dtype=np.uint16),
    "a/name/with/many/parts": np.array([1.0], np.float64),
    "a name with blanks": np.array([2.0], np.float64),
    "имя/变量": np.array([3.0], np.float64),
    "long" * 100: np.array([4.0], np.float64),
}

STRINGS: dict[str, Array] = {
    "scalar": np.array(b"one", object),
    "scalar_empty": np.array(b"", object),
    "none": np.empty((0, 3), object),
    "matrix": np.array([[b"a", b"", b"\x00\xff"], ["ж".encode(), b"bb", b"c" * 127]], object),
    "long": np.array([b"d" * 128, b"e" * 300, b"", b"f" * 2_000], object),
    "number": np.arange(5, dtype=np.float32),
}

_ROWS = np.arange(40, dtype=np.float32).reshape(10, 4) / 8
_GRID = np.arange(48, dtype=np.int64).reshape(6, 8)

PARTITIONED = [
    *partitioned("rows", _ROWS, "0,4:-", "4,3:-", "7,3:-"),
    *partitioned("grid", _GRID, "0,3:0,5", "0,3:5,3", "3,3:0,1", "3,3:1,7"),
    *partitioned("whole_in_one", _ROWS, "-:-"),
]
BESIDE = {"beside": np.array([1.5, -2.5])}

SHARDS: dict[str, int] = {"b": 1, "a": 0, "c": 2, "d": 1, "e": 0, "none": 2, "text": 1}
SHARDED: dict[str, Array] = {
    **{name: np.arange(5 + shard, dtype=np.float32) + shard for name, shard in SHARDS.items()},
    "none": np.empty((0, 2), np.float32),
    "text": np.array([b"x", b"yy"], object),
}

MANY: dict[str, Array] = {f"layer_{i % 97}/unit_{i}/kernel": np.array(i / 7, np.float32) for i in range(12_000)}
"""Of which the index has several blocks: they are of 256 KiB."""

CASES: dict[str, Case] = {
    "dtypes": case(DTYPES),
    "shapes": case(SHAPES),
    "strings": case(STRINGS),
    "partitioned": case(BESIDE, parts=PARTITIONED),
    "sharded": case(SHARDED, SHARDS),
    "partitioned_sharded": case(BESIDE, {"rows": 1, "grid": 0, "whole_in_one": 1, "beside": 0}, PARTITIONED),
    "many": case(MANY),
    "many_sharded": case(MANY, {name: number % 3 for number, name in enumerate(MANY)}),
}
SMALL_CASES = [name for name in CASES if not name.startswith("many")]

VARIABLES: dict[str, tuple[Array, str]] = {
    "dense/kernel": (np.arange(12, dtype=np.float32).reshape(3, 4), "/device:GPU:0"),
    "dense/bias": (np.array([0.5, -0.5]), "/device:GPU:1"),
    "global_step": (np.array(1234, np.int64), "/cpu:0"),
    "half": (np.array([1.5, 2.5], np.float16), "/gpu:1"),
    "flags": (np.array([True, False]), ""),
    "vocabulary": (np.array([b"the", b"", "ж".encode()], object), "/device:CPU:0"),
    "phase": (np.array([1 + 2j], np.complex64), ""),
}
"""Of a Saver's graph: values, and the device that the graph asks for."""

EMBEDDING = np.arange(60, dtype=np.float64).reshape(15, 4)
EMBEDDING_PARTS = ["0,4:0,4", "4,4:0,4", "8,4:0,4", "12,3:0,4"]
"""Of a Saver's graph too: a variable in four parts."""

SAVED = case({name: array for name, (array, _) in VARIABLES.items()}, parts=partitioned("embedding", EMBEDDING, *EMBEDDING_PARTS))
DEVICES_SHARDS = {"flags": 0, "phase": 0, "global_step": 1, "vocabulary": 1, "embedding": 2, "dense/kernel": 3, "dense/bias": 4, "half": 4}
"""What a Saver writes, and its data files if it is sharded: one a device, in the order of their names."""


def wholes(name: str) -> dict[str, Array]:
    """The tensors of a case, parts put together."""
    return put_together(CASES[name])


def put_together(case: Case) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for row in case.rows:
        if not row.shape_and_slice:
            arrays[row.name] = row.array
            continue
        *extents, text = row.shape_and_slice.split()
        arrays.setdefault(row.name, np.zeros(tuple(map(int, extents)), row.array.dtype))[region(text)] = row.array
    return arrays


def others(array: Array) -> Array:
    """As an array, but of other values wherever it has more than one element: what stood under a prefix before."""
    return np.ascontiguousarray(array.ravel()[::-1]).reshape(array.shape)


def told(array: Any, dtype: str = "") -> list[Any]:
    """An array as the two sides tell it to each other, in JSON: dtype, shape, bytes."""
    array = np.asarray(array)
    name = dtype or (array.dtype.names[0] if array.dtype.names else "string" if array.dtype.kind in "OS" else array.dtype.name)
    if name == "string":
        return [name, list(array.shape), [text.hex() for text in np.ravel(array.astype(object)).tolist()]]
    return [name, list(array.shape), array.tobytes().hex()]
