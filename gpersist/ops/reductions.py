"""Many numbers make one: sums, means, products, extremes over some axes, or all."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Graph, Operation, OpType, Sample, Tensor, apply, apply_op, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops.arithmetic import add, maximum, multiply, subtract
from gpersist.ops.bias import channel_sums
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal, not_equal
from gpersist.ops.complex_numbers import conj
from gpersist.ops.constants import constant
from gpersist.ops.division import divide, floordiv, truediv
from gpersist.ops.filling import ones, zeros
from gpersist.ops.passing import stop_gradient
from gpersist.ops.scans import cumprod
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, reshape, shape_of, size
from gpersist.ops.unary import exp, log, sqrt, square
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "count_nonzero",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
]

_SAMPLES = (
    sample("float[2,3]", "int32: 0"),
    sample("double[2,3]", "int32: [0, 1]", keep_dims=True),
    sample("float[2,3]", "int32: [-1]"),
    sample("double[2,3,2]", "int64: [2, 0]"),
    sample("float[2,3]", "int32: []"),
    sample("float[]", "int32: []"),
    sample("float[0,3]", "int32: [0]"),
    sample("int32[2,3]", "int32: [1]"),
)


def reduced_axes(axes: Any, rank: int) -> tuple[int, ...]:
    """The axes of a reduction, counted from the front.

    Raises:
        InvalidArgumentError: there is no such axis, or one comes twice.
    """
    found = []
    for axis in axes.reshape(-1).tolist():
        if not -rank <= axis < rank:
            raise InvalidArgumentError(f"Invalid reduction dimension ({axis} for input with {rank} dimension(s)")
        if axis % rank in found:
            raise InvalidArgumentError(f"Invalid reduction arguments: Axes contains duplicate dimension: {axis % rank}")
        found.append(axis % rank)
    return tuple(found)


class _Reduction(OpType, abstract=True):
    inputs = "input: T, reduction_indices: Tidx"
    outputs = "output: T"
    attrs = "keep_dims: bool = false, T: numbertype, Tidx: {int32, int64} = int32"
    samples: ClassVar[tuple[Sample, ...]] = _SAMPLES
    host_inputs = ("reduction_indices",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, indices = op._inputs
        sizes, keep = value.shape.sizes, op.attr("keep_dims")
        indices.shape.with_rank_at_most(1)
        axes = constant_value(indices)
        if axes is None or sizes is None:
            return [unknown_shape(value.shape.rank if keep else None)]
        for axis in axes.reshape(-1):
            if not -len(sizes) <= axis < len(sizes):
                raise ValueError(f"Invalid reduction dimension {axis} for input with {len(sizes)} dimensions.")
        dropped = {int(axis) % len(sizes) for axis in axes.reshape(-1)}
        return [TensorShape(1 if axis in dropped else size for axis, size in enumerate(sizes) if keep or axis not in dropped)]


class Sum(_Reduction):
    """The sum."""

    samples = (*_SAMPLES, sample("complex64[2,3]", "int32: [1]"))

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        found = reduced_axes(axes, np.ndim(value))
        if xp is np and value.dtype.char in "fd" and value.size and 0 < len(found) == max(found) + 1 == value.ndim - 1:
            sums = channel_sums(xp, value)  # the gradient of a bias that was added by broadcasting
            return sums.reshape(*(1,) * len(found), -1) if keep_dims else sums
        return xp.sum(value, axis=found, keepdims=keep_dims, dtype=value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [_spread(op, grad), None]


class Mean(_Reduction):
    """The mean; of nothing NaN; of integers without its fraction."""

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        found = reduced_axes(axes, np.ndim(value))
        count = math.prod(np.shape(value)[axis] for axis in found)
        kind = value.dtype.kind
        wide = {"i": np.int64, "u": np.uint64}.get(kind) or (np.float32 if value.dtype.itemsize == 2 else value.dtype)
        total = xp.sum(value, axis=found, keepdims=keep_dims, dtype=wide)
        if kind not in "iu":
            return (total / count if count else xp.full_like(total, np.nan)).astype(value.dtype)
        if count:
            total = total // np.uint64(count) if kind == "u" else (total - xp.fmod(total, count)) // count
        return total.astype(value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        spread = _spread(op, grad)
        value, axes = op.inputs
        count, kept = value.shape.num_elements(), op.outputs[0].shape.num_elements()
        factor: Tensor
        if count is not None and kept is not None:
            factor = constant(count // max(kept, 1), spread.dtype)
        else:
            shape = shape_of(value)
            rank_of_value = size(shape)
            found = cast(axes, rank_of_value.dtype)
            found = (found + rank_of_value) % rank_of_value
            factor = reduce_prod(apply("GatherV2", shape, found, 0))
        return [truediv(spread, cast(factor, spread.dtype)), None]


class Prod(_Reduction):
    """The product."""

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        return xp.prod(value, axis=reduced_axes(axes, np.ndim(value)), keepdims=keep_dims, dtype=value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, axes = op.inputs
        shape = shape_of(value)
        indices = reshape(axes, [-1])
        if not op.attr("keep_dims"):
            grad = reshape(grad, _kept_shape(shape, axes))
        grad = apply("BroadcastTo", grad, shape)
        with op.graph.device("/cpu:0"):
            count = rank(value)
            reduced = (cast(indices, count.dtype) + count) % count
            others = apply_op("ListDiff", apply("Range", 0, count, 1, name="range"), reduced, out_idx=reduced.dtype).outputs[0]
            order = apply("ConcatV2", [reduced, others], 0, name="concat")
            reduced_count = reduce_prod(apply("GatherV2", shape, reduced, 0))
            other_count = reduce_prod(apply("GatherV2", shape, others, 0))
        moved = apply("Transpose", value, order, name="transpose")
        moved_shape = shape_of(moved)
        flat = reshape(moved, (reduced_count, other_count))
        left = cumprod(flat, axis=0, exclusive=True)
        right = cumprod(flat, axis=0, exclusive=True, reverse=True)
        rest = reshape(conj(left) * conj(right), moved_shape)
        result = grad * apply("Transpose", rest, apply("InvertPermutation", order), name="transpose")
        return [reshape(result, shape), None]


class _Extreme(_Reduction, abstract=True):
    attrs = (
        "keep_dims: bool = false, T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
        "qint32, qint16, quint16}, Tidx: {int32, int64} = int32"
    )

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, axes = op.inputs
        found = op.outputs[0]
        shape = shape_of(value)
        if op.attr("keep_dims"):
            kept = shape_of(found)
        else:
            kept = _kept_shape(shape, axes)
            found, grad = reshape(found, kept), reshape(grad, kept)
        chosen = cast(equal(found, value), grad.dtype)
        count = reshape(reduce_sum(chosen, axes), kept)  # equal ones share
        return [divide(chosen, count) * grad, None]


class Max(_Extreme):
    """The largest; of nothing the least there is."""

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        found = reduced_axes(axes, np.ndim(value))
        if not np.size(value):
            return _of_nothing(xp, value, found, keep_dims, "min")
        return xp.amax(value, axis=found, keepdims=keep_dims)


class Min(_Extreme):
    """The smallest; of nothing the largest there is."""

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        found = reduced_axes(axes, np.ndim(value))
        if not np.size(value):
            return _of_nothing(xp, value, found, keep_dims, "max")
        return xp.amin(value, axis=found, keepdims=keep_dims)


class EuclideanNorm(_Reduction):
    """The square root of the sum of squares."""

    samples = tuple(found for found in _SAMPLES if found.inputs[0] != "int32[2,3]")

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        squares = (value * xp.conj(value)).real if value.dtype.kind == "c" else xp.square(value)
        total = xp.sum(squares, axis=reduced_axes(axes, np.ndim(value)), keepdims=keep_dims, dtype=squares.dtype)
        return xp.sqrt(total).astype(value.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, axes = op.inputs
        found = op.outputs[0]
        if not op.attr("keep_dims"):
            kept = _kept_shape(shape_of(value), axes)
            found, grad = reshape(found, kept), reshape(grad, kept)
        return [truediv(value, found / grad), None]


class All(_Reduction):
    """Whether all are true."""

    inputs = "input: bool, reduction_indices: Tidx"
    outputs = "output: bool"
    attrs = "keep_dims: bool = false, Tidx: {int32, int64} = int32"
    samples = (sample("bool[2,3]", "int32: [1]"), sample("bool[2,3]", "int32: [0, 1]", keep_dims=True), sample("bool[0,3]", "int32: 0"))

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        return xp.all(value, axis=reduced_axes(axes, np.ndim(value)), keepdims=keep_dims)


class _AnyTrue(All, abstract=True):
    """Whether any is true."""

    @staticmethod
    def run(xp: Any, value: Array, axes: Any, *, keep_dims: bool) -> Array:
        return xp.any(value, axis=reduced_axes(axes, np.ndim(value)), keepdims=keep_dims)


type("Any", (_AnyTrue,), {"__doc__": _AnyTrue.__doc__, "__module__": __name__})  # `Any` itself is the type of everything here


def _of_nothing(xp: Any, value: Array, axes: tuple[int, ...], keep_dims: bool, bound: str) -> Array:
    sizes = [1 if axis in axes else size for axis, size in enumerate(np.shape(value)) if keep_dims or axis not in axes]
    if value.dtype.kind in "iu":
        return xp.full(sizes, getattr(np.iinfo(value.dtype), bound), value.dtype)
    return xp.full(sizes, -np.inf if bound == "min" else np.inf, value.dtype)


def _kept_shape(shape: Any, axes: Tensor) -> Any:
    """The shape of a reduction's result with a 1 for each axis that went: numbers where all is known, else a tensor."""
    sizes = constant_value(shape) if isinstance(shape, Tensor) else np.array(shape, np.int32)
    known = constant_value(axes)
    if sizes is not None and known is not None:
        kept = sizes.astype(np.int32)
        kept[known] = 1
        return kept
    axes = cast(axes, "int32")
    count = size(shape, out_type=axes.dtype)
    places = (axes + count) % count
    places_shape = shape_of(places)
    return apply("DynamicStitch", [number_range(count), places], [shape, ones(places_shape, shape.dtype)])


def _spread(op: Operation, grad: Tensor) -> Tensor:
    """The gradient of a sum: that of the output, repeated along the axes that went."""
    value, axes = op.inputs
    sizes, known = value.shape.sizes, constant_value(axes)
    if sizes is not None and known is not None:
        if np.array_equal(known, np.arange(len(sizes))):
            grad = reshape(grad, [1] * len(sizes))
            return apply("Tile", grad, constant(sizes, "int32") if value.shape.is_fully_defined() else shape_of(value))
        if value.shape.is_fully_defined():
            kept, times = _repeats(op.graph, tuple(size or 0 for size in sizes), tuple(known.reshape(-1).tolist()))
            return apply("Tile", reshape(grad, kept), times)
    shape = shape_of(value)
    if not op.attr("keep_dims"):
        with op.graph.colocate_with(shape):
            kept = _kept_shape(shape, axes)
        grad = reshape(grad, kept)
    return apply("BroadcastTo", grad, shape)


_REPEATS: weakref.WeakKeyDictionary[Graph, dict[Any, Any]] = weakref.WeakKeyDictionary()


def _repeats(graph: Graph, sizes: tuple[int, ...], axes: tuple[int, ...]) -> tuple[Any, Any]:
    """The shape that a sum has with its axes kept, and how often it is repeated along each.

    TensorFlow computes the latter with nodes that nothing uses, once for each graph; they are here, too, since they take their names.
    """
    known = _REPEATS.setdefault(graph, {})
    if (sizes, axes) not in known:
        kept = np.array(sizes, np.int32)
        kept[list(axes)] = 1
        floordiv(np.array(sizes, np.int32), maximum(kept, 1))
        known[sizes, axes] = kept, np.array(sizes, np.int32) // np.maximum(kept, 1)
    found: tuple[Any, Any] = known[sizes, axes]
    return found


def _reducer(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Tensor:
        axis = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
        keepdims = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
        return _to_scalar(apply(op_name, input_tensor, axes_of(input_tensor, axis), keep_dims=keepdims, name=name), axis, keepdims)

    reduce.__name__ = reduce.__qualname__ = function_name
    reduce.__doc__ = f"""{told} over some axes, or all (`tf.{function_name}`).

    Args:
        input_tensor: what is reduced.
        axis: an int, a list of them or a tensor, negative ones from the back; all axes by default.
        keepdims: whether the axes that go stay as dimensions of 1.
        name: of the node.
        reduction_indices, keep_dims: old names of `axis` and `keepdims`.

    Raises:
        ValueError: an axis that isn't there, or an argument under both of its names.
    """
    return reduce


reduce_sum = _reducer("reduce_sum", "Sum", "The sum")


reduce_mean = _reducer("reduce_mean", "Mean", "The mean")


reduce_prod = _reducer("reduce_prod", "Prod", "The product")


reduce_max = _reducer("reduce_max", "Max", "The largest element")


reduce_min = _reducer("reduce_min", "Min", "The smallest element")


reduce_all = _reducer("reduce_all", "All", "Whether all are true,")


reduce_any = _reducer("reduce_any", "Any", "Whether any is true,")


def axes_of(tensor: Any, axis: Any) -> Any:
    """The axes of a reduction as its input: all of them for None."""
    if axis is not None:
        return axis
    known = getattr(getattr(tensor, "shape", None), "rank", None)
    return constant(np.arange(known, dtype=np.int32)) if known else number_range(rank(tensor))


def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The square root of the sum of squares over some axes, or all (`tf.math.reduce_euclidean_norm`)."""
    norm = apply("EuclideanNorm", input_tensor, axes_of(input_tensor, axis), keep_dims=bool(keepdims), name=name)
    return _to_scalar(norm, axis, keepdims)


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """log(sum(exp(x))) over some axes, or all, without overflow (`tf.reduce_logsumexp`)."""
    axis = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
    keepdims = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    with name_scope(name, "ReduceLogSumExp", [input_tensor]) as scope:
        largest = reduce_max(input_tensor, axis, True)
        shift = stop_gradient(apply("SelectV2", apply("IsFinite", largest), largest, 0))
        result = log(reduce_sum(exp(subtract(input_tensor, shift)), axis, keepdims))
        if not keepdims:
            shift = reshape(shift, apply("Shape", result))
        return _to_scalar(add(result, shift, name=scope), axis, keepdims)


def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The variance over some axes, or all (`tf.math.reduce_variance`).

    Raises:
        TypeError: they are integers.
    """
    with name_scope(name or "reduce_variance"):
        tensor = convert_to_tensor(input_tensor)
        mean = reduce_mean(tensor, axis, True)
        if mean.dtype.is_integer:
            raise TypeError(f"Input must be either real or complex. Received integer type {mean.dtype}.")
        difference = tensor - mean
        if difference.dtype.is_complex:
            squares = apply("Real", multiply(conj(difference), difference), Tout=difference.dtype.real_dtype)
        else:
            squares = square(difference)
        return reduce_mean(squares, axis, keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """The standard deviation over some axes, or all (`tf.math.reduce_std`).

    Raises:
        TypeError: they are integers.
    """
    with name_scope(name or "reduce_std"):
        return sqrt(reduce_variance(convert_to_tensor(input_tensor), axis, keepdims))


def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = "int64",
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
    input: Any = None,  # TensorFlow's name
) -> Tensor:
    """How many elements are not zero, over some axes, or all (`tf.count_nonzero`)."""
    keepdims = bool(renamed_argument("keepdims", keepdims, "keep_dims", keep_dims))
    value = renamed_argument("input", input, "input_tensor", input_tensor)
    axis = renamed_argument("axis", axis, "reduction_indices", reduction_indices)
    with name_scope(name, "count_nonzero", [value]):
        tensor = convert_to_tensor(value, name="input")
        found = tensor if tensor.dtype.is_bool else not_equal(tensor, zeros([], tensor.dtype))
        return cast(reduce_sum(cast(found, "int64"), axis, keepdims), dtype)


def _to_scalar(output: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """Of all axes there remains a scalar, whatever the rank was."""
    if axis is None and not keepdims and not output.shape.is_fully_defined():
        output.set_shape(())
    return output
