"""Spectra of signals over time, and back (`tf.signal.stft`, `tf.signal.mdct`); cosine transforms (`tf.signal.dct`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum
from gpersist.ops.arranging import reverse, roll, tile
from gpersist.ops.casting import cast
from gpersist.ops.choosing import where
from gpersist.ops.complex_numbers import complex as complex_of
from gpersist.ops.complex_numbers import real
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond
from gpersist.ops.fft import irfft, rfft
from gpersist.ops.filling import zeros, zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.joining import concat
from gpersist.ops.math import pow
from gpersist.ops.padding import pad
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import expand_dims, rank, reshape, shape_of
from gpersist.ops.signal_frames import frame, overlap_and_add
from gpersist.ops.signal_windows import hann_window, vorbis_window
from gpersist.ops.splitting import split
from gpersist.ops.unary import exp, log, rsqrt, sqrt, square

__all__ = ["dct", "fftshift", "idct", "ifftshift", "inverse_mdct", "inverse_stft", "inverse_stft_window_fn", "mdct", "stft"]

Window = Callable[..., Any]


def _length(value: Any, name: str) -> Tensor:
    found = convert_to_tensor(value, name=name)
    found.shape.assert_has_rank(0)
    return found


def _enclosing_power_of_two(length: Tensor) -> Tensor:
    known = constant_value(length)
    if known is not None:
        return constant(int(2 ** np.ceil(np.log(known) / np.log(2.0))), length.dtype)
    return cast(pow(2.0, apply("Ceil", log(cast(length, "float32")) / log(2.0))), length.dtype)


def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Window | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """The spectra of a signal's frames (`tf.signal.stft`): complex [..., frames, fft_length / 2 + 1].

    Args:
        signals: reals [..., samples].
        frame_length: how long frames are, in samples.
        frame_step: how far apart they begin.
        fft_length: how many numbers are transformed; the power of two that frames fit into by default.
        window_fn: `window_fn(frame_length, dtype=...)` gives the weights of a frame; None for none.
        pad_end: whether the end is filled up with zeros.
        name: of the scope.

    Raises:
        ValueError: the signal is a scalar, or a length no scalar.
    """
    with name_scope(name, "stft", [signals, frame_length, frame_step]):
        given = convert_to_tensor(signals, name="signals")
        given.shape.with_rank_at_least(1)
        length, step = _length(frame_length, "frame_length"), _length(frame_step, "frame_step")
        count = _enclosing_power_of_two(length) if fft_length is None else convert_to_tensor(fft_length, name="fft_length")
        frames = frame(given, length, step, pad_end=pad_end)
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=frames.dtype)
        return rfft(frames, [count])


def inverse_stft_window_fn(frame_step: Any, forward_window_fn: Window = hann_window, name: str | None = None) -> Window:
    """The window with which `inverse_stft` gives the signal back (`tf.signal.inverse_stft_window_fn`)."""

    def window(frame_length: Any, dtype: Any) -> Tensor:
        with name_scope(name, "inverse_stft_window_fn", []):
            step, length = _length(frame_step, "frame_step"), _length(frame_length, "frame_length")
            forward = forward_window_fn(length, dtype=dtype)
            squares = square(forward)
            overlaps: Any = -(-length // step)
            squares = reshape(pad(squares, [(0, overlaps * step - length)]), [overlaps, step])
            sums = reshape(tile(reduce_sum(squares, 0, keepdims=True), [overlaps, 1]), [overlaps * step])
            sums = sums[:length]
            return where(apply("Equal", sums, 0.0), zeros_like(forward), forward / sums)

    return window


def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Window | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """The signal of which these are the spectra (`tf.signal.inverse_stft`); see `stft`. With `inverse_stft_window_fn` it is the one transformed."""
    with name_scope(name, "inverse_stft", [stfts]):
        given = convert_to_tensor(stfts, name="stfts")
        given.shape.with_rank_at_least(2)
        length, step = _length(frame_length, "frame_length"), _length(frame_step, "frame_step")
        if fft_length is None:
            count = _enclosing_power_of_two(length)
        else:
            count = _length(fft_length, "fft_length")
        frames = _fitted(irfft(given, [count]), length)
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=given.dtype.real_dtype)
        return overlap_and_add(frames, step)


def _fitted(frames: Tensor, length: Tensor) -> Tensor:
    """Frames cut or filled up with zeros to a length."""
    known, sizes = constant_value(length), frames.shape.sizes
    last = None if sizes is None else sizes[-1]
    if known is None or sizes is None or last is None:
        frames = frames[..., :length]
        count, shape = rank(frames), shape_of(frames)
        missing = maximum(0, length - shape[-1])
        frames = pad(frames, concat([zeros([count - 1, 2], length.dtype), [[0, missing]]], 0))
    elif last > known:
        frames = frames[..., : int(known)]
    elif last < known:
        frames = pad(frames, [[0, 0]] * (len(sizes) - 1) + [[0, int(known) - last]])
    if known is not None and frames.shape.rank is not None:
        frames.set_shape([None] * (frames.shape.rank - 1) + [int(known)])
    return frames


def mdct(
    signals: Any, frame_length: Any, window_fn: Window | None = vorbis_window, pad_end: bool = False, norm: str | None = None, name: str | None = None
) -> Tensor:
    """The modified discrete cosine transform of a signal's frames, half of which overlap (`tf.signal.mdct`): [..., frames, frame_length / 2].

    Args:
        signals: reals [..., samples].
        frame_length: how long frames are, in samples: a multiple of 4.
        window_fn: as in `stft`.
        pad_end: whether the end is filled up with zeros.
        norm: "ortho" for an orthonormal transform, or None.
        name: of the scope.

    Raises:
        ValueError: another length.
    """
    with name_scope(name, "mdct", [signals, frame_length]):
        given = convert_to_tensor(signals, name="signals")
        given.shape.with_rank_at_least(1)
        length = _length(frame_length, "frame_length")
        known = constant_value(length)
        if known is not None:
            if known % 4 != 0:
                raise ValueError("The frame length must be a multiple of 4.")
            step = convert_to_tensor(int(known) // 2, length.dtype)
        else:
            step = length // 2
        frames = frame(given, length, step, pad_end=pad_end)
        frames = frames * (window_fn(length, dtype=frames.dtype) if window_fn is not None else 1.0 / np.sqrt(2))
        parts = split(frames, 4, axis=-1)
        first = -reverse(parts[2], [-1]) - parts[3]
        second = parts[0] - reverse(parts[1], [-1])
        return dct(concat((first, second), -1), type=4, norm=norm)


def inverse_mdct(mdcts: Any, window_fn: Window | None = vorbis_window, norm: str | None = None, name: str | None = None) -> Tensor:
    """The signal of which these are the transforms (`tf.signal.inverse_mdct`); see `mdct`."""
    with name_scope(name, "inverse_mdct", [mdcts]):
        given = convert_to_tensor(mdcts, name="mdcts")
        given.shape.with_rank_at_least(2)
        half = cast(given.shape[-1], "int32")
        if norm is None:
            scale = 0.5 / cast(half, given.dtype)
            found = scale * dct(given, type=4)
        else:
            found = dct(given, type=4, norm="ortho")
        parts = split(found, 2, axis=-1)
        frames = concat((parts[1], -reverse(parts[1], [-1]), -reverse(parts[0], [-1]), -parts[0]), -1)
        frames = frames * (window_fn(2 * half, dtype=given.dtype) if window_fn is not None else 1.0 / np.sqrt(2))
        return overlap_and_add(frames, half)


def _check(value: Any, kind: int, n: int | None, axis: int, norm: str | None) -> None:
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if kind not in (1, 2, 3, 4):
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    if kind == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        last = value.shape[-1]
        size = getattr(last, "value", last)
        if size is not None and size < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")


def dct(input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None) -> Tensor:
    """The discrete cosine transform of the last axis (`tf.signal.dct`).

    Args:
        input: reals.
        type: 1 to 4.
        n: how many numbers are transformed: the axis is cut, or filled up with zeros.
        axis: -1.
        norm: "ortho" for an orthonormal transform, or None.
        name: of the scope.

    Raises:
        ValueError: another type or norm.
        NotImplementedError: another axis.
    """
    _check(input, type, n, axis, norm)
    return _dct(input, type, n, norm, name)


def idct(input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None, name: str | None = None) -> Tensor:
    """The inverse of `dct`, but for a factor where `norm` is None (`tf.signal.idct`)."""
    _check(input, type, n, axis, norm)
    return _dct(input, {1: 1, 2: 3, 3: 2, 4: 4}[type], n, norm, name)


def _last(value: Tensor) -> Any:
    return (value.shape.sizes or (None,))[-1] or shape_of(value)[-1]


def _dct(given: Any, kind: int, n: Any, norm: str | None, name: str | None) -> Tensor:
    with name_scope(name, "dct", [given]):
        value: Any = convert_to_tensor(given)
        zero = convert_to_tensor(0.0, value.dtype)
        length = _last(value)
        if n is not None:
            value = _resized(value, length, n)
        size = _last(value)
        count = cast(size, value.dtype)
        if kind == 1:
            return real(rfft(concat([value, value[..., -2:0:-1]], -1)))
        if kind == 2:
            turns = 2.0 * exp(complex_of(zero, -number_range(count) * math.pi * 0.5 / count))
            found = real(rfft(value, fft_length=[2 * size])[..., :size] * turns)
            if norm == "ortho":
                first = 0.5 * rsqrt(count)
                found = found * _weights(first, first * math.sqrt(2.0), size)
            return found
        if kind == 3:
            if norm == "ortho":
                first = sqrt(count)
                value = value * _weights(first, first * math.sqrt(0.5), size)
            else:
                value = value * count
            turns = 2.0 * exp(complex_of(zero, number_range(count) * math.pi * 0.5 / count))
            return real(irfft(turns * complex_of(value, zero), fft_length=[2 * size]))[..., :size]
        found = _dct(value, 2, 2 * size, None, None)[..., 1::2]
        return found * (math.sqrt(0.5) * rsqrt(count)) if norm == "ortho" else found


def _resized(value: Tensor, length: Any, n: Any) -> Any:
    def filled() -> Tensor:
        paddings: list[Any] = [[0, 0] for _ in range(value.shape.rank or 0)]
        paddings[-1][1] = n - length
        return pad(value, convert_to_tensor(paddings, "int32"))

    is_shorter = n <= length
    known = constant_value(is_shorter) if isinstance(is_shorter, Tensor) else is_shorter
    if known is None:
        return cond(is_shorter, lambda: value[..., 0:n], filled)
    return value[..., 0:n] if known else filled()


def _weights(first: Tensor, others: Tensor, size: Any) -> Tensor:
    return pad(expand_dims(first, 0), [[0, size - 1]], constant_values=others)


def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The halves of axes, all by default, exchanged, so that frequency 0 is in the middle (`tf.signal.fftshift`)."""
    with name_scope(name, "fftshift") as scope:
        given = convert_to_tensor(x)
        places, shift = _shifts(given, axes)
        return roll(given, shift // 2, places, scope)


def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `fftshift` (`tf.signal.ifftshift`)."""
    with name_scope(name, "ifftshift") as scope:
        given = convert_to_tensor(x)
        places, shift = _shifts(given, axes)
        return roll(given, -(shift // 2), places, scope)


def _shifts(given: Tensor, axes: Any) -> tuple[Any, Any]:
    if axes is None:
        known = given.shape.rank
        if known is None:
            raise TypeError("the rank of x is not known: which axes to shift has to be told")
        return tuple(range(known)), shape_of(given)
    if isinstance(axes, int):
        return axes, shape_of(given)[axes]
    count = rank(given)
    places = where(apply("Less", axes, 0), axes + count, axes)
    return places, gather(shape_of(given), places)
