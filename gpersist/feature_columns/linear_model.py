"""`tf.feature_column.linear_model`: a weighted sum of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist.feature_columns.column import CategoricalColumn, DenseColumn, FeatureColumn, check_batch_sizes, normalized
from gpersist.feature_columns.features import Features
from gpersist.feature_columns.input_layer import with_variable_collections
from gpersist.graph import GraphKeys, Tensor, get_default_graph, name_scope
from gpersist.ops.bias import bias_add
from gpersist.ops.get_variable import get_variable
from gpersist.ops.initializers import zeros_initializer
from gpersist.ops.math import add_n, matmul
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.safe_embedding import safe_embedding_lookup_sparse
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.sparse_arranging import sparse_reshape
from gpersist.ops.variable_scope import variable_scope

__all__: list[str] = []


def linear_model(
    features: Mapping[str, Any],
    feature_columns: Any,
    units: int = 1,
    sparse_combiner: str = "sum",
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
) -> Tensor:
    """Sums of the columns' elements, weighted, and a bias (`tf.feature_column.linear_model`).

    Args:
        features: tensors and sparse tensors by key.
        feature_columns: columns of categories and dense ones.
        units: how many sums.
        sparse_combiner: of the weights of an example's categories: "sum", "mean" or "sqrtn".
        weight_collections: collections for the variables, beside those of global and of model variables.
        trainable: whether variables are.
        cols_to_vars: is given the variables of each column, and as "bias" the bias.

    Returns:
        float32 [batch, units].

    Raises:
        ValueError: another column, a feature that is not there, or batches of several sizes.
    """
    with variable_scope(None, "linear_model") as scope:
        name = scope.name.rpartition("/")[2]
    columns = sorted(normalized(feature_columns), key=lambda column: column.name)
    collections = with_variable_collections(weight_collections)
    by_scope: dict[str, FeatureColumn] = {}
    for column in columns:
        with variable_scope(None, default_name=column.variable_scope_name) as scope:
            by_scope[scope.name.rpartition("/")[2]] = column
    with name_scope(name), variable_scope(name):
        found, variables = weighted_sums(features, by_scope, units, sparse_combiner, collections, trainable)
    if cols_to_vars is not None:
        cols_to_vars.update(variables)
    return found


def weighted_sums(
    features: Mapping[str, Any], by_scope: dict[str, FeatureColumn], units: int, sparse_combiner: str, collections: list[Any], trainable: bool
) -> tuple[Tensor, dict[Any, Any]]:
    """The sums in the current variable scope, with columns by the names of theirs; and the variables of each column, and of the bias."""
    graph = get_default_graph()
    for column in by_scope.values():
        if not isinstance(column, (DenseColumn, CategoricalColumn)):
            raise ValueError(f"Items of feature_columns must be either dense columns or columns of categories. Given: {column}")
    shared, sums = Features(features), []
    variables: dict[Any, Any] = {}
    in_order = sorted(by_scope.items())
    for name, column in in_order:
        with variable_scope(None, default_name=name) as scope:
            size = column.num_buckets if isinstance(column, CategoricalColumn) else column.variable_shape.num_elements()  # type: ignore[attr-defined]
            weights = _variable("weights", [size, units], collections, trainable)
            sums.append(_weighted_sum(column, shared, weights, sparse_combiner, collections, trainable))
            variables[column] = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, f"{scope.name}/")
    check_batch_sizes(sums, [column for _, column in in_order])
    without_bias = add_n(sums, name="weighted_sum_no_bias")
    bias = _variable("bias_weights", [units], collections, trainable)
    variables["bias"] = list(bias) if isinstance(bias, PartitionedVariable) else [bias]
    return bias_add(without_bias, bias, name="weighted_sum"), variables


def _variable(name: str, shape: list[Any], collections: list[Any], trainable: bool) -> Any:
    """A variable of zeros, entered in the collections; one that is reused is entered once more, as TensorFlow does."""
    variable = get_variable(name, shape=shape, dtype="float32", initializer=zeros_initializer(), trainable=trainable)
    for key in collections:
        if key != GraphKeys.GLOBAL_VARIABLES:
            for part in variable if isinstance(variable, PartitionedVariable) else [variable]:
                get_default_graph().add_to_collection(key, part)
    return variable


def _weighted_sum(column: Any, shared: Features, weights: Any, combiner: str, collections: list[Any], trainable: bool) -> Tensor:
    if not isinstance(column, CategoricalColumn):
        tensor = column.get_dense_tensor(shared, collections or None, trainable)
        tensor = reshape(tensor, (shape_of(tensor)[0], column.variable_shape.num_elements()))
        return matmul(tensor, weights, name="weighted_sum")
    ids, amounts = column.get_sparse_tensors(shared)
    ids = sparse_reshape(ids, [shape_of(ids)[0], -1])
    if amounts is not None:
        amounts = sparse_reshape(amounts, [shape_of(amounts)[0], -1])
    return safe_embedding_lookup_sparse(weights, ids, amounts, combiner=combiner, name="weighted_sum")
