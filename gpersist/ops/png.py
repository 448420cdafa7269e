"""PNG files (RFC 2083), as TensorFlow's kernels write them: the same bytes as libpng's, with its choice of filters and its zlib settings.

file     = signature chunk("IHDR", width height depth color 0 0 0) chunk("IDAT", part of the pixels) ... chunk("IEND")
chunk    = size:uint32 name content crc32(name content):uint32                       ; numbers are big-endian
pixels   = zlib( line ... )          line = filter:byte bytes                          ; a filter tells each byte from those left of and above it
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLORS = {1: 0, 2: 4, 3: 2, 4: 6}
"""The number of a pixel's kind, by its channels: grey, grey and alpha, RGB, RGB and alpha."""
_CHUNK_BYTES = 8192
"""Libpng's buffer, and so the largest IDAT chunk."""
_ZLIB_HEADER = 262
"""What zlib looks ahead, beyond which a smaller window serves."""


def encode(image: np.ndarray[Any, Any], level: int = -1) -> bytes:
    """A file of an image.

    Args:
        image: uint8 or uint16 [height, width, 1 to 4 channels], of at least one pixel.
        level: zlib's, 0 to 9; -1 for its default.
    """
    height, width, channels = image.shape
    depth = image.dtype.itemsize
    lines = np.ascontiguousarray(image.astype(image.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, width * channels * depth)
    head = struct.pack(">IIBBBBB", width, height, depth * 8, _COLORS[channels], 0, 0, 0)
    content = _compressed(_filtered(lines, channels * depth, width).tobytes(), level)
    parts = [_chunk(b"IDAT", content[start : start + _CHUNK_BYTES]) for start in range(0, len(content), _CHUNK_BYTES)]
    return b"".join([_SIGNATURE, _chunk(b"IHDR", head), *parts, _chunk(b"IEND", b"")])


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _filtered(lines: np.ndarray[Any, Any], pixel_bytes: int, width: int) -> np.ndarray[Any, Any]:
    """The lines, each behind its filter and after it: the filter whose bytes, as signed numbers, have the least sum of absolute values."""
    height, size = lines.shape
    above = np.zeros_like(lines)
    above[1:] = lines[:-1]
    left, corner = np.zeros_like(lines), np.zeros_like(lines)
    left[:, pixel_bytes:], corner[:, pixel_bytes:] = lines[:, :-pixel_bytes], above[:, :-pixel_bytes]
    candidates = {0: lines}
    if width > 1:  # libpng tries no filter that a line, or a column, alone has no use for
        candidates[1] = lines - left
    if height > 1:
        candidates[2] = lines - above
    if width > 1 and height > 1:
        candidates[3] = lines - ((left.astype(np.int16) + above) // 2).astype(np.uint8)
        candidates[4] = lines - _paeth(left, above, corner)
    costs = [np.minimum(found, np.negative(found)).sum(1, dtype=np.int64) for found in candidates.values()]
    chosen = np.argmin(costs, 0)
    result = np.empty((height, size + 1), np.uint8)
    result[:, 0] = np.array(list(candidates))[chosen]
    result[:, 1:] = np.stack(list(candidates.values()))[chosen, np.arange(height)]
    return result


def _paeth(left: np.ndarray[Any, Any], above: np.ndarray[Any, Any], corner: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Of the three neighbours the one nearest to `left + above - corner`."""
    a, b, c = left.astype(np.int16), above.astype(np.int16), corner.astype(np.int16)
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    return np.where((to_a <= to_b) & (to_a <= to_c), left, np.where(to_b <= to_c, above, corner))


def _compressed(content: bytes, level: int) -> bytes:
    window_bits = 15
    while len(content) <= 16384 and len(content) + _ZLIB_HEADER <= 1 << (window_bits - 1):
        window_bits -= 1
    compressor = zlib.compressobj(level, zlib.DEFLATED, window_bits, 8, zlib.Z_FILTERED)
    found = compressor.compress(content) + compressor.flush()
    return _smallest_window(found[0], found[1], len(content)) + found[2:]


def _smallest_window(method: int, flags: int, size: int) -> bytes:
    """The two bytes before what is compressed, telling a reader of the least window that it can do with."""
    window = method >> 4
    while size <= 16384 and window > 0 and size <= 1 << (window + 7):
        window -= 1
    method, flags = window << 4 | method & 15, flags & 0xE0
    return bytes([method, flags + 31 - (method << 8 | flags) % 31])
