"""Generators of Python's as datasets (`tf.data.Dataset.from_generator`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, int64
from gpersist.graph import Tensor, apply
from gpersist.ops import dataset_structure as structure
from gpersist.ops.function_graph import trace
from gpersist.ops.python_functions import py_func
from gpersist.ops.ragged_tensor_value import RaggedTensorValue
from gpersist.ops.sparse_tensor import SparseTensorValue
from gpersist.ops.type_specs import RaggedTensorSpec, SparseTensorSpec, TensorSpec
from gpersist.shapes import TensorShape

__all__: list[str] = []

_SCALAR = TensorShape(())


class _Running:
    """The iterations that are under way, by number."""

    def __init__(self, generator: Callable[..., Any], spec: Any) -> None:
        self._generator = generator
        self._spec = spec
        self._numbers = itertools.count()
        self._iterators: dict[int, Iterator[Any]] = {}

    def begin(self, *args: Any) -> Any:
        """Starts one; gives its number."""
        found = self._generator(*args)
        number = next(self._numbers)
        self._iterators[number] = iter(found)
        return np.int64(number)

    def next(self, number: Any) -> list[Any]:
        """The next element's parts; raises StopIteration after the last one."""
        value = next(self._iterators[int(number)])
        specs = structure.flatten(self._spec)
        parts = _parts(self._spec, value)
        if len(parts) != len(specs):
            raise TypeError(
                f"`generator` yielded an element that did not match the expected structure. The expected structure was "
                f"{structure.mapped(lambda spec: spec.dtype, self._spec)}, but the yielded element was {value}."
            )
        is_strict = isinstance(self._spec, TensorSpec) and self._spec.shape.rank is None  # then TensorFlow makes a tensor of it first
        return [array for part, spec in zip(parts, specs, strict=True) for array in _components(part, spec, value, is_strict)]

    def end(self, number: Any) -> Any:
        """Forgets one."""
        self._iterators.pop(int(number), None)
        return np.int64(0)


def _parts(spec: Any, value: Any) -> list[Any]:
    """The parts of an element; where a tuple is expected, a list is one."""
    if isinstance(spec, dict):
        return [leaf for key in sorted(spec) for leaf in _parts(spec[key], value[key])] if isinstance(value, dict) else []
    if isinstance(spec, tuple):
        if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != len(spec):
            return []
        return [leaf for part, other in zip(spec, value, strict=True) for leaf in _parts(part, other)]
    return [value]


def _components(value: Any, spec: Any, element: Any, is_strict: bool) -> list[Any]:
    """The arrays of a part of an element, of `structure.component_types`."""
    if isinstance(spec, SparseTensorSpec) and isinstance(value, SparseTensorValue):
        found = [value.indices, value.values, value.dense_shape]
    elif isinstance(spec, RaggedTensorSpec) and isinstance(value, RaggedTensorValue):
        found = [*value.nested_row_splits, value.flat_values]
    else:
        found = [value]
    wanted = structure.component_types(spec)
    if len(found) != len(wanted):
        raise TypeError(f"`generator` yielded an element that is no {spec.value_type.__name__}Value; expected {spec!r}, found {element}.")
    shapes = [spec.shape] if len(wanted) == 1 else [TensorShape(None)] * len(wanted)
    specs = [TensorSpec(shape, dtype) for shape, dtype in zip(shapes, wanted, strict=True)]
    return [_array(each, kind, element, is_strict) for each, kind in zip(found, specs, strict=True)]


def _array(value: Any, spec: TensorSpec, element: Any, is_strict: bool) -> Any:
    try:
        array = np.asarray(value, object if spec.dtype.is_string else None)
        if not spec.dtype.is_string:
            if is_strict and not _keeps(value, array.dtype, spec.dtype):
                raise TypeError
            if array.dtype.kind == "c" and not spec.dtype.is_complex:
                array = array.real
            with np.errstate(invalid="ignore"):
                array = array.astype(spec.dtype.numpy)
    except (TypeError, ValueError):
        raise TypeError(
            f"`generator` yielded an element that could not be converted to the expected type. The expected type was {spec.dtype.name}, but the "
            f"yielded element was {element}."
        ) from None
    if not spec.shape.is_compatible_with(array.shape):
        raise TypeError(f"`generator` yielded an element of shape {array.shape} where an element of shape {spec.shape} was expected.")
    return array


def _keeps(value: Any, found: np.dtype[Any], wanted: DType) -> bool:
    """Whether a number is of no wider kind than is wanted; NumPy's arrays may be of any kind, and an empty list is of none."""
    if found.kind in "OSU":
        return False
    if isinstance(value, (np.ndarray, np.generic)) or not np.size(value):
        return True
    return wanted.is_complex or found.kind in "bui" or (wanted.is_floating and found.kind != "c")


def generated(generator: Callable[..., Any], spec: Any, args: Sequence[Tensor], unused: Tensor) -> Tensor:
    """A dataset, as a variant, of what a generator gives.

    Args:
        generator: called for each iteration.
        spec: of its elements.
        args: tensors whose values it is called with.
        unused: any tensor.
    """
    running = _Running(generator, spec)
    types, shapes = structure.types(spec), structure.shapes(spec)
    component_types = [dtype for leaf in structure.flatten(spec) for dtype in structure.component_types(leaf)]

    def begin(_: Tensor) -> tuple[Any, list[Tensor]]:
        return None, [py_func(running.begin, list(args), "int64")]

    def following(number: Tensor) -> tuple[Any, list[Tensor]]:
        return None, structure.tensors_of(structure.of_components(spec, py_func(running.next, [number], component_types)))

    def end(number: Tensor) -> tuple[Any, list[Tensor]]:
        return None, [py_func(running.end, [number], "int64")]

    kept = [unused.dtype.base_dtype], [unused.shape]
    number = [int64], [_SCALAR]
    marks = ("_tf_data_function",)
    first = trace("Dataset_from_generator_get_iterator_id_fn", begin, *kept, marks=marks)
    step = trace("Dataset_from_generator_generator_next_fn", following, *number, marks=marks)
    last = trace("Dataset_from_generator_finalize_fn", end, *number, marks=marks)
    return apply(
        "GeneratorDataset",
        [unused, *first.captured],
        step.captured,
        last.captured,
        init_func=first.function,
        next_func=step.function,
        finalize_func=last.function,
        output_types=types,
        output_shapes=shapes,
    )
