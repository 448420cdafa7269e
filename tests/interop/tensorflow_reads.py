"""Run by TensorFlow's interpreter: tasks in from stdin, what it found out to stdout, both as JSON.

A task is {"how": ..., "prefix": ..., "dtypes": {name: TensorFlow's dtype}}; what is found is {name: `cases.told(...)`}.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cases
import tensorflow as tf

v1 = tf.compat.v1


def restore_v2(prefix, dtypes):
    """The op that every graph restores by."""
    tensors = tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=list(dtypes), shape_and_slices=[""] * len(dtypes), dtypes=list(dtypes.values()))
    return {name: cases.told(tensor.numpy(), tensor.dtype.name) for name, tensor in zip(dtypes, tensors, strict=True)}


def reader(prefix, dtypes):
    """What programs look into checkpoints with."""
    found = tf.train.load_checkpoint(prefix)
    assert set(found.get_variable_to_dtype_map()) == set(dtypes), found.get_variable_to_dtype_map()
    return {name: cases.told(found.get_tensor(name), dtype.name) for name, dtype in found.get_variable_to_dtype_map().items()}


def saver(prefix, dtypes):
    """A graph imported from the `.meta`, and its Saver."""
    with tf.Graph().as_default(), v1.Session(config=v1.ConfigProto(allow_soft_placement=True)) as session:
        v1.train.import_meta_graph(prefix + ".meta").restore(session, prefix)
        variables = v1.global_variables()
        return {
            variable.op.name: cases.told(value, variable.dtype.base_dtype.name)
            for variable, value in zip(variables, session.run(variables), strict=True)
        }


HOW = {"RestoreV2": restore_v2, "reader": reader, "saver": saver}

if __name__ == "__main__":
    json.dump([HOW[task["how"]](task["prefix"], task["dtypes"]) for task in json.load(sys.stdin)], sys.stdout)
