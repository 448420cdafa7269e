"""The parts of ready-made models that give logits: layers over columns, and weighted sums of columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist.estimator.mode_keys import ModeKeys
from gpersist.feature_columns.column import normalized
from gpersist.feature_columns.input_layer import dense_features
from gpersist.feature_columns.linear_model import weighted_sums
from gpersist.graph import Tensor, name_scope
from gpersist.ops import summary
from gpersist.ops.batch_normalization import BatchNormalization
from gpersist.ops.casting import cast
from gpersist.ops.comparison import equal
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond
from gpersist.ops.dense_layers import Dense, Dropout
from gpersist.ops.initializers import glorot_uniform_initializer
from gpersist.ops.math import add_n
from gpersist.ops.passing import identity
from gpersist.ops.shaping import size
from gpersist.ops.variable_scope import PureVariableScope, variable_scope
from gpersist.ops.zero_fraction import zero_fraction


def check_features(features: Any) -> None:
    """Holds that features are given by key.

    Raises:
        ValueError: they are not.
    """
    if not isinstance(features, Mapping):
        raise ValueError(f"features should be a dictionary of `Tensor`s. Given type: {type(features)}")


def dnn_logits(
    features: Mapping[str, Any],
    mode: str,
    units: int,
    hidden_units: Sequence[int],
    feature_columns: Any,
    activation_fn: Callable[[Any], Any] | None,
    dropout: float | None,
    input_layer_partitioner: Any,
    batch_norm: bool,
) -> Tensor:
    """Logits by dense layers over dense columns, in the current variable scope."""
    is_training = mode == ModeKeys.TRAIN
    columns = normalized(feature_columns)
    with variable_scope("input_from_feature_columns", partitioner=input_layer_partitioner), variable_scope("input_layer"):
        net = dense_features(features, columns)
    for index, count in enumerate(hidden_units):
        with variable_scope(f"hiddenlayer_{index}") as scope:
            layer = Dense(count, activation=activation_fn, kernel_initializer=glorot_uniform_initializer(), name=scope.name, _scope=scope)
            normalization = BatchNormalization(momentum=0.999, name=f"batchnorm_{index}", _scope=f"batchnorm_{index}") if batch_norm else None
        net = layer(net)
        if dropout is not None and is_training:
            net = Dropout(rate=dropout)(net, training=True)
        if normalization is not None:
            net = normalization(net, training=is_training)
        add_layer_summary(net, scope.name)
    with variable_scope("logits") as scope:
        last = Dense(units, activation=None, kernel_initializer=glorot_uniform_initializer(), name=scope.name, _scope=scope)
    logits = last(net)
    add_layer_summary(logits, scope.name)
    return logits  # type: ignore[no-any-return]


def linear_logits(features: Mapping[str, Any], units: int, feature_columns: Any, sparse_combiner: str) -> Tensor:
    """Logits by weighted sums of columns, in the current variable scope."""
    by_scope = {re.sub(r"[^A-Za-z0-9_.\-]", "_", column.variable_scope_name): column for column in normalized(feature_columns)}
    with PureVariableScope("linear_model"), name_scope("linear_model/linear_model/linear_model"):
        logits, variables = weighted_sums(features, by_scope, units, sparse_combiner, [], True)
    bias = variables.pop("bias")
    if units > 1:
        summary.histogram("bias", bias)
    else:
        summary.scalar("bias", bias[0][0])
    summary.scalar("fraction_of_zero_weights", _zero_fraction_of_all([part for parts in variables.values() for part in parts]))
    return logits


def add_layer_summary(value: Tensor, tag: str) -> None:
    """Summaries of a layer's output."""
    summary.scalar(f"{tag}/fraction_of_zero_values", zero_fraction(value))
    summary.histogram(f"{tag}/activation", value)


def _zero_fraction_of_all(variables: list[Any]) -> Tensor:
    """The share of the elements of all variables that is zero; NaN of none."""
    with name_scope("zero_fraction"):
        with name_scope("total_size"):
            sizes = [size(variable, out_type="int64") for variable in variables]
            total = add_n(sizes)
        with name_scope("total_zero"):
            zeros = add_n([_zeros(variable, count) for variable, count in zip(variables, sizes, strict=True)])
        with name_scope("compute"):
            share = zeros / cast(total, "float32", name="float32_size")
        return identity(share, name="zero_fraction_or_nan")


def _zeros(variable: Any, count: Tensor) -> Tensor:
    """How many of a variable's elements are zero, as a float."""
    is_empty = equal(count, constant(0, dtype="int64"))
    found = cond(is_empty, lambda: constant(0, dtype="float32"), lambda: zero_fraction(variable) * cast(count, "float32"), name="zero_count")
    return found  # type: ignore[no-any-return]
