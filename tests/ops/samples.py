"""The inputs that an operation's samples name: `"float[2,3]"`, `"float[2,3] in 0.5..2"`, `"int32: [3, 2]"`, or the values themselves."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

from gpersist.dtypes import from_name
from gpersist.graph import Sample, as_array

_RANDOM = re.compile(r"(?P<type>\w+)\[(?P<shape>[\d,]*)\](?: in (?P<low>-?[\d.]+?)\.\.(?P<high>-?[\d.]+))?")


def arrays_of(sample: Sample, *, seed: int = 7) -> list[Any]:
    """An array for each input, for one that is a list a list of arrays; always the same ones."""
    generator = np.random.default_rng(seed)
    return [[_array(item, generator) for item in value] if isinstance(value, list) else _array(value, generator) for value in sample.inputs]


def _array(value: Any, generator: np.random.Generator) -> Any:
    if not isinstance(value, str):
        return as_array(value)
    found = _RANDOM.fullmatch(value)
    if found is None:
        name, _, literal = value.partition(":")
        return np.array(ast.literal_eval(literal.strip()), from_name(name).numpy)
    dtype, shape = from_name(found["type"]), [int(size) for size in found["shape"].split(",") if size]
    low, high = (float(found[key]) if found[key] else default for key, default in (("low", -1.0), ("high", 1.0)))
    if dtype.is_string:
        result = np.empty(shape, object)
        result.reshape(-1)[:] = [b"text %d" % number for number in range(result.size)]
        return result
    if dtype.is_bool:
        return generator.integers(0, 2, shape).astype(bool)
    if dtype.is_integer:
        return generator.integers(int(low) if found["low"] else -9, int(high) + 1 if found["high"] else 10, shape).astype(dtype.numpy)
    real = generator.uniform(low, high, shape)
    return (real + 1j * generator.uniform(low, high, shape) if dtype.is_complex else real).astype(dtype.numpy)
