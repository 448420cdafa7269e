"""Spectrograms on the mel scale, and their cepstra (`tf.signal.linear_to_mel_weight_matrix`)."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Tensor, constant_value, convert_to_tensor, name_scope
from gpersist.ops.arithmetic import maximum, minimum
from gpersist.ops.casting import cast
from gpersist.ops.padding import pad
from gpersist.ops.sequences import linspace
from gpersist.ops.shaping import expand_dims, reshape, shape_of
from gpersist.ops.signal_frames import frame
from gpersist.ops.signal_transforms import dct
from gpersist.ops.splitting import split
from gpersist.ops.unary import log, rsqrt

__all__ = ["linear_to_mel_weight_matrix", "mfccs_from_log_mel_spectrograms"]

_BREAK_FREQUENCY = 700.0
_HIGH_FREQUENCY_Q = 1127.0


def _mel_of(hertz: Any) -> Tensor:
    with name_scope(None, "hertz_to_mel", [hertz]):
        return _HIGH_FREQUENCY_Q * log(1.0 + (convert_to_tensor(hertz) / _BREAK_FREQUENCY))


def _check(bins: int, rate: Any, lower: float, upper: float, dtype: DType) -> None:
    if bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if lower < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {lower}")
    if lower >= upper:
        raise ValueError(f"lower_edge_hertz {lower:.1f} >= upper_edge_hertz {upper:.1f}")
    if not isinstance(rate, Tensor):
        if rate <= 0.0:
            raise ValueError(f"sample_rate must be positive. Got: {rate}")
        if upper > rate / 2:
            raise ValueError(f"upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). Got {upper} for sample_rate: {rate}")
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {dtype!r}")


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: Any = "float32",
    name: str | None = None,
) -> Tensor:
    """The matrix that makes a spectrogram one on the mel scale (`tf.signal.linear_to_mel_weight_matrix`): [num_spectrogram_bins, num_mel_bins].

    Args:
        num_mel_bins: how many bands.
        num_spectrogram_bins: how many frequencies spectra have.
        sample_rate: of the signal, per second.
        lower_edge_hertz: where the lowest band begins.
        upper_edge_hertz: where the highest one ends.
        dtype: a floating type.
        name: of the node.

    Raises:
        ValueError: edges that don't go together, or another type.
    """
    wanted = as_dtype(dtype)
    with name_scope(name, "linear_to_mel_weight_matrix") as scope:
        rate = sample_rate
        if isinstance(rate, Tensor):
            known = constant_value(rate)
            rate = rate if known is None else known
        _check(num_mel_bins, rate, lower_edge_hertz, upper_edge_hertz, wanted)
        rate = cast(rate, wanted, name="sample_rate")
        lower = convert_to_tensor(lower_edge_hertz, wanted, "lower_edge_hertz")
        upper = convert_to_tensor(upper_edge_hertz, wanted, "upper_edge_hertz")
        zero = convert_to_tensor(0.0, wanted)
        frequencies = linspace(zero, rate / 2.0, num_spectrogram_bins)[1:]
        bins = expand_dims(_mel_of(frequencies), 1)
        edges = frame(linspace(_mel_of(lower), _mel_of(upper), num_mel_bins + 2), frame_length=3, frame_step=1)
        first, center, last = (reshape(part, [1, num_mel_bins]) for part in split(edges, 3, axis=1))
        rising = (bins - first) / (center - first)
        falling = (last - bins) / (last - center)
        return pad(maximum(zero, minimum(rising, falling)), [[1, 0], [0, 0]], name=scope)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """The cepstral coefficients of logarithms of mel spectrograms (`tf.signal.mfccs_from_log_mel_spectrograms`), in the same shape.

    Raises:
        ValueError: there are no bands.
    """
    with name_scope(name, "mfccs_from_log_mel_spectrograms", [log_mel_spectrograms]):
        given = convert_to_tensor(log_mel_spectrograms)
        count: Any = given.shape.as_list()[-1] if given.shape.rank else None
        if count == 0:
            raise ValueError(f"num_mel_bins must be positive. Got: {given}")
        if count is None:
            count = shape_of(given)[-1]
        found = dct(given, type=2)
        return found * rsqrt(cast(count, found.dtype) * 2.0)
