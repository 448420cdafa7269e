"""Operations on variables: reference variables, as TensorFlow 1 makes them, and resource variables.

A reference (`float32_ref`) or a resource is a `Buffer` of the session; see `gpersist.graph.variables_store` for what an assignment does to those who
read before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Buffer, Context, Operation, SessionOpType, Tensor, apply, apply_op
from gpersist.ops import shape_functions
from gpersist.shapes import ShapeLike, TensorShape, as_shape, unknown_shape

__all__ = ["assign", "assign_add", "assign_sub", "is_variable_initialized"]


class VariableV2(SessionOpType):
    """A reference variable."""

    outputs = "ref: Ref(dtype)"
    attrs = "shape: shape, dtype: type, container: string = '', shared_name: string = ''"
    is_stateful = True
    is_static = True
    shapes = staticmethod(shape_functions.same_as_attr)

    @staticmethod
    def run(ctx: Context) -> Buffer:
        return ctx.buffer()


class Variable(SessionOpType):
    """A reference variable of TensorFlow before 1.0; a shape without dimensions means that it is not known."""

    outputs = "ref: Ref(dtype)"
    attrs = "shape: shape, dtype: type, container: string = '', shared_name: string = ''"
    is_stateful = True
    is_static = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        shape: TensorShape = op.attr("shape")
        return [shape if shape.rank else unknown_shape()]

    @staticmethod
    def run(ctx: Context) -> Buffer:
        return ctx.buffer()


class Assign(SessionOpType):
    """Gives a variable a value."""

    inputs = "ref: Ref(T), value: T"
    outputs = "output_ref: Ref(T)"
    attrs = "T: type, validate_shape: bool = true, use_locking: bool = true"
    allows_uninitialized_input = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ref, value = (tensor.shape for tensor in op._inputs)
        return [ref.merge_with(value) if op.attr("validate_shape") else value]

    @staticmethod
    def run(ctx: Context, ref: Buffer, value: Any, *, validate_shape: bool) -> Buffer:
        wanted = ctx.op._inputs[0].shape
        if validate_shape and not wanted.is_compatible_with(np.shape(value)):
            raise InvalidArgumentError(
                f"Assign requires shapes of both tensors to match. lhs shape= {_shown(wanted.as_list())} rhs shape= {_shown(np.shape(value))}"
            )
        ref.assign(value)
        return ref


class _Update(SessionOpType, abstract=True):
    """What a variable becomes by arithmetic with a value of its shape."""

    inputs = "ref: Ref(T), value: T"
    outputs = "output_ref: Ref(T)"
    attrs = "T: numbertype, use_locking: bool = false"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.merge_with(op._inputs[1].shape)]


class AssignAdd(_Update):
    """Adds to a variable."""

    @staticmethod
    def run(ctx: Context, ref: Buffer, value: Any) -> Buffer:
        return _update(ctx, ref, value, "add")


class AssignSub(_Update):
    """Subtracts from a variable."""

    @staticmethod
    def run(ctx: Context, ref: Buffer, value: Any) -> Buffer:
        return _update(ctx, ref, value, "subtract")


class IsVariableInitialized(SessionOpType):
    """Whether a reference variable has a value."""

    inputs = "ref: Ref(dtype)"
    outputs = "is_initialized: bool"
    attrs = "dtype: type"
    allows_uninitialized_input = True
    host_outputs = ("is_initialized",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, ref: Buffer) -> Any:
        return np.bool_(ref.is_initialized)


class VarHandleOp(SessionOpType):
    """A resource variable."""

    outputs = "resource: resource"
    attrs = "container: string = '', shared_name: string = '', dtype: type, shape: shape"
    is_stateful = True
    is_static = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> Buffer:
        return ctx.buffer()


class ReadVariableOp(SessionOpType):
    """The value of a resource variable."""

    inputs = "resource: resource"
    outputs = "value: dtype"
    attrs = "dtype: type"
    is_stateful = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [handle_shape(op._inputs[0])]

    @staticmethod
    def run(ctx: Context, resource: Buffer) -> Any:
        return resource.read()

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> Tensor:
        return grad


def _accepts_value(op: Operation) -> list[TensorShape]:
    """No outputs; the value's shape has to go with the variable's."""
    handle_shape(op._inputs[0]).merge_with(op._inputs[1].shape)
    return []


class AssignVariableOp(SessionOpType):
    """Gives a resource variable a value."""

    inputs = "resource: resource, value: dtype"
    attrs = "dtype: type"
    is_stateful = True

    shapes = staticmethod(_accepts_value)

    @staticmethod
    def run(ctx: Context, resource: Buffer, value: Any, *, dtype: DType) -> None:
        _check_type(resource, dtype)
        resource.assign(value)


class AssignAddVariableOp(SessionOpType):
    """Adds to a resource variable."""

    inputs = "resource: resource, value: dtype"
    attrs = "dtype: type"
    is_stateful = True
    shapes = staticmethod(_accepts_value)

    @staticmethod
    def run(ctx: Context, resource: Buffer, value: Any) -> None:
        _update(ctx, resource, value, "add")


class AssignSubVariableOp(SessionOpType):
    """Subtracts from a resource variable."""

    inputs = "resource: resource, value: dtype"
    attrs = "dtype: type"
    is_stateful = True
    shapes = staticmethod(_accepts_value)

    @staticmethod
    def run(ctx: Context, resource: Buffer, value: Any) -> None:
        _update(ctx, resource, value, "subtract")


class VarIsInitializedOp(SessionOpType):
    """Whether a resource variable has a value."""

    inputs = "resource: resource"
    outputs = "is_initialized: bool"
    is_stateful = True
    host_outputs = ("is_initialized",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, resource: Buffer) -> Any:
        return np.bool_(resource.is_initialized)


class VariableShape(SessionOpType):
    """The shape of a resource variable's value."""

    inputs = "input: resource"
    outputs = "output: out_type"
    attrs = "out_type: {int32, int64} = int32"
    is_stateful = True
    host_outputs = ("output",)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([handle_shape(op._inputs[0]).rank])]

    @staticmethod
    def run(ctx: Context, resource: Buffer, *, out_type: DType) -> Any:
        return np.array(resource.read().shape, out_type.numpy)


def handle_shape(handle: Tensor) -> TensorShape:
    """What is known of the shape of the variable that a resource is."""
    op = handle.op
    while op.type in ("Identity", "Enter", "Switch") and op.inputs:
        op = op.inputs[0].op
    if op.type == "Placeholder" and op.graph.building_function:
        source = op.graph.source_of(op.outputs[0])
        return unknown_shape() if source.op is op else handle_shape(source)
    return op.attr("shape") if op.type == "VarHandleOp" else unknown_shape()


def variable_op_v2(shape: ShapeLike, dtype: Any, name: str = "Variable", container: str = "", shared_name: str = "") -> Tensor:
    """A reference variable's node; gives the reference."""
    return apply("VariableV2", shape=as_shape(shape), dtype=as_dtype(dtype).base_dtype, name=name, container=container, shared_name=shared_name)


def var_handle_op(dtype: Any, shape: ShapeLike, container: str = "", shared_name: str = "", name: str | None = None) -> Tensor:
    """A resource variable's node; gives the resource."""
    return apply("VarHandleOp", dtype=as_dtype(dtype), shape=as_shape(shape), container=container, shared_name=shared_name, name=name)


def is_variable_initialized(variable: Any) -> Tensor:
    """Whether a variable has a value (`tf.is_variable_initialized`)."""
    if variable.dtype.is_ref:
        return apply("IsVariableInitialized", variable)
    found: Tensor = variable.is_initialized()
    return found


def assign(ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Gives a variable a value (`tf.assign`); the result is the variable's reference, or what a resource variable's `assign` gives."""
    if not ref.dtype.is_ref:
        return ref.assign(value, name=name)
    return apply("Assign", ref, value, validate_shape=validate_shape, use_locking=use_locking, name=name)


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Adds to a variable (`tf.assign_add`)."""
    if not ref.dtype.is_ref:
        return ref.assign_add(value)
    return apply("AssignAdd", ref, value, use_locking=use_locking, name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Subtracts from a variable (`tf.assign_sub`)."""
    if not ref.dtype.is_ref:
        return ref.assign_sub(value)
    return apply("AssignSub", ref, value, use_locking=use_locking, name=name)


def assign_variable(handle: Tensor, value: Any, name: str | None = None) -> Operation:
    """Gives a resource variable a value."""
    return apply_op("AssignVariableOp", handle, value, name=name)


def _check_type(resource: Buffer, dtype: DType) -> None:
    if resource.dtype is not dtype:
        raise InvalidArgumentError(f"variable {resource.name!r} is {resource.dtype.name}, the value {dtype.name}: cast it")


def _update(ctx: Context, buffer: Buffer, value: Any, ufunc: str) -> Buffer:
    """Does arithmetic with a variable's value and another one: in place, where nobody else has the array."""
    with buffer.lock:
        if np.shape(value) != buffer.read().shape:
            raise InvalidArgumentError(
                f"variable {buffer.name!r} has shape {_shown(buffer.read().shape)}, the value {_shown(np.shape(value))}: they have to be the same"
            )
        array = buffer.writable()
        getattr(ctx.xp, ufunc)(array, value, out=array)
    return buffer


def _shown(shape: Any) -> str:
    return f"[{','.join(map(str, shape))}]"
