"""TensorFlow 1's `tf.math`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.math",
    "special",
    {
        "gpersist.ops.activations": "softplus softsign",
        "gpersist.ops.approximate_top_k": "approx_max_k approx_min_k",
        "gpersist.ops.argmax": "argmax argmin",
        "gpersist.ops.arithmetic": (
            "accumulate_n add add_n atan2 maximum minimum multiply multiply_no_nan nextafter pow scalar_mul squared_difference subtract xlog1py xlogy"
        ),
        "gpersist.ops.arranging": "invert_permutation",
        "gpersist.ops.bessel": "bessel_i0 bessel_i0e bessel_i1 bessel_i1e",
        "gpersist.ops.checks": "is_non_decreasing is_strictly_increasing",
        "gpersist.ops.clip": "l2_normalize",
        "gpersist.ops.comparison": "equal greater greater_equal less less_equal logical_and logical_not logical_or logical_xor not_equal",
        "gpersist.ops.complex_numbers": "angle conj imag real",
        "gpersist.ops.confusion": "confusion_matrix",
        "gpersist.ops.contraction": "polyval",
        "gpersist.ops.counting": "bincount in_top_k top_k",
        "gpersist.ops.division": "divide divide_no_nan=div_no_nan floordiv floormod mod=floormod reciprocal_no_nan truediv xdivy",
        "gpersist.ops.math": (
            "abs acos acosh asin asinh atan atanh ceil cos cosh count_nonzero cumprod cumsum cumulative_logsumexp "
            "digamma erf erfc erfinv exp expm1 floor is_finite is_inf is_nan lbeta lgamma log log1p log_sigmoid "
            "ndtri negative polygamma reciprocal reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp "
            "reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt "
            "segment_max segment_mean segment_min segment_prod segment_sum sigmoid sign sin sinh sqrt square tan "
            "tanh unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod "
            "unsorted_segment_sqrt_n unsorted_segment_sum zeta"
        ),
        "gpersist.ops.sobol": "sobol_sample",
        "gpersist.ops.softmax": "log_softmax softmax",
        "gpersist.ops.special_functions": "erfcinv",
        "gpersist.ops.special_functions_of_two": "betainc igamma igammac",
        "gpersist.ops.zero_fraction": "zero_fraction",
    },
)
