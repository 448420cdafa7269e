"""TensorFlow 1's `tf.random`. Written by tests/compat/write_face.py."""

from gpersist.compat.lazy import lazily as _lazily

__all__, __getattr__, __dir__ = _lazily(
    __name__,
    "tf.random",
    "",
    {
        "gpersist.ops.candidate_samplers": (
            "all_candidate_sampler fixed_unigram_candidate_sampler learned_unigram_candidate_sampler "
            "log_uniform_candidate_sampler uniform_candidate_sampler"
        ),
        "gpersist.ops.random": (
            "categorical get_seed multinomial normal=random_normal set_random_seed shuffle=random_shuffle truncated_normal uniform=random_uniform"
        ),
        "gpersist.ops.random_gamma": "gamma=random_gamma poisson=random_poisson",
        "gpersist.ops.random_splits": "fold_in split",
        "gpersist.ops.stateless_random": (
            "stateless_categorical stateless_multinomial stateless_normal=stateless_random_normal "
            "stateless_truncated_normal stateless_uniform=stateless_random_uniform"
        ),
        "gpersist.ops.stateless_random_v2": (
            "stateless_binomial=stateless_random_binomial stateless_gamma=stateless_random_gamma stateless_poisson=stateless_random_poisson"
        ),
        "gpersist.ops.stateless_shuffle": "stateless_parameterized_truncated_normal",
    },
)
