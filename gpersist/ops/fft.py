"""Fourier transforms of the last one, two or three axes (`tf.signal`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gpersist.devices import Array
from gpersist.dtypes import as_dtype
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, apply, constant_value, convert_to_tensor, name_scope, sample
from gpersist.ops.arithmetic import maximum
from gpersist.ops.casting import cast
from gpersist.ops.complex_numbers import conj, real
from gpersist.ops.filling import ones, zeros, zeros_like
from gpersist.ops.joining import concat, stack, unstack
from gpersist.ops.padding import pad
from gpersist.ops.reductions import reduce_prod
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, rank, shape_of
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["fft", "fft2d", "fft3d", "ifft", "ifft2d", "ifft3d", "irfft", "irfft2d", "irfft3d", "rfft", "rfft2d", "rfft3d"]


class _Complex(OpType, abstract=True):
    """Complex numbers to complex numbers."""

    inputs = "input: Tcomplex"
    outputs = "output: Tcomplex"
    attrs = "Tcomplex: {complex64, complex128} = complex64"
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank_at_least(_depth(op.type))]


def _depth(op_name: str) -> int:
    return int(op_name[-2]) if op_name.endswith("D") else 1


def _axes(value: Any, depth: int) -> tuple[int, ...]:
    if value.ndim < depth:
        raise InvalidArgumentError(f"Input must have rank of at least {depth} but got: {list(value.shape)}")
    return tuple(range(-depth, 0))


def _complex_op(name: str, transform: Callable[..., Any], depth: int, told: str) -> None:
    def run(xp: Any, value: Array) -> Array:
        axes = _axes(value, depth)
        return transform(value, axes=axes).astype(value.dtype) if value.size else value.copy()

    def gradient(op: Operation, grad: Tensor) -> Tensor:
        size = reduce_prod(shape_of(grad)[-depth:])
        scale = cast(1.0 / cast(size, grad.dtype.real_dtype) if name.startswith("I") else size, grad.dtype)
        return apply(name[1:] if name.startswith("I") else "I" + name, grad) * scale

    shape = [2, 4, 3, 2][-depth - 1 :]
    samples = (sample(f"complex64[{','.join(map(str, shape))}]"), sample(f"complex128[{','.join(map(str, shape[1:]))}]"))
    members = {"run": staticmethod(run), "gradient": staticmethod(gradient), "samples": samples, "__doc__": told, "__module__": __name__}
    type(name, (_Complex,), members)


for _depth_of, _tail in ((1, ""), (2, "2D"), (3, "3D")):
    _complex_op(f"FFT{_tail}", np.fft.fftn, _depth_of, "The Fourier transform.")
    _complex_op(f"IFFT{_tail}", np.fft.ifftn, _depth_of, "The inverse of the Fourier transform.")


class _Real(OpType, abstract=True):
    """Reals to the half of their complex transform that says all."""

    inputs = "input: Treal, fft_length: int32"
    outputs = "output: Tcomplex"
    attrs = "Treal: {float, double} = float, Tcomplex: {complex64, complex128} = complex64"
    samples: ClassVar[tuple[Sample, ...]] = ()
    host_inputs = ("fft_length",)
    vectors = ("fft_length",)
    is_host_only = True

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _real_shapes(op, is_inverse=False)

    @staticmethod
    def transform(value: Any, lengths: Any, depth: int, dtype: Any) -> Any:
        axes = _axes(value, depth)
        sizes = _lengths(lengths, depth)
        shape = _transformed_shape(value, sizes, [*sizes[:-1], sizes[-1] // 2 + 1 if sizes[-1] else 0])
        _check_precision(value.dtype, dtype, "forward")
        if not value.size or 0 in shape:
            return np.zeros(shape, dtype)
        return np.fft.rfftn(value, sizes, axes).astype(dtype)


class _InverseReal(_Real, abstract=True):
    """What `_Real` makes, back to reals."""

    inputs = "input: Tcomplex, fft_length: int32"
    outputs = "output: Treal"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return _real_shapes(op, is_inverse=True)

    @staticmethod
    def transform(value: Any, lengths: Any, depth: int, dtype: Any) -> Any:
        axes = _axes(value, depth)
        sizes = _lengths(lengths, depth)
        shape = _transformed_shape(value, [*sizes[:-1], sizes[-1] // 2 + 1], sizes)
        _check_precision(value.dtype, dtype, "backward")
        if not value.size or 0 in shape:
            return np.zeros(shape, dtype)
        return np.fft.irfftn(value, sizes, axes).astype(dtype)


def _transformed_shape(value: Any, wanted: list[int], sizes: list[int]) -> tuple[int, ...]:
    """The shape of what is transformed, given how much of each axis is wanted, if it is there or nothing is, and how much comes of it."""
    if any(0 < have < want for have, want in zip(value.shape[-len(wanted) :], wanted, strict=True)):
        raise InvalidArgumentError(f"Input dimensions must be at least {wanted} but got: {list(value.shape)}")
    return (*value.shape[: -len(sizes)], *sizes)


def _check_precision(given: Any, made: Any, direction: str) -> None:
    """Raises: InvalidArgumentError: one of them is of twice the precision of the other."""
    if np.result_type(given, np.complex64) != np.result_type(made, np.complex64):
        numbers = as_dtype(given).as_datatype_enum, as_dtype(made).as_datatype_enum
        raise InvalidArgumentError(f"Wrong types for {direction} real FFT: in={numbers[0]} out={numbers[1]}")


def _lengths(lengths: Any, depth: int) -> list[int]:
    if lengths.shape != (depth,):
        raise InvalidArgumentError(f"fft_length must have shape [{depth}]")
    sizes: list[int] = lengths.tolist()
    if min(sizes) < 0:
        raise InvalidArgumentError(f"fft_length[{sizes.index(min(sizes))}] must >= 0, but got: {min(sizes)}")
    return sizes


def _real_shapes(op: Operation, *, is_inverse: bool) -> list[TensorShape]:
    depth = _depth(op.type)
    op._inputs[1].shape.merge_with([depth])
    shape, lengths = op._inputs[0].shape.with_rank_at_least(depth), constant_value(op._inputs[1])
    if shape.sizes is None:
        return [unknown_shape()]
    if lengths is None:
        return [TensorShape([*shape.sizes[:-depth], *[None] * depth])]
    sizes = [int(length) for length in lengths]
    if not is_inverse:
        sizes[-1] = sizes[-1] // 2 + 1 if sizes[-1] else 0
    return [TensorShape([*shape.sizes[:-depth], *(None if size < 0 else size for size in sizes)])]


def _real_op(depth: int, tail: str) -> None:
    def run(xp: Any, value: Array, fft_length: Any, *, Tcomplex: Any) -> Array:  # noqa: N803  # TensorFlow's attribute
        return _Real.transform(value, fft_length, depth, Tcomplex.numpy)

    def run_inverse(xp: Any, value: Array, fft_length: Any, *, Treal: Any) -> Array:  # noqa: N803  # TensorFlow's attribute
        return _InverseReal.transform(value, fft_length, depth, Treal.numpy)

    shape = [2, 4, 3, 6][-depth - 1 :]
    half = [*shape[:-1], 4]
    inputs = (f"double[{','.join(map(str, shape))}]", f"int32: {shape[1:]}"), (f"complex128[{','.join(map(str, half))}]", f"int32: {shape[1:]}")
    common: dict[str, Any] = {"__module__": __name__}
    direct = {"run": staticmethod(run), "samples": (sample(*inputs[0], Tcomplex="complex128"),), "__doc__": "The Fourier transform of reals."}
    inverse = {"run": staticmethod(run_inverse), "samples": (sample(*inputs[1], Treal="double"),), "__doc__": "The inverse of the same."}
    if depth < 3:
        direct["gradient"], inverse["gradient"] = staticmethod(_gradient(depth, tail)), staticmethod(_inverse_gradient(depth, tail))
    type(f"RFFT{tail}", (_Real,), common | direct)
    type(f"IRFFT{tail}", (_InverseReal,), common | inverse)


def _gradient(depth: int, tail: str) -> Callable[..., Any]:
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        """The inverse counts all coefficients but the first and, of an even length, the last twice: half of it, and what those two give beside."""
        value, lengths = op.inputs
        real_dtype = value.dtype
        count = cast(reduce_prod(shape_of(value)[-depth:]), real_dtype)
        whole = apply(f"IRFFT{tail}", grad, lengths, Treal=real_dtype) * count
        width = shape_of(value)[-1]
        is_even = cast(1 - lengths[-1] % 2, real_dtype)
        signs = cast(1 - 2 * (number_range(width) % 2), real_dtype)
        extra = _end(grad, slice(0, 1), depth) + is_even * signs * _end(grad, slice(-1, None), depth)
        return [0.5 * (whole + extra), None]

    return gradient


def _end(grad: Tensor, place: slice, depth: int) -> Tensor:
    """What one coefficient of the last axis gives, transformed along the axis before where there is one."""
    column = grad[..., place]
    return real(column) if depth == 1 else expand_dims(real(apply("FFT", conj(column[..., 0]))), -1)


def _inverse_gradient(depth: int, tail: str) -> Callable[..., Any]:
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        """The transform of the gradient, its coefficients doubled but for the first and, of an even length, the last."""
        value, lengths = op.inputs
        real_dtype = grad.dtype
        is_odd = lengths[-1] % 2
        inner = shape_of(value)[-1] - 2 + is_odd
        mask = concat([ones([1], real_dtype), 2.0 * ones([inner], real_dtype), ones([1 - is_odd], real_dtype)], 0)
        count = cast(reduce_prod(shape_of(grad)[-depth:]), real_dtype)
        spectrum = apply(f"RFFT{tail}", grad, lengths, Tcomplex=value.dtype)
        return [spectrum * cast(mask / count, value.dtype), None]

    return gradient


for _depth_of, _tail in ((1, ""), (2, "2D"), (3, "3D")):
    _real_op(_depth_of, _tail)


def _builder(function_name: str, op_name: str, told: str) -> Callable[..., Tensor]:
    def build(input: Any, name: str | None = None) -> Tensor:  # TensorFlow's name
        return apply(op_name, input, name=name)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = told
    return build


def _real_builder(function_name: str, op_name: str, depth: int, told: str) -> Callable[..., Tensor]:
    def build(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
        is_inverse = op_name.startswith("I")
        with name_scope(name, function_name, [input_tensor, fft_length]) as scope:
            tensor = convert_to_tensor(input_tensor, preferred_dtype="complex64" if is_inverse else "float32")
            if tensor.dtype.name not in _OTHER or tensor.dtype.is_complex is not is_inverse:
                raise ValueError(f"{op_name} requires {'complex' if is_inverse else 'real'} inputs, got: {tensor}")
            tensor.shape.with_rank_at_least(depth)
            lengths = _own_lengths(tensor, depth, is_inverse) if fft_length is None else convert_to_tensor(fft_length, "int32")
            tensor = _padded(tensor, lengths, depth, is_inverse)
            known = constant_value(lengths)
            attr = {"Treal" if is_inverse else "Tcomplex": _OTHER[tensor.dtype.name]}
            return apply(op_name, tensor, lengths if known is None else known, name=scope, **attr)

    build.__name__ = build.__qualname__ = function_name
    build.__doc__ = f"""{told} (`tf.signal.{function_name}`).

    Args:
        input_tensor: what is transformed, along its last axes.
        fft_length: how many numbers of each axis, which is cut or filled up with zeros; by default all.
        name: of the node.

    Raises:
        ValueError: the input is of another type, or has fewer axes.
    """
    return build


_OTHER = {"float32": "complex64", "float64": "complex128", "complex64": "float32", "complex128": "float64"}


def _own_lengths(tensor: Tensor, depth: int, is_inverse: bool) -> Tensor:
    shape = tensor.shape[-depth:]
    if shape.is_fully_defined():
        sizes = [size or 0 for size in shape.as_list()]
        if is_inverse:
            sizes[-1] = max(0, 2 * (sizes[-1] - 1))
        return convert_to_tensor(sizes, "int32")
    lengths = shape_of(tensor)[-depth:]
    if not is_inverse:
        return lengths
    parts = unstack(lengths, depth)
    parts[-1] = maximum(0, 2 * (parts[-1] - 1))
    return stack(parts)


def _padded(tensor: Tensor, lengths: Tensor, depth: int, is_inverse: bool) -> Tensor:
    """The tensor filled up with zeros to these lengths where it is shorter."""
    wanted, sizes = constant_value(lengths), tensor.shape.sizes
    if sizes is not None and 0 in sizes:
        return tensor
    if wanted is not None and sizes is not None and None not in sizes[-depth:]:
        lengths_wanted = wanted.tolist()
        if is_inverse:
            lengths_wanted[-1] = lengths_wanted[-1] // 2 + 1
        missing = [[0, max(want - (have or 0), 0)] for want, have in zip(lengths_wanted, sizes[-depth:], strict=True)]
        return pad(tensor, [[0, 0]] * (len(sizes) - depth) + missing) if any(after for _, after in missing) else tensor
    count = rank(tensor)
    have = shape_of(tensor)[-depth:]
    outer = zeros([maximum(0, count - depth)], lengths.dtype)
    if is_inverse:
        lengths = concat([lengths[:-1], lengths[-1:] // 2 + 1], 0)
    paddings = concat([outer, maximum(0, lengths - have)], 0)
    return pad(tensor, stack([zeros_like(paddings), paddings], axis=1))


fft = _builder("fft", "FFT", "The Fourier transform of the last axis (`tf.signal.fft`).")
ifft = _builder("ifft", "IFFT", "The inverse of `fft` (`tf.signal.ifft`).")
fft2d = _builder("fft2d", "FFT2D", "The Fourier transform of the last two axes (`tf.signal.fft2d`).")
ifft2d = _builder("ifft2d", "IFFT2D", "The inverse of `fft2d` (`tf.signal.ifft2d`).")
fft3d = _builder("fft3d", "FFT3D", "The Fourier transform of the last three axes (`tf.signal.fft3d`).")
ifft3d = _builder("ifft3d", "IFFT3D", "The inverse of `fft3d` (`tf.signal.ifft3d`).")
rfft = _real_builder("rfft", "RFFT", 1, "The Fourier transform of reals, the half of it that says all")
irfft = _real_builder("irfft", "IRFFT", 1, "The inverse of `rfft`")
rfft2d = _real_builder("rfft2d", "RFFT2D", 2, "The Fourier transform of reals along two axes, the half of it that says all")
irfft2d = _real_builder("irfft2d", "IRFFT2D", 2, "The inverse of `rfft2d`")
rfft3d = _real_builder("rfft3d", "RFFT3D", 3, "The Fourier transform of reals along three axes, the half of it that says all")
irfft3d = _real_builder("irfft3d", "IRFFT3D", 3, "The inverse of `rfft3d`")
