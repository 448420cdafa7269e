"""A Fourier transform of real numbers of 16 bits, in numbers of 16 bits, to the bit as the library kissfft has it.

Numbers have 15 bits behind the point; each pass divides by its radix first, so that nothing overflows, and rounds each product. A transform of n
real numbers is one of n / 2 complex ones, in passes of radix 4, the last one of 2 where n / 2 is no power of 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_ONE = 32767


def real_fft(values: Any) -> tuple[Any, Any]:
    """The transform of each row, divided by its length.

    Args:
        values: int16[rows, n], n a power of 2 from 4 on.

    Returns:
        Real and imaginary parts, int64[rows, n // 2 + 1], of the range of int16.
    """
    count = values.shape[1] // 2
    pairs = values.astype(np.int64)
    real, imaginary = _complex_fft(pairs[:, ::2], pairs[:, 1::2])
    first, second = _divided(real[:, 0], 2), _divided(imaginary[:, 0], 2)
    low = np.arange(1, count // 2 + 1)
    high = count - low
    a_real, a_imaginary = _divided(real[:, low], 2), _divided(imaginary[:, low], 2)
    b_real, b_imaginary = _divided(real[:, high], 2), _divided(_wrapped(-imaginary[:, high]), 2)
    sum_real, sum_imaginary = _wrapped(a_real + b_real), _wrapped(a_imaginary + b_imaginary)
    turned = _times(_wrapped(a_real - b_real), _wrapped(a_imaginary - b_imaginary), *_turns(-np.pi * (low / count + 0.5)))
    found_real, found_imaginary = np.zeros((2, len(values), count + 1), np.int64)
    found_real[:, 0], found_real[:, count] = _wrapped(first + second), _wrapped(first - second)
    found_real[:, low], found_imaginary[:, low] = (sum_real + turned[0]) >> 1, (sum_imaginary + turned[1]) >> 1
    found_real[:, high], found_imaginary[:, high] = (sum_real - turned[0]) >> 1, (turned[1] - sum_imaginary) >> 1
    return found_real, found_imaginary


def _complex_fft(real: Any, imaginary: Any) -> tuple[Any, Any]:
    count = real.shape[1]
    if count == 1:
        return real, imaginary
    radix = 4 if count % 4 == 0 else 2
    length = count // radix
    parts = [_complex_fft(real[:, start::radix], imaginary[:, start::radix]) for start in range(radix)]
    divided = [(_divided(part[0], radix), _divided(part[1], radix)) for part in parts]
    angle = -2 * np.pi * np.arange(count) / count
    turned = [divided[0]] + [_times(*divided[place], *_turns(angle[: place * length : place])) for place in range(1, radix)]
    if radix == 2:
        (a, b), (c, d) = turned
        return _joined([a + c, a - c]), _joined([b + d, b - d])
    (a, b), (c, d), (e, f), (g, h) = turned
    even_real, even_imaginary, odd_real, odd_imaginary = (_wrapped(part) for part in (a + e, b + f, a - e, b - f))
    sum_real, sum_imaginary, less_real, less_imaginary = (_wrapped(part) for part in (c + g, d + h, c - g, d - h))
    return (
        _joined([even_real + sum_real, odd_real + less_imaginary, even_real - sum_real, odd_real - less_imaginary]),
        _joined([even_imaginary + sum_imaginary, odd_imaginary - less_real, even_imaginary - sum_imaginary, odd_imaginary + less_real]),
    )


def _joined(parts: list[Any]) -> Any:
    return _wrapped(np.concatenate(parts, 1))


def _wrapped(values: Any) -> Any:
    return values.astype(np.int16).astype(np.int64)


def _rounded(products: Any) -> Any:
    return _wrapped(products + (1 << 14) >> 15)


def _divided(values: Any, by: int) -> Any:
    return _rounded(values * (_ONE // by))


def _times(real: Any, imaginary: Any, other_real: Any, other_imaginary: Any) -> tuple[Any, Any]:
    return _rounded(real * other_real - imaginary * other_imaginary), _rounded(real * other_imaginary + imaginary * other_real)


def _turns(angles: Any) -> tuple[Any, Any]:
    """Cosines and sines."""
    return tuple(np.floor(0.5 + _ONE * part).astype(np.int64) for part in (np.cos(angles), np.sin(angles)))
