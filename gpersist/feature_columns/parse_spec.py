"""`tf.feature_column.make_parse_example_spec`: what columns need of serialized examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gpersist.feature_columns.column import FeatureColumn


def make_parse_example_spec(feature_columns: Iterable[FeatureColumn]) -> dict[str, Any]:
    """By key the features that columns need: for `tf.parse_example` (`tf.feature_column.make_parse_example_spec`).

    Raises:
        ValueError: something that is no column, or two that need a feature in different ways.
    """
    found: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"All feature_columns must be feature columns. Given: {column}")
        for key, value in column.parse_example_spec.items():
            if found.setdefault(key, value) != value:
                raise ValueError(f"feature_columns contain different parse_spec for key {key}. Given {value} and {found[key]}")
    return found
