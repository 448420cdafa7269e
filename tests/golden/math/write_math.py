"""Evaluates cases.py with real TensorFlow 2.21 and writes its answers to math.json: `python write_math.py`, with an interpreter that has it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parent))

import cases
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import op_def_registry, ops

tf.disable_v2_behavior()


def raw(name, *inputs, **attrs):
    args = [arg.name for arg in op_def_registry.get(name).input_arg]
    return getattr(tf.raw_ops, name)(**dict(zip(args, inputs, strict=False)), **attrs)


def grad_of(op, *grads):
    function = ops.get_gradient_function(op)
    return [None for _ in op.inputs] if function is None else function(op, *grads)


answers = {
    "builds": {text: cases.build(tf, raw, text) for text in cases.BUILDS},
    "values": {text: cases.value(tf, raw, text) for text in cases.VALUES},
    "gradients": {text: cases.gradient(tf, raw, grad_of, text) for text in cases.GRADIENTS},
}
(Path(__file__).parent / "math.json").write_text(json.dumps({"tensorflow": tf.__version__, **answers}, indent=0) + "\n")
print({kind: len(found) for kind, found in answers.items()})
