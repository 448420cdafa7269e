"""Run by TensorFlow's interpreter: `tensorflow_writes.py FOLDER [NAME...]` writes checkpoints there, the cases of `cases.py` and a Saver's."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cases
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def as_tensor(array):
    if array.dtype.names:
        return tf.bitcast(array.view(array.dtype[0]), tf.as_dtype(array.dtype.names[0]))
    return tf.constant(array, tf.string if array.dtype == object else None)


def save(prefix, rows):
    columns = [row.name for row in rows], [row.shape_and_slice for row in rows], [as_tensor(row.array) for row in rows]
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=columns[0], shape_and_slices=columns[1], tensors=columns[2])


def write_case(prefix, case):
    """With SaveV2; of several data files each is saved by itself, and then merged, as a sharded Saver does."""
    if case.shards is None:
        save(prefix, case.rows)
        return
    parts = []
    for shard in range(max(case.shards.values()) + 1):
        parts.append(f"{prefix}_parts/part-{shard:05d}")
        save(parts[-1], [row for row in case.rows if case.shards[row.name] == shard])
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=prefix, delete_old_dirs=True)


def write_saver(prefix, **options):
    """With a Saver, in graph mode, on devices that are not there: soft placement runs the graph, and `.meta` keeps them."""
    with tf.Graph().as_default(), v1.variable_scope("", use_resource=options.pop("use_resource", False)):
        for name, (array, device) in cases.VARIABLES.items():
            with tf.device(device or None):
                v1.get_variable(name, initializer=as_tensor(array))
        with tf.device("/cpu:1"):
            partitioner = v1.fixed_size_partitioner(4)
            v1.get_variable("embedding", initializer=as_tensor(cases.EMBEDDING), partitioner=partitioner)
        saver = v1.train.Saver(**options)
        config = v1.ConfigProto(allow_soft_placement=True, device_count={"CPU": 2})
        with v1.Session(config=config) as session:
            session.run(v1.global_variables_initializer())
            saver.save(session, prefix, global_step=7)


def write_object_based(prefix):
    """With TensorFlow 2's `tf.train.Checkpoint`, whose names are paths of objects and which stores their graph as a string."""
    tf.train.Checkpoint(kernel=tf.Variable(np.float32([[1, 2], [3, 4]])), step=tf.Variable(9, dtype=tf.int64)).write(prefix)


def main(folder, *names):
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)  # so that no file holds the folder's path
    for name, case in cases.CASES.items():
        if not names or name in names:
            write_case(name, case)
    for name, options in SAVERS.items():
        if not names or name in names:
            os.makedirs(name, exist_ok=True)
            write_saver(f"{name}/model", **options)
    if not names or "object_based" in names:
        write_object_based("object_based")


SAVERS = {
    "saver": {"save_relative_paths": True},
    "saver_sharded": {"sharded": True, "save_relative_paths": True, "use_resource": True},
    "saver_v1": {"write_version": v1.train.SaverDef.V1},
}

if __name__ == "__main__":
    main(*sys.argv[1:])
