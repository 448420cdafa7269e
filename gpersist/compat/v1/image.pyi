"""TensorFlow 1's `tf.image`. Written by tests/compat/write_face.py."""

from gpersist.ops.array import (
    extract_image_patches,
)
from gpersist.ops.combined_suppression import (
    combined_non_max_suppression,
)
from gpersist.ops.image_adjustments import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_jpeg_quality,
    adjust_saturation,
    per_image_standardization,
    random_brightness,
    random_contrast,
    random_hue,
    random_jpeg_quality,
    random_saturation,
)
from gpersist.ops.image_boxes import (
    central_crop,
    crop_to_bounding_box,
    pad_to_bounding_box,
    resize_image_with_crop_or_pad,
)
from gpersist.ops.image_boxes import (
    resize_image_with_crop_or_pad as resize_with_crop_or_pad,
)
from gpersist.ops.image_color_spaces import (
    grayscale_to_rgb,
    rgb_to_grayscale,
    rgb_to_yiq,
    rgb_to_yuv,
    yiq_to_rgb,
    yuv_to_rgb,
)
from gpersist.ops.image_colors import (
    draw_bounding_boxes,
    hsv_to_rgb,
    rgb_to_hsv,
)
from gpersist.ops.image_cropping import (
    crop_and_resize,
)
from gpersist.ops.image_decoding import (
    decode_and_crop_jpeg,
    decode_bmp,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    encode_jpeg,
    encode_png,
    extract_jpeg_shape,
    is_jpeg,
)
from gpersist.ops.image_edges import (
    image_gradients,
    sobel_edges,
)
from gpersist.ops.image_orientation import (
    flip_left_right,
    flip_up_down,
    random_flip_left_right,
    random_flip_up_down,
    rot90,
    transpose_image,
)
from gpersist.ops.image_orientation import (
    transpose_image as transpose,
)
from gpersist.ops.image_parts import (
    extract_glimpse,
    extract_patches,
)
from gpersist.ops.image_quality import (
    psnr,
    ssim,
    ssim_multiscale,
    total_variation,
)
from gpersist.ops.image_resizing import (
    resize_area,
    resize_bicubic,
    resize_bilinear,
    resize_nearest_neighbor,
)
from gpersist.ops.image_sampling import (
    sample_distorted_bounding_box,
)
from gpersist.ops.image_scaling import (
    ResizeMethod,
    resize_image_with_pad,
    resize_images,
)
from gpersist.ops.image_scaling import (
    resize_images as resize,
)
from gpersist.ops.image_types import (
    convert_image_dtype,
)
from gpersist.ops.random_crop import (
    random_crop,
)
from gpersist.ops.suppression import (
    non_max_suppression,
    non_max_suppression_overlaps,
    non_max_suppression_padded,
    non_max_suppression_with_scores,
)

__all__ = [
    "ResizeMethod",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_jpeg_quality",
    "adjust_saturation",
    "central_crop",
    "combined_non_max_suppression",
    "convert_image_dtype",
    "crop_and_resize",
    "crop_to_bounding_box",
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "draw_bounding_boxes",
    "encode_jpeg",
    "encode_png",
    "extract_glimpse",
    "extract_image_patches",
    "extract_jpeg_shape",
    "extract_patches",
    "flip_left_right",
    "flip_up_down",
    "grayscale_to_rgb",
    "hsv_to_rgb",
    "image_gradients",
    "is_jpeg",
    "non_max_suppression",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "non_max_suppression_with_scores",
    "pad_to_bounding_box",
    "per_image_standardization",
    "psnr",
    "random_brightness",
    "random_contrast",
    "random_crop",
    "random_flip_left_right",
    "random_flip_up_down",
    "random_hue",
    "random_jpeg_quality",
    "random_saturation",
    "resize",
    "resize_area",
    "resize_bicubic",
    "resize_bilinear",
    "resize_image_with_crop_or_pad",
    "resize_image_with_pad",
    "resize_images",
    "resize_nearest_neighbor",
    "resize_with_crop_or_pad",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "rot90",
    "sample_distorted_bounding_box",
    "sobel_edges",
    "ssim",
    "ssim_multiscale",
    "total_variation",
    "transpose",
    "transpose_image",
    "yiq_to_rgb",
    "yuv_to_rgb",
]
