"""Looks into a checkpoint without a graph: names, shapes, dtypes and values."""

import gpersist.compat.v1 as tf


def save() -> None:
    tf.Variable(tf.constant(1.0, shape=[1]), name="v1")
    tf.Variable(tf.constant(2.0, shape=[1, 2]), name="scope/v2")
    tf.Variable(3, dtype=tf.int64, name="step")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        tf.train.Saver().save(sess, "saved/model.ckpt", global_step=3)


def main() -> None:
    save()
    path = tf.train.latest_checkpoint("saved")
    reader = tf.train.NewCheckpointReader(path)
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    for name in sorted(shapes):
        print(name, shapes[name], dtypes[name])
    print("Value for variable v1 is ", reader.get_tensor("v1"))
    print("has v2:", reader.has_tensor("v2"))
    print(reader.debug_string().decode())

    print(tf.train.list_variables(path))
    print("step", tf.train.load_variable(path, "step"))
    print(tf.train.get_checkpoint_state("saved"))


if __name__ == "__main__":
    main()
