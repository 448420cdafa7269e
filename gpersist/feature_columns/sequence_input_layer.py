"""Columns of sequences as one dense tensor: what recurrent networks take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist.feature_columns.column import SequenceDenseColumn, TensorSequenceLengthPair, check_batch_sizes, normalized
from gpersist.feature_columns.features import Features
from gpersist.feature_columns.input_layer import with_variable_collections
from gpersist.graph import Tensor, get_default_graph, name_scope
from gpersist.ops.checks import assert_equal
from gpersist.ops.joining import concat
from gpersist.ops.passing import identity
from gpersist.ops.shaping import reshape, shape_of
from gpersist.ops.variable_scope import variable_scope


def sequence_input_layer(
    features: Mapping[str, Any], feature_columns: Any, weight_collections: Any = None, trainable: bool = True
) -> TensorSequenceLengthPair:
    """Columns of sequences side by side, in the order of their names, and lengths (`tf.contrib.feature_column.sequence_input_layer`).

    Args:
        features: sparse tensors by key.
        feature_columns: numeric columns of sequences; indicators and embeddings of columns of categories of sequences.
        weight_collections: collections for the variables, beside those of global and of model variables.
        trainable: whether variables are.

    Returns:
        float32 [batch, length, all columns' elements], and int64 [batch].

    Raises:
        ValueError: a column that is none of sequences, a feature that is not there, or batches of several sizes.
        InvalidArgumentError: when it runs: sequences of several lengths in one example.
    """
    columns = sorted(normalized(feature_columns), key=lambda column: column.name)
    collections = with_variable_collections(weight_collections)
    shared, parts, lengths = Features(features), [], []
    with variable_scope(None, "sequence_input_layer", values=list(features.values())):
        for column in columns:
            if not isinstance(column, SequenceDenseColumn):
                raise ValueError(f"All feature_columns must be columns of sequences that give dense tensors. Given: {column}")
            with variable_scope(None, default_name=column.variable_scope_name):
                dense, length = column.get_sequence_dense_tensor(shared, collections, trainable)
                shape = shape_of(dense)
                parts.append(reshape(dense, [shape[0], shape[1], column.variable_shape.num_elements()]))
                lengths.append(length)
        check_batch_sizes(parts, columns)
        check_batch_sizes(lengths, columns)
        return TensorSequenceLengthPair(concat(parts, -1), _only(lengths))


def _only(lengths: list[Tensor]) -> Tensor:
    with name_scope(None, "assert_all_equal", lengths):
        if len(lengths) == 1:
            return lengths[0]
        with get_default_graph().control_dependencies([assert_equal(lengths[0], other) for other in lengths[1:]]):
            return identity(lengths[0])
