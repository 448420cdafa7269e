"""What works on elements gives the same on several threads as on one."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist.ops import blas_threads, kernels
from gpersist.ops.kernels import combined, on_parts


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas_threads, "most", lambda: 3)
    monkeypatch.setattr(kernels, "_WORTH_SHARING", 1)


@pytest.mark.parametrize("has_out", [False, True])
@pytest.mark.parametrize(
    ("left", "right"),
    [((5, 7), (5, 7)), ((2, 4, 5, 8), (8,)), ((8,), (2, 4, 5, 8)), ((5, 7), ()), ((1,), (1,)), ((0, 3), (0, 3)), ((3, 1), (1, 4)), ((), ())],
)
def test_combined(left: tuple[int, ...], right: tuple[int, ...], has_out: bool) -> None:
    generator = np.random.default_rng(5)
    x, y = np.asarray(generator.normal(size=left)), np.asarray(generator.normal(size=right))
    wanted = x - y
    out = np.empty(np.shape(wanted)) if has_out else None
    found = combined(np.subtract, x, y, out)
    assert out is None or found is out
    np.testing.assert_array_equal(found, wanted)


def test_over_an_input() -> None:
    x, y = np.arange(20.0).reshape(4, 5), np.ones((4, 5))
    assert on_parts(np.add, x, y, out=x) is x
    np.testing.assert_array_equal(x, np.arange(20.0).reshape(4, 5) + 1)


def test_what_is_no_run_of_memory() -> None:
    x = np.arange(20.0).reshape(4, 5)
    np.testing.assert_array_equal(on_parts(np.add, x.T, x.T), 2 * x.T)
    np.testing.assert_array_equal(on_parts(np.add, x[:, ::2], x[:, ::2]), 2 * x[:, ::2])
    out = np.zeros((4, 10))[:, ::2]
    on_parts(np.negative, x, out=out)
    np.testing.assert_array_equal(out, -x)
