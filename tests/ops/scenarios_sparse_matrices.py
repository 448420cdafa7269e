"""Sparse matrices as values of variant tensors, against the dense arithmetic that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Session, apply, apply_op
from gpersist.ops.gradients import gradients
from tests.ops.scenarios import scenario

_INDICES = np.array([[0, 1], [0, 3], [2, 0], [2, 2], [2, 3]], np.int64)
_VALUES = np.array([1.0, 2.0, 3.0, 4.0, -5.0], np.float32)
_DENSE = np.array([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 4, -5]], np.float32)


def _equal(found: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(found, wanted)


def _matrix() -> Any:
    return apply("SparseTensorToCSRSparseMatrix", _INDICES, _VALUES, np.array([3, 4], np.int64))


@scenario("SparseTensorToCSRSparseMatrix", "CSRSparseMatrixToSparseTensor", "CSRSparseMatrixToDense", "CSRSparseMatrixComponents", "SparseMatrixNNZ")
def taken_apart(session: Session) -> None:
    matrix = _matrix()
    dense = apply("CSRSparseMatrixToDense", matrix, type="float32")
    assert dense.shape.as_list() == [3, 4]
    _equal(session.run(dense), _DENSE)
    indices, values, shape = apply_op("CSRSparseMatrixToSparseTensor", matrix, type="float32").outputs
    _equal(session.run(indices), _INDICES)
    _equal(session.run(values), _VALUES)
    _equal(session.run(shape), [3, 4])
    parts = apply_op("CSRSparseMatrixComponents", matrix, 0, type="float32").outputs
    for found, wanted in zip(session.run(list(parts)), ([0, 2, 2, 5], [1, 3, 0, 2, 3], _VALUES), strict=True):
        _equal(found, wanted)
    assert session.run(apply("SparseMatrixNNZ", matrix)) == 5
    with pytest.raises(InvalidArgumentError, match=r"index \(1\) not in \[0, 1\)"):
        session.run(apply_op("CSRSparseMatrixComponents", matrix, 1, type="float32").outputs[0])
    with pytest.raises(InvalidArgumentError, match="does not match float64"):
        session.run(apply("CSRSparseMatrixToDense", matrix, type="float64"))


@scenario("DenseToCSRSparseMatrix", "SparseMatrixTranspose")
def of_a_batch(session: Session) -> None:
    dense = ops.placeholder("complex64", [2, 2, 3])
    value = np.array([[[1, 2j, 0], [0, 3, 4]], [[0, 0, 5 - 1j], [6, 0, 0]]], np.complex64)
    indices = np.argwhere(value)
    matrix = apply("DenseToCSRSparseMatrix", dense, indices)
    _equal(session.run(apply("SparseMatrixNNZ", matrix), {dense: value}), [4, 2])
    turned = apply("SparseMatrixTranspose", matrix, conjugate=True, type="complex64")
    back = apply("CSRSparseMatrixToDense", turned, type="complex64")
    assert back.shape.as_list() == [2, 3, 2]
    _equal(session.run(back, {dense: value}), np.conj(np.swapaxes(value, 1, 2)))
    (grad,) = gradients(apply("CSRSparseMatrixToDense", matrix, type="complex64"), [dense], [np.ones((2, 2, 3), np.complex64)])
    _equal(session.run(grad, {dense: value}), (value != 0).astype(np.complex64))


@scenario("SparseMatrixMatMul", "SparseMatrixSparseMatMul")
def products(session: Session) -> None:
    matrix, right = _matrix(), np.arange(8, dtype=np.float32).reshape(4, 2)
    product = apply("SparseMatrixMatMul", matrix, right)
    assert product.shape.as_list() == [3, 2]
    _equal(session.run(product), _DENSE @ right)
    _equal(session.run(apply("SparseMatrixMatMul", matrix, right[:3], transpose_a=True)), _DENSE.T @ right[:3])
    _equal(session.run(apply("SparseMatrixMatMul", matrix, right.T, adjoint_b=True, transpose_output=True)), (_DENSE @ right).T)
    squared = apply("SparseMatrixSparseMatMul", matrix, matrix, type="float32", transpose_b=True)
    _equal(session.run(apply("CSRSparseMatrixToDense", squared, type="float32")), _DENSE @ _DENSE.T)
    assert session.run(apply("SparseMatrixNNZ", squared)) == 4
    with pytest.raises(InvalidArgumentError, match=r"must match b\.rows"):
        session.run(apply("SparseMatrixMatMul", matrix, ops.placeholder_with_default(right[:3], [None, None])))
