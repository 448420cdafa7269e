"""Eigenvalues of tridiagonal matrices, and systems with singular ones; what TensorFlow makes of the rest is in tests/interop/expressions.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Session
from gpersist.ops.tridiagonal import eigh_tridiagonal, tridiagonal_solve

ALPHA = np.array([2.0, -1.0, 3.0, 0.5])
BETA = np.array([1.0, 0.5, -2.0])
MATRIX = np.diag(ALPHA) + np.diag(BETA, 1) + np.diag(BETA, -1)


def run(build: Any) -> Any:
    with Graph().as_default(), Session() as session:
        return session.run(build())


@pytest.mark.parametrize("is_complex", [False, True])
def test_eigenvalues_and_eigenvectors(is_complex: bool) -> None:
    alpha, beta = (ALPHA, BETA) if not is_complex else (ALPHA.astype(np.complex128), BETA * (0.6 + 0.8j))
    wanted = np.linalg.eigvalsh(MATRIX)
    np.testing.assert_allclose(run(lambda: eigh_tridiagonal(alpha, beta)), wanted, rtol=1e-12)
    values, vectors = run(lambda: eigh_tridiagonal(alpha, beta, eigvals_only=False))
    matrix = np.diag(alpha) + np.diag(beta, 1) + np.diag(np.conj(beta), -1)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=1e-12)


def test_some_of_them() -> None:
    wanted = np.linalg.eigvalsh(MATRIX)
    np.testing.assert_allclose(run(lambda: eigh_tridiagonal(ALPHA, BETA, select="i", select_range=(1, 2))), wanted[1:3])
    low, high = wanted[0] + 0.1, wanted[2] + 0.1
    values, vectors = run(lambda: eigh_tridiagonal(ALPHA, BETA, eigvals_only=False, select="v", select_range=(low, high)))
    np.testing.assert_allclose(values, wanted[1:3])
    np.testing.assert_allclose(MATRIX @ vectors, vectors * values, atol=1e-12)
    assert run(lambda: eigh_tridiagonal(np.array([3.0]), np.array([]))).tolist() == [3.0]
    with pytest.raises(InvalidArgumentError, match="Got empty interval"):
        run(lambda: eigh_tridiagonal(ALPHA, BETA, select="v", select_range=(2.0, 1.0)))
    for attrs in ({"select": "x"}, {}):
        with pytest.raises(ValueError, match=r"select must have a value|same type"):
            run(lambda attrs=attrs: eigh_tridiagonal(ALPHA, BETA if attrs else BETA.astype(np.float32), **attrs))


def test_singular_matrices() -> None:
    diagonals = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    with pytest.raises(InvalidArgumentError, match="not invertible"):
        run(lambda: tridiagonal_solve(ops.constant(diagonals), ops.constant([1.0, 2.0, 3.0], "float64")))
    found = run(lambda: tridiagonal_solve(ops.constant(diagonals), ops.constant([1.0, 2.0, 3.0], "float64"), perturb_singular=True))
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 1e10
