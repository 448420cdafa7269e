"""Writes the golden files beside it with real TensorFlow: `python write.py FOLDER`, in an environment that has tensorflow-cpu."""

import functools
import json
import os
import subprocess
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from values import DTYPES, PARTITIONED, SLICED, SLICED_V2_ONLY, STRINGS, TEXTS

v1, raw_ops = tf.compat.v1, tf.raw_ops


def tensor(array):
    """A constant of the array's exact bits; quantised types are reached by a bitcast, which is how TensorFlow makes them."""
    if array.dtype.names:
        return tf.bitcast(tf.constant(array[array.dtype.names[0]]), array.dtype.names[0])
    return tf.constant(array, tf.string if array.dtype == object else array.dtype, array.shape)


def variables(devices):
    """The partitioned variables of a graph in TensorFlow 1's manner."""
    with v1.device(devices[0]):
        for name, parts, axis in (("rows", 3, 0), ("columns", 2, 1)):
            partitioner = v1.fixed_size_partitioner(parts, axis)
            value = PARTITIONED[name]
            v1.get_variable(name, value.shape, value.dtype, functools.partial(part, value), partitioner=partitioner)
    with v1.device(devices[-1]):
        v1.get_variable("whole", initializer=PARTITIONED["whole"])


def part(value, shape, partition_info, **_):
    """An initializer: the part of the value that a part of the variable begins with."""
    where = tuple(slice(offset, offset + size) for offset, size in zip(partition_info.var_offset, shape, strict=True))
    return tf.constant(value[where])


def save_partitioned(folder, name, devices, **saver):
    with tf.Graph().as_default(), v1.Session(config=v1.ConfigProto(device_count={"CPU": 2})) as session:
        variables(devices)
        session.run(v1.global_variables_initializer())
        v1.train.Saver(**saver).save(session, f"{folder}/{name}", write_meta_graph=False, write_state=False)


def ask(folder, texts):
    """Prints what RestoreSlice makes of each text, a line of JSON each."""
    path = f"{folder}/asked"
    for text in texts:
        raw_ops.Save(filename=path, tensor_names=["t"], data=[np.arange(np.prod(TEXTS[text], dtype=int), dtype=np.int32).reshape(TEXTS[text])])
        try:
            found = raw_ops.RestoreSlice(file_pattern=path, tensor_name="t", shape_and_slice=text, dt=tf.int32)
            answer = {"shape": found.shape.as_list(), "values": found.numpy().ravel().tolist()}
        except tf.errors.OpError as error:
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), flush=True)
    os.remove(path)


def main(folder):
    v1_format = v1.train.SaverDef.V1
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
    save_partitioned(folder, "partitioned_v2", ["/cpu:0"])
    save_partitioned(folder, "partitioned_v1", ["/cpu:0"], write_version=v1_format)
    save_partitioned(folder, "sharded_v1", ["/cpu:0", "/cpu:1"], write_version=v1_format, sharded=True)

    names = sorted(STRINGS)
    raw_ops.SaveV2(prefix=f"{folder}/strings_v2", tensor_names=names, shape_and_slices=[""] * len(names), tensors=[tensor(STRINGS[n]) for n in names])
    for path, slices in ((f"{folder}/slices_v2", SLICED + SLICED_V2_ONLY), (f"{folder}/slices_v1", SLICED)):
        keys, texts, tensors = [s[0] for s in slices], [s[1] for s in slices], [tensor(s[2]) for s in slices]
        if path.endswith("v2"):
            raw_ops.SaveV2(prefix=path, tensor_names=keys, shape_and_slices=texts, tensors=tensors)
        else:
            raw_ops.SaveSlices(filename=path, tensor_names=keys, shapes_and_slices=texts, data=tensors)
    raw_ops.Save(filename=f"{folder}/dtypes_v1", tensor_names=list(DTYPES), data=[tensor(a) for a in DTYPES.values()])

    verdicts, unasked = {}, list(TEXTS)
    while unasked:  # some texts abort the process that asks
        asking = subprocess.run([sys.executable, __file__, folder, *unasked], capture_output=True, text=True, check=False)
        answers = [json.loads(line) for line in asking.stdout.splitlines()]
        verdicts.update(zip(unasked, answers, strict=False))
        unasked = unasked[len(answers) :]
        if unasked:
            verdicts[unasked.pop(0)] = {"error": "abort"}
    with open(f"{folder}/texts.json", "w") as file:
        json.dump(verdicts, file, indent=1, ensure_ascii=True)
        file.write("\n")


if __name__ == "__main__":
    ask(sys.argv[1], sys.argv[2:]) if sys.argv[2:] else main(sys.argv[1])
