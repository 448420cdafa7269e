"""What the functions of a SavedModel take and give: nests of tensors' specs, as TensorFlow 2 records them (`StructuredValue`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType, from_enum
from gpersist.errors import DataLossError
from gpersist.graph import make_ndarray
from gpersist.shapes import TensorShape, as_shape


@dataclasses.dataclass(frozen=True, repr=False)
class TensorSpec:
    """A tensor that a function takes or gives.

    Attributes:
        shape: what is known of it.
        dtype: its element type.
        name: of the argument or result; None without any.
    """

    shape: TensorShape
    dtype: DType
    name: str | None = None

    def __repr__(self) -> str:
        return f"TensorSpec(shape={shape_text(self.shape)}, dtype={self.dtype.name}, name={self.name!r})"


@dataclasses.dataclass(frozen=True)
class CompositeSpec:
    """A value made of several tensors (ragged, sparse), which is taken and given as a tuple of them.

    Attributes:
        kind: TensorFlow's name of it: "RaggedTensorSpec".
        parts: how many tensors.
    """

    kind: str
    parts: int


class NamedValues(tuple[Any, ...]):
    """A named tuple of a program that isn't here: its values, by their names too."""

    _names: tuple[str, ...]

    def __new__(cls, names: Iterable[str], values: Iterable[Any]) -> NamedValues:
        """Takes as many names as values."""
        made = super().__new__(cls, values)
        made._names = tuple(names)
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"no value {name!r}; there are {', '.join(self._names)}")
        return self[self._names.index(name)]

    def __repr__(self) -> str:
        return f"({', '.join(f'{name}={value!r}' for name, value in zip(self._names, self, strict=True))})"


Spec = TensorSpec | CompositeSpec


def shape_text(shape: TensorShape) -> str:
    """A shape as TensorFlow 2 prints it."""
    if shape.sizes is None:
        return "<unknown>"
    return f"({', '.join(map(str, shape.sizes))}{',' if len(shape.sizes) == 1 else ''})"


def decode(value: protos.StructuredValue) -> Any:
    """The nest of a message: tuples, lists, dicts, numbers, texts, None, and specs.

    Raises:
        DataLossError: a kind of value that no version of the format has.
    """
    kind = value.WhichOneof("kind")
    match kind:
        case "none_value" | None:
            return None
        case "float64_value" | "int64_value" | "string_value" | "bool_value":
            return getattr(value, kind)
        case "tensor_shape_value":
            return as_shape(value.tensor_shape_value)
        case "tensor_dtype_value":
            return from_enum(value.tensor_dtype_value, "a structure")
        case "tensor_spec_value" | "bounded_tensor_spec_value":
            spec = getattr(value, kind)
            return TensorSpec(as_shape(spec.shape), from_enum(spec.dtype, f"tensor {spec.name!r}"), spec.name or None)
        case "type_spec_value":
            spec = value.type_spec_value
            name = spec.type_spec_class_name or spec.TypeSpecClass.Name(spec.type_spec_class).title().replace("_", "")
            return CompositeSpec(name, spec.num_flat_components or _parts(spec))
        case "list_value":
            return [decode(item) for item in value.list_value.values]
        case "tuple_value":
            return tuple(decode(item) for item in value.tuple_value.values)
        case "dict_value":
            return {key: decode(value.dict_value.fields[key]) for key in sorted(value.dict_value.fields)}
        case "named_tuple_value":
            pairs = value.named_tuple_value.values
            return NamedValues([pair.key for pair in pairs], [decode(pair.value) for pair in pairs])
        case "tensor_value" | "numpy_value":
            return make_ndarray(getattr(value, kind))
    raise DataLossError(f"a structure has a value of kind {kind!r}, which is not known")


def flatten(nest: Any) -> list[Any]:
    """The leaves, in TensorFlow's order: that of tuples and lists, and of dicts' sorted keys."""
    if isinstance(nest, Mapping):
        return [leaf for key in sorted(nest) for leaf in flatten(nest[key])]
    if isinstance(nest, (tuple, list)):
        return [leaf for part in nest for leaf in flatten(part)]
    return [nest]


def specs_in(nest: Any) -> list[Spec]:
    """Those leaves that stand for tensors."""
    return [leaf for leaf in flatten(nest) if isinstance(leaf, Spec)]


def tensor_count(nest: Any) -> int:
    """How many tensors a nest stands for."""
    return sum(leaf.parts if isinstance(leaf, CompositeSpec) else 1 for leaf in specs_in(nest))


def packed(nest: Any, tensors: Iterable[Any]) -> Any:
    """A nest with tensors in the places of its specs, one after the other."""
    source = iter(tensors)

    def build(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {key: build(part[key]) for key in sorted(part)}
        if isinstance(part, NamedValues):
            return NamedValues(part._names, [build(item) for item in part])
        if isinstance(part, (tuple, list)):
            return type(part)(build(item) for item in part)
        if isinstance(part, CompositeSpec):
            return tuple(next(source) for _ in range(part.parts))
        return next(source) if isinstance(part, TensorSpec) else part

    return build(nest)


def _parts(spec: Any) -> int:
    """How many tensors a composite value is, where older versions of TensorFlow did not write it."""
    if spec.type_spec_class == spec.SPARSE_TENSOR_SPEC:
        return 3
    if spec.type_spec_class == spec.RAGGED_TENSOR_SPEC:
        rank = [item.int64_value for item in spec.type_state.tuple_value.values if item.WhichOneof("kind") == "int64_value"]
        return 1 + max(rank, default=1)
    return 1
