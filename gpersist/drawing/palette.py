"""The colours of drawings: those of devices, of scopes and of what is said about them. Texts on tints are dark, so that they can be read by all."""

from __future__ import annotations

import functools
from collections.abc import Iterable

COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7", "#9c755f")
GREYS = ("#bab0ac", "#cbc3bf")
INK, FAINT, ALARM, PAPER = "#1f2933", "#616e7c", "#c62828", "#ffffff"
DARK = frozenset({"#4e79a7", "#59a14f", "#b07aa1", "#9c755f"})
"""Colours on which text is white."""


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in their order: the palette, then the palette lighter; what comes after is grey, and so is the empty name."""
    found: dict[str, str] = {}
    several = (*COLOURS, *(tint(colour, 0.45) for colour in COLOURS))
    for name in names:
        if name not in found:
            taken = sum(map(bool, found))
            found[name] = several[taken] if name and taken < len(several) else GREYS[0]
    return found


@functools.lru_cache(256)
def tint(colour: str, share: float) -> str:
    """A colour with so much white in it: 0 for none, 1 for white."""
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)
