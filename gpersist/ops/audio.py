"""Sound: WAV files, spectrograms, and mel-frequency cepstral coefficients."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from gpersist.devices import Array
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, sample
from gpersist.ops import shape_functions
from gpersist.ops.named_outputs import named_outputs
from gpersist.shapes import TensorShape

__all__ = ["audio_spectrogram", "decode_wav", "encode_wav", "mfcc"]

_FULL_SCALE = 32768
_SAMPLE_BYTES = 2
_PCM = 1
_LOWEST_ENERGY = 1e-12
"""What takes the place of smaller energies before logarithms."""


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: str | None = None) -> Any:
    """The sound of a WAV file of 16 bits (`tf.audio.decode_wav`).

    Args:
        contents: the file, as text.
        desired_channels: how many; more than there are repeat the last one, fewer drop the others. -1 for all.
        desired_samples: how many; zeros follow a shorter sound. -1 for all.
        name: of the node.

    Returns:
        The samples, float32 [samples, channels] in -1..1; and the sample rate, in Hz.
    """
    return named_outputs(
        "DecodeWav",
        contents,
        desired_channels=desired_channels,
        desired_samples=desired_samples,
        name=name or "DecodeWav",
    )


def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Tensor:
    """A WAV file of 16 bits (`tf.audio.encode_wav`).

    Args:
        audio: float32 [samples, channels], cut to -1..1.
        sample_rate: in Hz.
        name: of the node.
    """
    return apply("EncodeWav", audio, sample_rate, name=name)


def audio_spectrogram(input: Any, window_size: int, stride: int, magnitude_squared: bool = False, name: str | None = None) -> Tensor:
    """How loud each frequency is in each window of a sound (`tf.raw_ops.AudioSpectrogram`).

    Args:
        input: float32 [samples, channels].
        window_size: samples in a window.
        stride: samples from one window to the next.
        magnitude_squared: whether the squares are wanted.
        name: of the node.

    Returns:
        float32 [channels, windows, frequencies].
    """
    return apply("AudioSpectrogram", input, window_size=window_size, stride=stride, magnitude_squared=magnitude_squared, name=name)


def mfcc(
    spectrogram: Any,
    sample_rate: Any,
    upper_frequency_limit: float = 4000,
    lower_frequency_limit: float = 20,
    filterbank_channel_count: int = 40,
    dct_coefficient_count: int = 13,
    name: str | None = None,
) -> Tensor:
    """Mel-frequency cepstral coefficients of spectrograms of squared magnitudes (`tf.raw_ops.Mfcc`).

    Args:
        spectrogram: float32 [channels, windows, frequencies].
        sample_rate: of the sound, in Hz.
        upper_frequency_limit: in Hz.
        lower_frequency_limit: in Hz.
        filterbank_channel_count: how many bands there are.
        dct_coefficient_count: how many coefficients are given.
        name: of the node.

    Returns:
        float32 [channels, windows, coefficients].
    """
    return apply(
        "Mfcc",
        spectrogram,
        sample_rate,
        upper_frequency_limit=upper_frequency_limit,
        lower_frequency_limit=lower_frequency_limit,
        filterbank_channel_count=filterbank_channel_count,
        dct_coefficient_count=dct_coefficient_count,
        name=name,
    )


def _wav(samples: np.ndarray[Any, Any], rate: int) -> bytes:
    channels = samples.shape[1]
    size, width = samples.size * _SAMPLE_BYTES, channels * _SAMPLE_BYTES
    head: bytes = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, _PCM, channels, rate, rate * width, width, 16, b"data", size
    )
    body: bytes = samples.astype("<i2").tobytes()
    return head + body


_SAMPLE_WAV = _wav(np.arange(-6.0, 6.0).reshape(6, 2) * 5000, 16000)


class DecodeWav(OpType):
    """A sound from a WAV file."""

    inputs = "contents: string"
    outputs = "audio: float, sample_rate: int32"
    attrs = "desired_channels: int = -1, desired_samples: int = -1"
    is_host_only = True
    samples = tuple(
        sample(np.array(_SAMPLE_WAV, object), desired_channels=channels, desired_samples=count) for channels, count in ((-1, -1), (1, 4), (3, 8))
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        channels, samples = op.attr("desired_channels"), op.attr("desired_samples")
        for size, what in ((channels, "channels"), (samples, "samples")):
            if size < -1:
                raise ValueError(f"{what} must be non-negative, got {size}")
        return [TensorShape([None if samples == -1 else samples, None if channels == -1 else channels]), shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, contents: Any, *, desired_channels: int, desired_samples: int) -> tuple[Any, Any]:
        if np.ndim(contents):
            raise InvalidArgumentError(f"contents must be scalar, but got shape {list(np.shape(contents))}")
        text = contents if isinstance(contents, bytes) else contents[()]
        values, rate = _decoded(text)
        count, channels = values.shape
        wanted_count, wanted_channels = (
            (count if desired_samples == -1 else desired_samples),
            (channels if desired_channels == -1 else desired_channels),
        )
        found = np.zeros((wanted_count, wanted_channels), np.float32)
        part = values[:wanted_count, np.minimum(np.arange(wanted_channels), channels - 1)]
        found[: len(part)] = part.astype(np.float32) / np.float32(_FULL_SCALE)
        return found, np.int32(rate)


def _decoded(text: bytes) -> tuple[np.ndarray[Any, Any], int]:
    """The samples and the sample rate of a file."""
    if text[:4] != b"RIFF" or len(text) < 12:
        raise InvalidArgumentError("Header mismatch: Expected RIFF but found " + repr(text[:4]))
    if text[8:12] != b"WAVE":
        raise InvalidArgumentError("Header mismatch: Expected WAVE but found " + repr(text[8:12]))
    if text[12:16] != b"fmt ":
        raise InvalidArgumentError("Header mismatch: Expected fmt  but found " + repr(text[12:16]))
    size = int.from_bytes(text[16:20], "little")
    if size not in (16, 18) or len(text) < 20 + size:
        raise InvalidArgumentError(f"Bad format chunk size for WAV: Expected 16 or 18, but got {size}")
    kind, channels, rate, rate_bytes, width, bits = struct.unpack_from("<HHIIHH", text, 20)
    if kind != _PCM:
        raise InvalidArgumentError(f"Bad audio format for WAV: Expected 1 (PCM), but got {kind}")
    if not channels:
        raise InvalidArgumentError("Bad number of channels for WAV: Expected 1 or more, but got 0")
    if bits != 16:
        raise InvalidArgumentError(f"Can only read 16-bit WAV files, but received {bits}")
    if width != channels * _SAMPLE_BYTES or rate_bytes != rate * width:
        raise InvalidArgumentError(f"Bad bytes per sample or per second in WAV header: {width}, {rate_bytes}")
    if size == 18 and text[36:38] != b"\0\0":
        raise InvalidArgumentError("WAV header has an extension of its format, which is not read")
    data = dict(_chunks(text, 20 + size)).get(b"data")
    if data is None:
        raise InvalidArgumentError("WAV file has no data")
    return np.frombuffer(data[: len(data) // width * width], "<i2").reshape(-1, channels), rate


def _chunks(text: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    while start < len(text):
        name, size = text[start : start + 4], int.from_bytes(text[start + 4 : start + 8], "little")
        if len(text) < start + 8 or (name == b"data" and len(text) < start + 8 + size):
            raise InvalidArgumentError("Data too short when trying to read string")
        yield name, text[start + 8 : start + 8 + size]
        start += 8 + size


class EncodeWav(OpType):
    """A WAV file of a sound."""

    inputs = "audio: float, sample_rate: int32"
    outputs = "contents: string"
    is_host_only = True
    samples = (sample("float[5,2] in -1.5..1.5", "int32: 16000"), sample("float[0,1]", "int32: 8000"))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(2)
        op._inputs[1].shape.with_rank(0)
        return [shape_functions.SCALAR]

    @staticmethod
    def run(xp: Any, audio: Any, sample_rate: Any) -> Any:
        if audio.ndim != 2:
            raise InvalidArgumentError(f"audio must be 2-dimensional, but got shape {list(audio.shape)}")
        if np.ndim(sample_rate):
            raise InvalidArgumentError(f"sample_rate must be a scalar, but got shape {list(sample_rate.shape)}")
        if int(sample_rate) <= 0 or not audio.shape[1]:
            raise InvalidArgumentError(f"sample_rate and the number of channels must be positive, not {int(sample_rate)} and {audio.shape[1]}")
        found = np.empty((), object)
        scaled = np.clip(np.float64(audio) * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE - 1)
        found[()] = _wav(np.trunc(scaled + np.copysign(0.5, scaled)), int(sample_rate))  # half a step goes away from zero
        return found


class AudioSpectrogram(OpType):
    """The loudness of frequencies in windows of a sound."""

    inputs = "input: float"
    outputs = "spectrogram: float"
    attrs = "window_size: int, stride: int, magnitude_squared: bool = false"
    is_host_only = True
    samples = (
        sample("float[20,2]", window_size=5, stride=3),
        sample("float[16,1]", window_size=8, stride=8, magnitude_squared=True),
        sample("float[3,1]", window_size=8, stride=1),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        count, channels = op._inputs[0].shape.with_rank(2).as_list()
        window, stride = op.attr("window_size"), op.attr("stride")
        if window < 2:
            raise ValueError(f"window size must be > 1, got {window}")
        if stride < 1:
            raise ValueError(f"stride must be strictly positive, got {stride}")
        windows = None if count is None else _windows(count, window, stride)
        return [TensorShape([channels, windows, 1 + _transform_size(window) // 2])]

    @staticmethod
    def run(xp: Any, value: Array, *, window_size: int, stride: int, magnitude_squared: bool) -> Array:
        if value.ndim != 2:
            raise InvalidArgumentError(f"input must be 2-dimensional, but got shape {list(value.shape)}")
        size, count = _transform_size(window_size), _windows(len(value), window_size, stride)
        if not count:
            return np.zeros((value.shape[1], 0, 1 + size // 2), np.float32)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_size) / window_size)
        windows = np.lib.stride_tricks.sliding_window_view(value.T, window_size, 1)[:, ::stride][:, :count]
        transformed = np.fft.rfft(windows * hann, size)
        squares = (transformed.real**2 + transformed.imag**2).astype(np.float32)
        return squares if magnitude_squared else np.sqrt(squares)


def _windows(count: int, window: int, stride: int) -> int:
    return 0 if count < window else 1 + (count - window) // stride


def _transform_size(window: int) -> int:
    return 1 << max(0, window - 1).bit_length()


class Mfcc(OpType):
    """Mel-frequency cepstral coefficients."""

    inputs = "spectrogram: float, sample_rate: int32"
    outputs = "output: float"
    attrs = (
        "upper_frequency_limit: float = 4000.0, lower_frequency_limit: float = 20.0, filterbank_channel_count: int = 40, "
        "dct_coefficient_count: int = 13"
    )
    host_inputs = ("sample_rate",)
    samples = (
        sample("float[1,3,257] in 0..2", "int32: 16000"),
        sample("float[2,1,33] in 0..2", "int32: 8000", filterbank_channel_count=6, dct_coefficient_count=4, lower_frequency_limit=100.0),
        sample("float[1,0,33]", "int32: 8000"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        spectrogram = op._inputs[0].shape.with_rank(3)
        op._inputs[1].shape.with_rank(0)
        return [TensorShape([*spectrogram.as_list()[:2], op.attr("dct_coefficient_count")])]

    @staticmethod
    def run(
        xp: Any,
        spectrogram: Array,
        sample_rate: Any,
        *,
        upper_frequency_limit: float,
        lower_frequency_limit: float,
        filterbank_channel_count: int,
        dct_coefficient_count: int,
    ) -> Array:
        if spectrogram.ndim != 3:
            raise InvalidArgumentError(f"spectrogram must be 3-dimensional, but got shape {list(spectrogram.shape)}")
        if np.ndim(sample_rate):
            raise InvalidArgumentError(f"Input sample_rate should be a scalar tensor, got {list(np.shape(sample_rate))} instead.")
        rate, size = int(sample_rate), spectrogram.shape[2]
        bands = filterbank_channel_count
        is_right = rate > 0 and size >= 2 and bands >= 1 and 0 <= lower_frequency_limit < upper_frequency_limit
        if not is_right or not 1 <= dct_coefficient_count <= bands:
            raise InvalidArgumentError(
                f"Mfcc initialization failed for channel count {size}, sample rate {rate}, lower_frequency_limit {lower_frequency_limit}, "
                f"upper_frequency_limit {upper_frequency_limit}, filterbank_channel_count {bands} and dct_coefficient_count {dct_coefficient_count}"
            )
        if int(upper_frequency_limit / (0.5 * rate / (size - 1))) >= size:
            return xp.zeros((*spectrogram.shape[:2], dct_coefficient_count), np.float32)  # it has no frequencies as high as that
        filters = _mel_filters(size, rate, bands, lower_frequency_limit, upper_frequency_limit)
        steps = np.outer(np.arange(bands) + 0.5, np.arange(dct_coefficient_count)) * (np.pi / bands)
        transform = np.sqrt(2.0 / bands) * np.cos(steps)
        energies = xp.sqrt(spectrogram.astype(np.float64)) @ xp.asarray(filters)
        return (xp.log(xp.maximum(energies, _LOWEST_ENERGY)) @ xp.asarray(transform)).astype(np.float32)


def _mel(frequency: Any) -> Any:
    return 1127.0 * np.log1p(frequency / 700.0)


def _mel_filters(size: int, rate: int, bands: int, low: float, high: float) -> np.ndarray[Any, Any]:
    """How much of each frequency goes to each band: triangles that overlap, [frequencies, bands]."""
    mel_low, mel_high = _mel(low), _mel(high)
    centers = mel_low + (mel_high - mel_low) / (bands + 1) * np.arange(1, bands + 2)
    step = 0.5 * rate / (size - 1)
    first, last = int(1.5 + low / step), int(high / step)
    found = np.zeros((size, bands))
    at = np.arange(first, last + 1)
    mels = _mel(at * step)
    band = np.minimum(np.searchsorted(centers, mels, "left"), bands) - 1  # the band whose falling side it is on; the next one's side rises
    edges = np.concatenate([[mel_low], centers])
    weights = (edges[band + 2 - (band == bands)] - mels) / (edges[band + 2] - edges[band + 1])
    falls, rises = band >= 0, band + 1 < bands
    found[at[falls], band[falls]] += weights[falls]
    found[at[rises], band[rises] + 1] += 1 - weights[rises]
    return found
