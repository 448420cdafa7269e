"""Images from files and to files (`tf.image.decode_jpeg` and its relatives); `image_files` has the operations."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.graph import Tensor, apply, convert_to_tensor, name_scope
from gpersist.ops.comparison import equal
from gpersist.ops.image_types import convert_image_dtype
from gpersist.ops.strings import substr

__all__ = [
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "extract_jpeg_shape",
    "is_jpeg",
]


def decode_jpeg(
    contents: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """The image of a JPEG file, uint8 [height, width, channels].

    Args:
        contents: the file.
        channels: 1 or 3; 0 for what the file has.
        ratio: 1, 2, 4 or 8: by how much it is made smaller.
        fancy_upscaling: whether colours of lower resolution are interpolated.
        try_recover_truncated: whether what a file that is cut off lacks is made up.
        acceptable_fraction: how much of such a file must be there.
        dct_method: "INTEGER_FAST", which "" stands for, or "INTEGER_ACCURATE".
        name: of the node.
    """
    attrs = _jpeg_attrs(channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method)
    return apply("DecodeJpeg", contents, name=name, **attrs)


def decode_and_crop_jpeg(
    contents: Any,
    crop_window: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """A part of the image of a JPEG file, as `decode_jpeg` reads it; `crop_window` is int32 [4]: first row and column, height, width."""
    attrs = _jpeg_attrs(channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method)
    return apply("DecodeAndCropJpeg", contents, crop_window, name=name, **attrs)


def _jpeg_attrs(channels: int, ratio: int, fancy: bool, recover: bool, fraction: float, dct_method: str) -> dict[str, Any]:
    return {
        "channels": channels,
        "ratio": ratio,
        "fancy_upscaling": fancy,
        "try_recover_truncated": recover,
        "acceptable_fraction": fraction,
        "dct_method": dct_method,
    }


def decode_png(contents: Any, channels: int = 0, dtype: Any = "uint8", name: str | None = None) -> Tensor:
    """The image of a PNG file, [height, width, channels].

    Args:
        contents: the file.
        channels: 1, 3 or 4; 0 for what the file has.
        dtype: uint8 or uint16.
        name: of the node.
    """
    return apply("DecodePng", contents, channels=channels, dtype=dtype, name=name)


def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """The image of a BMP file, uint8 [height, width, channels]; `channels` is 3, 4, or 0 for what the file has."""
    return apply("DecodeBmp", contents, channels=channels, name=name)


def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """All frames of a GIF file, uint8 [frames, height, width, 3]."""
    return apply("DecodeGif", contents, name=name)


def decode_webp(contents: Any, channels: int = 0, dtype: Any = "uint8", name: str | None = None) -> Tensor:
    """All frames of a WebP file, uint8 [frames, height, width, channels]; `channels` is 3, 4, or 0 for what the file has."""
    return apply("DecodeWebP", contents, channels=channels, dtype=dtype, name=name)


def decode_image(contents: Any, channels: int | None = None, dtype: Any = "uint8", name: str | None = None, expand_animations: bool = True) -> Tensor:
    """The image of a file, of whichever kind it is: JPEG, PNG, GIF, BMP or WebP.

    Args:
        contents: the file.
        channels: 1, 3 or 4; 0 or None for what the file has.
        dtype: of the numbers; 0..1 for floating ones.
        name: of the node.
        expand_animations: whether files that may have several frames give [frames, height, width, channels], rather than their first frame.
    """
    with name_scope(name, "decode_image"):
        wanted = as_dtype(dtype)
        direct = wanted if wanted.name in ("float32", "uint8", "uint16") else as_dtype("uint16")
        found = apply("DecodeImage", contents, channels=channels or 0, expand_animations=expand_animations, dtype=direct)
        if direct is not wanted:
            found = convert_image_dtype(found, wanted)
        if not expand_animations:
            found.set_shape([None, None, channels or None])
        return found


def encode_jpeg(
    image: Any,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:
    """A JPEG file of an image.

    Args:
        image: uint8 [height, width, 1 or 3 channels].
        format: "grayscale" or "rgb"; "" for what the image is.
        quality: 0 to 100.
        progressive: whether it is of the progressive kind.
        optimize_size: whether it takes longer, and becomes smaller.
        chroma_downsampling: whether colours have half the resolution.
        density_unit: "in" or "cm".
        x_density: pixels per unit, from left to right.
        y_density: pixels per unit, downwards.
        xmp_metadata: put into the file.
        name: of the node.
    """
    attrs = {"format": format, "quality": quality, "progressive": progressive, "optimize_size": optimize_size}
    attrs |= {"chroma_downsampling": chroma_downsampling, "density_unit": density_unit}
    attrs |= {"x_density": x_density, "y_density": y_density, "xmp_metadata": xmp_metadata}
    return apply("EncodeJpeg", image, name=name, **attrs)


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """PNG files of images, one each.

    Args:
        image: uint8 or uint16 [..., height, width, 1 to 4 channels].
        compression: zlib's level, 0 to 9, or -1 for its default.
        name: of the node.
    """
    return apply("EncodePng", convert_to_tensor(image), compression=compression, name=name)


def extract_jpeg_shape(contents: Any, output_type: Any = "int32", name: str | None = None) -> Tensor:
    """Height, width and channels of the image of a JPEG file, from its header."""
    return apply("ExtractJpegShape", contents, output_type=output_type, name=name)


def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether a file begins as JPEG files do."""
    with name_scope(name, "is_jpeg"):
        return equal(substr(contents, 0, 3), b"\xff\xd8\xff", name=name)
