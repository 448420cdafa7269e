"""Signals cut into frames that overlap, and put together again (`tf.signal.frame`, `tf.signal.overlap_and_add`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum
from gpersist.ops.arranging import transpose
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import while_loop
from gpersist.ops.filling import zeros, zeros_like
from gpersist.ops.gathering import gather
from gpersist.ops.indexing import strided_slice
from gpersist.ops.joining import concat
from gpersist.ops.math import floormod
from gpersist.ops.padding import pad
from gpersist.ops.reductions import reduce_sum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.shaping import rank, reshape, shape_of, size
from gpersist.ops.splitting import split

__all__ = ["frame", "overlap_and_add"]


def _known(value: Any) -> Any:
    """A tensor's value where it is known, else the tensor."""
    found = constant_value(value)
    return value if found is None else found


def _divisor(one: Any, other: Any) -> Any:
    """The greatest common divisor of two integers."""
    with name_scope(None, "gcd", [one, other]):
        a, b = convert_to_tensor(one), convert_to_tensor(other)
        known_a, known_b = constant_value(a), constant_value(b)
        if known_a is not None and known_b is not None:
            return convert_to_tensor(math.gcd(int(known_a), int(known_b)))
        found, _ = while_loop(
            lambda _, b: apply("Greater", b, zeros_like(b)),
            lambda a, b: [b, floormod(a, b, name="mod")],
            [a, b],
            back_prop=False,
        )
        return found


def _frames_shape(signal: Tensor, length: Any, step: Any, pads: bool, axis: Any) -> list[int | None] | None:
    frame_length, frame_step, along = constant_value(length), constant_value(step), constant_value(axis)
    sizes = signal.shape.sizes
    if sizes is None:
        return None
    if along is None:
        return [None] * (len(sizes) + 1)
    place = int(along) % len(sizes)
    samples, count = sizes[place], None
    if samples is not None and frame_step is not None:
        if pads:
            count = max(0, -(-samples // int(frame_step)))
        elif frame_length is not None:
            count = max(0, (samples - int(frame_length) + int(frame_step)) // int(frame_step))
    return [*sizes[:place], count, None if frame_length is None else int(frame_length), *sizes[place + 1 :]]


def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: Any = -1, name: str | None = None
) -> Tensor:
    """A signal as frames that may overlap (`tf.signal.frame`): [..., frames, frame_length, ...].

    Args:
        signal: [..., samples, ...].
        frame_length: how long frames are, in samples.
        frame_step: how far apart they begin.
        pad_end: whether the end is filled up, so that no sample is left out.
        pad_value: with what.
        axis: of the samples.
        name: of the scope.

    Raises:
        ValueError: the signal is a scalar, or a length no scalar.
    """
    with name_scope(name, "frame", [signal, frame_length, frame_step, pad_value]):
        signal = convert_to_tensor(signal, name="signal")
        length = convert_to_tensor(frame_length, name="frame_length")
        step = convert_to_tensor(frame_step, name="frame_step")
        along: Any = convert_to_tensor(axis, name="axis")
        signal.shape.with_rank_at_least(1)
        for scalar in (length, step, along):
            scalar.shape.assert_has_rank(0)
        found_shape = _frames_shape(signal, length, step, pad_end, along)
        sizes = _known(shape_of(signal))
        along = _known(along)
        outer: Any
        inner: Any
        samples: Any
        if not isinstance(sizes, Tensor) and not isinstance(along, Tensor):
            along = range(len(sizes))[int(along)]
            outer, middle, inner = np.split(sizes, [along, along + 1])
            samples = middle.item()
        else:
            count = rank(signal)
            along = number_range(count)[along]
            outer, samples, inner = split(sizes, [along, 1, count - 1 - along])
            samples = reshape(samples, [])
        outer_count, inner_count = size(outer), size(inner)
        if pad_end:
            filler = convert_to_tensor(pad_value, signal.dtype)
            filler.shape.assert_has_rank(0)
            frames: Any = -(-samples // step)
            missing = maximum(0, length + step * (frames - 1) - samples)
            before, behind = zeros([outer_count, 2], missing.dtype), convert_to_tensor([[0, missing]])
            signal = pad(signal, concat([before, behind, zeros([inner_count, 2], missing.dtype)], 0), constant_values=filler)
            sizes = shape_of(signal)
            samples = sizes[along]
        else:
            frames = maximum(constant(0, length.dtype), 1 + (samples - length) // step)
        part = _known(_divisor(length, step))
        parts_per_frame, parts_per_step, part_count = length // part, step // part, samples // part
        whole = concat([outer, [part_count * part], inner], 0)
        cut = concat([outer, [part_count, part], inner], 0)
        parts = reshape(strided_slice(signal, zeros_like(sizes), whole), cut)
        starts = reshape(number_range(frames, dtype=length.dtype) * parts_per_step, [frames, 1])
        within = reshape(number_range(parts_per_frame, dtype=length.dtype), [1, parts_per_frame])
        chosen = starts + within
        outer = convert_to_tensor(outer)
        inner = convert_to_tensor(inner, outer.dtype)
        sizes_within = convert_to_tensor([frames, length], outer.dtype)
        found = reshape(gather(parts, chosen, axis=along), concat([outer, sizes_within, inner], 0))
        if found_shape:
            found.set_shape(found_shape)
        return found


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Frames put together, where they overlap added (`tf.signal.overlap_and_add`): [..., frames, length] gives [..., samples].

    Raises:
        ValueError: the frames have fewer axes, or the step is no integer.
    """
    with name_scope(name, "overlap_and_add", [signal, frame_step]):
        frames = convert_to_tensor(signal, name="signal")
        frames.shape.with_rank_at_least(2)
        step: Any = convert_to_tensor(frame_step, name="frame_step")
        step.shape.assert_has_rank(0)
        if not step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {step.dtype!r}")
        step = _known(step)
        sizes = _known(shape_of(frames))
        outer = sizes[:-2]
        outer_count = _known(size(outer))

        def whole(inner: list[Any]) -> Tensor:
            return concat([outer, inner], 0)

        length, count = sizes[-1], sizes[-2]
        samples = length + step * (count - 1)
        if not isinstance(step, Tensor) and frames.shape.rank is not None and frames.shape.as_list()[-1] == step:
            return reshape(frames, whole([samples]), name="fast_path")
        segments = -(-length // step)
        behind = segments * step - length
        paddings = concat([zeros([outer_count, 2], "int32"), [[0, segments], [0, behind]]], 0)
        frames = reshape(pad(frames, paddings), whole([count + segments, segments, step]))
        order = _known(concat([number_range(outer_count), outer_count + np.array([1, 0, 2], np.int32)], 0))
        frames = reshape(transpose(frames, order), whole([(count + segments) * segments, step]))
        frames = frames[..., : (count + segments - 1) * segments, :]
        frames = reduce_sum(reshape(frames, whole([segments, (count + segments - 1), step])), -3)
        return reshape(frames, whole([(count + segments - 1) * step]))[..., :samples]
