"""Staging areas as Python has them (TensorFlow's `data_flow_ops.StagingArea`); `staging_ops` has the operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpersist.dtypes import DType
from gpersist.graph import Operation, Tensor, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.control import no_op
from gpersist.ops.passing import identity
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__: list[str] = []


class BaseStagingArea:
    """What both kinds of area have in common.

    Args:
        dtypes: of the components.
        shapes: of the components; by default any.
        names: of the components; elements are then dicts.
        shared_name: by which areas of a session are the same.
        capacity: how many elements there may be; 0 for any number.
        memory_limit: how many bytes; 0 for any number.

    Raises:
        ValueError: as many shapes, or names, as there are no types; or a name that is no text.
    """

    def __init__(
        self,
        dtypes: Sequence[DType],
        shapes: Any = None,
        names: Sequence[str] | None = None,
        shared_name: str | None = None,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        if shared_name is not None and not isinstance(shared_name, str):
            raise ValueError(f"shared_name must be a string, got {shared_name}")
        self._name = get_default_graph().unique_name(type(self).__name__) if shared_name is None else shared_name
        self._dtypes = dtypes
        for what, given in (("shapes", shapes), ("names", names)):
            if given is not None and len(given) != len(dtypes):
                raise ValueError(f"StagingArea {what} must be the same length as dtypes")
        self._shapes = [unknown_shape() for _ in dtypes] if shapes is None else [as_shape(shape) for shape in shapes]
        self._names = names
        self._room = {"capacity": capacity, "memory_limit": memory_limit}
        with name_scope(f"{self._name}_root"):
            self._place = no_op()

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def dtypes(self) -> Sequence[DType]:
        """The types of the components."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of the components."""
        return self._shapes

    @property
    def names(self) -> Sequence[str] | None:
        """The names of the components."""
        return self._names

    @property
    def capacity(self) -> int:
        """How many elements there may be; 0 for any number."""
        return self._room["capacity"]

    @property
    def memory_limit(self) -> int:
        """How many bytes there may be; 0 for any number."""
        return self._room["memory_limit"]

    def _add(self, op_type: str, *inputs: Any, name: str, is_beside: bool = True, dtypes: Any = None) -> Operation:
        """A node, where the area is if `is_beside`."""
        attrs = {"dtypes": list(self._dtypes if dtypes is None else dtypes), "shared_name": self._name, **self._room}
        if not is_beside:
            return apply_op(op_type, *inputs, name=name, **attrs)
        with get_default_graph().colocate_with(self._place):
            return apply_op(op_type, *inputs, name=name, **attrs)

    def _checked(self, values: Any, indices: Sequence[int] | None) -> tuple[list[Tensor], list[int]]:
        """The values as tensors, and which components they are."""
        if isinstance(values, Mapping):
            if not self._names:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(values) <= set(self._names):
                raise ValueError(
                    f"Keys in dictionary to put do not match names of staging area. Dictionary: {sorted(values)}Queue: {sorted(self._names)}"
                )
            indices = [index for index, name in enumerate(self._names) if name in values]
            values = [values[self._names[index]] for index in indices]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a staging area with names")
        elif indices is None:
            raise ValueError("Indices must be supplied when inserting a list of tensors")
        elif len(indices) != len(values):
            raise ValueError(f"Number of indices {len(indices)} doesn't match number of values {len(values)}")
        if len(values) > len(self._dtypes):
            raise ValueError(f"Unexpected number of inputs {len(values)} vs {len(self._dtypes)}")
        tensors = []
        for value, index in zip(values, indices, strict=True):
            dtype = self._dtypes[index]
            if value.dtype != dtype:
                raise ValueError(f"Datatypes do not match. Received val.dtype {value.dtype} and dtype {dtype}")
            value.shape.assert_is_compatible_with(self._shapes[index])
            tensors.append(convert_to_tensor(value, dtype, f"component_{index}"))
        return tensors, list(indices)

    def _moved(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Tensors on the device that nodes go to at present."""
        return list(tensors) if no_op().device == self._place.device else [identity(tensor) for tensor in tensors]

    def _given(self, tensors: Sequence[Tensor], indices: Sequence[int]) -> Any:
        found = self._moved(tensors)
        for tensor, index in zip(found, indices, strict=False):
            tensor.set_shape(self._shapes[index])
        if self._names:
            return {self._names[index]: tensor for index, tensor in zip(indices, found, strict=True)}
        return found


class StagingArea(BaseStagingArea):
    """Where elements wait between runs, first in, first out."""

    def put(self, values: Any, name: str | None = None) -> Operation:
        """An operation that adds an element: a tensor, a list of the components, or a dict of them by name."""
        given = list(values.values()) if isinstance(values, Mapping) else values if isinstance(values, (list, tuple)) else [values]
        with name_scope(name, f"{self._name}_put", given) as scope:
            tensors, _ = self._checked(values if isinstance(values, Mapping) else given, range(len(given)))
            with get_default_graph().colocate_with(self._place):
                return apply_op("Stage", tensors, shared_name=self._name, name=scope, **self._room)

    def get(self, name: str | None = None) -> Any:
        """The components of the first element, which it takes out."""
        return self._whole(self._add("Unstage", name=name or f"{self._name}_get"))

    def peek(self, index: Any, name: str | None = None) -> Any:
        """The components of an element, which stays."""
        return self._whole(self._add("StagePeek", index, name=name or f"{self._name}_peek"))

    def size(self, name: str | None = None) -> Tensor:
        """How many elements there are."""
        return self._add("StageSize", name=name or f"{self._name}_size", is_beside=False).outputs[0]

    def clear(self, name: str | None = None) -> Operation:
        """An operation that forgets all elements."""
        return self._add("StageClear", name=name or f"{self._name}_clear", is_beside=False)

    def _whole(self, op: Operation) -> Any:
        return self._given(op.outputs, range(len(self._dtypes)))


class MapStagingArea(BaseStagingArea):
    """Where elements wait by key, component by component; with `ordered` the smallest key goes first, where none is named."""

    def __init__(
        self,
        dtypes: Sequence[DType],
        shapes: Any = None,
        names: Sequence[str] | None = None,
        shared_name: str | None = None,
        ordered: bool = False,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        super().__init__(dtypes, shapes, names, shared_name, capacity, memory_limit)
        self._kind = "OrderedMap" if ordered else "Map"

    def put(self, key: Any, vals: Any, indices: Sequence[int] | None = None, name: str | None = None) -> Operation:
        """An operation that sets components of the element of a key: a dict of them by name, or a list of them with their numbers."""
        given = list(vals.values()) if isinstance(vals, Mapping) else vals if isinstance(vals, (list, tuple)) else [vals]
        with name_scope(name, f"{self._name}_put", given) as scope:
            tensors, places = self._checked(vals, indices)
            return self._add(f"{self._kind}Stage", key, places, tensors, name=scope)

    def peek(self, key: Any, indices: Sequence[Any] | None = None, name: str | None = None) -> Any:
        """Components of the element of a key, which stay."""
        places, dtypes = self._places(indices)
        op = self._add(f"{self._kind}Peek", key, places, name=name or f"{self._name}_pop", dtypes=dtypes)
        return self._given(op.outputs, places)

    def get(self, key: Any = None, indices: Sequence[Any] | None = None, name: str | None = None) -> tuple[Any, Any]:
        """A key and components of its element, which it takes out; without `key` of some element that is whole."""
        places, dtypes = self._places(indices)
        if key is not None:
            op = self._add(f"{self._kind}Unstage", key, places, name=name or f"{self._name}_get", dtypes=dtypes)
            return key, self._given(op.outputs, places)
        op = self._add(f"{self._kind}UnstageNoKey", places, name=name or f"{self._name}_get_nokey", dtypes=dtypes)
        return self._moved(op.outputs[:1])[0], self._given(op.outputs[1:], places)

    def size(self, name: str | None = None) -> Tensor:
        """How many elements are whole."""
        return self._add(f"{self._kind}Size", name=name or f"{self._name}_size", is_beside=False).outputs[0]

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """How many elements have some of their components."""
        return self._add(f"{self._kind}IncompleteSize", name=name or f"{self._name}_incomplete_size", is_beside=False).outputs[0]

    def clear(self, name: str | None = None) -> Operation:
        """An operation that forgets all elements."""
        return self._add(f"{self._kind}Clear", name=name or f"{self._name}_clear", is_beside=False)

    def _places(self, indices: Sequence[Any] | None) -> tuple[list[int], list[DType]]:
        if indices is None:
            indices = range(len(self._dtypes))
        elif not isinstance(indices, (tuple, list)):
            raise TypeError(f"Invalid indices type {type(indices)}")
        if not len(indices):
            raise ValueError("Empty indices")
        if all(isinstance(index, str) for index in indices):
            if self._names is None:
                raise ValueError(f"String indices provided {indices}, but this Staging Area was not created with names.")
            names = list(self._names)
            if not set(indices) <= set(names):
                raise ValueError(f"Named index not in Staging Area names {self._names}")
            indices = [names.index(str(name)) for name in indices]
        elif not all(isinstance(index, int) for index in indices):
            raise TypeError(f"Mixed types in indices {indices}. May only be str or int")
        return list(indices), [self._dtypes[index] for index in indices]
