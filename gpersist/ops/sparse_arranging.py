"""Sparse tensors in another order, another shape, in parts, or joined (`tf.sparse.*`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply_op, constant_shape, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import add, maximum
from gpersist.ops.arranging import transpose
from gpersist.ops.builders import renamed_argument
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_equal, assert_less_equal
from gpersist.ops.choosing import where, where_v2
from gpersist.ops.constants import constant
from gpersist.ops.control import with_dependencies
from gpersist.ops.filling import ones_like, zeros
from gpersist.ops.gathering import gather
from gpersist.ops.indexing import slice as slice_
from gpersist.ops.joining import concat
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_max
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, reshape, shape_of
from gpersist.ops.sparse_tensor import SparseTensor, sparse_tensor_of
from gpersist.shapes import TensorShape

__all__ = [
    "sparse_concat",
    "sparse_expand_dims",
    "sparse_fill_empty_rows",
    "sparse_reorder",
    "sparse_reset_shape",
    "sparse_reshape",
    "sparse_retain",
    "sparse_slice",
    "sparse_split",
    "sparse_transpose",
]


def sparse_reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same tensor, its indices in row-major order (`tf.sparse.reorder`).

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    indices, values = apply_op("SparseReorder", given.indices, given.values, given.dense_shape, name=name).outputs
    return SparseTensor(indices, values, given.shape.as_list() if given.shape.is_fully_defined() else identity(given.dense_shape))


def sparse_concat(
    axis: Any,
    sp_inputs: Sequence[Any],
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: Any = None,
    expand_nonconcat_dims: bool | None = None,
) -> SparseTensor:
    """Several sparse tensors, one behind the other along an axis (`tf.sparse.concat`).

    Args:
        axis: the axis.
        sp_inputs: the tensors, all of one rank.
        name: of the node.
        expand_nonconcat_dim: whether other axes become as long as the longest, rather than having to agree.
        concat_dim: the old name of `axis`.
        expand_nonconcat_dims: another name of `expand_nonconcat_dim`.

    Raises:
        ValueError: a name is given together with its other one.
        TypeError: not all of them are sparse.
    """
    expands = renamed_argument("expand_nonconcat_dim", expand_nonconcat_dim, "expand_nonconcat_dims", expand_nonconcat_dims)
    along = renamed_argument("axis", axis, "concat_dim", concat_dim)
    given = [sparse_tensor_of(value) for value in sp_inputs]
    if len(given) == 1:
        return given[0]
    shapes = [value.dense_shape for value in given]
    if expands:
        largest = reduce_max(concat([reshape(shape, [1, -1]) for shape in shapes], 0), 0)
        is_last = along == -1
        own = slice(-1, None) if is_last else slice(along, along + 1)
        shapes = [concat([largest[:along], shape[own], [] if is_last else largest[along + 1 :]], 0) for shape in shapes]
    indices, values, shape = apply_op(
        "SparseConcat", [value.indices for value in given], [value.values for value in given], shapes, concat_dim=along, name=name
    ).outputs
    known = _joined_shape([value.shape for value in given], along, expands)
    if all(value.shape.is_fully_defined() for value in given):
        return SparseTensor(indices, values, convert_to_tensor(known.as_list(), "int64"))
    found = SparseTensor(indices, values, shape)
    found.set_shape(known)
    return found


def _joined_shape(shapes: list[TensorShape], axis: int, expands: bool) -> TensorShape:
    if any(shape.rank is None for shape in shapes):
        return TensorShape(None)
    tables = [shape.as_list() for shape in shapes]
    sizes: list[int | None] = tables[0]
    if expands:
        sizes = [None if None in column else max(size or 0 for size in column) for column in zip(*tables, strict=True)]
    along = [table[axis] for table in tables]
    sizes[axis] = None if None in along else sum(size or 0 for size in along)
    return TensorShape(sizes)


class KeywordRequired:
    """What stands before arguments that are given by name."""

    def __repr__(self) -> str:
        return "KeywordRequired()"


_BY_NAME = KeywordRequired()


def sparse_split(
    keyword_required: Any = _BY_NAME,
    sp_input: Any = None,
    num_split: int | None = None,
    axis: Any = None,
    name: str | None = None,
    split_dim: Any = None,
) -> list[SparseTensor]:
    """Parts of a sparse tensor along an axis, equal but for the first ones, which may be longer by one (`tf.sparse.split`).

    Args:
        keyword_required: nothing: all arguments are given by name.
        sp_input: the tensor.
        num_split: how many parts.
        axis: the axis.
        name: of the node.
        split_dim: the old name of `axis`.

    Raises:
        ValueError: an argument is given by place, twice, or not at all.
        TypeError: no SparseTensor.
    """
    if not isinstance(keyword_required, KeywordRequired):
        raise ValueError("Keyword arguments are required for this function.")
    if sp_input is None:
        raise ValueError("sp_input is required")
    if num_split is None:
        raise ValueError("num_split is required")
    if axis is None:
        raise ValueError("axis is required")
    along = renamed_argument("axis", axis, "split_dim", split_dim)
    given = sparse_tensor_of(sp_input)
    parts = apply_op("SparseSplit", along, given.indices, given.values, given.dense_shape, num_split=num_split, name=name).outputs
    return [SparseTensor(*parts[number::num_split]) for number in range(num_split)]


def sparse_slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The part of a sparse tensor that begins at `start` and has this size (`tf.sparse.slice`).

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    first, extent = convert_to_tensor(start, "int64"), convert_to_tensor(size, "int64")
    with name_scope(name, "SparseSlice", [given.indices]) as scope:
        return SparseTensor(*apply_op("SparseSlice", given.indices, given.values, given.dense_shape, first, extent, name=scope).outputs)


def sparse_reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """The same values in another shape (`tf.sparse.reshape`); one dimension may be -1.

    Raises:
        TypeError: no SparseTensor.
        ValueError: the shapes are of different sizes, or several dimensions are -1.
    """
    given = sparse_tensor_of(sp_input)
    wanted = cast(shape, "int64")
    with name_scope(name, "SparseReshape", [given.indices]) as scope:
        indices, found_shape = apply_op("SparseReshape", given.indices, given.dense_shape, wanted, name=scope).outputs
        known = constant_shape(wanted)
        if known.rank is not None and given.shape.is_fully_defined():
            sizes = _checked_sizes(known.as_list(), constant_value(wanted), given.shape.as_list())
            if sizes is not None:
                found_shape = constant(sizes, "int64")
        return SparseTensor(indices, identity(given.values), found_shape)


def _checked_sizes(wanted: list[int | None], told: Any, old: list[Any]) -> list[int | None] | None:
    """The sizes of the new shape, where they can be told.

    Raises:
        ValueError: as in `sparse_reshape`.
    """
    if told is not None and (told == -1).sum() > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {told}")
    count, missing = math.prod(old), wanted.count(None)
    if missing > 1 or (missing and 0 in wanted):
        return None
    known = math.prod(size for size in wanted if size is not None)
    sizes = [count // known if size is None else size for size in wanted]
    if math.prod(sizes) != count:
        raise ValueError(f"Cannot reshape a tensor with {count} elements to shape {wanted} ({math.prod(sizes)} elements).")
    return list(sizes)


def sparse_expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """The tensor with an axis of length 1 more (`tf.sparse.expand_dims`), the last one by default.

    Raises:
        TypeError: `axis` is neither an integer nor a tensor.
    """
    known = sp_input.dense_shape.shape.as_list()[0]
    count = shape_of(sp_input.dense_shape)[0] if known is None else known
    place = -1 if axis is None else axis
    with name_scope(name, "expand_dims", [sp_input.indices]):
        if isinstance(place, (int, np.integer)):
            place = convert_to_tensor(place, "int32", "axis")
        elif not isinstance(place, Tensor):
            raise TypeError("axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]")
        place = where_v2(place >= 0, place, place + count + 1)
        column = zeros([shape_of(sp_input.indices)[0], 1], "int64")
        before = slice_(sp_input.indices, [0, 0], [-1, place])
        behind = slice_(sp_input.indices, [0, place], [-1, -1])
        indices = concat([before, column, behind], 1)
        outer = slice_(sp_input.dense_shape, [0], [place])
        inner = slice_(sp_input.dense_shape, [place], [-1])
        return SparseTensor(indices, sp_input.values, concat([outer, convert_to_tensor([1], "int64", "new_shape"), inner], 0))


def sparse_transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """The tensor with its axes in the order `perm`, reversed by default (`tf.sparse.transpose`)."""
    with name_scope(name, "SparseTranspose", [sp_input.indices]):
        known = sp_input.shape
        if perm is None:
            if known.rank is not None:
                perm = (known.rank - 1) - np.arange(0, known.rank, 1)
            else:
                count = rank(sp_input)
                perm = (count - 1) - number_range(0, count, 1)
        indices = transpose(gather(transpose(sp_input.indices), perm))
        order = constant_value(convert_to_tensor(perm))
        shape: Any
        if order is not None and known.is_fully_defined():
            sizes = known.as_list()
            shape = [sizes[axis] for axis in order]
        else:
            shape = gather(sp_input.dense_shape, perm)
        return sparse_reorder(SparseTensor(indices, sp_input.values, shape))


def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """The values that a vector of booleans says (`tf.sparse.retain`).

    Raises:
        TypeError: no SparseTensor.
        ValueError: the vector has another length.
    """
    given = sparse_tensor_of(sp_input)
    chosen = convert_to_tensor(to_retain)
    length = chosen.shape.with_rank(1).as_list()[0]
    if length is not None:
        TensorShape([length]).assert_is_compatible_with(given.values.shape[:1])
    places = reshape(where(chosen), [-1])
    return SparseTensor(gather(given.indices, places), gather(given.values, places), identity(given.dense_shape))


def sparse_reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """The same values in a larger shape, or in the smallest that holds them (`tf.sparse.reset_shape`).

    Raises:
        TypeError: no SparseTensor.
        ValueError: the new shape is smaller, or has another rank.
    """
    given = sparse_tensor_of(sp_input)
    indices, values, old = identity(given.indices), identity(given.values), identity(given.dense_shape)
    if new_shape is None:
        last = reduce_max(indices, axis=0)
        return SparseTensor(indices, values, maximum(constant(0, "int64"), add(last, ones_like(old))))
    shape: Any = convert_to_tensor(new_shape)
    shape.shape.assert_has_rank(1)
    shape = cast(shape, "int64")
    if shape.shape.rank is not None:
        shape.shape.assert_is_compatible_with(old.shape)
    known = constant_value(shape)
    if known is not None and given.shape.is_fully_defined():
        sizes = np.array(given.shape.as_list())
        if not (sizes <= known).all():
            raise ValueError(
                f"Requested new_shape should have dimension sizes >= sp_input.shape.  Found new_shape ({sizes}), sp_input.shape ({known})."
            )
        return SparseTensor(indices, values, known)
    shape = with_dependencies([assert_equal(shape_of(old), shape_of(shape))], shape)
    shape = with_dependencies([assert_less_equal(old, shape)], shape)
    return SparseTensor(indices, values, shape)


def sparse_fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Tensor]:
    """A value at the beginning of each row that has none, and which rows these are (`tf.sparse.fill_empty_rows`): bool[rows].

    Raises:
        TypeError: no SparseTensor.
    """
    given = sparse_tensor_of(sp_input)
    with name_scope(name, "SparseFillEmptyRows", [given.indices]):
        default = convert_to_tensor(default_value, given.values.dtype)
        op = apply_op("SparseFillEmptyRows", given.indices, given.values, given.dense_shape, default)
        indices, values, is_empty, _ = op.outputs
        return SparseTensor(indices, values, given.dense_shape), is_empty
