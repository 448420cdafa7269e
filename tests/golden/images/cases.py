"""Expressions on images, a case a line, and operations on files: asked of TensorFlow by write_images.py, and of gpersist by tests/ops/test_images.py.

`ph(2, 3)` is a placeholder of that shape, which is fed ascending numbers.
"""

from __future__ import annotations

import zlib
from typing import Any

EXPRESSIONS = r"""
tf.image.flip_left_right(ph(2, 3, 1))
tf.image.flip_up_down(ph(2, 2, 3, 1))
tf.image.flip_up_down(ph(None, 3, 1))
tf.image.flip_left_right(ph(2, 3))
tf.image.flip_left_right(tf.placeholder('float32'))
tf.image.random_flip_left_right(ph(2, 3, 1), seed=3)
tf.image.random_flip_up_down(ph(2, 2, 3, 1), seed=5)
tf.image.random_flip_up_down(tf.placeholder('float32'), seed=5)
tf.image.rot90(ph(2, 3, 1))
tf.image.rot90(ph(2, 2, 3, 1), k=3, name='turned')
tf.image.rot90(ph(2, 2, 3, 1), k=-2)
tf.image.rot90(ph(2, 2, 3, 1), k=ph())
tf.image.rot90(ph(2, 3, 1), k=tf.constant(2))
tf.image.transpose(ph(2, 3, 1))
tf.image.transpose_image(ph(2, 2, 3, 1), name='t')
tf.image.transpose_image(tf.placeholder('float32'))
tf.image.central_crop(ph(4, 6, 1), 0.5)
tf.image.central_crop(ph(2, 4, 6, 1), 0.3)
tf.image.central_crop(ph(None, None, 3), 0.5)
tf.image.central_crop(ph(4, 6, 1), 1.0)
tf.image.central_crop(ph(4, 6, 1), 1.5)
tf.image.central_crop(ph(4, 6, 1), tf.constant(0.5))
tf.image.central_crop(ph(4, 6, 1), tf.placeholder_with_default(0.5, []))
tf.image.central_crop(ph(4, 6), 0.5)
tf.image.pad_to_bounding_box(ph(2, 3, 1), 1, 2, 4, 6)
tf.image.pad_to_bounding_box(ph(2, 2, 3, 1), 1, 2, 4, 6)
tf.image.pad_to_bounding_box(ph(None, 3, 1), 1, 2, 4, 6)
tf.image.pad_to_bounding_box(ph(2, 3, 1), 1, 4, 4, 6)
tf.image.pad_to_bounding_box(ph(2, 3, 1), -1, 2, 4, 6)
tf.image.pad_to_bounding_box(tf.placeholder('float32'), 1, 2, 4, 6)
tf.image.crop_to_bounding_box(ph(4, 6, 1), 1, 2, 2, 3)
tf.image.crop_to_bounding_box(ph(2, 4, 6, 1), 1, 2, 2, 3)
tf.image.crop_to_bounding_box(ph(None, None, 1), 0, 1, 1, 1)
tf.image.crop_to_bounding_box(ph(4, 6, 1), 1, 2, 2, 30)
tf.image.crop_to_bounding_box(ph(4, 6, 1), 1, tf.constant(2), 2, 3)
tf.image.crop_to_bounding_box(ph(4, 6, 1), 1, 2, 0, 3)
tf.image.resize_image_with_crop_or_pad(ph(4, 6, 1), 3, 9)
tf.image.resize_with_crop_or_pad(ph(2, 4, 6, 1), 5, 3)
tf.image.resize_with_crop_or_pad(ph(None, None, 1), 5, 3)
tf.image.resize_with_crop_or_pad(ph(4, 6, 1), tf.constant(5), 3)
tf.image.resize_with_crop_or_pad(ph(4, 6, 1), 0, 3)
tf.image.resize_images(ph(2, 3, 1), [4, 5])
tf.image.resize_images(ph(2, 2, 3, 1), [4, 5], method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)
tf.image.resize_images(ph(2, 2, 3, 1), [4, 5], method=tf.image.ResizeMethod.BICUBIC, align_corners=True)
tf.image.resize(ph(2, 2, 3, 1), [4, 5], method=tf.image.ResizeMethod.AREA, name='r')
tf.image.resize(ph(2, 2, 3, 1), [4, 5], method='bicubic')
tf.image.resize(ph(2, 2, 3, 1), [2, 3])
tf.image.resize(ph(2, 3, 1), [2, 3])
tf.image.resize(ph(2, 2, 3, 1), [4, 5], method=7)
tf.image.resize(ph(2, 2, 3, 1), [4, 5, 6])
tf.image.resize(ph(2, 3), [4, 5])
tf.image.resize(ph(2, 4, 6, 1), [4, 9], preserve_aspect_ratio=True)
tf.image.resize(ph(None, None, None, 1), [4, 9], preserve_aspect_ratio=True)
tf.image.resize(ph(None, None, None, 1), tf.constant([4, 9]))
tf.image.resize_image_with_pad(ph(4, 6, 1), 6, 6)
tf.image.resize_image_with_pad(ph(2, 4, 6, 1), 6, 14, method=1)
tf.image.resize_image_with_pad(ph(None, None, 1), 6, 6)
tf.image.adjust_brightness(ph(2, 3, 1), 0.5)
tf.image.adjust_brightness(tf.constant([[[10], [250]]], tf.uint8), 0.1)
tf.image.adjust_contrast(ph(2, 3, 1), 0.5)
tf.image.adjust_contrast(tf.constant([[[10], [250]]], tf.uint8), 2.)
tf.image.adjust_gamma(ph(2, 3, 1), 2., 3)
tf.image.adjust_gamma(ph(2, 3, 1), -1)
tf.image.adjust_gamma(tf.constant([[[10], [250]]], tf.uint8), tf.constant(0.7))
tf.image.adjust_hue(ph(2, 3, 3) / 20, 0.3)
tf.image.adjust_hue(tf.constant([[[10, 20, 200], [250, 3, 70]]], tf.uint8), 0.2, name='h')
tf.image.adjust_saturation(ph(2, 3, 3) / 20, 0.3)
tf.image.adjust_saturation(tf.constant([[[10, 20, 200], [250, 3, 70]]], tf.uint8), 1.7, name='s')
tf.image.random_brightness(ph(2, 3, 1), 0.5, seed=4)
tf.image.random_brightness(ph(2, 3, 1), -0.5, seed=4)
tf.image.random_contrast(ph(2, 3, 1), 0.2, 0.5, seed=4)
tf.image.random_contrast(ph(2, 3, 1), 0.5, 0.5, seed=4)
tf.image.random_hue(ph(2, 3, 3), 0.2, seed=4)
tf.image.random_hue(ph(2, 3, 3), 0.7, seed=4)
tf.image.random_saturation(ph(2, 3, 3), 0.2, 0.5, seed=4)
tf.image.random_jpeg_quality(tf.constant(np.arange(300).reshape(10, 10, 3), tf.uint8), 30, 60, seed=1)
tf.image.random_jpeg_quality(tf.constant(np.arange(300).reshape(10, 10, 3), tf.uint8), 30, 101, seed=1)
tf.image.adjust_jpeg_quality(tf.constant(np.arange(300).reshape(10, 10, 3), tf.uint8), 50)
tf.image.adjust_jpeg_quality(ph(10, 10, 1) / 100, tf.constant(80), dct_method='INTEGER_ACCURATE', name='q')
tf.image.convert_image_dtype(ph(2, 3), tf.uint8)
tf.image.convert_image_dtype([0.1, 0.5, 2., -1.], tf.uint8, saturate=True)
tf.image.convert_image_dtype([0.1, 0.5], tf.int32, saturate=True)
tf.image.convert_image_dtype(tf.constant([3, 255], tf.uint8), tf.float32, name='c')
tf.image.convert_image_dtype(tf.constant([3, 255], tf.uint8), tf.int16)
tf.image.convert_image_dtype(tf.constant([3, 25500], tf.int16), tf.uint8)
tf.image.convert_image_dtype(tf.constant([3, 25500], tf.int32), tf.int8, saturate=True)
tf.image.convert_image_dtype(tf.constant([-3, 100], tf.int8), tf.uint16, saturate=True)
tf.image.convert_image_dtype([1., 2.], tf.float64)
tf.image.convert_image_dtype([1., 2.], tf.float32, name='same')
tf.image.convert_image_dtype([True], tf.float32)
tf.image.convert_image_dtype([1.], tf.string)
tf.image.rgb_to_grayscale(ph(2, 3, 3))
tf.image.rgb_to_grayscale(tf.constant([[[10, 20, 200], [250, 3, 70]]], tf.uint8), name='g')
tf.image.rgb_to_grayscale(ph(2, None, 3))
tf.image.grayscale_to_rgb(ph(2, 3, 1))
tf.image.grayscale_to_rgb(ph(None, 3, 1), name='g')
tf.image.grayscale_to_rgb(ph(2, 3, 3))
tf.image.rgb_to_yiq(ph(2, 3, 3))
tf.image.yiq_to_rgb(ph(2, 3, 3))
tf.image.rgb_to_yuv(ph(1, 2, 3, 3))
tf.image.yuv_to_rgb(ph(3))
tf.image.per_image_standardization(ph(2, 3, 1))
tf.image.per_image_standardization(tf.constant([[[10], [250]]], tf.uint8))
tf.image.per_image_standardization(ph(2, 3, None, 1))
tf.image.total_variation(ph(2, 3, 1))
tf.image.total_variation(ph(2, 2, 3, 1), name='tv')
tf.image.total_variation(ph(2, 3))
tf.image.psnr(ph(2, 3, 3, 1), ph(2, 3, 3, 1) + 2., 255.)
tf.image.psnr(tf.constant([[[10], [250]]], tf.uint8), tf.constant([[[12], [200]]], tf.uint8), 255, name='p')
tf.image.psnr(ph(2, 3, 3, 1), ph(2, 4, 3, 1), 255.)
tf.image.ssim(ph(2, 12, 13, 1), ph(2, 12, 13, 1) * 1.1, 255.)
tf.image.ssim(ph(2, 5, 13, 1), ph(2, 5, 13, 1) * 1.1, 255.)
tf.image.ssim(ph(2, 12, 13, 1), ph(2, 12, 14, 1), 255.)
tf.image.image_gradients(ph(3, 4, 1))
tf.image.sobel_edges(ph(2, 3, 4, 2))
tf.image.sobel_edges(ph(2, None, None, 2))
tf.image.is_jpeg(b'\xff\xd8\xff\xe0')
tf.io.is_jpeg(['abc', 'd'], name='j')
tf.image.decode_jpeg(tf.placeholder('string', []), channels=3, ratio=2)
tf.image.decode_png(tf.placeholder('string', []), dtype=tf.uint16, name='x')
tf.image.decode_image(tf.placeholder('string', []), channels=3, dtype=tf.float32)
tf.image.decode_image(tf.placeholder('string', []), dtype=tf.int32, expand_animations=False)
tf.image.decode_gif(tf.placeholder('string'))
tf.image.decode_bmp(tf.placeholder('string'), 3)
tf.image.decode_and_crop_jpeg(tf.placeholder('string'), [1, 2, 3, 4], 3)
tf.image.extract_jpeg_shape(tf.placeholder('string'))
tf.image.encode_jpeg(tf.constant(np.arange(300).reshape(10, 10, 3), tf.uint8), quality=50)
tf.image.encode_png(tf.constant(np.arange(300).reshape(2, 5, 10, 3), tf.uint8), 3)
tf.image.decode_png(tf.placeholder('string', [2]))
tf.image.decode_png(tf.placeholder('string', []), channels=-1)
""".strip().splitlines()

OPERATIONS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "jpeg": [
        ("DecodeJpeg", {}),
        ("DecodeJpeg", {"channels": 1}),
        ("DecodeJpeg", {"channels": 4}),
        ("DecodeJpeg", {"ratio": 2}),
        ("DecodeJpeg", {"ratio": 8, "fancy_upscaling": False}),
        ("DecodeJpeg", {"dct_method": "INTEGER_ACCURATE"}),
        ("DecodeJpeg", {"acceptable_fraction": 0.5}),
        ("DecodeImage", {"dtype": "float32"}),
        ("ExtractJpegShape", {}),
    ],
    "png": [
        ("DecodePng", {}),
        ("DecodePng", {"channels": 1}),
        ("DecodePng", {"channels": 4, "dtype": "uint16"}),
        ("DecodePng", {"channels": 2}),
        ("DecodeImage", {"dtype": "float32", "channels": 3}),
        ("DecodeBmp", {}),
    ],
    "bmp": [("DecodeBmp", {}), ("DecodeBmp", {"channels": 4}), ("DecodeBmp", {"channels": 1}), ("DecodeImage", {}), ("DecodePng", {})],
    "gif": [("DecodeGif", {}), ("DecodeImage", {"dtype": "uint16"}), ("DecodeImage", {"expand_animations": False}), ("DecodePng", {})],
    "other": [("DecodeImage", {}), ("DecodeJpeg", {}), ("DecodeGif", {}), ("ExtractJpegShape", {})],
}
"""What is done with files, by the part of their names ahead of the slash."""


def told(value: Any) -> list[Any]:
    """An image as the golden file has it: type, shape and a checksum of its bytes."""
    return [str(value.dtype), list(value.shape), zlib.crc32(value.tobytes())]
