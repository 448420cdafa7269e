"""Serialized `Example` messages as tensors, by features that say which (`tf.parse_example`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, apply_op, convert_to_tensor, name_scope
from gpersist.ops import examples as _examples  # noqa: F401  # the operations
from gpersist.ops.constants import constant
from gpersist.ops.shaping import reshape
from gpersist.ops.sparse_conversions import sparse_merge
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import as_shape

__all__ = ["FixedLenFeature", "FixedLenSequenceFeature", "SparseFeature", "VarLenFeature", "parse_example", "parse_single_example"]


class FixedLenFeature(NamedTuple):
    """A feature of which each example has as many values as `shape` says, or else `default_value` (`tf.FixedLenFeature`)."""

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature of which examples have any number of elements of one shape; filled up to the longest (`tf.FixedLenSequenceFeature`)."""

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature of which examples have any number of values: a sparse tensor (`tf.VarLenFeature`)."""

    dtype: Any


class SparseFeature(NamedTuple):
    """A feature of values with their places in a vector of `size`, each in a feature of its own (`tf.SparseFeature`).

    `index_key` is one key, or a list of them for several axes; `size` then as well.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


def parse_example(serialized: Any, features: Mapping[str, Any], name: str | None = None, example_names: Any = None) -> dict[str, Any]:
    """A batch of examples as tensors (`tf.parse_example`).

    Args:
        serialized: `Example` messages, serialized: a vector of text.
        features: by key a `FixedLenFeature`, `FixedLenSequenceFeature`, `SparseFeature` or `VarLenFeature`.
        name: of the scope.
        example_names: names of the examples, told in errors.

    Returns:
        A tensor, or for a `VarLenFeature` or a `SparseFeature` a `SparseTensor`, by key.

    Raises:
        ValueError: no features, one that says too little, or one of another kind.
    """
    parts = Parts(features)
    with name_scope(name, "ParseExample", [value for value in (serialized, example_names) if isinstance(value, Tensor)]):
        names = [] if example_names is None else example_names
        op = apply_op(
            "ParseExample",
            convert_to_tensor(serialized, "string", "serialized"),
            convert_to_tensor(names, "string", "names"),
            parts.sparse_keys,
            parts.dense_keys,
            parts.defaults(),
            sparse_types=parts.sparse_types,
            Tdense=parts.dense_types,
            dense_shapes=parts.dense_shapes,
        )
        found = parts.by_key(op.outputs)
    return parts.merged(found)


def parse_single_example(serialized: Any, features: Mapping[str, Any], name: str | None = None, example_names: Any = None) -> dict[str, Any]:
    """One example as tensors (`tf.parse_single_example`); `serialized` is a scalar, else see `parse_example`."""
    del example_names  # TensorFlow leaves it out, too
    parts = Parts(features)
    with name_scope(name, "ParseSingleExample", [value for value in (serialized,) if isinstance(value, Tensor)]):
        op = apply_op(
            "ParseSingleExample",
            convert_to_tensor(serialized, "string", "serialized"),
            parts.defaults(),
            num_sparse=len(parts.sparse_keys),
            sparse_keys=parts.sparse_keys,
            sparse_types=parts.sparse_types,
            dense_keys=parts.dense_keys,
            Tdense=parts.dense_types,
            dense_shapes=parts.dense_shapes,
        )
        found = parts.by_key(op.outputs)
    return parts.merged(found)


class Parts:
    """Features, in the order of their keys, sparse and dense ones apart."""

    def __init__(self, features: Mapping[str, Any]) -> None:
        if not features:
            raise ValueError("Argument `features` cannot be None or empty.")
        self._dense: dict[str, Any] = {}
        self._sparse: dict[str, Any] = {}
        self._merged: dict[str, SparseFeature] = {}
        self._wanted = list(features)
        for key in sorted(features):
            feature = features[key]
            if isinstance(feature, VarLenFeature):
                if not feature.dtype:
                    raise ValueError(f"Missing type for feature {key}. Received feature={feature}")
                self._add_sparse(key, feature.dtype)
            elif isinstance(feature, SparseFeature):
                self._merged[key] = feature
                self._add_merged(key, feature)
            elif isinstance(feature, (FixedLenFeature, FixedLenSequenceFeature)):
                self._check(key, feature)
                self._dense[key] = feature
            else:
                raise ValueError(f"Invalid feature {key}:{feature}.")
        self.sparse_keys, self.dense_keys = list(self._sparse), list(self._dense)
        self.sparse_types = [as_dtype(dtype) for dtype in self._sparse.values()]
        self.dense_types = [as_dtype(feature.dtype) for feature in self._dense.values()]
        self.dense_shapes = [
            as_shape([None, *as_shape(feature.shape)] if isinstance(feature, FixedLenSequenceFeature) else feature.shape)
            for feature in self._dense.values()
        ]

    def _add_sparse(self, key: str, dtype: Any) -> None:
        known = self._sparse.setdefault(key, dtype)
        if as_dtype(known) is not as_dtype(dtype):
            raise ValueError(f"Conflicting type {known} vs {dtype} for feature {key}.")

    def _add_merged(self, key: str, feature: SparseFeature) -> None:
        for part, what in ((feature.index_key, "index_key"), (feature.value_key, "value_key")):
            if not part:
                raise ValueError(f"Missing {what} for SparseFeature {feature}.")
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={feature}.")
        for index_key in sorted([feature.index_key] if isinstance(feature.index_key, str) else feature.index_key):
            self._add_sparse(index_key, "int64")
        self._add_sparse(feature.value_key, feature.dtype)

    @staticmethod
    def _check(key: str, feature: Any) -> None:
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={feature}")
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}. Received feature={feature}")
        if isinstance(feature, FixedLenSequenceFeature):
            if not feature.allow_missing:
                raise ValueError(f"Unsupported: FixedLenSequenceFeature requires allow_missing to be True. Received feature={feature} for key={key}.")
        elif not as_shape(feature.shape).is_fully_defined():
            raise ValueError(
                f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature. Received feature={feature}"
            )

    def defaults(self) -> list[Tensor]:
        """A tensor for each dense feature: its default value, or one without elements."""
        found: list[Tensor] = []
        for (key, feature), dtype, shape in zip(self._dense.items(), self.dense_types, self.dense_shapes, strict=True):
            value = feature.default_value
            named = "key_" + re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)
            if isinstance(feature, FixedLenSequenceFeature):
                value = (b"" if dtype.is_string else 0) if value is None else value
                found.append(convert_to_tensor(value, dtype, named))
            elif value is None:
                found.append(constant(np.zeros(0, object if dtype.is_string else dtype.numpy), dtype))
            elif isinstance(value, Tensor):
                found.append(value)
            else:
                found.append(reshape(convert_to_tensor(value, dtype, named), shape.as_list()))
        return found

    def by_key(self, outputs: list[Tensor]) -> dict[str, Any]:
        """The outputs of the operation under their keys."""
        count = len(self._sparse)
        sparse = [SparseTensor(*outputs[index : 3 * count : count]) for index in range(count)]
        found = dict(zip(self.sparse_keys, sparse, strict=True)) | dict(zip(self.dense_keys, outputs[3 * count :], strict=True))
        return found

    @property
    def are_merged(self) -> bool:
        """Whether one is made of several that are parsed."""
        return bool(self._merged)

    def merged(self, found: dict[str, Any]) -> dict[str, Any]:
        """What was asked for, of what was parsed: features of several parts merged."""
        for key, feature in sorted(self._merged.items()):
            ids = found[feature.index_key] if isinstance(feature.index_key, str) else [found[each] for each in feature.index_key]
            found[key] = sparse_merge(ids, found[feature.value_key], vocab_size=feature.size, already_sorted=feature.already_sorted)
        return {key: value for key, value in found.items() if key in self._wanted}
