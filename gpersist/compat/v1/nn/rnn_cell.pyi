"""TensorFlow 1's `tf.nn.rnn_cell`. Written by tests/compat/write_face.py."""

from gpersist.ops.lstm_cells import (
    BasicLSTMCell,
    LSTMCell,
    LSTMStateTuple,
)
from gpersist.ops.rnn_cell_wrappers import (
    DeviceWrapper,
    DropoutWrapper,
    ResidualWrapper,
)
from gpersist.ops.rnn_cells import (
    BasicRNNCell,
    GRUCell,
    MultiRNNCell,
    RNNCell,
)

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
    "ResidualWrapper",
]
