"""A placement as a drawing: one bar a device, its segments by scope. Text only: pure functions, no device, no file.

A bar is the whole of its device's memory: what is in use already, then the scopes of tensors' names, the largest first, then what stays free. What
there is no room for reaches past the bar's end, as far as there is paper. No font is known here, so texts are cut to a careful guess of their width.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from gpersist.checkpoint import DeviceLoad, PlacementPlan, TensorSpec
from gpersist.cli.output import amount, counted, percent, printable
from gpersist.devices import Device
from gpersist.drawing import ALARM, COLOURS, DARK, FAINT, GREYS, INK, text_element, text_width

_WIDTH = 1000
_MARGIN = 24
_BAR_X, _BAR_WIDTH, _BAR_HEIGHT = 172, 560, 34
_OVERFLOW_WIDTH = 44
_FIGURES_X = _BAR_X + _BAR_WIDTH + _OVERFLOW_WIDTH + 12
_ROW_HEIGHT = 52
_HEAD_HEIGHT = 84
_LEGEND_COLUMNS = 3
_LINE_HEIGHT = 20
_MAX_SEGMENTS = 8
_MAX_ARRIVALS = 16

_IN_USE, _FREE = "#d5d9de", "#f4f5f7"

_KINDS = {"cuda": ("on", "GPU"), "virtual": ("on", "virtual device"), "planned for": ("planned for", "GPU")}
_MAX_DEPTH = 3
_NEARLY_ALL = 0.9
"""Of the bytes: a scope that holds so much tells nothing, and is taken apart."""


class Arrival(NamedTuple):
    """Tensors that come to a device from elsewhere than where they were recorded, for one reason."""

    device: Device
    why: str
    recorded: list[str]
    names: list[str]


def arrivals(plan: PlacementPlan) -> list[Arrival]:
    """The plan's moves, by where they go."""
    found: dict[tuple[Device, str], Arrival] = {}
    for move in plan.moves():
        arrival = found.setdefault((move.device, move.why), Arrival(move.device, move.why, [], []))
        arrival.recorded.append(move.recorded)
        arrival.names.extend(move.names)
    position = {load.device: number for number, load in enumerate(plan.loads)}
    return sorted(found.values(), key=lambda arrival: position[arrival.device])


def draw(plan: PlacementPlan, title: str) -> str:
    """Draws a plan.

    Args:
        plan: what goes where; each of its `loads` gets a bar.
        title: of the drawing: what was placed.

    Returns:
        An SVG document, 1000 units wide, as high as it need be; the same for the same plan. It refers to nothing outside of it.
    """
    depth = _depth(plan.tensors)
    sizes = {load.device: collections.Counter[str]() for load in plan.loads}
    for tensor, device in zip(plan.tensors, plan.devices, strict=True):
        sizes[device][_scope(tensor.name, depth)] += tensor.size_bytes
    totals = collections.Counter[str]()
    for counter in sizes.values():
        totals.update(counter)
    ranked = sorted(totals, key=lambda scope: (-totals[scope], scope))
    colours = dict(zip(ranked, COLOURS, strict=False))
    lines = [*_head(plan, title)]
    y = _HEAD_HEIGHT
    for load in plan.loads:
        lines += _row(load, sizes[load.device], colours, y)
        y += _ROW_HEIGHT
    legend = [(colours[scope], f"{scope}: {_share(totals[scope], totals.total())}") for scope in colours]
    if rest := [scope for scope in ranked if scope not in colours]:
        legend.append((GREYS[0], f"other ({counted(len(rest), 'scope')}): {_share(sum(totals[scope] for scope in rest), totals.total())}"))
    legend += [(_IN_USE, "in use already"), (_FREE, "stays free")]
    if not all(load.fits for load in plan.loads):
        legend.append(("url(#over)", "no room for it"))
    lines += _legend(legend, y)
    y += _LINE_HEIGHT * -(-len(legend) // _LEGEND_COLUMNS) + 12
    for number, text in enumerate(_told(plan)):
        lines.append(text_element(_MARGIN, y + 16, text, 12, _WIDTH - 2 * _MARGIN, is_bold=not number))
        y += _LINE_HEIGHT
    height = y + 12
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
            'font-family="Helvetica, Arial, sans-serif">',
            '<defs><pattern id="over" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect width="8" height="8" fill="#ffe3e3"/><rect width="4" height="8" fill="{ALARM}"/></pattern></defs>',
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *lines,
            "</svg>\n",
        ]
    )


def _head(plan: PlacementPlan, title: str) -> Iterator[str]:
    yield text_element(_MARGIN, 36, title, 20, _WIDTH - 2 * _MARGIN, is_bold=True)
    counts = collections.Counter(load.device.backend for load in plan.loads if load.device.backend in _KINDS)
    devices = [f"{_KINDS[kind][0]} {counted(count, _KINDS[kind][1])}" for kind, count in counts.items()]
    told = [counted(len(plan.tensors), "tensor"), amount(sum(tensor.size_bytes for tensor in plan.tensors)), *devices]
    yield text_element(_MARGIN, 60, f"{', '.join(told)}; each bar is its device's whole memory", 13, _FIGURES_X - _MARGIN, FAINT)
    if short := sum(not load.fits for load in plan.loads):
        yield text_element(_FIGURES_X, 60, f"does not fit on {counted(short, 'device')}", 12, _WIDTH - _MARGIN - _FIGURES_X, ALARM, is_bold=True)


def _row(load: DeviceLoad, sizes: collections.Counter[str], colours: dict[str, str], y: int) -> Iterator[str]:
    label_width = _BAR_X - _MARGIN - 8
    yield text_element(_MARGIN, y + 15, load.device.name.removeprefix("/device:"), 14, label_width, is_bold=True)
    yield text_element(_MARGIN, y + 30, f"{load.device.backend}, {amount(load.total_bytes)}", 10, label_width, FAINT)
    yield _rect(_BAR_X, y, _BAR_WIDTH, _FREE)
    per_byte, limit = _BAR_WIDTH / max(load.total_bytes, 1), _BAR_X + _BAR_WIDTH
    x = min(_BAR_X + (load.total_bytes - load.free_bytes) * per_byte, limit)
    yield _rect(_BAR_X, y, x - _BAR_X, _IN_USE, "in use already", amount(load.total_bytes - load.free_bytes))
    for number, (scope, size_bytes) in enumerate(_segments(sizes)):
        width = min(size_bytes * per_byte, limit - x)
        if width > 0:
            yield from _segment(x, y, width, scope, _share(size_bytes, load.size_bytes), colours.get(scope, GREYS[number % 2]))
            x += width
    if not load.fits:
        over_width = min(max((load.size_bytes - load.free_bytes) * per_byte, 8), _OVERFLOW_WIDTH)
        yield _rect(limit, y, over_width, "url(#over)", "no room for it", amount(load.size_bytes - load.free_bytes))
    colour, line_width = (INK, 1) if load.fits else (ALARM, 2)
    yield f'<rect x="{_BAR_X}" y="{y}" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" fill="none" stroke="{colour}" stroke-width="{line_width}"/>'
    figures = (
        (amount(load.size_bytes), f"{percent(load.size_bytes, load.free_bytes)} of {amount(load.free_bytes)} free")
        if load.fits
        else (f"{amount(load.size_bytes - load.free_bytes)} too much", f"{amount(load.size_bytes)} for {amount(load.free_bytes)} free")
    )
    room = _WIDTH - _MARGIN - _FIGURES_X
    yield text_element(_FIGURES_X, y + 15, figures[0], 13, room, colour, is_bold=True)
    yield text_element(_FIGURES_X, y + 30, figures[1], 10, room, FAINT)


def _segments(sizes: collections.Counter[str]) -> list[tuple[str, int]]:
    """A device's scopes, the largest first, those after the first few together."""
    ranked = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    rest = ranked[_MAX_SEGMENTS:]
    return ranked[:_MAX_SEGMENTS] + [(f"other ({counted(len(rest), 'scope')})", sum(size_bytes for _, size_bytes in rest))] * bool(rest)


def _segment(x: float, y: int, width: float, scope: str, share: str, colour: str) -> Iterator[str]:
    yield _rect(x, y, width, colour, scope, share)
    ink, room = "#ffffff" if colour in DARK else INK, width - 8
    name = scope if text_width(scope, 11) <= room else scope.rpartition("/")[2]
    value = share if text_width(share, 10) <= room else share.partition(",")[0]
    if room >= text_width(value, 10):
        yield text_element(x + 4, y + 14, name, 11, room, ink)
        yield text_element(x + 4, y + 28, value, 10, room, ink)
    elif room >= min(text_width(name, 11), text_width("00000", 11)):
        yield text_element(x + 4, y + 21, name, 11, room, ink)


def _legend(items: Sequence[tuple[str, str]], y: int) -> Iterator[str]:
    column_width = (_WIDTH - 2 * _MARGIN) // _LEGEND_COLUMNS
    for number, (colour, text) in enumerate(items):
        row, column = divmod(number, _LEGEND_COLUMNS)
        x, top = _MARGIN + column * column_width, y + row * _LINE_HEIGHT
        yield f'<rect x="{x}" y="{top + 2}" width="12" height="12" fill="{colour}" stroke="{FAINT}" stroke-width="0.5"/>'
        yield text_element(x + 18, top + 13, text, 12, column_width - 30)


def _told(plan: PlacementPlan) -> Iterator[str]:
    """What was moved: a heading, and a line for each kind of arrival; nothing where nothing was."""
    found = arrivals(plan)
    if not found:
        return
    yield f"Moved: {sum(len(arrival.names) for arrival in found):,} of {counted(len(plan.tensors), 'tensor')}"
    for arrival in found[:_MAX_ARRIVALS]:
        target = arrival.device.name.removeprefix("/device:")
        yield f"{counted(len(arrival.names), 'tensor')} to {target}: {arrival.why}; recorded on {', '.join(arrival.recorded)}"
    if len(found) > _MAX_ARRIVALS:
        yield f"and {len(found) - _MAX_ARRIVALS} more such lines"


def _depth(tensors: Sequence[TensorSpec]) -> int:
    """How many parts of a name make a scope: as few as may be, but that no scope holds nearly everything."""
    total_bytes = sum(tensor.size_bytes for tensor in tensors)
    for depth in range(1, _MAX_DEPTH + 1):
        sizes = collections.Counter[str]()
        for tensor in tensors:
            sizes[_scope(tensor.name, depth)] += tensor.size_bytes
        if max(sizes.values(), default=0) <= _NEARLY_ALL * total_bytes:
            return depth
    return 1


def _scope(name: str, depth: int) -> str:
    return "/".join(name.split("/", depth)[:depth])


def _share(part_bytes: int, whole_bytes: int) -> str:
    return f"{amount(part_bytes)}, {percent(part_bytes, whole_bytes)}"


def _rect(x: float, y: int, width: float, colour: str, name: str = "", value: str = "") -> str:
    told = f"<title>{escape(printable(f'{name}: {value}'))}</title>" if name else ""
    return f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="{_BAR_HEIGHT}" fill="{colour}" stroke="#ffffff" stroke-width="0.5">{told}</rect>'
