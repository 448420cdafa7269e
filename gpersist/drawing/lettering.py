"""Texts of drawings, which fit their places though no font is known here: they are cut to a careful guess of their width."""

from __future__ import annotations

import functools
from html import escape

from gpersist.drawing.palette import INK

_NARROW, _WIDE, _BROAD = frozenset("iIjlftr.,:;|!'()[]/ "), frozenset("mwMW@%…"), frozenset("<>&+=~#^")


def printable(text: str) -> str:
    """Text of a file as it may stand in a drawing: what is no printable character, which XML may not even hold, is written out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def text_element(x: float, y: float, text: str, size: int, width: float, colour: str = INK, *, is_bold: bool = False, anchor: str = "") -> str:
    """SVG's element of a text that takes no more than `width`; `anchor` is SVG's (`middle`, `end`)."""
    weight = ' font-weight="bold"' if is_bold else ""
    middle = f' text-anchor="{anchor}"' if anchor else ""
    return (
        f'<text x="{x:.2f}" y="{y:g}" font-size="{size}" fill="{colour}"{weight}{middle}>{escape(fit(printable(text), size, width, is_bold))}</text>'
    )


def fit(text: str, size: int, width: float, is_bold: bool = False) -> str:
    """The text, or as much of its beginning as there is room for, with an ellipsis."""
    if text_width(text, size, is_bold) <= width:
        return text
    end = 0
    width -= text_width("…", size, is_bold)
    while (width := width - text_width(text[end], size, is_bold)) >= 0:
        end += 1
    return text[:end].rstrip() + "…"


@functools.lru_cache(1 << 14)
def text_width(text: str, size: int, is_bold: bool = False) -> float:
    """As wide as the widest of the common sans-serif fonts makes it."""
    return size * (1.12 if is_bold else 1.0) * sum(map(_char_width, text))


@functools.lru_cache(1 << 12)
def _char_width(char: str) -> float:
    if char in _NARROW:
        return 0.46
    if char in _WIDE or not char.isascii():
        return 1.0
    return 0.86 if char in _BROAD else 0.79 if char.isupper() else 0.64
