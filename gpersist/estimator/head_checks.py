"""What the heads of models hold labels, weights and logits to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpersist.feature_columns import numeric_column
from gpersist.feature_columns.column import DenseColumn
from gpersist.feature_columns.features import Features
from gpersist.graph import Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert, assert_equal, assert_less_equal, assert_non_negative, assert_rank_at_least
from gpersist.ops.comparison import equal
from gpersist.ops.joining import concat
from gpersist.ops.passing import identity
from gpersist.ops.reductions import reduce_all, reduce_any
from gpersist.ops.shaping import expand_dims, shape_of
from gpersist.ops.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor


def checked_labels(labels: Any, logits: Tensor, dimension: int) -> Tensor:
    """Labels [..., dimension], given with that axis or without.

    Raises:
        ValueError: none, sparse ones, or another dimension.
        InvalidArgumentError: when it runs: another shape than that of the logits.
    """
    if labels is None:
        raise ValueError("You must provide a labels Tensor. Given: None. Look whether input_fn returns labels beside features.")
    with name_scope(None, "labels", [logits]) as scope:
        found = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(found, SparseTensor):
            raise ValueError(
                f"SparseTensor labels are not supported. labels must be a Tensor of shape [D0, D1, ..., DN, {dimension}], e.g. [batch_size, "
                f"{dimension}]: tf.sparse_tensor_to_dense makes one, if each example has as many."
            )
        if found.shape.rank is not None and logits.shape.rank is not None and found.shape.rank == logits.shape.rank - 1:
            found = expand_dims(found, -1)
        labels_shape, logits_shape = shape_of(found), shape_of(logits)
        told = f"labels shape must be [D0, D1, ... DN, {dimension}]: look at n_classes or label_dimension, and at the labels' shape."
        graph = get_default_graph()
        with graph.control_dependencies([assert_rank_at_least(found, 2, message=told)]):
            last = found.shape.as_list()[-1] if found.shape.rank else None
            if last is not None and last != dimension:
                raise ValueError(
                    f"Mismatched label shape. Expected labels dimension={dimension}.  Received {last}. Look at n_classes or label_dimension, and "
                    "at the labels' shape."
                )
            wanted = concat([logits_shape[:-1], [dimension]], axis=0)
            data = ["expected_labels_shape: ", wanted, "labels_shape: ", labels_shape]
            with graph.control_dependencies([assert_equal(wanted, labels_shape, message=told, data=data)]):
                return identity(found, name=scope)


def checked_weights(features: Mapping[str, Any], weight_column: Any, logits: Tensor, *, allows_one_per_logit: bool = False) -> Any:
    """Weights [..., 1] of examples, by a feature's key or a column; 1.0 without one.

    Raises:
        TypeError: something else.
        ValueError: weights that are no numbers.
        InvalidArgumentError: when it runs: another shape than that of the logits.
    """
    last = ", [D0, D1, ... DN, 1] or [D0, D1, ... DN, logits_dimension]" if allows_one_per_logit else " or [D0, D1, ... DN, 1]"
    told = f"weights shape must be [D0, D1, ... DN]{last}"
    with name_scope(None, "weights", [logits]) as scope:
        if weight_column is None:
            return 1.0
        column = numeric_column(weight_column, shape=(1,)) if isinstance(weight_column, str) else weight_column
        if not isinstance(column, DenseColumn):
            raise TypeError(f"Weight column must be either a string or a dense column. Given type: {type(column)}.")
        weights = column.get_dense_tensor(Features(features))
        if not (weights.dtype.is_floating or weights.dtype.is_integer):
            raise ValueError(f"Weight column should be castable to float. Given dtype: {weights.dtype}")
        weights = cast(weights, "float32", name="weights")
        weights_shape, logits_shape = shape_of(weights, name="weights_shape"), shape_of(logits, name="logits_shape")
        data = ["logits_shape: ", logits_shape, "weights_shape: ", weights_shape]
        graph = get_default_graph()
        if weights.shape.rank is not None and logits.shape.rank is not None and weights.shape.rank == logits.shape.rank - 1:
            with graph.control_dependencies([assert_equal(logits_shape[:-1], weights_shape, message=told, data=data)]):
                return expand_dims(weights, -1, name=scope)
        wanted = concat([logits_shape[:-1], [1]], axis=0)
        if allows_one_per_logit:
            is_good = reduce_any([reduce_all(equal(shape, weights_shape)) for shape in (logits_shape, wanted)])
            check = Assert(is_good, [told, *data])
        else:
            check = assert_equal(wanted, weights_shape, message=told, data=data)
        with graph.control_dependencies([check]):
            return identity(weights, name=scope)


def checked_logits(logits: Any, dimension: int) -> Tensor:
    """Logits [..., dimension] as float32.

    Raises:
        ValueError: another dimension.
        InvalidArgumentError: when it runs: another dimension.
    """
    with name_scope(None, "logits", [logits]) as scope:
        found = cast(logits, "float32")
        shape = shape_of(found)
        graph = get_default_graph()
        told = "logits shape must be [D0, D1, ... DN, logits_dimension]"
        with graph.control_dependencies([assert_rank_at_least(found, 2, data=[shape], message=told)]):
            last = found.shape.as_list()[-1] if found.shape.rank else None
            if last is not None:
                if last != dimension:
                    raise ValueError(f"logits shape must be [D0, D1, ... DN, logits_dimension={dimension}], got {found.shape}.")
                return found
            told = f"logits shape must be [D0, D1, ... DN, logits_dimension={dimension}]"
            with graph.control_dependencies([assert_equal(dimension, shape[-1], data=[shape], message=told)]):
                return identity(found, name=scope)


def checked_range(labels: Tensor, n_classes: int) -> Tensor:
    """Labels, that have to be numbers of classes.

    Raises:
        InvalidArgumentError: when it runs: they are not.
    """
    with name_scope(None, "assert_range", [labels]):
        most = convert_to_tensor(n_classes - 1, dtype=labels.dtype)
        is_less = assert_less_equal(labels, most, message="Labels must be <= n_classes - 1")
        is_more = assert_non_negative(labels, message="Labels must be >= 0")
        with get_default_graph().control_dependencies([is_less, is_more]):
            return identity(labels)
