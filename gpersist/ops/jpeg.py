"""JPEG files, through two libraries around libjpeg-turbo: simplejpeg reads with TensorFlow's settings, Pillow writes the same bytes as it.

They come with the extra `images`. What stands in a file's header is read without them.
"""

from __future__ import annotations

import importlib
import io
import struct
from typing import Any, NamedTuple

import numpy as np

from gpersist.errors import InvalidArgumentError, UnimplementedError

SIGNATURE = b"\xff\xd8\xff"
_LARGEST = 1 << 29
"""Bytes of an image, which must be fewer."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""The markers of frames, whose headers have the size."""
_PROGRESSIVE, _ADOBE, _SCAN = 0xC2, 0xEE, 0xDA
_END = b"\xff\xd9"
_DENSITY = slice(13, 18)
"""Where a file's JFIF header has the unit and the two densities."""
_FILLING = bytes(512)
"""Bytes that are codes for something else than nothing."""
_UNITS = {"in": 1, "cm": 2}


class Header(NamedTuple):
    """What the header of a file says."""

    height: int
    width: int
    components: int
    is_adobe: bool
    frame_at: int
    is_progressive: bool
    lines: int
    """Of the blocks of one row of the image."""


def library(name: str, package: str, wanted_for: str) -> Any:
    """A module of the extra `images`.

    Raises:
        UnimplementedError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UnimplementedError(f"{wanted_for} needs {package}, which is not installed: pip install 'gpersist[images]'") from None


def header(contents: bytes) -> Header:
    """What the header of a file says.

    Raises:
        InvalidArgumentError: it is no such file.
    """
    place, frame, is_adobe = 2, None, False
    while contents.startswith(SIGNATURE) and place + 4 <= len(contents):
        if contents[place] != 0xFF:
            place += 1  # bytes between segments are passed over
            continue
        kind = contents[place + 1]
        if kind == 0xFF or kind == 1 or 0xD0 <= kind <= 0xD8 or not kind:
            place += 1 if kind == 0xFF else 2
            continue
        (size,) = struct.unpack_from(">H", contents, place + 2)
        if kind in _FRAMES and place + 12 <= len(contents):
            frame = (place, *struct.unpack_from(">HHB", contents, place + 5), kind == _PROGRESSIVE, 8 * (contents[place + 11] & 15))
        is_adobe = is_adobe or (kind == _ADOBE and contents[place + 4 : place + 9] == b"Adobe")
        if kind == _SCAN:
            break
        place += 2 + size
    else:
        frame = None
    if frame is None or not frame[1] or not frame[2]:
        raise InvalidArgumentError(f"Invalid JPEG data, size {len(contents)}")
    at, height, width, components, is_progressive, lines = frame
    return Header(height, width, components, is_adobe, at, is_progressive, lines)


def decode(
    contents: bytes,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1.0,
    dct_method: str = "",
) -> np.ndarray[Any, Any]:
    """The image of a file: uint8 [height, width, channels].

    Args:
        contents: the file.
        channels: 1 or 3; 0 for what the file has.
        ratio: 1, 2, 4 or 8: by how much it is made smaller.
        fancy_upscaling: whether colours of lower resolution are interpolated.
        try_recover_truncated: whether what a file that is cut off lacks may be made up.
        acceptable_fraction: how much of such a file must be there.
        dct_method: "INTEGER_FAST", which "" stands for, or "INTEGER_ACCURATE".

    Raises:
        InvalidArgumentError: it is no such file, cut off or too large.
        UnimplementedError: simplejpeg is not installed.
    """
    told = header(contents)
    height, width = -(-told.height // ratio), -(-told.width // ratio)
    wanted = channels or (1 if told.components == 1 else 3)
    if wanted not in (1, 3) or told.components not in (1, 3, 4) or (told.components == 4 and wanted == 1):
        raise InvalidArgumentError(f"JPEG does not support {wanted} channels of a file that has {told.components}")
    if height * width * wanted >= _LARGEST:
        raise InvalidArgumentError(f"jpeg::Uncompress failed. Invalid JPEG data or crop window: {told.height} x {told.width} is too large")
    simplejpeg = library("simplejpeg", "simplejpeg", "reading a JPEG file")
    space = "CMYK" if told.components == 4 else "GRAY" if wanted == 1 else "RGB"
    settings: dict[str, Any] = {"colorspace": space, "fastdct": dct_method != "INTEGER_ACCURATE", "fastupsample": not fancy_upscaling}
    if ratio > 1:
        settings |= {"min_height": height, "min_width": width, "min_factor": ratio}
    try:
        try:
            found = simplejpeg.decode_jpeg(contents, **settings)
        except ValueError:
            is_cut = _END not in contents[told.frame_at :]
            if is_cut and (told.is_progressive or (acceptable_fraction >= 1 and not try_recover_truncated)):
                raise
            found = simplejpeg.decode_jpeg(contents, strict=False, **settings)
            if is_cut and not try_recover_truncated:
                other = simplejpeg.decode_jpeg(contents + _FILLING, strict=False, **settings)
                rows = _rows_read(found, other, told.lines // ratio, fancy_upscaling)
                if rows < acceptable_fraction * height:
                    raise
                found[rows:] = 0
    except ValueError as error:
        raise InvalidArgumentError(f"jpeg::Uncompress failed. Invalid JPEG data or crop window: {error}") from None
    return _from_cmyk(found, told.is_adobe) if told.components == 4 else found


def _rows_read(found: np.ndarray[Any, Any], other: np.ndarray[Any, Any], lines: int, is_fancy: bool) -> int:
    """How many rows libjpeg gives of a file that is cut off; what follows the cut tells two readings of it apart."""
    differing = np.flatnonzero((found != other).any((1, 2)))
    blocks = (int(differing[0]) + 1) // lines if differing.size else -(-len(found) // lines) - 1  # the last ones wait for the end
    return max(0, blocks * lines - (2 if is_fancy and lines > 8 else 0))  # rows that are interpolated wait for those below


def _from_cmyk(image: np.ndarray[Any, Any], is_adobe: bool) -> np.ndarray[Any, Any]:
    """Red, green and blue; Adobe's files have the inks inverted."""
    inks = image.astype(np.int64) if is_adobe else 255 - image.astype(np.int64)
    return (inks[..., :3] * inks[..., 3:] // 255).astype(np.uint8)


def encode(
    image: np.ndarray[Any, Any],
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: bytes = b"",
) -> bytes:
    """A file of an image: uint8 [height, width, 1 or 3 channels].

    Raises:
        UnimplementedError: Pillow is not installed.
    """
    pillow = library("PIL.Image", "Pillow", "writing a JPEG file")
    is_grey = image.shape[2] == 1
    target = io.BytesIO()
    settings: dict[str, Any] = {"xmp": xmp_metadata} if xmp_metadata else {}
    pillow.fromarray(image[..., 0] if is_grey else image).save(
        target,
        "JPEG",
        quality=quality,
        progressive=progressive,
        optimize=optimize_size,
        subsampling=2 if chroma_downsampling and not is_grey else 0,
        dpi=(300, 300),
        **settings,
    )
    found = bytearray(target.getbuffer())
    found[_DENSITY] = struct.pack(">BHH", _UNITS[density_unit], x_density & 0xFFFF, y_density & 0xFFFF)
    if is_grey and chroma_downsampling:
        found[header(bytes(found)).frame_at + 11] = 0x22  # grey has nothing to be sampled down; TensorFlow leaves the factors there
    return bytes(found)
