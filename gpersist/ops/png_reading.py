"""PNG files (RFC 2083) read as libpng reads them for TensorFlow; `png` writes them, and has the grammar.

Lines are undone along diagonals: a byte needs those left of, above, and left above it, so that all of one diagonal are made at once.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gpersist.errors import InvalidArgumentError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""Of an interlaced file: first row and column, and the steps."""
_LARGEST_SIDE = 1_000_000
"""Libpng's limit."""
_RED, _GREEN, _BLUE = 9797, 19234, 3737
"""The shares, of 32768, that TensorFlow asks libpng for where colours become grey: 0.299, 0.587 and 0.114, in its fixed point."""

_Bytes = np.ndarray[Any, Any]


class _Header(NamedTuple):
    width: int
    height: int
    depth: int
    color: int
    interlaced: bool

    @property
    def channels(self) -> int:
        return _CHANNELS[self.color]


class _File(NamedTuple):
    header: _Header
    palette: _Bytes | None
    transparent: bytes | None
    gamma: float
    content: bytes


def decode(contents: bytes, channels: int = 0, is_wide: bool = False) -> _Bytes:
    """The image of a file.

    Args:
        contents: the file.
        channels: 1 to 4: grey, grey and alpha, RGB, RGB and alpha; 0 for what the file has.
        is_wide: whether uint16 is wanted rather than uint8.

    Returns:
        uint8 or uint16 [height, width, channels].

    Raises:
        InvalidArgumentError: it is no such file, damaged or too large.
    """
    file = _read(contents)
    header = file.header
    lines = _image(header, file.content)
    if header.depth < 8 and header.color != 3:
        lines = lines * np.uint8(255 // ((1 << header.depth) - 1))
    image, alpha = _colors(file, lines)
    wanted = channels or (3 + (alpha is not None) if header.color == 3 else header.channels)
    if wanted < 3 and image.shape[2] == 3:
        image = _grey(image, file.gamma)
    elif wanted >= 3 and image.shape[2] == 1:
        image = image.repeat(3, 2)
    if image.dtype == np.uint16 and not is_wide:
        image = (image >> 8).astype(np.uint8)
        alpha = None if alpha is None else (alpha >> 8).astype(np.uint8)
    if wanted in (2, 4):
        full = np.full((*image.shape[:2], 1), (1 << min(header.depth, 8 * image.dtype.itemsize)) - 1, image.dtype)  # as libpng's filler is asked for
        image = np.concatenate([image, full if alpha is None else alpha], 2)
    if is_wide and image.dtype == np.uint8:
        image = image.astype(np.uint16) * np.uint16(257)
    return np.ascontiguousarray(image)


def _chunks(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents; a damaged chunk that a reader may do without is left out."""
    place = len(SIGNATURE)
    while place + 8 <= len(contents):
        size, name = struct.unpack_from(">I4s", contents, place)
        end = place + 8 + size
        if end + 4 > len(contents):
            if name == b"IDAT":
                yield name, contents[place + 8 : end]  # as much as there is
            raise InvalidArgumentError(f"Invalid PNG data, size {len(contents)}: chunk {name!r} at byte {place} is cut off")
        content = contents[place + 8 : end]
        if zlib.crc32(name + content) == struct.unpack_from(">I", contents, end)[0]:
            yield name, content
        elif not name[:1].islower():
            raise InvalidArgumentError(f"Invalid PNG data, size {len(contents)}: wrong crc32 of chunk {name!r} at byte {place}")
        if name == b"IEND":
            return
        place = end + 4
    raise InvalidArgumentError(f"Invalid PNG data, size {len(contents)}: it ends early")


def _read(contents: bytes) -> _File:
    if not contents.startswith(SIGNATURE):
        raise InvalidArgumentError(f"Invalid PNG data, size {len(contents)}: no signature")
    header: _Header | None = None
    palette: _Bytes | None = None
    transparent: bytes | None = None
    gamma = 1.0
    parts: list[bytes] = []
    for name, content in _chunks(contents):
        if header is None:
            header = _header(name, content)
        elif name == b"PLTE" and not parts:
            if len(content) % 3 or not 0 < len(content) <= 768:
                raise InvalidArgumentError(f"Invalid PNG data: a palette of {len(content)} bytes")
            palette = np.frombuffer(content, np.uint8).reshape(-1, 3)
        elif name == b"tRNS" and not parts:
            transparent = content
        elif name in (b"gAMA", b"sRGB") and not parts:
            gamma = 0.45455 if name == b"sRGB" else int.from_bytes(content[:4], "big") / 100000
        elif name == b"IDAT":
            parts.append(content)
        elif name not in (b"IEND", b"PLTE", b"tRNS") and name[:1].isupper():
            raise InvalidArgumentError(f"Invalid PNG data: unknown chunk {name!r}")
    if header is None or not parts or (header.color == 3 and palette is None):
        raise InvalidArgumentError(f"Invalid PNG data, size {len(contents)}: without a header, pixels or palette")
    return _File(header, palette, transparent, gamma, b"".join(parts))


def _header(name: bytes, content: bytes) -> _Header:
    if name != b"IHDR" or len(content) != 13:
        raise InvalidArgumentError(f"Invalid PNG header: chunk {name!r} of {len(content)} bytes")
    width, height, depth, color, method, filters, interlace = struct.unpack(">IIBBBBB", content)
    if depth not in _DEPTHS.get(color, ()) or method or filters or interlace > 1:
        raise InvalidArgumentError(f"Invalid PNG header: colour type {color} of {depth} bits, interlace {interlace}")
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE) or width * height >= 1 << 29:
        raise InvalidArgumentError(f"PNG size is out of range: width {width}, height {height}")
    return _Header(width, height, depth, color, bool(interlace))


def _image(header: _Header, content: bytes) -> _Bytes:
    """The numbers of the file, [height, width, its channels]."""
    parts = _PASSES if header.interlaced else ((0, 0, 1, 1),)
    shapes = [(-(-max(header.height - y, 0) // dy), -(-max(header.width - x, 0) // dx)) for y, x, dy, dx in parts]
    bits = header.channels * header.depth
    sizes = [h * (1 + (w * bits + 7) // 8) if h and w else 0 for h, w in shapes]
    expander = zlib.decompressobj()
    try:
        raw = expander.decompress(content, sum(sizes))
    except zlib.error as error:
        raise InvalidArgumentError(f"Invalid PNG data: {error}") from None
    if len(raw) < sum(sizes):
        raise InvalidArgumentError(f"Invalid PNG data: {sum(sizes)} bytes of pixels expected, found {len(raw)}")
    image = np.zeros((header.height, header.width, header.channels), np.uint16 if header.depth == 16 else np.uint8)
    start = 0
    for (y, x, dy, dx), (height, width), size in zip(parts, shapes, sizes, strict=True):
        if size:
            lines = np.frombuffer(raw, np.uint8, size, start).reshape(height, -1)
            image[y::dy, x::dx] = _numbers(_unfiltered(lines, max(1, bits // 8)), width, header)
            start += size
    return image


def _numbers(lines: _Bytes, width: int, header: _Header) -> _Bytes:
    if header.depth == 16:
        lines = lines.view(">u2").astype(np.uint16)
    elif header.depth < 8:
        steps = np.arange(8 - header.depth, -1, -header.depth, dtype=np.uint8)
        lines = (lines[:, :, None] >> steps & np.uint8((1 << header.depth) - 1)).reshape(len(lines), -1)[:, :width]
    return lines.reshape(len(lines), width, header.channels)


def _unfiltered(lines: _Bytes, pixel: int) -> _Bytes:
    """The bytes that filters were applied to; each line begins with its own."""
    filters, coded = lines[:, 0], lines[:, 1:]
    if (filters > 4).any():
        raise InvalidArgumentError(f"Invalid PNG data: bad adaptive filter value {int(filters.max())}")
    if not (filters > 2).any():
        return _without_diagonals(filters, coded, pixel)
    height, columns = len(coded), coded.shape[1] // pixel
    cells = coded.reshape(height, columns, pixel)
    found = np.zeros((height + 1, columns + 1, pixel), np.int16)  # ahead of all rows and columns are zeros
    for diagonal in range(height + columns - 1):
        rows = np.arange(max(0, diagonal - columns + 1), min(height, diagonal + 1))
        at = diagonal - rows
        left, above, corner = found[rows + 1, at], found[rows, at + 1], found[rows, at]
        to_left, to_above, to_corner = np.abs(above - corner), np.abs(left - corner), np.abs(left + above - 2 * corner)
        paeth = np.where((to_left <= to_above) & (to_left <= to_corner), left, np.where(to_above <= to_corner, above, corner))
        kind = filters[rows][:, None]
        guess = np.where(kind == 4, paeth, np.where(kind == 3, left + above >> 1, np.where(kind == 2, above, left * (kind == 1))))
        found[rows + 1, at + 1] = cells[rows, at] + guess & 255
    return found[1:, 1:].astype(np.uint8).reshape(height, -1)


def _without_diagonals(filters: _Bytes, coded: _Bytes, pixel: int) -> _Bytes:
    """The same where every filter looks left only or up only."""
    found = coded.copy()
    is_left = filters == 1
    cells = found[is_left].reshape(is_left.sum(), found.shape[1] // pixel, pixel)
    found[is_left] = np.cumsum(cells, 1, dtype=np.uint8).reshape(len(cells), found.shape[1])
    for row in np.flatnonzero(filters == 2).tolist():
        if row:
            found[row] += found[row - 1]
    return found


def _colors(file: _File, lines: _Bytes) -> tuple[_Bytes, _Bytes | None]:
    """Grey or RGB, and how opaque pixels are where the file says so."""
    header = file.header
    if header.color == 3:
        assert file.palette is not None  # held when it was read
        indices = lines[..., 0]
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(file.palette)] = file.palette
        if file.transparent is None:
            return palette[indices], None
        opaque = np.full(256, 255, np.uint8)
        known = np.frombuffer(file.transparent[:256], np.uint8)
        opaque[: len(known)] = known
        return palette[indices], opaque[indices][..., None]
    if header.color in (4, 6):
        return lines[..., :-1], lines[..., -1:]
    if file.transparent is None or len(file.transparent) != 2 * header.channels:
        return lines, None
    color = np.frombuffer(file.transparent, ">u2").astype(np.int64)
    if header.depth < 8:
        color = (color & (1 << header.depth) - 1) * (255 // ((1 << header.depth) - 1))
    largest = np.iinfo(lines.dtype).max
    return lines, np.where((lines == color).all(-1, keepdims=True), 0, largest).astype(lines.dtype)


def _grey(image: _Bytes, gamma: float) -> _Bytes:
    """One channel of three; where the file tells of a gamma that matters, they are mixed as light."""
    largest = np.iinfo(image.dtype).max
    is_curved = gamma > 0 and abs(gamma - 1) > 0.05
    wide = _curved(image, 1 / gamma, largest) if is_curved else image.astype(np.int64)
    half = 16384 if is_curved or image.dtype == np.uint16 else 0  # plain numbers of 8 bits are not rounded
    mixed = wide[..., 0] * _RED + wide[..., 1] * _GREEN + wide[..., 2] * _BLUE + half >> 15
    if is_curved:
        mixed = _curved(mixed, gamma, largest)
    is_grey = (image == image[..., :1]).all(-1)  # such pixels stay as they are
    return np.where(is_grey, image[..., 0], mixed)[..., None].astype(image.dtype)


def _curved(values: _Bytes, power: float, largest: int) -> _Bytes:
    table: _Bytes = np.floor(largest * (np.arange(largest + 1) / largest) ** power + 0.5).astype(np.int64)
    return table[values]
