"""Restores variables under other names than they were saved with: a dictionary tells the Saver which is which."""

import gpersist.compat.v1 as tf


def save() -> None:
    tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        tf.train.Saver().save(sess, "saved/model.ckpt")


def restore() -> None:
    tf.reset_default_graph()
    v1 = tf.Variable(tf.constant(0.0, shape=[1]), name="other-v1")
    v2 = tf.Variable(tf.constant(0.0, shape=[1]), name="other-v2")
    with tf.Session() as sess:
        try:
            tf.train.Saver([v1, v2]).restore(sess, "saved/model.ckpt")
        except tf.errors.NotFoundError as error:
            print("NotFoundError:", "Key other-v1 not found in checkpoint" in str(error))
        tf.train.Saver({"v1": v1, "v2": v2}).restore(sess, "saved/model.ckpt")
        for variable in tf.global_variables():
            print(variable.name, "=", sess.run(variable))


def main() -> None:
    save()
    restore()


if __name__ == "__main__":
    main()
