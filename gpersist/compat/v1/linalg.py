"""TensorFlow 1's `tf.linalg`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.linalg",
    "",
    {
        "gpersist.ops.arranging": "matrix_transpose transpose=matrix_transpose",
        "gpersist.ops.array": (
            "band_part=matrix_band_part diag=matrix_diag diag_part=matrix_diag_part eye set_diag=matrix_set_diag "
            "tensor_diag=diag tensor_diag_part=diag_part"
        ),
        "gpersist.ops.clip": "global_norm l2_normalize",
        "gpersist.ops.contraction": "einsum tensordot",
        "gpersist.ops.decompositions": "cholesky eigh eigvalsh logdet qr svd",
        "gpersist.ops.least_squares": "lstsq matrix_rank pinv",
        "gpersist.ops.linear_algebra": (
            "adjoint cholesky_solve cross det inv matmul matvec norm normalize slogdet solve=matrix_solve trace "
            "triangular_solve=matrix_triangular_solve"
        ),
        "gpersist.ops.lu_solutions": "lu_matrix_inverse lu_reconstruct lu_solve",
        "gpersist.ops.matrix_exponential": "expm",
        "gpersist.ops.matrix_functions": "logm lu sqrtm",
        "gpersist.ops.tridiagonal": "eigh_tridiagonal tridiagonal_matmul tridiagonal_solve",
    },
)
