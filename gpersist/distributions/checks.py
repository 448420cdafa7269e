"""Checks of distributions' arguments and values, and of what may be given in one of two ways."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import DType, float16, float32, float64, int16, int32, int64
from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import (
    assert_equal,
    assert_greater_equal,
    assert_less,
    assert_less_equal,
    assert_near,
    assert_non_negative,
    assert_rank_at_least,
)
from gpersist.ops.choosing import where_v2
from gpersist.ops.constants import constant
from gpersist.ops.control import with_dependencies
from gpersist.ops.filling import fill, ones
from gpersist.ops.math import log, log1p
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.shaping import shape as shape_of
from gpersist.ops.softmax import softmax
from gpersist.ops.unary import sigmoid

_INTEGERS = {float16: int16, float32: int32, float64: int64}


def logits_and_probs(logits: Any, probs: Any, name: str, *, validate_args: bool, multidimensional: bool = False) -> tuple[Tensor, Tensor]:
    """Log-odds and probabilities, of which one is given.

    Raises:
        ValueError: both are given, or none.
        TypeError: they are not floating.
    """
    with name_scope(name, values=[probs, logits]):
        if (probs is None) == (logits is None):
            raise ValueError("Must pass probs or logits, but not both.")
        if probs is None:
            logits = convert_to_tensor(logits, name="logits")
            if not logits.dtype.is_floating:
                raise TypeError("logits must having floating type.")
            if not multidimensional:
                return logits, sigmoid(logits, name="probs")
            logits = with_classes(logits) if validate_args else logits
            return logits, softmax(logits, name="probs")
        probs = convert_to_tensor(probs, name="probs")
        if not probs.dtype.is_floating:
            raise TypeError("probs must having floating type.")
        if validate_args:
            with name_scope("validate_probs"):
                probs = _checked_probs(probs, multidimensional)
        with name_scope("logits"):
            logarithm = log(probs)
            return (logarithm if multidimensional else logarithm - log1p(-1.0 * probs)), probs


def _checked_probs(probs: Tensor, multidimensional: bool) -> Tensor:
    one = constant(1.0, probs.dtype)
    checks = [assert_non_negative(probs)]
    if multidimensional:
        probs = with_classes(probs)
        checks.append(assert_near(reduce_sum(probs, -1), one, message="probs does not sum to 1."))
    else:
        checks.append(assert_less_equal(probs, one, message="probs has components greater than 1."))
    return depending(checks, probs)


def with_classes(parameter: Tensor) -> Tensor:
    """A parameter that has at least two classes in its last dimension.

    Raises:
        ValueError: it is known that it has not.
    """
    with name_scope("embed_check_categorical_event_shape", values=[parameter]):
        limit = int(2 ** (np.finfo(parameter.dtype.numpy).nmant + 1))
        known = parameter.get_shape()
        few = "A categorical-distribution parameter must have at least 2 events."
        flat = "A categorical-distribution parameter must have at least 1 dimension."
        if known.rank == 0:
            raise ValueError(flat)
        count = known.as_list()[-1] if known.rank else None
        if count is not None:
            if count < 2:
                raise ValueError(few)
            if count > limit:
                raise ValueError(
                    f"Number of classes exceeds `dtype` precision, i.e., {parameter.dtype.name} implies shape ({count}) cannot exceed {limit}."
                )
            return parameter
        size = shape_of(parameter, name="x_shape")[-1]
        many = f"Number of classes exceeds `dtype` precision, i.e., {parameter.dtype.name} dtype cannot exceed {limit} shape."
        checks = [
            assert_rank_at_least(parameter, 1, message=flat),
            assert_greater_equal(shape_of(parameter)[-1], 2, message=few),
            assert_less_equal(size, limit, message=many),
        ]
        return depending(checks, parameter)


def counts(x: Tensor) -> Tensor:
    """Numbers that must not be negative, nor have fractions, whatever their type."""
    with name_scope("embed_check_nonnegative_integer_form", values=[x]):
        checks = [assert_non_negative(x, message=f"'{x}' must be non-negative.")]
        if not x.dtype.is_integer:
            checks.append(_assert_whole(x, _INTEGERS[x.dtype.base_dtype], f"'{x}' cannot contain fractional components."))
        return depending(checks, x)


def castable(x: Tensor, target: DType) -> Tensor:
    """Numbers that must fit an integer type, or booleans, and not be negative."""
    with name_scope("embed_check_casting_closed", values=[x]):
        checks = [assert_non_negative(x, message="Elements must be non-negative.")]
        if x.dtype.is_floating:
            checks.append(_assert_whole(x, target, f"Elements must be {target.name}-equivalent."))
        elif _largest(x.dtype) > _largest(target):
            checks.append(assert_less_equal(x, _largest(target), message=f"Elements cannot exceed {_largest(target)}."))
        return depending(checks, x)


def _assert_whole(x: Tensor, dtype: DType, message: str) -> Any:
    with name_scope("assert_integer_form", values=[x]):
        return assert_equal(x, cast(cast(x, dtype), x.dtype), message=message, name="assert_integer_form")


def _largest(dtype: DType) -> int:
    return 1 if dtype.is_bool else int(np.iinfo(dtype.numpy).max)


def defined(distribution: Any, is_defined: Callable[[], Tensor], limits: Sequence[Tensor], value: Tensor, message: Sequence[str]) -> Tensor:
    """A statistic where it is defined, and NaN or an error elsewhere, as a distribution wants it: defined where parameters are above 1."""
    if distribution.allow_nan_stats:
        nan = nan_like_batch(distribution)
        return where_v2(is_defined(), value, nan)
    checks = [assert_less(ones([], dtype=distribution.dtype), limit, message=text) for limit, text in zip(limits, message, strict=True)]
    return depending(checks, value)


def nan_like_batch(distribution: Any) -> Tensor:
    """NaN for each distribution of a batch."""
    return fill(distribution.batch_shape_tensor(), np.array(np.nan, dtype=distribution.dtype.numpy), name="nan")


def depending(checks: Sequence[Any], value: Tensor) -> Tensor:
    """A tensor that is computed after checks; checks that have been made already are none."""
    found: Tensor = with_dependencies([check for check in checks if check is not None], value)
    return found


def another_seed(seed: int | None, salt: str) -> int | None:
    """A seed made of another."""
    return None if seed is None else int(hashlib.md5(f"{seed}{salt}".encode(), usedforsecurity=False).hexdigest()[:8], 16) & 0x7FFFFFFF
