"""Saves a variable together with its moving average, and restores the average in the variable's place."""

import gpersist.compat.v1 as tf


def save() -> None:
    v = tf.Variable(0, dtype=tf.float32, name="v")
    print("before:", [variable.name for variable in tf.global_variables()])
    ema = tf.train.ExponentialMovingAverage(0.99)
    maintain_averages_op = ema.apply(tf.global_variables())
    print("after:", [variable.name for variable in tf.global_variables()])

    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(tf.assign(v, 10))
        sess.run(maintain_averages_op)
        saver.save(sess, "saved/average.ckpt")
        value, average = sess.run([v, ema.average(v)])
        print("saved", value, "and", average)


def restore(by_hand: bool) -> None:
    tf.reset_default_graph()
    v = tf.Variable(0, dtype=tf.float32, name="v")
    names = {"v/ExponentialMovingAverage": v} if by_hand else tf.train.ExponentialMovingAverage(0.99).variables_to_restore()
    print("variables_to_restore:", names)
    with tf.Session() as sess:
        tf.train.Saver(names).restore(sess, "saved/average.ckpt")
        print("v =", sess.run(v))


def main() -> None:
    save()
    restore(by_hand=True)
    restore(by_hand=False)


if __name__ == "__main__":
    main()
