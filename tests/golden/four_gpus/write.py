"""Writes the checkpoint of this folder with real TensorFlow (see PROVENANCE.md)."""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()

FOLDER = pathlib.Path(__file__).parent
SPELLINGS = ["/device:GPU:0", "/gpu:1", "/device:GPU:2", "/gpu:3"]


def main():
    losses = []
    for number, device in enumerate(SPELLINGS):
        with v1.device(device), v1.variable_scope(f"tower_{number}"):
            first = 100 * number
            weights = v1.get_variable("weights", initializer=np.arange(first, first + 12, dtype=np.float32).reshape(3, 4), use_resource=False)
            bias = v1.get_variable("bias", initializer=np.full(4, number, np.float32), use_resource=True)
            losses.append(v1.reduce_sum(weights) + v1.reduce_sum(bias))
    with v1.device("/cpu:0"):
        step = v1.train.create_global_step()
    v1.train.MomentumOptimizer(0.1, 0.9).minimize(v1.add_n(losses), global_step=step)
    saver = v1.train.Saver(sharded=True)
    with v1.Session(config=v1.ConfigProto(allow_soft_placement=True)) as session:
        session.run(v1.global_variables_initializer())
        saver.save(session, str(FOLDER / "model"), write_state=False)
    devices = {variable.op.name: variable.device for variable in v1.global_variables()}
    (FOLDER / "devices.json").write_text(json.dumps({"tensorflow": tf.__version__, "devices": devices}, indent=1) + "\n")


if __name__ == "__main__":
    main()
