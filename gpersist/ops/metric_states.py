"""What all metrics are made of: local variables that add up batches, and arguments whose ranks are made to agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpersist.graph import GraphKeys, Tensor, convert_to_tensor, get_default_graph
from gpersist.ops.comparison import equal
from gpersist.ops.confusion import remove_squeezable_dimensions
from gpersist.ops.control_flow import cond
from gpersist.ops.filling import zeros
from gpersist.ops.passing import identity
from gpersist.ops.shaping import expand_dims, rank, squeeze
from gpersist.ops.synchronization import VariableAggregation, VariableSynchronization
from gpersist.ops.variable import Variable

__all__: list[str] = []

Metric = tuple[Tensor, Tensor]
"""A metric's value, and what adds a batch to it and gives the value then."""


def metric_variable(shape: Any, dtype: Any, name: str) -> Any:
    """A variable of zeros in the collections of local variables and of metrics."""
    return Variable(
        lambda: zeros(shape, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        synchronization=VariableSynchronization.ON_READ,
        aggregation=VariableAggregation.SUM,
        name=name,
    )


def collected(collections: Any, value: Any) -> Any:
    """The value, put into the collections; None stands for none."""
    if collections:
        get_default_graph().add_to_collections(collections, value)
    return value


def read(variable: Any, collections: Sequence[Any] | None) -> Tensor:
    """A variable's value as a metric."""
    found: Tensor = collected(collections, identity(variable))
    return found


def alike(predictions: Any, labels: Any, weights: Any) -> tuple[Tensor, Any, Any]:
    """Predictions, labels and weights of one rank: an axis of 1 at the end goes where it is one too many; weights get one where they lack it.

    Raises:
        ValueError: shapes of predictions and labels that don't go together.
    """
    predictions = convert_to_tensor(predictions)
    if labels is not None:
        labels, predictions = remove_squeezable_dimensions(labels, predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    weights = convert_to_tensor(weights)
    mine, theirs = weights.shape.rank, predictions.shape.rank
    if mine == 0:
        return predictions, labels, weights
    if mine is not None and theirs is not None:
        if mine - theirs == 1:
            weights = squeeze(weights, [-1])
        elif theirs - mine == 1:
            weights = expand_dims(weights, [-1])
        return predictions, labels, weights
    my_rank = rank(weights)
    surplus = my_rank - rank(predictions)

    def expanded() -> Any:
        return cond(equal(surplus, -1), lambda: expand_dims(weights, [-1]), lambda: weights)

    def squeezed() -> Any:
        return weights if mine is not None and not weights.shape[-1].is_compatible_with(1) else squeeze(weights, [-1])

    weights = cond(equal(my_rank, 0), lambda: weights, lambda: cond(equal(surplus, 1), squeezed, expanded))
    return predictions, labels, weights
