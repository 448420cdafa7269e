"""Accumulators of gradients, which workers add to and the one who trains takes the mean from, or the sum. `accumulators` has the Python classes.

An accumulator belongs to the session. It counts how often a mean was taken: gradients of an earlier step are stale, and left out.
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Context, Operation, SessionOpType, check_deadline
from gpersist.ops import shape_functions
from gpersist.ops.kernels import as_array, shown
from gpersist.shapes import TensorShape, unknown_shape

__all__: list[str] = []

_WAIT_S = 0.05
"""How long a thread sleeps before it looks whether its run has taken too long."""

_KINDS = ("float16", "float32", "float64")
"""The types that there are kernels for."""


class _Accumulator:
    """The sum of dense gradients, and how many they are."""

    def __init__(self, op: Operation) -> None:
        self.dtype: DType = op.attr("dtype")
        self._shape: TensorShape = op.attr("shape")
        self._is_mean = op.attr("reduction_type") == b"MEAN"
        if self.dtype.name not in _KINDS:
            raise InvalidArgumentError(f"No OpKernel was registered to support Op '{op.type}' with dtype {self.dtype.name}")
        self._changed = threading.Condition()
        self._step = 0
        self._count = 0
        self._sum: Any = None

    @property
    def count(self) -> int:
        """How many gradients have come since the last were taken."""
        return self._count

    def apply(self, step: int, *gradient: Any) -> None:
        """Adds a gradient, unless it is of a step before the present one."""
        with self._changed:
            if step >= self._step:
                self._check(*gradient)
                self._add(*gradient)
                self._count += 1
                self._changed.notify_all()

    def take(self, op: Operation, required: int) -> Any:
        """What there is of at least so many gradients; waits for them."""
        if required <= 0:
            raise InvalidArgumentError(f"Argument num_required must be positive, but was {required}")
        with self._changed:
            while not self._changed.wait_for(lambda: self._count >= required, _WAIT_S):
                check_deadline(op)
            found = self._taken()
            self._sum, self._count, self._step = None, 0, self._step + 1
            return found

    def set_step(self, step: int) -> None:
        """Makes it the present step."""
        with self._changed:
            self._step = step

    def _check(self, *gradient: Any) -> None:
        (value,) = gradient
        if not self._shape.is_compatible_with(value.shape):
            raise InvalidArgumentError(f"Shape mismatch: expected {shown(self._shape.as_list())}, got {shown(value.shape)}")
        if self._sum is not None and self._sum.shape != value.shape:
            raise InvalidArgumentError(f"Shape mismatch: expected {shown(self._sum.shape)}, got {shown(value.shape)}")

    def _add(self, *gradient: Any) -> None:
        (value,) = gradient
        self._sum = value.copy() if self._sum is None else self._sum + value

    def _taken(self) -> Any:
        return self._sum / self._sum.dtype.type(self._count) if self._is_mean else self._sum


class _SparseAccumulator(_Accumulator):
    """The sums of rows, and how often each has come."""

    def _check(self, *gradient: Any) -> None:
        indices, values, shape, has_shape = gradient
        if indices.ndim != 1:
            raise InvalidArgumentError(f"Input indices should be vector but received shape: {shown(indices.shape)}")
        if not values.ndim:
            raise InvalidArgumentError("Values cannot be 0-dimensional.")
        if len(indices) != len(values):
            raise InvalidArgumentError(f"Expected equal number of indices and values, got {len(indices)} and {len(values)}")
        known = self._shape.as_list() if self._shape.rank else None
        rows = known[1:] if known else None if self._sum is None else list(self._sum[1].shape[1:])
        for told, sizes in (("values", list(values.shape)), ("shape", list(shape) if has_shape else None)):
            if sizes is not None and rows is not None and not TensorShape(rows).is_compatible_with(sizes[1:]):
                raise InvalidArgumentError(f"Shape mismatch: expected rows of {shown(rows)}, got {told} of {shown(sizes[1:])}")
        if indices.size and indices.min() < 0:
            raise InvalidArgumentError(f"Index {int(indices.min())} must not be negative")

    def _add(self, *gradient: Any) -> None:
        indices, values = gradient[:2]
        if self._sum is None:
            self._sum = indices.copy(), values.copy(), np.ones(len(indices), np.int64)
            return
        own, rows, counts = self._sum
        places: list[tuple[int, int]] = []  # of both, in the order of the sum: both are taken to ascend, as in TensorFlow
        left = right = 0
        while left < len(own) and right < len(indices):
            takes_left, takes_right = own[left] <= indices[right], indices[right] <= own[left]
            places.append((left if takes_left else -1, right if takes_right else -1))
            left, right = left + bool(takes_left), right + bool(takes_right)
        places += [(place, -1) for place in range(left, len(own))] + [(-1, place) for place in range(right, len(indices))]
        of_own, of_new = np.array(places, np.int64).reshape(-1, 2).T
        total = np.zeros((len(places), *values.shape[1:]), values.dtype)
        total[of_own >= 0] += rows[of_own[of_own >= 0]]
        total[of_new >= 0] += values[of_new[of_new >= 0]]
        number = np.where(of_own >= 0, np.append(counts, 0)[of_own], 0) + (of_new >= 0)
        merged = np.where(of_own >= 0, np.append(own, 0)[of_own], np.append(indices, 0)[of_new])
        self._sum = merged, total, number

    def _taken(self) -> Any:
        indices, rows, counts = self._sum
        if self._is_mean:
            rows = rows / counts.astype(rows.dtype).reshape(-1, *[1] * (rows.ndim - 1))
        first = self._shape.as_list()[0] if self._shape.rank else None
        return [indices, rows, np.array([-1 if first is None else first, *rows.shape[1:]], np.int64)]


_NUMBERS = "dtype: numbertype"
_HANDLES = (("", "handle: Ref(string)"), ("Resource", "handle: resource"))


class _Making(SessionOpType, abstract=True):
    attrs = f"{_NUMBERS}, shape: shape, container: string = '', shared_name: string = '', reduction_type: {{'MEAN', 'SUM'}} = 'MEAN'"
    is_stateful = True
    is_host_only = True
    kind: ClassVar[type[_Accumulator]] = _Accumulator

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [TensorShape([2] if op.type != "ResourceConditionalAccumulator" else [])]

    @classmethod
    def run(cls, ctx: Context) -> Any:
        op = ctx.op
        shared = op.attr("shared_name").decode()
        key = ("accumulator", op.attr("container").decode(), shared) if shared else ("accumulator", op)
        found = ctx.session.resources.get(key)
        return ctx.session.resources.setdefault(key, cls.kind(op)) if found is None else found


class ConditionalAccumulator(_Making):
    """An accumulator of dense gradients."""

    outputs = "handle: Ref(string)"


class ResourceConditionalAccumulator(_Making):
    """An accumulator of dense gradients."""

    outputs = "handle: resource"


class SparseConditionalAccumulator(_Making):
    """An accumulator of rows."""

    outputs = "handle: Ref(string)"
    kind = _SparseAccumulator


def _check_type(accumulator: _Accumulator, dtype: DType) -> None:
    if dtype.base_dtype is not accumulator.dtype:
        raise InvalidArgumentError(f"Accumulator of type {accumulator.dtype.name} is given, or asked for, {dtype.name}")


def _apply(ctx: Context, accumulator: Any, step: Any, gradient: Any, *, dtype: DType) -> None:
    _check_type(accumulator, dtype)
    accumulator.apply(int(step), as_array(np, gradient))


def _take(ctx: Context, accumulator: Any, required: Any, *, dtype: DType) -> Any:
    _check_type(accumulator, dtype)
    return accumulator.take(ctx.op, int(required))


def _count(ctx: Context, accumulator: Any) -> Any:
    return np.int32(accumulator.count)


def _set_step(ctx: Context, accumulator: Any, step: Any) -> None:
    accumulator.set_step(int(step))


def _unknown(op: Operation) -> list[TensorShape]:
    return [unknown_shape()] * len(op.output_types)


for _name, _run, _inputs, _outputs, _attrs, _shapes, _told in (
    ("ApplyGradient", _apply, ", local_step: int64, gradient: dtype", "", _NUMBERS, shape_functions.none, "Adds a gradient."),
    ("TakeGradient", _take, ", num_required: int32", "average: dtype", _NUMBERS, _unknown, "Takes the mean, or the sum, of enough gradients."),
    ("NumAccumulated", _count, "", "num_accumulated: int32", "", shape_functions.scalar, "How many gradients there are."),
    ("SetGlobalStep", _set_step, ", new_global_step: int64", "", "", shape_functions.none, "Sets the step whose gradients are not stale."),
):
    for _prefix, _handle in _HANDLES:
        _members: dict[str, Any] = {
            "inputs": _handle + _inputs,
            "outputs": _outputs,
            "attrs": _attrs,
            "is_stateful": bool(_prefix),
            "is_host_only": True,
            "run": staticmethod(_run),
            "shapes": staticmethod(_shapes),
            "__doc__": _told,
            "__module__": __name__,
        }
        type(f"{_prefix}Accumulator{_name}", (SessionOpType,), _members)


class SparseAccumulatorApplyGradient(SessionOpType):
    """Adds the rows of a gradient."""

    inputs = "handle: Ref(string), local_step: int64, gradient_indices: int64, gradient_values: dtype, gradient_shape: int64"
    attrs = f"{_NUMBERS}, has_known_shape: bool"
    is_host_only = True
    shapes = staticmethod(shape_functions.none)

    @staticmethod
    def run(ctx: Context, accumulator: Any, step: Any, indices: Any, values: Any, shape: Any, *, dtype: DType, has_known_shape: bool) -> None:
        _check_type(accumulator, dtype)
        accumulator.apply(int(step), as_array(np, indices), as_array(np, values), np.atleast_1d(shape).tolist(), has_known_shape)


class SparseAccumulatorTakeGradient(SessionOpType):
    """Takes the means, or the sums, of the rows of enough gradients."""

    inputs = "handle: Ref(string), num_required: int32"
    outputs = "indices: int64, values: dtype, shape: int64"
    attrs = _NUMBERS
    is_host_only = True
    shapes = staticmethod(_unknown)
    run = staticmethod(_take)
