"""TensorFlow 1's `tf.linalg`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

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
    "eigvalsh",
    "einsum",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "logm",
    "lu",
    "matmul",
    "matrix_transpose",
    "matvec",
    "norm",
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
]

__getattr__, __dir__ = _lazily(
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
        "gpersist.ops.linear_algebra": (
            "adjoint cholesky_solve cross det inv matmul matvec norm slogdet solve=matrix_solve trace triangular_solve=matrix_triangular_solve"
        ),
        "gpersist.ops.matrix_functions": "logm lu sqrtm",
    },
)
