"""Windows that frames of a signal are weighted with (`tf.signal.hann_window`, ...)."""

from __future__ import annotations

import math
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Tensor, apply, constant_value, convert_to_tensor, name_scope
from gpersist.ops.bessel import bessel_i0e
from gpersist.ops.casting import cast
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import ones
from gpersist.ops.joining import concat
from gpersist.ops.math import floormod, pow
from gpersist.ops.scans import cumsum
from gpersist.ops.sequences import range as number_range
from gpersist.ops.trigonometry import cos, sin
from gpersist.ops.unary import exp, sqrt, square

__all__ = ["hamming_window", "hann_window", "kaiser_bessel_derived_window", "kaiser_window", "vorbis_window"]


def hann_window(window_length: Any, periodic: Any = True, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A Hann window (`tf.signal.hann_window`): [window_length].

    Args:
        window_length: a scalar.
        periodic: whether the window is one for spectra, rather than one for filters; for an even length only.
        dtype: a floating type.
        name: of the scope.

    Raises:
        ValueError: another type, or a length that is no scalar.
    """
    return _raised_cosine(name, "hann_window", window_length, periodic, as_dtype(dtype), 0.5, 0.5)


def hamming_window(window_length: Any, periodic: Any = True, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A Hamming window (`tf.signal.hamming_window`); see `hann_window`."""
    return _raised_cosine(name, "hamming_window", window_length, periodic, as_dtype(dtype), 0.54, 0.46)


def _raised_cosine(name: str | None, default_name: str, window_length: Any, periodic: Any, dtype: DType, a: float, b: float) -> Tensor:
    _check_type(dtype)
    with name_scope(name, default_name, [window_length, periodic]):
        length = convert_to_tensor(window_length, "int32", "window_length")
        length.shape.assert_has_rank(0)
        known = constant_value(length)
        if known is not None and known == 1:
            return ones([1], dtype)
        is_periodic = cast(convert_to_tensor(periodic, "bool", "periodic"), "int32")
        is_periodic.shape.assert_has_rank(0)
        even = 1 - floormod(length, 2, name="mod")
        count = cast(length + is_periodic * even - 1, dtype)
        places = cast(number_range(length), dtype)
        angle = constant(2 * math.pi, dtype) * places / count
        if known is not None:
            return cast(a - b * cos(angle), dtype)
        is_one = apply("Equal", length, 1)
        found: Tensor = cond(is_one, lambda: ones([length], dtype), lambda: cast(a - b * cos(angle), dtype))
        return found


def _check_type(dtype: DType) -> None:
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype!r}")


def _length_of(window_length: Any, dtype: DType) -> Tensor:
    _check_type(dtype)
    length = convert_to_tensor(window_length, "int32")
    length.shape.assert_has_rank(0)
    return length


def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A Kaiser window (`tf.signal.kaiser_window`); the larger `beta`, the wider its main lobe and the lower the others."""
    with name_scope(name, "kaiser_window"):
        wanted = as_dtype(dtype)
        length = _length_of(window_length, wanted)
        known = constant_value(length)
        if known is not None and known == 1:
            return ones([1], wanted)
        half: Any = (cast(length, "float32") - 1.0) / 2.0
        places = cast(number_range(-half, half + 0.1, dtype="float32"), wanted)
        factor = cast(beta, wanted)
        one = cast(1.0, wanted)
        half = cast(half, wanted)
        height = factor * sqrt(apply("Relu", one - square(places / half)))
        return exp(height - factor) * (bessel_i0e(height) / bessel_i0e(factor))


def kaiser_bessel_derived_window(window_length: Any, beta: Any = 12.0, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """A window derived from Kaiser's whose squares add up to 1 (`tf.signal.kaiser_bessel_derived_window`)."""
    with name_scope(name, "kaiser_bessel_derived_window"):
        length = _length_of(window_length, as_dtype(dtype))
        sums = cumsum(kaiser_window(length // 2 + 1, beta, dtype))
        half = sqrt(sums[:-1] / sums[-1])
        return concat((half, half[::-1]), 0)


def vorbis_window(window_length: Any, dtype: Any = "float32", name: str | None = None) -> Tensor:
    """Vorbis' window, whose squares add up to 1 (`tf.signal.vorbis_window`)."""
    with name_scope(name, "vorbis_window"):
        wanted = as_dtype(dtype)
        length = _length_of(window_length, wanted)
        places = cast(number_range(length), wanted)
        return sin(math.pi / 2.0 * pow(sin(math.pi / cast(length, wanted) * (places + 0.5)), 2.0))
