"""Columns of combinations of categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gpersist.dtypes import as_dtype
from gpersist.feature_columns.categorical import HashedCategoricalColumn
from gpersist.feature_columns.column import CategoricalColumn, FeatureColumn, IdWeightPair
from gpersist.feature_columns.features import Features
from gpersist.ops.parsing import VarLenFeature
from gpersist.ops.sparse_crossing import sparse_cross_hashed
from gpersist.ops.sparse_tensor import SparseTensor


class _Crossed(NamedTuple):
    keys: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: int | None


class CrossedColumn(CategoricalColumn, _Crossed):
    """Combinations of categories by their hash; see `crossed_column`."""

    @property
    def name(self) -> str:
        """Those of what is combined, in order."""
        return "_X_".join(sorted(leaf if isinstance(leaf, str) else leaf.name for leaf in self._leaves()))

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Those of what is combined."""
        found: dict[str, Any] = {}
        for key in self.keys:
            found.update(key.parse_example_spec if isinstance(key, FeatureColumn) else {key: VarLenFeature(as_dtype("string"))})
        return found

    @property
    def parents(self) -> list[Any]:
        """What is combined."""
        return list(self.keys)

    @property
    def num_buckets(self) -> int:
        """How many hashes there are."""
        return self.hash_bucket_size

    def transform_feature(self, features: Features) -> SparseTensor:
        """The hashes."""
        tensors = []
        for leaf in self._leaves():
            if isinstance(leaf, str):
                tensors.append(features.get(leaf))
                continue
            ids, weights = leaf.get_sparse_tensors(features)
            if weights is not None:
                raise ValueError(f"crossed_column does not support weight_tensor, but the given column populates it. Given column: {leaf.name}")
            tensors.append(ids)
        return sparse_cross_hashed(tensors, num_buckets=self.hash_bucket_size, hash_key=self.hash_key)

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """The hashes, without weights."""
        return IdWeightPair(features.get(self), None)

    def _leaves(self) -> Iterator[Any]:
        """What is combined, with crossed columns taken apart."""
        for key in self.keys:
            if isinstance(key, CrossedColumn):
                yield from key._leaves()
            else:
                yield key


def crossed_column(keys: Sequence[Any], hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """A column of the combinations of features' categories (`tf.feature_column.crossed_column`).

    Args:
        keys: of features, or columns of categories that are not hashed.
        hash_bucket_size: how many hashes there are.
        hash_key: of the hash function.

    Raises:
        ValueError: fewer than two, no hashes, or something else among them.
    """
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError(f"Unsupported key type. All keys must be either a feature's name or a column of categories. Given: {key}")
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError(
                f"categorical_column_with_hash_bucket is not supported for crossing: what is hashed twice collides more often. Cross {key.key!r}, "
                f"the feature's name. Given: {key}"
            )
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)
