"""Recurrent networks: a cell over the steps of time in a loop (`tf.nn.dynamic_rnn` and its like)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import nest
from gpersist.ops.arranging import reverse, reverse_sequence, transpose
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.comparison import equal, logical_not, logical_or
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import while_loop
from gpersist.ops.filling import zeros
from gpersist.ops.joining import concat, stack
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_all, reduce_max, reduce_min
from gpersist.ops.rnn_cell_wrappers import check_cell
from gpersist.ops.rnn_shapes import sizes_behind, static_shape_behind
from gpersist.ops.rnn_steps import calling, chosen, entered, first_size, flat_sizes, initial_state_of, kept, known_behind, state_type
from gpersist.ops.sequences import range as range_
from gpersist.ops.shaping import rank
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.tensor_array import TensorArray
from gpersist.ops.variable_scope import variable_scope
from gpersist.shapes import TensorShape

__all__ = ["bidirectional_dynamic_rnn", "dynamic_rnn", "raw_rnn"]


def dynamic_rnn(
    cell: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """The outputs of a cell in all steps of time, and its last state (`tf.nn.dynamic_rnn`).

    Args:
        cell: an `RNNCell`.
        inputs: [batch, time, ...], or a nest of such.
        sequence_length: int32[batch], how many steps each sequence has; behind them outputs are zeros, and the state stays.
        initial_state: by default the cell's zeros.
        dtype: of these.
        parallel_iterations: as in `tf.while_loop`.
        swap_memory: as in `tf.while_loop`.
        time_major: whether inputs and outputs are [time, batch, ...].
        scope: a variable scope, or its name.

    Raises:
        TypeError: `cell` is no cell.
        ValueError: there is neither a state nor a type, or the shapes do not go together.
    """
    check_cell("cell", cell)
    with entered(scope):
        flat = nest.flatten(inputs)
        if not time_major:
            flat = [_swapped(tensor) for tensor in [convert_to_tensor(tensor) for tensor in flat]]
        if sequence_length is not None:
            sequence_length = cast(sequence_length, "int32")
            if sequence_length.shape.rank not in (None, 1):
                raise ValueError(
                    f"Argument sequence_length must be a vector of length batch_size. Received sequence_length={sequence_length} of shape: "
                    f"{sequence_length.shape}"
                )
            sequence_length = identity(sequence_length, name="sequence_length")
        batch = _batch_size(flat)
        state = initial_state_of(cell, initial_state, batch, dtype)
        if sequence_length is not None:
            with get_default_graph().control_dependencies([_shape_check(sequence_length, [batch])]):
                sequence_length = identity(sequence_length, name="CheckSeqLen")
        inputs = nest.pack_sequence_as(inputs, flat)
        outputs, final = _looped(cell, inputs, state, parallel_iterations or 32, swap_memory, sequence_length, dtype)
        return (outputs if time_major else nest.map_structure(_swapped, outputs)), final


def bidirectional_dynamic_rnn(
    cell_fw: Any,
    cell_bw: Any,
    inputs: Any,
    sequence_length: Any = None,
    initial_state_fw: Any = None,
    initial_state_bw: Any = None,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """One cell forwards and another one backwards over the steps of time: their outputs, and their last states (`tf.nn.bidirectional_dynamic_rnn`).

    Arguments as of `dynamic_rnn`.
    """
    check_cell("cell_fw", cell_fw)
    check_cell("cell_bw", cell_bw)
    time, batch = (0, 1) if time_major else (1, 0)

    def reversed_(tensor: Tensor) -> Tensor:
        if sequence_length is None:
            return reverse(tensor, axis=[time])
        return reverse_sequence(tensor, sequence_length, seq_axis=time, batch_axis=batch)

    options: dict[str, Any] = {
        "sequence_length": sequence_length,
        "dtype": dtype,
        "parallel_iterations": parallel_iterations,
        "swap_memory": swap_memory,
        "time_major": time_major,
    }
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as forwards:
            output_fw, state_fw = dynamic_rnn(cell_fw, inputs, initial_state=initial_state_fw, scope=forwards, **options)
        with variable_scope("bw") as backwards:
            turned = nest.map_structure(reversed_, inputs)
            output_bw, state_bw = dynamic_rnn(cell_bw, turned, initial_state=initial_state_bw, scope=backwards, **options)
    return (output_fw, reversed_(output_bw)), (state_fw, state_bw)


def raw_rnn(cell: Any, loop_fn: Callable[..., Any], parallel_iterations: int | None = None, swap_memory: bool = False, scope: Any = None) -> Any:
    """A loop in which a function says what a cell gets next, and when it ends (`tf.nn.raw_rnn`).

    Args:
        cell: an `RNNCell`.
        loop_fn: gets the time, the cell's output, its state, and the loop's state (the last three are None the first time); gives which sequences
            have ended, the next input, the next state, what is put out (the first time what that is like, or None for what the cell gives), and
            the loop's next state.
        parallel_iterations: as in `tf.while_loop`.
        swap_memory: as in `tf.while_loop`.
        scope: a variable scope, or its name.

    Returns:
        A TensorArray of what was put out, or a nest of such; the last state; the loop's last state.

    Raises:
        TypeError: `cell` is no cell, or `loop_fn` no function.
    """
    check_cell("cell", cell)
    if not callable(loop_fn):
        raise TypeError(f"Argument `loop_fn` must be a callable. Received: {loop_fn}.")
    with entered(scope):
        time = constant(0, dtype="int32")
        finished, first, state, emitted, loop_state_at_start = loop_fn(time, None, None, None)
        flat_input = nest.flatten(first)
        loop_state = constant(0, dtype="int32") if loop_state_at_start is None else loop_state_at_start
        known = [first_size(tensor.shape) for tensor in flat_input]
        for size in known[1:]:
            if None not in (size, known[0]) and size != known[0]:
                raise ValueError(f"Dimensions {known[0]} and {size} are not compatible")
        batch: Any = known[0] if known[0] is not None else shape_of(flat_input[0])[0]
        nest.assert_same_structure(state, cell.state_size)
        states = [convert_to_tensor(part) for part in nest.flatten(state)]
        state = nest.pack_sequence_as(state, states)
        if emitted is None:
            emitted = cell.output_size
            sizes: list[Any] = nest.flatten(emitted)
            types = [states[0].dtype] * len(sizes)
        else:
            parts = nest.flatten(emitted)
            sizes = [part.shape if part.shape.is_fully_defined() else shape_of(part) for part in parts]
            types = [part.dtype for part in parts]
        arrays = [
            TensorArray(kind, dynamic_size=True, element_shape=known_behind(known[0], size), size=0, name=f"rnn_output_{index}")
            for index, (kind, size) in enumerate(zip(types, sizes, strict=True))
        ]
        outputs = nest.pack_sequence_as(emitted, arrays)
        nothing = nest.pack_sequence_as(emitted, [zeros(sizes_behind(batch, size), kind) for size, kind in zip(sizes, types, strict=True)])

        def step(time: Tensor, finished: Tensor, current: Any, outputs: Any, state: Any, loop_state: Any) -> Any:
            output, cell_state = cell(current, state)
            nest.assert_same_structure(state, cell_state)
            nest.assert_same_structure(cell.output_size, output)
            following = time + 1
            ended, next_input, next_state, put_out, next_loop_state = loop_fn(following, output, cell_state, loop_state)
            nest.assert_same_structure(state, next_state)
            nest.assert_same_structure(current, next_input)
            nest.assert_same_structure(outputs, put_out)
            loop_state = loop_state if next_loop_state is None else next_loop_state
            put_out = nest.map_structure(lambda old, new: kept(finished, old, new), nothing, put_out)
            next_state = nest.map_structure(lambda old, new: kept(finished, old, new), state, next_state)
            outputs = nest.map_structure(lambda array, value: array.write(time, value), outputs, put_out)
            return following, logical_or(finished, ended), next_input, outputs, next_state, loop_state

        *_, outputs, final, last = while_loop(
            lambda _, finished, *rest: logical_not(reduce_all(finished)),
            step,
            [time, finished, first, outputs, state, loop_state],
            parallel_iterations=parallel_iterations or 32,
            swap_memory=swap_memory,
        )
        return outputs, final, None if loop_state_at_start is None else last


def _looped(cell: Any, inputs: Any, state: Any, parallel_iterations: int, swap_memory: bool, sequence_length: Any, dtype: Any) -> tuple[Any, Any]:
    flat = nest.flatten(inputs)
    sizes = flat_sizes(cell.output_size)
    steps = shape_of(flat[0])[0]
    batch = _batch_size(flat)
    shapes = [tensor.shape.with_rank_at_least(3) for tensor in flat]
    known = shapes[0].as_list()[:2]
    for tensor, shape in zip(flat, shapes, strict=True):
        if not shape[2:].is_fully_defined():
            raise ValueError(f"Input size (depth of inputs) must be accessible via shape inference, but saw value None for input={tensor}.")
        if shape.as_list()[0] != known[0]:
            raise ValueError(
                "Time steps is not the same for all the elements in the input in a batch. "
                f"Received time steps={shape.as_list()[0]} for input={tensor}."
            )
        if shape.as_list()[1] != known[1]:
            raise ValueError(
                f"Batch_size is not the same for all the elements in the input. Received batch size={shape.as_list()[1]} for input={tensor}."
            )
    nothing = [zeros(sizes_behind(batch, size), state_type(dtype, state)) for size in sizes]
    longest: Any = steps
    skip = None
    if sequence_length is not None:
        skip = _masking(sequence_length, nest.pack_sequence_as(cell.output_size, nothing))
        reduce_min(sequence_length)  # TensorFlow makes it, and does not use it
        longest = reduce_max(sequence_length)
    time = constant(0, dtype="int32", name="time")
    with name_scope("dynamic_rnn") as base:
        pass
    kind = state_type(dtype, state)
    made = [
        TensorArray(kind, size=steps, element_shape=known_behind(known[1], size), tensor_array_name=f"{base}output_{index}")
        for index, size in enumerate(sizes)
    ]
    taken = [
        TensorArray(tensor.dtype, size=steps, element_shape=tensor.shape[1:], tensor_array_name=f"{base}input_{index}")
        for index, tensor in enumerate(flat)
    ]
    taken = [array.unstack(tensor) for array, tensor in zip(taken, flat, strict=True)]

    def step(time: Tensor, arrays: Any, state: Any) -> Any:
        values = [array.read(time) for array in taken]
        for value, shape in zip(values, shapes, strict=True):
            value.set_shape(shape[1:])
        call = calling(cell, nest.pack_sequence_as(inputs, values), state)
        output, new_state = call() if skip is None else skip(time, state, call)
        arrays = tuple(array.write(time, part) for array, part in zip(arrays, nest.flatten(output), strict=True))
        return time + 1, arrays, new_state

    bound = apply("Minimum", steps, apply("Maximum", 1, longest))
    _, arrays, final = while_loop(
        lambda time, *_: time < bound,
        step,
        (time, tuple(made), state),
        parallel_iterations=parallel_iterations,
        maximum_iterations=steps,
        swap_memory=swap_memory,
    )
    outputs = [array.stack() for array in arrays]
    for output, size in zip(outputs, sizes, strict=True):
        output.set_shape(static_shape_behind(TensorShape(known), size))
    return nest.pack_sequence_as(cell.output_size, outputs), final


def _masking(lengths: Tensor, nothing: Any) -> Callable[[Any, Any, Callable[[], Any]], Any]:
    """A step whose output is zeros, and whose state stays, for sequences that have ended."""

    def step(time: Any, state: Any, call: Callable[[], Any]) -> Any:
        has_ended = time >= lengths
        output, new_state = call()
        nest.assert_same_structure(nothing, output)
        nest.assert_same_structure(state, new_state)
        return chosen(has_ended, nothing, output, state, new_state)

    return step


def _swapped(tensor: Tensor) -> Tensor:
    """A tensor whose first two axes have changed places."""
    shape = tensor.shape
    if shape.rank is not None and shape.rank < 2:
        return tensor
    found = transpose(tensor, concat(([1, 0], range_(2, rank(tensor))), axis=0))
    if shape.rank is not None:
        first, second, *rest = shape.as_list()
        found.set_shape([second, first, *rest])
    return found


def _batch_size(flat: Sequence[Tensor]) -> Any:
    """The size of the second axis, as a number where one tensor tells."""
    for tensor in flat:
        if tensor.shape.rank is None:
            continue
        if tensor.shape.rank < 2:
            raise ValueError(f"Input tensor should have rank >= 2. Received input={tensor} of rank {tensor.shape.rank}")
        if tensor.shape.as_list()[1] is not None:
            return tensor.shape.as_list()[1]
    return shape_of(flat[0])[1]


def _shape_check(tensor: Tensor, sizes: Sequence[Any]) -> Any:
    """An operation that fails if a tensor has another shape."""
    found, wanted = shape_of(tensor), stack(sizes)
    return Assert(reduce_all(equal(found, wanted)), [f"Expected shape for Tensor {tensor.name} is ", wanted, " but saw shape: ", found])
