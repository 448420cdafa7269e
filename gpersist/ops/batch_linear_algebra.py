"""Linear algebra under the names of TensorFlow's first versions, which had separate operations for many matrices at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.graph import Operation, OpType, Sample, get_op_type, sample
from gpersist.ops import decompositions, fft, least_squares, linear_algebra, matrix_diagonal
from gpersist.ops.kernels import as_array
from gpersist.ops.linear_algebra import POSITIVE, square_shape
from gpersist.shapes import TensorShape, unknown_shape

_REAL = "T: {double, float}"
_ALL: Any = (decompositions, fft, least_squares, linear_algebra, matrix_diagonal)  # which register the operations that these are


def _same(name: str, newer: str, attrs: str, *samples: Sample, inputs: str | None = None, outputs: str | None = None) -> None:
    """The operation `name`, which is `newer` of fewer types."""
    of: Any = get_op_type(newer)
    members = {member: of.__dict__[member] for member in ("run", "shapes", "gradient", "host_inputs") if member in of.__dict__}
    members |= {"inputs": inputs or of.inputs, "outputs": outputs or of.outputs, "attrs": attrs, "samples": samples, "is_host_only": of.is_host_only}
    type(
        name, (of.__mro__[1] if of.__mro__[1] is not OpType else OpType,), members | {"__doc__": f"`{newer}` of fewer types.", "__module__": __name__}
    )


_same("BatchCholesky", "Cholesky", _REAL, sample(POSITIVE, has_gradient=False))
_same("BatchCholeskyGrad", "CholeskyGrad", "T: {float, double}", sample(np.linalg.cholesky(POSITIVE), "double[2,3,3]"))
_same("BatchMatrixInverse", "MatrixInverse", f"adjoint: bool = false, {_REAL}", sample(POSITIVE))
_same("BatchMatrixDeterminant", "MatrixDeterminant", "T: {float, double, complex64, complex128}", sample(POSITIVE))
_same("BatchMatrixSolve", "MatrixSolve", f"adjoint: bool = false, {_REAL}", sample(POSITIVE, "double[2,3,2]"))
_same("BatchMatrixSolveLs", "MatrixSolveLs", f"{_REAL}, fast: bool = true", sample("double[2,4,3]", "double[2,4,2]", "double: 0.0"))
_same("BatchMatrixTriangularSolve", "MatrixTriangularSolve", f"lower: bool = true, adjoint: bool = false, {_REAL}", sample(POSITIVE, "double[2,3,2]"))
_same("BatchSelfAdjointEigV2", "SelfAdjointEigV2", f"compute_v: bool = true, {_REAL}", sample(POSITIVE, has_gradient=False))
_same(
    "BatchSvd",
    "Svd",
    "compute_uv: bool = true, full_matrices: bool = false, T: {double, float, complex64, complex128}",
    sample("double[2,3,2]", has_gradient=False),
)
_same("BatchMatrixDiag", "MatrixDiag", "T: type", sample("double[2,3]"))
_same("BatchMatrixDiagPart", "MatrixDiagPart", "T: type", sample("double[2,3,3]"))
_same("BatchMatrixSetDiag", "MatrixSetDiag", "T: type", sample("double[2,3,3]", "double[2,3]"))
_same(
    "BatchMatrixBandPart",
    "MatrixBandPart",
    "T: type",
    sample("double[2,3,3]", "int64: 1", "int64: 0"),
    inputs="input: T, num_lower: int64, num_upper: int64",
)
for _tail in ("", "2D", "3D"):
    for _prefix in ("", "I"):
        _same(
            f"Batch{_prefix}FFT{_tail}",
            f"{_prefix}FFT{_tail}",
            "",
            sample("complex64[2,4,3,2]"),
            inputs="input: complex64",
            outputs="output: complex64",
        )


class SelfAdjointEig(OpType):
    """The eigenvalues of Hermitian matrices in a row, and their eigenvectors below."""

    inputs = "input: T"
    outputs = "output: T"
    attrs = "T: {double, float, half}"
    is_host_only = True
    samples = (sample(POSITIVE, has_gradient=False),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        square = square_shape(op._inputs[0].shape)
        if square.sizes is None:
            return [unknown_shape()]
        side = square.sizes[-1]
        return [TensorShape([*square.sizes[:-2], None if side is None else side + 1, side])]

    @staticmethod
    def run(xp: Any, value: Any) -> Any:
        values, vectors = decompositions.SelfAdjointEigV2.run(np, value, compute_v=True)
        return np.concatenate([as_array(np, values)[..., None, :], vectors], -2)


class BatchSelfAdjointEig(SelfAdjointEig):
    """The same, of fewer types."""

    attrs = _REAL
