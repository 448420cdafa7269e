"""Saves two variables and restores them: into the same graph built again, into a part of it, and from nowhere."""

import gpersist.compat.v1 as tf


def build() -> tuple[tf.Variable, tf.Variable, tf.Tensor]:
    v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    return v1, v2, v1 + v2


def save() -> None:
    build()
    init_op = tf.global_variables_initializer()
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(init_op)
        print("saved", saver.save(sess, "saved/model.ckpt"))


def restore() -> None:
    tf.reset_default_graph()
    *_, result = build()
    with tf.Session() as sess:
        tf.train.Saver().restore(sess, "saved/model.ckpt")  # nothing needs to be initialized
        print("v1 + v2 =", sess.run(result))


def restore_one() -> None:
    tf.reset_default_graph()
    v1, _, result = build()
    with tf.Session() as sess:
        tf.train.Saver([v1]).restore(sess, "saved/model.ckpt")
        print("v1 =", sess.run(v1))
        try:
            sess.run(result)
        except tf.errors.FailedPreconditionError as error:
            print("FailedPreconditionError:", "Attempting to use uninitialized value v2" in str(error))


def restore_nothing() -> None:
    with tf.Session() as sess:
        try:
            tf.train.Saver().restore(sess, tf.train.latest_checkpoint("nowhere"))
        except ValueError as error:
            print("ValueError:", error)


def main() -> None:
    save()
    restore()
    restore_one()
    restore_nothing()


if __name__ == "__main__":
    main()
