"""`tf.case`: a row of `tf.cond`."""

from __future__ import annotations

import functools
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from gpersist.graph import Operation, Tensor, apply, get_default_graph, name_scope
from gpersist.ops.casting import cast
from gpersist.ops.checks import Assert
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond
from gpersist.ops.joining import stack
from gpersist.ops.reductions import reduce_sum

__all__ = ["case"]

_LOG = logging.getLogger("gpersist")


def case(pred_fn_pairs: Any, default: Callable[[], Any] | None = None, exclusive: bool = False, strict: bool = False, name: str = "case") -> Any:
    """What the first of several functions makes whose condition is true when it is run (`tf.case`).

    Args:
        pred_fn_pairs: pairs of a condition, bool[], and a function, as a list or a dict.
        default: what is made if none is true; by default that fails.
        exclusive: whether it fails if several are true.
        strict: as in `cond`.
        name: of the scope.

    Raises:
        TypeError: something is no pair, no condition or no function.
    """
    preds, actions = _checked_pairs(pred_fn_pairs, exclusive, name)
    with name_scope(name, "case", [preds]):
        if default is None:
            default, preds, actions = _failing_default(preds, actions)
        function = default
        for pred, action in reversed(list(zip(preds, actions, strict=True))):
            function = functools.partial(cond, pred, true_fn=action, false_fn=function, strict=strict)
        if not exclusive:
            return function()
        with get_default_graph().control_dependencies([_at_most(preds, 1, "Input error: exclusive=True")]):
            return function()


def _checked_pairs(pairs: Any, exclusive: bool, name: str) -> tuple[Sequence[Tensor], Sequence[Callable[[], Any]]]:
    if not isinstance(pairs, (list, tuple, dict)):
        raise TypeError(f"'pred_fn_pairs' must be a list, tuple, or dict. Received: {type(pairs)}")
    if isinstance(pairs, OrderedDict):
        pairs = list(pairs.items())
    elif isinstance(pairs, dict):
        pairs = sorted(pairs.items(), key=lambda item: item[0].name)
        if not exclusive:
            _LOG.warning(
                "%s: An unordered dictionary of predicate/fn pairs was provided, but exclusive=False. The order of conditional tests is "
                "deterministic but not guaranteed.",
                name,
            )
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'pred_fn_pairs' must be a 2-tuple. Received {pair}.")
        pred, function = pair
        if not isinstance(pred, Tensor):
            raise TypeError(f"pred must be a Tensor, got: {pred}")
        if not pred.dtype.is_bool:
            raise TypeError(f"pred must be Tensor of type bool: {pred.name}")
        if not callable(function):
            raise TypeError(f"fn for pred {pred.name} must be callable.")
    preds, actions = zip(*pairs, strict=True)
    return preds, actions


def _at_most(preds: Sequence[Tensor], count: int, message: str) -> Operation:
    """An operation that fails if more conditions are true than so many."""
    stacked = stack(preds, name="preds_c")
    true = reduce_sum(cast(stacked, "int32"), name="num_true_conds")
    is_right = apply("LessEqual", true, constant(count, name="n_true_conds"), name="LessEqual")
    names = ", ".join(pred.name for pred in preds)
    return Assert(is_right, [f"{message}: more than {count} conditions ({names}) evaluated as True:", stacked], summarize=len(preds))


def _failing_default(preds: Sequence[Tensor], actions: Sequence[Callable[[], Any]]) -> tuple[Callable[[], Any], Sequence[Tensor], Sequence[Any]]:
    """The last function as what is made if no other condition is true; fails if its own isn't, either."""
    last, *others = len(preds) - 1, *preds[:-1]

    def action() -> Any:
        others_message = f"Implementation error: selected default action #{last} was called, but some of other predicates are True: "
        message = ("Input error: None of conditions evaluated as True:", stack(preds, name="preds_c"))
        with get_default_graph().control_dependencies([_at_most(others, 0, others_message), Assert(preds[-1], data=message)]):
            return actions[-1]()

    return action, others, actions[:-1]
