"""TensorFlow's switches between its versions: here it is always TensorFlow 1, with graphs and sessions."""

from __future__ import annotations

from gpersist.errors import UnimplementedError
from gpersist.shapes import disable_v2_tensorshape, enable_v2_tensorshape

__all__ = [
    "control_flow_v2_enabled",
    "disable_control_flow_v2",
    "disable_eager_execution",
    "disable_tensor_equality",
    "disable_v2_behavior",
    "disable_v2_tensorshape",
    "enable_eager_execution",
    "enable_v2_behavior",
    "enable_v2_tensorshape",
    "executing_eagerly",
    "executing_eagerly_outside_functions",
]


def disable_v2_behavior() -> None:
    """Does nothing: there is no other."""


def disable_eager_execution() -> None:
    """Does nothing: there is none."""


def disable_tensor_equality() -> None:
    """Does nothing: tensors are equal only to themselves."""


def disable_control_flow_v2() -> None:
    """Does nothing: `tf.cond` and `tf.while_loop` make TensorFlow 1's operations."""


def control_flow_v2_enabled() -> bool:
    """False."""
    return False


def executing_eagerly() -> bool:
    """False."""
    return False


def executing_eagerly_outside_functions() -> bool:
    """False."""
    return False


def enable_eager_execution(config: object = None, device_policy: object = None, execution_mode: object = None) -> None:
    """Not done.

    Raises:
        UnimplementedError: always.
    """
    del config, device_policy, execution_mode
    raise UnimplementedError("gpersist builds graphs and runs them in sessions: there is no eager execution")


def enable_v2_behavior() -> None:
    """Not done.

    Raises:
        UnimplementedError: always.
    """
    enable_eager_execution()
