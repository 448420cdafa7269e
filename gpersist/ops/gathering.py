"""Parts of a tensor by indices: gather, and one_hot."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.joining import concat
from gpersist.ops.kernels import as_array, axis_within, check_indices, check_scalars, shown
from gpersist.ops.shaping import expand_dims, reshape, shape_of, size, squeeze
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["batch_gather", "gather", "gather_nd", "one_hot"]


def _taken(xp: Any, params: Array, indices: Array, axis: int) -> Array:
    """`params` at `indices` along an axis. On a device, what lies outside is zero, as TensorFlow has it there."""
    limit = params.shape[axis]
    if 0 in (*params.shape[:axis], *params.shape[axis + 1 :]):  # slices of nothing are there for any index
        return xp.zeros((*params.shape[:axis], *indices.shape, *params.shape[axis + 1 :]), params.dtype)
    check_indices(xp, indices, limit)
    if xp is np:
        return np.take(params, indices, axis)
    if not limit or not indices.size:
        return xp.zeros((*params.shape[:axis], *indices.shape, *params.shape[axis + 1 :]), params.dtype)
    is_inside = ((indices >= 0) & (indices < limit)).reshape(*[1] * axis, *indices.shape, *[1] * (params.ndim - axis - 1))
    return xp.where(is_inside, xp.take(params, xp.clip(indices, 0, limit - 1), axis), xp.zeros((), params.dtype))


class Gather(OpType):
    """Slices of a tensor's first dimension."""

    inputs = "params: Tparams, indices: Tindices"
    outputs = "output: Tparams"
    attrs = "validate_indices: bool = true, Tparams: type, Tindices: {int32, int64}"
    samples = (sample("float[3,2]", "int32: [[0, 2], [1, 1]]"), sample("int32[3]", "int64: 1"))
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        params, indices = (tensor.shape for tensor in op._inputs)
        return [indices.concatenate(params.with_rank_at_least(1)[1:])]

    @staticmethod
    def run(xp: Any, params: Array, indices: Any) -> Array:
        return _taken(xp, params, as_array(xp, indices), 0)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Any]:
        return [_first_axis_gradient(op, grad), None]


class GatherV2(OpType):
    """Slices of a tensor along an axis; the first `batch_dims` dimensions of tensor and indices go together."""

    inputs = "params: Tparams, indices: Tindices, axis: Taxis"
    outputs = "output: Tparams"
    attrs = "batch_dims: int = 0, Tparams: type, Tindices: {int16, int32, int64}, Taxis: {int32, int64}"
    samples = (
        sample("float[3,2]", "int32: [[0, 2], [1, 1]]", "int32: 0"),
        sample("float[3,2]", "int64: [1, 0, 1]", "int64: -1"),
        sample("float[2,3]", "int32: 1", "int32: 1"),
        sample("float[2,3,2]", "int32: [[0, 2], [1, 1]]", "int32: 1", batch_dims=1),
        sample("float[2,3]", "int32: [1, 2]", "int32: -1", batch_dims=-1, has_gradient=False),
        sample("string[3]", "int32: [2, 0]", "int32: 0"),
        sample("float[3,2]", np.zeros(0, np.int32), "int32: 0"),
    )
    host_inputs = ("axis",)
    is_foldable = True
    scalars = ("axis",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (params, indices, axis_input), batch_dims = op._inputs, op.attr("batch_dims")
        axis = constant_value(axis_input)
        known, others = params.shape.with_rank_at_least(1).sizes, indices.shape.with_rank_at_least(max(batch_dims, 0)).sizes
        if known is None or others is None:
            return [unknown_shape()]
        if batch_dims < 0:
            batch_dims += len(others)
        if not 0 <= batch_dims <= min(len(known), len(others)):
            raise ValueError(f"Expected batch_dims in the range [0, {min(len(known), len(others))}], but got {batch_dims}")
        if axis is None:
            return [unknown_shape(len(known) + len(others) - 1 - batch_dims)]
        place = shape_functions.axis(int(axis), len(known))
        if batch_dims > place:
            raise ValueError(f"batch_dims ({batch_dims}) must be less than or equal to axis ({place})")
        both = TensorShape(known[:batch_dims]).merge_with(others[:batch_dims]).as_list()
        return [TensorShape([*both, *known[batch_dims:place], *others[batch_dims:], *known[place + 1 :]])]

    @staticmethod
    def run(xp: Any, params: Array, indices: Any, axis: Any, *, batch_dims: int) -> Array:
        at = as_array(xp, indices)
        place = axis_within(int(axis), params.ndim)
        if not batch_dims:
            return _taken(xp, params, at, place)
        return _taken_in_batches(
            xp, params, at, place, axis_within(batch_dims, at.ndim + 1, "batch_dims") if batch_dims > 0 else batch_dims + at.ndim
        )

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Any]:
        axis = constant_value(op.inputs[2])
        if axis is not None and int(axis) == 0 and not op.attr("batch_dims"):
            return [_first_axis_gradient(op, grad), None, None]
        return [_other_axis_gradient(op, grad), None, None]


def _taken_in_batches(xp: Any, params: Array, indices: Array, axis: int, batch_dims: int) -> Array:
    if batch_dims > axis or params.shape[:batch_dims] != indices.shape[:batch_dims]:
        raise InvalidArgumentError(
            f"batch_dims {batch_dims} takes params and indices of equal first dimensions and an axis behind them, got params {shown(params.shape)}, "
            f"indices {shown(indices.shape)} and axis {axis}"
        )
    batch, count = params.shape[:batch_dims], params.shape[axis]
    number = int(np.prod(batch, dtype=np.int64))
    check_indices(xp, indices, count)
    between, behind = params.shape[batch_dims:axis], params.shape[axis + 1 :]
    moved = xp.moveaxis(params, axis, batch_dims).reshape(number * count, *between, *behind)
    starts = (xp.arange(number, dtype=np.int64) * count).reshape(*batch, *[1] * (indices.ndim - batch_dims))
    offsets = xp.where((indices >= 0) & (indices < count), indices + starts, -1)  # what lies outside stays so
    found = _taken(xp, moved, offsets, 0)
    sources = range(indices.ndim, indices.ndim + len(between))
    return xp.moveaxis(found, list(sources), list(range(batch_dims, batch_dims + len(between))))


def _first_axis_gradient(op: Operation, grad: Tensor) -> Any:
    """The gradient as the slices that were taken: `IndexedSlices`."""
    from gpersist.ops.indexed_slices import IndexedSlices

    params, indices = op.inputs[:2]
    with op.graph.colocate_with(params):
        shape = shape_of(params)
    count = expand_dims(size(indices), 0)
    values = reshape(grad, concat([count, shape[1:]], 0))
    return IndexedSlices(values, reshape(indices, count), shape)


def _other_axis_gradient(op: Operation, grad: Tensor) -> Tensor:
    """The gradient by adding up rows: what was taken is brought to the front, and each batch has rows of its own."""
    params, indices, axis = op.inputs
    batch_dims = op.attr("batch_dims")
    if batch_dims < 0:
        batch_dims += indices.shape.with_rank_at_least(-batch_dims).rank
    with op.graph.colocate_with(params):
        shape = shape_of(params)
    expand_dims(size(indices), 0)  # TensorFlow's node, which nothing takes here
    outer, inner = shape[:axis], shape[axis:][1:]
    values_shape = concat([outer, [-1], inner], 0)
    count, before = size(values_shape), size(outer)
    first, between = _range(0, batch_dims), _range(batch_dims, before)
    behind = _range(before + 1, count)
    values = reshape(grad, values_shape)
    order = concat([first, [before], between, behind], 0)
    values = apply("Transpose", values, order, name="transpose")
    gather(shape, order)  # as above
    along = shape[axis]
    if batch_dims:
        summed = _summed_in_batches(values, indices, batch_dims, along)
    else:
        rows = reshape(indices, expand_dims(size(indices), 0))
        summed = apply("UnsortedSegmentSum", values, rows, along)
    undone = concat([first, between + 1, [batch_dims], behind], 0)
    return reshape(apply("Transpose", summed, undone, name="transpose"), shape_of(params))


def _summed_in_batches(values: Tensor, indices: Tensor, batch_dims: int, along: Tensor) -> Tensor:
    """Rows added up at their indices, each batch by itself."""
    shape = shape_of(values)
    outer, inner = shape[:batch_dims], shape[batch_dims:][1:]
    number = apply("Prod", outer, [0])
    starts = expand_dims(_range(0, number) * along, 1)
    rows = reshape(apply("Cast", indices, DstT="int32"), concat([[number], [-1]], 0)) + starts
    summed = apply("UnsortedSegmentSum", reshape(values, concat([[-1], inner], 0)), reshape(rows, [-1]), number * along)
    return reshape(summed, concat([outer, [-1], inner], 0))


def _range(start: Any, limit: Any) -> Tensor:
    return apply("Range", start, limit, 1, name="range")


class GatherNd(OpType):
    """Slices of a tensor, each at a place given by several indices."""

    inputs = "params: Tparams, indices: Tindices"
    outputs = "output: Tparams"
    attrs = "Tparams: type, Tindices: {int16, int32, int64}"
    samples = (
        sample("float[3,2]", "int32: [[0, 1], [2, 0]]"),
        sample("float[3,2]", "int32: [[[2]], [[0]]]"),
        sample("float[3,2]", "int64: [1]"),
        sample("float[3,2]", np.zeros((2, 0), np.int32), has_gradient=False),  # ScatterNd takes no such indices
        sample("string[2]", "int32: [[1]]"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        params, indices = (tensor.shape for tensor in op._inputs)
        sizes = indices.with_rank_at_least(1).sizes
        if sizes is None or sizes[-1] is None or params.sizes is None:
            return [unknown_shape()]
        if sizes[-1] > len(params.sizes):
            raise ValueError(f"indices.shape[-1] must be <= params.rank, but saw indices shape: {indices} and params shape: {params}")
        return [TensorShape([*sizes[:-1], *params.sizes[sizes[-1] :]])]

    @staticmethod
    def run(xp: Any, params: Array, indices: Array) -> Array:
        array = as_array(xp, params)
        depth = indices.shape[-1]
        if depth > array.ndim:
            raise InvalidArgumentError(f"index innermost dimension length must be <= params rank; saw: {depth} vs. {array.ndim}")
        if not array.size and 0 not in indices.shape[:-1]:
            raise InvalidArgumentError(f"Requested more than 0 entries, but params is empty.  Params shape: {shown(array.shape)}")
        flat, is_inside = flat_indices(xp, indices, array.shape[:depth])
        if xp is np and not is_inside.all():
            raise outside(indices, is_inside, array.shape)
        rest = array.shape[depth:]
        rows = array.reshape(-1, *rest) if array.size else array.reshape(int(np.prod(array.shape[:depth])), *rest)
        if not rows.shape[0]:
            return xp.zeros((*flat.shape, *rest), array.dtype)
        found = xp.take(rows, xp.where(is_inside, flat, 0), 0)
        return found if xp is np else xp.where(is_inside.reshape(*is_inside.shape, *[1] * len(rest)), found, xp.zeros((), array.dtype))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Any]:
        params, indices = op.inputs
        shape = shape_of(params, out_type=indices.dtype.base_dtype)
        if indices.shape.rank == 2 and indices.shape.as_list()[-1] == 1:
            from gpersist.ops.indexed_slices import IndexedSlices

            return [IndexedSlices(grad, squeeze(indices, axis=-1), shape), None]
        if indices.shape.rank == 1:  # ScatterNd takes a vector for as many indices
            indices, grad = expand_dims(indices, 0), expand_dims(grad, 0)
        return [apply("ScatterNd", indices, grad, shape), None]


def flat_indices(xp: Any, indices: Array, sizes: tuple[int, ...]) -> tuple[Array, Array]:
    """The places that vectors of indices name, counted in row-major order, and whether each is inside."""
    flat = xp.zeros(indices.shape[:-1], np.int64)
    is_inside = xp.ones(indices.shape[:-1], bool)
    for axis, limit in enumerate(sizes):
        column = indices[..., axis]
        flat = flat * limit + column
        is_inside = is_inside & (column >= 0) & (column < limit)
    return flat, is_inside


def outside(indices: Any, is_inside: Any, shape: tuple[int, ...]) -> InvalidArgumentError:
    """The error of indices that lie outside of a shape."""
    place = tuple(np.argwhere(~is_inside)[0].tolist())
    row = "[" + ", ".join(map(str, indices[place].tolist())) + "]"
    return InvalidArgumentError(f"indices{shown(place) if place else ''} = {row} does not index into shape {shown(shape)}")


class OneHot(OpType):
    """For each index a vector with one value at the index and another one elsewhere."""

    inputs = "indices: TI, depth: int32, on_value: T, off_value: T"
    outputs = "output: T"
    attrs = "axis: int = -1, T: type, TI: {uint8, int8, int32, int64} = int64"
    samples = (
        sample("int64: [0, 2, -1]", "int32: 3", "float[]", "float[]"),
        sample("int32: [[0], [3]]", "int32: 2", "int32: 5", "int32: 2", axis=0),
        sample("uint8: 1", "int32: 3", "bool: True", "bool: False", axis=-1),
        sample("int64: [1, 0]", "int32: 2", "string[]", "string[]", axis=1),
    )
    host_inputs = ("depth",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        sizes, depth, axis = op._inputs[0].shape.sizes, constant_value(op._inputs[1]), op.attr("axis")
        if axis < -1:
            raise ValueError("axis must be >= -1")
        if op._inputs[1].shape.rank not in (None, 0):
            raise ValueError(f"Input must be scalar but has rank {op._inputs[1].shape.rank}")
        if depth is not None and depth < 0:
            raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {depth}")
        if sizes is None:
            return [unknown_shape()]
        place = len(sizes) if axis == -1 else axis  # one beyond the last is left to the run
        return [TensorShape([*sizes[:place], None if depth is None else int(depth), *sizes[place:]])]

    @staticmethod
    def run(xp: Any, indices: Any, depth: Any, on_value: Any, off_value: Any, *, axis: int) -> Array:
        check_scalars(depth=depth, on_value=on_value, off_value=off_value)
        at, count = as_array(xp, indices), int(depth)
        if count < 0:
            raise InvalidArgumentError(f"depth must be non-negative, got: {count}")
        place = axis_within(axis, at.ndim + 1)
        numbers = xp.arange(count, dtype=np.int64).reshape(count, *[1] * (at.ndim - place))
        is_hot = at.reshape(*at.shape[:place], 1, *at.shape[place:]) == numbers
        return xp.where(is_hot, as_array(xp, on_value), as_array(xp, off_value))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * 4


def gather(params: Any, indices: Any, validate_indices: bool | None = None, name: str | None = None, axis: Any = None, batch_dims: int = 0) -> Tensor:
    """Slices of a tensor along an axis (`tf.gather`).

    Args:
        params: the tensor, or a variable.
        indices: which slices, in any shape, that takes the place of the dimension.
        validate_indices: for TensorFlow's sake.
        name: of the node.
        axis: along which; `batch_dims` by default.
        batch_dims: how many first dimensions of tensor and indices go together.
    """
    del validate_indices
    axis = batch_dims if axis is None else axis
    known = constant_value(axis) if isinstance(axis, Tensor) else axis
    if known is not None and int(known) == 0 and hasattr(params, "sparse_read") and not params.dtype.is_ref:
        found: Tensor = params.sparse_read(indices, name=name)
        return found
    return apply("GatherV2", params, indices, axis, batch_dims=int(batch_dims), name=name)


def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Tensor:
    """Slices of a tensor, each at a place given by the last dimension of `indices` (`tf.gather_nd`).

    Raises:
        NotImplementedError: `batch_dims` is not 0.
    """
    if batch_dims:
        raise NotImplementedError("gather_nd with batch_dims; use gather with batch_dims, or put the batch's numbers before the indices")
    if hasattr(params, "gather_nd") and not params.dtype.is_ref:
        found: Tensor = params.gather_nd(indices, name=name)
        return found
    return apply("GatherNd", params, indices, name=name)


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """Slices along the last dimension of the indices, those before it going together (`tf.batch_gather`).

    Raises:
        ValueError: the rank of `indices` is not known.
    """
    with name_scope(name, "BatchGather", [params, indices]):
        at = convert_to_tensor(indices, name="indices")
        if at.shape.rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        tensor = convert_to_tensor(params, name="params")
        return gather(tensor, at, axis=at.shape.rank - 1, batch_dims=at.shape.rank - 1)


def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None, name: str | None = None
) -> Tensor:
    """For each index a vector of `depth` elements with `on_value` at the index and `off_value` elsewhere (`tf.one_hot`).

    Raises:
        TypeError: the two values are of different types, or not of `dtype`.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    with name_scope(name, "one_hot", [indices, depth, on_value, off_value]) as scope:
        on = None if on_value is None else convert_to_tensor(on_value, dtype_hint=wanted)
        off = None if off_value is None else convert_to_tensor(off_value, dtype_hint=wanted)
        for which, tensor in (("on_value", on), ("off_value", off)):
            if tensor is not None and wanted is not None and tensor.dtype.base_dtype is not wanted:
                raise TypeError(f"dtype {tensor.dtype.base_dtype} of {which} does not match dtype parameter {wanted}")
        given = on if on is not None else off
        wanted = wanted or (as_dtype("float32") if given is None else given.dtype.base_dtype)
        if on is None:
            on = convert_to_tensor(1, wanted, name="on_value")
        if off is None:
            off = convert_to_tensor(0, wanted, name="off_value")
        if on.dtype.base_dtype is not off.dtype.base_dtype:
            raise TypeError(f"dtype {on.dtype.base_dtype} of on_value does not match dtype {off.dtype.base_dtype} of off_value")
        return apply("OneHot", indices, depth, on, off, axis=axis, name=scope)
