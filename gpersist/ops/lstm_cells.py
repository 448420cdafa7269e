"""LSTM cells (`tf.nn.rnn_cell`)."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from gpersist.ops.arithmetic import add, multiply
from gpersist.ops.bias import bias_add
from gpersist.ops.clip import clip_by_value
from gpersist.ops.constants import constant
from gpersist.ops.indexing import slice as slice_
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.joining import concat
from gpersist.ops.matmul import matmul
from gpersist.ops.partitioners import fixed_size_partitioner
from gpersist.ops.rnn_cells import LayerRNNCell, RNNCell, check_type, check_types
from gpersist.ops.splitting import split
from gpersist.ops.unary import sigmoid, tanh
from gpersist.shapes import TensorShape

__all__ = ["BasicLSTMCell", "LSTMCell", "LSTMStateTuple"]

_LOG = logging.getLogger("gpersist")


class _StateTuple(NamedTuple):
    c: Any
    h: Any


class LSTMStateTuple(_StateTuple):
    """The state of an LSTM cell: `c`, and `h`, which is its output, too (`tf.nn.rnn_cell.LSTMStateTuple`)."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """The type of both.

        Raises:
            TypeError: they have different ones.
        """
        if self.c.dtype != self.h.dtype:
            raise TypeError(f"Inconsistent dtypes for internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype


class BasicLSTMCell(LayerRNNCell):
    """An LSTM cell (`tf.nn.rnn_cell.BasicLSTMCell`).

    Args:
        num_units: the size of `c` and of `h`.
        forget_bias: what is added to the forget gate.
        state_is_tuple: whether the state is an `LSTMStateTuple`, rather than one tensor.
        activation: a function of a tensor; by default tanh.
        reuse: whether the variables are there already.
        name: of the variable scope.
        dtype: of the variables; by default the input's.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        check_type(self.dtype)
        _warn_of_joint_state(self, state_is_tuple)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation or tanh

    @property
    def state_size(self) -> Any:
        """The sizes of `c` and `h`, or their sum."""
        return LSTMStateTuple(self._num_units, self._num_units) if self._state_is_tuple else 2 * self._num_units

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        return self._num_units

    def build(self, input_shape: TensorShape) -> None:
        """Makes `kernel` and `bias`."""
        depth = self._depth(input_shape)
        self._kernel = self.add_weight("kernel", shape=[depth + self._num_units, 4 * self._num_units])
        self._bias = self.add_weight("bias", shape=[4 * self._num_units], initializer=zeros_initializer(dtype=self.dtype))

    def call(self, inputs: Any, state: Any) -> Any:
        """One step."""
        check_types([inputs, state])
        one = constant(1, dtype="int32")
        c, h = state if self._state_is_tuple else split(value=state, num_or_size_splits=2, axis=one)
        gates = bias_add(matmul(concat([inputs, h], 1), self._kernel), self._bias)
        i, j, f, o = split(value=gates, num_or_size_splits=4, axis=one)
        forget_bias = constant(self._forget_bias, dtype=f.dtype)
        new_c = add(multiply(c, sigmoid(add(f, forget_bias))), multiply(sigmoid(i), self._activation(j)))
        new_h = multiply(self._activation(new_c), sigmoid(o))
        return new_h, LSTMStateTuple(new_c, new_h) if self._state_is_tuple else concat([new_c, new_h], 1)


class LSTMCell(LayerRNNCell):
    """An LSTM cell with what it may have besides: peepholes, a projection, bounds (`tf.nn.rnn_cell.LSTMCell`).

    Args:
        num_units: the size of `c`.
        use_peepholes: whether the gates see `c`.
        cell_clip: the bound of `c`.
        initializer: of the matrices; by default the variable scope's.
        num_proj: the size of `h`, to which the output is projected.
        proj_clip: the bound of the projection.
        num_unit_shards: into how many parts the kernel is split.
        num_proj_shards: into how many parts the kernel of the projection is split.
        forget_bias: what is added to the forget gate.
        state_is_tuple: whether the state is an `LSTMStateTuple`, rather than one tensor.
        activation: a function of a tensor; by default tanh.
        reuse: whether the variables are there already.
        name: of the variable scope.
        dtype: of the variables; by default the input's.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        check_type(self.dtype)
        _warn_of_joint_state(self, state_is_tuple)
        if num_unit_shards is not None or num_proj_shards is not None:
            _LOG.warning(
                "%s: The num_unit_shards and proj_unit_shards parameters are deprecated and will be removed in Jan 2017. Use a variable scope with a "
                "partitioner instead.",
                self,
            )
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation or tanh

    @property
    def state_size(self) -> Any:
        """The sizes of `c` and `h`, or their sum."""
        sizes = LSTMStateTuple(self._num_units, self.output_size)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        return self._num_proj or self._num_units

    def build(self, input_shape: TensorShape) -> None:
        """Makes `kernel` and `bias`, those of the peepholes (`w_f_diag` ...) and of the `projection`."""
        units, initializer = self._num_units, self._initializer
        depth = self._depth(input_shape)
        shards = None if self._num_unit_shards is None else fixed_size_partitioner(self._num_unit_shards)
        shape = [depth + (units if self._num_proj is None else self._num_proj), 4 * units]
        self._kernel = self.add_weight("kernel", shape=shape, initializer=initializer, partitioner=shards)
        self._bias = self.add_weight("bias", shape=[4 * units], initializer=zeros_initializer(dtype=self.dtype or "float32"))
        if self._use_peepholes:
            self._w_f, self._w_i, self._w_o = (self.add_weight(f"w_{gate}_diag", shape=[units], initializer=initializer) for gate in "fio")
        if self._num_proj is not None:
            shards = None if self._num_proj_shards is None else fixed_size_partitioner(self._num_proj_shards)
            shape = [units, self._num_proj]
            self._proj_kernel = self.add_weight("projection/kernel", shape=shape, initializer=initializer, partitioner=shards)

    def call(self, inputs: Any, state: Any) -> Any:
        """One step."""
        check_types([inputs, state])
        if self._state_is_tuple:
            c_before, h_before = state
        else:
            c_before = slice_(state, [0, 0], [-1, self._num_units])
            h_before = slice_(state, [0, self._num_units], [-1, self._num_units if self._num_proj is None else self._num_proj])
        if inputs.shape.with_rank(2).as_list()[1] is None:
            raise ValueError(f"Could not infer input size from inputs.get_shape()[-1].Received input shape: {inputs.shape}")
        gates = bias_add(matmul(concat([inputs, h_before], 1), self._kernel), self._bias)
        i, j, f, o = split(value=gates, num_or_size_splits=4, axis=1)
        peeps = self._use_peepholes
        kept = sigmoid(f + self._forget_bias + self._w_f * c_before if peeps else f + self._forget_bias) * c_before
        c = kept + sigmoid(i + self._w_i * c_before if peeps else i) * self._activation(j)
        if self._cell_clip is not None:
            c = clip_by_value(c, -self._cell_clip, self._cell_clip)
        h = sigmoid(o + self._w_o * c if peeps else o) * self._activation(c)
        if self._num_proj is not None:
            h = matmul(h, self._proj_kernel)
            if self._proj_clip is not None:
                h = clip_by_value(h, -self._proj_clip, self._proj_clip)
        return h, LSTMStateTuple(c, h) if self._state_is_tuple else concat([c, h], 1)


def _warn_of_joint_state(cell: RNNCell, state_is_tuple: bool) -> None:
    if not state_is_tuple:
        _LOG.warning("%s: Using a concatenated state is slower and will soon be deprecated.  Use state_is_tuple=True.", cell)
