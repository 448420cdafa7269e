"""Dropout, which a model for inference has not: found by the nodes that TensorFlow's versions made of it.

x * (1 / (1 - rate)), or x / (1 - rate)   chosen by random >= rate, else 0            since 2.9
the same, times cast(random >= rate)                                                  since 1.13
x / keep_prob * floor(keep_prob + random)                                             before
"""

from __future__ import annotations

import logging

from gpersist.graph import Operation, Tensor, constant_value

_LOG = logging.getLogger("gpersist")

_AROUND = ("Identity", "Add", "AddV2", "Mul", "Sub")
"""What stands between a random number and its comparison: the limits of its range."""

_RANDOM = ("RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2")
_MAX_STEPS = 8


def before_dropout(op: Operation) -> Tensor | None:
    """What goes into a dropout, given the node that it ends with; None if it is no such node.

    Args:
        op: the node.
    """
    scaled: Tensor | None = None
    if op.type == "SelectV2" and _is_kept(op.inputs[0]) and _is_zero(op.inputs[2]):
        scaled = op.inputs[1]
    elif op.type == "Mul":
        scaled = next((one for one, other in (op.inputs, op.inputs[::-1]) if _is_mask(other)), None)
    if scaled is None or scaled.op.type not in ("Mul", "RealDiv"):
        return None
    _LOG.info("Left out dropout %r.", op.name)
    found: Tensor = scaled.op.inputs[0]
    return found


def _is_mask(tensor: Tensor) -> bool:
    op = tensor.op
    if op.type == "Cast":
        return _is_kept(op.inputs[0])
    return op.type == "Floor" and op.inputs[0].op.type in ("Add", "AddV2") and any(map(_is_random, op.inputs[0].op.inputs))


def _is_kept(tensor: Tensor) -> bool:
    return tensor.op.type == "GreaterEqual" and _is_random(tensor.op.inputs[0])


def _is_random(tensor: Tensor) -> bool:
    for _ in range(_MAX_STEPS):
        op = tensor.op
        if op.type in _RANDOM:
            return True
        if op.type not in _AROUND:
            return False
        tensor = next((found for found in op.inputs if found.op.type in (*_RANDOM, *_AROUND)), op.inputs[0])
    return False


def _is_zero(tensor: Tensor) -> bool:
    value = constant_value(tensor)
    return value is not None and not value.any()
