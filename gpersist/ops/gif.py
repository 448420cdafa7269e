"""GIF files (versions 87a and 89a) read as TensorFlow reads them.

file  = "GIF" version:3 width height:uint16 flags background aspect colors? part ... ";"      ; numbers are little-endian
part  = "!" 0xF9 4 flags delay:uint16 transparent 0                                           ; what the next frame's numbers mean
      | "!" label block ... 0
      | "," left top width height:uint16 flags colors? code_size block ... 0                    ; a frame: blocks of codes (LZW)
block = size:byte bytes
flags = 0x80: colours follow, 2 << (flags & 7) of three bytes; 0x40, in a frame: its lines are interlaced

Frames are drawn one on another, on a canvas as large as the largest of them; how one is to be disposed of is not looked at, as TensorFlow doesn't.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from gpersist.errors import InvalidArgumentError

_Pixels = np.ndarray[Any, Any]
SIGNATURES = (b"GIF87a", b"GIF89a")
_LARGEST_CODE = 4095


class _Frame(NamedTuple):
    left: int
    top: int
    indices: _Pixels
    colors: _Pixels | None
    transparent: int | None


class _Cut(Exception):
    """The file ends early, or is none from here on."""


def decode(contents: bytes, is_whole: bool = True) -> _Pixels:
    """The frames of a file, each as it is seen: uint8 [frames, height, width, 3].

    Args:
        contents: the file.
        is_whole: whether all frames are wanted, rather than the first.

    Raises:
        InvalidArgumentError: it is no such file, or too large.
    """
    frames = _frames(contents)
    height, width = (max(size) for size in zip(*(frame.indices.shape for frame in frames), strict=True))
    wanted = frames if is_whole else frames[:1]
    if height * width * len(wanted) >= 1 << 29:
        raise InvalidArgumentError(f"GIF is too large: {len(wanted)} frames of {height} x {width}")
    found = np.zeros((len(wanted), height, width, 3), np.uint8)
    for number, frame in enumerate(wanted):
        if number:
            found[number] = found[number - 1]
        _draw(found[number], frame)
    return found


def _draw(canvas: _Pixels, frame: _Frame) -> None:
    if frame.colors is None:
        raise InvalidArgumentError("Invalid GIF data: missing color map for frame")
    height, width = canvas.shape[:2]
    indices = frame.indices[: max(0, height - frame.top), : max(0, width - frame.left)]
    is_seen = indices != (-1 if frame.transparent is None else frame.transparent)
    if (indices[is_seen] >= len(frame.colors)).any():
        raise InvalidArgumentError(f"Invalid GIF data: found color index {indices.max()} outside of color map range {len(frame.colors)}")
    part = canvas[frame.top : frame.top + indices.shape[0], frame.left : frame.left + indices.shape[1]]
    part[is_seen] = frame.colors[indices[is_seen]]


class _Reader:
    def __init__(self, contents: bytes) -> None:
        self.contents = contents
        self.place = 0

    def take(self, size: int) -> bytes:
        found = self.contents[self.place : self.place + size]
        if len(found) < size:
            raise _Cut(f"it ends at byte {len(self.contents)}")
        self.place += size
        return found

    def colors(self, flags: int) -> _Pixels | None:
        if not flags & 0x80:
            return None
        return np.frombuffer(self.take(3 * (2 << (flags & 7))), np.uint8).reshape(-1, 3)

    def blocks(self) -> bytes:
        parts = []
        while size := self.take(1)[0]:
            parts.append(self.take(size))
        return b"".join(parts)


def _frames(contents: bytes) -> list[_Frame]:
    """All frames that are whole; at least one."""
    reader = _Reader(contents)
    frames: list[_Frame] = []
    try:
        if reader.take(6) not in SIGNATURES:
            raise _Cut("no signature")
        *_, flags, _, _ = struct.unpack("<HHBBB", reader.take(7))
        colors = reader.colors(flags)
        transparent: int | None = None
        while (kind := reader.take(1)) != b";":
            if kind == b"!":
                label, content = reader.take(1), reader.blocks()
                if label == b"\xf9" and len(content) == 4:
                    transparent = content[3] if content[0] & 1 else None
            elif kind == b",":
                frames.append(_frame(reader, colors, transparent))
                transparent = None
            else:
                raise _Cut(f"wrong block {kind!r} at byte {reader.place - 1}")
    except _Cut as error:
        if not frames:
            raise InvalidArgumentError(f"Invalid GIF data (size {len(contents)}): {error}") from None
    if not frames:
        raise InvalidArgumentError("Invalid GIF data: gif file does not contain any image")
    return frames


def _frame(reader: _Reader, colors: _Pixels | None, transparent: int | None) -> _Frame:
    left, top, width, height, flags = struct.unpack("<HHHHB", reader.take(9))
    own = reader.colors(flags)
    code_size = reader.take(1)[0]
    if not width or not height or width * height > 0x7FFFFFFF or code_size > 8:
        raise _Cut(f"a frame of {height} x {width} with codes of {code_size} bits")
    numbers = _expanded(reader.blocks(), code_size, width * height)
    indices = numbers.reshape(height, width)
    if flags & 0x40:
        order = np.concatenate([np.arange(start, height, step) for start, step in ((0, 8), (4, 8), (2, 4), (1, 2))])
        lines = np.empty_like(indices)
        lines[order] = indices
        indices = lines
    return _Frame(left, top, indices, colors if own is None else own, transparent)


def _expanded(codes: bytes, code_size: int, size: int) -> _Pixels:
    """What the codes stand for: exactly `size` numbers, of which what is more is dropped."""
    clear = 1 << code_size
    roots = [bytes([number]) for number in range(clear)] + [b"", b""]
    table, width, previous = list(roots), code_size + 1, b""
    found: list[bytes] = []
    count = held = bits = 0
    for byte in codes:
        held |= byte << bits
        bits += 8
        while bits >= width and count < size:
            code = held & ((1 << width) - 1)
            held >>= width
            bits -= width
            if code == clear:
                table, width, previous = list(roots), code_size + 1, b""
                continue
            if code == clear + 1:
                raise _Cut(f"{count} pixels of {size}")
            if code < len(table):
                entry = table[code]
            elif code == len(table) and previous:
                entry = previous + previous[:1]
            else:
                raise _Cut(f"code {code} of {len(table)}")
            if previous and len(table) <= _LARGEST_CODE:
                table.append(previous + entry[:1])
                if len(table) == 1 << width and width < 12:
                    width += 1
            previous = entry
            found.append(entry)
            count += len(entry)
    if count < size:
        raise _Cut(f"{count} pixels of {size}")
    return np.frombuffer(b"".join(found), np.uint8, size)
