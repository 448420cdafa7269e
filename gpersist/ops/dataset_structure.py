"""What the elements of a dataset are made of: nests of specs. A tuple or a dict is a nest, and a list is a tensor."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gpersist.dtypes import DType, as_dtype, variant
from gpersist.errors import UnimplementedError
from gpersist.graph import Tensor, convert_to_tensor
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.sparse_tensor import SparseTensor
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

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name=None)"


@dataclasses.dataclass(frozen=True, repr=False)
class DatasetSpec:
    """A dataset in an element.

    Attributes:
        element_spec: of its elements.
    """

    element_spec: Any

    shape = TensorShape(())
    dtype = variant

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
    """The type of each leaf of a nest of specs."""
    return [spec.dtype for spec in flatten(nest)]


def shapes(nest: Any) -> list[TensorShape]:
    """The shape of each leaf of a nest of specs."""
    return [spec.shape for spec in flatten(nest)]


def of_types(output_types: Any, output_shapes: Any = None) -> Any:
    """A nest of specs from nests of types and of shapes; shapes that are not told are not known."""
    if output_shapes is None:
        return mapped(lambda dtype: TensorSpec(unknown_shape(), as_dtype(dtype)), output_types)
    found = _paired(output_types, output_shapes)
    return pack(output_types, [TensorSpec(as_shape(shape), as_dtype(dtype)) for dtype, shape in found])


def spec_of(tensor: Tensor) -> TensorSpec:
    """What is known of a tensor."""
    return TensorSpec(tensor.shape, tensor.dtype.base_dtype)


def tensors_of(nest: Any, name: str) -> list[Tensor]:
    """The leaves of a nest of values as tensors, `name_0`, `name_1`, ...

    Raises:
        UnimplementedError: one is a sparse tensor.
    """
    found: list[Tensor] = []
    for number, leaf in enumerate(flatten(nest)):
        if isinstance(leaf, (SparseTensor, IndexedSlices)):
            raise UnimplementedError("datasets of sparse tensors are not there: make datasets of their indices, values and shapes")
        found.append(convert_to_tensor(leaf, name=f"{name}_{number}"))
    return found


def is_compatible(spec: Any, other: Any) -> bool:
    """Whether elements of one nest of specs may be elements of another one."""
    ours, theirs = flatten(spec), flatten(other)
    return len(ours) == len(theirs) and all(
        one.dtype == another.dtype and one.shape.is_compatible_with(another.shape) for one, another in zip(ours, theirs, strict=True)
    )


def _parts(nest: Any) -> list[Any] | None:
    if isinstance(nest, Mapping):
        return [nest[key] for key in sorted(nest)]
    return list(nest) if isinstance(nest, tuple) and not isinstance(nest, (SparseTensor, IndexedSlices)) else None


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
