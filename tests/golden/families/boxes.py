"""Non-maximum suppression, and boxes cut out of images."""

from __future__ import annotations

import numpy as np

from families.values import Cases, ints

CASES = Cases()
normal = CASES.normal
uniform = CASES.uniform
r = CASES.generator


def boxes(n):
    c = uniform(n, 2) * 2
    s = uniform(n, 2)
    return np.concatenate([c - s / 2, c + s / 2], 1)


for n in (0, 1, 6, 40):
    b, s = boxes(n), uniform(n).round(1)
    for th in (0.0, 0.3, 0.7, 1.0):
        CASES += [
            ("NonMaxSuppression", [b, s, ints(5)], {"iou_threshold": th}),
            ("NonMaxSuppressionV2", [b, s, ints(50), np.float32(th)], {}),
            ("NonMaxSuppressionV3", [b, s, ints(10), np.float32(th), np.float32(0.4)], {}),
            ("NonMaxSuppressionV4", [b, s, ints(10), np.float32(th), np.float32(0.4)], {"pad_to_max_output_size": True}),
            ("NonMaxSuppressionV4", [b, s, ints(10), np.float32(th), np.float32(0.4)], {}),
        ]
        for sg in (0.0, 0.3, 1.0):
            CASES.append(
                ("NonMaxSuppressionV5", [b, s, ints(10), np.float32(th), np.float32(0.2), np.float32(sg)], {"pad_to_max_output_size": sg > 0.5})
            )
        CASES.append(("NonMaxSuppressionWithOverlaps", [uniform(n, n), s, ints(6), np.float32(th), np.float32(0.1)], {}))
b, s = boxes(6), uniform(6)
for a in [
    [b, s, ints(-1), np.float32(0.5), np.float32(0)],
    [b, s, ints(3), np.float32(1.5), np.float32(0)],
    [b, s, ints(3), np.float32(-0.5), np.float32(0)],
    [b, s[:3], ints(3), np.float32(0.5), np.float32(0)],
    [b[:, :3], s, ints(3), np.float32(0.5), np.float32(0)],
    [b, s, ints([3]), np.float32(0.5), np.float32(0)],
    [b, s, ints(3), np.float32([0.5]), np.float32(0)],
    [b, s, ints(0), np.float32(0.5), np.float32(0)],
    [b.astype(np.float16), s.astype(np.float16), ints(3), np.float32(0.5), np.float32(0)],
    [b * np.nan, s, ints(3), np.float32(0.5), np.float32(0)],
    [b, s * np.nan, ints(3), np.float32(0.5), np.float32(0)],
    [b, s, ints(3), np.float32(0.5), np.float32(-np.inf)],
    [b * 0, s, ints(3), np.float32(0.5), np.float32(0)],
]:
    CASES.append(("NonMaxSuppressionV3", a, {}))
    CASES.append(("NonMaxSuppressionV4", a, {"pad_to_max_output_size": True}))
CASES.append(("NonMaxSuppressionV5", [b, s, ints(3), np.float32(0.5), np.float32(0), np.float32(-1)], {}))
for q in (1, 3):
    for per, tot in ((2, 4), (3, 20), (10, 7)):
        for k in ({}, {"pad_per_class": True}, {"clip_boxes": False}):
            bx = np.stack([np.stack([boxes(12) for _ in range(q)], 1) for _ in range(2)])
            CASES.append(("CombinedNonMaxSuppression", [bx, uniform(2, 12, 3), ints(per), ints(tot), np.float32(0.4), np.float32(0.2)], k))
bx = uniform(2, 12, 2, 4)
CASES += [
    ("CombinedNonMaxSuppression", [bx, uniform(2, 12, 3), ints(2), ints(2), np.float32(0.4), np.float32(0.2)], {}),
    ("CombinedNonMaxSuppression", [uniform(1, 3, 1, 4), uniform(1, 3, 3), ints(0), ints(2), np.float32(0.4), np.float32(0.2)], {}),
    ("CombinedNonMaxSuppression", [uniform(1, 3, 1, 4), uniform(1, 3, 3), ints(1), ints(0), np.float32(0.4), np.float32(0.2)], {}),
    ("CombinedNonMaxSuppression", [uniform(1, 3, 1, 4), uniform(1, 3, 3), ints(1), ints(2), np.float32(1.4), np.float32(0.2)], {}),
    ("CombinedNonMaxSuppression", [uniform(1, 0, 1, 4), uniform(1, 0, 3), ints(1), ints(2), np.float32(0.4), np.float32(0.2)], {}),
]
for m in ("bilinear", "nearest"):
    for ev in (0.0, -3.0):
        for shape, n, c in [
            ((2, 4, 5, 3), 4, (3, 4)),
            ((1, 7, 3, 1), 3, (1, 1)),
            ((2, 1, 1, 2), 2, (2, 3)),
            ((1, 9, 9, 1), 5, (9, 9)),
            ((1, 4, 4, 1), 0, (2, 2)),
        ]:
            bb = (uniform(n, 4) * 1.6 - 0.3).astype(np.float32)
            CASES.append(
                (
                    "CropAndResize",
                    [normal(*shape), bb, r.integers(0, shape[0], n).astype(np.int32), ints(c)],
                    {"method": m, "extrapolation_value": ev},
                )
            )
    for shape, n, c in [((2, 4, 5, 3), 4, (3, 4)), ((1, 7, 3, 1), 3, (1, 1))]:
        bb = (uniform(n, 4) * 1.6 - 0.3).astype(np.float32)
        CASES.append(
            (
                "CropAndResizeGradImage",
                [normal(n, *c, shape[3]), bb, r.integers(0, shape[0], n).astype(np.int32), ints(shape)],
                {"method": m, "T": "float"},
            )
        )
        CASES.append(
            (
                "CropAndResizeGradImage",
                [normal(n, *c, shape[3]), bb, r.integers(0, shape[0], n).astype(np.int32), ints(shape)],
                {"method": m, "T": "double"},
            )
        )
        CASES.append(("CropAndResizeGradBoxes", [normal(n, *c, shape[3]), normal(*shape), bb, r.integers(0, shape[0], n).astype(np.int32)], {}))
for a in [
    [normal(1, 4, 4, 1), uniform(2, 4), ints([0, 1]), ints([2, 2])],
    [normal(1, 4, 4, 1), uniform(2, 4), ints([0]), ints([2, 2])],
    [normal(1, 4, 4, 1), uniform(2, 3), ints([0, 0]), ints([2, 2])],
    [normal(4, 4, 1), uniform(1, 4), ints([0]), ints([2, 2])],
    [normal(1, 4, 4, 1), uniform(1, 4), ints([0]), ints([2])],
    [normal(1, 4, 4, 1), uniform(1, 4), ints([0]), ints([0, 2])],
    [normal(1, 4, 4, 1), uniform(1, 4), ints([0]), ints([-1, 2])],
    [normal(1, 4, 4, 1), uniform(1, 4) * np.nan, ints([0]), ints([2, 2])],
    [normal(1, 0, 4, 1), uniform(1, 4), ints([0]), ints([2, 2])],
    [(abs(normal(1, 4, 4, 1)) * 50).astype(np.uint8), uniform(1, 4), ints([0]), ints([2, 2])],
    [normal(1, 4, 4, 1).astype(np.float64), uniform(1, 4), ints([0]), ints([2, 2])],
    [normal(1, 4, 4, 1), uniform(1, 4), ints([-1]), ints([2, 2])],
]:
    CASES.append(("CropAndResize", a, {}))
