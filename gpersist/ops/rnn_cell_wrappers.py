"""Cells around other cells (`tf.nn.rnn_cell.DropoutWrapper` and its like)."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

from gpersist.graph import Tensor, constant_value, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import nest
from gpersist.ops.division import divide
from gpersist.ops.dropout import dropout
from gpersist.ops.joining import concat
from gpersist.ops.lstm_cells import LSTMStateTuple
from gpersist.ops.random import random_uniform
from gpersist.ops.rnn_cells import RNNCell
from gpersist.ops.tensor_array import TensorArray
from gpersist.ops.unary import floor
from gpersist.shapes import TensorShape, as_shape

__all__ = ["DeviceWrapper", "DropoutWrapper", "ResidualWrapper"]


class _Wrapper(RNNCell):
    """A cell that calls another one."""

    def __init__(self, cell: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_cell("cell", cell)
        self.cell = cell

    @property
    def wrapped_cell(self) -> Any:
        """The other one."""
        return self.cell

    @property
    def state_size(self) -> Any:
        """That of the other one."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """That of the other one."""
        return self.cell.output_size

    @property
    def trainable_variables(self) -> list[Any]:
        """Those of the other one."""
        return list(self.cell.trainable_variables) if self.trainable else []

    trainable_weights = trainable_variables

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros."""
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:  # as TensorFlow's
        """The output and the next state."""
        return self._wrapped(inputs, state, scope=scope)

    def _wrapped(self, inputs: Any, state: Any, scope: Any) -> Any:
        return self.cell(inputs, state, scope=scope)


class DropoutWrapper(_Wrapper):
    """A cell with dropout on what it takes and gives (`tf.nn.rnn_cell.DropoutWrapper`).

    Args:
        cell: the cell.
        input_keep_prob: how much of the input is kept; 1 for all.
        output_keep_prob: how much of the output is kept.
        state_keep_prob: how much of the state is kept; of an `LSTMStateTuple`, of `h` only.
        variational_recurrent: whether the same is dropped in all steps.
        input_size: of the input, which that needs.
        dtype: of the cell, which that needs.
        seed: of the generator.
        dropout_state_filter_visitor: a function of a part of the state that says which of it is dropped.

    Raises:
        TypeError: `cell` is no cell, or the visitor no function.
        ValueError: a probability is not in 0..1, or something is missing that `variational_recurrent` needs.
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, dtype=dtype, **kwargs)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError(f"dropout_state_filter_visitor must be callable. Received: {dropout_state_filter_visitor}")
        self._filter = dropout_state_filter_visitor or _which_of_state
        with name_scope("DropoutWrapperInit"):
            self._input_keep = _probability("input_keep_prob", input_keep_prob)
            self._state_keep = _probability("state_keep_prob", state_keep_prob)
            self._output_keep = _probability("output_keep_prob", output_keep_prob)
        self._seed = seed
        self._noise: dict[str, list[Tensor]] = {}
        if variational_recurrent:
            if dtype is None:
                raise ValueError("When variational_recurrent=True, dtype must be provided")
            sizes = {"state": cell.state_size, "output": cell.output_size}
            if _drops(self._input_keep):
                if input_size is None:
                    raise ValueError("When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be provided")
                sizes = {"input": input_size, **sizes}
            for salt, size in sizes.items():
                flat = [size] if isinstance(size, TensorShape) else nest.flatten(size)
                self._noise[salt] = [self._noise_of(part, salt, index, dtype) for index, part in enumerate(flat)]
        self._is_variational = variational_recurrent

    def _noise_of(self, size: Any, salt: str, index: int, dtype: Any) -> Tensor:
        sizes = [size] if isinstance(size, int) else as_shape(size).as_list()
        return random_uniform(concat(([1], sizes), 0), seed=self._seed_of(salt, index), dtype=dtype)

    def _seed_of(self, salt: str, index: int) -> int | None:
        if self._seed is None:
            return None
        return int(hashlib.md5(f"{self._seed}{salt}_{index}".encode()).hexdigest()[:8], 16) & 0x7FFFFFFF

    def _dropped(self, values: Any, salt: str, keep: Any, chosen: Any) -> Any:
        numbers = itertools.count()

        def walk(choice: Any, value: Any) -> Any:
            if nest.is_nested(choice):
                parts = zip(nest_parts(choice), nest_parts(value), strict=True)
                return nest.pack_sequence_as(value, [leaf for one, other in parts for leaf in nest.flatten(walk(one, other))])
            index = next(numbers)
            if isinstance(choice, bool) and not choice:
                return value
            if not self._is_variational:
                return nest.map_structure(lambda part: dropout(part, rate=1.0 - keep, seed=self._seed_of(salt, index)), value)
            mask = floor(keep + self._noise[salt][index])
            found = divide(value, keep) * mask
            found.set_shape(value.shape)
            return found

        return walk(chosen, values)

    def _wrapped(self, inputs: Any, state: Any, scope: Any) -> Any:
        if _drops(self._input_keep):
            inputs = self._dropped(inputs, "input", self._input_keep, nest.map_structure(lambda _: True, inputs))
        output, new_state = self.cell(inputs, state, scope=scope)
        if _drops(self._state_keep):
            new_state = self._dropped(new_state, "state", self._state_keep, _filtered(self._filter, new_state))
        if _drops(self._output_keep):
            output = self._dropped(output, "output", self._output_keep, nest.map_structure(lambda _: True, output))
        return output, new_state


class ResidualWrapper(_Wrapper):
    """A cell whose output its input is added to (`tf.nn.rnn_cell.ResidualWrapper`).

    Args:
        cell: the cell.
        residual_fn: a function of the input and the output; by default their sum.
    """

    def __init__(self, cell: Any, residual_fn: Callable[[Any, Any], Any] | None = None, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn

    def _wrapped(self, inputs: Any, state: Any, scope: Any) -> Any:
        output, new_state = self.cell(inputs, state, scope=scope)
        return (self._residual_fn or _sum)(inputs, output), new_state


class DeviceWrapper(_Wrapper):
    """A cell that runs on a device (`tf.nn.rnn_cell.DeviceWrapper`).

    Args:
        cell: the cell.
        device: as of `tf.device`.
    """

    def __init__(self, cell: Any, device: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros."""
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]), get_default_graph().device(self._device):
            return self.cell.zero_state(batch_size, dtype)

    def _wrapped(self, inputs: Any, state: Any, scope: Any) -> Any:
        with get_default_graph().device(self._device):
            return self.cell(inputs, state, scope=scope)


def check_cell(name: str, cell: Any) -> None:
    """Holds that something is a cell.

    Raises:
        TypeError: it is none.
    """
    missing = [
        text
        for is_there, text in (
            (hasattr(cell, "output_size"), "'output_size' property is missing"),
            (hasattr(cell, "state_size"), "'state_size' property is missing"),
            (hasattr(cell, "zero_state") or hasattr(cell, "get_initial_state"), "either 'zero_state' or 'get_initial_state' method is required"),
            (callable(cell), "is not callable"),
        )
        if not is_there
    ]
    if missing:
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {', '.join(missing)}.")


def nest_parts(structure: Any) -> list[Any]:
    """What is directly in a nest, in the order of `nest.flatten`."""
    return [structure[key] for key in sorted(structure)] if isinstance(structure, dict) else list(structure)


def _probability(name: str, value: Any) -> Any:
    """A probability as a number, where it is known, else as a tensor."""
    tensor = convert_to_tensor(value)
    known = constant_value(tensor)
    if known is None:
        return tensor
    if known < 0 or known > 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1. Received {known}")
    return float(known)


def _drops(keep: Any) -> bool:
    return not isinstance(keep, float) or keep < 1


def _filtered(visitor: Callable[[Any], Any], state: Any) -> Any:
    """For each part of a state, whether it is dropped: a visitor's word, asked for each nest first."""
    found = visitor(state)
    if nest.is_nested(found):
        parts = [
            word if isinstance(word, bool) and not word else _filtered(visitor, part)
            for word, part in zip(nest_parts(found), nest_parts(state), strict=True)
        ]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    if found and nest.is_nested(state):
        parts = [_filtered(visitor, part) for part in nest_parts(state)]
        return dict(zip(sorted(state), parts, strict=True)) if isinstance(state, dict) else type(state)(parts)
    return found


def _which_of_state(part: Any) -> Any:
    if isinstance(part, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(part, TensorArray)


def _sum(inputs: Any, outputs: Any) -> Any:
    nest.assert_same_structure(inputs, outputs)
    nest.map_structure(lambda one, other: one.shape.assert_is_compatible_with(other.shape), inputs, outputs)
    return nest.map_structure(lambda one, other: one + other, inputs, outputs)
