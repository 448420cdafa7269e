"""TensorFlow 1's `tf.random`. Written by tests/compat/write_face.py."""

from gpersist.ops.candidate_samplers import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)
from gpersist.ops.random import (
    categorical,
    get_seed,
    multinomial,
    set_random_seed,
    truncated_normal,
)
from gpersist.ops.random import (
    random_normal as normal,
)
from gpersist.ops.random import (
    random_shuffle as shuffle,
)
from gpersist.ops.random import (
    random_uniform as uniform,
)
from gpersist.ops.random_gamma import (
    random_gamma as gamma,
)
from gpersist.ops.random_gamma import (
    random_poisson as poisson,
)
from gpersist.ops.random_splits import (
    fold_in,
    split,
)
from gpersist.ops.stateless_random import (
    stateless_categorical,
    stateless_multinomial,
    stateless_truncated_normal,
)
from gpersist.ops.stateless_random import (
    stateless_random_normal as stateless_normal,
)
from gpersist.ops.stateless_random import (
    stateless_random_uniform as stateless_uniform,
)
from gpersist.ops.stateless_random_v2 import (
    stateless_random_binomial as stateless_binomial,
)
from gpersist.ops.stateless_random_v2 import (
    stateless_random_gamma as stateless_gamma,
)
from gpersist.ops.stateless_random_v2 import (
    stateless_random_poisson as stateless_poisson,
)
from gpersist.ops.stateless_shuffle import (
    stateless_parameterized_truncated_normal,
)

__all__ = [
    "all_candidate_sampler",
    "categorical",
    "fixed_unigram_candidate_sampler",
    "fold_in",
    "gamma",
    "get_seed",
    "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler",
    "multinomial",
    "normal",
    "poisson",
    "set_random_seed",
    "shuffle",
    "split",
    "stateless_binomial",
    "stateless_categorical",
    "stateless_gamma",
    "stateless_multinomial",
    "stateless_normal",
    "stateless_parameterized_truncated_normal",
    "stateless_poisson",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
    "uniform_candidate_sampler",
]
