"""Seeds made of seeds (`tf.random.split`, `tf.random.fold_in`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor
from gpersist.ops.joining import stack
from gpersist.ops.stateless_random import stateless_random_uniform

__all__ = ["fold_in", "split"]


def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """Several seeds from one, int[num, 2] (`tf.random.split`). Every algorithm is Philox here."""
    del alg
    first = convert_to_tensor(seed)
    return stateless_random_uniform([num, 2], first, None, None, first.dtype)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A seed made of a seed and a number (`tf.random.fold_in`)."""
    del alg
    number = convert_to_tensor(data)
    return stack([stateless_random_uniform([], seed, None, None, number.dtype), number])
