"""Features as tensors, and what columns make of them, each once: columns that share a source share its tensor."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import assert_positive
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import equal, not_equal
from gpersist.ops.control_flow import cond
from gpersist.ops.gathering import gather_nd
from gpersist.ops.shaping import expand_dims, rank, shape_of
from gpersist.ops.sparse_arranging import sparse_reshape
from gpersist.ops.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor

__all__: list[str] = []


class _Transforming(Protocol):
    name: Any

    def transform_feature(self, features: Features) -> Any:
        """What it makes of features."""


class Features:
    """Features by key, with what columns made of them (TensorFlow's `FeatureTransformationCache`).

    Args:
        features: tensors, or what becomes one, and `SparseTensor`s, by key.
    """

    def __init__(self, features: Mapping[str, Any]) -> None:
        self._features = dict(features)
        self._tensors: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        """A feature by its key, of rank 2 at least; or what a column makes of features.

        Raises:
            ValueError: there is no such feature, or it is a scalar.
            TypeError: neither a key nor a column.
        """
        if key not in self._tensors:
            if key in self._features:
                self._tensors[key] = self._raw(key)
            elif isinstance(key, str):
                raise ValueError(f"Feature {key} is not in features dictionary. It has {sorted(map(str, self._features))}.")
            elif not hasattr(key, "transform_feature"):
                raise TypeError(f'"key" must be either a "str" or a feature column. Provided: {key}')
            else:
                self._tensors[key] = self._transformed(key)
        return self._tensors[key]

    def _transformed(self, column: _Transforming) -> Any:
        logging.getLogger("gpersist").debug("Transforming feature_column %s.", column)
        return column.transform_feature(self)

    def _raw(self, key: str) -> Any:
        tensor = convert_to_tensor_or_sparse_tensor(self._features[key])
        known = tensor.get_shape().rank
        told = f"Feature (key: {key}) cannot have rank 0. Given: {tensor}"
        if known == 0:
            raise ValueError(told)
        if known is not None:
            return tensor if known != 1 else _with_a_column(tensor)
        with get_default_graph().control_dependencies([assert_positive(rank(tensor), message=told)]):
            return cond(equal(1, rank(tensor)), lambda: _with_a_column(tensor), lambda: tensor)


def _with_a_column(tensor: Any) -> Any:
    if isinstance(tensor, SparseTensor):
        return sparse_reshape(tensor, [shape_of(tensor)[0], 1])
    return expand_dims(tensor, -1)


def to_sparse(value: Any, ignored: Any = None) -> SparseTensor:
    """A sparse tensor of what a dense one has beside `ignored`: "" and -1 by default."""
    tensor: Tensor | SparseTensor = convert_to_tensor_or_sparse_tensor(value)
    if isinstance(tensor, SparseTensor):
        return tensor
    with name_scope(None, "to_sparse_input", [tensor]):
        if ignored is None:
            ignored = "" if tensor.dtype.is_string else -1 if tensor.dtype.is_integer else 0.0
        left_out = cast(ignored, tensor.dtype, name="ignore_value")
        indices = where_v2(not_equal(tensor, left_out), name="indices")
        values = gather_nd(tensor, indices, name="values")
        return SparseTensor(indices, values, shape_of(tensor, out_type="int64", name="dense_shape"))
