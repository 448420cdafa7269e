"""Runs the families' nodes with real TensorFlow and writes what they give to families.json: `python write_families.py`, with TensorFlow 2.21.

Each in a process that starts anew where TensorFlow ends it, as a few wrong inputs make it do; those have the answer "crash".
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # the plain kernels
FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

FAMILIES = ("audio", "boxes", "colors", "formats", "quantization", "ragged", "resizing", "sequences", "sparse")


def write() -> None:
    lines: list[str] = []
    while True:
        command = [sys.executable, __file__, str(len(lines))]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        lines += done.stdout.splitlines()
        if done.returncode == 0:
            break
        lines.append('"crash"')
    answers = ",\n".join(lines)
    (FOLDER / "families.json").write_text(f"[\n{answers}\n]\n")
    print(len(lines), "answers", lines.count('"crash"'), "crashes")


def answer_from(start: int) -> None:
    import tensorflow.compat.v1 as tf
    from tensorflow.core.framework import op_def_pb2, types_pb2

    from families.nodes import graph_of

    tf.disable_v2_behavior()
    op_defs = {op.name: op for op in op_def_pb2.OpList.FromString((FOLDER.parent / "ops" / "op_defs.binpb").read_bytes()).op}
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    cases = [case for family in FAMILIES for case in importlib.import_module(f"families.{family}").CASES]
    for case in cases[start:]:
        answers = {}
        for is_constant in (True, False):
            message, feeds = graph_of(
                case, is_constant, tf.GraphDef(), op_defs[case[0]], tf.make_tensor_proto, lambda name: types_pb2.DataType.Value(f"DT_{name.upper()}")
            )
            answers["known" if is_constant else "unknown"] = answer(tf, message, feeds, config, with_values=is_constant)
        print(json.dumps(answers), flush=True)


def answer(tf, message, feeds, config, with_values):
    from families.nodes import told

    try:
        with tf.Graph().as_default():
            (op,) = tf.import_graph_def(message, return_elements=["x"], name="")
            found = {"shapes": [str(output.shape) for output in op.outputs]}
            with tf.Session(config=config) as session:
                values = session.run(list(op.outputs), feeds)
            return found | ({"values": [told(value) for value in values]} if with_values else {})
    except Exception as error:
        return {"error": type(error).__name__}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        answer_from(int(sys.argv[1]))
    else:
        write()
