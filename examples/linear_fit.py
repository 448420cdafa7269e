"""Fits a line by gradient descent, with a checkpoint every ten epochs of which four are kept; and loads the newest without the program.

python examples/linear_fit.py [EPOCHS]
"""

import sys

import numpy as np

import gpersist.compat.v1 as tf


def train_model(epochs: int) -> None:
    x_data = np.random.RandomState(1).rand(100).astype(np.float32)
    y_data = x_data * 0.1 + 0.2

    tf.set_random_seed(1)
    w = tf.Variable(tf.random_uniform([1], -20.0, 20.0), dtype=tf.float32, name="w")
    b = tf.Variable(tf.random_uniform([1], -10.0, 10.0), dtype=tf.float32, name="b")
    y = w * x_data + b
    loss = tf.reduce_mean(tf.square(y - y_data))
    train_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

    saver = tf.train.Saver(max_to_keep=4)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(f"before the train, the W is {sess.run(w)[0]:6f}, the b is {sess.run(b)[0]:6f}")
        for epoch in range(epochs):
            if epoch % 10 == 0:
                print(f"after epoch {epoch}, the loss is {sess.run(loss):6f}, the W is {sess.run(w)[0]:f}, the b is {sess.run(b)[0]:f}")
                saver.save(sess, "saved/line", global_step=epoch)
            sess.run(train_step)


def load_model() -> None:
    tf.reset_default_graph()
    path = tf.train.latest_checkpoint("saved")
    print(list(tf.train.get_checkpoint_state("saved").all_model_checkpoint_paths))
    with tf.Session() as sess:
        saver = tf.train.import_meta_graph(f"{path}.meta")
        saver.restore(sess, path)
        print("w", sess.run("w:0"), "b", sess.run("b:0"))


def main(epochs: str = "300") -> None:
    train_model(int(epochs))
    load_model()


if __name__ == "__main__":
    main(*sys.argv[1:])
