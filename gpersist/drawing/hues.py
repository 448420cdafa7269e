"""What boxes say of their parts: the colours of devices or of operations, the line under the name, and all that is known."""

from __future__ import annotations

import collections
import functools
import re
from typing import Literal

from gpersist import protos
from gpersist.drawing.lettering import printable
from gpersist.drawing.palette import GREYS, colours_of
from gpersist.drawing.parts import Part

ColorBy = Literal["device", "op"]

_NO_DEVICE, _OTHER = "no device", "other operations"
_MAX_OPS = 15
_MAX_TOLD = 12
_NUMBER = re.compile(r"(\d+)")
_TOLD_KINDS = frozenset({"loop", "branch", "saver", "function"})


class Hues:
    """The colours of a graph's parts.

    Args:
        whole: the graph.
        color_by: what has a colour: `device`, or `op` for the type of operations.

    Attributes:
        legend: names, colours, and how many nodes have them.
    """

    def __init__(self, whole: Part, color_by: ColorBy) -> None:
        self._by_op = color_by == "op"
        if self._by_op:
            names = [name for name, _ in _ranked(whole.ops)[:_MAX_OPS]]
            self._colours = colours_of(names)
        else:
            self._colours = colours_of(sorted(whole.devices, key=_natural))
        counts = self._counts(whole)
        self.legend = [(printable(name) or _NO_DEVICE, colour, counts[name]) for name, colour in self._colours.items()]
        if self._by_op and (rest := counts.total() - sum(count for *_, count in self.legend)):
            self.legend.append((_OTHER, GREYS[0], rest))

    def main(self, part: Part) -> str:
        """The colour of most of a part."""
        return max(self.shares(part), key=lambda item: item[1], default=(GREYS[0], 1.0))[0]

    def shares(self, part: Part) -> list[tuple[str, float]]:
        """The colours in a part, and how much of it is theirs."""
        counts = self._counts(part)
        if len(counts) == 1:
            return [(self._colours.get(next(iter(counts)), GREYS[0]), 1.0)]
        found: dict[str, int] = {}
        for name in sorted(counts, key=_natural):
            colour = self._colours.get(name, GREYS[0])
            found[colour] = found.get(colour, 0) + counts[name]
        return [(colour, count / counts.total()) for colour, count in found.items()]

    def _counts(self, part: Part) -> collections.Counter[str]:
        if not self._by_op:
            return part.devices
        return part.ops if part.node is None else collections.Counter({part.node.op: 1})


def note_of(part: Part) -> str:
    """The line under a box's name: what it is, and where."""
    if part.node is not None:
        what = part.node.op if part.kind not in ("input", "output") else f"{part.kind}, {part.node.op}"
    elif part.kind == "variable":
        what = "variable"
    else:
        what = f"{part.size:,} nodes"
        if part.kind == "run":
            what = f"{what}: " + ", ".join(op for op, _ in _ranked(part.ops)[:3])
        elif part.kind == "series":
            what = f"×{len(part.children)}, {what}"
        elif part.kind in _TOLD_KINDS:
            what = f"{part.kind}, {what}"
    where = [device for device in sorted(part.devices, key=_natural) if device]
    told = " + ".join(where[:2]) if len(where) < 3 else f"{len(where)} devices"
    return printable(f"{what} · {told}" if told else what)


def about(part: Part) -> str:
    """All that is known of a part, in lines of printable text."""
    if part.node is None:
        ops = ", ".join(f"{op} ×{count}" for op, count in _ranked(part.ops)[:_MAX_TOLD]) + (", …" if len(part.ops) > _MAX_TOLD else "")
        devices = ", ".join(f"{device or _NO_DEVICE} ×{count}" for device, count in sorted(part.devices.items(), key=lambda item: _natural(item[0])))
        return "\n".join(map(printable, (part.name, f"{part.kind}, {part.size} nodes", ops, devices)))
    shapes = shapes_of(part.node)
    lines = [part.name, f"{part.node.op} on {part.node.device or _NO_DEVICE}", *(f"gives {shape}" for shape in shapes)]
    if part.absorbed:
        lines.append("with " + ", ".join(constant.label for constant in part.absorbed[:_MAX_TOLD]))
    return "\n".join(map(printable, lines))


def shapes_of(node: protos.NodeDef) -> list[str]:
    """The shapes of a node's outputs as far as it tells them, and the type of its elements."""
    attr = node.attr
    shapes = attr["_output_shapes"].list.shape if "_output_shapes" in attr else [attr["shape"].shape] if "shape" in attr else []
    if "value" in attr and attr["value"].HasField("tensor"):
        shapes = [attr["value"].tensor.tensor_shape]
    kind = next((protos.DataType.Name(attr[key].type)[3:].lower() for key in ("dtype", "T", "DstT", "output_type") if _is_type(attr, key)), "")
    return [f"{kind}{shape_text(shape)}" for shape in shapes[:_MAX_TOLD]]


def _is_type(attr: object, key: str) -> bool:
    return key in attr and attr[key].type in protos.DataType.values()  # type: ignore[operator,index]


def shape_text(shape: protos.TensorShapeProto) -> str:
    """`[?, 784]`."""
    return "[...]" if shape.unknown_rank else "[" + ", ".join("?" if dim.size < 0 else str(dim.size) for dim in shape.dim[:32]) + "]"


def _ranked(counts: collections.Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first, of those alike by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


@functools.lru_cache(1 << 12)
def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Orders `GPU:10` after `GPU:9`, and the empty name last."""
    return [(not name, 0, "")] + [(False, int(text), "") if text.isdigit() and text.isascii() else (False, -1, text) for text in _NUMBER.split(name)]
