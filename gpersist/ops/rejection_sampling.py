"""Random numbers of distributions that are drawn by trial: gamma, Poisson and binomial, many at a time, on the host.

Each number has a stretch of blocks of its own (`RESERVED`), from which it takes uniform and normal numbers until one is accepted: each follows
from the seed and its place alone. (`random_op.cc`, `random_poisson_op.cc` and `random_binomial_op.cc` of `tensorflow/core/kernels`.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.dtypes import DType, float64
from gpersist.ops.distributions import RESERVED, gauss, group_size, unit
from gpersist.ops.philox import Philox
from gpersist.ops.special_functions import Lgamma


class _Streams:
    """A sequence of blocks for each number, and what is left of the last one of each kind."""

    def __init__(self, start: Philox, starts: Any) -> None:
        self._start, self._next = start, starts.astype(np.uint64)

    def source(self, dtype: DType, numbers_of: Callable[[Any, Any, DType], Any]) -> _Source:
        return _Source(self, len(self._next), dtype, numbers_of)

    def blocks(self, rows: Any) -> Any:
        found = self._start.blocks_at(np, self._next[rows])
        self._next[rows] += np.uint64(1)
        return found


class _Source:
    """Numbers of one kind; those of a block are taken from the last one on."""

    def __init__(self, streams: _Streams, count: int, dtype: DType, numbers_of: Callable[[Any, Any, DType], Any]) -> None:
        self._streams, self._dtype, self._numbers_of = streams, dtype, numbers_of
        self._kept = np.empty((count, group_size(dtype)), dtype.numpy)
        self._left = np.zeros(count, np.int64)

    def take(self, rows: Any) -> Any:
        """The next number of each of these rows."""
        empty = rows[self._left[rows] == 0]
        if len(empty):
            self._kept[empty] = self._numbers_of(np, self._streams.blocks(empty), self._dtype).reshape(len(empty), -1)
            self._left[empty] = self._kept.shape[1]
        self._left[rows] -= 1
        return self._kept[rows, self._left[rows]]


def gamma(start: Philox, alpha: Any, samples: int) -> Any:
    """Numbers of gamma distributions by Marsaglia and Tsang: float64 [samples, len(alpha)] for alpha float64 [n]."""
    alphas = np.repeat(alpha, samples)
    streams = _Streams(start, np.arange(len(alphas)) * RESERVED)
    normals, units = streams.source(float64, gauss), streams.source(float64, unit)
    found = np.empty(len(alphas))
    is_one = alphas == 1
    ones = np.flatnonzero(is_one)
    found[ones] = -np.log1p(-units.take(ones))
    small = alphas < 1
    d = alphas + np.where(small, 2.0 / 3, -1.0 / 3)
    with np.errstate(all="ignore"):
        c = 1.0 / 3 / np.sqrt(d)
        found[~(alphas > 0) | np.isinf(alphas)] = np.nan  # of which no number would ever be accepted
        rows = np.flatnonzero(~is_one & (alphas > 0) & np.isfinite(alphas))
        while len(rows):
            x = normals.take(rows)
            v = 1 + c[rows] * x
            tried = v > 0
            now, x, v = rows[tried], x[tried], v[tried] ** 3
            u = units.take(now)
            squared = x * x
            taken = (u < 1 - 0.0331 * squared * squared) | (np.log(u) < 0.5 * squared + d[now] * (1 - v + np.log(v)))
            done = now[taken]
            found[done] = d[done] * v[taken]
            again = done[small[done]]
            found[again] *= units.take(again) ** (1 / alphas[again])
            rows = np.setdiff1d(rows, done, assume_unique=True)
    return found.reshape(len(alpha), samples).T


def poisson(start: Philox, rate: Any, samples: int, dtype: DType) -> Any:
    """Numbers of Poisson distributions, by Knuth and Hoermann: [samples, len(rate)] for rate float64 [n]; as integers NaN and infinity are 0."""
    rates = np.repeat(rate, samples)
    units = _Streams(start, np.arange(len(rates)) * RESERVED).source(float64, unit)
    found = np.full(len(rates), np.nan)
    with np.errstate(all="ignore"):
        found[rates < 0], found[np.isposinf(rates)] = 0, np.inf
        rows = np.flatnonzero((rates >= 0) & (rates < 10))
        limits, product = np.exp(-rates), np.ones(len(rates))
        found[rows] = 0
        while len(rows):
            product[rows] *= units.take(rows)
            rows = rows[product[rows] > limits[rows]]
            found[rows] += 1
        rows = np.flatnonzero((rates >= 10) & np.isfinite(rates))
        b = 0.931 + 2.53 * np.sqrt(rates)
        a = -0.059 + 0.02483 * b
        inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
        while len(rows):
            u = units.take(rows) - 0.5
            v = units.take(rows)
            shifted = 0.5 - np.abs(u)
            k = np.floor((2 * a[rows] / shifted + b[rows]) * u + rates[rows] + 0.43)
            inside = (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (b[rows] - 2))
            outside = (k < 0) | ((shifted < 0.013) & (v > shifted))
            left = np.log(v * inverse_alpha[rows] / (a[rows] / (shifted * shifted) + b[rows]))
            right = -rates[rows] + k * np.log(rates[rows]) - Lgamma.run(np, k + 1)
            taken = inside | (~outside & (left <= right))
            found[rows[taken]] = k[taken]
            rows = rows[~taken]
    if dtype.is_integer:
        found[~np.isfinite(found)] = 0
    return found.astype(dtype.numpy).reshape(len(rate), samples).T


_TAILS = (
    0.0810614667953272,
    0.0413406959554092,
    0.0276779256849983,
    0.02079067210376509,
    0.0166446911898211,
    0.0138761288230707,
    0.0118967099458917,
    0.0104112652619720,
    0.00925546218271273,
    0.00833056343336287,
)


def _stirling_tail(k: Any) -> Any:
    squared = (k + 1) ** 2
    return np.where(k <= 9, np.take(_TAILS, np.clip(k, 0, 9).astype(np.int64)), (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / squared) / squared) / (k + 1))


def binomial(start: Philox, counts: Any, chances: Any, samples: int) -> Any:
    """Numbers of binomial distributions, by inversion and Hoermann's rejection: float64 [samples, n] for counts and chances float64 [n]."""
    count, chance = np.repeat(counts, samples), np.repeat(chances, samples)
    found = np.full(len(count), np.nan)
    with np.errstate(all="ignore"):
        flipped = chance > 0.5
        least = np.where(flipped, 1 - chance, chance)
        sure_none, sure_all = (count <= 0) | (chance <= 0), (count > 0) & (chance >= 1)
        found[sure_none] = 0
        found[sure_all] = count[sure_all]
        open_rows = ~(sure_none | sure_all | np.isnan(chance) | np.isnan(count))
        is_large = count * least >= 10
        for rows, draw, stretch in (
            (np.flatnonzero(open_rows & ~is_large), _by_inversion, 42),
            (np.flatnonzero(open_rows & is_large), _by_rejection, RESERVED),
        ):
            units = _Streams(start, rows * stretch).source(float64, unit)
            drawn = draw(units, count[rows], least[rows])
            found[rows] = np.where(flipped[rows], count[rows] - drawn, drawn)
    return found.reshape(len(counts), samples).T


def _by_inversion(units: _Source, count: Any, chance: Any) -> Any:
    found, total = np.zeros(len(count)), np.zeros(len(count))
    rows = np.arange(len(count))
    while len(rows):
        total[rows] += np.ceil(np.log(units.take(rows)) / np.log1p(-chance[rows]))
        rows = rows[total[rows] <= count[rows]]
        found[rows] += 1
    return found


def _by_rejection(units: _Source, count: Any, chance: Any) -> Any:
    found = np.empty(len(count))
    deviation = np.sqrt(count * chance * (1 - chance))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    odds, alpha, middle = chance / (1 - chance), (2.83 + 5.1 / b) * deviation, np.floor((count + 1) * chance)
    rows = np.arange(len(count))
    while len(rows):
        u, v = units.take(rows), units.take(rows)
        n, m, r = count[rows], middle[rows], odds[rows]
        u = u - 0.5
        shifted = 0.5 - np.abs(u)
        k = np.floor((2 * a[rows] / shifted + b[rows]) * u + n * chance[rows] + 0.5)
        inside = (shifted >= 0.07) & (v <= 0.92 - 4.2 / b[rows])
        bound = (
            (m + 0.5) * np.log((m + 1) / (r * (n - m + 1)))
            + (n + 1) * np.log((n - m + 1) / (n - k + 1))
            + (k + 0.5) * np.log(r * (n - k + 1) / (k + 1))
            + _stirling_tail(m)
            + _stirling_tail(n - m)
            - _stirling_tail(k)
            - _stirling_tail(n - k)
        )
        possible = (k >= 0) & (k <= n)
        taken = inside | (possible & (np.log(v * alpha[rows] / (a[rows] / (shifted * shifted) + b[rows])) <= bound))
        found[rows[taken]] = k[taken]
        rows = rows[~taken]
    return found
