"""Probability distributions as TensorFlow 1 had them: densities, samples and statistics as tensors (`tf.distributions`)."""

from gpersist.distributions.bernoulli import Bernoulli
from gpersist.distributions.beta import Beta
from gpersist.distributions.categorical import Categorical
from gpersist.distributions.dirichlet import Dirichlet
from gpersist.distributions.distribution import FULLY_REPARAMETERIZED, NOT_REPARAMETERIZED, Distribution, ReparameterizationType
from gpersist.distributions.divergence import RegisterKL, kl_divergence
from gpersist.distributions.gamma import Exponential, Gamma
from gpersist.distributions.laplace import Laplace
from gpersist.distributions.multinomial import DirichletMultinomial, Multinomial
from gpersist.distributions.normal import Normal
from gpersist.distributions.student_t import StudentT
from gpersist.distributions.uniform import Uniform

__all__ = [
    "FULLY_REPARAMETERIZED",
    "NOT_REPARAMETERIZED",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Dirichlet",
    "DirichletMultinomial",
    "Distribution",
    "Exponential",
    "Gamma",
    "Laplace",
    "Multinomial",
    "Normal",
    "RegisterKL",
    "ReparameterizationType",
    "StudentT",
    "Uniform",
    "kl_divergence",
]
