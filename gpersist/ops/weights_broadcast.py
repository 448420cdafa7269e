"""Weights spread over values, which losses and metrics do in one way only: a scalar, or an axis of 1 or the values' own size for each of theirs."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import multiply
from gpersist.ops.array import shape_of
from gpersist.ops.checks import Assert
from gpersist.ops.control import control_dependencies, no_op
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import ones_like
from gpersist.ops.joining import concat
from gpersist.ops.set_operations import set_difference
from gpersist.ops.shaping import expand_dims, rank, size

__all__: list[str] = []

_NO_BROADCAST = "weights can not be broadcast to values."


def broadcast_weights(weights: Any, values: Any) -> Tensor:
    """Weights of the values' shape and dtype."""
    with name_scope(None, "broadcast_weights", (weights, values)) as scope:
        weighed = convert_to_tensor(values, name="values")
        factors = convert_to_tensor(weights, dtype=weighed.dtype.base_dtype, name="weights")
        mine, theirs = factors.shape, weighed.shape
        if mine.is_fully_defined() and theirs.is_fully_defined() and mine.is_compatible_with(theirs):
            return factors
        with control_dependencies([assert_broadcastable(factors, weighed)]):
            return multiply(factors, ones_like(weighed), name=scope)


def assert_broadcastable(weights: Any, values: Any) -> Any:
    """An operation to wait for: it fails where the weights' shape does not go with the values'.

    Raises:
        ValueError: that is seen already.
    """
    with name_scope(None, "assert_broadcastable", (weights, values)) as scope:
        with name_scope(None, "weights", (weights,)) as inner:
            factors = convert_to_tensor(weights, name=inner)
            my_shape, my_rank = shape_of(factors, name="shape"), rank(factors, name="rank")
        with name_scope(None, "values", (values,)) as inner:
            weighed = convert_to_tensor(values, name=inner)
            their_shape, their_rank = shape_of(weighed, name="shape"), rank(weighed, name="rank")
        mine, theirs = factors.shape, weighed.shape
        if mine.rank is not None and theirs.rank is not None:
            if mine.rank == 0:
                return no_op(name="static_scalar_check_success")
            if mine.rank != theirs.rank:
                raise ValueError(
                    f"{_NO_BROADCAST} values.rank={theirs.rank}. weights.rank={mine.rank}. values.shape={theirs}. weights.shape={mine}. "
                    f"Received weights={factors}, values={weighed}"
                )
            known, wanted = constant_value(my_shape), constant_value(their_shape)
            if known is not None and wanted is not None:
                for axis, (one, other) in enumerate(zip(known, wanted, strict=True)):
                    if one not in (1, other):
                        raise ValueError(
                            f"{_NO_BROADCAST} Mismatch at dim {axis}. values.shape={wanted}, weights.shape={known}. "
                            f"Received weights={factors}, values={weighed}"
                        )
                return no_op(name="static_dims_check_success")
        is_scalar = apply("Equal", 0, my_rank, name="is_scalar")
        data = [_NO_BROADCAST, "weights.shape=", factors.name, my_shape, "values.shape=", weighed.name, their_shape, "is_scalar=", is_scalar]
        is_valid = cond(is_scalar, lambda: is_scalar, lambda: _goes_with(my_rank, my_shape, their_rank, their_shape), name="is_valid_shape")
        return Assert(is_valid, data, name=scope)


def _goes_with(my_rank: Tensor, my_shape: Tensor, their_rank: Tensor, their_shape: Tensor) -> Tensor:
    """Whether weights that are no scalar go with the values axis by axis."""
    with name_scope(None, "has_valid_nonscalar_shape", (my_rank, my_shape, their_rank, their_shape)) as scope:
        is_same = apply("Equal", their_rank, my_rank, name="is_same_rank")
        found: Tensor = cond(is_same, lambda: _has_valid_sizes(my_shape, their_shape), lambda: is_same, name=scope)
        return found


def _has_valid_sizes(my_shape: Tensor, their_shape: Tensor) -> Tensor:
    """Whether each size is 1, or the values' own: what it is otherwise is left of a set."""
    with name_scope(None, "has_invalid_dims", (my_shape, their_shape)) as scope:
        theirs = expand_dims(their_shape, -1)
        valid = concat((theirs, ones_like(theirs)), axis=1)
        wrong = set_difference(expand_dims(my_shape, -1), valid)
        return apply("Equal", 0, size(wrong.values, name="num_invalid_dims"), name=scope)
