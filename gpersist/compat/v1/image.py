"""TensorFlow 1's `tf.image`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.image",
    "",
    {
        "gpersist.ops.array": "extract_image_patches",
        "gpersist.ops.combined_suppression": "combined_non_max_suppression",
        "gpersist.ops.image_adjustments": (
            "adjust_brightness adjust_contrast adjust_gamma adjust_hue adjust_jpeg_quality adjust_saturation "
            "per_image_standardization random_brightness random_contrast random_hue random_jpeg_quality "
            "random_saturation"
        ),
        "gpersist.ops.image_boxes": (
            "central_crop crop_to_bounding_box pad_to_bounding_box resize_image_with_crop_or_pad "
            "resize_with_crop_or_pad=resize_image_with_crop_or_pad"
        ),
        "gpersist.ops.image_color_spaces": "grayscale_to_rgb rgb_to_grayscale rgb_to_yiq rgb_to_yuv yiq_to_rgb yuv_to_rgb",
        "gpersist.ops.image_colors": "draw_bounding_boxes hsv_to_rgb rgb_to_hsv",
        "gpersist.ops.image_cropping": "crop_and_resize",
        "gpersist.ops.image_decoding": (
            "decode_and_crop_jpeg decode_bmp decode_gif decode_image decode_jpeg decode_png decode_webp "
            "encode_jpeg encode_png extract_jpeg_shape is_jpeg"
        ),
        "gpersist.ops.image_edges": "image_gradients sobel_edges",
        "gpersist.ops.image_orientation": (
            "flip_left_right flip_up_down random_flip_left_right random_flip_up_down rot90 transpose=transpose_image transpose_image"
        ),
        "gpersist.ops.image_parts": "extract_glimpse extract_patches",
        "gpersist.ops.image_quality": "psnr ssim ssim_multiscale total_variation",
        "gpersist.ops.image_resizing": "resize_area resize_bicubic resize_bilinear resize_nearest_neighbor",
        "gpersist.ops.image_sampling": "sample_distorted_bounding_box",
        "gpersist.ops.image_scaling": "ResizeMethod resize=resize_images resize_image_with_pad resize_images",
        "gpersist.ops.image_types": "convert_image_dtype",
        "gpersist.ops.random_crop": "random_crop",
        "gpersist.ops.suppression": ("non_max_suppression non_max_suppression_overlaps non_max_suppression_padded non_max_suppression_with_scores"),
    },
)
