"""WAV files, spectrograms, mel-frequency cepstral coefficients."""

from __future__ import annotations

import struct

import numpy as np

from families.values import Cases

CASES = Cases()
normal = CASES.normal
r = CASES.generator


def wav(n, c, rate=16000, bits=16, kind=1, extra=b"", fmt18=False, width=None):
    data = r.integers(-32768, 32767, (n, c)).astype("<i2").tobytes()
    w = c * 2 if width is None else width
    f = struct.pack("<HHIIHH", kind, c, rate, rate * w, w, bits) + (b"\0\0" if fmt18 else b"")
    return np.array(
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + struct.pack("<I", len(f))
        + f
        + extra
        + b"data"
        + struct.pack("<I", len(data))
        + data,
        object,
    )


for ch, sa in [(-1, -1), (1, 4), (3, 8), (2, 0), (0, 1), (-2, -1), (1, -2)]:
    CASES.append(("DecodeWav", [wav(6, 2)], {"desired_channels": ch, "desired_samples": sa}))
for w in [
    wav(5, 1, fmt18=True),
    wav(5, 1, extra=b"LIST\4\0\0\0abcd"),
    wav(5, 1, bits=8),
    wav(5, 1, kind=3),
    wav(5, 0),
    wav(5, 1, rate=0),
    wav(5, 1, width=3),
    np.array(b"", object),
    np.array(b"RIFF", object),
    np.array(wav(5, 2)[()][:-3], object),
    np.array(wav(5, 2)[()][:30], object),
    np.array(wav(5, 2)[()] + b"xx", object),
    np.array([b"a"], object),
    wav(0, 1),
]:
    CASES.append(("DecodeWav", [w], {}))
for a, sr in [
    (normal(5, 2), 16000),
    (normal(0, 1), 8000),
    (normal(5, 0), 8000),
    (normal(5), 8000),
    (normal(5, 1), 0),
    (normal(5, 1), -5),
    (np.float32([[0.5 / 32768], [1.5 / 32768], [-0.5 / 32768], [-2], [2], [1]]), 1),
]:
    CASES.append(("EncodeWav", [a, np.int32(sr)], {}))
CASES.append(("EncodeWav", [normal(5, 1), np.int32([3])], {}))
for a, k in [
    (normal(20, 2), {"window_size": 5, "stride": 3}),
    (normal(16, 1), {"window_size": 8, "stride": 8, "magnitude_squared": True}),
    (normal(3, 1), {"window_size": 8, "stride": 1}),
    (normal(640, 1), {"window_size": 480, "stride": 160}),
    (normal(10), {"window_size": 4, "stride": 2}),
    (normal(10, 1), {"window_size": 1, "stride": 2}),
    (normal(10, 1), {"window_size": 4, "stride": 0}),
    (normal(10, 1), {"window_size": 0, "stride": 1}),
    (normal(0, 1), {"window_size": 4, "stride": 1}),
    (normal(5, 0), {"window_size": 4, "stride": 1}),
    (normal(17, 1), {"window_size": 16, "stride": 1}),
    (normal(40, 1), {"window_size": 17, "stride": 1}),
]:
    CASES.append(("AudioSpectrogram", [a], k))


def p(*s):
    return normal(*s) ** 2


for a, sr, k in [
    (p(1, 3, 257), 16000, {}),
    (p(2, 1, 33), 8000, {"filterbank_channel_count": 6, "dct_coefficient_count": 4, "lower_frequency_limit": 100.0}),
    (p(1, 0, 33), 8000, {}),
    (p(1, 2, 33), 8000, {}),
    (p(1, 2, 33), 4000, {}),
    (p(1, 2, 33), 0, {}),
    (p(1, 2, 1), 8000, {}),
    (p(1, 2, 33), 8000, {"filterbank_channel_count": 5, "dct_coefficient_count": 8}),
    (p(1, 2, 33), 8000, {"dct_coefficient_count": 0}),
    (p(1, 2, 33), 8000, {"lower_frequency_limit": -1.0}),
    (p(1, 2, 33), 8000, {"lower_frequency_limit": 5000.0}),
    (0 * p(1, 2, 33), 8000, {}),
    (p(2, 33), 8000, {}),
    (p(1, 2, 65), 44100, {"upper_frequency_limit": 20000.0, "filterbank_channel_count": 20}),
    (-p(1, 1, 33), 8000, {}),
    (p(1, 2, 33), 8000, {"filterbank_channel_count": 0}),
    (p(0, 2, 33), 8000, {}),
]:
    CASES.append(("Mfcc", [a, np.int32(sr)], k))
CASES.append(("Mfcc", [p(1, 2, 33), np.int32([8000])], {}))
