"""Colours of images, boxes drawn, fake quantisation."""

from __future__ import annotations

import numpy as np

from families.values import Cases

CASES = Cases()
case = CASES.case
normal = CASES.normal
uniform = CASES.uniform

for op in ("RGBToHSV", "HSVToRGB"):
    for a in (
        uniform(2, 5, 3),
        uniform(3),
        uniform(4, 4, 3).astype(np.float64),
        uniform(5, 3).astype(np.float16),
        normal(2, 2, 3),
        uniform(0, 3),
        uniform(2, 4),
        np.float32(3),
        np.zeros((2, 3), np.float32),
        uniform(5, 1).repeat(3, 1),
        np.round(uniform(9, 3) * 3) / 3,
    ):
        case(op, [a])
for op in ("AdjustContrastv2", "AdjustHue", "AdjustSaturation"):
    for a in (
        uniform(1, 2, 4, 3),
        uniform(2, 4, 3),
        normal(2, 4, 3),
        uniform(2, 4, 3).astype(np.float16),
        np.zeros((2, 2, 3), np.float32),
        uniform(2, 4, 1),
        uniform(4, 3),
        uniform(0, 2, 2, 3),
        np.round(uniform(3, 3, 3) * 3) / 3,
        uniform(2, 2, 3, 3, 3),
    ):
        for d in (0.0, 0.3, -0.7, 2.5):
            case(op, [a, np.float32(d)])
    case(op, [uniform(2, 2, 3), np.float32([1.0])])
for d in (1, 3, 4, 2):
    case("DrawBoundingBoxes", [uniform(2, 6, 7, d), uniform(2, 4, 4)])
    case("DrawBoundingBoxes", [uniform(2, 6, 7, d), uniform(2, 12, 4) * 2 - 0.5])
    case("DrawBoundingBoxesV2", [uniform(2, 6, 7, d), uniform(2, 12, 4) * 2 - 0.5, uniform(3, 4)])
b = np.sort(uniform(2, 12, 2, 2), 2).reshape(2, 12, 4)
case("DrawBoundingBoxes", [uniform(2, 16, 17, 3), b])
case("DrawBoundingBoxes", [uniform(2, 16, 17, 3), b * 2 - 0.5])
case("DrawBoundingBoxesV2", [uniform(2, 16, 17, 3), b, np.zeros((0, 4), np.float32)])
case("DrawBoundingBoxes", [uniform(1, 6, 7, 3), uniform(2, 4, 4)])
case("DrawBoundingBoxes", [uniform(1, 6, 7, 3), uniform(1, 4, 3)])
for k in (
    {},
    {"min": -0.5, "max": 0.7, "num_bits": 4, "narrow_range": True},
    {"min": 0.0, "max": 1.0},
    {"min": 1.0, "max": 2.0},
    {"min": -3.0, "max": -1.0},
    {"num_bits": 16},
    {"num_bits": 1},
    {"num_bits": 17},
    {"min": 2.0, "max": 1.0},
    {"min": 1.0, "max": 1.0},
):
    case("FakeQuantWithMinMaxArgs", [9 * normal(5, 6)], **k)
    case("FakeQuantWithMinMaxArgsGradient", [normal(5, 6), 5 * normal(5, 6)], **k)
    kk = {a: v for a, v in k.items() if a not in ("min", "max")}
    case("FakeQuantWithMinMaxVars", [9 * normal(5, 6), np.float32(k.get("min", -6)), np.float32(k.get("max", 6))], **kk)
    case("FakeQuantWithMinMaxVarsGradient", [normal(5, 6), 9 * normal(5, 6), np.float32(k.get("min", -6)), np.float32(k.get("max", 6))], **kk)
    case("FakeQuantWithMinMaxVarsPerChannel", [9 * normal(5, 3), np.float32([k.get("min", -6), -1, 0]), np.float32([k.get("max", 6), 2, 0])], **kk)
    case(
        "FakeQuantWithMinMaxVarsPerChannelGradient",
        [normal(5, 3), 9 * normal(5, 3), np.float32([k.get("min", -6), -1, 0]), np.float32([k.get("max", 6), 2, 0])],
        **kk,
    )
case("FakeQuantWithMinMaxVars", [normal(5), np.float32(0), np.float32(0)])
case("FakeQuantWithMinMaxVars", [normal(5), np.float32([0]), np.float32(0)])
case("FakeQuantWithMinMaxVars", [np.float32([np.nan, np.inf, -np.inf]), np.float32(-1), np.float32(1)])
case("FakeQuantWithMinMaxVarsPerChannel", [normal(5, 3), np.float32([0]), np.float32([0])])
case("FakeQuantWithMinMaxVarsPerChannel", [np.float32(5), np.float32([0]), np.float32([0])])
case("FakeQuantWithMinMaxVarsPerChannel", [normal(2, 2, 4, 3), -uniform(3), uniform(3)])
case("FakeQuantWithMinMaxVarsPerChannelGradient", [normal(2, 2, 4, 3), normal(2, 2, 4, 3), -uniform(3), uniform(3)])
case("FakeQuantWithMinMaxArgsGradient", [normal(2), normal(3)])
case("FakeQuantWithMinMaxVarsGradient", [normal(2), normal(3), np.float32(-1), np.float32(1)])
