"""TensorFlow 1's `tf.distributions`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.distributions",
    "",
    {
        "gpersist.distributions": (
            "Bernoulli Beta Categorical Dirichlet DirichletMultinomial Distribution Exponential "
            "FULLY_REPARAMETERIZED Gamma Laplace Multinomial NOT_REPARAMETERIZED Normal RegisterKL "
            "ReparameterizationType StudentT Uniform kl_divergence"
        ),
    },
)
