"""WebP files, read through Pillow, which comes with the extra `images`."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError
from gpersist.ops.jpeg import library

_LARGEST = 1 << 29
"""Bytes of all frames, which must be fewer."""


def is_webp(contents: bytes) -> bool:
    """Whether a file begins as such files do."""
    return contents[:4] == b"RIFF" and contents[8:12] == b"WEBP"


def decode(contents: bytes, channels: int = 0, is_whole: bool = True) -> np.ndarray[Any, Any]:
    """The frames of a file: uint8 [frames, height, width, 3 or 4].

    Args:
        contents: the file.
        channels: 3 or 4, which must be what the file has; or 0.
        is_whole: whether all frames are wanted, rather than the first.

    Raises:
        InvalidArgumentError: it is no such file, or too large.
        UnimplementedError: Pillow is not installed.
    """
    if channels not in (0, 3, 4):
        raise InvalidArgumentError("WebP only supports 3 or 4 channels")
    pillow = library("PIL.Image", "Pillow", "reading a WebP file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            image = pillow.open(io.BytesIO(contents), formats=["WEBP"])
        depth = len(image.getbands())
        count = image.n_frames if is_whole else 1
        if image.width * image.height * depth * count >= _LARGEST:
            raise InvalidArgumentError(f"WebP is too large: {count} frames of {image.height} x {image.width}")
        if channels not in (0, depth):
            raise InvalidArgumentError(f"Number of channels requested does not match input: {channels}, the file has {depth}")
        frames = []
        for number in range(count):
            image.seek(number)
            frames.append(np.asarray(image))
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        if isinstance(error, InvalidArgumentError):
            raise
        raise InvalidArgumentError(f"Invalid WebP data, size {len(contents)}: {error}") from None
    return np.stack(frames)
