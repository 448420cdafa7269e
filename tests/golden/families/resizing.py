"""Images resized."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from families.values import Cases, ints

CASES = Cases()
normal = CASES.normal

modes = [{}, {"align_corners": True}, {"half_pixel_centers": True}]
for op in ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea"):
    for m in [*modes, {"align_corners": True, "half_pixel_centers": True}]:
        if op == "ResizeArea" and "half_pixel_centers" in m:
            continue
        for shape, size in [
            ((2, 3, 4, 2), (5, 3)),
            ((1, 5, 4, 1), (3, 8)),
            ((1, 7, 9, 3), (7, 9)),
            ((1, 1, 1, 1), (3, 3)),
            ((1, 6, 6, 1), (1, 1)),
            ((1, 13, 11, 2), (29, 31)),
            ((1, 40, 40, 1), (17, 23)),
            ((0, 2, 2, 1), (3, 3)),
            ((1, 2, 2, 0), (3, 3)),
        ]:
            CASES.append((op, [normal(*shape), ints(size)], m))
    for dt in (np.uint8, np.int16, np.int32, np.float16, ml_dtypes.bfloat16, np.float64, np.int64):
        CASES.append((op, [(100 * abs(normal(1, 3, 3, 1))).astype(dt), ints([5, 4])], {}))
    for s in [ints([0, 3]), ints([-1, 3]), ints([3]), np.int32(3), ints([1, 2, 3])]:
        CASES.append((op, [normal(1, 3, 3, 1), s], {}))
    CASES.append((op, [normal(3, 3, 1), ints([2, 2])], {}))
    CASES.append((op, [normal(1, 0, 3, 1), ints([2, 2])], {}))
for op in ("ResizeBilinearGrad", "ResizeBicubicGrad"):
    for m in modes:
        for a, b in [((2, 5, 3, 2), (2, 3, 4, 2)), ((1, 3, 8, 1), (1, 5, 4, 1)), ((1, 4, 4, 1), (1, 4, 4, 1)), ((1, 5, 5, 1), (1, 1, 1, 1))]:
            for dt in (np.float32, np.float64):
                CASES.append((op, [normal(*a), normal(*b).astype(dt)], m))
    CASES.append((op, [normal(1, 5, 5, 1), normal(2, 3, 3, 1)], {}))
    CASES.append((op, [normal(1, 5, 5, 1), normal(2, 3, 3)], {}))
for m in modes:
    for a, b in [((2, 5, 3, 2), (3, 4)), ((1, 3, 8, 1), (5, 4)), ((1, 4, 4, 1), (4, 4)), ((1, 3, 3, 1), (9, 7))]:
        CASES.append(("ResizeNearestNeighborGrad", [normal(*a), ints(b)], m))
        CASES.append(("ResizeNearestNeighborGrad", [(10 * normal(*a)).astype(np.int32), ints(b)], m))
