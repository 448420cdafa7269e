"""Cells of recurrent networks (`tf.nn.rnn_cell`): one step in time, with variables that are named as in TensorFlow 1's checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, constant_value, convert_to_tensor, name_scope
from gpersist.ops import nest
from gpersist.ops.bias import bias_add
from gpersist.ops.filling import zeros
from gpersist.ops.indexing import slice as slice_
from gpersist.ops.initializers import constant_initializer, zeros_initializer
from gpersist.ops.joining import concat
from gpersist.ops.layer import Layer
from gpersist.ops.matmul import matmul
from gpersist.ops.rnn_shapes import sizes_behind, static_shape_behind
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.splitting import split
from gpersist.ops.unary import sigmoid, tanh
from gpersist.ops.variable_scope import get_variable_scope, variable_scope
from gpersist.shapes import TensorShape

__all__ = ["BasicRNNCell", "GRUCell", "MultiRNNCell", "RNNCell"]

_LOG = logging.getLogger("gpersist")


class RNNCell(Layer):
    """One step of a recurrent network (`tf.nn.rnn_cell.RNNCell`).

    A subclass says in `call(inputs, state)` what it gives: the output, and the next state.
    """

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)
        self._outer: Any = None

    @property
    def state_size(self) -> Any:
        """The size of the state without the batch: a number, a shape, or a nest of these."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        """The size of the output without the batch."""
        raise NotImplementedError("Abstract method")

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """The output and the next state; the first call makes the variables."""
        if scope is not None:
            with variable_scope(scope, custom_getter=self._kept) as entered:
                return super().__call__(inputs, state, scope=entered)
        if self._outer is None:
            self._outer = get_variable_scope()
        with variable_scope(self._outer, custom_getter=self._kept):
            return super().__call__(inputs, state)

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """A state of zeros, for a batch like `inputs`, or of a size and a type.

        Raises:
            ValueError: neither is given, or they contradict each other.
        """
        if inputs is not None:
            inputs = convert_to_tensor(inputs, name="inputs")
            known = inputs.shape.as_list()[0]
            if batch_size is not None:
                wanted = constant_value(batch_size) if isinstance(batch_size, Tensor) else batch_size
                if known != wanted:
                    raise ValueError(
                        f"batch size from input tensor is different from the input param. Input tensor batch: {known}, batch_size: {batch_size}"
                    )
            if dtype is not None and inputs.dtype != dtype:
                raise ValueError(f"dtype from input tensor is different from the input param. Input tensor dtype: {inputs.dtype}, dtype: {dtype}")
            batch_size = known or shape_of(inputs)[0]
            dtype = inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(f"batch_size and dtype cannot be None while constructing initial state: batch_size={batch_size}, dtype={dtype}")
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros.

        Args:
            batch_size: a number, or a tensor of one.
            dtype: of the state.
        """
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return nest.map_structure(lambda size: _zeros(batch_size, size, dtype), self.state_size)

    def _kept(self, getter: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Makes a variable, and counts it as the cell's."""
        variable = getter(*args, **kwargs)
        if all(variable is not known for known, _ in self._weights):
            self._weights.append((variable, kwargs.get("trainable", True) is not False))
        return variable


class LayerRNNCell(RNNCell):
    """A cell that makes its variables in `build`."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The output and the next state; the first call makes the variables."""
        return Layer.__call__(self, inputs, state, *args, scope=scope, **kwargs)

    def _depth(self, shape: TensorShape) -> int:
        """The size of an input's last axis."""
        depth = None if shape.rank is None else shape.as_list()[-1]
        if depth is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, received shape: {shape}")
        check_type(self.dtype)
        return depth


class BasicRNNCell(LayerRNNCell):
    """The plainest cell: its output is its state (`tf.nn.rnn_cell.BasicRNNCell`).

    Args:
        num_units: the size of the state.
        activation: a function of a tensor; by default tanh.
        reuse: whether the variables are there already.
        name: of the variable scope.
        dtype: of the variables; by default the input's.
    """

    def __init__(
        self, num_units: int, activation: Any = None, reuse: bool | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        check_type(self.dtype)
        self._num_units = num_units
        self._activation = activation or tanh

    @property
    def state_size(self) -> Any:
        """The size of the state."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        return self._num_units

    def build(self, input_shape: TensorShape) -> None:
        """Makes `kernel` and `bias`."""
        depth = self._depth(input_shape)
        self._kernel = self.add_weight("kernel", shape=[depth + self._num_units, self._num_units])
        self._bias = self.add_weight("bias", shape=[self._num_units], initializer=zeros_initializer(dtype=self.dtype))

    def call(self, inputs: Any, state: Any) -> Any:
        """One step."""
        check_types([inputs, state])
        output = self._activation(bias_add(matmul(concat([inputs, state], 1), self._kernel), self._bias))
        return output, output


class GRUCell(LayerRNNCell):
    """A gated recurrent unit (`tf.nn.rnn_cell.GRUCell`).

    Args:
        num_units: the size of the state.
        activation: a function of a tensor; by default tanh.
        reuse: whether the variables are there already.
        kernel_initializer: of the matrices; by default the variable scope's.
        bias_initializer: by default ones for the gates, zeros for the candidate.
        name: of the variable scope.
        dtype: of the variables; by default the input's.
    """

    def __init__(
        self,
        num_units: int,
        activation: Any = None,
        reuse: bool | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        check_type(self.dtype)
        self._num_units = num_units
        self._activation = activation or tanh
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    @property
    def state_size(self) -> Any:
        """The size of the state."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        return self._num_units

    def build(self, input_shape: TensorShape) -> None:
        """Makes `kernel` and `bias` of `gates` and of `candidate`."""
        units, depth = self._num_units, self._depth(input_shape)
        of_gates, of_candidate = (self._bias_initializer or made(dtype=self.dtype) for made in (_ones, zeros_initializer))
        self._gate_kernel = self.add_weight("gates/kernel", shape=[depth + units, 2 * units], initializer=self._kernel_initializer)
        self._gate_bias = self.add_weight("gates/bias", shape=[2 * units], initializer=of_gates)
        self._candidate_kernel = self.add_weight("candidate/kernel", shape=[depth + units, units], initializer=self._kernel_initializer)
        self._candidate_bias = self.add_weight("candidate/bias", shape=[units], initializer=of_candidate)

    def call(self, inputs: Any, state: Any) -> Any:
        """One step."""
        check_types([inputs, state])
        gates = sigmoid(bias_add(matmul(concat([inputs, state], 1), self._gate_kernel), self._gate_bias))
        reset, update = split(value=gates, num_or_size_splits=2, axis=1)
        kept = reset * state
        candidate = self._activation(bias_add(matmul(concat([inputs, kept], 1), self._candidate_kernel), self._candidate_bias))
        output = update * state + (1 - update) * candidate
        return output, output


class MultiRNNCell(RNNCell):
    """Several cells, each of which gets the output of the one before (`tf.nn.rnn_cell.MultiRNNCell`).

    Args:
        cells: the cells.
        state_is_tuple: whether the state is a tuple of theirs, rather than one tensor.

    Raises:
        ValueError: there are none, or some have tuples as states where the whole has not.
        TypeError: `cells` is no list or tuple.
    """

    def __init__(self, cells: Sequence[Any], state_is_tuple: bool = True) -> None:
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_nested(cells):
            raise TypeError(f"cells must be a list or tuple, but received: {cells}.")
        if len({id(cell) for cell in cells}) < len(cells):
            _LOG.warning("At least two cells provided to MultiRNNCell are the same object and will share weights.")
        if not state_is_tuple and any(nest.is_nested(cell.state_size) for cell in cells):
            sizes = [cell.state_size for cell in cells]
            raise ValueError(f"Some cells return tuples of states, but the flag state_is_tuple is not set. State sizes are: {sizes}")
        self._cells = cells
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """A tuple of the cells', or their sum."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """The last cell's."""
        return self._cells[-1].output_size

    @property
    def trainable_variables(self) -> list[Any]:
        """Those of the cells that are trained."""
        return [variable for cell in self._cells if isinstance(cell, Layer) for variable in cell.trainable_variables] if self.trainable else []

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Those of the cells that are not."""
        layers = [cell for cell in self._cells if isinstance(cell, Layer)]
        others = [variable for cell in layers for variable in cell.non_trainable_variables]
        return others if self.trainable else [variable for cell in layers for variable in cell.trainable_variables] + others

    non_trainable_weights = non_trainable_variables

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """A state of zeros."""
        with name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return super().zero_state(batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> Any:
        """One step of each."""
        if self._state_is_tuple and not nest.is_nested(state):
            raise ValueError(f"Expected state to be a tuple of length {len(self.state_size)}, but received: {state}")
        place = 0
        states = []
        for index, cell in enumerate(self._cells):
            with variable_scope(f"cell_{index}"):
                if self._state_is_tuple:
                    own = state[index]
                else:
                    own = slice_(state, [0, place], [-1, cell.state_size])
                    place += cell.state_size
                inputs, found = cell(inputs, own)
                states.append(found)
        return inputs, tuple(states) if self._state_is_tuple else concat(states, 1)


def _zeros(batch_size: Any, size: Any, dtype: Any) -> Tensor:
    made = zeros(sizes_behind(batch_size, size), dtype=dtype)
    made.set_shape(static_shape_behind(batch_size, size))
    return made


def _ones(dtype: Any) -> Any:
    return constant_initializer(1.0, dtype=dtype or "float32")


def check_types(values: Any) -> None:
    """Holds that the tensors of a nest are of types that cells take."""
    for tensor in nest.flatten(values):
        check_type(tensor.dtype)


def check_type(dtype: Any) -> None:
    """Holds that cells take a type, if it is known.

    Raises:
        ValueError: they do not.
    """
    if dtype is not None and not (as_dtype(dtype).is_floating or as_dtype(dtype).is_complex):
        raise ValueError(f"RNN cell only supports floating point inputs, but received dtype: {as_dtype(dtype)!r}")
