"""Datasets of serialized `Example` messages as datasets of their features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gpersist.dtypes import string, variant
from gpersist.graph import Context
from gpersist.ops import dataset_structure as structure
from gpersist.ops.dataset_ops import TYPED, make
from gpersist.ops.dataset_values import DatasetValue, Element
from gpersist.ops.examples import ParseExampleV2
from gpersist.ops.parsing import Parts
from gpersist.ops.sparse_serialization import SerializeSparse
from gpersist.ops.type_specs import SparseTensorSpec, TensorSpec
from gpersist.shapes import TensorShape

if TYPE_CHECKING:
    from gpersist.ops.datasets import Dataset

__all__: list[str] = []


def _parse(ctx: Context, source: DatasetValue, num_parallel_calls: Any, defaults: list[Any]) -> DatasetValue:
    sparse_keys, dense_keys = ctx.op.attr("sparse_keys"), ctx.op.attr("dense_keys")
    kinds = {name: ctx.op.attr(name) for name in ("sparse_types", "Tdense", "dense_shapes")}

    def opened(element: Element) -> Element:
        nothing = np.empty(0, object)
        keys = (_texts(sparse_keys), _texts(dense_keys), nothing)
        found = ParseExampleV2.run(np, element[0], nothing, *keys, defaults, **kinds, ragged_value_types=[], ragged_split_types=[])
        count = len(sparse_keys)
        by_key: dict[bytes, Any] = dict(zip(dense_keys, found[3 * count :], strict=True))
        for index, key in enumerate(sparse_keys):
            by_key[key] = SerializeSparse.run(np, *found[index : 3 * count : count], out_type=variant)
        return tuple(by_key[key] for key in sorted(by_key))

    def begin() -> Iterator[Element]:
        return map(opened, iter(source))

    return DatasetValue(begin, source.size)


def _texts(keys: list[bytes]) -> Any:
    found = np.empty(len(keys), object)
    found[:] = keys
    return found


_ONE_OF = "list({float, int64, string}) >= 0"
_FEATURES = (
    f"sparse_keys: list(string) >= 0, dense_keys: list(string) >= 0, sparse_types: {_ONE_OF}, Tdense: {_ONE_OF}, "
    f"dense_shapes: list(shape) >= 0, {TYPED}"
)
_INPUTS = "input_dataset: variant, num_parallel_calls: int64, dense_defaults: Tdense"
for _name, _more in (
    ("ExperimentalParseExampleDataset", ", sloppy: bool = false"),
    ("ParseExampleDataset", ", sloppy: bool = false"),
    ("ParseExampleDatasetV2", ", deterministic: string = 'default'"),
):
    make(_name, _INPUTS, _FEATURES + _more, _parse, "Batches of examples taken apart.")


def parsed(dataset: Dataset, features: Mapping[str, Any], num_parallel_calls: Any, deterministic: str) -> Dataset:
    """What `parse_example_dataset` makes of a dataset of vectors of text."""
    if not structure.is_compatible(dataset.element_spec, TensorSpec(TensorShape([None]), string)):
        raise TypeError(f"Input dataset should be a dataset of vectors of strings. Instead it is `{dataset.element_spec}`.")
    parts = Parts(features)
    rows = dataset.element_spec.shape
    sparse = {key: SparseTensorSpec(rows.concatenate([None]), dtype) for key, dtype in zip(parts.sparse_keys, parts.sparse_types, strict=True)}
    kinds = zip(parts.dense_types, parts.dense_shapes, strict=True)
    dense = {key: TensorSpec(rows.concatenate(shape), dtype) for key, (dtype, shape) in zip(parts.dense_keys, kinds, strict=True)}
    found = dataset._then(
        "ParseExampleDatasetV2",
        sparse | dense,
        num_parallel_calls,
        parts.defaults(),
        sparse_keys=parts.sparse_keys,
        dense_keys=parts.dense_keys,
        sparse_types=parts.sparse_types,
        dense_shapes=parts.dense_shapes,
        deterministic=deterministic,
        kind="_ParseExampleDataset",
    )
    return found.map(parts.merged) if parts.are_merged else found
