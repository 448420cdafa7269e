"""Slots: variables that an optimizer, or a moving average, keeps beside another variable, named after it: `w/Adam`, `w/Adam_1`."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import DType
from gpersist.ops.filling import zeros
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initialized_value import initialized_value
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.ref_variable import RefVariable
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.save_slice_info import SaveSliceInfo
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.variable import Variable
from gpersist.ops.variable_scope import get_variable_scope, variable_scope
from gpersist.shapes import TensorShape


def create_slot(primary: Any, val: Any, name: str, colocate_with_primary: bool = True) -> Any:
    """A slot with a first value.

    Args:
        primary: the variable, or tensor, that it belongs to.
        val: its first value, a tensor.
        name: that of the primary and this one, made unique, is the slot's name.
        colocate_with_primary: whether it goes to the primary's device.
    """
    return _create(primary, val, None, None, name, val.shape.is_fully_defined(), colocate_with_primary)


def create_slot_with_initializer(
    primary: Any, initializer: Any, shape: TensorShape, dtype: Any, name: str, colocate_with_primary: bool = True
) -> Any:
    """A slot whose first value an initializer makes; see `create_slot`.

    Args:
        primary: the variable, or tensor, that it belongs to.
        initializer: `initializer(shape, dtype=...)` gives the value.
        shape: of the value.
        dtype: of the value.
        name: see `create_slot`.
        colocate_with_primary: see `create_slot`.
    """
    return _create(primary, initializer, shape, dtype, name, shape.is_fully_defined(), colocate_with_primary)


def create_zeros_slot(primary: Any, name: str, dtype: DType | None = None, colocate_with_primary: bool = True) -> Any:
    """A slot of zeros, of the primary's shape and, unless told otherwise, type; see `create_slot`."""
    dtype = dtype or primary.dtype
    if primary.shape.is_fully_defined():
        return create_slot_with_initializer(primary, zeros_initializer(), primary.shape, dtype, name, colocate_with_primary)
    shape = shape_of(initialized_value(primary) if isinstance(primary, Variable) else primary)
    return create_slot(primary, zeros(shape, dtype), name, colocate_with_primary)


def _create(primary: Any, initial: Any, shape: TensorShape | None, dtype: Any, name: str, validate_shape: bool, colocate_with_primary: bool) -> Any:
    prefix = primary._shared_name if isinstance(primary, Variable) else primary.op.name
    with variable_scope(None, f"{prefix}/{name}"):
        if not colocate_with_primary:
            return _variable(primary, initial, shape, dtype, validate_shape)
        with primary.graph.colocate_with(primary):
            return _variable(primary, initial, shape, dtype, validate_shape)


def _variable(primary: Any, initial: Any, shape: TensorShape | None, dtype: Any, validate_shape: bool) -> Any:
    use_resource = True if isinstance(primary, ResourceVariable) else False if isinstance(primary, RefVariable) else None
    scope = get_variable_scope()
    partitioner = scope.partitioner
    scope.set_partitioner(None)
    slot = get_variable("", initializer=initial, trainable=False, use_resource=use_resource, shape=shape, dtype=dtype, validate_shape=validate_shape)
    scope.set_partitioner(partitioner)
    info = primary._get_save_slice_info() if isinstance(primary, Variable) else None
    rank = slot.shape.rank
    if info is not None and rank != 0:  # a part's slot is a part of the whole's slot
        name = slot.name[len(primary.op.name) + 1 : -2]
        full_shape, offset, shape_of_part = (list(part or ())[:rank] for part in (info.full_shape, info.var_offset, info.var_shape))
        slot._set_save_slice_info(SaveSliceInfo(f"{info.full_name}/{name}", full_shape, offset, shape_of_part))
    return slot
