"""What the elements of a dataset are made of: nests of specs. A tuple or a dict is a nest, and a list is a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gpersist.dtypes import DType, as_dtype, int64, variant
from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.constants import constant
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.joining import stack, unstack
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.ragged_tensor_value import RaggedTensorValue
from gpersist.ops.sparse_serialization import serialize_many_sparse, serialize_sparse
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue
from gpersist.ops.type_specs import RaggedTensorSpec, SparseTensorSpec, TensorSpec, TypeSpec, type_spec_from_value
from gpersist.shapes import ShapeLike, TensorShape, as_shape, unknown_shape

__all__ = ["DatasetSpec"]


class DatasetSpec(TypeSpec):
    """Of a dataset (`tf.data.DatasetSpec`), which may be a part of an element.

    Args:
        element_spec: a nest of specs of its elements.
        dataset_shape: what is known of the shape, if there are several.
    """

    __slots__ = ("_element_spec", "_shape")

    def __init__(self, element_spec: Any, dataset_shape: ShapeLike = ()) -> None:
        self._element_spec, self._shape = element_spec, TensorShape(dataset_shape)

    element_spec = property(lambda self: self._element_spec, doc="A nest of specs of its elements.")
    value_type = property(lambda self: object, doc="The class of the values; datasets are of several.")

    @classmethod
    def from_value(cls, value: Any) -> DatasetSpec:
        """What is known of a dataset."""
        return cls(value.element_spec)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a dataset, or one of another spec, has such elements."""
        other = spec_or_value if isinstance(spec_or_value, TypeSpec) else type_spec_from_value(spec_or_value)
        return type(self) is type(other) and is_compatible(self._element_spec, other._element_spec)

    def _serialize(self) -> tuple[Any, ...]:
        return self._element_spec, self._shape


def flatten(nest: Any) -> list[Any]:
    """The leaves of a nest, in order."""
    parts = _parts(nest)
    return [nest] if parts is None else [leaf for part in parts for leaf in flatten(part)]


def pack(nest: Any, leaves: Sequence[Any]) -> Any:
    """A nest like another one, with these leaves."""
    return _packed(nest, iter(leaves))


def mapped(function: Callable[[Any], Any], nest: Any) -> Any:
    """A nest of what a function makes of each leaf."""
    return pack(nest, [function(leaf) for leaf in flatten(nest)])


def types(nest: Any) -> list[DType]:
    """The type of what stands for each leaf of a nest of specs in an operation."""
    return [spec.dtype if isinstance(spec, TensorSpec) else variant for spec in flatten(nest)]


def shapes(nest: Any) -> list[TensorShape]:
    """The shape of what stands for each leaf of a nest of specs in an operation."""
    return [_flat_shape(spec) for spec in flatten(nest)]


def legacy_types(nest: Any) -> Any:
    """The nest of types that TensorFlow 1 tells of a nest of specs; what has none stands for itself."""
    return mapped(lambda spec: spec if isinstance(spec, DatasetSpec) else spec.dtype, nest)


def legacy_shapes(nest: Any) -> Any:
    """The nest of shapes that TensorFlow 1 tells of a nest of specs; what has none stands for itself."""
    return mapped(lambda spec: spec if isinstance(spec, DatasetSpec) else spec.shape, nest)


def legacy_classes(nest: Any) -> Any:
    """The nest of classes that TensorFlow 1 tells of a nest of specs; what it had no class for then stands for itself."""
    return mapped(lambda spec: spec.value_type if isinstance(spec, (TensorSpec, SparseTensorSpec)) else spec, nest)


def of_types(output_types: Any, output_shapes: Any = None, output_classes: Any = None) -> Any:
    """A nest of specs from nests of types, shapes and classes; shapes that are not told are not known, classes are Tensor."""
    leaves = flatten(output_types)
    shapes = [unknown_shape()] * len(leaves) if output_shapes is None else [shape for _, shape in _paired(output_types, output_shapes)]
    classes = [Tensor] * len(leaves) if output_classes is None else flatten(output_classes)
    return pack(output_types, [_of_class(*each) for each in zip(classes, leaves, shapes, strict=True)])


def _of_class(kind: Any, dtype: Any, shape: Any) -> TypeSpec:
    if isinstance(kind, TypeSpec):
        return kind
    return (SparseTensorSpec if kind is SparseTensor else TensorSpec)(as_shape(shape), as_dtype(dtype))


def spec_of(value: Tensor | SparseTensor | RaggedTensor) -> TypeSpec:
    """What is known of a leaf."""
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype.base_dtype)
    return RaggedTensorSpec.from_value(value) if isinstance(value, RaggedTensor) else TensorSpec(value.shape, value.dtype.base_dtype)


def normalized(nest: Any, name: str) -> list[Any]:
    """The leaves of a nest of values: sparse and ragged tensors, and the others as tensors `name_0`, `name_1`, ...

    Raises:
        UnimplementedError: one is an IndexedSlices.
    """
    found: list[Any] = []
    for number, leaf in enumerate(flatten(nest)):
        if isinstance(leaf, IndexedSlices):
            raise UnimplementedError("datasets of IndexedSlices are not there: make datasets of their indices and values")
        if isinstance(leaf, (SparseTensor, SparseTensorValue)):
            if isinstance(leaf, SparseTensorValue):
                SparseTensor.from_value(leaf)  # TensorFlow makes one to see what it is, and names are counted
            found.append(SparseTensor.from_value(leaf))
        elif isinstance(leaf, (RaggedTensor, RaggedTensorValue)):
            found.append(_ragged(leaf))
        else:
            found.append(convert_to_tensor(leaf, name=f"{name}_{number}"))
    return found


def _ragged(leaf: RaggedTensor | RaggedTensorValue) -> RaggedTensor:
    if isinstance(leaf, RaggedTensor):
        return leaf
    return RaggedTensor.from_nested_row_splits(convert_to_tensor(leaf.flat_values, name="flat_values"), leaf.nested_row_splits, validate=False)


def tensors_of(leaves: Sequence[Any]) -> list[Tensor]:
    """What stands for leaves in an operation."""
    return [_tensor_of(leaf, is_rows=False) for leaf in leaves]


def rows_of(leaves: Sequence[Any]) -> list[Tensor]:
    """What stands, row by row, for the rows of leaves."""
    return [_tensor_of(leaf, is_rows=True) for leaf in leaves]


def _tensor_of(leaf: Any, *, is_rows: bool) -> Tensor:
    if isinstance(leaf, SparseTensor):
        return serialize_many_sparse(leaf, out_type=variant) if is_rows else serialize_sparse(SparseTensor.from_value(leaf), out_type=variant)
    if isinstance(leaf, RaggedTensor):
        with name_scope("RaggedToVariant"):
            return apply("RaggedTensorToVariant", list(leaf.nested_row_splits), leaf.flat_values, batched_input=is_rows)
    return leaf  # type: ignore[no-any-return]  # a tensor


def component_types(spec: Any) -> list[DType]:
    """The types of the tensors that a leaf is made of."""
    if isinstance(spec, SparseTensorSpec):
        return [int64, spec.dtype, int64]
    return [*[spec.row_splits_dtype] * spec.ragged_rank, spec.dtype] if isinstance(spec, RaggedTensorSpec) else [spec.dtype]


def of_components(nest: Any, tensors: Sequence[Tensor]) -> list[Any]:
    """The leaves of a nest of specs, of the tensors that they are made of."""
    given = iter(tensors)
    found: list[Any] = []
    for spec in flatten(nest):
        own: list[Any] = [next(given) for _ in component_types(spec)]
        if isinstance(spec, SparseTensorSpec):
            found.append(SparseTensor(*own))
        else:
            found.append(RaggedTensor.from_nested_row_splits(own[-1], own[:-1], validate=False) if len(own) > 1 else tensor_of(spec, own[0]))
    return found


def tensor_of(spec: Any, leaf: Any) -> Tensor:
    """What stands for a leaf of a spec in an operation; a tensor may be a row of a ragged one."""
    if isinstance(spec, RaggedTensorSpec) and isinstance(leaf, Tensor):
        return apply("RaggedTensorToVariant", [], leaf, batched_input=False, Tsplits=spec.row_splits_dtype)
    return _tensor_of(leaf, is_rows=False)


def value_of(spec: Any, tensor: Tensor) -> Any:
    """The leaf of a spec that a tensor of an operation stands for."""
    if isinstance(spec, SparseTensorSpec):
        return _sparse_of(spec, tensor)
    return _ragged_of(spec, tensor) if isinstance(spec, RaggedTensorSpec) else tensor


def _sparse_of(spec: SparseTensorSpec, tensor: Tensor) -> SparseTensor:
    shape = spec.shape
    indices, values, dense_shape = apply_op("DeserializeSparse", tensor, dtype=spec.dtype).outputs
    indices.set_shape([None, shape.rank])
    sizes = [None] if shape.rank is None else shape.as_list()
    if shape.is_fully_defined():
        dense_shape = convert_to_tensor(sizes, "int64", name="shape")
    elif any(size is not None for size in sizes):
        pieces = unstack(dense_shape, num=len(sizes))
        dense_shape = stack([piece if size is None else constant(size, "int64") for piece, size in zip(pieces, sizes, strict=True)])
    else:
        dense_shape.set_shape([shape.rank])
    return SparseTensor(indices, values, dense_shape)


def _ragged_of(spec: RaggedTensorSpec, tensor: Tensor) -> Any:
    rank = spec.ragged_rank
    with name_scope("RaggedFromVariant"):
        made = apply_op(
            "RaggedTensorFromVariant",
            tensor,
            input_ragged_rank=-1,
            output_ragged_rank=rank,
            Tvalues=spec.dtype,
            Tsplits=spec.row_splits_dtype,
        )
    found: Any
    *levels, found = made.outputs
    sizes = spec.shape
    if not rank:
        found.set_shape(sizes)
    elif sizes.rank is not None:
        found.set_shape(TensorShape([None]).concatenate(sizes[rank + 1 :]))
        levels[0].set_shape([None if sizes.as_list()[0] is None else sizes.as_list()[0] + 1])
    for splits in reversed(levels):
        found = RaggedTensor(found, splits)
    return found


def values_of(nest: Any, tensors: Sequence[Tensor]) -> Any:
    """An element of a nest of specs, of what stands for its leaves."""
    return pack(nest, [value_of(spec, tensor) for spec, tensor in zip(flatten(nest), tensors, strict=True)])


def batched(nest: Any, rows: int | None) -> Any:
    """The specs of so many elements together."""

    def together(spec: Any) -> Any:
        shape = TensorShape([rows]).concatenate(shape_of(spec))
        if isinstance(spec, RaggedTensorSpec):
            return RaggedTensorSpec(shape, spec.dtype, spec.ragged_rank + 1, spec.row_splits_dtype)
        return shaped(spec, shape)

    return mapped(together, nest)


def unbatched(nest: Any) -> Any:
    """The specs of the rows of an element."""

    def row(spec: Any) -> Any:
        shape = shape_of(spec)[1:] if shape_of(spec).rank else unknown_shape()
        if isinstance(spec, RaggedTensorSpec):
            return RaggedTensorSpec(shape, spec.dtype, max(spec.ragged_rank - 1, 0), spec.row_splits_dtype)
        return shaped(spec, shape)

    return mapped(row, nest)


def shape_of(spec: Any) -> TensorShape:
    """The shape of a leaf of an element; a dataset is a scalar."""
    return TensorShape(()) if isinstance(spec, DatasetSpec) else spec.shape


def shaped(spec: Any, shape: TensorShape) -> Any:
    """A spec of another shape."""
    if isinstance(spec, RaggedTensorSpec):
        return RaggedTensorSpec(shape, spec.dtype, spec.ragged_rank, spec.row_splits_dtype)
    return TensorSpec(shape, variant) if isinstance(spec, DatasetSpec) else type(spec)(shape, spec.dtype)


def common(one: Any, other: Any) -> Any:
    """What is true of elements of two nests of specs.

    Raises:
        ValueError: they differ in more than sizes.
    """
    ours, theirs = flatten(one), flatten(other)
    return pack(one, [mine.most_specific_compatible_type(another) for mine, another in zip(ours, theirs, strict=True)])


def is_compatible(spec: Any, other: Any) -> bool:
    """Whether elements of one nest of specs may be elements of another one."""
    ours, theirs = flatten(spec), flatten(other)
    return len(ours) == len(theirs) and all(one.is_compatible_with(another) for one, another in zip(ours, theirs, strict=True))


def _flat_shape(spec: Any) -> TensorShape:
    return unknown_shape() if isinstance(spec, (SparseTensorSpec, RaggedTensorSpec)) else shape_of(spec)


def _parts(nest: Any) -> list[Any] | None:
    if isinstance(nest, Mapping):
        return [nest[key] for key in sorted(nest)]
    return list(nest) if isinstance(nest, tuple) and not isinstance(nest, (SparseTensor, SparseTensorValue, IndexedSlices)) else None


def _packed(nest: Any, leaves: Iterator[Any]) -> Any:
    parts = _parts(nest)
    if parts is None:
        return next(leaves)
    made = [_packed(part, leaves) for part in parts]
    kind: Any = type(nest)
    if isinstance(nest, Mapping):
        found = dict(zip(sorted(nest), made, strict=True))
        return kind((key, found[key]) for key in nest)
    return kind(*made) if hasattr(nest, "_fields") else tuple(made)


def _paired(output_types: Any, output_shapes: Any) -> list[tuple[Any, Any]]:
    """Types and the shapes beside them; a shape may be a tuple or a list of sizes."""
    parts = _parts(output_types)
    if parts is None:
        return [(output_types, output_shapes)]
    others = [output_shapes[key] for key in sorted(output_types)] if isinstance(output_types, Mapping) else output_shapes
    return [pair for part, other in zip(parts, others, strict=True) for pair in _paired(part, other)]
