"""Some rows, or some elements, of a variable changed: operations on references and on resources.

Indices are read on the host, wherever the variable lives: none may point outside of it, and what is named twice counts twice, on any device.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Buffer, Context, Operation, SessionOpType, apply, apply_op, convert_to_tensor
from gpersist.ops.kernels import shown
from gpersist.ops.variables import handle_shape
from gpersist.shapes import TensorShape

__all__ = [
    "scatter_add",
    "scatter_div",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_nd_add",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
]

_Index = tuple[np.ndarray[Any, Any], ...]

# ---- what they do to an array


def _quotient(xp: Any, x: Array, y: Array) -> Array:
    """As C++ divides: integers towards zero."""
    if x.dtype.kind not in "iu":
        return x / y
    if bool((y == 0).any()):
        raise InvalidArgumentError("Integer division by zero")
    rest: Array = x - xp.fmod(x, y)
    return rest // y


_OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda _, x, y: x + y,
    "subtract": lambda _, x, y: x - y,
    "multiply": lambda _, x, y: x * y,
    "divide": _quotient,
    "minimum": lambda xp, x, y: xp.minimum(x, y),
    "maximum": lambda xp, x, y: xp.maximum(x, y),
}

_AT = frozenset({"add", "subtract", "multiply", "minimum", "maximum"})
"""Functions of NumPy that count equal indices one by one in a single call."""


def _scatter(xp: Any, how: str, array: Array, index: _Index, updates: Any) -> None:
    """Changes an array in place, at each index in turn.

    Args:
        xp: the module of `array`.
        how: `update`, or one of `_OPERATIONS`.
        array: what is changed.
        index: arrays of one shape for the first dimensions.
        updates: for each index the rest of the dimensions; or a scalar for all.
    """
    if not index[0].size:
        return
    if how == "update" and xp is np:
        array[index] = updates  # of equal indices, NumPy lets the last one win, as TensorFlow does
        return
    rounds = list(_rounds(index, array.shape))
    if xp is np and how in _AT and len(rounds) > 1:
        getattr(np, how).at(array, index, updates)
        return
    for chosen in rounds:
        here = tuple(xp.asarray(part if chosen is None else part[chosen]) for part in index)
        values = updates if chosen is None or not np.ndim(updates) else updates[tuple(map(xp.asarray, chosen))]
        array[here] = values if how == "update" else _OPERATIONS[how](xp, array[here], xp.asarray(values))


def _rounds(index: _Index, shape: tuple[int, ...]) -> Iterator[tuple[np.ndarray[Any, Any], ...] | None]:
    """The positions in `index` of each round, in none of which a place is named twice; None for all at once."""
    flat = np.ravel_multi_index(tuple(part.reshape(-1) for part in index), shape[: len(index)])
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    is_first = np.ones(len(flat), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    if is_first.all():
        yield None
        return
    starts = np.flatnonzero(is_first)
    turn = np.arange(len(flat)) - np.repeat(starts, np.diff(np.append(starts, len(flat))))
    by_turn = order[np.argsort(turn, kind="stable")]
    for positions in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]):
        yield np.unravel_index(positions, index[0].shape)


def _scatter_first(xp: Any, how: str, buffer: Buffer, index: _Index, updates: Any, end: tuple[int, ...]) -> None:
    """Changes what is named before a place in the index, which is wrong: TensorFlow finds it only when it comes to it."""
    count = int(np.ravel_multi_index(end, index[0].shape)) if end else 0
    if count:
        rest = np.shape(updates)[index[0].ndim :]
        first = updates.reshape(index[0].size, *rest)[:count] if np.ndim(updates) else updates
        _scatter(xp, how, buffer.writable(), tuple(part.reshape(-1)[:count] for part in index), first)


# ---- rows


def _rows_shape(whole: TensorShape, indices: TensorShape, updates: TensorShape) -> None:
    if updates.rank == 0 or whole.rank is None or indices.rank is None:
        return
    if whole.rank == 0:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    updates.merge_with([*(indices.sizes or ()), *(whole.sizes or ())[1:]])


def _scatter_rows(how: str, ctx: Context, buffer: Buffer, indices: Any, updates: Any) -> Buffer:
    if how == "divide" and bool((ctx.xp.asarray(updates) == 0).any()) and ctx.op.type.startswith("Resource"):
        raise InvalidArgumentError("updates must not contain 0")
    with buffer.lock:
        shape = buffer.read().shape
        if not shape:
            raise InvalidArgumentError(f"params must be at least 1-D, got shape {shown(shape)}")
        if np.ndim(updates) and np.shape(updates) != (*indices.shape, *shape[1:]):
            raise InvalidArgumentError(
                "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape "
                f"{shown(np.shape(updates))}, indices.shape {shown(indices.shape)}, params.shape {shown(shape)}"
            )
        wrong = np.argwhere((indices < 0) | (indices >= shape[0]))
        if len(wrong):
            place = tuple(wrong[0].tolist())
            where = f"[{','.join(map(str, place))}]" if place else ""
            _scatter_first(ctx.xp, how, buffer, (indices,), updates, place)
            raise InvalidArgumentError(f"indices{where} = {indices[place]} is not in [0, {shape[0]})")
        _scatter(ctx.xp, how, buffer.writable(), (indices,), updates)
    return buffer


class _Scatter(SessionOpType, abstract=True):
    """Rows of a reference variable."""

    inputs = "ref: Ref(T), indices: Tindices, updates: T"
    outputs = "output_ref: Ref(T)"
    attrs = "T: numbertype, Tindices: {int32, int64}, use_locking: bool = false"
    host_inputs = ("indices",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ref, indices, updates = (tensor.shape for tensor in op._inputs)
        _rows_shape(ref, indices, updates)
        return [ref]


class ScatterUpdate(_Scatter):
    """Gives rows of a variable new values."""

    attrs = "T: type, Tindices: {int32, int64}, use_locking: bool = true"
    run = staticmethod(functools.partial(_scatter_rows, "update"))


class ScatterAdd(_Scatter):
    """Adds to rows of a variable."""

    run = staticmethod(functools.partial(_scatter_rows, "add"))


class ScatterSub(_Scatter):
    """Subtracts from rows of a variable."""

    run = staticmethod(functools.partial(_scatter_rows, "subtract"))


class ScatterMul(_Scatter):
    """Multiplies rows of a variable."""

    run = staticmethod(functools.partial(_scatter_rows, "multiply"))


class ScatterDiv(_Scatter):
    """Divides rows of a variable."""

    run = staticmethod(functools.partial(_scatter_rows, "divide"))


class ScatterMin(_Scatter):
    """Keeps the lesser of rows of a variable and new values."""

    attrs = "T: {half, bfloat16, float, double, int32, int64}, Tindices: {int32, int64}, use_locking: bool = false"
    run = staticmethod(functools.partial(_scatter_rows, "minimum"))


class ScatterMax(_Scatter):
    """Keeps the greater of rows of a variable and new values."""

    attrs = "T: {half, bfloat16, float, double, int32, int64}, Tindices: {int32, int64}, use_locking: bool = false"
    run = staticmethod(functools.partial(_scatter_rows, "maximum"))


def _scatter_resource_rows(how: str, ctx: Context, resource: Buffer, indices: Any, updates: Any) -> None:
    _scatter_rows(how, ctx, resource, indices, updates)


class _ResourceScatter(SessionOpType, abstract=True):
    """Rows of a resource variable."""

    inputs = "resource: resource, indices: Tindices, updates: dtype"
    attrs = "dtype: numbertype, Tindices: {int32, int64}"
    is_stateful = True
    host_inputs = ("indices",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _rows_shape(handle_shape(op._inputs[0]), op._inputs[1].shape, op._inputs[2].shape)
        return []


class ResourceScatterUpdate(_ResourceScatter):
    """Gives rows of a variable new values."""

    attrs = "dtype: type, Tindices: {int32, int64}"
    run = staticmethod(functools.partial(_scatter_resource_rows, "update"))


class ResourceScatterAdd(_ResourceScatter):
    """Adds to rows of a variable."""

    run = staticmethod(functools.partial(_scatter_resource_rows, "add"))


class ResourceScatterSub(_ResourceScatter):
    """Subtracts from rows of a variable."""

    run = staticmethod(functools.partial(_scatter_resource_rows, "subtract"))


class ResourceScatterMul(_ResourceScatter):
    """Multiplies rows of a variable."""

    run = staticmethod(functools.partial(_scatter_resource_rows, "multiply"))


class ResourceScatterDiv(_ResourceScatter):
    """Divides rows of a variable."""

    run = staticmethod(functools.partial(_scatter_resource_rows, "divide"))


class ResourceScatterMin(_ResourceScatter):
    """Keeps the lesser of rows of a variable and new values."""

    run = staticmethod(functools.partial(_scatter_resource_rows, "minimum"))


class ResourceScatterMax(_ResourceScatter):
    """Keeps the greater of rows of a variable and new values."""

    run = staticmethod(functools.partial(_scatter_resource_rows, "maximum"))


# ---- elements, or slices, by several indices each


def _elements_shape(whole: TensorShape, indices: TensorShape, updates: TensorShape) -> None:
    if indices.rank == 0 or updates.rank == 0:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    if whole.rank is None or indices.rank is None or updates.rank is None:
        return
    *outer, depth = indices.sizes or ()
    if depth is None or depth > whole.rank:
        return
    wanted = TensorShape([*outer, *(whole.sizes or ())[depth:]])
    if not updates.is_compatible_with(wanted):
        raise ValueError(f"The outer dimensions of indices and the inner ones of the variable make {wanted}, but updates has shape {updates}")


def _scatter_elements(how: str, ctx: Context, buffer: Buffer, indices: Any, updates: Any) -> Buffer:
    with buffer.lock:
        shape = buffer.read().shape
        if indices.ndim == 1:  # numbers of rows, though a signature reads them as one place
            indices = indices[:, None]
        depth = indices.shape[-1] if indices.ndim else 1
        outer = indices.shape[:-1]
        if not math.prod(shape) and (indices.size or np.size(updates)):
            raise InvalidArgumentError(f"Indices and updates specified for empty output.  indices shape: {shown(indices.shape)}")
        if depth > len(shape) or np.shape(updates) != (*outer, *shape[depth:]):
            raise InvalidArgumentError(
                f"updates of shape {shown(np.shape(updates))} do not go with indices of shape {shown(indices.shape)} and a variable of shape "
                f"{shown(shape)}: expected the indices' shape without the last dimension, then the variable's from dimension {depth} on"
            )
        parts = tuple(np.moveaxis(indices, -1, 0))
        limits = np.array(shape[:depth])
        wrong = np.argwhere(((indices < 0) | (indices >= limits)).any(-1))
        if len(wrong):
            place = tuple(wrong[0].tolist())
            right = np.nonzero(~((indices < 0) | (indices >= limits)).any(-1))  # TensorFlow leaves out only what is wrong
            if depth and right[0].size:
                _scatter(ctx.xp, how, buffer.writable(), tuple(part[right] for part in parts), updates[tuple(map(ctx.xp.asarray, right))])
            raise InvalidArgumentError(f"indices[{','.join(map(str, place))}] = {shown(indices[place])} does not index into shape {shown(shape)}")
        if depth:
            _scatter(ctx.xp, how, buffer.writable(), parts, updates)
        else:  # the whole of it, once for each
            _scatter(ctx.xp, how, buffer.writable()[None], (np.zeros(outer, np.int64),), updates)
    return buffer


class _ScatterNd(SessionOpType, abstract=True):
    """Elements of a reference variable."""

    inputs = "ref: Ref(T), indices: Tindices, updates: T"
    outputs = "output_ref: Ref(T)"
    attrs = "T: numbertype, Tindices: {int32, int64}, use_locking: bool = false"
    host_inputs = ("indices",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ref, indices, updates = (tensor.shape for tensor in op._inputs)
        _elements_shape(ref, indices, updates)
        return [ref]


class ScatterNdUpdate(_ScatterNd):
    """Gives elements of a variable new values."""

    attrs = "T: type, Tindices: {int32, int64}, use_locking: bool = true"
    run = staticmethod(functools.partial(_scatter_elements, "update"))


class ScatterNdAdd(_ScatterNd):
    """Adds to elements of a variable."""

    run = staticmethod(functools.partial(_scatter_elements, "add"))


class ScatterNdSub(_ScatterNd):
    """Subtracts from elements of a variable."""

    run = staticmethod(functools.partial(_scatter_elements, "subtract"))


class ScatterNdMin(_ScatterNd):
    """Keeps the lesser of elements of a variable and new values."""

    run = staticmethod(functools.partial(_scatter_elements, "minimum"))


class ScatterNdMax(_ScatterNd):
    """Keeps the greater of elements of a variable and new values."""

    run = staticmethod(functools.partial(_scatter_elements, "maximum"))


def _scatter_resource_elements(how: str, ctx: Context, resource: Buffer, indices: Any, updates: Any) -> None:
    _scatter_elements(how, ctx, resource, indices, updates)


class _ResourceScatterNd(SessionOpType, abstract=True):
    """Elements of a resource variable."""

    inputs = "ref: resource, indices: Tindices, updates: T"
    attrs = "T: type, Tindices: {int32, int64}, use_locking: bool = true"
    is_stateful = True
    host_inputs = ("indices",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        _elements_shape(handle_shape(op._inputs[0]), op._inputs[1].shape, op._inputs[2].shape)
        return []


class ResourceScatterNdUpdate(_ResourceScatterNd):
    """Gives elements of a variable new values."""

    run = staticmethod(functools.partial(_scatter_resource_elements, "update"))


class ResourceScatterNdAdd(_ResourceScatterNd):
    """Adds to elements of a variable."""

    run = staticmethod(functools.partial(_scatter_resource_elements, "add"))


class ResourceScatterNdSub(_ResourceScatterNd):
    """Subtracts from elements of a variable."""

    run = staticmethod(functools.partial(_scatter_resource_elements, "subtract"))


class ResourceScatterNdMin(_ResourceScatterNd):
    """Keeps the lesser of elements of a variable and new values."""

    run = staticmethod(functools.partial(_scatter_resource_elements, "minimum"))


class ResourceScatterNdMax(_ResourceScatterNd):
    """Keeps the greater of elements of a variable and new values."""

    run = staticmethod(functools.partial(_scatter_resource_elements, "maximum"))


# ---- the functions


def _builder(function_name: str, kind: str, told: str, *, use_locking: bool = False) -> Callable[..., Any]:
    """A function that adds `Scatter<kind>` for a reference variable, `ResourceScatter<kind>` for a resource variable."""

    def build(ref: Any, indices: Any, updates: Any, use_locking: bool = use_locking, name: str | None = None) -> Any:
        if ref.dtype.is_ref:
            return apply(f"Scatter{kind}", ref, indices, updates, use_locking=use_locking, name=name)
        read = ref._lazy_read
        return read(apply_op(f"ResourceScatter{kind}", ref.handle, indices, convert_to_tensor(updates, ref.dtype), name=name))

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = f"{told} (`tf.{function_name}`). Gives the variable: its reference, or what reads a resource variable afterwards."
    return build


scatter_update = _builder("scatter_update", "Update", "Gives rows of a variable new values", use_locking=True)
scatter_add = _builder("scatter_add", "Add", "Adds to rows of a variable")
scatter_sub = _builder("scatter_sub", "Sub", "Subtracts from rows of a variable")
scatter_mul = _builder("scatter_mul", "Mul", "Multiplies rows of a variable")
scatter_div = _builder("scatter_div", "Div", "Divides rows of a variable")
scatter_min = _builder("scatter_min", "Min", "Keeps the lesser of rows of a variable and new values")
scatter_max = _builder("scatter_max", "Max", "Keeps the greater of rows of a variable and new values")
scatter_nd_update = _builder("scatter_nd_update", "NdUpdate", "Gives elements of a variable new values", use_locking=True)
scatter_nd_add = _builder("scatter_nd_add", "NdAdd", "Adds to elements of a variable")
scatter_nd_sub = _builder("scatter_nd_sub", "NdSub", "Subtracts from elements of a variable")
