"""`tf.feature_column.input_layer`: columns as one dense matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gpersist.feature_columns.column import DenseColumn, FeatureColumn, check_batch_sizes, normalized
from gpersist.feature_columns.features import Features
from gpersist.graph import GraphKeys, Tensor, get_default_graph
from gpersist.ops.joining import concat
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.variable_scope import get_variable_scope, variable_scope

__all__: list[str] = []


def input_layer(
    features: Mapping[str, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
    cols_to_output_tensors: dict[Any, Any] | None = None,
) -> Tensor:
    """A matrix of the columns side by side, in the order of their names (`tf.feature_column.input_layer`).

    Args:
        features: tensors and sparse tensors by key.
        feature_columns: dense columns.
        weight_collections: collections for the variables, beside those of global and of model variables.
        trainable: whether variables are.
        cols_to_vars: is given the variables of each column.
        cols_to_output_tensors: is given the part of each column.

    Returns:
        float32 [batch, all columns' elements].

    Raises:
        ValueError: a column that is not dense, a feature that is not there, or batches of several sizes.
    """
    columns = normalized(feature_columns)
    collections = with_variable_collections(weight_collections)
    with variable_scope(None, "input_layer", values=list(features.values())):
        return dense_features(features, columns, collections, trainable, cols_to_vars, cols_to_output_tensors)


def dense_features(
    features: Mapping[str, Any],
    columns: Iterable[FeatureColumn],
    collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict[Any, Any] | None = None,
    cols_to_output_tensors: dict[Any, Any] | None = None,
) -> Tensor:
    """The same in the current variable scope."""
    columns = sorted(columns, key=lambda column: column.name)
    dense = [_checked(column) for column in columns]
    shared = Features(features)
    parts = []
    for column in dense:
        with variable_scope(None, default_name=column.variable_scope_name):
            tensor = column.get_dense_tensor(shared, collections, trainable)
            part = reshape(tensor, (shape_of(tensor)[0], column.variable_shape.num_elements()))
            parts.append(part)
            if cols_to_vars is not None:
                cols_to_vars[column] = get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, get_variable_scope().name)
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = part
    check_batch_sizes(parts, dense)
    return concat(parts, 1)


def with_variable_collections(weight_collections: Any) -> list[Any]:
    """Collections, with those of global and of model variables."""
    found = list(weight_collections or [])
    return found + [key for key in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES) if key not in found]


def _checked(column: FeatureColumn) -> DenseColumn:
    if not isinstance(column, DenseColumn):
        raise ValueError(
            "Items of feature_columns must be dense columns: wrap a column of categories in an embedding_column or an indicator_column. "
            f"Given: {column}"
        )
    return column
