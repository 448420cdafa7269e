"""TensorFlow 1's `tf.quantization`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.quantization",
    "",
    {
        "gpersist.ops.fake_quantization": (
            "fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient fake_quant_with_min_max_vars "
            "fake_quant_with_min_max_vars_gradient fake_quant_with_min_max_vars_per_channel "
            "fake_quant_with_min_max_vars_per_channel_gradient"
        ),
        "gpersist.ops.quantization": "dequantize quantize quantize_and_dequantize_v2",
        "gpersist.ops.quantized_roundtrip": "quantize_and_dequantize",
        "gpersist.ops.requantization": "quantized_concat",
    },
)
