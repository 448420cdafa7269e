"""Serialized `SequenceExample` messages as tensors, by features that say which (`tf.io.parse_sequence_example`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Tensor, apply_op, convert_to_tensor, name_scope
from gpersist.ops.constants import constant
from gpersist.ops.parsing import FixedLenFeature, FixedLenSequenceFeature, VarLenFeature
from gpersist.ops.shaping import reshape
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape, as_shape

__all__ = ["parse_sequence_example", "parse_single_sequence_example"]


class _Keys:
    """Features in the order of their keys, sparse and dense ones apart."""

    def __init__(self, features: Mapping[str, Any] | None, kinds: tuple[type, ...]) -> None:
        self.sparse: list[tuple[str, DType]] = []
        self.dense: list[tuple[str, DType, TensorShape]] = []
        self.defaults: dict[str, Any] = {}
        for key in sorted(features or ()):
            feature: Any = (features or {})[key]
            if not any(isinstance(feature, kind) for kind in kinds):
                raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'")
            if not feature.dtype:
                raise ValueError(f"Missing type for feature {key}. Received feature={feature}")
            if isinstance(feature, VarLenFeature):
                self.sparse.append((key, as_dtype(feature.dtype)))
                continue
            self._add_dense(key, feature)

    def _add_dense(self, key: str, feature: Any) -> None:
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}. Received feature={feature}.")
        shape = as_shape(feature.shape)
        if isinstance(feature, FixedLenFeature) and not shape.is_fully_defined():
            raise ValueError(
                f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature. Received feature={feature}."
            )
        self.dense.append((key, as_dtype(feature.dtype), shape))
        if getattr(feature, "allow_missing", False):
            self.defaults[key] = None
        if feature.default_value is not None:
            self.defaults[key] = feature.default_value

    def default_tensors(self) -> list[Tensor]:
        """A tensor for each dense feature: its default value, or one without elements."""
        found: list[Tensor] = []
        for key, dtype, shape in self.dense:
            value = self.defaults.get(key)
            if value is None:
                found.append(constant(np.zeros(0, object if dtype.is_string else dtype.numpy), dtype))
            elif isinstance(value, Tensor):
                found.append(value)
            else:
                named = "key_" + re.sub(r"[^A-Za-z0-9_.\-/]", "_", key)
                found.append(reshape(convert_to_tensor(value, dtype, named), shape.as_list()))
        return found


class _Parsed(NamedTuple):
    context: dict[str, Any]
    lists: dict[str, Any]
    lengths: dict[str, Tensor]


def _keys_of(context_features: Mapping[str, Any] | None, sequence_features: Mapping[str, Any] | None) -> tuple[_Keys, _Keys]:
    return _Keys(context_features, (VarLenFeature, FixedLenFeature)), _Keys(sequence_features, (VarLenFeature, FixedLenSequenceFeature))


def _texts(keys: list[Any]) -> Any:
    return np.array([key[0].encode() for key in keys], object) if keys else np.zeros(0, object)


def _parsed(serialized: Any, names: Any, context: _Keys, lists: _Keys, name: str | None) -> _Parsed:
    with name_scope(name, "ParseSequenceExample", [serialized]):
        for key, value in lists.defaults.items():
            if value is not None:
                raise ValueError(f"Value feature_list.dense_defaults[{key}] must be None")
        given = convert_to_tensor(serialized, name="serialized")
        none = np.zeros(0, object)
        outputs = apply_op(
            "ParseSequenceExampleV2",
            given,
            none if names is None else names,
            _texts(context.sparse),
            _texts(context.dense),
            none,
            _texts(lists.sparse),
            _texts(lists.dense),
            none,
            np.array([key in lists.defaults for key, _, _ in lists.dense], bool),
            context.default_tensors(),
            Ncontext_sparse=len(context.sparse),
            Nfeature_list_sparse=len(lists.sparse),
            Nfeature_list_dense=len(lists.dense),
            Tcontext_dense=[dtype for _, dtype, _ in context.dense],
            context_sparse_types=[dtype for _, dtype in context.sparse],
            context_ragged_value_types=[],
            context_ragged_split_types=[],
            feature_list_dense_types=[dtype for _, dtype, _ in lists.dense],
            feature_list_sparse_types=[dtype for _, dtype in lists.sparse],
            feature_list_ragged_value_types=[],
            feature_list_ragged_split_types=[],
            context_dense_shapes=[shape for _, _, shape in context.dense],
            feature_list_dense_shapes=[shape for _, _, shape in lists.dense],
            name=name,
        ).outputs
    places = iter(outputs)

    def taken(count: int) -> list[Tensor]:
        return [next(places) for _ in range(count)]

    def sparse(count: int) -> list[SparseTensor]:
        parts = taken(3 * count)
        return [SparseTensor(*parts[number::count]) for number in range(count)]

    found = dict(zip([key for key, _ in context.sparse], sparse(len(context.sparse)), strict=True))
    dense = dict(zip([key for key, _, _ in context.dense], taken(len(context.dense)), strict=True))
    of_lists = dict(zip([key for key, _ in lists.sparse], sparse(len(lists.sparse)), strict=True))
    keys = [key for key, _, _ in lists.dense]
    dense_lists = dict(zip(keys, taken(len(keys)), strict=True))
    return _Parsed({**found, **dense}, {**of_lists, **dense_lists}, dict(zip(keys, taken(len(keys)), strict=True)))


def parse_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """A batch of sequence examples as tensors (`tf.io.parse_sequence_example`).

    Args:
        serialized: `SequenceExample` messages, serialized: a vector of text.
        context_features: by key a `FixedLenFeature` or `VarLenFeature` of the whole.
        sequence_features: by key a `FixedLenSequenceFeature` or `VarLenFeature` of the steps.
        example_names: names of the examples, told in errors.
        name: of the scope.

    Returns:
        The features of the whole, those of the steps, and for the dense ones of these how many steps each example has; each by key.

    Raises:
        ValueError: no features, one that says too little, or one of another kind.
    """
    if not (context_features or sequence_features):
        raise ValueError("Both `context_features` and `sequence_features` argument are None, but at least one should have values.")
    context, lists = _keys_of(context_features, sequence_features)
    with name_scope(name, "ParseSequenceExample", [value for value in (serialized, example_names) if isinstance(value, Tensor)]):
        return tuple(_parsed(serialized, example_names, context, lists, name))  # type: ignore[return-value]  # three dictionaries


def parse_single_sequence_example(
    serialized: Any,
    context_features: Mapping[str, Any] | None = None,
    sequence_features: Mapping[str, Any] | None = None,
    example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One sequence example as tensors (`tf.parse_single_sequence_example`); `serialized` is a scalar, else see `parse_sequence_example`."""
    if not (context_features or sequence_features):
        raise ValueError("Both context_features and sequence_features are None, but at least one should have values.")
    context, lists = _keys_of(context_features, sequence_features)
    with name_scope(name, "ParseSingleSequenceExample", [value for value in (serialized, example_name) if isinstance(value, Tensor)]):
        with name_scope(name, "ParseSingleExample", []):
            given = convert_to_tensor(serialized, name="serialized")
            given.shape.assert_has_rank(0)
        found = _parsed(given, example_name, context, lists, name)
        return found.context, found.lists
