"""Products shared out over several threads are those of one."""

from __future__ import annotations

import numpy as np
import pytest

from gpersist.ops import blas_threads, matrix_product
from gpersist.ops.matrix_product import matmul


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(matrix_product, "_TINY", 0)
    monkeypatch.setattr(matrix_product, "WORTH_SHARING", 1)
    monkeypatch.setattr(blas_threads, "most", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((7, 4), (4, 3)),
        ((3, 4), (4, 7)),
        ((1, 4), (4, 1)),
        ((5, 2, 4), (5, 4, 3)),
        ((1, 6, 4), (1, 4, 3)),
        ((1, 3, 2, 4), (1, 3, 4, 2)),
        ((2, 3, 4), (4, 5)),
        ((3, 0), (0, 2)),
        ((0, 3), (3, 2)),
    ],
)
def test_gives_the_product(threads: int, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = np.arange(float(np.prod(left))).reshape(left), np.arange(float(np.prod(right))).reshape(right)
    np.testing.assert_array_equal(matmul(np, a, b), a @ b)
    turned = np.ascontiguousarray(b.swapaxes(-1, -2)).swapaxes(-1, -2)
    np.testing.assert_array_equal(matmul(np, a, turned), a @ b)
    out = np.empty((a @ b).shape)
    assert matmul(np, a, b, out=out) is out
    np.testing.assert_array_equal(out, a @ b)


def test_types_that_no_blas_knows(threads: int) -> None:
    a = np.arange(12, dtype=np.int32).reshape(3, 4)
    found = matmul(np, a, a.T)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, a @ a.T)
