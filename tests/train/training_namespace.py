"""What `import tensorflow.compat.v1 as tf` gives, as far as the programs of tests/golden/train need it, for tests below the face of it."""

from __future__ import annotations

import types
from typing import Any

from gpersist.graph import GraphKeys, apply_op, get_default_graph, get_op_type
from gpersist.ops import custom_gradient, gradients, indexed_slices
from gpersist.ops import math as _math
from gpersist.ops.array import bitcast, concat, gather, zeros_like
from gpersist.train import learning_rate_decay, moving_averages, optimizer, optimizers
from gpersist.train.saver import Saver
from tests.graph.namespace import tf as _graph


class _RawOps:
    """Operations by name, their inputs and attributes by theirs."""

    def __getattr__(self, name: str) -> Any:
        def build(**arguments: Any) -> Any:
            inputs = [arguments.pop(arg.name) for arg in get_op_type(name).signature().inputs]
            op = apply_op(name, *inputs, **arguments)
            return op.outputs if len(op.outputs) > 1 else op

        return build


def _public(*modules: Any) -> dict[str, Any]:
    return {name: getattr(module, name) for module in modules for name in module.__all__}


tf = types.SimpleNamespace(
    **vars(_graph) | _public(_math, gradients, indexed_slices, custom_gradient),
    math=_math,
    raw_ops=_RawOps(),
    train=types.SimpleNamespace(**_public(optimizer, optimizers, learning_rate_decay, moving_averages), Saver=Saver),
)
tf.bitcast, tf.concat, tf.gather, tf.zeros_like, tf.GraphKeys = bitcast, concat, gather, zeros_like, GraphKeys
tf.name_scope = lambda name: get_default_graph().name_scope(name)
