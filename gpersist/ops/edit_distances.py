"""How many changes make one sequence another (`tf.edit_distance`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist.errors import InternalError, InvalidArgumentError
from gpersist.graph import Operation, OpType, Tensor, apply, constant_shape, sample
from gpersist.ops.kernels import shown
from gpersist.ops.sparse_structure import flat_places
from gpersist.ops.sparse_tensor import SparseTensor, SparseTensorValue
from gpersist.shapes import TensorShape, unknown_shape

__all__ = ["edit_distance"]


class EditDistance(OpType):
    """The Levenshtein distance of sequences, along the last axis of two sparse tensors."""

    inputs = "hypothesis_indices: int64, hypothesis_values: T, hypothesis_shape: int64, truth_indices: int64, truth_values: T, truth_shape: int64"
    outputs = "output: float"
    attrs = "normalize: bool = true, T: type"
    is_host_only = True
    samples = tuple(
        sample(
            "int64: [[0, 0], [0, 1], [2, 0]]",
            "int32: [1, 2, 3]",
            "int64: [3, 2]",
            "int64: [[0, 0], [1, 0]]",
            "int32: [1, 4]",
            "int64: [2, 4]",
            normalize=normalize,
        )
        for normalize in (True, False)
    )

    @staticmethod
    def shapes(op: Operation) -> list[TensorShape]:
        one, other = constant_shape(op._inputs[2]), constant_shape(op._inputs[5])
        for start in (0, 3):
            op._inputs[start].shape.with_rank(2)
            op._inputs[start + 1].shape.with_rank(1)
            op._inputs[start + 2].shape.with_rank(1)
        if not (one.is_fully_defined() and other.is_fully_defined()) or one.rank != other.rank:
            return [unknown_shape()]
        return [TensorShape([max(size or 0, same or 0) for size, same in zip(one.as_list()[:-1], other.as_list()[:-1], strict=True)])]

    @staticmethod
    def run(
        xp: Any,
        hypothesis_indices: Any,
        hypothesis_values: Any,
        hypothesis_shape: Any,
        truth_indices: Any,
        truth_values: Any,
        truth_shape: Any,
        *,
        normalize: bool,
    ) -> Any:
        _check("hypothesis", hypothesis_indices, hypothesis_values, hypothesis_shape)
        _check("truth", truth_indices, truth_values, truth_shape)
        if len(hypothesis_shape) != len(truth_shape):
            raise InvalidArgumentError(f"Expected hypothesis_shape and truth_shape of one rank, not {len(hypothesis_shape)} and {len(truth_shape)}")
        shape = np.maximum(hypothesis_shape, truth_shape)[:-1]
        mine = _sequences(hypothesis_indices, hypothesis_values, shape)
        others = _sequences(truth_indices, truth_values, shape)
        found = np.zeros(int(shape.prod()), np.float32)
        for place in mine.keys() | others.keys():
            one, other = mine.get(place, []), others.get(place, [])
            distance = float(_distance(one, other))
            if normalize:
                distance = distance / len(other) if other else np.inf
            found[place] = distance
        return found.reshape(shape)

    @staticmethod
    def gradient(op: Operation, grad: Tensor) -> list[Tensor | None]:
        return [None] * 6


def _check(what: str, indices: Any, values: Any, shape: Any) -> None:
    if indices.ndim != 2:
        raise InvalidArgumentError(f"{what}_indices should be a matrix, but got shape: {shown(indices.shape)}")
    if values.ndim != 1 or shape.ndim != 1:
        raise InvalidArgumentError(f"{what}_values and {what}_shape should be vectors, but got shapes: {shown(values.shape)}, {shown(shape.shape)}")
    if len(values) != len(indices):
        raise InvalidArgumentError(
            f"Expected {what}_values.NumElements == #rows({what}_indices), their shapes are: {shown(values.shape)} and {shown(indices.shape)}"
        )
    if len(shape) < 2:
        raise InvalidArgumentError(f"Input SparseTensors must have rank at least 2, but {what}_shape rank is: {len(shape)}")
    if indices.shape[1] != len(shape):
        raise InvalidArgumentError(f"Expected {what}_shape.NumElements == #cols({what}_indices)")


def _sequences(indices: Any, values: Any, shape: Any) -> dict[int, list[Any]]:
    """The values of each place of the result that has some."""
    outside = ((indices[:, :-1] < 0) | (indices[:, :-1] >= shape)).any(1)
    if outside.any():
        raise InternalError(f"the place {indices[outside][0, :-1].tolist()} is outside of the output, of shape {shown(shape.tolist())}")
    places = flat_places(indices[:, :-1], shape)
    found: dict[int, list[Any]] = {}
    for place, value in zip(places.tolist(), values.tolist(), strict=True):
        found.setdefault(place, []).append(value)
    return found


def _distance(one: list[Any], other: list[Any]) -> int:
    """How many elements have to be put in, left out or changed."""
    if not one or not other:
        return len(one) + len(other)
    numbers = {value: number for number, value in enumerate(dict.fromkeys([*one, *other]))}
    row = np.array([numbers[value] for value in other])
    steps = np.arange(len(other) + 1)
    costs = steps.copy()
    for count, value in enumerate(one, 1):
        best = np.concatenate([[count], np.minimum(costs[1:] + 1, costs[:-1] + (row != numbers[value]))])
        costs = np.minimum.accumulate(best - steps) + steps  # from the left, one step dearer each
    return int(costs[-1])


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Tensor:
    """The Levenshtein distance of sequences, along the last axis of two sparse tensors (`tf.edit_distance`).

    Args:
        hypothesis: the sequences found: a SparseTensor [..., length].
        truth: those wanted.
        normalize: whether distances are divided by the length of those wanted.
        name: of the node.

    Raises:
        TypeError: one is no SparseTensor.
    """
    for value, what in ((hypothesis, "Hypothesis"), (truth, "Truth")):
        if not isinstance(value, (SparseTensor, SparseTensorValue)):
            raise TypeError(f"{what} must be a SparseTensor.")
    parts = [getattr(value, part) for value in (hypothesis, truth) for part in ("indices", "values", "dense_shape")]
    return apply("EditDistance", *parts, normalize=normalize, name=name)
