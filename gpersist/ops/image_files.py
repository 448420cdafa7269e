"""Operations that read and write files of images: JPEG, PNG, GIF, BMP and WebP. The modules called after the formats do the work."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gpersist.dtypes import DType
from gpersist.errors import InvalidArgumentError
from gpersist.graph import Operation, OpType, Sample, Tensor, constant_value, sample
from gpersist.ops import bmp, gif, jpeg, png, png_reading, webp
from gpersist.ops.kernels import shown
from gpersist.ops.texts import each, scalar
from gpersist.shapes import TensorShape

_Pixels = np.ndarray[Any, Any]

_GREY = np.array([[[0], [128], [255]], [[9], [99], [199]]], np.uint8)
_PNG = png.encode(_GREY)
_WIDE_PNG = png.encode(np.arange(24, dtype=np.uint16).reshape(2, 3, 4) * 2711)
_GIF = b"GIF89a\2\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\2\0\1\0\0\2\2\x44\x0a\0;"
_BMP = b"BM" + bytes(8) + b"\x36\0\0\0" + bytes(4) + b"\2\0\0\0\1\0\0\0\1\0\x18\0" + bytes(24) + b"\1\2\3\4\5\6\0\0"
_SETTINGS = (
    "channels: int = 0, ratio: int = 1, fancy_upscaling: bool = true, try_recover_truncated: bool = false, acceptable_fraction: float = 1.0, "
    "dct_method: string = ''"
)


class _FileOpType(OpType, abstract=True):
    """The image of a file. No gradient passes."""

    inputs = "contents: string"
    outputs = "image: uint8"
    is_host_only = True
    scalars = ("contents",)
    samples: ClassVar[tuple[Sample, ...]] = (sample(_PNG), sample(_PNG, channels=3))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return [TensorShape([None, None, _known_channels(op)])]

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


def _known_channels(op: Operation) -> int | None:
    channels: int = op.attr("channels")
    if channels < 0:
        raise ValueError(f"channels must be non-negative, got {channels}")
    return channels or None


def _content(contents: Any) -> bytes:
    array = scalar(contents)
    if array.ndim:
        raise InvalidArgumentError(f"`contents` must be scalar but got shape{shown(array.shape)}")
    found: bytes = array[()]
    if not found:
        raise InvalidArgumentError("Input is empty.")
    return found


def _kind(contents: bytes) -> str:
    for kind, beginnings in (("JPEG", jpeg.SIGNATURE), ("PNG", png_reading.SIGNATURE), ("GIF", gif.SIGNATURES), ("BMP", b"BM")):
        if contents.startswith(beginnings):
            return kind
    if webp.is_webp(contents):
        return "WebP"
    raise InvalidArgumentError("Unknown image file format. One of JPEG, JPEG XL, PNG, GIF, BMP, WebP required.")


def _decoded(contents: bytes, op_name: str, channels: int, dtype: np.dtype[Any], is_whole: bool = True, **settings: Any) -> _Pixels:
    """The image of a file of any kind; of one whose frames are asked for, all of them."""
    if channels not in (0, 1, 3, 4):
        raise InvalidArgumentError(f"`channels` must be 0, 1, 3 or 4 but got {channels}")
    kind = _kind(contents)
    if kind == "JPEG":
        return _scaled(jpeg.decode(contents, channels, **settings), dtype)
    if kind == "PNG":
        found = png_reading.decode(contents, channels, is_wide=dtype != np.uint8)
        return found if dtype.kind == "u" else found * np.float32(1 / 65535)
    if kind == "GIF":
        if channels not in (0, 3):
            raise InvalidArgumentError(f"channels must be 0 or 3 for GIF, got {channels}")
        frames = gif.decode(contents, is_whole)
        if op_name in ("DecodeJpeg", "DecodePng") and len(frames) > 1:
            raise InvalidArgumentError("Got a GIF of several frames: it can only be decoded by tf.io.decode_gif or tf.io.decode_image")
        return _scaled(frames if op_name == "DecodeGif" or (op_name == "DecodeImage" and is_whole) else frames[0], dtype)
    if kind == "BMP":
        if op_name not in ("DecodeBmp", "DecodeImage"):
            raise InvalidArgumentError(f"Trying to decode BMP format using a wrong op. Use `decode_bmp` or `decode_image`. Op used: {op_name}")
        if channels == 1:
            raise InvalidArgumentError("`channels` must be 0, 3 or 4 for BMP, but got 1")
        return _scaled(bmp.decode(contents, channels), dtype)
    if op_name not in ("DecodeImage", "DecodeWebP"):
        raise InvalidArgumentError(f"Trying to decode WebP format using a wrong op. Use `decode_image` instead. Op used: {op_name}")
    if dtype != np.uint8:
        raise InvalidArgumentError("WebP only supports uint8 for dtype")
    frames = webp.decode(contents, channels, is_whole)
    return frames if is_whole else frames[0]


def _scaled(image: _Pixels, dtype: np.dtype[Any]) -> _Pixels:
    """An image of uint8 in another type: 0..1 where that is floating."""
    if dtype == np.uint16:
        return image.astype(np.uint16) * np.uint16(256)
    return image if dtype == np.uint8 else image * np.float32(1 / 255)


class _JpegSettings:
    """Attributes of JPEG's operations, held against what they may be."""

    @staticmethod
    def held(ratio: int, dct_method: bytes, **others: Any) -> dict[str, Any]:
        if ratio not in (1, 2, 4, 8):
            raise InvalidArgumentError(f"ratio must be 1, 2, 4, or 8, got {ratio}")
        if dct_method not in (b"", b"INTEGER_FAST", b"INTEGER_ACCURATE"):
            raise InvalidArgumentError("dct_method must be one of {'', 'INTEGER_FAST', 'INTEGER_ACCURATE'}")
        return {"ratio": ratio, "dct_method": dct_method.decode(), **others}


class DecodeJpeg(_FileOpType):
    """A JPEG file's image; one of a PNG file, or of a GIF file of one frame, too."""

    attrs = _SETTINGS

    @staticmethod
    def run(
        xp: Any,
        contents: Any,
        *,
        channels: int,
        ratio: int,
        fancy_upscaling: bool,
        try_recover_truncated: bool,
        acceptable_fraction: float,
        dct_method: bytes,
    ) -> _Pixels:
        settings = _JpegSettings.held(
            ratio,
            dct_method,
            fancy_upscaling=fancy_upscaling,
            try_recover_truncated=try_recover_truncated,
            acceptable_fraction=acceptable_fraction,
        )
        return _decoded(_content(contents), "DecodeJpeg", channels, np.dtype(np.uint8), **settings)


class DecodeAndCropJpeg(_FileOpType):
    """A part of a JPEG file's image."""

    inputs = "contents: string, crop_window: int32"
    attrs = _SETTINGS
    samples = ()  # in tests/ops/scenarios.py

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        op._inputs[1].shape.merge_with([4])
        window = constant_value(op._inputs[1])
        size = [None, None] if window is None else [int(number) for number in window[2:]]
        return [TensorShape([*size, _known_channels(op)])]

    @staticmethod
    def run(
        xp: Any,
        contents: Any,
        crop_window: Any,
        *,
        channels: int,
        ratio: int,
        fancy_upscaling: bool,
        try_recover_truncated: bool,
        acceptable_fraction: float,
        dct_method: bytes,
    ) -> _Pixels:
        settings = _JpegSettings.held(
            ratio,
            dct_method,
            fancy_upscaling=fancy_upscaling,
            try_recover_truncated=try_recover_truncated,
            acceptable_fraction=acceptable_fraction,
        )
        file = _content(contents)
        if (kind := _kind(file)) != "JPEG":
            raise InvalidArgumentError(f"DecodeAndCropJpeg operation can run on JPEG only, but detected {kind}.")
        if crop_window.shape != (4,):
            raise InvalidArgumentError(f"crop_window must have four elements, got shape {shown(crop_window.shape)}")
        image = _decoded(file, "DecodeAndCropJpeg", channels, np.dtype(np.uint8), **settings)
        y, x, height, width = crop_window.tolist()
        if min(y, x) < 0 or min(height, width) <= 0 or y + height > image.shape[0] or x + width > image.shape[1]:
            raise InvalidArgumentError(
                f"jpeg::Uncompress failed. Invalid JPEG data or crop window: {height} x {width} at {y}, {x} of {shown(image.shape[:2])}"
            )
        return np.ascontiguousarray(image[y : y + height, x : x + width])


class DecodePng(_FileOpType):
    """A PNG file's image; one of a JPEG file, or of a GIF file of one frame, too."""

    outputs = "image: dtype"
    attrs = "channels: int = 0, dtype: {uint8, uint16} = uint8"
    samples = (sample(_PNG), sample(_WIDE_PNG, dtype="uint16"), sample(_PNG, channels=4))

    @staticmethod
    def run(xp: Any, contents: Any, *, channels: int, dtype: DType) -> _Pixels:
        return _decoded(_content(contents), "DecodePng", channels, np.dtype(dtype.numpy))


class DecodeGif(_FileOpType):
    """All frames of a GIF file; or the image of a PNG or JPEG file, as the only one."""

    samples = (sample(_GIF), sample(_PNG))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return [TensorShape([None, None, None, 3])]

    @staticmethod
    def run(xp: Any, contents: Any) -> _Pixels:
        found = _decoded(_content(contents), "DecodeGif", 3, np.dtype(np.uint8))
        return found if found.ndim == 4 else found[None]


class DecodeBmp(_FileOpType):
    """A BMP file's image."""

    attrs = "channels: int = 0"
    samples = (sample(_BMP), sample(_BMP, channels=4))

    @staticmethod
    def run(xp: Any, contents: Any, *, channels: int) -> _Pixels:
        file = _content(contents)
        if (kind := _kind(file)) != "BMP":
            lower = kind.lower()
            raise InvalidArgumentError(f"Trying to decode {kind} format using DecodeBmp op. Use `decode_{lower}` or `decode_image` instead.")
        return _decoded(file, "DecodeBmp", channels, np.dtype(np.uint8))


class DecodeWebP(_FileOpType):
    """All frames of a WebP file."""

    outputs = "image: dtype"
    attrs = "channels: int = 0, dtype: {uint8} = uint8"
    samples = ()  # in tests/ops/scenarios.py

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return [TensorShape([None, None, None, _known_channels(op)])]

    @staticmethod
    def run(xp: Any, contents: Any, *, channels: int) -> _Pixels:
        file = _content(contents)
        if (kind := _kind(file)) != "WebP":
            raise InvalidArgumentError(f"Trying to decode {kind} format using DecodeWebP op. Use `decode_image` instead.")
        return _decoded(file, "DecodeWebP", channels, np.dtype(np.uint8))


class DecodeImage(_FileOpType):
    """The image of a file, of whichever kind it is; all frames of an animation, where they are wanted."""

    outputs = "image: dtype"
    attrs = "channels: int = 0, dtype: {uint8, uint16, float} = uint8, expand_animations: bool = true"
    samples = (sample(_PNG, dtype="float"), sample(_GIF, dtype="uint16"), sample(_GIF, expand_animations=False), sample(_BMP))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        channels = _known_channels(op)
        return [TensorShape(None) if op.attr("expand_animations") else TensorShape([None, None, channels])]

    @staticmethod
    def run(xp: Any, contents: Any, *, channels: int, dtype: DType, expand_animations: bool) -> _Pixels:
        return _decoded(_content(contents), "DecodeImage", channels, np.dtype(dtype.numpy), expand_animations)


class ExtractJpegShape(_FileOpType):
    """Height, width and channels of a JPEG file's image, from its header."""

    outputs = "image_shape: output_type"
    attrs = "output_type: {int32, int64} = int32"
    samples = (
        sample(b"\xff\xd8\xff\xc0\0\x0b\x08\0\5\0\7\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\0"),
        sample(b"\xff\xd8\xff\xc0\0\x0b\x08\0\5\0\7\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\0", output_type="int64"),
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(0)
        return [TensorShape([3])]

    @staticmethod
    def run(xp: Any, contents: Any, *, output_type: DType) -> _Pixels:
        array = scalar(contents)
        if array.ndim:
            raise InvalidArgumentError(f"contents must be scalar, got shape {shown(array.shape)}")
        told = jpeg.header(array[()])
        return np.array([told.height, told.width, told.components], output_type.numpy)


class EncodePng(OpType):
    """PNG files of images, one each."""

    inputs = "image: T"
    outputs = "contents: string"
    attrs = "compression: int = -1, T: {uint8, uint16} = uint8"
    is_host_only = True
    samples = (sample("uint8[4,3,3] in 0..255"), sample("uint16[2,4,3,1] in 0..60000", compression=3))

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        return [op._inputs[0].shape.with_rank_at_least(3)[:-3]]

    @staticmethod
    def run(xp: Any, image: Any, *, compression: int) -> Any:
        if not -1 <= compression <= 9:
            raise InvalidArgumentError(f"compression should be in [-1,9], got {compression}")
        if image.ndim < 3 or not 1 <= image.shape[-1] <= 4 or not image.size:
            raise InvalidArgumentError(f"image must have 1, 2, 3, or 4 channels and at least one pixel, got shape {shown(image.shape)}")
        single = image.reshape(-1, *image.shape[-3:])
        return each(lambda number: png.encode(single[number], compression), np.arange(len(single)).reshape(image.shape[:-3]))

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None]


class _EncodeJpeg(OpType, abstract=True):
    """JPEG files. No gradient passes."""

    outputs = "contents: string"
    is_host_only = True

    @staticmethod
    def gradient(op: Operation, *grads: Tensor) -> list[Tensor | None]:
        return [None] * len(op.inputs)


def _check_encodable(image: Any, channels: tuple[int, ...], quality: int) -> None:
    if image.ndim != 3 or image.shape[2] not in channels or not image.size or max(image.shape[:2]) > 65535:
        raise InvalidArgumentError(f"image must be 3-dimensional of {channels} channels and have pixels, got shape {shown(image.shape)}")
    if not 0 <= quality <= 100:
        raise InvalidArgumentError(f"quality must be in [0,100], got {quality}")


class EncodeJpeg(_EncodeJpeg):
    """A JPEG file of an image."""

    inputs = "image: uint8"
    attrs = (
        "format: {'', 'grayscale', 'rgb'} = '', quality: int = 95, progressive: bool = false, optimize_size: bool = false, "
        "chroma_downsampling: bool = true, density_unit: {'in', 'cm'} = 'in', x_density: int = 300, y_density: int = 300, xmp_metadata: string = ''"
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(3)
        return [TensorShape([])]

    @staticmethod
    def run(
        xp: Any,
        image: Any,
        *,
        format: bytes,
        quality: int,
        progressive: bool,
        optimize_size: bool,
        chroma_downsampling: bool,
        density_unit: bytes,
        x_density: int,
        y_density: int,
        xmp_metadata: bytes,
    ) -> Any:
        _check_encodable(image, {b"": (1, 3), b"grayscale": (1,), b"rgb": (3,)}[format], quality)
        file = jpeg.encode(image, quality, progressive, optimize_size, chroma_downsampling, density_unit.decode(), x_density, y_density, xmp_metadata)
        return scalar(file)


class EncodeJpegVariableQuality(_EncodeJpeg):
    """A JPEG file of an image, of a quality that is a tensor."""

    inputs = "images: uint8, quality: int32"

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        op._inputs[0].shape.with_rank(3)
        op._inputs[1].shape.with_rank(0)
        return [TensorShape([])]

    @staticmethod
    def run(xp: Any, images: Any, quality: Any) -> Any:
        if np.ndim(quality):
            raise InvalidArgumentError(f"quality must be scalar: {shown(quality.shape)}")
        _check_encodable(images, (1, 3), int(quality))
        return scalar(jpeg.encode(images, int(quality)))
