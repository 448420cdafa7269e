"""What else is done with variables: counting, gathering from resources, temporary variables, resources destroyed; assignment in batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError, NotFoundError, OutOfRangeError
from gpersist.graph import Buffer, Context, Operation, SessionOpType, Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops import shape_functions
from gpersist.ops.kernels import check_indices, shown
from gpersist.ops.scatter import scatter_nd_update
from gpersist.ops.shaping import size
from gpersist.ops.variables import handle_shape
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["batch_scatter_update", "count_up_to"]


class CountUpTo(SessionOpType):
    """The value of an integer variable, which is one more afterwards; up to a limit."""

    inputs = "ref: Ref(T)"
    outputs = "output: T"
    attrs = "limit: int, T: {int32, int64}"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_scalar(op._inputs[0].shape)]

    @staticmethod
    def run(ctx: Context, ref: Buffer, *, limit: int) -> Any:
        with ref.lock:
            value = ref.read()
            if int(value) >= limit:
                raise OutOfRangeError(f"Reached limit of {limit}")
            ref.assign(value + 1)
        return value


class ResourceCountUpTo(SessionOpType):
    """The same for a resource variable."""

    inputs = "resource: resource"
    outputs = "output: T"
    attrs = "limit: int, T: {int32, int64}"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [_scalar(handle_shape(op._inputs[0]))]

    @staticmethod
    def run(ctx: Context, resource: Buffer, *, limit: int) -> Any:
        return CountUpTo.run(ctx, resource, limit=limit)


class ResourceGather(SessionOpType):
    """Rows of a resource variable."""

    inputs = "resource: resource, indices: Tindices"
    outputs = "output: dtype"
    attrs = "batch_dims: int = 0, validate_indices: bool = true, dtype: type, Tindices: {int32, int64}"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        whole, indices, batch = handle_shape(op._inputs[0]).sizes, op._inputs[1].shape.sizes, op.attr("batch_dims")
        if whole is None or indices is None:
            return [unknown_shape()]
        if len(whole) < batch + 1:
            raise ValueError(f"Shape must be at least rank {batch + 1} but is rank {len(whole)}")
        return [TensorShape([*whole[:batch], *indices[batch:], *whole[batch + 1 :]])]

    @staticmethod
    def run(ctx: Context, resource: Buffer, indices: Array, *, batch_dims: int) -> Array:
        xp, value = ctx.xp, resource.read()
        indices = xp.asarray(indices)
        check_indices(xp, indices, value.shape[batch_dims])
        if not batch_dims:
            return xp.take(value, indices, axis=0)
        outer = [
            xp.arange(size).reshape([-1 if at == axis else 1 for at in range(indices.ndim)]) for axis, size in enumerate(value.shape[:batch_dims])
        ]
        found: Array = value[(*outer, indices)]
        return found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Any]:
        """The rows as IndexedSlices, which no dense gradient is made of unless somebody asks for one."""
        from gpersist.ops.indexed_slices import IndexedSlices

        handle, indices = op.inputs
        whole = variable_shape(handle)
        count = apply("ExpandDims", size(indices), 0, name="ExpandDims")
        rows = apply("Reshape", grad, apply("ConcatV2", [count, whole[1:]], 0, name="concat"))
        return [IndexedSlices(rows, apply("Reshape", indices, count), whole), None]


class ResourceGatherNd(SessionOpType):
    """Elements, or slices, of a resource variable, by several indices each."""

    inputs = "resource: resource, indices: Tindices"
    outputs = "output: dtype"
    attrs = "dtype: type, Tindices: {int32, int64}"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        whole, indices = handle_shape(op._inputs[0]).sizes, op._inputs[1].shape.sizes
        *outer, depth = indices or (None,)
        if whole is None or depth is None:
            return [unknown_shape()]
        if depth > len(whole):
            raise ValueError(
                f"indices.shape[-1] must be <= params.rank, but saw indices shape: {shown([*outer, depth])} and params shape: {shown(whole)}"
            )
        return [TensorShape([*outer, *whole[depth:]])]

    @staticmethod
    def run(ctx: Context, resource: Buffer, indices: Array) -> Array:
        xp, value = ctx.xp, resource.read()
        depth = indices.shape[-1] if indices.ndim else 0
        if not indices.ndim or depth > value.ndim:
            raise InvalidArgumentError(
                f"index innermost dimension length must be <= params rank; saw: {depth} vs. {value.ndim}: indices shape {shown(indices.shape)}, "
                f"params shape {shown(value.shape)}"
            )
        if xp is np:
            wrong = np.argwhere(((indices < 0) | (indices >= np.array(value.shape[:depth], indices.dtype))).any(-1))
            if len(wrong):
                place = tuple(wrong[0].tolist())
                raise InvalidArgumentError(
                    f"indices[{','.join(map(str, place))}] = {shown(indices[place])} does not index into param shape {shown(value.shape)}"
                )
        if not depth:
            return xp.broadcast_to(value, (*indices.shape[:-1], *value.shape)).copy()
        found: Array = value[tuple(xp.moveaxis(indices, -1, 0))]
        return found


class TemporaryVariable(SessionOpType):
    """A variable of one run: to be given a value, and read by DestroyTemporaryVariable."""

    outputs = "ref: Ref(dtype)"
    attrs = "shape: shape, dtype: type, var_name: string = ''"
    is_stateful = True
    shapes = staticmethod(shape_functions.same_as_attr)

    @staticmethod
    def run(ctx: Context, *, shape: TensorShape, dtype: DType, var_name: bytes) -> Buffer:
        made = Buffer(var_name.decode("utf-8", "surrogateescape") or ctx.op.name, dtype, ctx.device)
        made.assign(ctx.xp.zeros(shape.as_list(), dtype.numpy))
        return made


class DestroyTemporaryVariable(SessionOpType):
    """The last value of a temporary variable."""

    inputs = "ref: Ref(T)"
    outputs = "value: T"
    attrs = "T: type, var_name: string"
    shapes = staticmethod(shape_functions.same_as_input)

    @staticmethod
    def run(ctx: Context, ref: Buffer, *, var_name: bytes) -> Any:
        wanted = var_name.decode("utf-8", "surrogateescape")
        if ref.name != wanted:
            raise NotFoundError(f"there is no temporary variable {wanted!r}; the one that was given is {ref.name!r}")
        return ref.read()


class DisableCopyOnRead(SessionOpType):
    """Says that a variable's value may be shared with who reads it, which it always may."""

    inputs = "resource: resource"
    is_stateful = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, resource: Buffer) -> None:
        del resource


class DestroyResourceOp(SessionOpType):
    """Takes the value of a resource away."""

    inputs = "resource: resource"
    attrs = "ignore_lookup_error: bool = true"
    is_stateful = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, resource: Buffer, *, ignore_lookup_error: bool) -> None:
        if not ignore_lookup_error and not resource.is_initialized:
            raise NotFoundError(f"Resource {resource.name} does not exist: it has no value that could be destroyed")
        resource.clear()


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """The value of an integer variable, which is one more afterwards (`tf.count_up_to`); raises OutOfRangeError when run at the limit."""
    if ref.dtype.is_ref:
        return apply("CountUpTo", ref, limit=limit, name=name)
    return apply("ResourceCountUpTo", ref.handle, limit=limit, T=ref.dtype, name=name)


def variable_shape(handle: Tensor) -> Tensor:
    """The shape of a resource variable as a tensor: a constant, where it is known."""
    known = handle_shape(handle)
    return convert_to_tensor(known.as_list(), "int32") if known.is_fully_defined() else apply("VariableShape", handle, out_type="int32")


def batch_scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Any:
    """Gives elements of a variable new values, the last dimension of `indices` pointing into the variable's dimension of that number; those before
    it are batches (`tf.batch_scatter_update`).

    Raises:
        ValueError: the rank of `indices` is not known.
    """
    from gpersist.ops import joining

    with name_scope(name):
        indices = convert_to_tensor(indices, name="indices")
        shape = apply("Shape", indices) if not indices.shape.is_fully_defined() else convert_to_tensor(indices.shape.as_list(), "int32", name="Shape")
        rank = indices.shape.rank
        if rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        last = apply("ExpandDims", indices, -1, name="ExpandDims")
        parts: list[Tensor] = []
        for dimension in range(rank - 1):
            size = shape[dimension]
            sizes: list[Any] = [1] * (rank + 1)
            sizes[dimension] = size
            numbers = apply("Reshape", apply("Range", 0, size, 1, name="Range"), sizes)
            if numbers.dtype is not last.dtype:
                numbers = apply("Cast", numbers, DstT=last.dtype)
            parts.append(numbers * _ones_like(last))
        return scatter_nd_update(ref, joining.concat([*parts, last], -1), updates, use_locking=use_locking)


def _ones_like(tensor: Tensor) -> Tensor:
    from gpersist.ops import filling

    return filling.ones_like(tensor)


def _scalar(shape: TensorShape) -> TensorShape:
    if shape.rank not in (None, 0):
        raise ValueError(f"Shape must be rank 0 but is rank {shape.rank}")
    return shape_functions.SCALAR
