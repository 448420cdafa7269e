"""Distributions, and what is asked of them.

    python cases.py     # with an interpreter that has TensorFlow 2.21: writes distributions.json.gz

tests/distributions/test_golden.py has gpersist's answers.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

STATISTICS = ["mean", "variance", "stddev", "mode", "entropy", "covariance"]
STATISTICS += ["batch_shape_tensor", "event_shape_tensor", "is_scalar_event", "is_scalar_batch"]
OF_VALUES = ["prob", "log_prob", "cdf", "log_cdf", "survival_function", "log_survival_function", "quantile"]
NUMBERS = [[-30.0], [-3.0], [-1.5], [-0.25], [0.0], [0.3], [0.999], [1.0], [2.5], [7.0], [20.0]]
UNIT = [[0.01], [0.3], [0.5], [0.99]]

DISTRIBUTIONS: dict[str, tuple[Any, Any]] = {
    "Normal": (lambda d: d.Normal([0.0, 1.0, -2.0], [1.0, 0.5, 3.0]), NUMBERS),
    "Normal one": (lambda d: d.Normal(loc=1.0, scale=2.0), 0.5),
    "Normal double": (lambda d: d.Normal(np.float64(1.0), np.float64([2.0, 3.0])), np.array(NUMBERS)),
    "Normal checked": (lambda d: d.Normal([0.0, 1.0], [1.0, -0.5], validate_args=True), NUMBERS),
    "Normal quantiles": (lambda d: d.Normal([0.0, 1.0], [1.0, 0.5]), UNIT),
    "Uniform": (lambda d: d.Uniform([0.0, -2.0], [1.0, 3.0]), NUMBERS),
    "Uniform default": (lambda d: d.Uniform(), [0.5, float("nan")]),
    "Uniform checked": (lambda d: d.Uniform([0.0, 1.0], [1.0, 1.0], validate_args=True), NUMBERS),
    "Laplace": (lambda d: d.Laplace([0.0, 1.0], [1.0, 0.5]), NUMBERS),
    "Laplace broadcast": (lambda d: d.Laplace([[0.0], [1.0]], [1.0, 0.5]), 0.25),
    "Laplace checked": (lambda d: d.Laplace(0.0, 0.0, validate_args=True), NUMBERS),
    "Gamma": (lambda d: d.Gamma([0.5, 1.0, 3.0], [1.0, 2.0, 0.5]), [[0.1], [1.0], [4.0]]),
    "Gamma strict": (lambda d: d.Gamma([0.5, 3.0], 2.0, validate_args=True, allow_nan_stats=False), [[0.1], [1.0], [-4.0]]),
    "Gamma negative": (lambda d: d.Gamma([-0.5, 3.0], 2.0, validate_args=True), 1.0),
    "Exponential": (lambda d: d.Exponential([1.0, 2.5]), [[0.1], [1.0], [4.0]]),
    "Exponential checked": (lambda d: d.Exponential(-1.0, validate_args=True), 1.0),
    "Beta": (lambda d: d.Beta([0.5, 1.0, 3.0], [1.5, 2.0, 2.5]), UNIT),
    "Beta strict": (lambda d: d.Beta([0.5, 3.0], 2.0, validate_args=True, allow_nan_stats=False), [[0.1], [0.5], [1.5]]),
    "StudentT": (lambda d: d.StudentT([0.5, 1.5, 3.0, 5.0], [0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 0.5, 1.0]), NUMBERS),
    "StudentT strict": (lambda d: d.StudentT([0.5, 3.0], 0.0, 1.0, allow_nan_stats=False, validate_args=True), NUMBERS),
    "Dirichlet": (lambda d: d.Dirichlet([[1.0, 2.0, 3.0], [2.0, 1.5, 4.0]]), [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
    "Dirichlet strict": (lambda d: d.Dirichlet([1.0, 2.0, 3.0], validate_args=True, allow_nan_stats=False), [0.2, 0.3, 0.7]),
    "Bernoulli": (lambda d: d.Bernoulli(logits=[0.0, 1.0, -2.0]), [[0], [1]]),
    "Bernoulli probs": (lambda d: d.Bernoulli(probs=[0.1, 0.5, 0.9], dtype=d.Normal(0.0, 1.0).dtype), [[0.0], [1.0]]),
    "Bernoulli checked": (lambda d: d.Bernoulli(probs=[0.1, 0.5], validate_args=True), [[0, 2]]),
    "Bernoulli wrong": (lambda d: d.Bernoulli(probs=[0.1, 1.5], validate_args=True), [[0, 1]]),
    "Categorical": (lambda d: d.Categorical(logits=[[0.0, 1.0, -2.0], [1.0, 1.0, 3.0]]), [[0, 2], [1, 1]]),
    "Categorical probs": (lambda d: d.Categorical(probs=[0.1, 0.5, 0.4]), [0, 1, 2]),
    "Categorical floats": (lambda d: d.Categorical(probs=[[0.1, 0.5, 0.4]], dtype=d.Normal(0.0, 1.0).dtype), [0.0]),
    "Categorical checked": (lambda d: d.Categorical(probs=[0.1, 0.5, 0.5], validate_args=True), [0, 1, 2]),
    "Multinomial": (lambda d: d.Multinomial([4.0, 5.0], probs=[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]), [[1.0, 2.0, 1.0], [0.0, 0.0, 5.0]]),
    "Multinomial logits": (lambda d: d.Multinomial(3.0, logits=[0.0, 1.0], validate_args=True), [1.0, 1.0]),
    "DirichletMultinomial": (lambda d: d.DirichletMultinomial(4.0, [[1.0, 2.0, 3.0], [2.0, 1.5, 4.0]]), [1.0, 2.0, 1.0]),
    "DirichletMultinomial strict": (lambda d: d.DirichletMultinomial([4.0], [[1.0, 2.0]], validate_args=True), [1.5, 2.5]),
    "no parameters": (lambda d: d.Bernoulli(), 0),
    "both parameters": (lambda d: d.Categorical(logits=[1.0, 2.0], probs=[0.5, 0.5]), 0),
    "integers": (lambda d: d.Multinomial(3.0, logits=[1, 2]), 0),
    "mixed types": (lambda d: d.Normal(np.float64(1.0), np.float32(2.0)), 0.0),
    "whole numbers": (lambda d: d.Normal(1, 2), 0.0),
    "a scalar": (lambda d: d.Categorical(logits=1.0), 0),
    "one class": (lambda d: d.Categorical(logits=[1.0], validate_args=True), 0),
}  # fmt: skip

DIVERGENCES: dict[str, Any] = {
    "Normal": lambda d: (d.Normal([0.0, 1.0], 2.0), d.Normal(1.0, 0.5)),
    "Gamma": lambda d: (d.Gamma([0.5, 1.0], 2.0), d.Gamma(1.5, 0.5)),
    "Exponential": lambda d: (d.Exponential([0.5, 1.0]), d.Exponential(1.5)),
    "mixed": lambda d: (d.Exponential([0.5, 1.0]), d.Gamma(1.5, 1.0)),
    "Beta": lambda d: (d.Beta([0.5, 1.0], 2.0), d.Beta(1.5, 0.5)),
    "Bernoulli": lambda d: (d.Bernoulli([0.5, 1.0]), d.Bernoulli(probs=0.3)),
    "Categorical": lambda d: (d.Categorical([[0.5, 1.0]]), d.Categorical(probs=[0.3, 0.7])),
    "Dirichlet": lambda d: (d.Dirichlet([0.5, 1.0]), d.Dirichlet([2.0, 1.5])),
    "none": lambda d: (d.Laplace(0.5, 1.0), d.Normal(2.0, 1.5)),
    "strict": lambda d: (d.Normal([0.0, 1.0], [0.0, 1.0], allow_nan_stats=False), d.Normal(0.0, 0.0)),
}


def attempt(do: Any) -> Any:
    try:
        return do()
    except Exception as error:
        kind = type(error)
        own = kind.__module__ == "builtins" and not isinstance(error, (TypeError, AttributeError))
        return {"error": [found.__name__ for found in kind.__mro__], "message": str(error).split(" for '")[0] if own else None}


def shown(tf: Any, tensor: Any) -> Any:
    shape = tensor.shape
    with tf.Session() as session:
        value = attempt(lambda: session.run(tensor))
    return value if isinstance(value, dict) else [tensor.name, tensor.dtype.name, str(shape), np.asarray(value).tolist()]


def nodes(tf: Any) -> list[Any]:
    return [[node.name, node.op, list(node.input)] for node in tf.get_default_graph().as_graph_def().node]


def ask(tf: Any, name: str) -> Any:
    make, values = DISTRIBUTIONS[name]
    with tf.Graph().as_default():
        distribution = attempt(lambda: make(tf.distributions))
        if isinstance(distribution, dict):
            return distribution
        found = [str(distribution), repr(distribution), str(distribution.batch_shape), str(distribution.event_shape), distribution.dtype.name,
                 repr(distribution.reparameterization_type), sorted(distribution.parameters), distribution.name]  # fmt: skip
        for what in STATISTICS:
            found.append([what, attempt(lambda what=what: shown(tf, getattr(distribution, what)()))])
        for what in OF_VALUES:
            found.append([what, attempt(lambda what=what: shown(tf, getattr(distribution, what)(values)))])
        for shape in ((), 3, [2, 3]):
            found.append(["sample", attempt(lambda shape=shape: shown(tf, distribution.sample(shape, seed=7)))])
            if name == "Multinomial":  # TensorFlow draws for several at once, in any order
                found[-1][1] = found[-1][1][:3]
        found.append(["bad sample", attempt(lambda: shown(tf, distribution.sample([[1]])))])
        found.append(["shapes", attempt(lambda: {key: str(value) for key, value in type(distribution).param_static_shapes([2, 3]).items()})])
        found.append(["copy", attempt(lambda: str(distribution.copy(name="other")))])
        return found, nodes(tf)


def divergence(tf: Any, name: str) -> Any:
    with tf.Graph().as_default():
        a, b = DIVERGENCES[name](tf.distributions)
        found = [attempt(lambda: shown(tf, tf.distributions.kl_divergence(a, b, name="mine"))), attempt(lambda: shown(tf, a.kl_divergence(b))),
                 attempt(lambda: shown(tf, a.cross_entropy(b)))]  # fmt: skip
        return found, nodes(tf)


def answers(tf: Any) -> dict[str, Any]:
    return {
        "distributions": {name: ask(tf, name) for name in DISTRIBUTIONS},
        "divergences": {name: divergence(tf, name) for name in DIVERGENCES},
    }


def main() -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    found = {"tensorflow": tf.__version__, **answers(tf)}
    packed = gzip.compress(json.dumps(found, separators=(",", ":")).encode(), mtime=0)
    (Path(__file__).parent / "distributions.json.gz").write_bytes(packed)


if __name__ == "__main__":
    main()
