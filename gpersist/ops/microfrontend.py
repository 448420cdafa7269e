"""What keyword spotters hear with: the energy of sound in bands, in whole numbers throughout (`tensorflow/lite/experimental/microfrontend`).

    sound -> windows -> spectra -> energies of bands -> their roots -> less what is steady -> gain control -> logarithms

Each stage is exact to the bit, since microcontrollers hold tables made from what this gives.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph import Operation, OpType, sample
from gpersist.ops.fixed_point_fft import real_fft
from gpersist.shapes import TensorShape

_WEIGHT_BITS = 12
_WINDOW_BITS = 12
_SMOOTHING_BITS = 14
_RATIO_BITS, _GAIN_OUTPUT_BITS = 12, 6
_LOG_BITS, _SEGMENT_BITS = 16, 7
_LOG_2 = 45426  # with 16 bits behind the point

_PLACES = np.arange((1 << _SEGMENT_BITS) + 1) / (1 << _SEGMENT_BITS)
_LOG_ERRORS = np.append(np.floor((np.log2(1 + _PLACES) - _PLACES) * (1 << _LOG_BITS) + 0.5), 0).astype(np.int64)
"""log2(1 + x) - x at the ends of segments."""


class Bands(NamedTuple):
    """Which frequencies a band takes, and by how much; the rest of each goes to the next band.

    Attributes:
        start, end: the frequencies that any band takes.
        weights, rests: int64[bands + 1, frequencies].
    """

    start: int
    end: int
    weights: Any
    rests: Any

    @classmethod
    def of(cls, count: int, low: float, high: float, sample_rate: int, size: int) -> Bands:
        """Bands of one width on the mel scale, for a spectrum of `size` frequencies.

        Raises:
            InternalError: they do not fit.
        """
        per_place = np.float32(0.5 * sample_rate / float(np.float32(size) - np.float32(1)))
        mel_low, mel_high = _mel(np.float32(low)), _mel(np.float32(high))
        spacing = (mel_high - mel_low) / np.float32(count + 1)
        centers = mel_low + spacing * np.arange(1, count + 2, dtype=np.float32)
        mels = _mel(np.arange(size + 1, dtype=np.float32) * per_place)
        start = place = int(1.5 + float(np.float32(low) / per_place))
        weights, rests = np.zeros((2, count + 1, size), np.int64)
        for band, center in enumerate(centers):
            first = place
            while place < size and mels[place] <= center:
                place += 1
            before = centers[band - 1] if band else mel_low
            weight = ((center - mels[first:place]) / (center - before)).astype(np.float32)
            weights[band, first:place] = np.floor((weight * np.float32(1 << _WEIGHT_BITS)).astype(np.float64) + 0.5)
            rests[band, first:place] = np.floor((1.0 - weight.astype(np.float64)) * (1 << _WEIGHT_BITS) + 0.5)
        if place >= size or start < 0:
            raise InternalError("failed to populate frontend state: the bands go beyond half of the sample rate")
        return cls(start, place, weights, rests)


def _mel(frequency: Any) -> Any:
    return np.asarray(1127.0 * np.log1p(np.asarray(frequency, np.float64) / 700.0), np.float32)


def _bits_of(values: Any) -> Any:
    """How many bits whole numbers, none of them negative, take."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64) if isinstance(values, np.ndarray) else int(values).bit_length()


def _roots(squares: Any) -> Any:
    """Square roots of uint64, rounded; of such as have 32 bits no more than 65535."""
    root = np.sqrt(squares.astype(np.float64)).astype(np.uint64)
    root = np.where(root * root > squares, root - np.uint64(1), root)
    root = np.where((root + np.uint64(1)) * (root + np.uint64(1)) <= squares, root + np.uint64(1), root)
    most = np.where(squares >> np.uint64(32) == 0, np.uint64(0xFFFF), np.uint64(0xFFFFFFFF))
    return root + ((squares - root * root > root) & (root != most))


def _windowed(frames: Any) -> Any:
    size = frames.shape[1]
    step = np.float32(np.pi * 2.0 / float(np.float32(size)))
    window = (0.5 - 0.5 * np.cos(float(step) * (np.arange(size) + 0.5))).astype(np.float32)
    table = np.floor((window * np.float32(1 << _WINDOW_BITS)).astype(np.float64) + 0.5).astype(np.int64)
    return (frames.astype(np.int64) * table >> _WINDOW_BITS).astype(np.int16)


def _energies(frames: Any, fft_size: int, bands: Bands) -> Any:
    """Roots of the energies of bands, of frames: uint32[frames, bands]."""
    windowed = _windowed(frames)
    shifts = 15 - _bits_of(np.abs(windowed.astype(np.int64)).max(1) * (np.abs(windowed.astype(np.int64)).max(1) < 1 << 15))
    padded = np.zeros((len(frames), fft_size), np.int16)
    padded[:, : frames.shape[1]] = (windowed.astype(np.int64) << shifts[:, None]).astype(np.int16)
    real, imaginary = real_fft(padded)
    inner = slice(bands.start, bands.end)
    power = (real[:, inner] * real[:, inner] + imaginary[:, inner] * imaginary[:, inner]).astype(np.int32).astype(np.int64)
    sums = power @ bands.weights[:, inner].T
    sums[:, 1:] += (power @ bands.rests[:, inner].T)[:, :-1]
    return _roots(sums[:, 1:].astype(np.uint64)) >> shifts[:, None].astype(np.uint64) & np.uint64(0xFFFFFFFF)


class _Gains:
    """What a band is multiplied by, for what is steady in it: a table of parabolas, one for each power of 2."""

    def __init__(self, strength: float, offset: float, gain_bits: int, input_bits: int) -> None:
        self._power, self._offset, self._bits, self._input_bits = -np.float32(strength), np.float32(offset), gain_bits, input_bits
        self._table = [(self._at(0), 0, 0), (self._at(1), 0, 0)]
        for interval in range(2, 33):
            start = 1 << interval - 1
            end = 2 * start - 1 if interval == 32 else 2 * start
            first, middle, last = (self._at(place) for place in (start, start + (start >> 1), end))
            slope = 4 * (middle - first) - (last - first)
            self._table.append((first, slope, last - first - slope))
        self._parts = np.array(self._table, np.int64).astype(np.int16).astype(np.int64)

    def _at(self, place: int) -> int:
        real = np.float32(place) / np.float32(1 << self._input_bits)
        with np.errstate(all="ignore"):
            power = np.float32(np.float64(real + self._offset) ** np.float64(self._power))
            gain = np.float32(1 << self._bits) * power
        return 32767 if gain > 32767 else int(gain + np.float32(0.5))

    def of(self, steady: Any) -> Any:
        """The gains for numbers of 32 bits: int64, of the range of int16."""
        interval = _bits_of(steady)
        within = np.where(interval < 11, steady << np.maximum(11 - interval, 0), steady >> np.maximum(interval - 11, 0)) & 0x3FF
        first, slope, bend = (self._parts[np.clip(interval, 0, 32), part] for part in range(3))
        found = (bend * within >> 5) + (slope << 5)
        found = (found * within).astype(np.int32).astype(np.int64) + (1 << 14) >> 15
        found = (found + first).astype(np.int16).astype(np.int64)
        return np.where(steady == 0, self._parts[0, 0], np.where(steady == 1, self._parts[1, 0], np.where(steady == 2, self._parts[2, 0], found)))


def _logarithms(values: Any, scale_shift: int) -> Any:
    """Natural logarithms of numbers of 32 bits, times 2 ** scale_shift; of 0 and 1 nothing."""
    whole = np.maximum(_bits_of(values) - 1, 0)
    part = values - (np.int64(1) << whole)
    part = np.where(whole < _LOG_BITS, part << np.maximum(_LOG_BITS - whole, 0), part >> np.maximum(whole - _LOG_BITS, 0))
    segment = np.clip(part >> _LOG_BITS - _SEGMENT_BITS, 0, (1 << _SEGMENT_BITS) - 1)
    low, high = _LOG_ERRORS[segment], _LOG_ERRORS[segment + 1]
    part = part + low + ((high - low) * (part - (segment << _LOG_BITS - _SEGMENT_BITS)) >> _LOG_BITS)
    half = 1 << _LOG_BITS - 1
    natural = _LOG_2 * ((whole << _LOG_BITS) + part) + half >> _LOG_BITS
    return np.where(values > 1, (natural << scale_shift) + half >> _LOG_BITS, 0)


class AudioMicrofrontend(OpType):
    """Logarithms of the energy of sound in bands of the mel scale, frame by frame."""

    inputs = "audio: int16"
    outputs = "filterbanks: out_type"
    attrs = (
        "sample_rate: int = 16000, window_size: int = 25, window_step: int = 10, num_channels: int = 32, upper_band_limit: float = 7500.0, "
        "lower_band_limit: float = 125.0, smoothing_bits: int = 10, even_smoothing: float = 0.02500000037252903, "
        "odd_smoothing: float = 0.05999999865889549, min_signal_remaining: float = 0.05000000074505806, enable_pcan: bool = false, "
        "pcan_strength: float = 0.949999988079071, pcan_offset: float = 80.0, gain_bits: int = 21, enable_log: bool = true, scale_shift: int = 6, "
        "left_context: int = 0, right_context: int = 0, frame_stride: int = 1, zero_padding: bool = false, out_scale: int = 1, "
        "out_type: {uint16, float} = uint16"
    )
    is_host_only = True
    samples = (
        sample("int16[1600] in -9000..9000"),
        sample("int16[2000] in -30000..30000", enable_pcan=True, out_type="float", out_scale=64),
        sample(
            "int16[900] in -300..300", sample_rate=8000, upper_band_limit=3800.0, num_channels=40, left_context=2, right_context=1, frame_stride=2
        ),
        sample("int16[1000] in -300..300", window_size=8, window_step=6, num_channels=4, enable_log=False, left_context=1, zero_padding=True),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        (length,) = op._inputs[0].shape.with_rank(1).as_list()
        size, step = (op.attr(name) * (op.attr("sample_rate") // 1000) for name in ("window_size", "window_step"))
        features = op.attr("num_channels") * (1 + op.attr("left_context") + op.attr("right_context"))
        if length is None:  # TensorFlow takes it for a short one
            return [TensorShape([None, features])]
        if length < size:
            return [TensorShape([0, features])]
        if step <= 0 or op.attr("frame_stride") <= 0:
            raise ValueError(f"Divisor must be positive but is {min(step, op.attr('frame_stride'))}")
        return [TensorShape([(length - size) // step // op.attr("frame_stride") + 1, features])]

    @staticmethod
    def run(
        xp: Any,
        audio: Any,
        *,
        sample_rate: int,
        window_size: int,
        window_step: int,
        num_channels: int,
        upper_band_limit: float,
        lower_band_limit: float,
        smoothing_bits: int,
        even_smoothing: float,
        odd_smoothing: float,
        min_signal_remaining: float,
        enable_pcan: bool,
        pcan_strength: float,
        pcan_offset: float,
        gain_bits: int,
        enable_log: bool,
        scale_shift: int,
        left_context: int,
        right_context: int,
        frame_stride: int,
        zero_padding: bool,
        out_scale: int,
        out_type: DType,
    ) -> Any:
        if audio.ndim != 1:
            raise InvalidArgumentError("audio is not a vector")
        size, step = window_size * sample_rate // 1000, window_step * sample_rate // 1000
        if min(size - 1, step, num_channels, frame_stride, out_scale) < 1 or min(left_context, right_context) < 0:
            raise InvalidArgumentError(f"windows of {size} samples every {step}, {num_channels} channels, stride {frame_stride} cannot be")
        features = num_channels * (1 + left_context + right_context)
        if len(audio) < size:
            return np.zeros((0, features), out_type.numpy)
        fft_size = max(1 << (size - 1).bit_length(), 4)
        bands = Bands.of(num_channels, lower_band_limit, upper_band_limit, sample_rate, fft_size // 2 + 1)
        frames = np.lib.stride_tricks.sliding_window_view(audio, size)[::step]
        signal = _energies(frames, fft_size, bands).astype(np.int64)
        spare_bits = fft_size.bit_length() - 1 - _WEIGHT_BITS // 2
        gains = _Gains(pcan_strength, pcan_offset, gain_bits, smoothing_bits - spare_bits) if enable_pcan else None
        smoothing = np.where(
            np.arange(num_channels) % 2, *(int(np.float32(part) * np.float32(1 << _SMOOTHING_BITS)) for part in (odd_smoothing, even_smoothing))
        )
        remaining = int(np.float32(min_signal_remaining) * np.float32(1 << _SMOOTHING_BITS))
        steady = np.zeros(num_channels, np.int64)
        for row in signal:
            scaled = row << smoothing_bits & 0xFFFFFFFF
            steady = (scaled * smoothing + steady * ((1 << _SMOOTHING_BITS) - smoothing) >> _SMOOTHING_BITS) & 0xFFFFFFFF
            row[:] = np.maximum(scaled - np.minimum(steady, scaled) >> smoothing_bits, row * remaining >> _SMOOTHING_BITS)
            if gains is not None:
                ratio = (row * gains.of(steady) >> gain_bits - spare_bits - _RATIO_BITS) & 0xFFFFFFFF
                small = (ratio * ratio & 0xFFFFFFFF) >> 2 + 2 * _RATIO_BITS - _GAIN_OUTPUT_BITS
                row[:] = np.where(ratio < 2 << _RATIO_BITS, small, (ratio >> _RATIO_BITS - _GAIN_OUTPUT_BITS) - (1 << _GAIN_OUTPUT_BITS))
        if enable_log:
            signal = _logarithms((signal << spare_bits if spare_bits >= 0 else signal >> -spare_bits) & 0xFFFFFFFF, scale_shift)
        found = np.minimum(signal, 0xFFFF).astype(out_type.numpy)
        found = (found / np.float32(out_scale)).astype(np.float32) if out_type.is_floating else (found // out_scale).astype(np.uint16)
        return _with_context(found, left_context, right_context, frame_stride, zero_padding)


def _with_context(frames: Any, left: int, right: int, stride: int, zero_padding: bool) -> Any:
    """Every so many frames one, with those around it."""
    places = np.arange(0, len(frames), stride)[:, None] + np.arange(-left, right + 1)
    found = frames[np.clip(places, 0, len(frames) - 1)]
    if zero_padding:
        found = np.where(((places < 0) | (places >= len(frames)))[..., None], frames.dtype.type(0), found)
    return found.reshape(len(places), -1)
