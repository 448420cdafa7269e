"""TensorFlow 1's `tf.debugging`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.debugging",
    "",
    {
        "gpersist.ops.checks": (
            "Assert assert_equal assert_greater assert_greater_equal assert_integer assert_less assert_less_equal "
            "assert_near assert_negative assert_non_negative assert_non_positive assert_none_equal "
            "assert_positive assert_proper_iterable assert_rank assert_rank_at_least assert_rank_in "
            "assert_same_float_dtype assert_scalar assert_type is_non_decreasing is_numeric_tensor "
            "is_strictly_increasing"
        ),
        "gpersist.ops.math": "is_finite is_inf is_nan",
        "gpersist.ops.numerics": "assert_all_finite check_numerics",
    },
)
