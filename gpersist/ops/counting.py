"""How often, and the largest of many: bin counts, histograms, the k largest."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, apply_op, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.arithmetic import maximum, minimum
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.filling import zeros
from gpersist.ops.gathering import gather
from gpersist.ops.joining import stack
from gpersist.ops.kernels import shown
from gpersist.ops.reductions import reduce_max, reduce_prod
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, reshape, shape_of, size
from gpersist.shapes import TensorShape, unknown_shape

__all__ = [
    "bincount",
    "histogram_fixed_width",
    "in_top_k",
    "nth_element",
    "top_k",
]

_REAL = "float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64"


class Bincount(OpType):
    """How often each number from 0 on comes, or the sum of its weights; larger numbers are left out."""

    inputs = "arr: int32, size: int32, weights: T"
    outputs = "bins: T"
    attrs = "T: {int32, int64, float, double}"
    samples = (
        sample("int32[9] in 0..5", "int32: 4", np.zeros(0, np.int32)),
        sample("int32[2,4] in 0..5", "int32: 4", "float[2,4]"),
        sample("int32[0]", "int32: 2", np.zeros(0, np.float64)),
    )
    host_inputs = ("size",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found = constant_value(op._inputs[1])
        op._inputs[1].shape.with_rank(0)
        if found is not None and found < 0:
            raise ValueError(f"size ({found}) must be non-negative")
        return [unknown_shape(1) if found is None else TensorShape([int(found)])]

    @staticmethod
    def run(xp: Any, numbers: Array, count: Any, weights: Array) -> Array:
        return _bins(xp, numbers.reshape(-1), int(count), weights.reshape(-1), weights.dtype)


class DenseBincount(OpType):
    """The same for integers of any type, and for each row of a matrix."""

    inputs = "input: Tidx, size: Tidx, weights: T"
    outputs = "output: T"
    attrs = "Tidx: {int32, int64}, T: {int32, int64, float, double}, binary_output: bool = false"
    samples = (
        sample("int32[9] in 0..5", "int32: 4", np.zeros(0, np.int32)),
        sample("int64[2,4] in 0..5", "int64: 4", "float[2,4]"),
        sample("int32[2,4] in 0..5", "int32: 4", np.zeros(0, np.int64), binary_output=True),
    )
    host_inputs = ("size",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, count = op._inputs[0].shape.sizes, constant_value(op._inputs[1])
        op._inputs[1].shape.with_rank(0)
        if sizes is None:
            return [unknown_shape()]
        if len(sizes) > 2:
            raise ValueError(f"Shape must be at most rank 2 but is rank {len(sizes)}")
        if count is None:
            return [unknown_shape(len(sizes))]
        return [TensorShape([*sizes[:-1], int(count)])]

    @staticmethod
    def run(xp: Any, numbers: Array, count: Any, weights: Array, *, binary_output: bool) -> Array:
        width = int(count)
        if numbers.ndim > 2:
            raise InvalidArgumentError(f"Shape must be at most rank 2 but is rank {numbers.ndim}")
        if weights.size and weights.shape != numbers.shape:
            raise InvalidArgumentError(f"`weights` must be the same shape as `arr` or a length-0 `Tensor`. Received {shown(weights.shape)}")
        if numbers.ndim == 2:
            rows = numbers.shape[0]
            is_inside = numbers < width
            placed = xp.where(is_inside, numbers + width * xp.arange(rows)[:, None], rows * width)
            _check_numbers(xp, numbers)
            result = _bins(xp, placed.reshape(-1), rows * width, weights.reshape(-1), weights.dtype).reshape(rows, width)
        else:
            result = _bins(xp, numbers.reshape(-1), width, weights.reshape(-1), weights.dtype)
        return (result != 0).astype(weights.dtype) if binary_output else result


def _check_numbers(xp: Any, numbers: Array) -> None:
    if numbers.size and numbers.min() < 0:
        raise InvalidArgumentError("Input arr must be non-negative!")


def _bins(xp: Any, numbers: Array, count: int, weights: Array, dtype: Any) -> Array:
    if count < 0:
        raise InvalidArgumentError(f"size ({count}) must be non-negative")
    if weights.size not in (0, numbers.size):
        raise InvalidArgumentError(f"weights has {weights.size} elements, where there are {numbers.size} numbers: expected as many, or none")
    _check_numbers(xp, numbers)
    result = xp.zeros(count, dtype)
    is_inside = numbers < count
    if not numbers.size or not count:
        return result
    xp.add.at(result, xp.where(is_inside, numbers, 0), xp.where(is_inside, weights if weights.size else result.dtype.type(1), result.dtype.type(0)))
    return result


class HistogramFixedWidth(OpType):
    """How many values fall into each of several bins of one width; those beyond the range into the outermost."""

    inputs = "values: T, value_range: T, nbins: int32"
    outputs = "out: dtype"
    attrs = "T: {int32, int64, float, double}, dtype: {int32, int64} = int32"
    samples = (
        sample("float[2,9]", "float: [-0.5, 0.5]", "int32: 4"),
        sample("int32[9]", "int32: [-5, 5]", "int32: 3", dtype="int64"),
        sample("float[0]", "float: [0., 1.]", "int32: 2"),
    )
    host_inputs = ("value_range", "nbins")
    scalars = ("nbins",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _, bounds, count = op._inputs
        if not bounds.shape.is_compatible_with([2]):
            raise ValueError(f"Dimension must be 2 but is {bounds.shape}: the range is two numbers")
        found = constant_value(count)
        if found is not None and found <= 0:
            raise ValueError(f"Requires nbins > 0: {found}")
        return [unknown_shape(1) if found is None else TensorShape([int(found)])]

    @staticmethod
    def run(xp: Any, values: Array, value_range: Any, nbins: Any, *, dtype: DType) -> Array:
        (low, high), count = value_range.astype(np.float64).tolist(), int(nbins)
        if not low < high:
            raise InvalidArgumentError(f"value_range should satisfy value_range[0] < value_range[1], but got [{low}, {high}]")
        if count <= 0:
            raise InvalidArgumentError(f"nbins should be a positive number, but got {count}")
        flat = values.reshape(-1)
        if flat.dtype.kind == "f" and xp.isnan(flat).any():
            raise InvalidArgumentError("values must not contain NaN")
        places = xp.clip(xp.floor((flat.astype(np.float64) - low) / ((high - low) / count)), 0, count - 1).astype(np.int64)
        result = xp.zeros(count, dtype.numpy)
        xp.add.at(result, places, result.dtype.type(1))
        return result


class TopKV2(OpType):
    """The k largest of each row, the largest first, and where they are; of equal ones the first."""

    inputs = "input: T, k: Tk"
    outputs = "values: T, indices: index_type"
    attrs = f"sorted: bool = true, T: {{{_REAL}}}, Tk: {{int16, int32, int64}} = int32, index_type: {{int16, int32, int64}} = int32"
    samples = (
        sample("float[3,7]", "int32: 3"),
        sample("int32[9] in 0..3", "int32: 2"),
        sample("uint8[2,2,4] in 0..3", "int32: 1", index_type="int64"),
        sample("float[3]", "int32: 0", has_gradient=False),
        sample("double[2,3]", "int32: 3", sorted=False),
    )
    host_inputs = ("k",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        found = constant_value(op._inputs[1])
        op._inputs[1].shape.with_rank(0)
        return _top_shapes(op, None if found is None else int(found))

    @staticmethod
    def run(xp: Any, value: Array, k: Any, *, index_type: DType) -> list[Array]:
        return top_of_rows(xp, value, int(k), index_type.numpy)

    @staticmethod
    def gradient(op: Operation, grad: Tensor, _: Tensor) -> list[Tensor | None]:
        return [_gradient_oftop_of_rows(op, grad), zeros([], "int32")]


class TopK(OpType):
    """The same for a k that is known."""

    inputs = "input: T"
    outputs = "values: T, indices: int32"
    attrs = f"k: int >= 0, sorted: bool = true, T: {{{_REAL}}}"
    samples = (sample("float[3,7]", k=3),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _top_shapes(op, op.attr("k"))

    @staticmethod
    def run(xp: Any, value: Array, *, k: int) -> list[Array]:
        return top_of_rows(xp, value, k, np.int32)

    @staticmethod
    def gradient(op: Operation, grad: Tensor, _: Tensor) -> list[Tensor | None]:
        return [_gradient_oftop_of_rows(op, grad)]


def _top_shapes(op: Operation, k: int | None) -> list[TensorShape]:
    sizes = op._inputs[0].shape.sizes
    if k is not None and k < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {k}")
    if sizes is None:
        return [unknown_shape()] * 2
    if not sizes:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    if k is not None and sizes[-1] is not None and sizes[-1] < k:
        raise ValueError(f"input must have last dimension >= k = {k} but is {sizes[-1]}")
    return [TensorShape([*sizes[:-1], k])] * 2


_FEW = 16
"""As many of the largest as are found one by one on a device."""


def top_of_rows(xp: Any, value: Array, k: int, index_dtype: Any) -> list[Array]:
    """The k largest of each row, the largest first, and where they are.

    Raises:
        InvalidArgumentError: there are not so many.
    """
    if k < 0:
        raise InvalidArgumentError(f"Need k >= 0, got {k}")
    if not value.ndim or value.shape[-1] < k:
        raise InvalidArgumentError(f"input must have at least k columns. Had {value.shape[-1] if value.ndim else 0}, needed {k}")
    if not k or not value.size:
        return [xp.zeros((*value.shape[:-1], k), value.dtype), xp.zeros((*value.shape[:-1], k), index_dtype)]
    key = xp.invert(value) if value.dtype.kind in "iu" else xp.negative(value)  # the smallest comes first, and nothing overflows
    if xp is not np and k <= _FEW:
        places = _one_by_one(xp, key, k)
    elif value.shape[-1] < 4 * k or xp is not np or xp.isnan(key).any():
        places = xp.argsort(key, axis=-1, kind="stable")[..., :k]
    else:
        places = _chosen(key, k)
    return [xp.take_along_axis(value, places, -1), places.astype(index_dtype)]


def _one_by_one(xp: Any, key: Array, k: int) -> Array:
    last = np.iinfo(key.dtype).max if key.dtype.kind in "iu" else np.inf
    is_left = xp.ones(key.shape, bool)
    places = []
    for _ in range(k):
        best = xp.amin(xp.where(is_left, key, key.dtype.type(last)), axis=-1, keepdims=True)
        place = xp.expand_dims(xp.argmax(is_left & (key == best), axis=-1), -1)
        places.append(place)
        is_left &= xp.arange(key.shape[-1]) != place
    return xp.concatenate(places, -1)


def _chosen(key: Any, k: int) -> Any:
    """The places of the k smallest, without sorting all."""
    bound = np.partition(key, k - 1, axis=-1)[..., k - 1 : k]
    is_below, is_equal = key < bound, key == bound
    missing = k - is_below.sum(-1, keepdims=True)
    is_chosen = is_below | (is_equal & (is_equal.cumsum(-1) <= missing))
    places = np.nonzero(is_chosen)[-1].reshape(*key.shape[:-1], k)
    order = np.argsort(np.take_along_axis(key, places, -1), axis=-1, kind="stable")
    return np.take_along_axis(places, order, -1)


def _gradient_oftop_of_rows(op: Operation, grad: Tensor) -> Tensor:
    """The gradient put where the values came from."""
    value, places = op.inputs[0], op.outputs[1]
    shape = shape_of(value)
    places_shape = shape_of(places)
    count = gather(cast(places_shape, "int64"), size(places_shape) - 1)
    rows_of_places = reshape(places, stack([-1, count]))
    width = gather(cast(shape, "int64"), size(shape) - 1)
    rows = shape_of(rows_of_places)[0]
    starts = cast(expand_dims(number_range(0, cast(rows, "int64") * width, width), -1), "int32")
    flat = expand_dims(reshape(cast(rows_of_places, "int32") + starts, [-1]), -1)
    return reshape(apply("ScatterNd", flat, reshape(grad, [-1]), [reduce_prod(shape)]), shape)


class InTopKV2(OpType):
    """Whether the prediction for the target is among the k largest of its row."""

    inputs = "predictions: float, targets: T, k: T"
    outputs = "precision: bool"
    attrs = "T: {int32, int64} = int32"
    samples = (
        sample("float[4,5]", "int32[4] in 0..4", "int32: 2"),
        sample(np.array([[1, np.inf, 0], [1, 1, 1]], np.float32), "int64: [0, 2]", "int64: 1"),
    )
    host_inputs = ("k",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _in_top_shapes(op)

    @staticmethod
    def run(xp: Any, predictions: Array, targets: Array, k: Any) -> Array:
        return _intop_of_rows(xp, predictions, targets, int(k))


class InTopK(OpType):
    """The same for a k that is known."""

    inputs = "predictions: float, targets: T"
    outputs = "precision: bool"
    attrs = "k: int, T: {int32, int64} = int32"
    samples = (sample("float[4,5]", "int32[4] in 0..4", k=2),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _in_top_shapes(op)

    @staticmethod
    def run(xp: Any, predictions: Array, targets: Array, *, k: int) -> Array:
        return _intop_of_rows(xp, predictions, targets, k)


def _in_top_shapes(op: Operation) -> list[TensorShape]:
    predictions, targets = op._inputs[0].shape.with_rank(2), op._inputs[1].shape.with_rank(1)
    if not predictions[:1].is_compatible_with(targets):
        raise ValueError(f"Dimensions must be equal, but are {predictions.as_list()[0]} and {targets.as_list()[0]}")
    return [predictions[:1].merge_with(targets)]


def _intop_of_rows(xp: Any, predictions: Array, targets: Array, k: int) -> Array:
    if predictions.ndim != 2 or targets.shape != predictions.shape[:1]:
        raise InvalidArgumentError(
            f"predictions must be a matrix with a row for each of the targets: found {list(predictions.shape)} and {list(targets.shape)}"
        )
    is_class = (targets >= 0) & (targets < predictions.shape[1])
    aim = xp.take_along_axis(predictions, xp.where(is_class, targets, 0)[:, None].astype(np.int64), 1)
    return is_class & xp.isfinite(predictions).all(1) & ((predictions > aim).sum(1) < k)


class NthElement(OpType):
    """The n-th smallest of each row, or the n-th largest."""

    inputs = "input: T, n: int32"
    outputs = "values: T"
    attrs = f"reverse: bool = false, T: {{{_REAL}}}"
    samples = (sample("float[3,7]", "int32: 3"), sample("int32[9]", "int32: 0", reverse=True))
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, place = op._inputs[0].shape.sizes, constant_value(op._inputs[1])
        if place is not None and place.ndim:
            raise ValueError(f"Input must be scalar but has rank {place.ndim}")
        if sizes is None:
            return [unknown_shape()]
        if not sizes:
            raise ValueError("Shape must be at least rank 1 but is rank 0")
        if place is not None and (place < 0 or (sizes[-1] is not None and sizes[-1] <= place)):
            raise ValueError(f"Input must have last dimension > n = {place} but is {sizes[-1]}")
        return [TensorShape(sizes[:-1])]

    @staticmethod
    def run(xp: Any, value: Array, n: Any, *, reverse: bool) -> Array:
        place = int(n)
        if not value.ndim or not 0 <= place < value.shape[-1]:
            raise InvalidArgumentError(f"Input must be >= 1-D, with a last dimension > n = {place}; got shape {list(value.shape)}")
        place = value.shape[-1] - 1 - place if reverse else place
        return xp.partition(value, place, axis=-1)[..., place]

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, found = op.inputs[0], expand_dims(op.outputs[0], -1)
        chosen = cast(apply("Equal", found, value), grad.dtype)
        grad = expand_dims(grad, -1)
        count = expand_dims(apply("Sum", chosen, -1), -1)
        return [chosen / count * grad, None]  # equal ones share


class Bucketize(OpType):
    """In which bucket each number falls, given where the buckets begin."""

    inputs = "input: T"
    outputs = "output: int32"
    attrs = "T: {int32, int64, float, double}, boundaries: list(float)"
    samples = (sample("float[2,3]", boundaries=[-0.5, 0.0, 0.5]), sample("int32[5]", boundaries=[0.0]), sample("float[3]", boundaries=[]))
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(xp: Any, value: Array, *, boundaries: list[float]) -> Array:
        if any(a > b for a, b in itertools.pairwise(boundaries)):
            raise InvalidArgumentError(f"Expected sorted boundaries, got {boundaries}")
        found = xp.zeros(np.shape(value), np.int32)
        for bound in boundaries if len(boundaries) <= _FEW else ():
            found += ~(value < bound)  # NaN comes last
        if len(boundaries) > _FEW:
            found = xp.searchsorted(xp.asarray(boundaries), value.astype(np.float64), side="right").astype(np.int32)
        return found


class TopKResult(NamedTuple):
    """What `top_k` gives."""

    values: Tensor
    indices: Tensor


TopKResult.__name__ = "TopKV2"  # as it is printed


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = "int32", name: str | None = None) -> TopKResult:  # TensorFlow's names
    """The k largest of each row, the largest first, and where they are (`tf.nn.top_k`).

    Args:
        input: of shape [..., n].
        k: how many.
        sorted: whether the largest comes first; it does in any case.
        index_type: of the indices.
        name: of the node.
    """
    return TopKResult(*apply_op("TopKV2", input, k, sorted=sorted, index_type=index_type, name=name).outputs)


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether the prediction for the target is among the k largest of its row (`tf.nn.in_top_k`)."""
    with name_scope(name, "in_top_k"):
        return apply("InTopKV2", predictions, targets, k)


def nth_element(input: Any, n: Any, reverse: bool = False, name: str | None = None) -> Tensor:  # TensorFlow's name
    """The n-th smallest of each row, from 0, or the n-th largest."""
    return apply("NthElement", input, n, reverse=reverse, name=name)


def histogram_fixed_width(values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: str | None = None) -> Tensor:
    """How many values fall into each of `nbins` bins of one width (`tf.histogram_fixed_width`); those beyond the range into the outermost."""
    with name_scope(name, "histogram_fixed_width", [values, value_range, nbins]) as scope:
        return apply("HistogramFixedWidth", values, value_range, nbins, dtype=dtype, name=scope)


def bincount(arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = "int32") -> Tensor:
    """How often each number from 0 on comes, or the sum of its weights (`tf.bincount`).

    Args:
        arr: integers that are not negative.
        weights: a tensor like `arr`.
        minlength: how many counts there are at least.
        maxlength: how many there are at most.
        dtype: of the counts, where there are no weights.

    Raises:
        ValueError: `weights` is no tensor.
    """
    with name_scope("bincount"):
        numbers = convert_to_tensor(arr, name="arr")
        if weights is not None:
            weights = convert_to_tensor(weights, name="weights")
        if not numbers.dtype.is_integer:
            numbers = cast(numbers, "int32")
        is_any = size(numbers) > 0
        count = cast(is_any, numbers.dtype) * (reduce_max(numbers) + 1)
        if minlength is not None:
            count = maximum(convert_to_tensor(minlength, numbers.dtype, name="minlength"), count)
        if maxlength is not None:
            count = minimum(convert_to_tensor(maxlength, numbers.dtype, name="maxlength"), count)
        if weights is not None:
            weights = reshape(weights, [-1])
        numbers = reshape(numbers, [-1])
        return apply("DenseBincount", numbers, count, constant([], dtype) if weights is None else weights)
