"""`tf.cond` and `tf.while_loop`, as graphs of Switch and Merge, Enter and Exit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from gpersist.graph import GraphKeys, Operation, Tensor, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import nest
from gpersist.ops.casting import cast
from gpersist.ops.comparison import logical_and
from gpersist.ops.constants import constant
from gpersist.ops.control import with_dependencies
from gpersist.ops.control_flow_context import CondContext, merge
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.passing import identity
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.resource_variable import ResourceVariable
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.tensor_array import TensorArray
from gpersist.ops.while_context import WhileContext
from gpersist.shapes import TensorShape, as_shape, unknown_shape

__all__ = ["cond", "while_loop"]


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """What one of two functions makes, as a condition decides when it is run (`tf.cond`).

    Operations that are made within a function run only if its side is taken.

    Args:
        pred: bool[].
        true_fn: gives tensors, or a nest of them.
        false_fn: gives a nest that is like that.
        strict: whether a list or tuple of one stays one.
        name: of the scope.
        fn1: the old name of `true_fn`.
        fn2: the old name of `false_fn`.

    Raises:
        TypeError: a function is none, `pred` is Python's bool, or the results are of different kinds.
        ValueError: the functions give nothing, or results that are not alike.
    """
    true_fn, false_fn = _function("true_fn", true_fn, "fn1", fn1), _function("false_fn", false_fn, "fn2", fn2)
    with name_scope(name, "cond", [pred]):
        if isinstance(pred, bool):
            raise TypeError("'pred' must not be a Python bool.")
        sides = _switched(pred)
        pivots = [identity(sides[1], name="switch_t"), identity(sides[0], name="switch_f")]
        decided = identity(pred, name="pred_id")
        for tensor in (*sides, *pivots, decided):
            tensor.graph.prevent_fetching(tensor.op)
        if_true, true_result, true_tensors = _branch(decided, pivots[0], 1, true_fn, "true_fn")
        if_false, false_result, false_tensors = _branch(decided, pivots[1], 0, false_fn, "false_fn")
        if not strict:
            true_result, false_result = _unpacked(true_result), _unpacked(false_result)
        _check_alike(true_result, false_result, true_tensors, false_tensors)
        true_flat, false_flat = (nest.flatten(tensors, expand_composites=True) for tensors in (true_tensors, false_tensors))
        if not true_flat:
            raise ValueError("'true_fn' and 'false_fn' must return at least one result.")
        for one, other in zip(true_flat, false_flat, strict=True):
            if one.dtype.base_dtype is not other.dtype.base_dtype:
                raise ValueError(
                    f"Outputs of 'true_fn' and 'false_fn' must have the same type(s). Received {one.dtype.name} from 'true_fn' and "
                    f"{other.dtype.name} from 'false_fn'."
                )
        merged = [merge(pair) for pair in zip(false_flat, true_flat, strict=True)]
        merged = _with_arrays(nest.flatten(true_result, expand_composites=True), merged)
        if if_true.outer_context is None:
            for context in (if_true, if_false):
                get_default_graph().add_to_collection(GraphKeys.COND_CONTEXT, context)
        result = nest.pack_sequence_as(true_result, merged, expand_composites=True)
        return result if strict else _unpacked(result)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """What a function makes of its own results, again and again, while another one gives true (`tf.while_loop`).

    Args:
        cond: gives bool[] of the variables.
        body: gives the variables of the next iteration.
        loop_vars: the variables at the start: a list, or any nest; TensorArrays too.
        shape_invariants: a nest of shapes, what each variable always has; by default what it has at the start.
        parallel_iterations: for TensorFlow, which runs so many iterations at once.
        back_prop: whether gradients may be asked for.
        swap_memory: for TensorFlow, which then keeps on the host what gradients need.
        name: of the scope.
        maximum_iterations: a bound, an integer scalar.
        return_same_structure: whether a list of one variable stays one.

    Raises:
        TypeError: a function is none, or the variables of the next iteration are a nest of another kind.
        ValueError: there is no variable, or one changes its shape.
    """
    if not callable(cond):
        raise TypeError("'cond' must be callable.")
    if not callable(body):
        raise TypeError("'body' must be callable.")
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    loop_vars = nest.map_structure(_value_of, loop_vars)
    with name_scope(name, "while", nest.flatten(loop_vars, expand_composites=True)):
        if isinstance(loop_vars, (list, tuple, dict)) and not loop_vars:
            raise ValueError("'loop_vars' must be provided.")
        packs = len(loop_vars) == 1 and not return_same_structure
        bound = None
        if maximum_iterations is not None:
            bound = convert_to_tensor(maximum_iterations, name="maximum_iterations")
            if bound.shape.rank != 0:
                raise ValueError(f"'maximum_iterations' must be a scalar. Received shape: {bound.shape}")
            loop_vars = (constant(0, bound.dtype, name="iteration_counter"), loop_vars[0] if packs else loop_vars)
            shape_invariants = None if shape_invariants is None else (TensorShape([]), shape_invariants)
            cond, body = _bounded(cond, body, bound, packs)
        context = WhileContext(bound, parallel_iterations, back_prop, swap_memory)
        if context.outer_context is None:
            get_default_graph().add_to_collection(GraphKeys.WHILE_CONTEXT, context)
        result, count = _built(context, cond, body, loop_vars, shape_invariants)
        if not return_same_structure and count == 1:
            result = result[0]
        return result if bound is None else result[1]


# ---- branches


def _function(name: str, function: Any, old_name: str, old: Any) -> Callable[[], Any]:
    if function is not None and old is not None:
        raise TypeError(f"cond(): '{name}' and '{old_name}' may not be set simultaneously.")
    function = function if old is None else old
    if function is None:
        raise TypeError(f"cond(): '{name}' argument required")
    if not callable(function):
        raise TypeError(f"'{name}' must be callable.")
    return function  # type: ignore[no-any-return]


def _switched(pred: Any) -> list[Tensor]:
    with name_scope(None, "Switch", [pred]) as scope:
        return apply_op("Switch", convert_to_tensor(pred, name="data", as_ref=True), convert_to_tensor(pred, name="pred"), name=scope).outputs


def _branch(pred: Tensor, pivot: Tensor, number: int, function: Callable[[], Any], name: str) -> tuple[CondContext, Any, Any]:
    """A branch: its context, what the function gives, and that as tensors which are there only if it is taken."""
    context = CondContext(pred, pivot, number)
    with context.entered():
        result = function()
        if result is None:
            raise ValueError(f"'{name}' must have a return value.")
        result = nest.map_structure(_value_of, result)
        tensors = nest.map_structure(functools.partial(_as_result, context), result, expand_composites=True)
        if not isinstance(tensors, (list, tuple)):
            tensors = [tensors]
        context.exit_result(nest.flatten(tensors, expand_composites=True))
    return context, result, tensors


def _as_result(context: CondContext, value: Any) -> Tensor:
    if isinstance(value, Operation):
        gate: Tensor = with_dependencies([value], context.pivot)
        return gate
    return context.add_result(convert_to_tensor(_flow_of(value)))


def _check_alike(true_result: Any, false_result: Any, true_tensors: Any, false_tensors: Any) -> None:
    try:
        nest.assert_same_structure(true_result, false_result, expand_composites=True)
        return
    except (TypeError, ValueError):
        nest.map_structure(_align_indices, true_result, false_result)
        nest.map_structure(_align_indices, true_tensors, false_tensors)
    try:
        nest.assert_same_structure(true_result, false_result, expand_composites=True)
    except TypeError as error:
        raise TypeError(f"Incompatible return types of 'true_fn' and 'false_fn': {error}") from None
    except ValueError as error:
        raise ValueError(f"Incompatible return values of 'true_fn' and 'false_fn': {error}") from None


def _align_indices(one: Any, other: Any) -> None:
    """Makes the indices of two IndexedSlices of one type."""
    if isinstance(one, IndexedSlices) and isinstance(other, IndexedSlices) and one.indices.dtype is not other.indices.dtype:
        one.indices, other.indices = cast(one.indices, "int64"), cast(other.indices, "int64")


def _unpacked(result: Any) -> Any:
    return result[0] if isinstance(result, (list, tuple)) and len(result) == 1 else result


# ---- loops


def _bounded(cond: Callable[..., Any], body: Callable[..., Any], bound: Tensor, packs: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A condition and a body that count, too."""
    if packs:
        return lambda i, value: logical_and(i < bound, cond(value)), lambda i, value: (i + 1, body(value))
    return lambda i, values: logical_and(i < bound, cond(*values)), lambda i, values: (i + 1, body(*values))


def _built(context: WhileContext, cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any) -> tuple[Any, int]:
    """The variables at the end, as the body gives them, and how many there are."""
    given = nest.flatten(loop_vars, expand_composites=True)
    loop_vars = nest.map_structure(_as_variable, loop_vars)
    variables = [_flow_of(value) for value in nest.flatten(loop_vars, expand_composites=True)]
    shapes = _invariants(loop_vars, shape_invariants)
    last: list[Any] = []

    def packed(tensors: Sequence[Tensor]) -> Any:
        return nest.pack_sequence_as(loop_vars, _with_arrays(given, tensors), expand_composites=True)

    def flat_body(tensors: Sequence[Tensor]) -> list[Any]:
        variables = packed(tensors)
        result = body(*variables)
        if not nest.is_nested(result):
            result = [result]
        result = nest.map_structure(_value_of, result)
        nest.assert_same_structure(list(variables), list(result), expand_composites=True)
        last.append(result)
        return [_flow_of(value) for value in nest.flatten(result, expand_composites=True)]

    with context.entered():
        exits = context.build(lambda tensors: cond(*packed(tensors)), flat_body, variables, shapes)
    (result,) = last
    arrays = _with_arrays(nest.flatten(result, expand_composites=True), exits)
    return nest.pack_sequence_as(result, arrays, expand_composites=True), len(exits)


def _as_variable(value: Any) -> Any:
    return value if isinstance(value, (TensorArray, IndexedSlices, SparseTensor, RaggedTensor)) else convert_to_tensor(value)


def _invariants(loop_vars: Any, shape_invariants: Any) -> list[TensorShape]:
    """The shape of each variable in all iterations."""
    if shape_invariants is None:
        return [shape for value in nest.flatten(loop_vars) for shape in _part_shapes(value, None)]
    nest.assert_same_structure(
        loop_vars, nest.map_structure(lambda _: None, shape_invariants) if not _has_shapes(shape_invariants) else shape_invariants
    )
    found: list[TensorShape] = []
    for value, shape in zip(nest.flatten(loop_vars), nest.flatten(shape_invariants), strict=True):
        if shape is not None and not isinstance(shape, TensorShape) and not hasattr(shape, "shape"):
            raise TypeError(f"'shape' must be one of TypeSpec, TensorShape or None. Received: {type(shape)}")
        found += _part_shapes(value, shape)
    return found


def _part_shapes(value: Any, given: Any) -> list[TensorShape]:
    """The shapes of the tensors that a variable is made of, by an invariant: a shape, a TypeSpec, or None for what the variable's own tells."""
    shape = given if given is None or isinstance(given, TensorShape) else as_shape(given.shape)
    if isinstance(value, SparseTensor):
        if given is None or shape is given:  # that of `dense_shape`
            sizes = value.dense_shape.shape if shape is None else shape
            if sizes.rank not in (None, 1):
                raise ValueError(f"Expected a shape with 1 dimension. Obtained: {sizes} which has {sizes.rank} dimensions.")
            rank = None if sizes.rank is None else sizes.as_list()[0]
        else:
            assert shape is not None
            rank = shape.rank
        return [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]
    if isinstance(value, RaggedTensor):
        shape = value.shape if shape is None else shape
        splits = value.nested_row_splits
        if shape.rank is not None and len(splits) >= shape.rank:
            raise ValueError(f"Argument `ragged_rank` ({len(splits)}) must be less than rank ({shape.rank}).")
        rows = None if shape.rank is None else shape.as_list()[0]
        flat = unknown_shape() if shape.rank is None else TensorShape([None, *shape.as_list()[len(splits) + 1 :]])
        return [flat, TensorShape([None if rows is None else rows + 1]), *[TensorShape([None])] * (len(splits) - 1)]
    if shape is None:
        return [_flow_of(part).shape for part in nest.flatten(value, expand_composites=True)]
    if isinstance(value, IndexedSlices):
        rows_shape = shape[:1] if shape.rank is not None else TensorShape([None])
        return [shape, rows_shape, *([TensorShape([shape.rank])] if value.dense_shape is not None else [])]
    return [shape]


def _has_shapes(shape_invariants: Any) -> bool:
    return any(shape is not None for shape in nest.flatten(shape_invariants))


# ---- both


def _value_of(value: Any) -> Any:
    """The value of a resource variable; anything else as it is."""
    return convert_to_tensor(value) if isinstance(value, ResourceVariable) else value


def _flow_of(value: Any) -> Any:
    return value.flow if isinstance(value, TensorArray) else value


def _with_arrays(given: Sequence[Any], tensors: Sequence[Tensor]) -> list[Any]:
    """Tensors, those that are flows of TensorArrays as these."""
    return [value.with_flow(tensor) if isinstance(value, TensorArray) else tensor for value, tensor in zip(given, tensors, strict=True)]
