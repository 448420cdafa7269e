"""Pooling over windows that shrink an image by any factor (Graham, 2014): `tf.nn.fractional_max_pool`, `tf.nn.fractional_avg_pool`."""

from __future__ import annotations

import itertools
import math
import secrets
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, sample
from gpersist.ops.distributions import unit_doubles
from gpersist.ops.kernels import shown
from gpersist.ops.named_outputs import named_outputs
from gpersist.ops.philox import WORDS, Philox
from gpersist.ops.shaping import shape as shape_of
from gpersist.shapes import TensorShape

__all__ = ["fractional_avg_pool", "fractional_max_pool"]

_KINDS = "T: {float, double, int32, int64}"
_Vector = np.ndarray[Any, Any]


def fractional_max_pool(
    value: Any,
    pooling_ratio: Sequence[float],
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
    name: str | None = None,
) -> Any:
    """The largest element of each window.

    Args:
        value: [images, height, width, channels].
        pooling_ratio: by how much each dimension shrinks: [1, height's, width's, 1].
        pseudo_random: whether windows follow from one random number, rather than each from its own.
        overlapping: whether a window has the first row and column of the next one, too.
        deterministic: whether the windows are the same in each run.
        seed: with `seed2`, chooses the windows, where these are deterministic.
        seed2: see `seed`.
        name: of the node.
    """
    return _pool("FractionalMaxPool", value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name)


def fractional_avg_pool(
    value: Any,
    pooling_ratio: Sequence[float],
    pseudo_random: bool = False,
    overlapping: bool = False,
    deterministic: bool = False,
    seed: int = 0,
    seed2: int = 0,
    name: str | None = None,
) -> Any:
    """The mean of each window; arguments as in `fractional_max_pool`."""
    return _pool("FractionalAvgPool", value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name)


def _pool(op_name: str, value: Any, ratio: Any, pseudo: bool, overlapping: bool, deterministic: bool, seed: int, seed2: int, name: Any) -> Any:
    attrs = {"pooling_ratio": ratio, "pseudo_random": pseudo, "overlapping": overlapping, "deterministic": deterministic}
    return named_outputs(op_name, value, seed=seed, seed2=seed2, name=name, **attrs)


def _pseudo_random_sizes(size: int, count: int, start: Philox) -> list[int]:
    """Of windows that follow from one number."""
    ratio = size / count
    least = size // count
    limit = min((least + 2) / ratio - 1, (size + 1 - least) / ratio - (count - 1))
    shift = float(unit_doubles(start, 1)[0]) * limit
    starts = [1, *(math.ceil(ratio * (place + shift)) for place in range(1, count)), size + 1]
    return [end - begin for begin, end in itertools.pairwise(starts)]


def _random_sizes(size: int, count: int, start: Philox) -> list[int]:
    """Of windows that differ by at most one, shuffled."""
    sizes = [size // count + (place < size % count) for place in range(count)]
    words = start.blocks(np, -(-count // WORDS)).reshape(-1).tolist()
    for place in range(count - 1):
        other = place + words[place] % (count - place)
        sizes[place], sizes[other] = sizes[other], sizes[place]
    return sizes


def _sequences(value: Any, ratio: list[float], pseudo: bool, deterministic: bool, seed: int, seed2: int) -> list[_Vector]:
    """Where the windows begin, along height and width."""
    if ratio[0] != 1 or ratio[3] != 1:
        raise UnimplementedError("Fractional pooling is not yet supported on the batch nor channel dimension.")
    if min(ratio) < 1:
        raise InvalidArgumentError(f"pooling_ratio cannot be smaller than 1, got: {ratio}")
    if not deterministic and (seed or seed2):
        raise InvalidArgumentError("Both seed and seed2 should be 0 if deterministic is false.")
    if value.ndim != 4 or not value.size:
        raise InvalidArgumentError(f"tensor_in must be 4-dimensional and not empty, got {shown(value.shape)}")
    if not seed and not seed2:
        seed, seed2 = secrets.randbits(63), secrets.randbits(63)
    position = Philox.of_seeds(seed, seed2)
    found = []
    for axis in (1, 2):
        size = value.shape[axis]
        count = math.floor(size / ratio[axis])
        if count <= 0:
            raise InvalidArgumentError(f"Pooling ratio {ratio[axis]} is higher than the size of the input, {size}")
        sizes = (_pseudo_random_sizes if pseudo else _random_sizes)(size, count, position)
        position = position.skip(1 if pseudo else -(-count // WORDS))
        found.append(np.cumsum([0, *sizes]).astype(np.int64))
    return found


def _windows(sequence: _Vector, count: int, size: int, overlapping: bool, what: str) -> list[tuple[int, int]]:
    """Where each of so many windows begins and ends, within the size of the input."""
    starts = sequence.reshape(-1).tolist()
    if len(starts) <= count:
        raise InvalidArgumentError(
            f"{what.lower()}_seq_tensor must have at least {count + 1} elements, one more than the output, but got {len(starts)}"
        )
    found = [(starts[place], min(starts[place + 1] + int(overlapping), size)) for place in range(count)]
    if any(start < 0 or end < 1 for start, end in found):
        raise InvalidArgumentError(f"{what} sequence tensor values must not be negative, got {' '.join(map(str, starts))}")
    return found


def _pooled(xp: Any, value: Array, rows: _Vector, columns: _Vector, overlapping: bool, reduce: Callable[..., Array]) -> Array:
    bands = _windows(rows, len(rows) - 1, value.shape[1], overlapping, "Row")
    parts = _windows(columns, len(columns) - 1, value.shape[2], overlapping, "Column")
    return xp.stack([xp.stack([reduce(value[:, top:below, left:right]) for left, right in parts], 1) for top, below in bands], 1)


class _FractionalPool(OpType, abstract=True):
    """Pooling; its windows are random, or follow from seeds."""

    inputs = "value: T"
    outputs = "output: T, row_pooling_sequence: int64, col_pooling_sequence: int64"
    attrs = (
        "pooling_ratio: list(float) >= 4, pseudo_random: bool = false, overlapping: bool = false, deterministic: bool = false, "
        f"seed: int = 0, seed2: int = 0, {_KINDS}"
    )
    host_outputs = ("row_pooling_sequence", "col_pooling_sequence")
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("double[2,7,9,2]", pooling_ratio=[1.0, 1.5, 2.2, 1.0], deterministic=True, seed=3),
        sample("double[1,8,6,1]", pooling_ratio=[1.0, 1.7, 1.3, 1.0], deterministic=True, seed=3, pseudo_random=True, overlapping=True),
        sample("int32[1,8,6,1]", pooling_ratio=[1.0, 2.0, 2.0, 1.0], deterministic=True, seed2=5),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        ratio = op.attr("pooling_ratio")
        if len(ratio) != 4:
            raise ValueError("pooling_ratio field must specify 4 dimensions")
        if min(ratio) < 1:
            raise ValueError(f"pooling_ratio should be larger than or equal to 1, got {ratio}")
        sizes = op._inputs[0].shape.with_rank(4).as_list()
        found = [None if size is None else math.floor(size / factor) for size, factor in zip(sizes, ratio, strict=True)]
        return [TensorShape(found), *(TensorShape([None if size is None else size + 1]) for size in found[1:3])]


class FractionalMaxPool(_FractionalPool):
    """The largest element of each window."""

    @staticmethod
    def run(
        xp: Any, value: Array, *, pooling_ratio: list[float], pseudo_random: bool, overlapping: bool, deterministic: bool, seed: int, seed2: int
    ) -> list[Array]:
        rows, columns = _sequences(value, pooling_ratio, pseudo_random, deterministic, seed, seed2)
        return [_pooled(xp, value, rows, columns, overlapping, lambda part: part.max((1, 2))), rows, columns]

    @staticmethod
    def gradient(op: Operation, grad: Tensor, *others: Tensor) -> Tensor:
        return apply("FractionalMaxPoolGrad", op.inputs[0], op.outputs[0], grad, *op.outputs[1:], overlapping=op.attr("overlapping"))


class FractionalAvgPool(_FractionalPool):
    """The mean of each window."""

    @staticmethod
    def run(
        xp: Any, value: Array, *, pooling_ratio: list[float], pseudo_random: bool, overlapping: bool, deterministic: bool, seed: int, seed2: int
    ) -> list[Array]:
        rows, columns = _sequences(value, pooling_ratio, pseudo_random, deterministic, seed, seed2)

        def mean(part: Array) -> Array:
            total, count = part.sum((1, 2), dtype=value.dtype), part.shape[1] * part.shape[2]
            if value.dtype.kind == "f":
                return total / value.dtype.type(count)
            return (xp.sign(total) * (xp.abs(total) // count)).astype(value.dtype)

        return [_pooled(xp, value, rows, columns, overlapping, mean), rows, columns]

    @staticmethod
    def gradient(op: Operation, grad: Tensor, *others: Tensor) -> Tensor:
        known = op.inputs[0].shape
        shape = known if known.is_fully_defined() else shape_of(op.inputs[0], out_type="int64")
        return apply("FractionalAvgPoolGrad", shape, grad, *op.outputs[1:], overlapping=op.attr("overlapping"))


class FractionalMaxPoolGrad(OpType):
    """The gradient of `FractionalMaxPool`: each window's goes to its first largest element."""

    inputs = "orig_input: T, orig_output: T, out_backprop: T, row_pooling_sequence: int64, col_pooling_sequence: int64"
    outputs = "output: T"
    attrs = f"overlapping: bool = false, {_KINDS}"
    host_inputs = ("row_pooling_sequence", "col_pooling_sequence")
    samples = (
        sample(
            np.arange(40, dtype=np.float32).reshape(1, 4, 5, 2),
            np.array([14, 15, 18, 19, 34, 35, 38, 39], np.float32).reshape(1, 2, 2, 2),
            "float[1,2,2,2]",
            "int64: [0, 2, 4]",
            "int64: [0, 3, 5]",
            has_gradient=False,
        ),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank(4)]

    @staticmethod
    def run(xp: Any, value: Array, output: Array, grad: Array, rows: Any, columns: Any, *, overlapping: bool) -> Array:
        for what, array in (("orig_input", value), ("orig_output", output)):
            if array.ndim != 4 or not array.size:
                raise InvalidArgumentError(f"{what} should be a tensor of rank 4 and not empty, got {shown(array.shape)}")
        if grad.size != output.size or (output.shape[0], output.shape[3]) != (value.shape[0], value.shape[3]):
            raise InvalidArgumentError(
                f"the output {shown(output.shape)} and its gradient {shown(grad.shape)} do not go with the input {shown(value.shape)}"
            )
        grad = grad.reshape(output.shape)
        for what, sequence in (("row", rows), ("col", columns)):
            if sequence.ndim != 1:
                raise InvalidArgumentError(f"{what}_pooling_sequence must be a vector, received shape {shown(sequence.shape)}")
        found = xp.zeros_like(value)
        parts = _windows(columns, output.shape[2], value.shape[2], overlapping, "Column")
        for y, (top, below) in enumerate(_windows(rows, output.shape[1], value.shape[1], overlapping, "Row")):
            for x, (left, right) in enumerate(parts):
                part = value[:, top:below, left:right]
                flat = part.reshape(part.shape[0], -1, part.shape[3])
                if not flat.size or (xp is np and not np.array_equal(flat.max(1), output[:, y, x], equal_nan=True)):
                    raise InvalidArgumentError("tensor_out_dup is not the same as tensor_out: orig_output is no output of orig_input")
                is_first = xp.arange(flat.shape[1])[None, :, None] == flat.argmax(1)[:, None]
                found[:, top:below, left:right] += (is_first * grad[:, y, x][:, None]).astype(value.dtype).reshape(part.shape)
        return found


class FractionalAvgPoolGrad(OpType):
    """The gradient of `FractionalAvgPool`: each window's goes to all of its elements."""

    inputs = "orig_input_tensor_shape: int64, out_backprop: T, row_pooling_sequence: int64, col_pooling_sequence: int64"
    outputs = "output: T"
    attrs = f"overlapping: bool = false, {_KINDS}"
    host_inputs = ("orig_input_tensor_shape", "row_pooling_sequence", "col_pooling_sequence")
    samples = (sample("int64: [1, 4, 5, 2]", "float[1,2,2,2]", "int64: [0, 2, 4]", "int64: [0, 3, 5]", has_gradient=False),)

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        known = constant_value(op._inputs[0])
        return [TensorShape([None] * 4 if known is None else [int(size) for size in known])]

    @staticmethod
    def run(xp: Any, shape: Any, grad: Array, rows: Any, columns: Any, *, overlapping: bool) -> Array:
        if shape.shape != (4,):
            raise InvalidArgumentError(f"original input tensor shape must be 1-dimensional and 4 elements, got {shown(shape.shape)}")
        batch, height, width, depth = shape.tolist()
        if grad.ndim != 4 or not grad.size or (grad.shape[0], grad.shape[3]) != (batch, depth):
            raise InvalidArgumentError(
                f"out_backprop must be 4-dimensional, not empty and go with the input {shape.tolist()}, got {shown(grad.shape)}"
            )
        found = xp.zeros((batch, height, width, depth), np.float64)  # whose sums TensorFlow rounds at the end
        parts = _windows(columns, grad.shape[2], width, overlapping, "Column")
        for y, (top, below) in enumerate(_windows(rows, grad.shape[1], height, overlapping, "Row")):
            for x, (left, right) in enumerate(parts):
                share = grad[:, y, x] / max(1, (below - top) * (right - left))
                found[:, top:below, left:right] += share[:, None, None]
        return found.astype(grad.dtype)
