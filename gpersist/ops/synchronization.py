"""What a variable says of copies on several devices: kept, saved in its message, and without effect in a single process."""

from __future__ import annotations

import enum
from typing import Any

__all__ = ["VariableAggregation", "VariableSynchronization"]


class VariableSynchronization(enum.Enum):
    """When copies of a variable are brought together (`tf.VariableSynchronization`)."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How copies of a variable are brought together (`tf.VariableAggregation`)."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3
    ONLY_FIRST_TOWER = 3  # noqa: PIE796  # an alias, TensorFlow's


def settled(synchronization: Any, aggregation: Any, trainable: bool | None, name: str | None) -> tuple[Any, Any, bool]:
    """What a caller said of a variable, with defaults for None; a variable that is synchronised when read is by default not trainable.

    Raises:
        ValueError: there is no such synchronisation or aggregation.
    """
    try:
        aggregation = VariableAggregation.NONE if aggregation is None else VariableAggregation(aggregation)
    except ValueError:
        raise ValueError(f"Invalid variable aggregation mode: {aggregation} for variable: {name}") from None
    try:
        synchronization = VariableSynchronization.AUTO if synchronization is None else VariableSynchronization(synchronization)
    except ValueError:
        raise ValueError(f"Invalid variable synchronization mode: {synchronization} for variable: {name}") from None
    return synchronization, aggregation, synchronization is not VariableSynchronization.ON_READ if trainable is None else trainable
