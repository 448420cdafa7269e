"""Sparse tensors."""

from __future__ import annotations

import numpy as np

from families.values import Cases, ints, longs, texts

CASES = Cases()
case = CASES.case
normal = CASES.normal
r = CASES.generator


def sp(shape, n, dt=np.float32, order=True):
    flat = r.choice(int(np.prod(shape)), n, replace=False)
    if order:
        flat.sort()
    ix = np.stack(np.unravel_index(flat, shape), 1).astype(np.int64)
    return ix.reshape(n, len(shape)), (10 * normal(n)).astype(dt), longs(shape)


for shape, n, new in [
    ((4, 3), 4, [2, -1]),
    ((4, 3), 4, [12]),
    ((4, 3), 4, [3, 4, 1]),
    ((4, 3), 4, [5, -1]),
    ((4, 3), 4, [-1, -1]),
    ((4, 3), 4, [2, 5]),
    ((4, 3), 0, [6, 2]),
    ((2, 3, 4), 7, [4, -1]),
    ((0, 3), 0, [0, -1]),
    ((0, 3), 0, [5, -1]),
    ((4, 3), 4, [-2, 6]),
    ((4, 3), 4, []),
]:
    ix, v, s = sp(shape, n)
    case("SparseReshape", [ix, s, longs(new)])
ix, v, s = sp((4, 3), 4)
case("SparseReshape", [ix, s, longs([[2, 6]])])
case("SparseReshape", [ix, longs([4, 3, 1]), longs([12])])
case("SparseReshape", [ix[:, 0], s, longs([12])])
case("SparseReshape", [ix + 5, s, longs([12])])
case("SparseReshape", [ix, longs([-4, 3]), longs([12])])
for shape, n in [((4, 3), 5), ((2, 3, 4), 9), ((7,), 3), ((4, 3), 0)]:
    for dt in (np.float32, np.int32):
        a = sp(shape, n, dt, False)
        case("SparseReorder", list(a))
case("SparseReorder", [ix + 9, v, s])
case("SparseReorder", [ix, v[:2], s])
case("SparseReorder", [ix, v, longs([4])])
ix, _, s = sp((4, 3), 3, np.float32, False)
case("SparseReorder", [ix, texts("a", "b", "c"), s])
for ax in (0, 1, -1, -2, 2, -3):
    a, b, c = sp((4, 3), 4), sp((4, 3), 3), sp((4, 3), 0)
    case("SparseConcat", [[a[0], b[0], c[0]], [a[1], b[1], c[1]], [a[2], b[2], c[2]]], concat_dim=ax)
a, b = sp((4, 3), 4), sp((2, 3), 3)
case("SparseConcat", [[a[0], b[0]], [a[1], b[1]], [a[2], b[2]]], concat_dim=0)
case("SparseConcat", [[a[0], b[0]], [a[1], b[1]], [a[2], b[2]]], concat_dim=1)
a, b = sp((4, 3), 4, np.float32, False), sp((4, 3), 3, np.float32, False)
case("SparseConcat", [[a[0], b[0]], [a[1], b[1]], [a[2], b[2]]], concat_dim=0)
for ax in (0, 1, -1, 2):
    for k in (1, 2, 3, 5):
        a = sp((4, 3), 6)
        case("SparseSplit", [np.int64(ax), *a], num_split=k)
for st, sz in [([1, 0], [2, 9]), ([0, 0], [4, 3]), ([9, 0], [2, 1]), ([1, 1], [0, 1]), ([-1, 0], [2, 2]), ([0, 0], [-1, 2]), ([0], [2])]:
    a = sp((4, 3), 6)
    case("SparseSlice", [*a, longs(st), longs(sz)])
case("SparseSliceGrad", [normal(2), longs([[0, 1], [1, 0], [1, 2], [3, 1]]), longs([1, 0]), longs([[0, 0], [0, 2]])])
case("SparseSliceGrad", [normal(3), longs([[0, 1], [1, 0], [1, 2], [3, 1]]), longs([1, 0]), longs([[0, 0], [0, 2]])])
for shape, n in [((4, 3), 3), ((6, 2), 4), ((3, 2), 6), ((4, 3), 0), ((0, 3), 0), ((5,), 2), ((3, 2, 2), 4)]:
    a = sp(shape, n)
    case("SparseFillEmptyRows", [*a, np.float32(7)])
a = sp((6, 2), 5, np.float32, False)
case("SparseFillEmptyRows", [*a, np.float32(7)])
a = sp((6, 2), 3)
case("SparseFillEmptyRows", [a[0], texts("a", "b", "c"), a[2], np.array(b"zz", object)])
case("SparseFillEmptyRows", [a[0] + 9, *a[1:], np.float32(7)])
case("SparseFillEmptyRows", [*a, np.float32([7])])
case("SparseFillEmptyRows", [a[0], a[1], longs([]), np.float32(7)])
case("SparseFillEmptyRows", [a[0], a[1], longs([0, 2]), np.float32(7)])
case("SparseFillEmptyRows", [a[0], a[1][:1], a[2], np.float32(7)])
case("SparseFillEmptyRowsGrad", [longs([0, 2, 3]), normal(5)])
case("SparseFillEmptyRowsGrad", [longs([0, 2, 9]), normal(5)])
case("SparseFillEmptyRowsGrad", [longs([[0]]), normal(5)])
case("SparseFillEmptyRowsGrad", [longs([]), normal(3)])
case("SparseFillEmptyRowsGrad", [longs([1]), ints([3, 4, 5])])
for ind, shape, vals, d in [
    (longs([[0, 1], [2, 2]]), longs([3, 3]), normal(2), np.float32(1)),
    (ints([1, 3]), ints([5]), np.float32(2), np.float32(0)),
    (ints(2), ints([4]), ints(3), ints(0)),
    (ints([3, 1]), ints([5]), normal(2), np.float32(0)),
    (ints([1, 1]), ints([5]), normal(2), np.float32(0)),
    (ints([1, 9]), ints([5]), normal(2), np.float32(0)),
    (ints([-1, 1]), ints([5]), normal(2), np.float32(0)),
    (ints([1, 3]), ints([5]), texts("a", "b"), np.array(b"-", object)),
    (ints([1, 3]), ints([5]), normal(3), np.float32(0)),
    (ints([[1], [3]]), ints([5]), normal(2), np.float32(0)),
    (ints([[1], [3]]), ints([5, 2]), normal(2), np.float32(0)),
    (ints([[[1]]]), ints([5]), normal(1), np.float32(0)),
    (ints([1]), ints(5), normal(1), np.float32(0)),
    (ints([1]), ints([5]), normal(1), np.float32([0])),
    (ints(np.zeros((0, 2))), ints([2, 2]), normal(0), np.float32(3)),
    (ints([1, 3]), ints([5]), np.array([True, True]), np.array(False)),
    (ints([1]), ints([-5]), normal(1), np.float32(0)),
    (ints([1]), ints([5]), normal(1, 1), np.float32(0)),
]:
    for v in (True, False):
        case("SparseToDense", [ind, shape, vals, d], validate_indices=v)
for dt in (np.float32, np.float64, np.int32, np.complex64):
    for aa in (False, True):
        for ab in (False, True):
            ix, v, s = sp((4, 3), 5, dt, False)
            b = (10 * normal(4 if aa else 3, 2)).astype(dt)
            b = b.T.copy() if ab else b
            if dt == np.complex64:
                v = (v + 1j * normal(5)).astype(dt)
                b = (b + 1j * normal(*b.shape)).astype(dt)
            case("SparseTensorDenseMatMul", [ix, v, s, b], adjoint_a=aa, adjoint_b=ab)
ix, v, s = sp((4, 3), 5)
case("SparseTensorDenseMatMul", [ix, v, s, normal(4, 2)])
case("SparseTensorDenseMatMul", [ix + 3, v, s, normal(3, 2)])
case("SparseTensorDenseMatMul", [ix, v, s, normal(3)])
case("SparseTensorDenseMatMul", [ix, v, longs([4]), normal(3, 2)])
case("SparseTensorDenseMatMul", [ix[:, :1], v, s, normal(3, 2)])
case("SparseTensorDenseMatMul", [ix.astype(np.int32), v, s, normal(3, 2)])
case("SparseTensorDenseMatMul", [ix, v, s, normal(3, 0)])
case("SparseTensorDenseMatMul", [ix[:0], v[:0], longs([0, 3]), normal(3, 2)])
case("SparseTensorDenseAdd", [ix, v, s, normal(4, 3)])
case("SparseTensorDenseAdd", [ix, v, s, normal(3)])
case("SparseTensorDenseAdd", [ix, v, s, normal(4, 4)])
case("SparseTensorDenseAdd", [ix + 9, v, s, normal(4, 3)])
case("SparseTensorDenseAdd", [np.concatenate([ix, ix]), np.concatenate([v, v]), s, normal(4, 3)])
case("SparseTensorDenseAdd", [ix.astype(np.int32), v, s.astype(np.int32), normal(4, 3)])
for th in (0.0, 3.0, 100.0):
    a, b = sp((4, 3), 5), sp((4, 3), 6)
    case("SparseAdd", [*a, *b, np.float32(th)])
    a, b = sp((4, 3), 5, np.int32), sp((4, 3), 6, np.int32)
    case("SparseAdd", [*a, *b, ints(th)])
a, b = sp((4, 3), 5), sp((4, 2), 3)
case("SparseAdd", [*a, *b, np.float32(0)])
case("SparseAdd", [*a, *a, np.float32([0])])
case("SparseAdd", [a[0], -a[1], a[2], *a, np.float32(0)])
case("SparseAdd", [a[0], -a[1], a[2], *a, np.float32(0.1)])
case("SparseAdd", [a[0] + 9, a[1], a[2], *a, np.float32(0.1)])
case("SparseAddGrad", [normal(2), longs([[0, 1], [1, 0]]), longs([[1, 0], [1, 2]]), longs([[0, 1], [1, 0]])])
case("SparseAddGrad", [normal(3), longs([[0, 1], [1, 0]]), longs([[1, 0], [1, 2]]), longs([[0, 1], [1, 0], [1, 2]])])
case("SparseAddGrad", [normal(1), longs([[0, 1], [1, 0]]), longs([[1, 0], [1, 2]]), longs([[0, 1], [1, 0], [1, 2]])])
for op in ("SparseSparseMaximum", "SparseSparseMinimum"):
    for dt in (np.float32, np.int32):
        a, b = sp((4, 3), 5, dt), sp((4, 3), 6, dt)
        case(op, [*a, *b])
    case(op, [*sp((4, 3), 5), *sp((4, 2), 2)])
    case(op, [*sp((4, 3), 0), *sp((4, 3), 2)])
for op in ("SparseDenseCwiseMul", "SparseDenseCwiseDiv", "SparseDenseCwiseAdd"):
    for ds in ((4, 3), (3,), (1, 3), (4, 1), (), (1,)):
        case(op, [*sp((4, 3), 5), normal(*ds)])
    case(op, [*sp((4, 3), 5), normal(2)])
    case(op, [*sp((4, 3), 5), normal(1, 4, 3)])
    case(op, [*sp((4, 3), 5, np.int32), ints(r.integers(1, 9, (4, 3)))])
    ix, v, s = sp((4, 3), 5)
    case(op, [ix + 9, v, s, normal(4, 3)])
case("SparseDenseCwiseDiv", [*sp((4, 3), 5, np.int32), ints(np.zeros((4, 3)))])
for op in ("SparseReduceSum", "SparseReduceMax", "SparseReduceSumSparse", "SparseReduceMaxSparse"):
    for ax in (ints([0]), ints(1), ints(-1), ints([0, 1]), ints([]), ints([1, 0]), ints([-1, 0]), ints([0, 0]), ints([2]), ints([-3])):
        for k in (False, True):
            case(op, [*sp((4, 3), 6), ax], keep_dims=k)
    case(op, [*sp((2, 3, 4), 9), ints([1])])
    case(op, [*sp((2, 3, 4), 9), ints([0, 2])])
    case(op, [*sp((4, 3), 0), ints([0])])
    case(op, [*sp((4, 3), 0), ints([0, 1])])
    case(op, [*sp((2, 3, 4), 9, np.int32, False), ints([0])])
case("SparseSoftmax", list(sp((4, 3), 7)))
case("SparseSoftmax", list(sp((2, 3, 4), 15, np.float64)))
case("SparseSoftmax", list(sp((4,), 3)))
case("SparseSoftmax", list(sp((4, 3), 0)))
for ta in (0, 1):
    for tb in (0, 1):
        case(
            "SparseMatMul",
            [normal(3, 2) if ta else normal(2, 3), normal(4, 3) if tb else normal(3, 4)],
            transpose_a=ta,
            transpose_b=tb,
            a_is_sparse=True,
        )
case("SparseMatMul", [normal(2, 3), normal(4, 3)])
case("SparseMatMul", [normal(3), normal(4, 3)])
case("SparseMatMul", [normal(2, 0), normal(0, 3)])
