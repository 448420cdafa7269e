"""Loops over the rows of tensors: `tf.map_fn`, `tf.scan`, `tf.foldl` and `tf.foldr`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops import dataset_structure as structure
from gpersist.ops import nest
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import while_loop
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.tensor_array import TensorArray
from gpersist.ops.type_specs import TypeSpec
from gpersist.ops.variable_scope import get_variable_scope
from gpersist.shapes import TensorShape, as_shape

__all__ = ["foldl", "foldr", "map_fn", "scan"]

_COMPOSITE = (SparseTensor, RaggedTensor)
"""Their rows go through loops as variants."""


def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """What a function makes of each row of a tensor, or of the rows of several (`tf.map_fn`).

    Args:
        fn: gets a row, or a nest of rows.
        elems: a tensor, or a nest of them, with as many rows each.
        dtype: the types of what `fn` gives, a nest like that; by default those of `elems`.
        parallel_iterations: as in `tf.while_loop`.
        back_prop: as in `tf.while_loop`.
        swap_memory: as in `tf.while_loop`.
        infer_shape: whether `fn` gives the same shapes for all rows.
        name: of the scope.
        fn_output_signature: the same as `dtype`, under TensorFlow 2's name; TensorSpecs as well.

    Raises:
        TypeError: `fn` is no function.
        ValueError: there is no tensor, scalars, or tensors with different numbers of rows.
    """
    if not callable(fn):
        raise TypeError(f"The provided function {fn!r} is not callable.fn must be callable.")
    outputs = dtype if fn_output_signature is None else fn_output_signature
    flat = nest.flatten(elems)
    if not flat:
        raise ValueError(f"elems must be a Tensor or (possibly nested) sequence of Tensors. Got {elems}, which does not contain any Tensors.")
    like = elems if outputs is None else outputs
    with name_scope(name, "map", flat), _cached_where_used():
        given = [elem if isinstance(elem, _COMPOSITE) else convert_to_tensor(elem, name="elem") for elem in flat]
        rows = structure.unbatched(tuple(map(structure.spec_of, given)))
        tensors = structure.rows_of(given)
        if tensors[0].shape.rank == 0:
            raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
        known = _row_count(tensors)
        count = known or shape_of(tensors[0])[0]
        inputs = [TensorArray(tensor.dtype, size=count, infer_shape=True, dynamic_size=False) for tensor in tensors]
        inputs = [array.unstack(tensor) for array, tensor in zip(inputs, tensors, strict=True)]
        start = constant(0)
        results = [
            TensorArray(kind, size=count, dynamic_size=False, infer_shape=infer_shape, element_shape=shape)
            for kind, shape in ([(tensor.dtype, None) for tensor in tensors] if outputs is None else map(_type_and_shape, nest.flatten(outputs)))
        ]
        made = list(rows) if outputs is None else nest.flatten(outputs)

        def compute(i: Tensor, arrays: list[TensorArray]) -> tuple[Any, Any]:
            row = [structure.value_of(spec, array.read(i)) for spec, array in zip(rows, inputs, strict=True)]
            value = fn(nest.pack_sequence_as(elems, row))
            nest.assert_same_structure(outputs or elems, value)
            parts = [structure.tensor_of(spec, part) for spec, part in zip(made, nest.flatten(value), strict=True)]
            arrays = [array.write(i, part) for array, part in zip(arrays, parts, strict=True)]
            return i + 1, arrays

        loop = _options(parallel_iterations or 10, back_prop, swap_memory, count)
        _, results = while_loop(lambda i, _: i < count, compute, (start, results), **loop)
        found = [_whole(spec, value, known) for spec, value in zip(made, _stacked(results, known), strict=True)]
        return nest.pack_sequence_as(like, found)


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """What a function makes of what it made of the rows before, and each row: all of that (`tf.scan`).

    Args:
        fn: gets what was made so far, a nest like `initializer`, and a row.
        elems: a tensor, or a nest of them, with as many rows each.
        initializer: what was made before the first row; by default that row itself.
        parallel_iterations: as in `tf.while_loop`.
        back_prop: as in `tf.while_loop`.
        swap_memory: as in `tf.while_loop`.
        infer_shape: whether `fn` gives the same shapes for all rows.
        reverse: whether the last row comes first.
        name: of the scope.

    Raises:
        TypeError: `fn` is no function.
        ValueError: tensors with different numbers of rows.
    """
    if not callable(fn):
        raise TypeError(f"{fn!r} is not callable. Please provide a callable function.")
    like = elems if initializer is None else initializer
    flat = nest.flatten(elems)
    with name_scope(name, "scan", flat), _cached_where_used():
        tensors = [convert_to_tensor(elem, name="elem") for elem in flat]
        known = tensors[0].shape.with_rank_at_least(1)[0:1].as_list()[0] if tensors[0].shape.rank is not None else None
        count: Any = shape_of(tensors[0])[0] if known is None else known
        inputs = [TensorArray(tensor.dtype, size=count, dynamic_size=False, element_shape=tensor.shape[1:], infer_shape=True) for tensor in tensors]
        inputs = [array.unstack(tensor) for array, tensor in zip(inputs, tensors, strict=True)]
        if initializer is None:
            values = [array.read(count - 1 if reverse else 0) for array in inputs]
            start = 1
        else:
            values = [convert_to_tensor(value) for value in nest.flatten(initializer)]
            start = 0
        results = [
            TensorArray(value.dtype, size=count, element_shape=value.shape if infer_shape else None, dynamic_size=False, infer_shape=infer_shape)
            for value in values
        ]
        if initializer is None:
            results = [array.write(count - 1 if reverse else 0, value) for array, value in zip(results, values, strict=True)]

        def compute(i: Tensor, values: list[Tensor], arrays: list[TensorArray]) -> tuple[Any, Any, Any]:
            row = nest.pack_sequence_as(elems, [array.read(i) for array in inputs])
            value = fn(nest.pack_sequence_as(like, values), row)
            nest.assert_same_structure(like, value)
            parts = nest.flatten(value)
            arrays = [array.write(i, part) for array, part in zip(arrays, parts, strict=True)]
            return (i - 1 if reverse else i + 1), parts, arrays

        loop = _options(parallel_iterations, back_prop, swap_memory, count)
        first: Any = count - 1 - start if reverse else start
        _, _, results = while_loop(lambda i, *_: i >= 0 if reverse else i < count, compute, (first, values, results), **loop)
        stacked = [array.stack() for array in results]
        rows = _row_count(tensors)
        for value in stacked:
            value.set_shape(TensorShape([rows]).concatenate(value.shape[1:]))
        return nest.pack_sequence_as(like, stacked)


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """What a function makes of what it made of the rows before, and each row: the last of that (`tf.foldl`). Arguments as in `scan`."""
    with _folded(fn, elems, name, "foldl") as (rows, count):
        value = rows(0) if initializer is None else initializer
        start = constant(1 if initializer is None else 0)

        def compute(i: Tensor, value: Any) -> list[Any]:
            value = fn(value, rows(i))
            return [i + 1, value]

        loop = _options(parallel_iterations, back_prop, swap_memory, count)
        return while_loop(lambda i, _: i < count, compute, [start, value], **loop)[1]


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """The same as `foldl`, from the last row to the first (`tf.foldr`)."""
    with _folded(fn, elems, name, "foldr") as (rows, count):
        start = count - 1 if initializer is None else count
        value = rows(start) if initializer is None else initializer

        def compute(i: Tensor, value: Any) -> list[Any]:
            i = i - 1
            row = rows(i)
            return [i, fn(value, row)]

        loop = _options(parallel_iterations, back_prop, swap_memory, count)
        return while_loop(lambda i, _: i > 0, compute, [start, value], **loop)[1]


@contextmanager
def _folded(fn: Any, elems: Any, name: str | None, default_name: str) -> Iterator[tuple[Callable[[Any], Any], Any]]:
    """The scope of a fold: a function that reads rows, and how many there are."""
    if not callable(fn):
        raise TypeError(f"{fn!r} is not callable. Please provide a callable function.")
    with name_scope(name, default_name, nest.flatten(elems)), _cached_where_used():
        tensors = [convert_to_tensor(elem, name="elem") for elem in nest.flatten(elems)]
        known = tensors[0].shape.as_list()[0] if tensors[0].shape.rank else None
        count = known or shape_of(tensors[0])[0]
        arrays = [TensorArray(elem.dtype, size=count, dynamic_size=False, infer_shape=True).unstack(elem) for elem in nest.flatten(elems)]
        yield lambda i: nest.pack_sequence_as(elems, [array.read(i) for array in arrays]), count


@contextmanager
def _cached_where_used() -> Iterator[None]:
    """Lets variables that are made within be read once a device, not in each iteration."""
    scope = get_variable_scope()
    if scope.caching_device is not None:
        yield
        return
    scope.set_caching_device(lambda op: op.device)
    yield
    scope.set_caching_device(None)


def _row_count(tensors: Sequence[Tensor]) -> int | None:
    """How many rows all of them have; None where no first one tells.

    Raises:
        ValueError: not all have as many.
    """
    counts = [tensor.shape.with_rank_at_least(1).as_list()[0] if tensor.shape.rank is not None else None for tensor in tensors]
    for other in counts[1:]:
        if None not in (counts[0], other) and counts[0] != other:
            raise ValueError(f"Dimensions {counts[0]} and {other} are not compatible")
    return counts[0]


def _whole(spec: Any, value: Tensor, rows: int | None) -> Any:
    return structure.value_of(structure.batched(spec, rows), value) if isinstance(spec, TypeSpec) else value


def _type_and_shape(kind: Any) -> tuple[Any, TensorShape]:
    """Of a type, or of a spec."""
    if isinstance(kind, TypeSpec):
        return structure.types(kind)[0], structure.shapes(kind)[0]
    return (kind.dtype, as_shape(kind.shape)) if hasattr(kind, "shape") and hasattr(kind, "dtype") else (kind, as_shape(None))


def _stacked(arrays: Sequence[TensorArray], rows: int | None) -> list[Tensor]:
    found = [array.stack() for array in arrays]
    for value in found:
        value.set_shape(TensorShape([rows]).concatenate(value.shape[1:]))
    return found


def _options(parallel_iterations: int, back_prop: bool, swap_memory: bool, count: Any) -> dict[str, Any]:
    return {"parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory, "maximum_iterations": count}
