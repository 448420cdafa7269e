"""TensorFlow 1's `tf.linalg`. Written by tests/compat/write_face.py."""

from gpersist.ops.arranging import (
    matrix_transpose,
)
from gpersist.ops.arranging import (
    matrix_transpose as transpose,
)
from gpersist.ops.array import (
    diag as tensor_diag,
)
from gpersist.ops.array import (
    diag_part as tensor_diag_part,
)
from gpersist.ops.array import (
    eye,
)
from gpersist.ops.array import (
    matrix_band_part as band_part,
)
from gpersist.ops.array import (
    matrix_diag as diag,
)
from gpersist.ops.array import (
    matrix_diag_part as diag_part,
)
from gpersist.ops.array import (
    matrix_set_diag as set_diag,
)
from gpersist.ops.clip import (
    global_norm,
    l2_normalize,
)
from gpersist.ops.contraction import (
    einsum,
    tensordot,
)
from gpersist.ops.decompositions import (
    cholesky,
    eigh,
    eigvalsh,
    logdet,
    qr,
    svd,
)
from gpersist.ops.least_squares import (
    lstsq,
    matrix_rank,
    pinv,
)
from gpersist.ops.linear_algebra import (
    adjoint,
    cholesky_solve,
    cross,
    det,
    inv,
    matmul,
    matvec,
    norm,
    normalize,
    slogdet,
    trace,
)
from gpersist.ops.linear_algebra import (
    matrix_solve as solve,
)
from gpersist.ops.linear_algebra import (
    matrix_triangular_solve as triangular_solve,
)
from gpersist.ops.lu_solutions import (
    lu_matrix_inverse,
    lu_reconstruct,
    lu_solve,
)
from gpersist.ops.matrix_exponential import (
    expm,
)
from gpersist.ops.matrix_functions import (
    logm,
    lu,
    sqrtm,
)
from gpersist.ops.tridiagonal import (
    eigh_tridiagonal,
    tridiagonal_matmul,
    tridiagonal_solve,
)

__all__ = [
    "adjoint",
    "band_part",
    "cholesky",
    "cholesky_solve",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eigh",
    "eigh_tridiagonal",
    "eigvalsh",
    "einsum",
    "expm",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "logm",
    "lstsq",
    "lu",
    "lu_matrix_inverse",
    "lu_reconstruct",
    "lu_solve",
    "matmul",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "pinv",
    "qr",
    "set_diag",
    "slogdet",
    "solve",
    "sqrtm",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "tensordot",
    "trace",
    "transpose",
    "triangular_solve",
    "tridiagonal_matmul",
    "tridiagonal_solve",
]
