"""What a run does, spelled out: steps, and the loops among them.

Values live in numbered slots. A step reads some, calls its kernel, and writes some:

    (kernel, slots in, slot or slots out, slots nobody needs any more, ...)

A while loop is one thing among them, with parts of its own for its condition and its body.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gpersist.devices import Device
from gpersist.graph.operation import Operation

DEAD: Any = type("Dead", (), {"__repr__": lambda _: "DEAD", "__slots__": ()})()
"""The value of what is not computed, since a Switch went the other way."""


class Step(NamedTuple):
    """One thing to do.

    Attributes:
        kernel: what computes the outputs from the inputs.
        inputs: slots.
        outputs: one slot, or several.
        unused: slots that nobody needs after it.
        op: the operation that it is, or is done for.
        controls: the operations that it waits for; None where it only reads or moves what `op` takes.
    """

    kernel: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: int | tuple[int, ...]
    unused: tuple[int, ...]
    op: Operation
    controls: Sequence[Operation] | None


class Part(NamedTuple):
    """Steps in a row, or one loop.

    Attributes:
        device: the CUDA device to make current; None where none needs to be.
        steps: what is run, or the loop.
        has_switches: whether some steps may have to be left out.
    """

    device: Device | None
    steps: tuple[Step, ...] | Loop
    has_switches: bool


class LoopVariable(NamedTuple):
    """The slots of what a loop hands from one iteration to the next.

    Attributes:
        start: the value before the first iteration.
        value: the value in an iteration.
        origin: where it comes from: 0 in the first iteration, then 1.
        carried: what an iteration has made of it.
    """

    start: int
    value: int
    origin: int
    carried: int


class Loop(NamedTuple):
    """A while loop.

    Attributes:
        variables: what is handed on.
        condition: run before each iteration; then `predicate` is the slot of what it found.
        predicate: a slot.
        body: run while that is true.
        leaving: run once, at the end.
        exits: of each Exit the slot of its value, and the slot in which others look for it.
        exit_ops: these operations.
        inputs: all slots of the surroundings that are read.
        unused: slots that nobody needs after it.
        op: the LoopCond.
    """

    variables: tuple[LoopVariable, ...]
    condition: tuple[Part, ...]
    predicate: int
    body: tuple[Part, ...]
    leaving: tuple[Part, ...]
    exits: tuple[tuple[int, int], ...]
    exit_ops: tuple[Operation, ...]
    inputs: tuple[int, ...]
    unused: tuple[int, ...]
    op: Operation


class Fetch(NamedTuple):
    """Where a fetched tensor's value is.

    Attributes:
        slot: at the end of the run.
        is_shared: whether others may have the same array, so that the caller needs a copy.
        is_fed: whether it is what the caller has fed.
    """

    slot: int
    is_shared: bool
    is_fed: bool


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a run does.

    Attributes:
        parts: what is run, in order.
        slots: the slots at the start of a run, constants and variables filled in.
        feeds: the slot of each fed tensor.
        fetches: for each fetched element where it is, or None for an operation.
    """

    parts: tuple[Part, ...]
    slots: list[Any]
    feeds: tuple[int, ...]
    fetches: tuple[Fetch | None, ...]
