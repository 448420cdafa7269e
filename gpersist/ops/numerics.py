"""Guards against numbers that are infinite, or none (`tf.check_numerics`)."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Operation, Tensor, apply, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import assertions as _assertions  # noqa: F401  # the operations
from gpersist.ops.builders import renamed_argument
from gpersist.ops.control import group, with_dependencies

__all__ = ["add_check_numerics_ops", "assert_all_finite", "check_numerics", "verify_tensor_all_finite"]


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """A tensor that fails when it is computed, if an element is infinite or not a number (`tf.check_numerics`)."""
    return apply("CheckNumerics", tensor, message=message, name=name)


def verify_tensor_all_finite(t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None) -> Tensor:
    """A tensor that is there when its elements were found finite (`tf.verify_tensor_all_finite`)."""
    value, told = renamed_argument("x", x, "t", t), renamed_argument("message", message, "msg", msg)
    with name_scope(name, "VerifyFinite", [item for item in (value,) if isinstance(item, Tensor)]):
        tensor = convert_to_tensor(value, name="x")
        with tensor.graph.colocate_with(tensor):
            checked = apply("CheckNumerics", tensor, message=told)
            found: Tensor = with_dependencies([checked], tensor)
            return found


assert_all_finite = verify_tensor_all_finite


def add_check_numerics_ops() -> Operation:
    """An operation that fails if any tensor of floats in the default graph has an element that is infinite or not a number."""
    checks: list[Any] = []
    graph = get_default_graph()
    for op in graph.get_operations():
        for output in op.outputs:
            if output.dtype.name in ("float16", "float32", "float64"):
                with graph.control_dependencies(checks):
                    checks = [check_numerics(output, f"{op.name}:{output.value_index}")]
    return group(*checks)
