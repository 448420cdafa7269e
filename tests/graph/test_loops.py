"""Loops and branches that TensorFlow has built (tests/golden/loops), run here; and what goes wrong in loops."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist import protos
from gpersist.devices import use_virtual
from gpersist.errors import DeadlineExceededError, InvalidArgumentError, UnimplementedError
from gpersist.graph import Graph, Session, apply, apply_op, import_graph_def
from gpersist.ops import constant

_CASES = json.loads((Path(__file__).parents[1] / "golden" / "loops" / "loops.json").read_text())


@pytest.mark.parametrize("name", _CASES)
@pytest.mark.parametrize("device_count", [0, 2])
def test_gives_what_tensorflow_gives(name: str, device_count: int) -> None:
    case = _CASES[name]
    with use_virtual(device_count), Graph().as_default(), Session() as session:
        import_graph_def(protos.GraphDef.FromString(base64.b64decode(case["graph"])), name="")
        session.run(case["init"])
        found = session.run(case["fetches"], case["feeds"])
        for value, wanted in zip(found, case["results"], strict=True):
            np.testing.assert_allclose(value, wanted, rtol=1e-6)


def _endless() -> tuple[Any, Any]:
    """A loop that counts for ever, and a tensor in it."""
    start = apply("Enter", constant(0), frame_name="loop")
    merged = apply("Merge", [start, start])
    more = apply("LoopCond", apply("Enter", constant(True), frame_name="loop", is_constant=True))
    left, entered = apply_op("Switch", merged, more).outputs
    with start.graph.control_dependencies([entered.op]):
        one = constant(1)
    added = apply("AddV2", entered, one)
    merged.op._update_input(1, apply("NextIteration", added))
    return apply("Exit", left), added


def test_a_loop_without_end_can_be_given_one() -> None:
    with Graph().as_default(), Session() as session:
        result, _ = _endless()
        with pytest.raises(DeadlineExceededError, match=r"has not ended within 0\.05 s"):
            session.run(result, options=SimpleNamespace(timeout_in_ms=50))


def test_what_is_inside_cannot_be_fetched() -> None:
    with Graph().as_default(), Session() as session, pytest.raises(InvalidArgumentError, match="inside of a loop"):
        session.run(_endless()[1])


def test_a_circle_that_is_no_loop() -> None:
    with Graph().as_default() as graph, Session() as session:
        first = apply("Neg", constant(1.0))
        second = apply("Neg", first)
        first.op._update_input(0, second)
        with pytest.raises(UnimplementedError, match="wait for each other"):
            session.run(graph.get_tensor_by_name(second.name))
