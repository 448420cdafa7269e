"""What k-means needs: the nearest centres of points, and centres to begin with (`tensorflow/core/kernels/clustering_ops.cc`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import OpType, sample
from gpersist.ops import shape_functions
from gpersist.ops.candidate_samplers import Words
from gpersist.ops.counting import top_of_rows
from gpersist.ops.philox import Philox

_POINTS = "float[7,3]"
_MASK_64 = (1 << 64) - 1


def _check_rank(wanted: int, **values: Any) -> None:
    names = ("a scalar", "a vector", "a matrix")
    for name, value in values.items():
        if np.ndim(value) != wanted:
            raise InvalidArgumentError(f"Input {name} should be {names[wanted]}.")


class NearestNeighbors(OpType):
    """For each point the k nearest centres, and the squares of how far they are."""

    inputs = "points: float, centers: float, k: int64"
    outputs = "nearest_center_indices: int64, nearest_center_distances: float"
    host_inputs = ("k",)
    samples = (
        sample(_POINTS, "float[4,3]", "int64: 2", has_gradient=False),
        sample(_POINTS, "float[4,3]", "int64: 1", has_gradient=False),
        sample(_POINTS, "float[2,3]", "int64: 5", has_gradient=False),
    )

    @staticmethod
    def run(xp: Any, points: Array, centers: Array, k: Any) -> list[Array]:
        _check_rank(2, points=points, centers=centers)
        _check_rank(0, k=k)
        if not len(points):
            raise InvalidArgumentError("Expected points.rows() > 0.")
        if points.shape[1] != centers.shape[1]:
            raise InvalidArgumentError(f"Expected point_dimensions == center_dimensions: {points.shape[1]} vs {centers.shape[1]}.")
        if k < 0:
            raise InvalidArgumentError("Expected k >= 0.")
        count = min(len(centers), int(k))
        part = _half_norms(centers) - points @ centers.T
        nearest, places = top_of_rows(xp, -part, count, np.int64)
        return [places, np.float32(2) * (_half_norms(points)[:, None] - nearest)]


class KmeansPlusPlusInitialization(OpType):
    """Points drawn one after the other, the likelier the farther they are from those before (k-means++)."""

    inputs = "points: float, num_to_sample: int64, seed: int64, num_retries_per_sample: int64"
    outputs = "samples: float"
    is_host_only = True
    samples = (
        sample(_POINTS, "int64: 3", "int64: 5", "int64: 2", has_gradient=False),
        sample(_POINTS, "int64: 4", "int64: 3", "int64: -1", has_gradient=False),
        sample(_POINTS, "int64: 7", "int64: -9", "int64: 0", has_gradient=False),
    )

    @staticmethod
    def run(xp: Any, points: Any, num_to_sample: Any, seed: Any, num_retries_per_sample: Any) -> Any:
        _check_rank(2, points=points)
        _check_rank(0, num_to_sample=num_to_sample, seed=seed, num_retries_per_sample=num_retries_per_sample)
        count, retries = int(num_to_sample), int(num_retries_per_sample)
        if not len(points):
            raise InvalidArgumentError("Expected points.rows() > 0.")
        if count <= 0:
            raise InvalidArgumentError("Expected num_to_sample > 0.")
        if count > len(points):
            raise InvalidArgumentError(f"Expected num_to_sample <= points.rows(). {count} vs {len(points)}.")
        if retries < 0:
            retries = 2 + int(math.log(count))
        draw = _Draw(points, Words(Philox(int(seed) & _MASK_64, 0)))
        for _ in range(count):
            draw.add(1 + retries)
        return points[draw.chosen]


class _Draw:
    """The points that were chosen, and how far each point is from the nearest of them (half of the square)."""

    def __init__(self, points: Any, words: Words) -> None:
        self._points, self._words = points, words
        self._norms = _half_norms(points)
        self._nearest = np.full(len(points), np.inf, np.float32)
        self.chosen: list[int] = []

    def add(self, tries: int) -> None:
        """Chooses one more: of so many that are drawn the one that leaves the others nearest."""
        ends = np.cumsum(self._nearest, dtype=np.float32) if self.chosen else None
        best, best_sum, best_nearest = 0, np.float32(np.inf), self._nearest
        for _ in range(tries):
            index = self._drawn(ends)
            nearest = np.minimum(self._nearest, self._norms - self._points @ self._points[index] + self._norms[index])
            total = nearest.sum(dtype=np.float32)
            if total < best_sum or tries == 1:
                best, best_sum, best_nearest = index, total, nearest
        self._nearest = best_nearest
        self.chosen.append(best)

    def _drawn(self, ends: Any) -> int:
        if ends is None:
            return self._words.below(len(self._points), 64)
        while True:
            total = ends[-1]
            if total > 0:
                place = np.float32(self._words.unit_float()) * total
                index = min(int(np.searchsorted(ends, place, side="right")), len(self._points) - 1)
            else:
                index = self._words.below(len(self._points), 64)
            if index not in self.chosen:
                return index


class KMC2ChainInitialization(OpType):
    """The end of a Markov chain over distances: one of them, the likelier the larger it is."""

    inputs = "distances: float, seed: int64"
    outputs = "index: int64"
    is_host_only = True
    samples = (sample("float[9] in 0..4", "int64: 5", has_gradient=False), sample("float[1]", "int64: 0", has_gradient=False))
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(xp: Any, distances: Any, seed: Any) -> Any:
        _check_rank(1, distances=distances)
        _check_rank(0, seed=seed)
        if not len(distances):
            raise InvalidArgumentError("Expected distances_tensor.size() > 0.")
        words, index = Words(Philox(int(seed) & _MASK_64, 0)), 0
        for place in range(1, len(distances)):
            if distances[place] > np.float32(words.unit_float()) * distances[index]:
                index = place
        return np.int64(index)


def _half_norms(points: Array) -> Array:
    return np.float32(0.5) * (points * points).sum(1, dtype=np.float32)
