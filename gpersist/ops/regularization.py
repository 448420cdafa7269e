"""What a regularizer says of a variable, kept in the collection of regularization losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpersist.graph import GraphKeys, Operand, Tensor, get_default_graph, name_scope, register_tensor_conversion_function


class RegularizationLoss(Operand):
    """A regularizer's result for a variable: fetched as it is, but computed anew, in the variable's scope, wherever it is used."""

    def __init__(self, compute: Callable[[], Tensor]) -> None:
        self._compute = compute
        self._first = compute()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._first, name)

    def _apply(self, operator: str, *others: Any) -> Tensor:
        return self._compute()._apply(operator, *others)

    def _as_graph_element(self) -> Tensor:
        return self._first

    def _as_tensor(self, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
        return self._compute()

    def __repr__(self) -> str:
        return str(self._first)


register_tensor_conversion_function(RegularizationLoss, RegularizationLoss._as_tensor)


def regularize(regularizer: Callable[[Any], Any], variable: Any, name: str) -> None:
    """Adds what a regularizer says of a variable to the collection, unless that is None."""

    def loss() -> Any:
        with get_default_graph().colocate_with(variable), name_scope(f"{name}/Regularizer/"):
            return regularizer(variable)

    if regularizer(variable) is not None:  # TensorFlow asks twice, and has the nodes twice
        get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, RegularizationLoss(loss))
