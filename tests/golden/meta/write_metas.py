"""Writes the .meta files of this folder with real TensorFlow, and devices.json: where each tensor of their checkpoints lived (see PROVENANCE.md)."""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()

FOLDER = pathlib.Path(__file__).parent


def variable(name, device, **options):
    with v1.device(device):
        return v1.get_variable(name, shape=options.pop("shape", [4]), **options)


def renamed():
    """A Saver with a dict: its names are not those of the variables, and two of them are swapped; another Saver says otherwise."""
    swapped, other = variable("a", "/gpu:0"), variable("b", "/device:GPU:1")
    resource = variable("c", "/job:worker/task:1/device:GPU:2", use_resource=True)
    v1.train.Saver({"misleading": swapped}, name="another")
    v1.train.Saver({"b": swapped, "a": other, "model/c": resource}).export_meta_graph(FOLDER / "renamed.meta", clear_devices=False)
    return {"a": "/device:GPU:1", "b": "/device:GPU:0", "model/c": "/job:worker/task:1/device:GPU:2", "misleading": "/device:GPU:0"}


def colocated():
    """Slots without a device, colocated with their variables: the form of graphs whose device functions came late."""
    weights = variable("weights", "/gpu:3")
    with v1.device(None), v1.colocate_with(weights):
        slot = v1.get_variable("slot", shape=[4])
    with v1.colocate_with(slot):
        v1.get_variable("slot_of_slot", shape=[4])
    variable("nowhere", "")
    saver = v1.train.Saver()
    meta = saver.export_meta_graph()
    for node in meta.graph_def.node:
        if node.name.startswith("slot"):
            node.device = ""
    (FOLDER / "colocated.meta").write_bytes(meta.SerializeToString(deterministic=True))
    return {"weights": "/device:GPU:3", "slot": "/device:GPU:3", "slot_of_slot": "/device:GPU:3", "nowhere": ""}


def partitioned():
    """One tensor in two parts on two devices, ref and resource."""
    places = iter(["/gpu:2", "/gpu:1"] * 2)
    for name in ("ref", "resource"):
        with v1.device(lambda op: next(places) if op.type in ("VariableV2", "VarHandleOp") else ""):
            v1.get_variable(name, shape=[6, 2], partitioner=v1.fixed_size_partitioner(2), use_resource=name == "resource")
    v1.train.Saver(sharded=True).export_meta_graph(FOLDER / "partitioned.meta")
    return {"ref": "/gpu:1", "resource": "/gpu:1"}  # a sharded Saver saves by device


def first_version():
    """A Saver of the V1 format, with SaveSlices."""
    v1.train.Saver({"x": variable("y", "/cpu:0"), "z": variable("z", "/gpu:1")}, write_version=v1.train.SaverDef.V1).export_meta_graph(
        FOLDER / "v1.meta"
    )
    return {"x": "/device:CPU:0", "z": "/device:GPU:1"}


if __name__ == "__main__":
    expected = {}
    for case, write in (("renamed", renamed), ("colocated", colocated), ("partitioned", partitioned), ("v1", first_version)):
        with v1.Graph().as_default():
            expected[case] = write()
    (FOLDER / "devices.json").write_text(json.dumps({"tensorflow": tf.__version__, "devices": expected}, indent=1) + "\n")
