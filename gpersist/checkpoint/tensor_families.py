"""Tensors that are used together, and the order that a reader expects names in: what policies of placement go by.

A variable's slots are called after it, by optimizers (`emb`, `emb/Momentum`) and in checkpoints of objects (`emb/.OPTIMIZER_SLOT/...`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_OBJECT_SLOT = "/.OPTIMIZER_SLOT/"
_OBJECT_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_DIGITS = re.compile("([0-9]+)")


def families(names: Sequence[str], sizes: Sequence[int]) -> list[list[int]]:
    """The positions of each variable with those of its slots: names below its own, of tensors that are no larger than it."""
    position_of = {name: position for position, name in enumerate(names)}

    def head(position: int) -> int:
        name = names[position]
        variable, is_object, _ = name.partition(_OBJECT_SLOT)
        above = [variable + _OBJECT_VALUE] if is_object else [name[: slash.start()] for slash in re.finditer("/", name)]
        heads = (position_of[other] for other in above if other in position_of)
        return next((other for other in heads if sizes[other] >= sizes[position]), position)

    found: dict[int, list[int]] = {}
    for position in range(len(names)):
        found.setdefault(head(position), []).append(position)
    return list(found.values())


def natural_key(name: str) -> list[tuple[int, str]]:
    """To sort names by, numbers in them by their values: `block_2` before `block_10`."""
    parts = _DIGITS.split(name)  # every other one is a number
    return [(len(digits := part.lstrip("0")), digits) if index % 2 else (0, part) for index, part in enumerate(parts)]
