"""Running sums and products along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.comparison import greater, less
from gpersist.ops.division import div_no_nan
from gpersist.ops.unary import exp, log

__all__ = ["cumprod", "cumsum", "cumulative_logsumexp"]


class _Scan(OpType, abstract=True):
    inputs = "x: T, axis: Tidx"
    outputs = "out: T"
    attrs = "exclusive: bool = false, reverse: bool = false, T: numbertype, Tidx: {int32, int64} = int32"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,3] in 0.5..2", "int32: 1"),
        sample("double[2,3] in 0.5..2", "int32: 0", exclusive=True),
        sample("double[2,3] in 0.5..2", "int64: -1", reverse=True),
        sample("float[2,3] in 0.5..2", "int32: 1", exclusive=True, reverse=True),
        sample("float[0,3]", "int32: 0"),
        sample("float[2,0]", "int32: 1", exclusive=True),
    )
    host_inputs = ("axis",)
    is_foldable = True

    shapes = staticmethod(shape_functions.same_as_input)


class Cumsum(_Scan):
    """The sum of the elements up to each."""

    @staticmethod
    def run(xp: Any, x: Array, axis: Any, *, exclusive: bool, reverse: bool) -> Array:
        return _scan(xp, lambda value, along: xp.cumsum(value, axis=along, dtype=x.dtype), x, axis, exclusive, reverse, 0)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [cumsum(grad, op.inputs[1], exclusive=op.attr("exclusive"), reverse=not op.attr("reverse")), None]


class Cumprod(_Scan):
    """The product of the elements up to each."""

    @staticmethod
    def run(xp: Any, x: Array, axis: Any, *, exclusive: bool, reverse: bool) -> Array:
        return _scan(xp, lambda value, along: xp.cumprod(value, axis=along, dtype=x.dtype), x, axis, exclusive, reverse, 1)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        (x, axis), exclusive, reverse = op.inputs, op.attr("exclusive"), op.attr("reverse")
        product = cumprod(x, axis, exclusive=exclusive, reverse=reverse)
        total = cumsum(product * grad, axis, exclusive=exclusive, reverse=not reverse)
        return [div_no_nan(total, x), None]


class CumulativeLogsumexp(_Scan):
    """The logarithm of the sum of the exponentials of the elements up to each."""

    attrs = "exclusive: bool = false, reverse: bool = false, T: {bfloat16, half, float, double}, Tidx: {int32, int64} = int32"
    samples = tuple(found._replace(has_gradient="exclusive" not in found.attrs) for found in _Scan.samples)

    @staticmethod
    def run(xp: Any, x: Array, axis: Any, *, exclusive: bool, reverse: bool) -> Array:
        return _scan(xp, lambda value, along: _running_logsumexp(xp, value, along), x, axis, exclusive, reverse, -np.inf)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        (x, axis), exclusive, reverse = op.inputs, op.attr("exclusive"), op.attr("reverse")
        parts = []
        for compare, value in ((greater, grad), (less, -grad)):
            logarithm = apply("SelectV2", compare(grad, 0), log(value), grad.dtype.min)
            parts.append(exp(cumulative_logsumexp(logarithm - op.outputs[0], axis, exclusive=exclusive, reverse=not reverse) + x))
        return [parts[0] - parts[1], None]


def _scan(xp: Any, run: Callable[[Array, int], Array], x: Array, axis: Any, exclusive: bool, reverse: bool, first: Any) -> Array:
    along = int(axis)
    if not -x.ndim <= along < x.ndim:
        raise InvalidArgumentError(f"ScanOp: Expected scan axis in the range [{-x.ndim}, {x.ndim}), but got {along}")
    if not x.size:
        return x.copy()
    value = xp.flip(x, along) if reverse else x
    if exclusive:
        head, rest = [slice(None)] * x.ndim, [slice(None)] * x.ndim
        head[along], rest[along] = slice(-1), slice(1, None)
        result = xp.full(x.shape, first, x.dtype)
        if x.shape[along] > 1:
            result[tuple(rest)] = run(value[tuple(head)], along)
    else:
        result = run(value, along)
    return xp.ascontiguousarray(xp.flip(result, along)) if reverse else result


def _running_logsumexp(xp: Any, value: Array, axis: int) -> Array:
    """By doubling: after step k each element holds the result of the 2^k elements that end with it; no exponential overflows."""
    result = xp.moveaxis(value.copy(), axis, 0)
    step = 1
    while step < result.shape[0]:
        result[step:] = xp.logaddexp(result[step:], result[:-step].copy())
        step *= 2
    return xp.ascontiguousarray(xp.moveaxis(result, 0, axis))


def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The sums of the elements up to each along an axis (`tf.cumsum`): without itself if `exclusive`, from the end if `reverse`."""
    return _scanned("Cumsum", x, axis, exclusive, reverse, name)


def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The products of the elements up to each along an axis (`tf.cumprod`): without itself if `exclusive`, from the end if `reverse`."""
    return _scanned("Cumprod", x, axis, exclusive, reverse, name)


def cumulative_logsumexp(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """The logarithms of the sums of exponentials up to each element along an axis (`tf.math.cumulative_logsumexp`)."""
    return _scanned("CumulativeLogsumexp", x, axis, exclusive, reverse, name)


def _scanned(op_name: str, x: Any, axis: Any, exclusive: bool, reverse: bool, name: str | None) -> Tensor:
    with name_scope(name, op_name, [x]) as scope:
        return apply(op_name, convert_to_tensor(x, name="x"), axis, exclusive=exclusive, reverse=reverse, name=scope)
