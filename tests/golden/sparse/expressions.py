"""Expressions over sparse and ragged tensors, texts and signals, and what they make: nodes, values, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

_FOLDER = Path(__file__).parent
EXPRESSIONS = [line for name in ("sparse_and_ragged", "signal") for line in (_FOLDER / f"{name}.txt").read_text().splitlines()]
_NEWER = {"grad_a", "grad_b", "grad_x", "grad_y", "bad_indices_policy", "_has_manual_control_dependencies", "sparse_gradient"}


def answer(tf: Any, text: str) -> dict[str, Any]:
    """What an expression makes in a new graph: its nodes, its tensors, their values with each placeholder fed ascending numbers, or its error."""
    graph = tf.Graph()
    with graph.as_default():
        feeds: dict[Any, Any] = {}

        def ph(*shape: int | None) -> Any:
            tensor = tf.placeholder(tf.float32, shape)
            sizes = [2 if size is None else size for size in shape]
            feeds[tensor] = np.arange(1, 1 + np.prod(sizes), dtype=np.float32).reshape(sizes)
            return tensor

        def sp() -> Any:
            return tf.SparseTensor([[0, 0], [0, 2], [1, 1], [2, 3]], [1.0, 2.0, 3.0, 4.0], [3, 4])

        def spi() -> Any:
            if "fill" in text:
                return tf.SparseTensor([[0, 1], [2, 0]], [-1, -2], [4, 4])
            return tf.SparseTensor([[0, 1], [2, 0]], tf.constant([-1.0, -2.0]), [3, 4])

        try:
            made = eval(text, {"tf": tf, "np": np, "ph": ph, "sp": sp, "spi": spi})
        except Exception as error:
            return {"error": next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")}
        tensors = _flat(made)
        found: dict[str, Any] = {"nodes": [_node(op) for op in graph.get_operations()], "tensors": [tensor.name for tensor in tensors]}
        if "placeholder('" in text or not tensors:
            return found
        with tf.Session() as session:
            try:
                values = [session.run(tensor, feeds) for tensor in tensors if tensor.dtype.name != "variant"]
            except Exception as error:
                return found | {"run": type(error).__name__}
        return found | {"values": [_plain(value) for value in values]}


def _flat(made: Any) -> list[Any]:
    kind = type(made).__name__
    if isinstance(made, dict):
        return [tensor for key in sorted(made) for tensor in _flat(made[key])]
    if isinstance(made, (list, tuple)):
        return [tensor for item in made for tensor in _flat(item)]
    if kind == "SparseTensor":
        return [made.indices, made.values, made.dense_shape]
    if kind == "IndexedSlices":
        return [made.indices, made.values]
    if kind == "RaggedTensor":
        return [made.flat_values, *made.nested_row_splits]
    return [made] if hasattr(made, "graph") else []


def _node(op: Any) -> list[Any]:
    attrs = {key: " ".join(str(value).split()) for key, value in op.node_def.attr.items() if key not in _NEWER | {"value"}}
    inputs = [text.removesuffix(":0") for text in op.node_def.input]
    return [op.name, op.type, inputs, dict(sorted(attrs.items())), [str(output.shape) for output in op.outputs]]


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == object:
        return [item.decode("latin-1") if isinstance(item, bytes) else item for item in array.reshape(-1).tolist()]
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag])
    return [str(array.dtype), list(array.shape), array.astype(np.float64).reshape(-1).tolist()]
