"""SparseTensor: three tensors that say where a larger one has values, and which."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Graph, Operation, Tensor, apply, constant_shape, convert_to_tensor, get_default_graph, name_scope, register_fetch
from gpersist.ops.constants import placeholder, placeholder_with_default
from gpersist.shapes import TensorShape, as_shape

__all__ = ["SparseTensor", "SparseTensorValue", "convert_to_tensor_or_sparse_tensor", "sparse_placeholder"]


class SparseTensorValue(NamedTuple):
    """What a session gives for a `SparseTensor`, and is fed for one."""

    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor:
    """A tensor of mostly zeros (`tf.SparseTensor`).

    Args:
        indices: where the values stand: int64[n, rank].
        values: of any type: [n].
        dense_shape: the shape of the whole: int64[rank].

    Raises:
        ValueError: shapes that don't go together.
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        with name_scope(None, "SparseTensor", [value for value in (indices, values, dense_shape) if isinstance(value, Tensor)]):
            self._indices = convert_to_tensor(indices, "int64", "indices")
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(dense_shape, "int64", "dense_shape")
        self._known_shape: TensorShape | None = None
        where = self._indices.shape.with_rank(2)
        count = self._values.shape.with_rank(1)
        rank = self._dense_shape.shape.with_rank(1)
        where[:1].merge_with(count)
        where[1:].merge_with(rank)

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """A sparse tensor of a `SparseTensorValue`, or of another one's three tensors."""
        value = sparse_tensor_value
        return cls(value.indices, value.values, value.dense_shape)

    @property
    def indices(self) -> Tensor:
        """Where the values stand: int64[n, rank]."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The values: [n]."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The shape of the whole: int64[rank]."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the whole."""
        return constant_shape(self._dense_shape) if self._known_shape is None else self._known_shape

    def get_shape(self) -> TensorShape:
        """What is known of the shape of the whole."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Tells more of the shape of the whole.

        Raises:
            ValueError: it contradicts what is known.
        """
        self._known_shape = self.shape.merge_with(as_shape(shape))

    def with_values(self, new_values: Any) -> SparseTensor:
        """A sparse tensor of the same places, with other values."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    def consumers(self) -> list[Operation]:
        """The operations that take one of the three tensors."""
        return list(dict.fromkeys(op for tensor in (self._indices, self._values, self._dense_shape) for op in tensor.consumers()))

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return self._values.dtype

    @property
    def op(self) -> Operation:
        """The operation that gives the values."""
        return self._values.op

    @property
    def graph(self) -> Graph:
        """The graph that it is in."""
        return self._values.graph

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """Its value, computed in a session; see `Tensor.eval`."""
        return SparseTensorValue(*(tensor.eval(feed_dict, session) for tensor in (self._indices, self._values, self._dense_shape)))

    def __str__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"

    __repr__ = __str__


def on_values(used_name: str = "") -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Makes a function of one tensor take a `SparseTensor` as well, and give one of the same places.

    Args:
        used_name: what TensorFlow's function has called its node by then: it first tries the sparse tensor as a tensor, which uses the name up.
    """

    def wrap(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        @functools.wraps(function)
        def build(x: Any, name: str | None = None) -> Tensor:
            if not isinstance(x, SparseTensor):
                return function(x, name=name)
            if used_name:
                get_default_graph().unique_name(name or used_name)
            return x.with_values(function(x.values, name=name))  # type: ignore[return-value]  # as it was given

        return build

    return wrap


def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A sparse tensor if the value is one (`tf.convert_to_tensor_or_sparse_tensor`), else what `convert_to_tensor` makes of it.

    Raises:
        RuntimeError: a sparse tensor of another dtype.
    """
    found = SparseTensor.from_value(value) if isinstance(value, SparseTensorValue) else value
    if not isinstance(found, SparseTensor):
        return convert_to_tensor(found, dtype, name)
    if dtype is not None and not as_dtype(dtype).is_compatible_with(found.dtype):
        raise RuntimeError(f"Sparse dtype mismatch. Requested: {as_dtype(dtype).name},  Actual: {found.dtype.name}")
    return found


def sparse_tensor_of(value: Any) -> SparseTensor:
    """A sparse tensor, given as one or as its value.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        raise TypeError("Input must be a SparseTensor.")
    return value


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor whose value each run is fed (`tf.sparse_placeholder`).

    Args:
        dtype: of the values.
        shape: of the whole; a dimension may be None or -1. A tensor, too.
        name: of the scope.
    """
    part_names = {part: None if name is None else f"{name}/{part}" for part in ("shape", "shape_default", "values", "indices")}
    known: TensorShape | None = None
    if shape is None:
        rank, dense_shape = None, placeholder("int64", [None], name=part_names["shape"])
    else:
        if isinstance(shape, Tensor):
            known, default = constant_shape(shape), shape
        else:
            known = as_shape([None if size == -1 else size for size in shape])
            default = convert_to_tensor([-1 if size is None else size for size in known.as_list()], "int64", part_names["shape_default"])
        rank = known.rank
        dense_shape = placeholder_with_default(default, default.shape, name=part_names["shape"])
    values = placeholder(dtype, [None], name=part_names["values"])
    found = SparseTensor(placeholder("int64", [None, rank], name=part_names["indices"]), values, dense_shape)
    found._known_shape = known
    return found


def scaled(value: SparseTensor, dense: Any, name: str | None = None, op_name: str = "SparseDenseCwiseMul") -> SparseTensor:
    """A sparse tensor multiplied with a dense one that is broadcast to it; or divided, with another operation."""
    return value.with_values(apply(op_name, value.indices, value.values, value.dense_shape, dense, name=name))


def _operator(op_name: str, scope_name: str) -> Callable[[SparseTensor, Any], SparseTensor]:
    def operate(self: SparseTensor, other: Any) -> SparseTensor:
        with name_scope(None, scope_name, [self.indices, other]) as scope:
            return scaled(self, convert_to_tensor(other, self.dtype.base_dtype, "y"), scope, op_name)

    return operate


for _method, _op_name in (("mul", "SparseDenseCwiseMul"), ("div", "SparseDenseCwiseDiv"), ("truediv", "SparseDenseCwiseDiv")):
    setattr(SparseTensor, f"__{_method}__", _operator(_op_name, _method))


def _parts(value: SparseTensor) -> tuple[list[Any], Any]:
    return [value.indices, value.values, value.dense_shape], lambda found: SparseTensorValue(*found)


register_fetch(SparseTensor, _parts)
