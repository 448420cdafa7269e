"""TensorFlow 1's `tf.dtypes`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.dtypes",
    "",
    {
        "gpersist.dtypes": (
            "DType QUANTIZED_DTYPES as_dtype bfloat16 bool=bool_ complex128 complex64 double float16 float32 "
            "float64 half int16 int32 int64 int8 qint16 qint32 qint8 quint16 quint8 resource string uint16 uint32 "
            "uint64 uint8 variant"
        ),
        "gpersist.ops.casting": "cast",
        "gpersist.ops.clip": "saturate_cast",
        "gpersist.ops.complex_numbers": "complex",
        "gpersist.ops.strings": "as_string",
    },
)
