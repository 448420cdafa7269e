"""Quantised numbers."""

from __future__ import annotations

import numpy as np

from families.values import Cases, ints

CASES = Cases()
case = CASES.case
normal = CASES.normal
r = CASES.generator

Q = {n: np.dtype([(n, t)]) for n, t in {"qint8": "i1", "quint8": "u1", "qint32": "i4", "qint16": "i2", "quint16": "u2"}.items()}


def q(n, *s):
    t = Q[n][n]
    lo, hi = np.iinfo(t).min, np.iinfo(t).max
    return r.integers(lo, hi, s, endpoint=True, dtype=t).view(Q[n])


for n in Q:
    for m in ("MIN_COMBINED", "MIN_FIRST", "SCALED"):
        for lo, hi in ((-1, 1.5), (0, 6), (-3, -1), (2, 5), (0, 0)):
            for rm in ("HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN"):
                if rm == "HALF_TO_EVEN" and m != "SCALED":
                    continue
                case("QuantizeV2", [3 * normal(4, 5), np.float32(lo), np.float32(hi)], T=n, mode=m, round_mode=rm)
            case("Dequantize", [q(n, 3, 4), np.float32(lo), np.float32(hi)], mode=m)
case("QuantizeV2", [3 * normal(4, 5), np.float32(-1), np.float32(1)], T="qint8", mode="SCALED", narrow_range=True)
case("QuantizeV2", [normal(5), np.float32(2), np.float32(1)], T="qint8")
case("QuantizeV2", [normal(5), np.float32([2]), np.float32(1)], T="qint8")
case("QuantizeV2", [normal(2, 3), np.float32([-1, -2, -3]), np.float32([1, 2, 3])], T="qint8", axis=1)
case("QuantizeV2", [normal(2, 3), np.float32([-1, -2, -3]), np.float32([1, 2, 3])], T="qint8", axis=1, mode="SCALED")
case("QuantizeV2", [normal(0), np.float32(0), np.float32(1)], T="qint8")
case("QuantizeV2", [np.float32([np.nan, np.inf, -np.inf]), np.float32(-1), np.float32(1)], T="quint8")
case("Dequantize", [q("qint8", 2, 3), np.float32([-1, -2, -3]), np.float32([1, 2, 3])], axis=1, mode="SCALED")
for s in (True, False):
    for b in (8, 4, 1, 2):
        for g in (True, False):
            for rm in ("HALF_TO_EVEN", "HALF_UP"):
                case(
                    "QuantizeAndDequantizeV2",
                    [3 * normal(4, 5), np.float32(-2), np.float32(1.5)],
                    signed_input=s,
                    num_bits=b,
                    range_given=g,
                    round_mode=rm,
                )
            case("QuantizeAndDequantizeV3", [3 * normal(4, 5), np.float32(-2), np.float32(1.5), ints(b)], signed_input=s, range_given=g)
case("QuantizeAndDequantizeV2", [normal(4), np.float32(2), np.float32(1)], range_given=True)
case("QuantizeAndDequantizeV2", [normal(4), np.float32(0), np.float32(0)], range_given=True)
case("QuantizeAndDequantizeV2", [abs(normal(4)), np.float32(0), np.float32(3)], range_given=True)
case("QuantizeAndDequantizeV2", [normal(4), np.float32([-1]), np.float32([1])], range_given=True)
case("QuantizeAndDequantizeV2", [normal(4), np.float32(-1), np.float32(1)], num_bits=0)
case("QuantizeAndDequantizeV2", [normal(4), np.float32(-1), np.float32(1)], num_bits=65)
case("QuantizeAndDequantizeV2", [normal(4), np.float32(-1), np.float32(1)], narrow_range=True, range_given=True)
case("QuantizeAndDequantizeV2", [normal(4, 3), np.float32([-1, -1, -2]), np.float32([1, 2, 3])], axis=1, range_given=True)
case("QuantizeAndDequantizeV2", [normal(4, 3), np.float32(0), np.float32(0)], axis=1)
case("QuantizeAndDequantizeV2", [normal(4, 3).astype(np.float64), np.float64(0), np.float64(0)])
