"""Tensors that a session keeps between runs, by handles (`tf.get_session_handle`)."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gpersist.dtypes import DType, from_numpy
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, Tensor, apply, apply_op, device_of_handle, get_default_graph
from gpersist.ops import shape_functions
from gpersist.ops.constants import placeholder
from gpersist.ops.kernels import as_array
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["delete_session_tensor", "get_session_handle", "get_session_tensor"]

_READS = "/job:localhost/replica:0/task:0/device:CPU:0"
"""Where nodes that read handles run, which are text; the tensors themselves stay where they were."""


def _keep(ctx: Context, value: Any) -> bytes:
    numbers = ctx.session.resources.setdefault("session handles", itertools.count())
    handle = f"{ctx.op.name};{next(numbers)};{_READS}".encode()
    ctx.session.kept_tensors[handle] = as_array(ctx.xp, value).copy()
    return handle


class GetSessionHandle(SessionOpType):
    """Keeps a tensor, and gives a name for it."""

    inputs = "value: T"
    outputs = "handle: string"
    attrs = "T: type"
    is_stateful = True
    host_outputs = ("handle",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, value: Any) -> Any:
        return as_array(np, _keep(ctx, value))


class GetSessionHandleV2(SessionOpType):
    """Keeps a tensor, and gives a handle of it."""

    inputs = "value: T"
    outputs = "handle: resource"
    attrs = "T: type"
    is_stateful = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, value: Any) -> Any:
        return _keep(ctx, value)


class GetSessionTensor(SessionOpType):
    """The tensor that was kept under a name."""

    inputs = "handle: string"
    outputs = "value: dtype"
    attrs = "dtype: type"
    is_stateful = True
    host_inputs = ("handle",)
    scalars = ("handle",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [unknown_shape()]

    @staticmethod
    def run(ctx: Context, handle: Any, *, dtype: DType) -> Any:
        found = _kept(ctx, handle)
        if from_numpy(found.dtype) is not dtype:
            raise InvalidArgumentError(f"the tensor with handle '{_name(handle).decode()}' is of {from_numpy(found.dtype).name}, not of {dtype.name}")
        return ctx.move(found)


class DeleteSessionTensor(SessionOpType):
    """Forgets the tensor that was kept under a name."""

    inputs = "handle: string"
    is_stateful = True
    is_host_only = True
    scalars = ("handle",)
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, handle: Any) -> None:
        _kept(ctx, handle)
        ctx.session.kept_tensors.pop(_name(handle), None)


def _name(handle: Any) -> bytes:
    found: bytes = handle if isinstance(handle, bytes) else np.asarray(handle, object).reshape(-1)[0]
    return found


def _kept(ctx: Context, handle: Any) -> Any:
    found = ctx.session.kept_tensors.get(_name(handle))
    if found is None:
        raise InvalidArgumentError(f"The tensor with handle '{_name(handle).decode(errors='replace')}' is not in the session store.")
    return found


def get_session_handle(data: Tensor, name: str | None = None) -> Tensor:
    """Keeps a tensor in the session (`tf.get_session_handle`): a run gives a `TensorHandle` for it, which can be fed in its place.

    Raises:
        TypeError: `data` is no tensor.
    """
    if not isinstance(data, Tensor):
        raise TypeError("`data` must be of type Tensor.")
    with data.graph.colocate_with(data):
        return apply("GetSessionHandle", data, name=name)


def get_session_tensor(handle: Any, dtype: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """A placeholder for the text of a handle, and the tensor that it names (`tf.get_session_tensor`).

    Args:
        handle: the text of one; says on which device the tensor is.
        dtype: of the tensor.
        name: of the node.
    """
    with get_default_graph().device(device_of_handle(handle)):
        holder = placeholder("string")
        return holder, apply("GetSessionTensor", holder, dtype=dtype, name=name)


def delete_session_tensor(handle: Any, name: str | None = None) -> tuple[Tensor, Operation]:
    """A placeholder for the text of a handle, and an operation that forgets the tensor that it names (`tf.delete_session_tensor`)."""
    with get_default_graph().device(device_of_handle(handle)):
        holder = placeholder("string")
        return holder, apply_op("DeleteSessionTensor", holder, name=name)
