"""Checks that are part of a graph: they fail when they are run, or at once where the graph tells enough (`tf.debugging`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, as_dtype, float32
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, Tensor, apply_op, constant_value, convert_to_tensor, name_scope
from gpersist.ops import assertions as _assertions  # noqa: F401  # the operations
from gpersist.ops.comparison import equal, greater, greater_equal, less, less_equal, logical_or, not_equal
from gpersist.ops.control import no_op, with_dependencies
from gpersist.ops.control_flow import cond
from gpersist.ops.reductions import reduce_all
from gpersist.ops.shaping import rank as rank_of
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.ops.unary import abs as magnitude

__all__ = [
    "Assert",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_type",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
]


def Assert(condition: Any, data: Sequence[Any], summarize: int | None = None, name: str | None = None) -> Operation:  # noqa: N802
    """An operation that fails unless a condition is true, and then tells some tensors (`tf.Assert`).

    Args:
        condition: a truth value.
        data: what is told.
        summarize: how many elements of each; 3 by default, all for -1.
        name: of the node.

    Returns:
        The operation: to be run, or to be a control dependency of what shall not be computed without it.
    """
    if not isinstance(data, Sequence):
        raise TypeError("values must be a sequence.")
    with name_scope(name, "Assert", _tensors(condition, *data)):
        tensors = [convert_to_tensor(item) for item in data]
        if all(tensor.dtype.base_dtype.name in ("string", "int32") for tensor in tensors):
            return apply_op("Assert", condition, data, summarize=summarize, name="Assert")
        return _guarded(convert_to_tensor(condition, name="Condition"), data, summarize)


def _guarded(condition: Tensor, data: Sequence[Any], summarize: int | None) -> Operation:
    """An Assert that gets its data, which may be on a device, only where it fails."""
    result: Tensor = cond(condition, no_op, lambda: apply_op("Assert", condition, data, summarize=summarize, name="Assert"), name="AssertGuard")
    return result.op


def assert_equal(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x == y (`tf.assert_equal`).

    Args:
        x: a tensor.
        y: another one, broadcast to it.
        data: what is told; by default x and y.
        summarize: how many elements of each are told; 3 by default, all for -1.
        message: told before.
        name: of the scope.

    Raises:
        InvalidArgumentError: both are constants, and it does not hold.
    """
    with name_scope(name, "assert_equal", _tensors(x, y)):
        if x is y:
            return no_op()
    return _compared("==", "assert_equal", equal, np.equal, x, y, data, summarize, message, name)


def assert_none_equal(
    x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Operation:
    """Fails unless all x != y (`tf.assert_none_equal`); see `assert_equal`."""
    return _compared("!=", "assert_none_equal", not_equal, np.not_equal, x, y, data, summarize, message, name)


def assert_less(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x < y (`tf.assert_less`); see `assert_equal`."""
    return _compared("<", "assert_less", less, np.less, x, y, data, summarize, message, name)


def assert_less_equal(
    x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Operation:
    """Fails unless all x <= y (`tf.assert_less_equal`); see `assert_equal`."""
    return _compared("<=", "assert_less_equal", less_equal, np.less_equal, x, y, data, summarize, message, name)


def assert_greater(x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x > y (`tf.assert_greater`); see `assert_equal`."""
    return _compared(">", "assert_greater", greater, np.greater, x, y, data, summarize, message, name)


def assert_greater_equal(
    x: Any, y: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Operation:
    """Fails unless all x >= y (`tf.assert_greater_equal`); see `assert_equal`."""
    return _compared(">=", "assert_greater_equal", greater_equal, np.greater_equal, x, y, data, summarize, message, name)


def assert_negative(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x < 0 (`tf.assert_negative`); see `assert_equal`."""
    return _signed("assert_negative", "x < 0 did not hold element-wise:", assert_less, False, x, data, summarize, message, name)


def assert_positive(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x > 0 (`tf.assert_positive`); see `assert_equal`."""
    return _signed("assert_positive", "x > 0 did not hold element-wise:", assert_less, True, x, data, summarize, message, name)


def assert_non_negative(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x >= 0 (`tf.assert_non_negative`); see `assert_equal`."""
    return _signed("assert_non_negative", "x >= 0 did not hold element-wise:", assert_less_equal, True, x, data, summarize, message, name)


def assert_non_positive(x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless all x <= 0 (`tf.assert_non_positive`); see `assert_equal`."""
    return _signed("assert_non_positive", "x <= 0 did not hold element-wise:", assert_less_equal, False, x, data, summarize, message, name)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fails unless all |x - y| < atol + rtol |y| (`tf.debugging.assert_near`); both are ten times the type's precision by default."""
    prefix = _prefix(message)
    with name_scope(name, "assert_near", _tensors(x, y, rtol, atol)):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, x.dtype.base_dtype, "y")
        dtype = x.dtype.base_dtype.real_dtype if x.dtype.is_complex else x.dtype.base_dtype
        precision = 10 * np.finfo(dtype.as_numpy_dtype).eps
        rtol = convert_to_tensor(precision if rtol is None else rtol, dtype, "rtol")
        atol = convert_to_tensor(precision if atol is None else atol, dtype, "atol")
        if data is None:
            data = [prefix, f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}", f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
        tolerance = atol + rtol * magnitude(y)
        return Assert(reduce_all(less(magnitude(x - y), tolerance)), data, summarize)


def assert_rank(x: Any, rank: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """Fails unless a tensor has this rank (`tf.assert_rank`); see `assert_equal`.

    Raises:
        ValueError: its rank is known, and another one.
    """
    return _ranked("assert_rank", "rank", "rank {}", lambda found, wanted: found == wanted, equal, x, rank, data, summarize, message, name)


def assert_rank_at_least(
    x: Any, rank: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Operation:
    """Fails unless a tensor has at least this rank (`tf.assert_rank_at_least`); see `assert_rank`."""
    at_least = "assert_rank_at_least", "rank at least", "rank at least {}"
    return _ranked(*at_least, lambda found, wanted: found >= wanted, greater_equal, x, rank, data, summarize, message, name)


def assert_rank_in(
    x: Any, ranks: Sequence[Any], data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Operation:
    """Fails unless a tensor has one of these ranks (`tf.assert_rank_in`); see `assert_rank`."""
    with name_scope(name, "assert_rank_in", _tensors(x, *ranks, *(data or ()))):
        tensor = convert_to_tensor(x, name="x")
        wanted = [convert_to_tensor(rank, name="rank") for rank in ranks]
        prefix = _prefix(message)
        if data is None:
            data = [prefix, f"Tensor {tensor.name} must have rank in", *wanted, "Received shape: ", shape_of(tensor)]
        for rank in wanted:
            assert_type(rank, "int32")
        known = [constant_value(rank) for rank in wanted]
        found = tensor.shape.rank
        if all(value is not None for value in known):
            _check_scalars(known)
            if found is not None:
                numbers = tuple(int(value) for value in known if value is not None)
                if found not in numbers:
                    raise ValueError(f"{prefix}Tensor {tensor.name} must have rank in {numbers}.  Received rank {found}, shape {tensor.shape}")
                return no_op("static_checks_determined_all_ok")
        actual = rank_of(tensor)
        condition = equal(wanted[0], actual) if wanted else convert_to_tensor(False)
        for rank in wanted[1:]:
            condition = logical_or(condition, equal(rank, actual))
        return Assert(_with_scalar_ranks(condition, wanted, known), data, summarize)


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Does nothing (`tf.assert_integer`).

    Raises:
        TypeError: the tensor is not of integers.
    """
    with name_scope(name, "assert_integer", _tensors(x)):
        tensor = convert_to_tensor(x, name="x")
        if not tensor.dtype.is_integer:
            raise TypeError(f'{_prefix(message)}Expected "x" to be integer type.  Found: {tensor.name} of dtype {tensor.dtype}')
        return no_op("statically_determined_was_integer")


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Does nothing (`tf.assert_type`).

    Raises:
        TypeError: the tensor is of another type.
    """
    wanted = as_dtype(tf_type)
    with name_scope(name, "assert_type", _tensors(tensor)):
        found = tensor if isinstance(tensor, SparseTensor) else convert_to_tensor(tensor, name="tensor")
        if found.dtype != wanted:
            raise TypeError(f"{_prefix(message)}{getattr(found, 'name', 'tensor')} must be of type {wanted!r}; got {found.dtype!r}")
        return no_op("statically_determined_correct_type")


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """The tensor (`tf.assert_scalar`).

    Raises:
        ValueError: it is no scalar, or not known to be one.
    """
    with name_scope(name, "assert_scalar", _tensors(tensor)) as scope:
        found = convert_to_tensor(tensor, name=scope)
        if found.shape.rank != 0:
            raise ValueError(f"{_prefix(message)}Expected scalar shape for {found.name}, saw shape: {found.shape}.")
        return found


def assert_proper_iterable(values: Any) -> None:
    """Does nothing (`tf.assert_proper_iterable`).

    Raises:
        TypeError: it is no iterable, or one that is taken for a value: a tensor, an array, text.
    """
    if isinstance(values, (Tensor, SparseTensor, np.ndarray, bytes, str)):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def assert_same_float_dtype(tensors: Sequence[Any] | None = None, dtype: Any = None) -> DType:
    """The one type of floats that some tensors are of; float32 where there are none (`tf.assert_same_float_dtype`).

    Raises:
        ValueError: they are of several types, or of others than floats.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    first = ""
    for tensor in tensors or ():
        if tensor is None:
            continue
        found = tensor.dtype.base_dtype
        if wanted is None:
            wanted, first = found, f" as {tensor.name}"
        elif found is not wanted:
            raise ValueError(f"{tensor.name}, type={found}, must be of the same type ({wanted}){first}.")
    if wanted is not None and not wanted.is_floating:
        raise ValueError(f"Expected floating point type, got {wanted}.")
    return wanted or float32


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether it is a tensor of numbers (`tf.is_numeric_tensor`)."""
    return isinstance(tensor, Tensor) and (
        tensor.dtype.is_integer or tensor.dtype.is_floating or tensor.dtype.is_complex or tensor.dtype.is_quantized
    )


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether no element is less than the one before it (`tf.is_non_decreasing`)."""
    with name_scope(name, "is_non_decreasing", _tensors(x)):
        return reduce_all(_neighbours(x, greater_equal))


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element is greater than the one before it (`tf.is_strictly_increasing`)."""
    with name_scope(name, "is_strictly_increasing", _tensors(x)):
        return reduce_all(_neighbours(x, greater))


def _compared(
    sign: str,
    default_name: str,
    compare: Callable[..., Tensor],
    compare_now: Callable[..., Any],
    x: Any,
    y: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    with name_scope(name, default_name, _tensors(x, y)):
        x, y = convert_to_tensor(x, name="x"), convert_to_tensor(y, name="y")
        if data is None:
            data = [f"Condition x {sign} y did not hold element-wise:", f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
        if message is not None:
            data = [message, *data]
        condition = reduce_all(compare(x, y))
        known_x, known_y = constant_value(x), constant_value(y)
        if known_x is not None and known_y is not None and not np.all(compare_now(known_x, known_y)):
            raise InvalidArgumentError("\n".join(str(item) if isinstance(item, str) else str(_known(item)) for item in data))
        return Assert(condition, data, summarize)


def _signed(
    default_name: str,
    told: str,
    compare: Callable[..., Operation],
    zero_first: bool,
    x: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    with name_scope(name, default_name, _tensors(x)):
        tensor = convert_to_tensor(x, name="x")
        if data is None:
            named = f"x ({tensor.name}) = "
            # TensorFlow's text of this one has lost its comma.
            texts = [f"Condition {told}{named}"] if default_name == "assert_non_positive" else [f"Condition {told}", named]
            data = [_prefix(message), *texts, tensor]
        zero = convert_to_tensor(0, tensor.dtype.base_dtype)
        return compare(*((zero, tensor) if zero_first else (tensor, zero)), data=data, summarize=summarize)


def _ranked(
    default_name: str,
    told: str,
    told_number: str,
    holds: Callable[[int, int], bool],
    compare: Callable[..., Tensor],
    x: Any,
    rank: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    with name_scope(name, default_name, _tensors(x, rank, *(data or ()))):
        tensor, wanted = convert_to_tensor(x, name="x"), convert_to_tensor(rank, name="rank")
        prefix = _prefix(message)
        if data is None:
            data = [prefix, f"Tensor {tensor.name} must have {told}", wanted, "Received shape: ", shape_of(tensor)]
        assert_type(wanted, "int32")
        known, found = constant_value(wanted), tensor.shape.rank
        if known is not None:
            _check_scalars([known])
            if found is not None:
                if not holds(found, int(known)):
                    number = told_number.format(int(known))
                    raise ValueError(f"{prefix}Tensor {tensor.name} must have {number}.  Received rank {found}, shape {tensor.shape}")
                return no_op("static_checks_determined_all_ok")
        condition = compare(rank_of(tensor), wanted)
        return Assert(_with_scalar_ranks(condition, [wanted], [known]), data, summarize)


def _check_scalars(ranks: Sequence[Any]) -> None:
    if any(rank.ndim for rank in ranks):
        raise ValueError("Rank must be a scalar.")


def _with_scalar_ranks(condition: Tensor, ranks: Sequence[Tensor], known: Sequence[Any]) -> Tensor:
    """A condition that waits until ranks that come with the run were found to be scalars."""
    for rank, value in zip(ranks, known, strict=True):
        if value is None:
            condition = with_dependencies([assert_rank(rank, 0, data=["Rank must be a scalar. Received rank: ", rank])], condition)
    return condition


def _neighbours(x: Any, compare: Callable[..., Tensor]) -> Tensor:
    flat = reshape(x, [-1])
    if not is_numeric_tensor(flat):
        raise TypeError(f"Expected x to be numeric, instead found: {flat}")
    found: Tensor = compare(flat[1:], flat[:-1])
    return found


def _known(tensor: Tensor) -> Any:
    value = constant_value(tensor)
    return tensor if value is None else value


def _prefix(message: str | None) -> str:
    return f"{message}.  " if message else ""


def _tensors(*values: Any) -> list[Any]:
    return [value for value in values if isinstance(value, Tensor)]
