"""Run by TensorFlow's interpreter: asks each signature of an exported model about examples (JSON, in hexadecimal, from stdin); answers to stdout."""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
examples = [bytes.fromhex(text) for text in json.load(sys.stdin)]
answers = {}
with tf.Session(graph=tf.Graph()) as session:
    meta_graph = tf.saved_model.load(session, ["serve"], sys.argv[1])
    for key, signature in meta_graph.signature_def.items():
        (given,) = signature.inputs.values()
        found = session.run({name: info.name for name, info in signature.outputs.items()}, {given.name: examples})
        answers[key] = {name: value.astype(str).tolist() if value.dtype == object else value.tolist() for name, value in found.items()}
print(json.dumps(answers))
