"""Columns of categories that a vocabulary numbers: a list, or the lines of a file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType, as_dtype
from gpersist.feature_columns.categorical import OneFeatureColumn
from gpersist.feature_columns.column import check_category_type, check_same_kind, checked_key
from gpersist.feature_columns.features import Features, to_sparse
from gpersist.files import gfile
from gpersist.graph import get_default_graph
from gpersist.ops.casting import cast
from gpersist.ops.parsing import VarLenFeature
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.vocabulary_tables import index_table_from_file, index_table_from_tensor


class _VocabularyColumn(OneFeatureColumn):
    dtype: DType
    num_oov_buckets: int
    default_value: int

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Its feature."""
        return {self.key: VarLenFeature(self.dtype)}

    def transform_feature(self, features: Features) -> SparseTensor:
        """The words' numbers."""
        tensor: Any = to_sparse(features.get(self.key))
        check_same_kind(self.key, self.dtype, tensor.dtype)
        check_category_type(tensor.dtype, f"column_name: {self.key} input_tensor")
        key_dtype = self.dtype
        if tensor.dtype.is_integer:
            key_dtype = as_dtype("int64")
            tensor = cast(tensor, "int64")
        with get_default_graph().control_dependencies(None):
            table = self._table(key_dtype, f"{self.key}_lookup")
        return table.lookup(tensor)  # type: ignore[no-any-return]

    def _table(self, key_dtype: DType, name: str) -> Any:
        raise NotImplementedError


class _List(NamedTuple):
    key: str
    vocabulary_list: tuple[Any, ...]
    dtype: DType
    default_value: int
    num_oov_buckets: int


class VocabularyListCategoricalColumn(_VocabularyColumn, _List):
    """Words numbered by a list; see `categorical_column_with_vocabulary_list`."""

    @property
    def num_buckets(self) -> int:
        """The words, and the numbers for others."""
        return len(self.vocabulary_list) + self.num_oov_buckets

    def _table(self, key_dtype: DType, name: str) -> Any:
        return index_table_from_tensor(self.vocabulary_list, self.num_oov_buckets, self.default_value, dtype=key_dtype, name=name)


class _File(NamedTuple):
    key: str
    vocabulary_file: str
    vocabulary_size: int
    num_oov_buckets: int
    dtype: DType
    default_value: int
    file_format: str | None = None


class VocabularyFileCategoricalColumn(_VocabularyColumn, _File):
    """Words numbered by the lines of a file; see `categorical_column_with_vocabulary_file`."""

    @property
    def num_buckets(self) -> int:
        """The words, and the numbers for others."""
        return self.vocabulary_size + self.num_oov_buckets

    def _table(self, key_dtype: DType, name: str) -> Any:
        return index_table_from_file(
            self.vocabulary_file, self.num_oov_buckets, self.vocabulary_size, self.default_value, key_dtype=key_dtype, name=name
        )


def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Sequence[Any], dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> VocabularyListCategoricalColumn:
    """A column of words, numbered by a list (`tf.feature_column.categorical_column_with_vocabulary_list`).

    Args:
        key: of the feature; "" or -1 in a dense one is none.
        vocabulary_list: words or integers.
        dtype: of the feature; by default that of the list.
        default_value: the number of others; -1 for none.
        num_oov_buckets: how many numbers after the list's others get, by hash.

    Raises:
        ValueError: no words, one twice, another type, or both ways for others.
    """
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    if len(set(vocabulary_list)) != len(vocabulary_list):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    own = as_dtype(np.array(vocabulary_list).dtype)
    _check_others(num_oov_buckets, default_value != -1, key)
    check_category_type(own, f"column_name: {key} vocabulary")
    found = own if dtype is None else as_dtype(dtype)
    if found.is_integer != own.is_integer:
        raise ValueError(f"dtype {found} and vocabulary dtype {own} do not match, column_name: {key}")
    check_category_type(found, f"column_name: {key}")
    return VocabularyListCategoricalColumn(checked_key(key), tuple(vocabulary_list), found, default_value, num_oov_buckets)


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str,
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = "string",
) -> VocabularyFileCategoricalColumn:
    """A column of words, numbered by the lines of a file (`tf.feature_column.categorical_column_with_vocabulary_file`).

    Args:
        key: of the feature; "" or -1 in a dense one is none.
        vocabulary_file: of a word a line; an asset of a SavedModel.
        vocabulary_size: how many lines; by default all, which are counted now.
        num_oov_buckets: how many numbers after the file's others get, by hash.
        default_value: the number of others; by default -1, none.
        dtype: of the feature: text or integers.

    Raises:
        ValueError: no file, another type, or both ways for others.
    """
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    if vocabulary_size is None:
        if not gfile.exists(vocabulary_file):
            raise ValueError(f"vocabulary_file in {key} does not exist: {vocabulary_file}")
        with gfile.GFile(vocabulary_file, mode="rb") as file:
            vocabulary_size = sum(1 for _ in file)
        logging.getLogger("gpersist").info(
            "vocabulary_size = %d in %s is inferred from the number of elements in the vocabulary_file %s.", vocabulary_size, key, vocabulary_file
        )
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}.")
    _check_others(num_oov_buckets, default_value is not None, key)
    found = as_dtype(dtype)
    check_category_type(found, f"column_name: {key}")
    return VocabularyFileCategoricalColumn(
        checked_key(key), vocabulary_file, vocabulary_size, num_oov_buckets or 0, found, -1 if default_value is None else default_value
    )


def _check_others(num_oov_buckets: int | None, has_default: bool, key: str) -> None:
    if not num_oov_buckets:
        return
    if has_default:
        raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
    if num_oov_buckets < 0:
        raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")
