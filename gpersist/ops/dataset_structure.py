"""What the elements of a dataset are made of: nests of specs. A tuple or a dict is a nest, and a list is a tensor."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gpersist.dtypes import DType, as_dtype, variant
from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor, apply_op, convert_to_tensor
from gpersist.ops.constants import constant
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.joining import stack, unstack
from gpersist.ops.sparse_serialization import serialize_many_sparse, serialize_sparse
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__: list[str] = []


@dataclasses.dataclass(frozen=True, repr=False)
class TensorSpec:
    """A tensor of an element.

    Attributes:
        shape: what is known of it.
        dtype: its type.
    """

    shape: TensorShape
    dtype: DType

    kind = Tensor

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name=None)"

    @property
    def flat(self) -> tuple[DType, TensorShape]:
        """Type and shape of the tensor that stands for it in an operation."""
        return self.dtype, self.shape

    def value_of(self, tensor: Tensor) -> Tensor:
        """What such a tensor stands for."""
        return tensor


@dataclasses.dataclass(frozen=True, repr=False)
class SparseTensorSpec:
    """A sparse tensor of an element, which in operations is three variants.

    Attributes:
        shape: what is known of it.
        dtype: of its values.
    """

    shape: TensorShape
    dtype: DType

    kind = SparseTensor
    flat = (variant, unknown_shape())

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self.shape!r}, {self.dtype!r})"

    def value_of(self, tensor: Tensor) -> SparseTensor:
        """What a tensor of variants stands for."""
        indices, values, dense_shape = apply_op("DeserializeSparse", tensor, dtype=self.dtype).outputs
        indices.set_shape([None, self.shape.rank])
        sizes = [None] if self.shape.rank is None else self.shape.as_list()
        if self.shape.is_fully_defined():
            dense_shape = convert_to_tensor(sizes, "int64", name="shape")
        elif any(size is not None for size in sizes):
            pieces = unstack(dense_shape, num=len(sizes))
            dense_shape = stack([piece if size is None else constant(size, "int64") for piece, size in zip(pieces, sizes, strict=True)])
        else:
            dense_shape.set_shape([self.shape.rank])
        return SparseTensor(indices, values, dense_shape)


@dataclasses.dataclass(frozen=True, repr=False)
class DatasetSpec:
    """A dataset in an element.

    Attributes:
        element_spec: of its elements.
    """

    element_spec: Any

    shape = TensorShape(())
    dtype = variant
    flat = (variant, TensorShape(()))

    @property
    def kind(self) -> DatasetSpec:
        """What stands for a class in `output_classes`, and for a type and a shape."""
        return self

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r}, TensorShape([]))"


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
    return [spec.flat[0] for spec in flatten(nest)]


def shapes(nest: Any) -> list[TensorShape]:
    """The shape of what stands for each leaf of a nest of specs in an operation."""
    return [spec.flat[1] for spec in flatten(nest)]


def of_types(output_types: Any, output_shapes: Any = None, output_classes: Any = None) -> Any:
    """A nest of specs from nests of types, shapes and classes; shapes that are not told are not known, classes are Tensor."""
    leaves = flatten(output_types)
    shapes = [unknown_shape()] * len(leaves) if output_shapes is None else [shape for _, shape in _paired(output_types, output_shapes)]
    classes = [Tensor] * len(leaves) if output_classes is None else flatten(output_classes)
    made = [
        (SparseTensorSpec if kind is SparseTensor else TensorSpec)(as_shape(shape), as_dtype(dtype))
        for dtype, shape, kind in zip(leaves, shapes, classes, strict=True)
    ]
    return pack(output_types, made)


def spec_of(value: Tensor | SparseTensor) -> TensorSpec | SparseTensorSpec:
    """What is known of a leaf."""
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype.base_dtype)
    return TensorSpec(value.shape, value.dtype.base_dtype)


def normalized(nest: Any, name: str) -> list[Tensor | SparseTensor]:
    """The leaves of a nest of values, those that are no sparse tensors as tensors `name_0`, `name_1`, ...

    Raises:
        UnimplementedError: one is an IndexedSlices.
    """
    found: list[Tensor | SparseTensor] = []
    for number, leaf in enumerate(flatten(nest)):
        if isinstance(leaf, IndexedSlices):
            raise UnimplementedError("datasets of IndexedSlices are not there: make datasets of their indices and values")
        if isinstance(leaf, (SparseTensor, SparseTensorValue)):
            if isinstance(leaf, SparseTensorValue):
                SparseTensor.from_value(leaf)  # TensorFlow makes one to see what it is, and names are counted
            found.append(SparseTensor.from_value(leaf))
        else:
            found.append(convert_to_tensor(leaf, name=f"{name}_{number}"))
    return found


def tensors_of(leaves: Sequence[Tensor | SparseTensor]) -> list[Tensor]:
    """What stands for leaves in an operation."""
    return [serialize_sparse(SparseTensor.from_value(leaf), out_type=variant) if isinstance(leaf, SparseTensor) else leaf for leaf in leaves]


def rows_of(leaves: Sequence[Tensor | SparseTensor]) -> list[Tensor]:
    """What stands, row by row, for the rows of leaves."""
    return [serialize_many_sparse(leaf, out_type=variant) if isinstance(leaf, SparseTensor) else leaf for leaf in leaves]


def values_of(nest: Any, tensors: Sequence[Tensor]) -> Any:
    """An element of a nest of specs, of what stands for its leaves."""
    return pack(nest, [spec.value_of(tensor) for spec, tensor in zip(flatten(nest), tensors, strict=True)])


def batched(nest: Any, rows: int | None) -> Any:
    """The specs of so many elements together."""
    return mapped(lambda spec: shaped(spec, TensorShape([rows]).concatenate(spec.shape)), nest)


def unbatched(nest: Any) -> Any:
    """The specs of the rows of an element."""
    return mapped(lambda spec: shaped(spec, spec.shape[1:] if spec.shape.rank else unknown_shape()), nest)


def shaped(spec: Any, shape: TensorShape) -> Any:
    """A spec of another shape."""
    return TensorSpec(shape, variant) if isinstance(spec, DatasetSpec) else dataclasses.replace(spec, shape=shape)


def is_compatible(spec: Any, other: Any) -> bool:
    """Whether elements of one nest of specs may be elements of another one."""
    ours, theirs = flatten(spec), flatten(other)
    return len(ours) == len(theirs) and all(
        type(one) is type(another) and one.dtype == another.dtype and one.shape.is_compatible_with(another.shape)
        for one, another in zip(ours, theirs, strict=True)
    )


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
