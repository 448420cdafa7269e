"""TensorFlow 1's `tf.random`. Written by tests/compat/write_face.py."""

from __future__ import annotations

from gpersist.compat.missing import missing
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

__getattr__ = missing("tf.random")

__all__ = [
    "categorical",
    "get_seed",
    "multinomial",
    "normal",
    "set_random_seed",
    "shuffle",
    "stateless_categorical",
    "stateless_multinomial",
    "stateless_normal",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
]
