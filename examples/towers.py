"""Trains on two GPUs, saves a shard a device, goes on with one by `clear_devices`: `GPERSIST_VIRTUAL_DEVICES=2 python examples/towers.py`"""

import numpy as np

import gpersist.compat.v1 as tf

TOWERS = 2


def build() -> None:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    optimizer = tf.train.MomentumOptimizer(0.05, 0.9)
    hidden, out = [], []
    for tower in range(TOWERS):  # each device holds one part of the layers, and gets one part of the batch
        with tf.device(f"/gpu:{tower}"), tf.variable_scope(f"tower_{tower}"):
            hidden.append(tf.get_variable("hidden", [2, 4], initializer=tf.constant_initializer([[0.1, -0.2, 0.3, 0.4], [0.2, 0.1, -0.3, 0.1]])))
            out.append(tf.get_variable("out", [4, 1], initializer=tf.constant_initializer(0.1 + tower)))
    with tf.device("/cpu:0"):
        step = tf.train.get_or_create_global_step()
    gradients = []
    for tower, (part_x, part_y) in enumerate(zip(tf.split(x, TOWERS), tf.split(y, TOWERS), strict=True)):
        with tf.device(f"/gpu:{tower}"), tf.name_scope(f"tower_{tower}"):
            guess = tf.add_n([tf.matmul(tf.tanh(tf.matmul(part_x, h)), o) for h, o in zip(hidden, out, strict=True)])
            loss = tf.reduce_mean(tf.square(guess - part_y), name="loss")
            gradients.append(optimizer.compute_gradients(loss))
            tf.add_to_collection("losses_of_towers", loss)
    means = [(tf.add_n([gradient for gradient, _ in pair]) / TOWERS, pair[0][1]) for pair in zip(*gradients, strict=True)]
    tf.add_to_collection("train_op", optimizer.apply_gradients(means, global_step=step))


def train(sess: tf.Session, steps: int) -> None:
    random = np.random.RandomState(0)
    x = random.rand(16, 2)
    feed = {"x:0": x, "y:0": x.sum(axis=1, keepdims=True)}
    for _ in range(steps):
        losses, *_ = sess.run([tf.get_collection("losses_of_towers"), *tf.get_collection("train_op")], feed)
    print("step", sess.run("global_step:0"), "losses of the towers", *(f"{value:.5f}" for value in losses))


def main() -> None:
    tf.gfile.MakeDirs("saved")  # a sharded save makes no folder
    build()
    print({variable.op.name: variable.device for variable in tf.trainable_variables()})
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
        sess.run(tf.global_variables_initializer())
        train(sess, 50)
        path = tf.train.Saver(sharded=True).save(sess, "saved/towers", global_step=50)

    tf.reset_default_graph()
    saver = tf.train.import_meta_graph(f"{path}.meta", clear_devices=True)
    print({variable.op.name: variable.device for variable in tf.trainable_variables()})
    with tf.Session() as sess:
        saver.restore(sess, path)
        train(sess, 50)


if __name__ == "__main__":
    main()
