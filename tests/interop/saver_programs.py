"""Variables of all kinds, made by TensorFlow and by gpersist, and the Savers that save them."""


def plain(tf):
    tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="a/w")
    tf.Variable(7, name="step", dtype=tf.int64)
    tf.Variable(["x", "yz"], name="text")
    tf.Variable([True, False], name="flags")


def resources(tf):
    tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="a/w", use_resource=True)
    tf.Variable(7, name="step", dtype=tf.int64, use_resource=True)


def devices(tf):
    with tf.device("/gpu:0"):
        tf.Variable([1.5, 2.5], name="on_gpu")
        tf.Variable([3.5], name="resource_on_gpu", use_resource=True)
    with tf.device("/cpu:0"):
        tf.Variable([4.5], name="on_cpu")


def partitions(tf):
    for resource in (False, True):
        with tf.variable_scope(f"s{resource:d}", use_resource=resource):
            tf.get_variable("v", [5, 2], partitioner=tf.fixed_size_partitioner(2), initializer=tf.constant_initializer(2.0))


PROGRAMS = {"plain": plain, "resources": resources, "devices": devices, "partitions": partitions}
OPTIONS = {"v2": {}, "sharded": {"sharded": True}, "v1": {"write_version": 1}, "v1_sharded": {"write_version": 1, "sharded": True}}


def path_of(folder, name, option):
    """The prefix that a Saver's `save` gave."""
    if option != "v1_sharded":
        return str(folder / name)
    count = len(list(folder.glob(f"{name}-?????-of-?????")))
    return str(folder / f"{name}-?????-of-{count:05d}")


def values(tf, sess):
    return {
        v.name: [text.decode() for text in sess.run(v)] if v.dtype.base_dtype == tf.string else sess.run(v).tolist() for v in tf.global_variables()
    }
