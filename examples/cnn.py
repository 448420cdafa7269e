"""Trains a small convolutional network, saving every ten epochs; then loads it by names and collections: `python examples/cnn.py [EPOCHS]`"""

import sys

import numpy as np

import gpersist.compat.v1 as tf


def variables(shape: list[int]) -> tuple[tf.Variable, tf.Variable]:
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1), name="w"), tf.Variable(tf.constant(0.1, shape=shape[-1:]), name="b")


def define_model(x: tf.Tensor) -> tf.Tensor:
    for scope, shape in ("conv1", [3, 3, 3, 32]), ("conv2", [3, 3, 32, 64]):
        with tf.variable_scope(scope):
            w, b = variables(shape)
            x = tf.nn.relu(tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME") + b)
            x = tf.nn.max_pool(x, ksize=[1, 3, 3, 1], strides=[1, 3, 3, 1], padding="SAME")
    with tf.variable_scope("fc1"):
        w, b = variables([4 * 4 * 64, 128])
        x = tf.nn.dropout(tf.nn.relu(tf.matmul(tf.reshape(x, [-1, 4 * 4 * 64]), w) + b), rate=0.5)
    with tf.variable_scope("fc2"):
        w, b = variables([128, 4])
        return tf.matmul(x, w) + b


def train_model(epochs: int) -> None:
    tf.set_random_seed(1)
    x, y_ = tf.placeholder(tf.float32, [None, 32, 32, 3], name="x"), tf.placeholder("int64", [None], name="y_")
    logits, labels = define_model(x), tf.one_hot(y_, 4, name="y_labels")
    loss = tf.losses.softmax_cross_entropy(onehot_labels=labels, logits=logits)
    train_step = tf.train.AdamOptimizer(learning_rate=0.001).minimize(loss)
    acc = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), tf.argmax(labels, 1)), tf.float32), name="acc")
    saver = tf.train.Saver(max_to_keep=4)
    tf.add_to_collection("predict", logits)
    feed = {x: np.arange(30720, dtype=np.float32).reshape(10, 32, 32, 3) / 255, y_: [0, 0, 1, 1, 2, 2, 3, 3, 2, 0]}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for epoch in range(epochs):
            if epoch % 10 == 0:
                print(f"after epoch {epoch}, the loss is {loss.eval(feed):6f}, the acc is {acc.eval(feed):6f}")
                saver.save(sess, "saved/cnn", global_step=epoch)
            train_step.run(feed)


def load_model(path: str) -> None:
    tf.reset_default_graph()
    with tf.Session() as sess:
        tf.train.import_meta_graph(f"{path}.meta").restore(sess, path)
        feed = {"x:0": np.arange(6144, 12288, dtype=np.float32).reshape(2, 32, 32, 3) / 255, "y_:0": [3, 1]}
        prediction = sess.run(tf.get_collection("predict"), feed)[0]
        print("fc2/b", sess.run("fc2/b:0"), "the answer is", sess.run("y_labels:0", feed).argmax(1), "an operation gives", sess.run("acc", feed))
        print(prediction, "the predict is", sess.run(tf.argmax(prediction, 1)))


if __name__ == "__main__":
    train_model(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    load_model(tf.train.latest_checkpoint("saved"))
