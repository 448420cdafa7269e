"""What is saved and loaded: named float32 arrays, the same in every process, cheap to make and to check."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_PATTERN_ELEMENTS = 1 << 20


@dataclasses.dataclass(frozen=True)
class Workload:
    """Named shapes.

    Attributes:
        name: as the command line has it.
        title: as tables have it.
        shapes: of the float32 arrays, by name.
    """

    name: str
    title: str
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def total_bytes(self) -> int:
        return 4 * sum(map(math.prod, self.shapes.values()))

    def make(self) -> dict[str, Array]:
        """The arrays, each in memory of its own, all of it touched."""
        arrays = {}
        for number, (name, shape) in enumerate(self.shapes.items()):
            array = arrays[name] = np.empty(shape, np.float32)
            for part, content in _content(array, number):
                part[...] = content
        return arrays

    def check(self, arrays: Mapping[str, Array]) -> None:
        """Holds arrays that were loaded against those that `make` made.

        Raises:
            AssertionError: the benchmark measured something that does not work.
        """
        for number, (name, shape) in enumerate(self.shapes.items()):
            array = np.asarray(arrays[name])
            assert array.shape == shape and array.dtype == np.float32, f"{name}: {array.dtype}{array.shape} came back"
            assert all(np.array_equal(part, content) for part, content in _content(array, number)), f"{name}: other values came back"


def _content(array: Array, number: int) -> Iterator[tuple[Array, Array]]:
    """(part of the flat array, what it holds): the tensor's number, then one random pattern again and again."""
    flat, pattern = array.reshape(-1), _pattern()
    yield flat[:1], np.array([number], np.float32)
    for start in range(1, flat.size, pattern.size):
        part = flat[start : start + pattern.size]
        yield part, pattern[: part.size]


@functools.cache
def _pattern() -> Array:
    return np.random.default_rng(1).random(_PATTERN_ELEMENTS, np.float32)


def _one(quick: bool) -> Workload:
    side = 1 << (11 if quick else 14)
    return Workload("one", f"one float32 array of {side * side >> 18} MiB", {"weights": (side, side)})


def _layers(quick: bool) -> Workload:
    """The variables of a GPT-2 of the small size, and two scalars."""
    width, words = (96, 1024) if quick else (768, 50_257)
    shapes: dict[str, tuple[int, ...]] = {"model/wte": (words, width), "model/wpe": (1024, width)}
    for layer in range(12):
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"model/h{layer}/{norm}/{kind}": (width,) for kind in "gb"}
        for dense, inner, outer in (("attn/c_attn", 1, 3), ("attn/c_proj", 1, 1), ("mlp/c_fc", 1, 4), ("mlp/c_proj", 4, 1)):
            shapes |= {f"model/h{layer}/{dense}/w": (inner * width, outer * width), f"model/h{layer}/{dense}/b": (outer * width,)}
    shapes |= {"model/ln_f/g": (width,), "model/ln_f/b": (width,), "beta1_power": (), "beta2_power": ()}
    return Workload("layers", f"{len(shapes)} arrays of a transformer", shapes)


def _small(quick: bool) -> Workload:
    sizes = np.random.default_rng(2).integers(1 << 8, 1 << 14, 300 if quick else 5000, endpoint=True).tolist()
    return Workload("small", f"{len(sizes):,} arrays of 1 to 64 KiB", {f"group_{n % 50}/small_{n}": (size,) for n, size in enumerate(sizes)})


def _scalars(quick: bool) -> Workload:
    count = 1000 if quick else 20_000
    return Workload("scalars", f"{count:,} scalars", {f"group_{n % 100}/scalar_{n}": () for n in range(count)})


def _large(quick: bool) -> Workload:
    """For devices: enough for a steady state at tens of GB/s."""
    side = 256 if quick else 8192
    return Workload("large", f"16 arrays of {side * side / 2**18:g} MiB", {f"block_{n}/w": (side, side) for n in range(16)})


_MAKERS = {"one": _one, "layers": _layers, "small": _small, "scalars": _scalars, "large": _large}


def workload(name: str, *, quick: bool = False) -> Workload:
    """A workload by its name; quick ones are small enough for a test."""
    return _MAKERS[name](quick)
