"""Products of matrices, one pair or many."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, apply_op, convert_to_tensor, name_scope, sample
from gpersist.ops import matrix_product, shape_functions
from gpersist.ops.complex_numbers import conj
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import reshape, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["matmul", "matvec"]


class MatMul(OpType):
    """The product of two matrices, each transposed first where wanted."""

    inputs = "a: T, b: T"
    outputs = "product: T"
    attrs = (
        "transpose_a: bool = false, transpose_b: bool = false, "
        "T: {bfloat16, half, float, double, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}"
    )
    samples = (
        sample("float[2,3]", "float[3,4]"),
        sample("double[3,2]", "double[3,4]", transpose_a=True),
        sample("double[2,3]", "double[4,3]", transpose_b=True),
        sample("double[3,2]", "double[4,3]", transpose_a=True, transpose_b=True),
        sample("float[2,0]", "float[0,3]"),
        sample("int32[2,3]", "int32[3,4]"),
        sample("complex64[2,3]", "complex64[3,4]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        a, b = ([None, None] if tensor.shape.sizes is None else tensor.shape.as_list() for tensor in op._inputs)
        for sizes in (a, b):
            if len(sizes) != 2:
                raise ValueError(f"Shape must be rank 2 but is rank {len(sizes)}")
        rows, inner = reversed(a) if op.attr("transpose_a") else a
        others, columns = reversed(b) if op.attr("transpose_b") else b
        if None not in (inner, others) and inner != others:
            raise ValueError(f"Dimensions must be equal, but are {inner} and {others}")
        return [TensorShape([rows, columns])]

    @staticmethod
    def run(xp: Any, a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array:
        for index, matrix in enumerate((a, b)):
            if matrix.ndim != 2:
                raise InvalidArgumentError(f"In[{index}] ndims must be == 2: {matrix.ndim}")
        left, right = a.T if transpose_a else a, b.T if transpose_b else b
        if left.shape[1] != right.shape[0]:
            raise InvalidArgumentError(f"Matrix size-incompatible: In[0]: {list(a.shape)}, In[1]: {list(b.shape)}")
        return _product(xp, left, right)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        t_a, t_b = op.attr("transpose_a"), op.attr("transpose_b")
        a, b = (conj(tensor) for tensor in op.inputs)
        if t_a:
            grad_a = apply("MatMul", b, grad, transpose_a=t_b, transpose_b=True)
        else:
            grad_a = apply("MatMul", grad, b, transpose_b=not t_b)
        if t_b:
            grad_b = apply("MatMul", grad, a, transpose_a=True, transpose_b=t_a)
        else:
            grad_b = apply("MatMul", a, grad, transpose_a=not t_a)
        return [grad_a, grad_b]


_BATCHES: tuple[Sample, ...] = (
    sample("float[2,2,3]", "float[2,3,4]"),
    sample("double[2,3,2]", "double[2,3,4]", adj_x=True),
    sample("double[2,3]", "double[4,3]", adj_y=True),
    sample("double[2,3,2]", "double[2,4,3]", adj_x=True, adj_y=True),
    sample("complex64[2,3,2]", "complex64[2,3,4]", adj_x=True),
    sample("float[0,2,3]", "float[0,3,2]"),
)


class BatchMatMulV2(OpType):
    """The products of many pairs of matrices, each conjugated and transposed first where wanted; leading dimensions are broadcast."""

    inputs = "x: T, y: T"
    outputs = "output: T"
    attrs = (
        "T: {bfloat16, half, float, double, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}, "
        "adj_x: bool = false, adj_y: bool = false"
    )
    samples: ClassVar[tuple[Sample, ...]] = (
        *_BATCHES,
        sample("float[2,1,2,3]", "float[3,3,4]"),
        sample("float[2,3]", "float[3,3,4]"),
        sample("float[1,2,3]", "float[3,3,4]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _batch_shapes(op, is_broadcast=True)

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, adj_x: bool, adj_y: bool) -> Array:
        return _batch_product(xp, x, y, adj_x, adj_y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        grads = _batch_gradient(op, grad)
        x, y = op.inputs
        batches = [None if tensor.shape.sizes is None else tensor.shape.sizes[:-2] for tensor in op.inputs]
        if batches[0] == batches[1] and batches[0] is not None and None not in batches[0]:
            return list(grads)
        shapes = shape_of(x), shape_of(y)
        axes = apply_op("BroadcastGradientArgs", *(shape[:-2] for shape in shapes)).outputs
        return [reshape(reduce_sum(part, axis), shape) for part, axis, shape in zip(grads, axes, shapes, strict=True)]


class BatchMatMulV3(OpType):
    """The same for inputs and an output of different types."""

    inputs = "x: Ta, y: Tb"
    outputs = "output: Tout"
    attrs = (
        "Ta: {bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128}, "
        "Tb: {bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128}, "
        "Tout: {bfloat16, half, float, double, int16, int32, int64, complex64, complex128}, adj_x: bool = false, adj_y: bool = false"
    )
    samples = (
        sample("double[2,2,3]", "double[2,3,4]", Tout="double"),
        sample("int8[2,3]", "int8[3,4]", Tout="int32"),
        sample("uint8[2,3]", "int8[3,4]", Tout="int32"),
    )

    shapes = staticmethod(BatchMatMulV2.shapes)
    gradient = BatchMatMulV2.gradient

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, adj_x: bool, adj_y: bool, Tout: DType) -> Array:  # noqa: N803  # TensorFlow's attribute
        return _batch_product(xp, x.astype(Tout.numpy, copy=False), y.astype(Tout.numpy, copy=False), adj_x, adj_y)


class BatchMatMul(OpType):
    """The products of many pairs of matrices, each of them conjugated and transposed first where wanted."""

    inputs = "x: T, y: T"
    outputs = "output: T"
    attrs = "T: {bfloat16, half, float, double, int32, int64, complex64, complex128}, adj_x: bool = false, adj_y: bool = false"
    samples = _BATCHES

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _batch_shapes(op, is_broadcast=False)

    @staticmethod
    def run(xp: Any, x: Array, y: Array, *, adj_x: bool, adj_y: bool) -> Array:
        if x.shape[:-2] != y.shape[:-2]:
            raise InvalidArgumentError(f"In[0] and In[1] must have compatible batch dimensions: {list(x.shape)} vs. {list(y.shape)}")
        return _batch_product(xp, x, y, adj_x, adj_y)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return list(_batch_gradient(op, grad))


def _product(xp: Any, left: Array, right: Array) -> Array:
    if left.dtype.itemsize == 2 and left.dtype.kind not in "iu":  # halves: BLAS has none
        return matrix_product.matmul(xp, left.astype(np.float32), right.astype(np.float32)).astype(left.dtype)
    return matrix_product.matmul(xp, left, right)


def _batch_product(xp: Any, x: Array, y: Array, adj_x: bool, adj_y: bool) -> Array:
    for index, matrices in enumerate((x, y)):
        if matrices.ndim < 2:
            raise InvalidArgumentError(f"In[{index}] ndims must be >= 2: {matrices.ndim}")
    left = xp.conj(xp.swapaxes(x, -1, -2)) if adj_x else x
    right = xp.conj(xp.swapaxes(y, -1, -2)) if adj_y else y
    if left.shape[-1] != right.shape[-2]:
        raise InvalidArgumentError(
            f"Matrix size-incompatible: In[0] mismatch In[1] shape: {left.shape[-1]} vs. {right.shape[-2]}: {list(x.shape)} {list(y.shape)}"
        )
    return _product(xp, left, right)


def _batch_shapes(op: Operation, *, is_broadcast: bool) -> list[TensorShape]:
    x, y = (tensor.shape for tensor in op._inputs)
    (first, (rows, inner)), (second, (others, columns)) = (shape_functions.batch_and_matrix(shape) for shape in (x, y))
    if op.attr("adj_x"):
        rows, inner = inner, rows
    if op.attr("adj_y"):
        others, columns = columns, others
    if None not in (inner, others) and inner != others:
        raise ValueError(f"Dimensions must be equal, but are {inner} and {others}")
    batch = shape_functions.broadcast_shapes(first, second) if is_broadcast else first.merge_with(second)
    return [unknown_shape() if batch.sizes is None else TensorShape([*batch.sizes, rows, columns])]


def _batch_gradient(op: Operation, grad: Tensor) -> tuple[Tensor, Tensor]:
    (x, y), adj_x, adj_y = op.inputs, op.attr("adj_x"), op.attr("adj_y")
    grad_x = matmul(y, grad, adjoint_a=adj_y, adjoint_b=True) if adj_x else matmul(grad, y, adjoint_b=not adj_y)
    grad_y = matmul(grad, x, adjoint_a=True, adjoint_b=adj_x) if adj_y else matmul(x, grad, adjoint_a=not adj_x)
    return grad_x, grad_y


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    name: str | None = None,
) -> Tensor:
    """The product of matrices, one pair or many (`tf.matmul`).

    Args:
        a: of shape [..., rows, columns]; leading dimensions are broadcast.
        b: likewise.
        transpose_a: whether rows and columns of `a` are swapped first.
        transpose_b: likewise.
        adjoint_a: whether they are, and `a` is conjugated.
        adjoint_b: likewise.
        a_is_sparse: not used: a hint that many elements are zero.
        b_is_sparse: likewise.
        output_type: of the product, where it differs from the inputs'.
        name: of the node.

    Raises:
        ValueError: a matrix both transposed and adjoint, or shapes that don't go together.
    """
    with name_scope(name, "MatMul", [a, b]) as scope:
        for letter, is_transposed, is_adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
            if is_transposed and is_adjoint:
                raise ValueError(
                    f"Only one of `transpose_{letter}` and `adjoint_{letter}` can be True. Received `transpose_{letter}`={is_transposed}, "
                    f"`adjoint_{letter}`={is_adjoint}."
                )
        x = convert_to_tensor(a, name="a")
        y = convert_to_tensor(b, dtype_hint=x.dtype.base_dtype, name="b")
        wanted = None if output_type is None else as_dtype(output_type)
        is_mixed = wanted is not None and not (wanted is x.dtype.base_dtype is y.dtype.base_dtype)
        if any(tensor.shape.rank is None or tensor.shape.rank > 2 for tensor in (x, y)):
            x, adjoint_a = (conj(x), True) if transpose_a else (x, adjoint_a)
            y, adjoint_b = (conj(y), True) if transpose_b else (y, adjoint_b)
            if is_mixed:
                return apply("BatchMatMulV3", x, y, adj_x=adjoint_a, adj_y=adjoint_b, Tout=wanted, name=scope)
            return apply("BatchMatMulV2", x, y, adj_x=adjoint_a, adj_y=adjoint_b, name=scope)
        x, transpose_a = (conj(x), True) if adjoint_a else (x, transpose_a)
        y, transpose_b = (conj(y), True) if adjoint_b else (y, transpose_b)
        if is_mixed:
            return apply("BatchMatMulV3", x, y, adj_x=transpose_a, adj_y=transpose_b, Tout=wanted, name=scope)
        return apply("MatMul", x, y, transpose_a=transpose_a, transpose_b=transpose_b, name=scope)


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of matrices and vectors, one pair or many (`tf.linalg.matvec`); the arguments are those of `matmul`."""
    with name_scope(name, "MatVec", [a, b]):
        column = apply("ExpandDims", b, -1)
        return apply("Squeeze", matmul(a, column, transpose_a, adjoint_a=adjoint_a), squeeze_dims=[-1])
