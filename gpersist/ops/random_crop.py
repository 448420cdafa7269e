"""A part of a tensor, from anywhere (`tf.random_crop`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Tensor, convert_to_tensor, name_scope
from gpersist.ops.checks import Assert
from gpersist.ops.control import with_dependencies
from gpersist.ops.indexing import slice as sliced
from gpersist.ops.random import random_uniform
from gpersist.ops.reductions import reduce_all
from gpersist.ops.shaping import shape as shape_of

__all__ = ["random_crop"]


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A part of a tensor that begins anywhere it fits, each place being as likely.

    Args:
        value: the tensor.
        size: of the part: an int for each dimension.
        seed: of the place; see `tf.set_random_seed`.
        name: of the node.

    Raises:
        InvalidArgumentError: when run, the part is larger than the tensor.
    """
    with name_scope(name, "random_crop", [value, size]) as scope:
        tensor, wanted = convert_to_tensor(value, name="value"), convert_to_tensor(size, "int32", name="size")
        shape = shape_of(tensor)
        check = Assert(reduce_all(shape >= wanted), ["Need value.shape >= size, got ", shape, wanted], summarize=1000)
        limit = with_dependencies([check], shape) - wanted + 1
        begin = random_uniform(shape_of(shape), dtype=wanted.dtype, maxval=wanted.dtype.max, seed=seed) % limit
        return sliced(tensor, begin, wanted, name=scope)
