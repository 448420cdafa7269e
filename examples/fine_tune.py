"""Puts a new layer on the network that cnn.py has saved, and trains it: alone, behind `stop_gradient`, or together with what is below."""

import numpy as np

import gpersist.compat.v1 as tf


def fine_tune(path: str, stop_gradient: bool) -> None:
    tf.reset_default_graph()
    tf.set_random_seed(2)
    feed = {"x:0": np.arange(6144, 12288, dtype=np.float32).reshape(2, 32, 32, 3) / 255}
    with tf.Session() as sess:
        saver = tf.train.import_meta_graph(f"{path}.meta", clear_devices=True)
        saver.restore(sess, path)
        graph = tf.get_default_graph()
        old = tf.global_variables()
        fc2 = graph.get_tensor_by_name("fc2/add:0")
        if stop_gradient:
            fc2 = tf.stop_gradient(fc2)

        weights = tf.Variable(tf.truncated_normal([fc2.get_shape().as_list()[1], 6], stddev=0.1), name="w")
        biases = tf.Variable(tf.constant(0.1, shape=[6]), name="b")
        logits = tf.matmul(fc2, weights) + biases
        output = tf.nn.softmax(logits)
        loss = tf.losses.softmax_cross_entropy(tf.one_hot([5, 4], 6), logits)
        train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)

        sess.run(tf.variables_initializer([weights, biases]))
        before = sess.run("fc1/w:0")
        losses = [sess.run([loss, train], feed)[0] for _ in range(4)]
        print("stop_gradient" if stop_gradient else "all layers", *(f"{value:.4f}" for value in losses))
        print("fc1/w has changed:", not np.array_equal(before, sess.run("fc1/w:0")))
        print("the rows of the output sum to", np.round(sess.run(output, feed).sum(axis=1), 5))
        print("saved", tf.train.Saver([*old, weights, biases]).save(sess, "saved/tuned", write_meta_graph=False))


def main() -> None:
    path = tf.train.latest_checkpoint("saved")
    if path is None:
        raise SystemExit("there is no checkpoint in 'saved': run cnn.py first")
    for stop_gradient in True, False:
        fine_tune(path, stop_gradient)


if __name__ == "__main__":
    main()
