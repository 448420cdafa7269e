"""What recurrent networks with and without a loop have in common: their scope, their start, and steps behind a sequence's end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpersist.graph import Tensor, constant_value, get_default_graph
from gpersist.ops import nest
from gpersist.ops.choosing import where
from gpersist.ops.tensor_array import TensorArray
from gpersist.ops.variable_scope import VariableScope, variable_scope
from gpersist.shapes import TensorShape, as_shape

__all__: list[str] = []


def calling(cell: Any, value: Any, state: Any) -> Callable[[], Any]:
    return lambda: cell(value, state)


def chosen(has_ended: Tensor, nothing: Any, output: Any, state: Any, new_state: Any) -> Any:
    old, new = ([*nest.flatten(one), *nest.flatten(other)] for one, other in ((nothing, state), (output, new_state)))
    return packed([kept(has_ended, one, other) for one, other in zip(old, new, strict=True)], nothing, state)


def packed(found: Sequence[Any], nothing: Any, state: Any) -> Any:
    """A flat list of an output and a state as both, with the shapes of what is given."""
    like = [*nest.flatten(nothing), *nest.flatten(state)]
    for value, other in zip(found, like, strict=True):
        if not isinstance(value, TensorArray):
            value.set_shape(other.shape)
    count = len(nest.flatten(nothing))
    return nest.pack_sequence_as(nothing, found[:count]), nest.pack_sequence_as(state, found[count:])


def kept(has_ended: Tensor, old: Any, new: Any) -> Any:
    """What is there for sequences that have ended, and what was computed for the others."""
    if isinstance(old, TensorArray) or old.shape.rank == 0:
        return new
    with new.graph.colocate_with(new):
        return where(has_ended, old, new)


@contextmanager
def entered(scope: Any) -> Iterator[VariableScope]:
    """The variable scope of a network; its variables are read once a device, unless it is within a loop."""
    with variable_scope(scope or "rnn") as entered:
        context: Any = get_default_graph()._get_control_flow_context()
        if (context is None or context.while_context() is None) and entered.caching_device is None:
            entered.set_caching_device(lambda op: op.device)
        yield entered


def initial_state_of(cell: Any, state: Any, batch: Any, dtype: Any) -> Any:
    if state is not None:
        return state
    if not dtype:
        raise ValueError("If no initial_state is provided, argument `dtype` must be specified")
    if getattr(cell, "get_initial_state", None) is not None:
        return cell.get_initial_state(inputs=None, batch_size=batch, dtype=dtype)
    return cell.zero_state(batch, dtype)


def first_size(shape: TensorShape) -> int | None:
    return None if not shape.rank else shape.as_list()[0]


def flat_sizes(size: Any) -> list[Any]:
    return [size] if isinstance(size, TensorShape) else nest.flatten(size)


def known_behind(batch: int | None, size: Any) -> TensorShape:
    known = as_shape(constant_value(size)) if isinstance(size, Tensor) else size
    return TensorShape([batch]).concatenate(TensorShape([known]) if isinstance(known, int) else as_shape(known))


def state_type(dtype: Any, state: Any) -> Any:
    """The type of outputs: as told, or that of all states.

    Raises:
        ValueError: the states are of several types.
    """
    if dtype is not None:
        return dtype
    if not nest.is_nested(state):
        return state.dtype
    types = [part.dtype for part in nest.flatten(state)]
    if not types:
        raise ValueError(f"Unable to infer dtype from argument state={state}.")
    if any(kind != types[0] for kind in types):
        raise ValueError(
            f"Argument state={state} has tensors of different inferred dtypes. Unable to infer a single representative dtype. "
            f"Dtypes received: {types}"
        )
    return types[0]
