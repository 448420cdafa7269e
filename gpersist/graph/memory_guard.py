"""Operations whose outputs may be far larger than their inputs, held against the memory that is free before they allocate it.

A system that promises more memory than it has (overcommitment, a container's limit) would end the process instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist import protos
from gpersist.devices import Device, get
from gpersist.dtypes import DType
from gpersist.errors import ResourceExhaustedError
from gpersist.graph.operation import Operation
from gpersist.graph.placer import full_name
from gpersist.shapes import TensorShape

_HARMLESS = 1 << 24
"""Elements, or bytes, that are always there."""

_MAX_SHAPE = 16
"""An input of at most so many integers may be a shape."""

_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"})
_BROADCASTING_NAMES = """
    Add AddV2 Atan2 Complex Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr Maximum Minimum Mul NotEqual
    BitwiseAnd BitwiseOr BitwiseXor Igamma Igammac IgammaGradA LeftShift Mod MulNoNan NextAfter Polygamma Pow RealDiv RightShift SelectV2
    SquaredDifference Sub TruncateDiv TruncateMod Xdivy Xlog1py Xlogy Zeta
"""
_SQUARING_NAMES = "BatchMatrixDiag Diag MatrixDiag MatrixDiagV2 MatrixDiagV3"
_JOINING_NAMES = "Concat ConcatV2 Pack"
_MAKING_NAMES = """
    AvgPool3DGrad AvgPoolGrad BatchToSpaceND Bincount BroadcastTo Conv2DBackpropFilter Conv2DBackpropInput Conv3DBackpropFilterV2
    Conv3DBackpropInputV2 CropAndResize CropAndResizeGradImage DenseBincount DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput
    Empty ExtractGlimpse Fill GatherNd GatherV2 ImageProjectiveTransformV2 ImageProjectiveTransformV3 LinSpace MirrorPad OneHot Pad PadV2
    ParameterizedTruncatedNormal QuantizedResizeBilinear RandomGamma RandomPoisson RandomPoissonV2 RandomStandardNormal RandomUniform RandomUniformInt
    Range ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate ScatterNd SpaceToBatch SpaceToBatchND
    SparseTensorDenseMatMul SparseToDense StatelessParameterizedTruncatedNormal StatelessRandomBinomial StatelessRandomGammaV2 StatelessRandomGammaV3
    StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomPoisson StatelessRandomUniform StatelessRandomUniformFullInt
    StatelessRandomUniformFullIntV2 StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal
    StatelessTruncatedNormalV2 StridedSliceGrad Substr Tile TruncatedNormal UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd
    UnsortedSegmentSum
"""
_BROADCASTING = frozenset(_BROADCASTING_NAMES.split())
_SQUARING = frozenset(_SQUARING_NAMES.split())
_JOINING = frozenset(_JOINING_NAMES.split())
_GROWING = _PRODUCTS | _BROADCASTING | _SQUARING | _JOINING | frozenset(_MAKING_NAMES.split())


def guarded(kernel: Callable[..., Any], op: Operation, device: Device) -> Callable[..., Any]:
    """A kernel that first looks whether there is the memory for its outputs.

    It raises ResourceExhaustedError, where there is not. CUDA devices are asked by CuPy, which refuses at once.
    """
    if op.type not in _GROWING or device.backend == "cuda":
        return kernel
    elements = op.outputs[0].shape.num_elements()
    if elements is not None and elements <= _HARMLESS:
        return kernel

    def guard(*values: Any) -> Any:
        arrays = [np.asarray(value, object) if isinstance(value, (bytes, str)) else value for value in values]
        if _bound(op.type, arrays) > _HARMLESS:
            _check(op, arrays, device)
        return kernel(*values)

    def guard_sum(x: Any, y: Any) -> Any:  # what loops are full of has to cost next to nothing
        return kernel(x, y) if x.size * y.size <= _HARMLESS or x.shape == y.shape else guard(x, y)

    def guard_product(x: Any, y: Any) -> Any:
        return kernel(x, y) if x.ndim == 2 == y.ndim and max(x.shape) * max(y.shape) <= _HARMLESS else guard(x, y)

    if len(op._inputs) != 2 or op.type not in _BROADCASTING | _PRODUCTS or op._inputs[0].dtype.is_string:
        return guard
    return guard_product if op.type in _PRODUCTS else guard_sum


def check_free(size_bytes: int, what: str) -> None:
    """Holds what a kernel is about to take of the host's memory against what is free.

    Raises:
        ResourceExhaustedError: there is less.
    """
    if size_bytes > _HARMLESS:
        free = get("CPU:0").memory().free_bytes
        if size_bytes > free:
            raise ResourceExhaustedError(f"OOM when allocating {what}: {size_bytes} bytes wanted, {free} bytes free")


def _bound(kind: str, values: Sequence[Any]) -> float:
    """At most so many elements can come of the inputs, as far as that is told quickly."""
    if kind == "Range":
        start, limit, delta = (float(value.reshape(-1)[0]) if value.size else 0.0 for value in values)
        return abs((limit - start) / delta) if delta else 0
    if kind in _PRODUCTS:
        return float(math.prod(value.size // max(1, min(value.shape[-2:], default=1)) for value in values))
    sizes: list[int] = [value.size for value in values]
    if kind in _SQUARING:
        return float(sizes[0]) ** 2
    if kind in _JOINING:
        return sum(sizes)
    if kind == "GatherV2":
        params, axis = values[0], int(values[2])
        return sizes[1] * sizes[0] // max(1, params.shape[axis]) if -params.ndim <= axis < params.ndim else 0
    if kind == "GatherNd":
        depth = values[1].shape[-1] if values[1].ndim else 0
        return float(sizes[1] // max(1, depth) * math.prod(values[0].shape[depth:]))
    if kind in _BROADCASTING:
        largest = max(values, key=lambda value: value.size)
        if all(value.size == 1 or value.shape == largest.shape[largest.ndim - value.ndim :] for value in values):
            return 0
        return math.prod(sizes)
    bound = 1
    for value, size in zip(values, sizes, strict=True):
        bound *= math.prod(max(1, abs(number)) for number in value.ravel().tolist()) if size <= _MAX_SHAPE and value.dtype.kind in "iu" else size or 1
    return bound


def _check(op: Operation, values: Sequence[Any], device: Device) -> None:
    assert op.op_type is not None
    try:
        shapes = op.op_type.shapes(_Actual(op, values))  # type: ignore[arg-type]
        needed = [shape.num_elements() * tensor.dtype.numpy.itemsize for shape, tensor in zip(shapes, op.outputs, strict=True)]  # type: ignore[operator, union-attr]
    except Exception:  # they don't go together, or nobody knows: the kernel tells
        return
    if sum(needed) <= _HARMLESS:  # to ask for what is free takes as long as many an operation
        return
    free = device.memory().free_bytes
    if sum(needed) > max(free, *(value.nbytes for value in values)):
        shape, dtype = shapes[0], op.outputs[0].dtype
        kind = protos.DataType.Name(dtype.base_dtype.enum)[3:].lower()
        sizes = ",".join(map(str, shape.as_list()))
        raise ResourceExhaustedError(
            f"OOM when allocating tensor with shape[{sizes}] and type {kind} on {full_name(device)} by allocator cpu: {sum(needed)} bytes wanted, "
            f"{free} bytes free"
        )


class _Given:
    """A tensor whose value is known, as shape functions ask for it; its own operation, a constant."""

    def __init__(self, value: Any, dtype: DType) -> None:
        self.dtype, self._value = dtype, value
        self.shape = TensorShape(value.shape)
        self.op = self._op = self
        self.type = "Const"
        self.output_types = (dtype,)
        self.op_type = type(
            "Const", (), {"constant": staticmethod(lambda op, fold: op._value), "constant_shape": staticmethod(lambda op, fold: None)}
        )


class _Actual:
    """An operation with the inputs of one run."""

    def __init__(self, op: Operation, values: Sequence[Any]) -> None:
        self._op = op
        self._inputs = [_Given(value, tensor.dtype.base_dtype) for value, tensor in zip(values, op._inputs, strict=True)]
        self.inputs = self._inputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._op, name)
