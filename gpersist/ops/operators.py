"""Python's operators on tensors: what `a + b` makes, and under which names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.graph import Tensor, apply, convert_to_tensor, install_operators, name_scope
from gpersist.ops import bitwise, math
from gpersist.ops.indexing import getitem
from gpersist.ops.sparse_tensor import SparseTensor, scaled

_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda x, y, name: apply("Add" if x.dtype.is_string else "AddV2", x, y, name=name),
    "sub": math.subtract,
    "mul": lambda x, y, name: scaled(y, x, name) if isinstance(y, SparseTensor) else math.multiply(x, y, name=name),
    "truediv": math.truediv,
    "floordiv": math.floordiv,
    "mod": math.floormod,
    "pow": math.pow,
    "matmul": math.matmul,
    "and": lambda x, y, name: math.logical_and(x, y, name) if x.dtype.is_bool else bitwise.bitwise_and(x, y),
    "or": lambda x, y, name: math.logical_or(x, y, name) if x.dtype.is_bool else bitwise.bitwise_or(x, y),
    "xor": lambda x, y, name: math.logical_xor(x, y, name) if x.dtype.is_bool else bitwise.bitwise_xor(x, y),
}


_CONVERTING = {"add": "y", "truediv": "y", "matmul": "b"}


def _forward(name: str, build: Callable[..., Tensor]) -> Callable[[Any, Any], Tensor]:
    """`tensor + other`: the other one has to be of the tensor's type; for some operators, that fails only once it has become a tensor."""

    def operate(x: Any, y: Any) -> Tensor:
        with name_scope(None, name, [x, y]) as scope:
            left = convert_to_tensor(x)
            right = convert_to_tensor(y, dtype_hint=left.dtype.base_dtype, name=_CONVERTING[name]) if name in _CONVERTING else y
            return build(left, right, name=scope)

    return operate


def _reflected(name: str, build: Callable[..., Tensor]) -> Callable[[Any, Any], Tensor]:
    """`other + tensor`: the other one has to be of the tensor's type."""

    def operate(y: Any, x: Any) -> Tensor:
        with name_scope(None, name, [x, y]) as scope:
            right = convert_to_tensor(y)
            return build(convert_to_tensor(x, right.dtype.base_dtype, name="x"), right, name=scope)

    return operate


_NAMES = {"and": "and_", "or": "or_"}
_REFLECTED_NAMES = {"and": "rand_", "or": "ror_"}

install_operators(
    **{_NAMES.get(name, name): _forward(name, build) for name, build in _ARITHMETIC.items()},
    **{_REFLECTED_NAMES.get(name, f"r{name}"): _reflected(name, build) for name, build in _ARITHMETIC.items()},
    lt=lambda x, y: math.less(x, y),
    le=lambda x, y: math.less_equal(x, y),
    gt=lambda x, y: math.greater(x, y),
    ge=lambda x, y: math.greater_equal(x, y),
    neg=lambda x: math.negative(x),
    invert=lambda x: math.logical_not(x) if x.dtype.is_bool else bitwise.invert(x),
    abs=lambda x: math.abs(x),
    getitem=lambda x, spec: getitem(x, spec) if isinstance(x, Tensor) else getitem(x.value(), spec, x),
)
