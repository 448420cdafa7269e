"""Restores a model without the program that built it: the graph is read from the `.meta` file, once with its devices, once without."""

import gpersist.compat.v1 as tf


def save() -> None:
    with tf.device("/gpu:0"):
        v1 = tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
        v2 = tf.Variable(tf.constant(2.0, shape=[1]), name="v2")
    tf.add_to_collection("result", tf.add(v1, v2, name="add"))
    saver = tf.train.Saver()
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:  # runs on the CPU where there is no GPU
        sess.run(tf.global_variables_initializer())
        saver.save(sess, "saved/model.ckpt")


def load(clear_devices: bool) -> None:
    tf.reset_default_graph()
    saver = tf.train.import_meta_graph("saved/model.ckpt.meta", clear_devices=clear_devices)
    graph = tf.get_default_graph()
    print("v1 is to be on", repr(graph.get_operation_by_name("v1").device))
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=not clear_devices)) as sess:
        saver.restore(sess, "saved/model.ckpt")
        print("by name", sess.run(graph.get_tensor_by_name("add:0")), "by collection", sess.run(tf.get_collection("result")))


def main() -> None:
    save()
    load(clear_devices=False)
    load(clear_devices=True)


if __name__ == "__main__":
    main()
