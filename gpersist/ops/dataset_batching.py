"""Datasets of several elements as one: `batch` and its like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpersist.dtypes import DType
from gpersist.graph import Tensor, apply, convert_to_tensor
from gpersist.ops import dataset_structure as structure
from gpersist.ops.dataset_arguments import beside, blank, bool_of, int64_of, known_sizes, order_of, rows_of_batch, rows_of_rebatch, sizes_of
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.type_specs import RaggedTensorSpec, SparseTensorSpec, TensorSpec
from gpersist.shapes import TensorShape

if TYPE_CHECKING:
    from gpersist.ops.datasets import Dataset

__all__: list[str] = []


def batched(dataset: Dataset, batch_size: Any, drop_remainder: Any, num_parallel_calls: Any, deterministic: bool | None) -> Dataset:
    """What `Dataset.batch` does."""
    size, drops = int64_of(batch_size, "batch_size"), bool_of(drop_remainder, "drop_remainder")
    spec = structure.batched(dataset.element_spec, rows_of_batch(size, drops))
    if num_parallel_calls is None:
        return dataset._then("BatchDatasetV2", spec, size, drops, kind="_BatchDataset")
    calls = int64_of(num_parallel_calls, "num_parallel_calls")
    return dataset._then("ParallelBatchDataset", spec, size, calls, drops, deterministic=order_of(deterministic))


def padded(dataset: Dataset, batch_size: Any, padded_shapes: Any, padding_values: Any, drop_remainder: Any) -> Dataset:
    """What `Dataset.padded_batch` does."""
    specs = structure.flatten(dataset.element_spec)
    if any(not isinstance(spec, TensorSpec) for spec in specs):
        raise TypeError(
            "`padded_batch` is only supported for datasets that produce tensor elements but type spec of elements in the input dataset is not a "
            f"subclass of TensorSpec: `{dataset.element_spec}`."
        )
    if padded_shapes is None:
        if any(spec.shape.rank is None for spec in specs):
            raise ValueError(f"You must provide `padded_shapes` argument because component of dataset element has unknown rank: {dataset!r}")
        wanted: list[Any] = [spec.shape for spec in specs]
    else:
        wanted = beside(dataset.element_spec, padded_shapes)
    fills = [None] * len(specs) if padding_values is None else beside(dataset.element_spec, padding_values)
    size = int64_of(batch_size, "batch_size")
    shapes = [sizes_of(shape) for shape in wanted]
    values = [
        convert_to_tensor(blank(spec) if fill is None else fill, spec.dtype, name="padding_value") for spec, fill in zip(specs, fills, strict=True)
    ]
    drops = bool_of(drop_remainder, "drop_remainder")
    rows = rows_of_batch(size, drops)
    filled = [TensorSpec(TensorShape([rows]).concatenate(known_sizes(shape)), each.dtype) for shape, each in zip(shapes, specs, strict=True)]
    spec = structure.pack(dataset.element_spec, filled)
    inputs = (dataset._variant_tensor, size, shapes, values, drops)
    variant = apply("PaddedBatchDatasetV2", *inputs, output_shapes=structure.shapes(spec), name="PaddedBatchDatasetV2")
    found = dataset._like(variant, spec)
    found._kind = "_PaddedBatchDataset"
    return found


def ragged(dataset: Dataset, batch_size: Any, drop_remainder: Any, row_splits_dtype: DType) -> Dataset:
    """What `Dataset.ragged_batch` does."""

    def is_kept(leaf: Any) -> bool:
        return not isinstance(leaf, (Tensor, TensorSpec)) or leaf.shape.rank is None or leaf.shape.is_fully_defined()

    def spec_of(leaf: Any) -> Any:
        if is_kept(leaf):
            return leaf
        levels = max(axis for axis, size in enumerate(leaf.shape.as_list()) if size is None)
        return RaggedTensorSpec(leaf.shape, leaf.dtype, levels, row_splits_dtype)

    def row_of(leaf: Any) -> Any:
        if is_kept(leaf):
            return leaf
        levels = spec_of(leaf).ragged_rank
        found = RaggedTensor.from_tensor(leaf, ragged_rank=levels, row_splits_dtype=row_splits_dtype) if levels else leaf
        return structure.tensor_of(spec_of(leaf), found)

    def to_ragged_variant(*element: Any) -> Any:
        return structure.mapped(row_of, element if type(dataset.element_spec) is tuple else element[0])

    found = dataset.map(to_ragged_variant)
    found.element_spec = structure.mapped(spec_of, dataset.element_spec)
    return batched(found, batch_size, drop_remainder, None, None)


def rebatched(dataset: Dataset, batch_size: Any, drop_remainder: Any) -> Dataset:
    """What `Dataset.rebatch` does."""
    rows = rows_of_rebatch(dataset.element_spec, int64_of(batch_size, "batch_sizes"), bool_of(drop_remainder, "drop_remainder"))
    spec = structure.batched(structure.unbatched(dataset.element_spec), rows)
    return dataset.map(_normalize)._then("RebatchDatasetV2", spec, batch_size, drop_remainder, kind="_RebatchDataset")


def sparse(dataset: Dataset, batch_size: Any, row_shape: Any) -> Dataset:
    """What `Dataset.sparse_batch` does."""
    if not isinstance(dataset.element_spec, TensorSpec):
        raise TypeError(
            "`dense_to_sparse_batch` requires an input dataset whose elements have a single component, but the given dataset has the following "
            f"component types: {dataset.output_types}."
        )
    spec = SparseTensorSpec(TensorShape([None]).concatenate(row_shape), dataset.element_spec.dtype)
    return dataset._then("DenseToSparseBatchDataset", spec, batch_size, sizes_of(row_shape))


def unbatched(dataset: Dataset) -> Dataset:
    """What `Dataset.unbatch` does."""
    return dataset.map(_normalize)._then("UnbatchDataset", structure.unbatched(dataset.element_spec))


def _normalize(*element: Any) -> Any:
    return tuple(structure.rows_of(structure.normalized(element, "component")))


_normalize.__name__ = "normalize"  # as TensorFlow's
