"""gpersist.convert.outputs: what is offered as the outputs of graphs that people train."""

from __future__ import annotations

import gpersist.compat.v1 as tf
from gpersist.convert.outputs import offer


def offered(build):
    with tf.Graph().as_default() as graph:
        build()
        return offer(graph.as_graph_def())


def classify(x, labels=None):
    y = tf.nn.softmax(tf.layers.dense(x, 3), name="y")
    if labels is not None:
        loss = tf.reduce_mean(tf.square(y - labels), name="loss")
        tf.summary.scalar("loss_seen", loss)
        step = tf.train.get_or_create_global_step()
        with tf.name_scope("train"):
            tf.train.MomentumOptimizer(tf.train.exponential_decay(0.1, step, 10, 0.9), 0.9).minimize(loss, global_step=step)
    tf.global_variables_initializer()
    tf.train.Saver()


def test_no_training_is_offered():
    def build():
        classify(tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.float32, [None, 3]))

    assert offered(build) == "'y' may be predictions, 'loss' comes last after its placeholders"
    assert offered(lambda: classify(tf.placeholder(tf.float32, [None, 2]))) == "'y' comes last after its placeholders"


def test_several():
    def build():
        x = tf.placeholder(tf.float32)
        for number in range(12):
            tf.multiply(x, float(number), name=f"y{number:02}")

    assert offered(build).startswith("'y00', 'y01', ") and offered(build).endswith("'y09' and 2 more come last after its placeholders")


def test_no_placeholders():
    def from_a_dataset():
        classify(tf.data.make_one_shot_iterator(tf.data.Dataset.from_tensors([1.0, 2.0]).batch(1)).get_next())

    assert offered(from_a_dataset) == (
        "'y' comes last after its input pipeline; it has no placeholders, and 'IteratorGetNext' gives its inputs: feed that one"
    )

    def from_nothing():
        v = tf.get_variable("v", [2], use_resource=True)
        tf.multiply(v, 2.0, name="doubled")
        tf.assign_add(v, [1.0, 1.0])
        tf.train.Saver()

    assert offered(from_nothing) == "it has no placeholders; 'doubled' comes last after its variables"
    assert offered(lambda: tf.get_variable("v", [2])).startswith("it has no placeholders; nothing but training comes after its variables")
    assert offered(lambda: tf.no_op()).startswith("it has no placeholders; nothing but training")
