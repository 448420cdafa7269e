"""The same elements in another order, repeated, or with others around them: transpose, tile, reverse, roll, pad."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_shape, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops import shape_functions
from gpersist.ops.joining import stack
from gpersist.ops.kernels import as_array, axis_within, shown
from gpersist.ops.shaping import rank, reshape, shape_of, size
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["invert_permutation", "matrix_transpose", "reverse", "reverse_sequence", "reverse_v2", "roll", "tile", "transpose"]


class _Transposing(OpType, abstract=True):
    """A tensor with its dimensions in another order."""

    inputs = "x: T, perm: Tperm"
    outputs = "y: T"
    attrs = "T: type, Tperm: {int32, int64} = int32"
    host_inputs = ("perm",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, perm = op._inputs
        order, sizes = constant_value(perm), value.shape.sizes
        count = perm.shape.with_rank(1).as_list()[0]
        if sizes is None:
            return [unknown_shape(None if count in (0, 1) else count)]  # a scalar may have a permutation of one
        if count not in (None, len(sizes)):
            raise ValueError(f"Dimension must be {len(sizes)} but is {count}: the permutation has to name each dimension once")
        if order is None:
            return [unknown_shape(len(sizes))]
        return [TensorShape(sizes[shape_functions.axis(int(axis), len(sizes))] for axis in order)]


def _transposed(xp: Any, value: Array, perm: Any) -> Array:
    array = as_array(xp, value)
    order = [axis_within(int(axis), array.ndim, "transpose's perm") for axis in perm]
    if sorted(order) != list(range(array.ndim)):
        if len(order) != array.ndim:
            raise InvalidArgumentError(f"transpose expects a vector of size {array.ndim}. But input(1) is a vector of size {len(order)}")
        missing = next(axis for axis in range(array.ndim) if axis not in order)
        raise InvalidArgumentError(f"{missing} is missing from {{{','.join(map(str, perm.tolist()))}}}.")
    return array.transpose(order)


class Transpose(_Transposing):
    """A tensor with its dimensions in another order."""

    samples = (sample("float[2,3]", "int32: [1, 0]"), sample("int32[2,3,4]", "int64: [2, 0, 1]"), sample("string[2,1]", "int32: [-1, 0]"))

    @staticmethod
    def run(xp: Any, value: Array, perm: Any) -> Array:
        return _transposed(xp, value, perm)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [transpose(grad, invert_permutation(op.inputs[1])), None]


class ConjugateTranspose(_Transposing):
    """A tensor with its dimensions in another order, each element conjugated."""

    samples = (sample("float[2,3]", "int32: [1, 0]"), sample("complex64[2,3]", "int32: [1, 0]"))

    @staticmethod
    def run(xp: Any, value: Array, perm: Any) -> Array:
        found = _transposed(xp, value, perm)
        return xp.conj(found) if found.dtype.kind == "c" else found

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [transpose(grad, invert_permutation(op.inputs[1]), conjugate=True), None]


class InvertPermutation(OpType):
    """The permutation that undoes one."""

    inputs = "x: T"
    outputs = "y: T"
    attrs = "T: {int32, int64} = int32"
    samples = (sample("int32: [2, 0, 1]"), sample("int64: [0]"))
    host_inputs = ("x",)
    host_outputs = ("y",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank(1)]

    @staticmethod
    def run(xp: Any, x: Any) -> Any:
        if x.ndim != 1 or sorted(x.tolist()) != list(range(x.size)):
            raise InvalidArgumentError(f"invert_permutation expects a vector that names each of [0, {x.size}) once, got {x.tolist()}")
        return np.argsort(x).astype(x.dtype)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class Tile(OpType):
    """A tensor repeated along its dimensions."""

    inputs = "input: T, multiples: Tmultiples"
    outputs = "output: T"
    attrs = "T: type, Tmultiples: {int32, int64} = int32"
    samples = (
        sample("float[2,3]", "int32: [2, 1]"),
        sample("float[2,1]", "int64: [1, 3]"),
        sample("int32[2]", "int32: [0]"),
        sample("string[1]", "int32: [2]"),
    )
    host_inputs = ("multiples",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, multiples = op._inputs
        count = multiples.shape.with_rank(1).as_list()[0]
        shape = value.shape if count is None else value.shape.with_rank(count)
        times = constant_shape(multiples)
        if shape.sizes is None:
            return [unknown_shape()]
        if times.sizes is None:
            return [TensorShape(0 if size == 0 else None for size in shape.sizes)]
        pairs = zip(shape.sizes, times.sizes, strict=True)
        return [TensorShape(0 if 0 in (size, time) else None if size is None or time is None else size * time for size, time in pairs)]

    @staticmethod
    def run(xp: Any, value: Array, multiples: Any) -> Array:
        array = as_array(xp, value)
        if multiples.shape != (array.ndim,):
            raise InvalidArgumentError(f"Expected multiples argument to be a vector of length {array.ndim} but got length {multiples.size}")
        if multiples.size and multiples.min() < 0:
            place = int(np.argmax(multiples < 0))
            raise InvalidArgumentError(f"Expected multiples[{place}] >= 0, but got {multiples[place]}")
        return xp.tile(array, tuple(multiples.tolist()))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        value, multiples = op.inputs
        shape = shape_of(value, out_type=multiples.dtype.base_dtype)
        split = reshape(transpose(stack([multiples, shape])), [-1])
        axes = apply("Range", 0, size(split), 2, name="range")
        result = apply("Sum", reshape(grad, split), axes)
        result.set_shape(value.shape)
        return [result, None]


class TileGrad(OpType):
    """The gradient of `Tile` in graphs of 2015: the sum of all copies of each element."""

    inputs = "input: T, multiples: int32"
    outputs = "output: T"
    attrs = "T: type"
    samples = (sample("float[4,3]", "int32: [2, 1]"), sample("int32[6]", "int32: [3]"), sample("double[]", np.zeros(0, np.int32)))
    host_inputs = ("multiples",)

    @staticmethod
    def run(xp: Any, value: Array, multiples: Any) -> Array:
        array = as_array(xp, value)
        if multiples.shape != (array.ndim,):
            raise InvalidArgumentError(f"Expected multiples argument to be a vector of length {array.ndim} but got length {multiples.size}")
        for place, (length, count) in enumerate(zip(array.shape, multiples.tolist(), strict=True)):
            if count <= 0:
                raise InvalidArgumentError(f"Expected multiples[{place}] > 0, but got {count}")
            if length % count:
                raise InvalidArgumentError(f"Expected input_shape[{place}] % multiples[{place}] = 0, but got {length} % {count}")
        split = [part for length, count in zip(array.shape, multiples.tolist(), strict=True) for part in (count, length // count)]
        return xp.reshape(array, split).sum(tuple(range(0, len(split), 2)), dtype=array.dtype)


_REVERSIBLE = "{uint8, int8, uint16, int16, int32, uint32, int64, uint64, bool, bfloat16, half, float, double, complex64, complex128, string}"


class ReverseV2(OpType):
    """A tensor backwards along some dimensions."""

    inputs = "tensor: T, axis: Tidx"
    outputs = "output: T"
    attrs = f"Tidx: {{int32, int64}} = int32, T: {_REVERSIBLE}"
    samples = (
        sample("float[2,3]", "int32: [1]"),
        sample("double[2,3]", "int64: [-1, 0]"),
        sample("string[2]", "int32: [0]"),
        sample("int32[2]", np.zeros(0, np.int32)),
    )
    host_inputs = ("axis",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, axes = op._inputs[0].shape, constant_value(op._inputs[1])
        op._inputs[1].shape.with_rank(1)
        if axes is not None and value.rank is not None:
            found = [shape_functions.axis(int(axis), value.rank) for axis in axes]
            if len(set(found)) < len(found):
                raise ValueError(f"axis {axes.tolist()} specified more than once.")
        return [value]

    @staticmethod
    def run(xp: Any, value: Array, axis: Any) -> Array:
        array = as_array(xp, value)
        axes = [axis_within(int(found), array.ndim) for found in axis]
        if len(set(axes)) < len(axes):
            raise InvalidArgumentError(f"axis {axis.tolist()} specified more than once.")
        return xp.flip(array, tuple(axes)) if axes else array

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [reverse_v2(grad, op.inputs[1]), None]


class Reverse(OpType):
    """A tensor backwards along the dimensions that are marked."""

    inputs = "tensor: T, dims: bool"
    outputs = "output: T"
    attrs = "T: {uint8, int8, uint16, int16, uint32, int32, uint64, int64, bool, bfloat16, half, float, double, complex64, complex128, string}"
    samples = (sample("float[2,3]", "bool: [True, False]"), sample("int32[2]", "bool: [False]"))
    host_inputs = ("dims",)
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, dims = (tensor.shape for tensor in op._inputs)
        count = dims.with_rank(1).as_list()[0]
        return [value if count is None else value.with_rank(count)]

    @staticmethod
    def run(xp: Any, value: Array, dims: Any) -> Array:
        array = as_array(xp, value)
        if len(dims) != array.ndim:
            raise InvalidArgumentError(f"reverse 'dims' tensor must have the same length as the input has dimensions: {len(dims)}, {array.ndim}")
        return xp.flip(array, tuple(np.flatnonzero(dims).tolist())) if dims.any() else array

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [apply("Reverse", grad, op.inputs[1]), None]


class ReverseSequence(OpType):
    """Of each sequence in a batch the first elements backwards: as many as are said to be its length."""

    inputs = "input: T, seq_lengths: Tlen"
    outputs = "output: T"
    attrs = "seq_dim: int, batch_dim: int = 0, T: type, Tlen: {int32, int64} = int64"
    samples = (sample("float[2,4]", "int64: [3, 0]", seq_dim=1), sample("double[4,2,2]", "int32: [4, 1]", seq_dim=0, batch_dim=1))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (value, lengths), along, batch = (tensor.shape for tensor in op._inputs), op.attr("seq_dim"), op.attr("batch_dim")
        (count,) = lengths.with_rank(1).as_list()
        if value.rank is None:
            return [value]
        if batch >= value.rank:
            raise ValueError(f"batch_dim must be < input rank: {batch} vs. {value.rank}")
        if along >= value.rank:
            raise ValueError(f"seq_dim must be < input rank: {along} vs. {value.rank}")
        return [value.merge_with([count if axis == batch else None for axis in range(value.rank)])]  # below 0 is left to the run

    @staticmethod
    def run(xp: Any, value: Array, seq_lengths: Array, *, seq_dim: int, batch_dim: int) -> Array:
        if seq_dim == batch_dim or not 0 <= seq_dim < value.ndim or not 0 <= batch_dim < value.ndim:
            raise InvalidArgumentError(
                f"batch_dim {batch_dim} and seq_dim {seq_dim} must be two dimensions of an input of shape {shown(value.shape)}"
            )
        batch, size = value.shape[batch_dim], value.shape[seq_dim]
        if seq_lengths.shape != (batch,):
            raise InvalidArgumentError(f"Length of seq_lengths != input.dims({batch_dim}), ({seq_lengths.size} vs. {batch})")
        if xp is np and batch and (seq_lengths.min() < 0 or seq_lengths.max() > size):
            raise InvalidArgumentError(f"seq_lengths has to be in [0, {size}], got {seq_lengths.tolist()}")
        places = xp.arange(size)[None, :]
        lengths = seq_lengths[:, None]
        sources = xp.where(places < lengths, lengths - 1 - places, places)
        moved = xp.moveaxis(value, (batch_dim, seq_dim), (0, 1))
        return xp.moveaxis(moved[xp.arange(batch)[:, None], sources], (0, 1), (batch_dim, seq_dim))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        attrs = {name: op.attr(name) for name in ("seq_dim", "batch_dim")}
        return [apply("ReverseSequence", grad, op.inputs[1], **attrs), None]


class Roll(OpType):
    """A tensor with its elements shifted along some dimensions; what leaves at one end comes back at the other."""

    inputs = "input: T, shift: Tshift, axis: Taxis"
    outputs = "output: T"
    attrs = "T: type, Tshift: {int32, int64}, Taxis: {int32, int64}"
    samples: ClassVar[tuple[Sample, ...]] = (
        sample("float[2,3]", "int32: 1", "int32: 1"),
        sample("double[2,3]", "int64: [-1, 4]", "int32: [0, -1]"),
        sample("string[3]", "int32: [1, 1]", "int32: [0, 0]"),
        sample("float[0,2]", "int32: 1", "int32: 0"),
    )
    host_inputs = ("shift", "axis")
    is_foldable = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        value, shift, axis = (tensor.shape for tensor in op._inputs)
        shift.with_rank_at_most(1).merge_with(axis.with_rank_at_most(1))
        return [value.with_rank_at_least(1)]

    @staticmethod
    def run(xp: Any, value: Array, shift: Any, axis: Any) -> Array:
        if np.shape(shift) != np.shape(axis):
            raise InvalidArgumentError(f"shift and axis must have the same size, got {shown(np.shape(shift))} and {shown(np.shape(axis))}")
        axes = tuple(axis_within(int(found), value.ndim) for found in np.ravel(axis))
        return xp.roll(value, tuple(np.ravel(shift).tolist()), axes)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        _, shift, axis = op.inputs
        return [roll(grad, -shift, axis), None, None]


def transpose(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> Tensor:
    """A tensor with its dimensions in another order, backwards by default (`tf.transpose`)."""
    with name_scope(name, "transpose", [a]) as scope:
        tensor = convert_to_tensor(a, name="a")
        if perm is None:
            known = tensor.shape.rank
            perm = apply("Range", apply("Rank", tensor) - 1, -1, -1) if known is None else np.arange(known - 1, -1, -1, dtype=np.int32)
        is_conjugated = conjugate and tensor.dtype.is_complex
        return apply("ConjugateTranspose" if is_conjugated else "Transpose", tensor, perm, name=scope)


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """A tensor with its last two dimensions exchanged (`tf.matrix_transpose`).

    Raises:
        ValueError: it has fewer dimensions.
    """
    with name_scope(name, values=[a]):
        tensor = convert_to_tensor(a, name="a")
        known = tensor.shape.rank
        if known is None:
            from gpersist.ops.joining import concat

            count = rank(tensor)
            return transpose(tensor, concat((apply("Range", 0, count - 2, 1), [count - 1, count - 2]), 0), conjugate=conjugate)
        if known < 2:
            raise ValueError(f"Argument `a` should be a (batch) matrix with rank >= 2.  Received `a` = {tensor} with shape: {tensor.shape}")
        return transpose(tensor, [*range(known - 2), known - 1, known - 2], conjugate=conjugate)


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The permutation that undoes one (`tf.invert_permutation`)."""
    return apply("InvertPermutation", x, name=name)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """A tensor repeated along its dimensions (`tf.tile`)."""
    return apply("Tile", input, multiples, name=name)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """A tensor backwards along some dimensions (`tf.reverse`)."""
    return apply("ReverseV2", tensor, axis, name=name)


reverse_v2 = reverse


def reverse_sequence(
    input: Any,  # TensorFlow's name
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Tensor:
    """Of each sequence in a batch the first elements backwards (`tf.reverse_sequence`)."""
    along, batch = seq_dim if seq_axis is None else seq_axis, batch_dim if batch_axis is None else batch_axis
    return apply("ReverseSequence", input, seq_lengths, seq_dim=along, batch_dim=batch, name=name)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
    """A tensor with its elements shifted along some dimensions (`tf.roll`)."""
    return apply("Roll", input, shift, axis, name=name)
