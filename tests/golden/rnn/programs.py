"""Recurrent networks, as programs that TensorFlow and gpersist both run: `run(tf, cells, flatten)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {}


def prog(f):
    PROGRAMS[f.__name__] = f
    return f


X = np.linspace(-1, 1, 2 * 5 * 3).reshape(2, 5, 3).astype("f4")


def inp(tf):
    return tf.placeholder(tf.float32, [None, 5, 3], name="x")


@prog
def basic(tf, c):
    return tf.nn.dynamic_rnn(c.BasicRNNCell(4), inp(tf), dtype=tf.float32)


@prog
def lstm_seq(tf, c):
    return tf.nn.dynamic_rnn(c.BasicLSTMCell(4), inp(tf), sequence_length=tf.constant([3, 5]), dtype=tf.float32)


@prog
def lstm_full(tf, c):
    return tf.nn.dynamic_rnn(c.LSTMCell(4, use_peepholes=True, num_proj=2, cell_clip=0.5, proj_clip=0.4), inp(tf), dtype=tf.float32)


@prog
def gru(tf, c):
    return tf.nn.dynamic_rnn(c.GRUCell(4), tf.constant(X), dtype=tf.float32, scope="enc")


@prog
def multi(tf, c):
    return tf.nn.dynamic_rnn(c.MultiRNNCell([c.LSTMCell(4), c.GRUCell(3)]), inp(tf), dtype=tf.float32)


@prog
def multi_init(tf, c):
    m = c.MultiRNNCell([c.BasicLSTMCell(4) for _ in range(2)])
    x = inp(tf)
    s = m.zero_state(tf.shape(x)[0], tf.float32)
    return tf.nn.dynamic_rnn(m, x, initial_state=s)


@prog
def joint(tf, c):
    return tf.nn.dynamic_rnn(
        c.MultiRNNCell([c.BasicLSTMCell(4, state_is_tuple=False), c.BasicLSTMCell(3, state_is_tuple=False)], state_is_tuple=False),
        tf.constant(X),
        dtype=tf.float32,
        time_major=True,
    )


@prog
def bidir(tf, c):
    return tf.nn.bidirectional_dynamic_rnn(c.LSTMCell(4), c.LSTMCell(4), inp(tf), dtype=tf.float32)


@prog
def bidir_seq(tf, c):
    return tf.nn.bidirectional_dynamic_rnn(c.GRUCell(4), c.GRUCell(4), inp(tf), sequence_length=tf.constant([2, 4]), dtype=tf.float32)


@prog
def static(tf, c):
    return tf.nn.static_rnn(c.BasicLSTMCell(4), tf.unstack(inp(tf), axis=1), dtype=tf.float32)


@prog
def static_seq(tf, c):
    return tf.nn.static_rnn(c.BasicLSTMCell(4), tf.unstack(inp(tf), axis=1), dtype=tf.float32, sequence_length=tf.constant([3, 4]))


@prog
def static_bi(tf, c):
    return tf.nn.static_bidirectional_rnn(c.BasicLSTMCell(4), c.BasicLSTMCell(4), tf.unstack(inp(tf), axis=1), dtype=tf.float32)


@prog
def static_bi_seq(tf, c):
    return tf.nn.static_bidirectional_rnn(
        c.GRUCell(4), c.GRUCell(4), tf.unstack(inp(tf), axis=1), dtype=tf.float32, sequence_length=tf.constant([3, 4])
    )


@prog
def dropout(tf, c):
    return tf.nn.dynamic_rnn(
        c.DropoutWrapper(c.BasicLSTMCell(4), input_keep_prob=0.5, output_keep_prob=0.7, state_keep_prob=0.8, seed=3), inp(tf), dtype=tf.float32
    )


@prog
def dropout_var(tf, c):
    return tf.nn.dynamic_rnn(
        c.DropoutWrapper(c.GRUCell(4), 0.5, 0.7, 0.8, variational_recurrent=True, input_size=3, dtype=tf.float32, seed=3), inp(tf), dtype=tf.float32
    )


@prog
def residual(tf, c):
    return tf.nn.dynamic_rnn(c.ResidualWrapper(c.GRUCell(3)), inp(tf), dtype=tf.float32)


@prog
def device(tf, c):
    return tf.nn.dynamic_rnn(
        c.MultiRNNCell(
            [
                c.DeviceWrapper(c.GRUCell(3), "/cpu:0"),
                c.DropoutWrapper(c.ResidualWrapper(c.LSTMCell(3)), output_keep_prob=tf.placeholder_with_default(1.0, [])),
            ]
        ),
        inp(tf),
        dtype=tf.float32,
    )


@prog
def custom(tf, c):
    class Mine(c.RNNCell):
        @property
        def state_size(self):
            return 2

        @property
        def output_size(self):
            return 2

        def call(self, i, s):
            w = tf.get_variable("w", [3, 2])
            o = tf.tanh(tf.matmul(i, w) + s)
            return o, o

    cell = Mine()
    r = tf.nn.dynamic_rnn(cell, inp(tf), dtype=tf.float32)
    assert [v.name for v in cell.variables] == ["rnn/mine/w:0"], [v.name for v in cell.variables]
    return r


@prog
def single(tf, c):
    cell = c.LSTMCell(4)
    x = tf.constant(X[:, 0])
    s = cell.zero_state(2, tf.float32)
    _o, s = cell(x, s)
    return cell(x, s)


@prog
def raw(tf, c):
    cell = c.LSTMCell(4)
    ta = tf.TensorArray(tf.float32, 5).unstack(tf.constant(X.transpose(1, 0, 2)))

    def loop(t, o, s, loop_state):
        e = o
        n = cell.zero_state(2, tf.float32) if o is None else s
        done = t >= tf.constant([3, 5])
        alld = tf.reduce_all(done)
        i = tf.cond(alld, lambda: tf.zeros([2, 3]), lambda: ta.read(t))
        return done, i, n, e, None

    a, s, _ = tf.nn.raw_rnn(cell, loop)
    return a.stack(), s


@prog
def train(tf, c):
    o, s = tf.nn.dynamic_rnn(c.MultiRNNCell([c.BasicLSTMCell(4), c.GRUCell(3)]), inp(tf), sequence_length=tf.constant([3, 5]), dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(o)) + tf.reduce_sum(s[0].c)
    return [loss, *tf.gradients(loss, tf.trainable_variables())]


@prog
def train_bi(tf, c):
    o, _s = tf.nn.bidirectional_dynamic_rnn(c.LSTMCell(4), c.GRUCell(4), inp(tf), sequence_length=tf.constant([2, 4]), dtype=tf.float32)
    loss = tf.reduce_sum(tf.concat(o, 2))
    return [loss, *tf.gradients(loss, tf.trainable_variables())]


@prog
def train_static(tf, c):
    o, _s = tf.nn.static_rnn(c.GRUCell(4), tf.unstack(inp(tf), axis=1), dtype=tf.float32, sequence_length=tf.constant([3, 4]))
    loss = tf.reduce_sum(tf.concat(o, 1))
    return [loss, *tf.gradients(loss, tf.trainable_variables())]


def run(tf, cells, flatten, name):
    """A program's variables, nodes, static shapes, and values of what it gives."""
    graph = tf.Graph()
    with graph.as_default():
        results = flatten(PROGRAMS[name](tf, cells))
        variables = tf.global_variables()
        feeds = {graph.get_tensor_by_name("x:0"): X} if any(op.name == "x" for op in graph.get_operations()) else {}
        with tf.Session() as session:
            for number, variable in enumerate(variables):
                shape = variable.shape.as_list()
                variable.load(np.sin(np.arange(int(np.prod(shape))) * 1.3 + number).reshape(shape).astype("f4"), session)
            values = session.run(results, feeds)
    nodes = [
        [op.name, op.type, [tensor.name for tensor in op.inputs], sorted(other.name for other in op.control_inputs), op.device]
        for op in graph.get_operations()
    ]
    return {
        "variables": [variable.name for variable in variables],
        "nodes": nodes,
        "shapes": [str(tensor.shape) for tensor in results],
        "values": [np.asarray(value).tolist() for value in values],
    }
