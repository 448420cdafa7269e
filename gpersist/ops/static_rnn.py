"""Recurrent networks without a loop: each step has nodes of its own (`tf.nn.static_rnn` and its like)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, get_default_graph
from gpersist.ops import nest
from gpersist.ops.arranging import reverse_sequence
from gpersist.ops.casting import cast
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import zeros
from gpersist.ops.joining import concat, stack, unstack
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_max, reduce_min
from gpersist.ops.rnn_cell_wrappers import check_cell
from gpersist.ops.rnn_shapes import sizes_behind, static_shape_behind
from gpersist.ops.rnn_steps import calling, entered, first_size, flat_sizes, initial_state_of, kept, packed, state_type
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.variable_scope import variable_scope
from gpersist.shapes import TensorShape

__all__ = ["static_bidirectional_rnn", "static_rnn", "static_state_saving_rnn"]


def static_rnn(
    cell: Any, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None, scope: Any = None
) -> tuple[list[Any], Any]:
    """The same as `dynamic_rnn` without a loop: `inputs` is a list of what the steps get, the outputs are one (`tf.nn.static_rnn`).

    Raises:
        TypeError: `cell` is no cell, or `inputs` no list.
        ValueError: `inputs` is empty; there is neither a state nor a type, or the shapes do not go together.
    """
    check_cell("cell", cell)
    if not nest.is_nested(inputs):
        raise TypeError(f"Argument `inputs` must be a sequence. Received: {inputs}")
    if not inputs:
        raise ValueError("Argument `inputs` must not be empty.")
    with entered(scope) as within:
        first = nest.flatten(inputs)[0]
        known = _common_batch(nest.flatten(inputs))
        batch: Any = known or shape_of(first)[0]
        state = initial_state_of(cell, initial_state, batch, dtype)
        skip: Callable[[int, Any, Callable[[], Any]], Any] | None = None
        if sequence_length is not None:
            sequence_length = convert_to_tensor(sequence_length, name="sequence_length")
            if sequence_length.shape.rank not in (None, 1):
                raise ValueError(f"Argument `sequence_length` must be a vector of length {batch}. Received sequence_length={sequence_length}.")
            nothing = []
            for size in flat_sizes(cell.output_size):
                made = zeros(sizes_behind(batch, size), state_type(dtype, state))
                made.set_shape(static_shape_behind(TensorShape([known]), size))
                nothing.append(made)
            skip = _skipping(cast(sequence_length, "int32"), nest.pack_sequence_as(cell.output_size, nothing))
        outputs = []
        for time, value in enumerate(inputs):
            if time:
                within.reuse_variables()
            call = calling(cell, value, state)
            output, state = call() if skip is None else skip(time, state, call)
            outputs.append(output)
        return outputs, state


def static_state_saving_rnn(
    cell: Any, inputs: Any, state_saver: Any, state_name: Any, sequence_length: Any = None, scope: Any = None
) -> tuple[list[Any], Any]:
    """The same as `static_rnn`, with a state that is kept from run to run (`tf.nn.static_state_saving_rnn`).

    Args:
        cell: an `RNNCell`.
        inputs: a list of what the steps get.
        state_saver: has `state(name)`, which gives a state, and `save_state(name, state)`, an operation.
        state_name: the state's name, or a tuple of those of its parts.
        sequence_length: as in `static_rnn`.
        scope: a variable scope, or its name.

    Raises:
        ValueError: the names are not like the state.
    """
    size = cell.state_size
    if nest.is_nested(size) != nest.is_nested(state_name):
        raise ValueError(
            f"Argument `state_name` should be the same type as `cell.state_size`. Received: state_name={state_name!s}, cell.state_size={size!s}."
        )
    names, sizes = nest.flatten(state_name), nest.flatten(size)
    if len(names) != len(sizes):
        raise ValueError(
            f"Number of elements in argument `state_name` and `cell.state_size` are mismatched. Received state_name={state_name} with {len(names)} "
            f"elements and cell.state_size={size} with {len(sizes)} elements."
        )
    start = nest.pack_sequence_as(size, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(cell, inputs, initial_state=start, sequence_length=sequence_length, scope=scope)
    parts = nest.flatten(state)
    saved = [state_saver.save_state(name, part) for name, part in zip(names, parts, strict=True)]
    with get_default_graph().control_dependencies(saved):
        outputs[-1] = nest.map_structure(identity, outputs[-1])
        state = nest.pack_sequence_as(state, [identity(part) for part in parts])
    return outputs, state


def static_bidirectional_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any, Any]:
    """The same as `bidirectional_dynamic_rnn` without a loop: the outputs of both, joined, and each one's last state."""
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    if not nest.is_nested(inputs):
        raise TypeError(f"Argument `inputs` must be a sequence. Received: {inputs}")
    if not inputs:
        raise ValueError("Argument `inputs` must not be empty.")
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forwards:
            output_fw, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=forwards)
        with variable_scope("bw") as backwards:
            turned = _turned(inputs, sequence_length)
            output_bw, state_bw = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, scope=backwards)
    pairs = zip(nest.flatten(output_fw), nest.flatten(_turned(output_bw, sequence_length)), strict=True)
    return nest.pack_sequence_as(output_fw, [concat([one, other], 1) for one, other in pairs]), state_fw, state_bw


def _skipping(lengths: Tensor, nothing: Any) -> Callable[[int, Any, Callable[[], Any]], Any]:
    """The same, which is not computed at all once all sequences have ended."""
    shortest, longest = reduce_min(lengths), reduce_max(lengths)

    def step(time: int, state: Any, call: Callable[[], Any]) -> Any:
        has_ended = time >= lengths

        def computed() -> Any:
            output, new_state = call()
            nest.assert_same_structure(nothing, output)
            nest.assert_same_structure(state, new_state)
            new = [*nest.flatten(output), *nest.flatten(new_state)]
            return cond(time < shortest, lambda: new, lambda: [*map(lambda old, value: kept(has_ended, old, value), flat, new)])

        flat = [*nest.flatten(nothing), *nest.flatten(state)]
        found = cond(time >= longest, lambda: flat, computed)
        return packed(found, nothing, state)

    return step


def _common_batch(flat: Sequence[Tensor]) -> int | None:
    """The size of the first axis that all inputs have."""
    if flat[0].shape.rank == 1:
        return first_size(flat[0].shape)
    known = first_size(flat[0].shape.with_rank_at_least(2))
    for tensor in flat:
        size, *rest = tensor.shape.with_rank_at_least(2).as_list() if tensor.shape.rank is not None else [None]
        if None not in (size, known) and size != known:
            raise ValueError(f"Dimensions {known} and {size} are not compatible")
        for index, part in enumerate(rest):
            if part is None:
                raise ValueError(f"Input size (dimension {index} of input {tensor}) must be accessible via shape inference, but saw value None.")
    return known


def _turned(values: Sequence[Any], lengths: Any) -> list[Any]:
    """A list of steps from the last to the first; of each sequence only as many as it has."""
    if lengths is None:
        return list(reversed(values))
    columns: list[list[Tensor]] = []
    for column in zip(*(nest.flatten(value) for value in values), strict=True):
        shape = TensorShape(None if column[0].shape.rank is None else [None] * column[0].shape.rank)
        for tensor in column:
            shape = shape.merge_with(tensor.shape)
        for tensor in column:
            tensor.set_shape(shape)
        found = unstack(reverse_sequence(stack(column), lengths, 0, 1))
        for tensor in found:
            tensor.set_shape(shape)
        columns.append(found)
    return [nest.pack_sequence_as(value, [column[index] for column in columns]) for index, value in enumerate(values)]
