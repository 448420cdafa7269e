"""Variables changed in part, on CUDA devices, and while somebody holds their values."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist import ops
from gpersist.graph import Graph, Session
from gpersist.ops.scatter import _OPERATIONS, _rounds, _scatter, scatter_add, scatter_nd_update
from tests.ops import scenarios_variables
from tests.ops.scenarios import SCENARIOS

_PROGRAMS = sorted({program.__name__: program for program in SCENARIOS.values() if program.__module__ == scenarios_variables.__name__}.items())


@pytest.mark.cuda
@pytest.mark.parametrize("name", [name for name, _ in _PROGRAMS])
def test_scenario_on_cuda(name: str) -> None:
    with Graph().as_default() as graph, Session() as session, graph.device("/gpu:0"):
        dict(_PROGRAMS)[name](session)


@pytest.mark.parametrize("change", [scatter_add, scatter_nd_update])
def test_who_holds_a_value_keeps_it(change) -> None:
    with Graph().as_default(), Session() as session:
        v = ops.Variable(np.zeros([3], np.float32), name="v")
        session.run(v.initializer)
        with session.variables.hold(["v"]) as held:
            session.run(change(v, [1] if change is scatter_add else [[1]], [5.0]).op)
            assert held.arrays["v"].tolist() == [0, 0, 0]
        assert session.run(v).tolist() == [0, 5, 0]
        before = session.variables.find("v").read().__array_interface__["data"]
        session.run(change(v, [2] if change is scatter_add else [[2]], [5.0]).op)
        assert session.variables.find("v").read().__array_interface__["data"] == before


def test_equal_indices_in_rounds_give_what_one_call_gives() -> None:
    generator = np.random.default_rng(3)
    for _ in range(20):
        count = int(generator.integers(1, 12))
        index = (generator.integers(0, 4, count), generator.integers(0, 3, count))
        updates = generator.uniform(0.5, 2, (count, 2))
        for how, operate in _OPERATIONS.items():
            wanted = np.arange(1.0, 25.0).reshape(4, 3, 2)
            found = wanted.copy()
            for position in range(count):
                where = tuple(part[position] for part in index)
                wanted[where] = operate(np, wanted[where], updates[position])
            _scatter(np, how, found, index, updates)
            np.testing.assert_allclose(found, wanted)
        places = [np.ravel_multi_index([part[chosen] for part in index], (4, 3)) for chosen in _rounds(index, (4, 3, 2)) if chosen is not None]
        assert all(len(set(place.tolist())) == len(place) for place in places)
