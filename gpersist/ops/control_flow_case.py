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
from gpersist.ops.comparison import equal
from gpersist.ops.constants import constant
from gpersist.ops.control_flow import cond
from gpersist.ops.joining import stack
from gpersist.ops.reductions import reduce_sum

__all__ = ["case", "switch_case"]

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


def switch_case(branch_index: Any, branch_fns: Any, default: Callable[[], Any] | None = None, name: str | None = None) -> Any:
    """What the function of a number makes, which is known when it is run (`tf.switch_case`); here a row of `tf.cond`.

    Args:
        branch_index: int32[].
        branch_fns: functions, a list of pairs of a number and one, or a dict.
        default: what is made for any other number; by default what the one with the highest number makes.
        name: of the scope.

    Raises:
        TypeError: something is no number or no function, or the index no int32.
        ValueError: the numbers are not 0, 1, 2 ... without gaps.
    """
    if not isinstance(branch_index, Tensor):
        raise TypeError(f"'branch_index' must be a Tensor, got {type(branch_index)}")
    if not branch_index.dtype.is_integer:
        raise TypeError(f"'branch_index' must be an integer Tensor, got {branch_index.dtype}")
    actions = _numbered(branch_fns)
    if branch_index.dtype.name != "int32":
        raise TypeError(f"'branch_index' has type {branch_index.dtype.name} that does not match expected type of int32.")
    with name_scope(name, "case", [branch_index]):
        if default is not None:
            actions.append(default)
        function = actions[-1]
        for number, action in reversed(list(enumerate(actions[:-1]))):
            function = functools.partial(_branched, branch_index, number, action, function)
        return function() if len(actions) > 1 else cond(constant(True), function, function)


def _branched(index: Tensor, number: int, action: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    return cond(equal(index, number), action, otherwise)


def _numbered(functions: Any) -> list[Callable[[], Any]]:
    """Functions in the order of their numbers."""
    if not isinstance(functions, (list, tuple, dict)):
        raise TypeError("'branch_fns' must be a list, tuple, or dict")
    if not functions:
        raise ValueError("Must provide at least one item in 'branch_fns'")
    pairs = sorted(functions.items()) if isinstance(functions, dict) else list(functions)
    if all(callable(each) for each in pairs):
        pairs = list(enumerate(pairs))
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'branch_fns' must be a 2-tuple. Received {pair}.")
        if not isinstance(pair[0], int):
            raise TypeError(f"key must be a Python `int`, got {type(pair[0])}")
        if not callable(pair[1]):
            raise TypeError(f"fn for key {pair[0]} must be callable.")
    numbers = [number for number, _ in pairs]
    if sorted(numbers) != list(range(len(pairs))):
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(pairs)}) but found {{{','.join(map(str, sorted(numbers)))}}}"
        )
    return [action for _, action in sorted(pairs, key=lambda pair: pair[0])]


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
