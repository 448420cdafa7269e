"""Recurrent cells, and CTC."""

from __future__ import annotations

import numpy as np

from families.values import Cases, ints, longs

CASES = Cases()
case = CASES.case
normal = CASES.normal


def cell(b, n, h):
    return [normal(b, n), normal(b, h), normal(b, h), normal(n + h, 4 * h), normal(h), normal(h), normal(h), normal(4 * h)]


def seq(t, b, n, h, L):
    return [longs(L), normal(t, b, n), *cell(b, n, h)[1:]]


for k in ({}, {"use_peephole": True}, {"cell_clip": 0.2, "forget_bias": 0.0}, {"cell_clip": -1.0}):
    case("LSTMBlockCell", cell(2, 3, 4), **k)
    case("LSTMBlockCell", cell(1, 5, 2), **k)
    for L in (4, 2, 0):
        case("BlockLSTM", seq(4, 2, 3, 4, L), **k)
    k2 = {a: v for a, v in k.items() if a != "forget_bias"}
    case("BlockLSTMV2", seq(4, 2, 3, 4, 3), **k2)
for p in (False, True):
    case("LSTMBlockCellGrad", cell(2, 3, 4) + [normal(2, 4) for _ in range(8)], use_peephole=p)
    for L in (4, 2):
        case("BlockLSTMGrad", seq(4, 2, 3, 4, L) + [normal(4, 2, 4) for _ in range(9)], use_peephole=p)
        case("BlockLSTMGradV2", seq(4, 2, 3, 4, L) + [normal(4, 2, 4) for _ in range(9)], use_peephole=p)
c = cell(2, 3, 4)
case("LSTMBlockCell", [*c[:3], normal(7, 15), *c[4:]])
case("LSTMBlockCell", [normal(3, 3), *c[1:]])
case("LSTMBlockCell", [normal(3), *c[1:]])
s = seq(4, 2, 3, 4, 9)
case("BlockLSTM", s)
case("BlockLSTM", [longs([2]), *s[1:]])
case("BlockLSTM", [longs(2), *s[1:8], normal(15)])
case("GRUBlockCell", [normal(2, 3), normal(2, 4), normal(7, 8), normal(7, 4), normal(8), normal(4)])
case("GRUBlockCell", [normal(2, 3), normal(3, 4), normal(7, 8), normal(7, 4), normal(8), normal(4)])
case("GRUBlockCell", [normal(2, 3), normal(2, 4), normal(7, 7), normal(7, 4), normal(8), normal(4)])
case("GRUBlockCellGrad", [normal(2, 3), normal(2, 4), normal(7, 8), normal(7, 4), normal(8), normal(4)] + [normal(2, 4) for _ in range(4)])
for m in (True, False):
    for bi in (-1, 0, 1, -3, 3):
        case("CTCGreedyDecoder", [normal(8, 3, 3), ints([8, 5, 0])], merge_repeated=m, blank_index=bi)
        case("CTCGreedyDecoder", [normal(8, 3, 3).round().astype(np.float64), ints([8, 5, 2])], merge_repeated=m, blank_index=bi)
case("CTCGreedyDecoder", [normal(8, 3, 3), ints([9, 5, 0])])
case("CTCGreedyDecoder", [normal(8, 3, 3), ints([5, 0])])
case("CTCGreedyDecoder", [normal(0, 3, 3), ints([0, 0, 0])])
case("CTCGreedyDecoder", [normal(3, 3), ints([0, 0, 0])])
case("CTCGreedyDecoder", [normal(8, 0, 3), ints([])])
case("CTCGreedyDecoder", [normal(8, 3, 3), ints([-2, 5, 0])])
