"""Iterators of datasets: what keeps, in a session, how far a dataset has been read. `data` has the Python class."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import FailedPreconditionError, InvalidArgumentError, OutOfRangeError
from gpersist.graph import Context, Operation, SessionOpType
from gpersist.ops import shape_functions
from gpersist.ops.dataset_ops import TYPED
from gpersist.ops.dataset_values import DatasetValue, Element
from gpersist.ops.kernels import shown
from gpersist.ops.optionals import Optional
from gpersist.shapes import TensorShape

__all__: list[str] = []


class IteratorValue:
    """An iterator.

    Args:
        types: of the components.
        shapes: of the components.
    """

    def __init__(self, types: Sequence[DType], shapes: Sequence[TensorShape]) -> None:
        self.types, self.shapes = list(types), list(shapes)
        self.lock = threading.Lock()
        self._elements: Iterator[Element] | None = None

    def begin(self, dataset: DatasetValue) -> None:
        """Goes to the first element of a dataset."""
        with self.lock:
            self._elements = iter(dataset.taken())

    @property
    def has_begun(self) -> bool:
        """Whether it has a dataset."""
        return self._elements is not None

    def next(self, types: Sequence[DType]) -> Element | None:
        """The next element; None after the last.

        Raises:
            FailedPreconditionError: it has no dataset.
            InvalidArgumentError: the elements are of other types, or shapes, than was said.
        """
        with self.lock:
            if self._elements is None:
                raise FailedPreconditionError(
                    "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer operation for this "
                    "iterator before getting the next element."
                )
            found = next(self._elements, None)
        if found is None:
            return None
        if len(found) != len(types):
            raise InvalidArgumentError(f"Number of components does not match: expected {len(types)} types but got {len(found)}.")
        for index, (value, dtype, shape) in enumerate(zip(found, types, self.shapes, strict=False)):
            if not isinstance(getattr(value, "dtype", None), np.dtype):
                continue
            if dtype.numpy is not None and value.dtype != dtype.numpy and value.dtype.kind not in "OSU":
                raise InvalidArgumentError(f"Data type mismatch at component {index}: expected {dtype.name} but got {value.dtype.name}.")
            if not shape.is_compatible_with(value.shape):
                raise InvalidArgumentError(f"Incompatible shapes at component {index}: expected {shown_shape(shape)} but got {shown(value.shape)}.")
        return found


def shown_shape(shape: TensorShape) -> str:
    """A shape in an error: `[?,2]`."""
    return "<unknown>" if shape.rank is None else "[" + ",".join("?" if size is None else str(size) for size in shape.as_list()) + "]"


class _Making(SessionOpType, abstract=True):
    """The iterator of its name, made if it is not there."""

    outputs = "handle: resource"
    attrs = f"shared_name: string, container: string, {TYPED}"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context) -> IteratorValue:
        return _found(ctx)


def _found(ctx: Context) -> IteratorValue:
    shared = ctx.op.attr("shared_name").decode()
    key = ("iterator", ctx.op.attr("container").decode(), shared) if shared else ("iterator", ctx.op)
    found: IteratorValue | None = ctx.session.resources.get(key)
    if found is None:
        found = ctx.session.resources.setdefault(key, IteratorValue(ctx.op.attr("output_types"), ctx.op.attr("output_shapes")))
    return found


for _name in ("Iterator", "IteratorV2"):
    type(_name, (_Making,), {"__doc__": "An iterator that has to be initialised.", "__module__": __name__})


class OneShotIterator(SessionOpType):
    """An iterator of the dataset that a function makes when it is first used."""

    outputs = "handle: resource"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)
    attrs = f"dataset_factory: func, {TYPED}, container: string = '', shared_name: string = ''"

    @staticmethod
    def run(ctx: Context, *, dataset_factory: Any) -> IteratorValue:
        found = _found(ctx)
        if not found.has_begun:
            found.begin(ctx.session.functions.call(dataset_factory, [])[0])
        return found


class MakeIterator(SessionOpType):
    """Has an iterator begin with a dataset."""

    inputs = "dataset: variant, iterator: resource"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, dataset: DatasetValue, iterator: IteratorValue) -> None:
        iterator.begin(dataset)


class IteratorGetNext(SessionOpType):
    """The next element."""

    inputs = "iterator: resource"
    outputs = "components: output_types"
    attrs = TYPED
    is_stateful = True
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return list(op.attr("output_shapes"))

    @staticmethod
    def run(ctx: Context, iterator: IteratorValue, *, output_types: Sequence[DType]) -> Element:
        found = iterator.next(output_types)
        if found is None:
            raise OutOfRangeError("End of sequence")
        return found


class IteratorGetNextSync(IteratorGetNext):
    """The next element."""


class IteratorGetNextAsOptional(SessionOpType):
    """The next element, or nothing after the last."""

    inputs = "iterator: resource"
    outputs = "optional: variant"
    attrs = TYPED
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, iterator: IteratorValue, *, output_types: Sequence[DType]) -> Optional:
        return Optional(iterator.next(output_types))


class IteratorToStringHandle(SessionOpType):
    """What names an iterator."""

    inputs = "resource_handle: resource"
    outputs = "string_handle: string"
    is_stateful = True
    is_host_only = True
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, iterator: IteratorValue) -> bytes:
        handle = b"iterator-%d" % id(iterator)
        ctx.session.resources["iterator handle", handle] = iterator
        return handle


class _OfHandle(SessionOpType, abstract=True):
    """The iterator that a text names."""

    inputs = "string_handle: string"
    outputs = "resource_handle: resource"
    attrs = "output_types: list(type) >= 0 = [], output_shapes: list(shape) >= 0 = []"
    is_stateful = True
    is_host_only = True
    scalars = ("string_handle",)
    shapes = staticmethod(shape_functions.scalar)

    @staticmethod
    def run(ctx: Context, string_handle: Any, *, output_types: Sequence[DType], output_shapes: Sequence[TensorShape]) -> IteratorValue:
        handle = np.asarray(string_handle, object)[()]
        found: IteratorValue | None = ctx.session.resources.get(("iterator handle", handle))
        if found is None:
            raise InvalidArgumentError(f"Could not parse string_handle as a valid ResourceHandle: {handle!r} names no iterator of this session")
        if output_types and list(output_types) != found.types:
            expected, given = (", ".join(dtype.name for dtype in types) for types in (output_types, found.types))
            raise InvalidArgumentError(f"The iterator has elements of types [{given}], and [{expected}] are expected")
        for index, (wanted, shape) in enumerate(zip(output_shapes, found.shapes, strict=False)):
            if not wanted.is_compatible_with(shape):
                raise InvalidArgumentError(f"Incompatible shapes at component {index}: expected {shown_shape(wanted)} but got {shown_shape(shape)}.")
        return found


for _name in ("IteratorFromStringHandle", "IteratorFromStringHandleV2"):
    type(_name, (_OfHandle,), {"__doc__": "The iterator that a text names.", "__module__": __name__})


class DatasetToSingleElement(SessionOpType):
    """The one element of a dataset."""

    inputs = "dataset: variant"
    outputs = "components: output_types"
    attrs = TYPED
    is_stateful = True
    is_host_only = True
    shapes = IteratorGetNext.shapes

    @staticmethod
    def run(ctx: Context, dataset: DatasetValue) -> Element:
        elements = iter(dataset)
        found = next(elements, None)
        if found is None:
            raise InvalidArgumentError("Dataset was empty.")
        if next(elements, None) is not None:
            raise InvalidArgumentError("Dataset had more than one element.")
        return found
