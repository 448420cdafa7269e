"""TensorFlow 1's `tf.math.special`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.math.special",
    "",
    {
        "gpersist.ops.bessel": (
            "bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 bessel_k0 bessel_k0e bessel_k1 bessel_k1e bessel_y0 bessel_y1"
        ),
        "gpersist.ops.special_integrals": "dawsn expint fresnel_cos fresnel_sin spence",
    },
)
