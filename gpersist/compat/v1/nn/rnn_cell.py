"""TensorFlow 1's `tf.nn.rnn_cell`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.nn.rnn_cell",
    "",
    {
        "gpersist.ops.lstm_cells": "BasicLSTMCell LSTMCell LSTMStateTuple",
        "gpersist.ops.rnn_cell_wrappers": "DeviceWrapper DropoutWrapper ResidualWrapper",
        "gpersist.ops.rnn_cells": "BasicRNNCell GRUCell MultiRNNCell RNNCell",
    },
)
