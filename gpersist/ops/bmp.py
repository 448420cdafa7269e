"""BMP files of 8, 24 or 32 bits a pixel, uncompressed, read as TensorFlow reads them.

file = "BM" 8 bytes, offset of the pixels:int32 4 bytes, width height:int32, 2 bytes, bits:int16 ... row ...     ; numbers are little-endian
row  = pixels, blue first, and bytes up to a multiple of 4; the lowest row first, the highest one where the height is negative
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from gpersist.errors import InvalidArgumentError

_HEADER_BYTES = 32
_ORDERS = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}


def decode(contents: bytes, channels: int = 0) -> np.ndarray[Any, Any]:
    """The image of a file: uint8 [height, width, channels].

    Args:
        contents: the file.
        channels: 3 or 4; 0 for what the file has: 1, 3 or 4. A palette is not looked at.

    Raises:
        InvalidArgumentError: it is no such file, or its size is another than its header says.
    """
    if len(contents) < _HEADER_BYTES:
        raise InvalidArgumentError(f"Incomplete bmp content, requires at least {_HEADER_BYTES} bytes to find the header, got {len(contents)} bytes")
    (start,) = struct.unpack_from("<i", contents, 10)
    width, height = struct.unpack_from("<ii", contents, 18)
    (bits,) = struct.unpack_from("<h", contents, 28)
    depth = int(bits / 8)
    if depth not in _ORDERS:
        raise InvalidArgumentError(f"Number of channels inherent in the image must be 1, 3 or 4, was {depth}")
    if width <= 0 or not height or start < 0:
        raise InvalidArgumentError(f"Width must be positive and height nonzero: {width} x {height}, pixels at byte {start}")
    rows = abs(height)
    row_bytes = (width * depth + 3) // 4 * 4
    excess = len(contents) - start - rows * row_bytes
    if excess:
        raise InvalidArgumentError(f"Input size should match (header_size + row_size * abs_height) but they differ by {excess}")
    pixels = np.frombuffer(contents, np.uint8, rows * row_bytes, start).reshape(rows, row_bytes)
    found = pixels[:, : width * depth].reshape(rows, width, depth)[..., _ORDERS[depth]]
    if depth == 1 and channels >= 3:
        found = found.repeat(3, 2)
    if channels == 4 and depth < 4:
        found = np.concatenate([found, np.full((rows, width, 1), 255, np.uint8)], 2)
    if channels == 3:
        found = found[..., :3]
    return np.ascontiguousarray(found if height < 0 else found[::-1])
