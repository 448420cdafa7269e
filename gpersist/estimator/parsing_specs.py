"""What ready-made estimators need of serialized examples: columns, a label, a weight."""

from __future__ import annotations

from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.feature_columns import make_parse_example_spec, numeric_column
from gpersist.feature_columns.numeric import NumericColumn
from gpersist.ops.parsing import FixedLenFeature


def classifier_parse_example_spec(
    feature_columns: Any, label_key: str, label_dtype: Any = "int64", label_default: Any = None, weight_column: Any = None
) -> dict[str, Any]:
    """Features for `tf.parse_example` of a classifier (`tf.estimator.classifier_parse_example_spec`).

    Args:
        feature_columns: the columns.
        label_key: of the label.
        label_dtype: of the label.
        label_default: for examples without.
        weight_column: the key of the weight, or a numeric column of it.

    Raises:
        ValueError: the label or the weight is a feature of a column, or the weight's column is none of numbers.
    """
    return _with_label(feature_columns, label_key, FixedLenFeature((1,), as_dtype(label_dtype), label_default), weight_column)


def regressor_parse_example_spec(
    feature_columns: Any, label_key: str, label_dtype: Any = "float32", label_default: Any = None, label_dimension: int = 1, weight_column: Any = None
) -> dict[str, Any]:
    """Features for `tf.parse_example` of a regressor (`tf.estimator.regressor_parse_example_spec`); see `classifier_parse_example_spec`."""
    return _with_label(feature_columns, label_key, FixedLenFeature((label_dimension,), as_dtype(label_dtype), label_default), weight_column)


def _with_label(feature_columns: Any, label_key: str, label: FixedLenFeature, weight_column: Any) -> dict[str, Any]:
    found = make_parse_example_spec(feature_columns)
    if label_key in found:
        raise ValueError(f"label should not be used as feature. label_key: {label_key}, features: {found.keys()}")
    found[label_key] = label
    if weight_column is None:
        return found
    weight = numeric_column(weight_column) if isinstance(weight_column, str) else weight_column
    if not isinstance(weight, NumericColumn):
        raise ValueError(f"weight_column should be an instance of tf.feature_column.numeric_column. Given type: {type(weight)} value: {weight}")
    if weight.key in found:
        raise ValueError(f"weight_column should not be used as feature. weight_column: {weight.key}, features: {found.keys()}")
    return {**found, **weight.parse_example_spec}
