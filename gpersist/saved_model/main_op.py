"""Operations that a SavedModel runs when it is loaded (`tf.saved_model.main_op`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Operation
from gpersist.ops.control import control_dependencies, group
from gpersist.ops.lookup import tables_initializer
from gpersist.ops.variable_lists import global_variables_initializer, local_variables_initializer

__all__ = ["main_op", "main_op_with_restore"]


def main_op() -> Operation:
    """An operation that gives all variables their first values, and fills all tables (`tf.saved_model.main_op.main_op`)."""
    return group(global_variables_initializer(), local_variables_initializer(), tables_initializer())


def main_op_with_restore(restore_op_name: Any) -> Operation:
    """`main_op`, and then the operation that restores (`tf.saved_model.main_op.main_op_with_restore`).

    Raises:
        TypeError: `restore_op_name` is the name of the operation instead of itself; TensorFlow takes none either.
    """
    with control_dependencies([main_op()]):
        return group(restore_op_name)
