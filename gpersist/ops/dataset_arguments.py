"""What the functions of `datasets` make of their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.graph import Tensor, constant_value, convert_to_tensor, name_scope
from gpersist.ops import dataset_structure as structure
from gpersist.ops.choosing import where_v2
from gpersist.ops.comparison import equal, logical_and
from gpersist.ops.constants import constant
from gpersist.ops.random_seed import get_seed
from gpersist.shapes import TensorShape, as_shape

__all__: list[str] = []


def int64_of(value: Any, name: str) -> Tensor:
    return convert_to_tensor(value, "int64", name=name)


def bool_of(value: Any, name: str) -> Tensor:
    return convert_to_tensor(value, "bool", name=name)


def seeds_of(seed: int | None) -> tuple[Tensor, Tensor]:
    """The two seeds of a shuffle, as `tensorflow/python/data/util/random_seed.py` makes them."""
    first, second = get_seed(seed)
    one = int64_of(0 if first is None else first, "seed")
    if second is None:
        return one, int64_of(0, "seed2")
    with name_scope("seed2") as scope:
        two = int64_of(second, "Const")
        is_none = logical_and(equal(one, np.int64(0)), equal(two, np.int64(0)))
        return one, where_v2(is_none, constant(2**31 - 1, "int64"), two, name=scope)


def order_of(deterministic: bool | None) -> str:
    return "default" if deterministic is None else "true" if deterministic else "false"


def blank(spec: Any) -> Any:
    return "" if spec.dtype.is_string else np.zeros((), spec.dtype.numpy)


def rows_of_batch(size: Tensor, drops: Tensor) -> int | None:
    """How many elements each batch has, where that is known."""
    known, is_exact = constant_value(size), constant_value(drops)
    return int(known) if known is not None and is_exact is not None and bool(is_exact) else None


def rows_of_rebatch(spec: Any, sizes: Tensor, drops: Tensor) -> int | None:
    """How many rows each new batch of such elements has, where that is known.

    Raises:
        ValueError: elements are scalars, have different numbers of rows, or the sizes are no vector.
    """
    known = constant_value(sizes)
    if known is None:
        return None
    if known.ndim > 1:
        raise ValueError(f"Invalid `batch_sizes`. Expected `batch_sizes` to be a scalar or a vector. Received `batch_sizes` of rank {known.ndim}.")
    if known.size == 0 or (known != known.reshape(-1)[0]).any():
        return None
    size = int(known.reshape(-1)[0])
    if constant_value(drops):
        return size
    shapes = [each.shape for each in structure.flatten(spec) if each.shape.rank is not None]
    if any(not shape.rank for shape in shapes):
        raise ValueError(
            "Invalid `batch_sizes`. Expected dataset with rank of >= 1 but found a dataset with scalar elements. Fix the issue by adding the `batch` "
            "transformation to the dataset."
        )
    rows = {shape.as_list()[0] for shape in shapes} - {None}
    if len(rows) > 1:
        raise ValueError(f"Invalid `input_dataset.` The batch dimensions of its components differ: {sorted(rows)}.")
    return size if rows and rows.pop() % size == 0 else None


def beside(spec: Any, nest: Any) -> list[Any]:
    """The leaves of a nest that is like one of specs, whose leaves may be lists or shapes; one leaf alone serves all."""
    if isinstance(spec, dict):
        return [leaf for key in sorted(spec) for leaf in beside(spec[key], nest[key] if isinstance(nest, dict) else nest)]
    if isinstance(spec, tuple):
        parts = nest if isinstance(nest, (tuple, list)) else [nest] * len(spec)
        return [leaf for part, other in zip(spec, parts, strict=True) for leaf in beside(part, other)]
    return [nest]


def sizes_of(shape: Any) -> Tensor:
    """A shape as a tensor, with -1 for sizes that are not known."""
    if isinstance(shape, Tensor):
        return shape
    if isinstance(shape, (list, tuple)) and any(isinstance(size, Tensor) for size in shape):
        return int64_of(shape, "padded_shape")
    sizes = as_shape([None if size == -1 else size for size in shape] if isinstance(shape, (list, tuple)) else shape).as_list()
    return constant([-1 if size is None else size for size in sizes], "int64", name="Const")


def known_sizes(sizes: Tensor) -> TensorShape:
    found = constant_value(sizes)
    if found is None:
        count = sizes.shape.num_elements() if sizes.shape.rank == 1 else None
        return TensorShape(None if count is None else [None] * count)
    return TensorShape([None if size < 0 else int(size) for size in found.reshape(-1).tolist()])
