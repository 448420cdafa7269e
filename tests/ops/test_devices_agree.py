"""What an operation gives on the host it gives on a GPU: odd inputs of all operations (`tests.interop.ops_cases`), not samples alone."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
import gpersist.ops  # noqa: F401  # registers the operations
from gpersist import protos
from gpersist.graph import Graph, Session, get_op_type, import_graph_def
from tests.cuda import gpus as gpus  # skips this module where there are none
from tests.interop.ops_cases import Case, cases_of, op_names, question

pytestmark = [pytest.mark.cuda, pytest.mark.timeout(600)]  # the first run compiles kernels of every type

_WANTED = re.compile(r"\.(special-(float|int)32|T=\w+|\S*=(nan|inf|-1|last)|\S*-(none|leading))$")
_MOST = 5
"""Cases of an operation."""

KNOWN = {
    r"(Approx)?TopK(V2)?\.|NearestNeighbors\.\S*(nan|inf)": "where NaN stands in an order",
    r"(Unsorted)?Segment(Max|Min)\.\S*nan|TensorScatter(Max|Min)\.\S*nan|AdjustContrast\.\S*nan": "NaN in a largest or smallest",
    r"Fractional(Avg|Max)Pool\.\S*seed": "a seed of 0 is any",
    r"\w+\.\d+\.special-complex|(Inv|Reciprocal|Rsqrt|Pow|Expm1)\.\d+\.T=complex": "infinity and NaN of complex numbers",
}  # fmt: skip
"""Where devices differ, and may: patterns of a case, with the reason."""


@pytest.mark.parametrize("name", op_names())
def test_gives_what_the_host_gives(name: str) -> None:
    op_type = get_op_type(name)
    if op_type.is_host_only:
        pytest.skip("stays on the host")
    cases = [case for case in cases_of(name) if _WANTED.search(case.name) and not any(re.match(pattern, case.name) for pattern in KNOWN)]
    found = [text for case in cases[:: max(1, -(-len(cases) // _MOST))] for text in _differences(case)]
    assert not found, "\n".join(found)


def _differences(case: Case) -> list[str]:
    expected = _run(case, "/device:CPU:0")
    if isinstance(expected, Exception):
        return []  # a device looks at shapes alone: of what lies outside it makes nothing, or zeros, as TensorFlow's do
    given = _run(case, "/device:GPU:0")
    if isinstance(given, Exception) and "Cannot assign a device" in str(given):
        return []  # of these types it has no kernel there
    if isinstance(given, Exception):
        return [f"{case.name}: {type(given).__name__}: {str(given)[:200]}"]
    return [f"{case.name}, output {number}" for number, (one, other) in enumerate(zip(expected, given, strict=True)) if not _is_like(one, other)]


def _run(case: Case, device: str) -> Any:
    nodes = question("tried", case)
    for node in nodes:
        node.device = device if node.name == "tried" else "/device:CPU:0"
    with Graph().as_default() as graph, Session(config=tf.ConfigProto(allow_soft_placement=False)) as session:
        try:
            import_graph_def(protos.GraphDef(node=nodes), name="")
            return session.run(list(graph.get_operation_by_name("tried").outputs))
        except Exception as error:
            return error


def _is_like(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    if one.dtype == object or one.dtype.kind in "iub":
        return bool(np.array_equal(one, other))
    tolerance = 2e-2 if one.dtype.itemsize == 2 else 1e-5
    wide = np.complex128 if one.dtype.kind == "c" else np.float64
    return bool(np.allclose(one.astype(wide), other.astype(wide), rtol=tolerance, atol=1e-6, equal_nan=True))
